/** PBKDF2 (RFC 8018 section 5.2) as files ask for it: salt, iterations, hash. */

import { utf8 } from 'muniment/wire';
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { BerNode, Members } from './ber.ts';
import { algorithm, integer, octets, sequence } from './der.ts';
import { HMAC_SHA1, HMAC_SHA256, HMACS, PBKDF2, refusedAlgorithm, type HashName } from './oids.ts';

/** How to derive a key. */
export interface Pbkdf2 {
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** In bytes; `null` where the file leaves it to the cipher. */
  readonly keyLength: number | null;
  readonly hash: HashName;
}

/**
 * Reads an algorithm identifier that must be PBKDF2.
 *
 * @throws `MunimentError` `KEY_FILE`, `KEY_ALGORITHM`
 */
export function readPbkdf2(identifier: Members): Pbkdf2 {
  const oid = identifier.oid();
  if (oid !== PBKDF2) throw refusedAlgorithm(oid);
  const parameters = identifier.sequence();
  identifier.end();
  const salt = parameters.octets();
  const iterations = parameters.integer();
  const keyLength = parameters.optionalInteger();
  const hash = readHmac(parameters.optionalSequence());
  parameters.end();
  return { salt, iterations, keyLength, hash };
}

/**
 * Reads an algorithm identifier that must be an HMAC; none is HMAC-SHA-1, PBKDF2's default.
 *
 * @throws `MunimentError` `KEY_FILE`, `KEY_ALGORITHM`
 */
export function readHmac(identifier: Members | null): HashName {
  const oid = identifier?.oid() ?? HMAC_SHA1;
  identifier?.noParameters();
  const hash = HMACS.get(oid);
  if (hash === undefined) throw refusedAlgorithm(oid);
  return hash;
}

/** Writes PBKDF2 with HMAC-SHA-256 as an algorithm identifier. */
export function pbkdf2Algorithm(salt: Uint8Array, iterations: number): BerNode {
  return algorithm(PBKDF2, sequence(octets(salt), integer(iterations), algorithm(HMAC_SHA256)));
}

/** Derives a key from a passphrase, in UTF-8 as everybody has it here, unlike in PKCS#12's own derivation. */
export function derive(
  { salt, iterations, hash }: Pick<Pbkdf2, 'salt' | 'iterations' | 'hash'>,
  passphrase: string,
  length: number,
): Promise<Uint8Array> {
  return stretched(utf8(passphrase), salt, iterations, length, hash);
}

const stretched = promisify(pbkdf2);
