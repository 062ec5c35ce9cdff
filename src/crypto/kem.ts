/**
 * Key encapsulation as HPKE uses it: DHKEM(X25519, HKDF-SHA256) of RFC 9180 section 4.1 and X-Wing
 * (draft-connolly-cfrg-xwing-kem, with the key derivation of draft-ietf-hpke-pq). spec/crypto.md, "KEM".
 */

import { x25519 } from '@noble/curves/ed25519.js';
import { shake256 } from '@noble/hashes/sha3.js';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { MunimentError } from '../errors.ts';
import { concat, utf8 } from '../wire/index.ts';
import { kemSuite, labeledExpand, labeledExtract, uint16 } from './labeled.ts';
import type { Random } from './random.ts';

/** HPKE KEM ids of the IANA registry. */
export const KEM_X25519 = 0x0020 as const;
/** X-Wing: ML-KEM-768 with X25519. The default for every new identity. */
export const KEM_XWING = 0x647a as const;
/** A KEM id that this library has. */
export type KemId = typeof KEM_X25519 | typeof KEM_XWING;

/** One key encapsulation mechanism. Secret keys are 32-byte seeds; shared secrets are 32 bytes. */
export interface Kem {
  readonly id: KemId;
  readonly name: string;
  readonly secretKeyLength: number;
  readonly publicKeyLength: number;
  readonly encapsulationLength: number;
  /** A key pair from at least 32 bytes of secret input, by the KEM's own DeriveKeyPair. */
  deriveKeyPair(ikm: Uint8Array): { secretKey: Uint8Array; publicKey: Uint8Array };
  /** A fresh shared secret for a public key. Throws `KEY_PUBLIC` for a key that is malformed or of small order. */
  encapsulate(publicKey: Uint8Array, random: Random): { sharedSecret: Uint8Array; encapsulation: Uint8Array };
  /** The shared secret again. Throws `KEY_OPEN` where the KEM can tell that the encapsulation is bad; else gives another secret. */
  decapsulate(encapsulation: Uint8Array, secretKey: Uint8Array): Uint8Array;
}

const dhkemX25519: Kem = {
  id: KEM_X25519,
  name: 'X25519',
  secretKeyLength: 32,
  publicKeyLength: 32,
  encapsulationLength: 32,
  deriveKeyPair(ikm) {
    const suite = kemSuite(KEM_X25519);
    const secretKey = labeledExpand(suite, labeledExtract(suite, EMPTY, 'dkp_prk', ikm), 'sk', EMPTY, 32);
    return { secretKey, publicKey: x25519.getPublicKey(secretKey) };
  },
  encapsulate(publicKey, random) {
    const ephemeral = this.deriveKeyPair(random(32));
    const dh = refuse('KEY_PUBLIC', () => x25519.getSharedSecret(ephemeral.secretKey, publicKey));
    return {
      sharedSecret: dhkemSecret(dh, ephemeral.publicKey, publicKey),
      encapsulation: ephemeral.publicKey,
    };
  },
  decapsulate(encapsulation, secretKey) {
    const dh = refuse('KEY_OPEN', () => x25519.getSharedSecret(secretKey, encapsulation));
    return dhkemSecret(dh, encapsulation, x25519.getPublicKey(secretKey));
  },
};

const xwing: Kem = {
  id: KEM_XWING,
  name: 'X-Wing',
  secretKeyLength: 32,
  publicKeyLength: 1216,
  encapsulationLength: 1120,
  deriveKeyPair(ikm) {
    // The one-stage LabeledDerive of draft-ietf-hpke-pq over SHAKE256; its vectors pin it.
    const label = utf8('DeriveKeyPair');
    const input = concat(ikm, utf8('HPKE-v1'), kemSuite(KEM_XWING), uint16(label.length), label, uint16(32));
    return ml_kem768_x25519.keygen(shake256(input, { dkLen: 32 }));
  },
  encapsulate(publicKey, random) {
    const { sharedSecret, cipherText } = refuse('KEY_PUBLIC', () =>
      ml_kem768_x25519.encapsulate(publicKey, random(64)),
    );
    return { sharedSecret, encapsulation: cipherText };
  },
  decapsulate(encapsulation, secretKey) {
    return refuse('KEY_OPEN', () => ml_kem768_x25519.decapsulate(encapsulation, secretKey));
  },
};

/**
 * The KEM with this id.
 *
 * @param id - an HPKE KEM id, as it came over the wire
 * @throws `MunimentError` `KEY_ALGORITHM` for an id that this library does not have
 * @example
 * ```ts
 * import { kem, KEM_XWING, systemRandom } from 'muniment/crypto';
 * const xwing = kem(KEM_XWING);
 * const { publicKey } = xwing.deriveKeyPair(systemRandom(32));
 * xwing.encapsulate(publicKey, systemRandom).encapsulation.length; // 1120
 * ```
 */
export function kem(id: number): Kem {
  if (id === KEM_X25519) return dhkemX25519;
  if (id === KEM_XWING) return xwing;
  throw new MunimentError('KEY_ALGORITHM');
}

const EMPTY = new Uint8Array(0);

// ExtractAndExpand of RFC 9180 section 4.1.
function dhkemSecret(dh: Uint8Array, encapsulation: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const suite = kemSuite(KEM_X25519);
  const prk = labeledExtract(suite, EMPTY, 'eae_prk', dh);
  return labeledExpand(suite, prk, 'shared_secret', concat(encapsulation, publicKey), 32);
}

function refuse<Result>(code: 'KEY_PUBLIC' | 'KEY_OPEN', operation: () => Result): Result {
  try {
    return operation();
  } catch (cause) {
    throw new MunimentError(code, undefined, { cause });
  }
}
