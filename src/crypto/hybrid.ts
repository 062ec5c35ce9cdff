/**
 * ML-KEM-768 together with Diffie–Hellman: X-Wing (draft-connolly-cfrg-xwing-kem) and MLKEM768-P256
 * (draft-irtf-cfrg-concrete-hybrid-kems), both with the key derivation of draft-ietf-hpke-pq. The secret stays secret if
 * either half holds. Each half takes the best backend there is for it. spec/crypto.md, "KEM".
 */

import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { MunimentError } from '../errors.ts';
import { concat, copyBytes, utf8 } from '../wire/index.ts';
import { primitive } from './backend.ts';
import {
  agreeFresh,
  agreeWith,
  guardDhKey,
  importDhKey,
  importDhKeyAsync,
  P256_GROUP,
  X25519_GROUP,
  type DhGroup,
} from './dh-group.ts';
import { isScalar } from './es256.ts';
import { keep } from './keep.ts';
import {
  KEM_MLKEM768_P256,
  KEM_SECRET_LENGTH,
  KEM_XWING,
  type Kem,
  type KemSecretKey,
} from './kem-algorithm.ts';
import { kemSuite, uint16 } from './labeled.ts';
import { mlKem768EncapsulateWith } from './portable.ts';
import type { DhKey, MlKemKey } from './primitives.ts';
import { systemRandom } from './random.ts';

type HybridId = typeof KEM_XWING | typeof KEM_MLKEM768_P256;

/** Bytes of ML-KEM-768's seed `d ‖ z`. */
export const ML_KEM_SEED_LENGTH = 64;
const ML_KEM = { publicKey: 1184, ciphertext: 1088, randomness: 32 } as const;

/** Where the two hybrids differ. */
interface Hybrid {
  readonly group: DhGroup;
  readonly label: Uint8Array;
  /** Bytes from which a secret key of the group is taken. */
  readonly seedLength: number;
  readonly secretKeyFrom: (seed: Uint8Array) => Uint8Array;
}

const HYBRIDS: Record<HybridId, Hybrid> = {
  [KEM_XWING]: {
    group: X25519_GROUP,
    label: utf8('\\.//^\\'),
    seedLength: 32,
    secretKeyFrom: (seed) => seed,
  },
  [KEM_MLKEM768_P256]: {
    group: P256_GROUP,
    label: utf8('MLKEM768-P256'),
    seedLength: 128,
    secretKeyFrom: firstScalar,
  },
};

/** X-Wing. */
export const xwing = hybrid(KEM_XWING, 'X-Wing');
/** MLKEM768-P256. */
export const mlKem768P256 = hybrid(KEM_MLKEM768_P256, 'MLKEM768-P256');

/**
 * A hybrid private key in split custody: the Diffie–Hellman half is done elsewhere, in a token or by a WebCrypto key
 * that cannot be extracted, and the ML-KEM half here. Both are needed to decapsulate.
 *
 * @param id - `KEM_XWING` or `KEM_MLKEM768_P256`
 * @param dh - the classical half's public key, and its agreement
 * @param mlKemSeed - the other half's 64 bytes `d ‖ z`
 * @throws `RangeError` for a public key or a seed of another length
 */
export function hybridKem(id: HybridId, dh: DhKey, mlKemSeed: Uint8Array): KemSecretKey {
  if (mlKemSeed.length !== ML_KEM_SEED_LENGTH) throw new RangeError('a seed of ML-KEM is 64 bytes');
  const lattice = primitive('mlKem768').secretKey(mlKemSeed);
  return decapsulator(HYBRIDS[id], lattice, guardDhKey(HYBRIDS[id].group, dh));
}

