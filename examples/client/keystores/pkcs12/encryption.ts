/** Password-based encryption PBES2 (RFC 8018 section 6.2) with AES-CBC and PBKDF2: all that is read, and all that is written. */

import { MunimentError } from 'muniment';
import { concat } from 'muniment/wire';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { malformed, type BerNode, type Members } from './ber.ts';
import { algorithm, octets, sequence } from './der.ts';
import type { Effort } from './effort.ts';
import type { Spent } from './limits.ts';
import { AES_256_CBC, CIPHERS, PBES2, refusedAlgorithm } from './oids.ts';
import { derive, pbkdf2Algorithm, readPbkdf2 } from './pbkdf2.ts';

/** What was encrypted, and the algorithm identifier that says how. */
export interface Encrypted {
  readonly identifier: BerNode;
  readonly ciphertext: Uint8Array;
}

const IV_LENGTH = 16;
const SALT_LENGTH = 16;
const KEY_LENGTH = 32;

/**
 * Decrypts what one algorithm identifier says how to decrypt. The mode has no integrity: only what the file's MAC
 * covers may come here, or a guesser of paddings would be served.
 *
 * @throws `MunimentError` `KEY_FILE`, `KEY_ALGORITHM`
 */
export async function decrypt(
  identifier: Members,
  ciphertext: Uint8Array,
  passphrase: string,
  spent: Spent,
): Promise<Uint8Array> {
  const { derivation, cipher, iv } = readPbes2(identifier);
  if (derivation.keyLength !== null && derivation.keyLength !== cipher.keyLength) throw malformed();
  spent.derivation(derivation.iterations);
  const key = await derive(derivation, passphrase, cipher.keyLength);
  try {
    const decipher = createDecipheriv(cipher.name, key, iv);
    const parts = [decipher.update(ciphertext), decipher.final()];
    const plaintext = concat(...parts);
    for (const part of parts) part.fill(0);
    return plaintext;
  } catch (cause) {
    throw new MunimentError('KEY_FILE', 'a part of the PKCS#12 file is not under the passphrase of its MAC', {
      cause,
    });
  } finally {
    key.fill(0);
  }
}

function readPbes2(identifier: Members) {
  const oid = identifier.oid();
  if (oid !== PBES2) throw refusedAlgorithm(oid);
  const parameters = identifier.sequence();
  identifier.end();
  const derivation = parameters.sequence();
  const scheme = parameters.sequence();
  parameters.end();
  const name = scheme.oid();
  const cipher = CIPHERS.get(name);
  if (cipher === undefined) throw refusedAlgorithm(name);
  const iv = scheme.octets();
  scheme.end();
  if (iv.length !== IV_LENGTH) throw malformed();
  return { derivation: readPbkdf2(derivation), cipher, iv };
}

/** Encrypts with AES-256 under a key that PBKDF2-HMAC-SHA-256 derives with a salt of its own. */
export async function encrypt(
  plaintext: Uint8Array,
  passphrase: string,
  { iterations, random }: Effort,
): Promise<Encrypted> {
  const [salt, iv] = [random(SALT_LENGTH), random(IV_LENGTH)];
  const key = await derive({ salt, iterations, hash: 'sha256' }, passphrase, KEY_LENGTH);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const ciphertext = concat(cipher.update(plaintext), cipher.final());
  key.fill(0);
  const scheme = algorithm(AES_256_CBC, octets(iv));
  return {
    identifier: algorithm(PBES2, sequence(pbkdf2Algorithm(salt, iterations), scheme)),
    ciphertext,
  };
}
