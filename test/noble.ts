/** Keys and algorithms straight from `@noble`, beside the library: what tests and vector generators compare with. */

import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_kem768_p256, ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_dsa44, ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import type { KEM_MLKEM768_P256 } from '../src/crypto/index.ts';
import {
  ED25519,
  ES256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  type KemId,
} from '../src/crypto/index.ts';

/** Ed25519 by a seed. */
export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Uint8Array => ed25519.sign(message, seed);

/** The public key of an Ed25519 seed. */
export const ed25519PublicKey = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed);

/** A key pair of a signature algorithm that signs the same each time: ECDSA with the k of RFC 6979, ML-DSA without hedging. */
export function deterministicSigner(
  algorithm: string,
  secretKey: Uint8Array,
): { publicKey: Uint8Array; sign: (message: Uint8Array) => Uint8Array } {
  if (algorithm === ED25519)
    return { publicKey: ed25519PublicKey(secretKey), sign: (message) => ed25519Sign(secretKey, message) };
  if (algorithm === ES256) {
    const publicKey = p256.getPublicKey(secretKey, false);
    return { publicKey, sign: (message) => p256.sign(message, secretKey, { lowS: true }) };
  }
  if (algorithm === ML_DSA_44) {
    const pair = ml_dsa44.keygen(secretKey);
    const sign = (message: Uint8Array): Uint8Array =>
      ml_dsa44.sign(message, pair.secretKey, { extraEntropy: false });
    return { publicKey: pair.publicKey, sign };
  }
  if (algorithm !== ML_DSA_65_ED25519) throw new TypeError(algorithm);
  const [latticeSeed, seed] = [secretKey.slice(0, 32), secretKey.slice(32)];
  const lattice = ml_dsa65.keygen(latticeSeed);
  return {
    publicKey: Buffer.concat([lattice.publicKey, ed25519PublicKey(seed)]),
    sign(message) {
      const signed = compositeRepresentative(message);
      const options = { context: COMPOSITE_LABEL, extraEntropy: false } as const;
      return Buffer.concat([ml_dsa65.sign(signed, lattice.secretKey, options), ed25519Sign(seed, signed)]);
    },
  };
}

/** The label of the composite, and the context of its ML-DSA half. */
export const COMPOSITE_LABEL = new Uint8Array(Buffer.from('COMPSIG-MLDSA65-Ed25519-SHA512'));

/** M' of draft-ietf-lamps-pq-composite-sigs, with an empty context. */
export function compositeRepresentative(message: Uint8Array): Uint8Array {
  const prefix = Buffer.from('CompositeAlgorithmSignatures2025');
  return Buffer.concat([prefix, COMPOSITE_LABEL, Buffer.from([0]), sha512(message)]);
}

/** The public key of a KEM's secret key. */
export function kemPublicKey(id: KemId, secretKey: Uint8Array): Uint8Array {
  if (id === KEM_X25519) return x25519.getPublicKey(secretKey);
  if (id === KEM_P256) return p256.getPublicKey(secretKey, false);
  return hybrid(id).getPublicKey(secretKey);
}

/** The shared secret of an encapsulation. */
export function decapsulate(id: KemId, encapsulation: Uint8Array, secretKey: Uint8Array): Uint8Array {
  if (id === KEM_X25519 || id === KEM_P256) {
    const shared =
      id === KEM_X25519
        ? x25519.getSharedSecret(secretKey, encapsulation)
        : p256.getSharedSecret(secretKey, encapsulation).subarray(1);
    const suite = Buffer.from([...Buffer.from('KEM'), id >>> 8, id & 0xff]);
    const labeled = (label: string, ...parts: Uint8Array[]): Buffer =>
      Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label), ...parts]);
    const prk = extract(sha256, labeled('eae_prk', shared), new Uint8Array(0));
    const context = labeled('shared_secret', encapsulation, kemPublicKey(id, secretKey));
    return expand(sha256, prk, Buffer.concat([Buffer.from([0, 32]), context]), 32);
  }
  return hybrid(id).decapsulate(encapsulation, secretKey);
}

function hybrid(id: typeof KEM_XWING | typeof KEM_MLKEM768_P256): typeof ml_kem768_x25519 {
  return id === KEM_XWING ? ml_kem768_x25519 : ml_kem768_p256;
}
