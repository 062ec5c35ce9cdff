/**
 * Ed25519 (RFC 8032), strict: canonical points and scalars, no small-order key, the cofactorless equation that OpenSSL
 * and ref10 compute. Whatever libraries disagree about is settled here, on bytes, before a backend is asked.
 * spec/crypto.md, "Signatures".
 */

import { toHex } from '../wire/index.ts';
import { curveSignature } from './curve-signature.ts';
import { isEdwardsPoint } from './portable.ts';
import { systemRandom } from './random.ts';
import { unhex } from './unhex.ts';

/** The name of the algorithm, as it stands in credentials (RFC 9864). */
export const ED25519 = 'Ed25519';

/** Ed25519: secret keys are the 32-byte seeds of RFC 8032, signing is deterministic. */
export const ed25519 = curveSignature({
  name: ED25519,
  operation: 'ed25519',
  publicKeyLength: 32,
  mayBeKey: (publicKey) => isCanonical(publicKey) && !isSmallOrder(publicKey),
  mayBeSignature: (signature) => isCanonical(signature) && isBelow(signature, ORDER, 32),
  isDisputed: (signature) => isSmallOrder(signature),
  isPoint: isEdwardsPoint,
  normalize: (signature) => signature,
  generateSecretKey: (random = systemRandom) => random(32),
});

// Big-endian: p = 2^255 − 19, the order of the base point, and the y of the points of order 1, 2, 4 and 8.
const P = unhex('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed');
const ORDER = unhex('1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed');
const ONE = '0000000000000000000000000000000000000000000000000000000000000001';
const MINUS_ONE = '7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec';
const SMALL_ORDER = new Set([
  ONE,
  MINUS_ONE,
  '0000000000000000000000000000000000000000000000000000000000000000',
  '7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7',
  '05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826',
]);

const FIRST_OF_SMALL_ORDER = [0x00, 0x01, 0xec, 0xc7, 0x26];

// A signature begins with its point R: what asks about a point reads 32 bytes, whatever comes after them.

/** y below p, and no negative zero: of x = 0 there is one spelling (RFC 8032 section 5.1.3). */
function isCanonical(point: Uint8Array): boolean {
  const last = point[31] ?? 0;
  // Its last byte tells nearly always.
  if ((last & 0x7f) === 0x7f && !isBelow(withoutSign(point), P)) return false;
  const negative = (last & 0x80) !== 0;
  return !(negative && mayBeSmallOrder(point) && [ONE, MINUS_ONE].includes(bigEndianHex(withoutSign(point))));
}

function isSmallOrder(point: Uint8Array): boolean {
  return mayBeSmallOrder(point) && SMALL_ORDER.has(bigEndianHex(withoutSign(point)));
}

// The first byte tells nearly all other points apart, without spelling them out.
function mayBeSmallOrder(point: Uint8Array): boolean {
  return FIRST_OF_SMALL_ORDER.includes(point[0] ?? 0);
}

function withoutSign(point: Uint8Array): Uint8Array {
  const y = point.slice(0, 32);
  y[31] = (y[31] ?? 0) & 0x7f;
  return y;
}

function isBelow(littleEndian: Uint8Array, bound: Uint8Array, from = 0): boolean {
  for (let i = 0; i < bound.length; i++) {
    const difference = (littleEndian[from + bound.length - 1 - i] ?? 0) - (bound[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function bigEndianHex(littleEndian: Uint8Array): string {
  return toHex(new Uint8Array(littleEndian).reverse());
}
