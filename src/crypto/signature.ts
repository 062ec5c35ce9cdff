/** The signature algorithms by name. spec/crypto.md, "Signatures". */

import { MunimentError } from '../errors.ts';
import { composite } from './composite.ts';
import { ed25519 } from './ed25519.ts';
import { es256 } from './es256.ts';
import { mlDsa44 } from './ml-dsa.ts';
import type { SignatureAlgorithm } from './signature-algorithm.ts';

// Entries, documents, credentials, statements and envelopes are signed with one of these.
const FOR_PARTIES: readonly SignatureAlgorithm[] = [ed25519, es256, composite];

const BY_NAME = new Map([...FOR_PARTIES, mlDsa44].map((algorithm) => [algorithm.name, algorithm]));

/** The lengths that a party's signature can have, whatever its algorithm: what a parser may let pass before it knows the key. */
export const SIGNATURE_LENGTHS: readonly number[] = [
  ...new Set(FOR_PARTIES.map((algorithm) => algorithm.signatureLength)),
];

/**
 * The signature algorithm of this name.
 *
 * @param name - `Ed25519`, `ES256`, `ML-DSA-65-Ed25519`, or `ML-DSA-44` (for checkpoint lines alone), as it came over the wire
 * @returns its lengths, key import and verification; what verifies is returned, nothing answers with a boolean
 * @throws `MunimentError` `KEY_ALGORITHM` for a name that this library does not have
 * @example
 * ```ts
 * import { ED25519, signatureAlgorithm } from 'muniment/crypto';
 * const ed25519 = signatureAlgorithm(ED25519);
 * const key = ed25519.secretKey(ed25519.generateSecretKey());
 * const message = Uint8Array.of(1, 2, 3);
 * ed25519.verify(key.publicKey, message, await key.sign(message)); // message
 * ```
 */
export function signatureAlgorithm(name: string): SignatureAlgorithm {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new MunimentError('KEY_ALGORITHM');
  return found;
}

/**
 * The same, but only those that a party signs with: not ML-DSA-44.
 *
 * @throws `MunimentError` `KEY_ALGORITHM`
 */
export function partyAlgorithm(name: string): SignatureAlgorithm {
  const found = signatureAlgorithm(name);
  if (!FOR_PARTIES.includes(found)) throw new MunimentError('KEY_ALGORITHM');
  return found;
}
