/**
 * ECDSA on P-256 with SHA-256 (FIPS 186-5), for cards and HSMs that hold no Curve25519: signatures as r ‖ s of 32
 * bytes each, s low, so that each has one spelling. spec/crypto.md, "Signatures".
 */

import { compareBytes, concat, equalBytes } from '../wire/index.ts';
import { curveSignature, CURVE_SIGNATURE_LENGTH } from './curve-signature.ts';
import { isP256Point } from './portable.ts';
import { systemRandom, type Random } from './random.ts';
import { unhex } from './unhex.ts';

/** The name of the algorithm, as it stands in credentials (RFC 7518 section 3.4). */
export const ES256 = 'ES256';

/** ES256: secret keys are scalars of 32 bytes, public keys uncompressed points of 65. */
export const es256 = curveSignature({
  name: ES256,
  operation: 'es256',
  publicKeyLength: 65,
  mayBeKey: (publicKey) => publicKey[0] === 4,
  mayBeSignature: (signature) =>
    isScalar(signature.subarray(0, 32)) &&
    isScalar(signature.subarray(32)) &&
    compareBytes(signature.subarray(32), HALF_ORDER) <= 0,
  isDisputed: () => false,
  isPoint: isP256Point,
  normalize: toLowS,
  generateSecretKey: generateP256SecretKey,
});

const ORDER = unhex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const HALF_ORDER = unhex('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8');
const ZERO = new Uint8Array(32);

/** Whether 32 bytes, big-endian, are a scalar from 1 to the order of P-256 less 1. */
export function isScalar(bytes: Uint8Array): boolean {
  return !equalBytes(bytes, ZERO) && compareBytes(bytes, ORDER) < 0;
}

/** A fresh scalar: drawn again in the one case of 2^32 that is out of range. */
export function generateP256SecretKey(random: Random = systemRandom): Uint8Array {
  for (;;) {
    const bytes = random(32);
    if (isScalar(bytes)) return bytes;
  }
}

/**
 * Brings an ECDSA signature to its one spelling. A token or a platform signs with an s that is as often high as low;
 * `verify` takes the low one only.
 *
 * @param signature - r ‖ s, 64 bytes
 * @returns the same with the lower of s and −s
 * @throws `RangeError` for another length
 */
export function toLowS(signature: Uint8Array): Uint8Array {
  if (signature.length !== CURVE_SIGNATURE_LENGTH) throw new RangeError('an ES256 signature is 64 bytes');
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  if (compareBytes(s, HALF_ORDER) <= 0) return signature;
  return concat(r, subtractFromOrder(s));
}

function subtractFromOrder(s: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  let borrow = 0;
  for (let i = 31; i >= 0; i--) {
    const difference = (ORDER[i] ?? 0) - (s[i] ?? 0) - borrow;
    out[i] = difference & 0xff;
    borrow = difference < 0 ? 1 : 0;
  }
  return out;
}
