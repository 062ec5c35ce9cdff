/** How much work what is written makes of every guess at its passphrase. */

import type { Random } from 'muniment/crypto';

/** What OWASP asks of PBKDF2-HMAC-SHA-256 (2023). */
export const ITERATIONS = 600_000;
/**
 * An iteration of PKCS#12's own derivation is one hash where PBKDF2's is two; with fewer than twice as many, the MAC
 * were the cheaper way to try passphrases.
 */
export const MAC_ITERATIONS = 2 * ITERATIONS;

/** What one derivation takes. */
export interface Effort {
  readonly iterations: number;
  readonly random: Random;
}
