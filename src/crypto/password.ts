/** scrypt (RFC 7914) with bounds that hold before any work. spec/keys.md, "Key files". */

import { MunimentError } from '../errors.ts';
import { utf8 } from '../wire/index.ts';
import { primitive } from './backend.ts';
import type { ScryptCost } from './primitives.ts';

/** What new key files use: 32 MiB. */
export const SCRYPT_COST: ScryptCost = { n: 2 ** 15, r: 8, p: 1 };
const MAX_N = 2 ** 20;

/**
 * Stretches a passphrase to 32 bytes.
 *
 * @param passphrase - any text; normalised to NFKC, so that keyboards agree
 * @param salt - 32 bytes
 * @param cost - n a power of two from 2^14 to 2^20, r = 8, p = 1; anything else is refused before any work
 * @throws `MunimentError` `KEY_FILE` for parameters out of bounds
 */
export async function stretch(passphrase: string, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  const { n, r, p } = cost;
  if (!Number.isInteger(Math.log2(n)) || n < 2 ** 14 || n > MAX_N || r !== 8 || p !== 1) {
    throw new MunimentError('KEY_FILE');
  }
  return primitive('scrypt')(utf8(passphrase.normalize('NFKC')), salt, { n, r, p });
}
