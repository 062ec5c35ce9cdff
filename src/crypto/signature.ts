/**
 * Ed25519 (RFC 8032), strict: canonical points and scalars, no small-order key, the cofactorless equation that
 * OpenSSL and ref10 compute. noble's own verification is not used, because neither of its modes is this rule:
 * by default it follows ZIP-215, under which an all-zero signature with a small-order key verifies, and its
 * strict mode still multiplies by the cofactor. spec/crypto.md, "Signatures".
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { MunimentError } from '../errors.ts';
import { concat, equalBytes } from '../wire/index.ts';

/** The name of the one signature algorithm so far, as it stands in credentials. */
export const ED25519 = 'Ed25519';
/** Bytes of an Ed25519 public key. */
export const SIGNING_PUBLIC_KEY_LENGTH = 32;
/** Bytes of an Ed25519 signature. */
export const SIGNATURE_LENGTH = 64;

/** The public key of a 32-byte Ed25519 seed. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

/** Signs with a 32-byte Ed25519 seed; deterministic. */
export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed);
}

/**
 * Verifies an Ed25519 signature and returns the message that it covers.
 *
 * @param publicKey - 32 bytes
 * @param message - the signed bytes
 * @param signature - 64 bytes
 * @returns `message`, now known to be signed
 * @throws `MunimentError` `KEY_PUBLIC` for a key that is not a canonical point of large order, `KEY_SIGNATURE` otherwise
 * @example
 * ```ts
 * import { ed25519PublicKey, ed25519Sign, ed25519Verify, systemRandom } from 'muniment/crypto';
 * const seed = systemRandom(32);
 * const message = Uint8Array.of(1, 2, 3);
 * ed25519Verify(ed25519PublicKey(seed), message, ed25519Sign(seed, message));
 * ```
 */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Uint8Array {
  const negatedKey = publicPoint(publicKey).negate();
  if (signature.length !== SIGNATURE_LENGTH) throw new MunimentError('KEY_SIGNATURE');
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= ORDER) throw new MunimentError('KEY_SIGNATURE');
  const k = littleEndian(sha512(concat(r, publicKey, message))) % ORDER;
  const expected = Point.BASE.multiplyUnsafe(s).add(negatedKey.multiplyUnsafe(k));
  // Comparing encodings, as ref10 does, also refuses every R that is not canonical.
  if (!equalBytes(expected.toBytes(), r)) throw new MunimentError('KEY_SIGNATURE');
  return message;
}

const Point = ed25519.Point;
const ORDER = Point.Fn.ORDER;

function publicPoint(publicKey: Uint8Array): InstanceType<typeof Point> {
  let point;
  try {
    point = Point.fromBytes(publicKey, false);
  } catch (cause) {
    throw new MunimentError('KEY_PUBLIC', undefined, { cause });
  }
  if (point.isSmallOrder()) throw new MunimentError('KEY_PUBLIC');
  return point;
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}
