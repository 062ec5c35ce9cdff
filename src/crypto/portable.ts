/** The portable backend: every primitive from `@noble`, on any JavaScript engine. spec/crypto.md, "Backends". */

import { chacha20, chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { hmac } from '@noble/hashes/hmac.js';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_dsa44, ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat, equalBytes } from '../wire/index.ts';
import type { LatticeSignature, Primitives } from './primitives.ts';
import { systemRandom } from './random.ts';

const ZERO_NONCE = new Uint8Array(12);

/** All of it: what no platform brings, this does. */
export const portable: Primitives = {
  sha256: (bytes, ...more) =>
    more.length === 0
      ? sha256(bytes)
      : more.reduce((hash, part) => hash.update(part), sha256.create().update(bytes)).digest(),
  hmacSha256: (key, ...parts) => hmac(sha256, key, concat(...parts)),
  aeadSeal: (key, nonce, aad, plaintext) => chacha20poly1305(key, nonce, aad).encrypt(plaintext),
  aeadOpen: (key, nonce, aad, ciphertext) => chacha20poly1305(key, nonce, aad).decrypt(ciphertext),
  chacha20: (key, length) => chacha20(key, ZERO_NONCE, new Uint8Array(length)),
  scrypt: (passphrase, salt, { n, r, p }) =>
    scryptAsync(passphrase, salt, { N: n, r, p, dkLen: 32, maxmem: 2 ** 31 }),
  x25519(given) {
    const secretKey = given ?? systemRandom(32);
    return {
      publicKey: x25519.getPublicKey(secretKey),
      agree: (peer) => x25519.getSharedSecret(secretKey, peer), // throws for a result of zero
    };
  },
  p256: (secretKey) => ({
    publicKey: p256.getPublicKey(secretKey, false),
    agree: (peer) => p256.getSharedSecret(secretKey, peer, true).slice(1),
  }),
  ed25519: {
    secretKey: (seed) => ({
      publicKey: ed25519.getPublicKey(seed),
      sign: (message) => ed25519.sign(message, seed),
    }),
    holds: ed25519Holds,
  },
  es256: {
    secretKey: (secretKey) => ({
      publicKey: p256.getPublicKey(secretKey, false),
      sign: (message) => p256.sign(message, secretKey, { lowS: true }),
    }),
    holds: es256Holds,
  },
  mlDsa44: lattice(ml_dsa44),
  mlDsa65: lattice(ml_dsa65),
  mlKem768: {
    secretKey(seed) {
      const { publicKey, secretKey } = ml_kem768.keygen(seed);
      return {
        publicKey,
        decapsulate: (ciphertext) => ml_kem768.decapsulate(ciphertext, secretKey),
        erase: () => secretKey.fill(0),
      };
    },
    encapsulate(publicKey) {
      const { sharedSecret, cipherText } = ml_kem768.encapsulate(publicKey);
      return { sharedSecret, ciphertext: cipherText };
    },
  },
};

/** SHA-512 (FIPS 180-4): for renewals, which are rare, so that no backend brings its own. */
export function sha512Of(bytes: Uint8Array): Uint8Array {
  return sha512(bytes);
}

/** ML-KEM encapsulation with randomness that is handed in: no platform takes any, so vectors are made here. */
export function mlKem768EncapsulateWith(
  publicKey: Uint8Array,
  randomness: Uint8Array,
): { sharedSecret: Uint8Array; ciphertext: Uint8Array } {
  const { sharedSecret, cipherText } = ml_kem768.encapsulate(publicKey, randomness);
  return { sharedSecret, ciphertext: cipherText };
}

/** The private key of 2,560 bytes that FIPS 204 expands a seed to: some files carry it beside the seed, and no platform hands it out. */
export function mlDsa44ExpandedKey(seed: Uint8Array): Uint8Array {
  return ml_dsa44.keygen(seed).secretKey;
}

/** Whether 32 bytes decode to a point of edwards25519: asked only once a signature was refused, for the code of the error. */
export function isEdwardsPoint(publicKey: Uint8Array): boolean {
  return decodes(() => Point.fromBytes(publicKey, false));
}

/** Whether 65 bytes are an uncompressed point of P-256 other than infinity. */
export function isP256Point(publicKey: Uint8Array): boolean {
  return publicKey.length === 65 && publicKey[0] === 4 && decodes(() => p256.Point.fromBytes(publicKey));
}

const Point = ed25519.Point;
const ORDER = Point.Fn.ORDER;

/**
 * The cofactorless equation of RFC 8032, as OpenSSL and ref10 compute it. noble's own verification is neither of its
 * modes: by default it follows ZIP-215, under which an all-zero signature with a small-order key verifies, and its
 * strict mode still multiplies by the cofactor.
 */
function ed25519Holds(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isEdwardsPoint(publicKey)) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const k = littleEndian(sha512(concat(r, publicKey, message))) % ORDER;
  const negatedKey = Point.fromBytes(publicKey, false).negate();
  const expected = Point.BASE.multiplyUnsafe(s).add(negatedKey.multiplyUnsafe(k));
  // Comparing encodings, as ref10 does, also refuses every R that is not canonical.
  return equalBytes(expected.toBytes(), r);
}

function es256Holds(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return isP256Point(publicKey) && p256.verify(signature, message, publicKey, { lowS: false });
}

function lattice(algorithm: typeof ml_dsa65): LatticeSignature {
  return {
    secretKey(seed) {
      const { publicKey, secretKey } = algorithm.keygen(seed);
      return { publicKey, sign: (message, context) => algorithm.sign(message, secretKey, { context }) };
    },
    holds: (publicKey, message, signature, context) =>
      algorithm.verify(signature, message, publicKey, { context }),
  };
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

function decodes(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch {
    return false;
  }
}
