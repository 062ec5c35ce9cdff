/**
 * The MAC of a file (RFC 7292 section 5.1 and appendix B): it is what says that the passphrase is right and that
 * nothing was changed. PBMAC1 (RFC 9579) is read where a file has it; OpenSSL 3.0 has not, so it is not written.
 *
 * SHA-1 is read here: in HMAC and in a derivation of keys it is not broken, and half of the modern files have it.
 */

import { MunimentError } from 'muniment';
import { equalSecrets } from 'muniment/crypto';
import { concat, utf8 } from 'muniment/wire';
import { createHmac, hash as digestOf } from 'node:crypto';
import { malformed, type BerNode, type Members } from './ber.ts';
import { algorithm, integer, octets, sequence } from './der.ts';
import type { Effort } from './effort.ts';
import type { Spent } from './limits.ts';
import { HASHES, PBMAC1, refusedAlgorithm, SHA256, type HashName } from './oids.ts';
import { derive, readHmac, readPbkdf2, type Pbkdf2 } from './pbkdf2.ts';

/** A file's MAC and how to compute it. */
export interface Mac {
  readonly hash: HashName;
  /** PBMAC1's derivation; `null` for PKCS#12's own. */
  readonly pbkdf2: Pbkdf2 | null;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly value: Uint8Array;
}

const SALT_LENGTH = 16;
/** RFC 9579 section 5: a shorter key is refused. */
const PBMAC1_KEY_MIN = 20;
const PBMAC1_KEY_MAX = 64;

/**
 * Reads the MAC's parameters.
 *
 * @throws `MunimentError` `KEY_FILE`, `KEY_ALGORITHM`
 */
export function readMac(data: Members): Mac {
  const digest = data.sequence();
  const identifier = digest.sequence();
  const value = digest.octets();
  digest.end();
  const salt = data.octets();
  const iterations = data.optionalInteger() ?? 1;
  data.end();
  return { ...readAlgorithm(identifier), salt, iterations, value };
}

function readAlgorithm(identifier: Members): Pick<Mac, 'hash' | 'pbkdf2'> {
  const oid = identifier.oid();
  if (oid === PBMAC1) return readPbmac1(identifier);
  const hash = HASHES.get(oid);
  if (hash === undefined) throw refusedAlgorithm(oid);
  identifier.noParameters();
  return { hash, pbkdf2: null };
}

function readPbmac1(identifier: Members): Pick<Mac, 'hash' | 'pbkdf2'> {
  const parameters = identifier.sequence();
  identifier.end();
  const pbkdf2 = readPbkdf2(parameters.sequence());
  const hash = readHmac(parameters.sequence());
  parameters.end();
  return { hash, pbkdf2 };
}

/**
 * Checks the MAC, and so the passphrase.
 *
 * @throws `MunimentError` `KEY_PASSPHRASE` if it is another, whether passphrase or content is wrong; `KEY_FILE` for too many iterations, before any work
 */
export async function verifyMac(
  mac: Mac,
  content: Uint8Array,
  passphrase: string,
  spent: Spent,
): Promise<void> {
  // The derivation below repeats the passphrase with the zero that ends it: with a zero inside, it would equal others.
  if (passphrase.includes('\0')) throw new MunimentError('KEY_PASSPHRASE');
  for await (const key of macKeys(mac, passphrase, spent))
    if (equalSecrets(macOf(mac.hash, key, content), mac.value)) return;
  throw new MunimentError('KEY_PASSPHRASE');
}

async function* macKeys(mac: Mac, passphrase: string, spent: Spent): AsyncGenerator<Uint8Array> {
  const { hash, pbkdf2, salt, iterations } = mac;
  if (pbkdf2 !== null) {
    const length = pbkdf2.keyLength ?? 0; // RFC 9579 section 5 demands that it is stated
    if (length < PBMAC1_KEY_MIN || length > PBMAC1_KEY_MAX) throw malformed();
    spent.derivation(pbkdf2.iterations, Math.ceil(length / DIGEST[pbkdf2.hash]));
    yield derive(pbkdf2, passphrase, length);
    return;
  }
  spent.derivation(iterations);
  yield macKey(hash, bmp(passphrase), salt, iterations);
  if (passphrase !== '') return;
  // An empty passphrase is two zero bytes to some writers and no bytes to others.
  spent.derivation(iterations);
  yield macKey(hash, new Uint8Array(0), salt, iterations);
}

/** Writes the MAC of a content: HMAC-SHA-256, its key by PKCS#12's own derivation. */
export function macData(content: Uint8Array, passphrase: string, { iterations, random }: Effort): BerNode {
  const salt = random(SALT_LENGTH);
  const value = macOf('sha256', macKey('sha256', bmp(passphrase), salt, iterations), content);
  return sequence(sequence(algorithm(SHA256), octets(value)), octets(salt), integer(iterations));
}

/** What a hash function gives, in bytes. */
const DIGEST = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;
/** The block that a hash function works in, in bytes. */
const BLOCK = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 } as const;
/** RFC 7292 appendix B.3: what the derived bytes are for. */
const FOR_MAC = 3;

// Appendix B.2 for one block of output, which is all that a key as long as the hash needs.
function macKey(hash: HashName, passphrase: Uint8Array, salt: Uint8Array, iterations: number): Uint8Array {
  const length = BLOCK[hash];
  const purpose = new Uint8Array(length).fill(FOR_MAC);
  let bytes: Uint8Array = concat(purpose, blocksOf(salt, length), blocksOf(passphrase, length));
  for (let i = 0; i < iterations; i++) bytes = digestOf(hash, bytes, 'buffer');
  return bytes;
}

// Repeated up to a whole number of blocks; nothing stays nothing.
function blocksOf(bytes: Uint8Array, block: number): Uint8Array {
  const length = Math.ceil(bytes.length / block) * block;
  return Uint8Array.from({ length }, (_, i) => bytes[i % bytes.length] ?? 0);
}

// Appendix B.1: UTF-16, big-endian, ended by a zero.
function bmp(passphrase: string): Uint8Array {
  utf8(passphrase); // refuses a lone surrogate, which is no text
  return new Uint8Array(Buffer.from(`${passphrase}\0`, 'utf16le').swap16());
}

function macOf(hash: HashName, key: Uint8Array, content: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac(hash, key).update(content).digest());
}