function hybrid(id: HybridId, name: string): Kem {
  const parts = HYBRIDS[id];
  const { group, seedLength, secretKeyFrom } = parts;
  const publicKeyLength = ML_KEM.publicKey + group.publicKeyLength;

  return {
    id,
    name,
    postQuantum: true,
    secretKeyLength: KEM_SECRET_LENGTH,
    publicKeyLength,
    encapsulationLength: ML_KEM.ciphertext + group.publicKeyLength,
    generateSecretKey: (random = systemRandom) => random(KEM_SECRET_LENGTH),
    deriveSecretKey: (ikm) => labeledDerive(id, ikm),
    secretKey(bytes) {
      if (bytes.length !== KEM_SECRET_LENGTH) throw new RangeError('a KEM secret key here is 32 bytes');
      const expanded = shake256(bytes, { dkLen: ML_KEM_SEED_LENGTH + seedLength });
      const lattice = primitive('mlKem768').secretKey(expanded.subarray(0, ML_KEM_SEED_LENGTH));
      const classical = new Uint8Array(secretKeyFrom(expanded.subarray(ML_KEM_SEED_LENGTH)));
      expanded.fill(0);
      return decapsulator(parts, lattice, importDhKeyAsync(group, classical), () => classical.fill(0));
    },
    encapsulate(publicKey, random = systemRandom) {
      if (publicKey.length !== publicKeyLength) throw new MunimentError('KEY_PUBLIC');
      const [latticeKey, dhKey] = halvesOf(publicKey);
      // Only vectors give randomness; else each half draws its own.
      const given = random === systemRandom ? null : random(ML_KEM.randomness + seedLength);
      const ephemeral =
        given === null ? group.fresh() : importDhKey(group, secretKeyFrom(given.slice(ML_KEM.randomness)));
      const shared = agreeFresh(group, ephemeral, dhKey);
      const { sharedSecret, ciphertext } = encapsulateLattice(latticeKey, given);
      return {
        sharedSecret: combine(parts, sharedSecret, shared, ephemeral.publicKey, dhKey),
        encapsulation: concat(ciphertext, ephemeral.publicKey),
      };
    },
  };
}

function decapsulator(parts: Hybrid, lattice: MlKemKey, dh: DhKey, erase?: () => void): KemSecretKey {
  let halves: { lattice: MlKemKey; dh: DhKey } | null = { lattice, dh };
  const live = (): { lattice: MlKemKey; dh: DhKey } => {
    if (halves === null) throw new TypeError('the key was erased');
    return halves;
  };
  const classicalKey = copyBytes(dh.publicKey);
  return {
    publicKey: concat(lattice.publicKey, dh.publicKey),
    async decapsulate(encapsulation) {
      const key = live();
      if (encapsulation.length !== ML_KEM.ciphertext + parts.group.publicKeyLength)
        throw new MunimentError('KEY_OPEN');
      const own = copyBytes(encapsulation); // the caller's array may change while a token works
      const peer = own.subarray(ML_KEM.ciphertext);
      const sharedSecret = key.lattice.decapsulate(own.subarray(0, ML_KEM.ciphertext));
      const shared = await agreeWith(parts.group, key.dh, peer);
      live(); // whoever erased the key meanwhile may have made it agree with zeros
      return combine(parts, sharedSecret, shared, peer, classicalKey);
    },
    erase() {
      halves = null;
      lattice.erase();
      erase?.();
    },
  };
}

// No platform takes randomness for ML-KEM: where it is handed in, for vectors, the portable code does it.
function encapsulateLattice(
  publicKey: Uint8Array,
  given: Uint8Array | null,
): { sharedSecret: Uint8Array; ciphertext: Uint8Array } {
  try {
    return given === null
      ? primitive('mlKem768').encapsulate(publicKey)
      : mlKem768EncapsulateWith(publicKey, given.subarray(0, ML_KEM.randomness));
  } catch (cause) {
    throw new MunimentError('KEY_PUBLIC', undefined, { cause });
  }
}

// X-Wing section 5.3; the C2PRI combiner of draft-irtf-cfrg-hybrid-kems is the same with another label.
function combine(
  { label }: Hybrid,
  latticeSecret: Uint8Array,
  shared: Uint8Array,
  encapsulation: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array {
  return sha3_256(concat(latticeSecret, shared, encapsulation, publicKey, label));
}

// The one-stage LabeledDerive of draft-ietf-hpke-pq over SHAKE256; its vectors pin it.
function labeledDerive(id: HybridId, ikm: Uint8Array): Uint8Array {
  const label = utf8('DeriveKeyPair');
  const lengths = [uint16(label.length), uint16(KEM_SECRET_LENGTH)] as const;
  const input = concat(ikm, utf8('HPKE-v1'), kemSuite(id), lengths[0], label, lengths[1]);
  return shake256(input, { dkLen: KEM_SECRET_LENGTH });
}

// RandomScalar of draft-irtf-cfrg-concrete-hybrid-kems: the first window of 32 bytes that is in range.
function firstScalar(seed: Uint8Array): Uint8Array {
  for (let at = 0; at < seed.length; at += 32) {
    const candidate = seed.subarray(at, at + 32);
    if (isScalar(candidate)) return candidate;
  }
  throw new RangeError('no key from this seed'); // once in 2^128
}

// Kept, so that each half is the same array each time and its import into the platform is kept too.
const halvesOf = keep(
  (publicKey) => [publicKey.slice(0, ML_KEM.publicKey), publicKey.slice(ML_KEM.publicKey)] as const,
);
