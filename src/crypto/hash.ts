/** SHA-256, HMAC and HKDF (RFC 5869) over it, and the constant-time comparison. spec/crypto.md, "Hash and KDF". */

import { Scratch, tupleIn, type TupleItem } from '../wire/index.ts';
import { primitive } from './backend.ts';

/** Bytes of a SHA-256 digest. */
export const HASH_LENGTH = 32;

/** SHA-256 of bytes that are hashed as they are: a body, a ciphertext, a tree node. Everything else goes through {@link hashTuple}. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return primitive('sha256')(bytes);
}

/** `H(T(label, …items))`: the hash of a tuple. */
export function hashTuple(label: string, ...items: readonly TupleItem[]): Uint8Array {
  return hashTupleOf(label, items);
}

/** The same for a list of any length, as `tupleOf` takes it. */
export function hashTupleOf(label: string, items: readonly TupleItem[]): Uint8Array {
  return scratch.lend((memory) => sha256(tupleIn(memory, label, items)));
}

const scratch = new Scratch(1024);

/** HMAC-SHA256. */
export function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return primitive('hmacSha256')(key, message);
}

/** HKDF-Extract over SHA-256. */
export function hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return hmac(salt, inputKey);
}

const FIRST = Uint8Array.of(1);

/**
 * HKDF-Expand over SHA-256 (RFC 5869 section 2.3).
 *
 * @param key - the pseudo-random key
 * @param info - what the output is for
 * @param length - bytes of output, up to 8160
 * @throws `RangeError` for another length
 */
export function hkdfExpand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return hkdfExpandOf(key, [info], length);
}

/** {@link hkdfExpand} for an info in parts, joined as they are: for RFC 9180, which says where each of them ends. */
export function hkdfExpandOf(key: Uint8Array, info: readonly Uint8Array[], length: number): Uint8Array {
  if (!Number.isInteger(length) || length < 0 || length > 255 * HASH_LENGTH)
    throw new RangeError('HKDF length');
  const hmacOf = primitive('hmacSha256');
  let block = hmacOf(key, ...info, FIRST);
  if (length <= HASH_LENGTH) return block.slice(0, length);
  const out = new Uint8Array(length);
  out.set(block);
  for (let at = HASH_LENGTH, counter = 2; at < length; at += HASH_LENGTH, counter++) {
    block = hmacOf(key, block, ...info, Uint8Array.of(counter));
    out.set(block.subarray(0, length - at), at);
  }
  return out;
}

/** A 32-byte key from a key, bound to `T(label, …items)`. */
export function deriveTuple(key: Uint8Array, label: string, ...items: readonly TupleItem[]): Uint8Array {
  return scratch.lend((memory) => hkdfExpand(key, tupleIn(memory, label, items), HASH_LENGTH));
}

/** Compares secrets of equal length without a branch on their bytes. JavaScript gives no hard promise of constant time; this is as near as it comes. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
