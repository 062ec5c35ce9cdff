/**
 * Split custody: a post-quantum KEM key for a card that knows only a classical curve. The classical half stays in
 * the card; the seed of the ML-KEM half is sealed to another key of the card, and lies in a file. Both are needed.
 * spec/keys.md, "Split custody".
 */

import {
  hpkeSeal,
  hybridKem,
  KEM_MLKEM768_P256,
  KEM_XWING,
  ML_KEM_SEED_LENGTH,
  systemRandom,
  type DhKey,
  type KemSecretKey,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { readKemPublicKey } from './credential.ts';
import { hpkeOpenWith, suite, type Decapsulator, type KemPublicKey } from './ports.ts';

/** A KEM whose private key has a classical half and one of ML-KEM. */
export type HybridKemId = typeof KEM_XWING | typeof KEM_MLKEM768_P256;

/** A key in split custody, both halves at hand. */
export interface SplitKey extends Decapsulator {
  readonly kem: HybridKemId;
  /** Overwrites the ML-KEM half in this process's memory; the key is then of no use. */
  erase(): void;
}

/** Longest sealed seed, in bytes. */
export const SEALED_SEED_LIMIT = 4096;

/**
 * Makes the ML-KEM half of a hybrid key whose classical half is there already, and seals it.
 *
 * The seed is in this process's memory while the key is in use; what never leaves the card is the classical half.
 * Where a card knows ML-KEM itself, use that instead.
 *
 * @param kemId - `KEM_MLKEM768_P256` or `KEM_XWING`
 * @param classical - the classical half, used for nothing else
 * @param custodian - another public key of the same card, used for nothing but opening sealed seeds
 * @param random - for vectors only
 * @returns the key, and the sealed seed, which {@link openSplitKey} takes; without it the key is lost
 * @throws `RangeError` if the classical half is to be its own custodian; `MunimentError` `KEY_PUBLIC`, `KEY_ALGORITHM`
 * @example
 * ```ts
 * import { KEM_MLKEM768_P256, KEM_P256 } from 'muniment/crypto';
 * import { createSplitKey, openSplitKey, SoftwareDecapsulator } from 'muniment/keys';
 * import { createECDH } from 'node:crypto'; // in the place of a card
 * const card = createECDH('prime256v1');
 * const agree = (peer: Uint8Array) => new Uint8Array(card.computeSecret(peer));
 * const classical = { publicKey: new Uint8Array(card.generateKeys()), agree };
 * const custodian = SoftwareDecapsulator.generate(KEM_P256);
 * const { sealedSeed } = createSplitKey(KEM_MLKEM768_P256, classical, custodian);
 * (await openSplitKey(sealedSeed, classical, custodian)).publicKey.length; // 1249
 * ```
 */
export function createSplitKey(
  kemId: HybridKemId,
  classical: DhKey,
  custodian: KemPublicKey,
  random: Random = systemRandom,
): { readonly key: SplitKey; readonly sealedSeed: Uint8Array } {
  if (isOwnCustodian(classical, custodian))
    throw new RangeError('a key pair has one purpose: the custodian is another key than the classical half');
  const seed = random(ML_KEM_SEED_LENGTH);
  const plaintext = tuple('ml-kem seed', seed);
  try {
    const key = splitKey(kemId, hybridKem(kemId, classical, seed));
    const info = wrapInfo(custodian, key);
    const sealed = hpkeSeal(custodian, info, tuple('seed wrap aad'), plaintext, random);
    const { encapsulation, ciphertext } = sealed;
    return { key, sealedSeed: tuple('sealed seed', kemId, key.publicKey, encapsulation, ciphertext) };
  } finally {
    seed.fill(0); // the key has its own
    plaintext.fill(0);
  }
}

/**
 * Opens a key in split custody.
 *
 * @param sealedSeed - as it came from {@link createSplitKey}, at most 4,096 bytes
 * @param classical - the classical half
 * @param custodian - the private key that the seed is sealed to
 * @returns the key, its public key the one that the file states. Anybody who knows both public keys can make a file that opens: use
 *   the key only if its public key is the one that was certified, as `createIdentity` sees to
 * @throws `MunimentError` `KEY_FILE` if it is no sealed seed; `KEY_OPEN` if it is another custodian's, altered, or of another classical half
 */
export async function openSplitKey(
  sealedSeed: Uint8Array,
  classical: DhKey,
  custodian: Decapsulator,
): Promise<SplitKey> {
  if (isOwnCustodian(classical, custodian)) throw new MunimentError('KEY_OPEN');
  const { stated, sealed } = readSealedSeed(sealedSeed);
  const info = wrapInfo(custodian, stated);
  const { plaintext } = await hpkeOpenWith(custodian, info, tuple('seed wrap aad'), sealed);
  const seed = readSeed(plaintext);
  try {
    const key = splitKey(stated.kem, hybridKem(stated.kem, classical, seed));
    if (equalBytes(key.publicKey, stated.publicKey)) return key;
    // Says nothing new of the seed, which is sealed for this key; but the classical half may be another one.
    key.erase();
    throw new MunimentError('KEY_OPEN');
  } finally {
    seed.fill(0);
    plaintext.fill(0);
  }
}

// A hybrid key ends in its classical half.
function isOwnCustodian(classical: DhKey, custodian: KemPublicKey): boolean {
  return equalBytes(classical.publicKey, custodian.publicKey.subarray(-classical.publicKey.length));
}

function splitKey(kemId: HybridKemId, key: KemSecretKey): SplitKey {
  return {
    kem: kemId,
    publicKey: key.publicKey,
    decapsulate: (encapsulation) => key.decapsulate(encapsulation),
    erase: () => key.erase(),
  };
}

function readSealedSeed(bytes: Uint8Array): {
  readonly stated: KemPublicKey & { readonly kem: HybridKemId };
  readonly sealed: { readonly encapsulation: Uint8Array; readonly ciphertext: Uint8Array };
} {
  try {
    if (bytes.length > SEALED_SEED_LIMIT) throw new MunimentError('WIRE_LIMIT');
    const reader = TupleReader.labelled(bytes, 'sealed seed');
    const { kem, publicKey } = readKemPublicKey(reader);
    if (kem !== KEM_XWING && kem !== KEM_MLKEM768_P256) throw new MunimentError('KEY_ALGORITHM');
    const sealed = { encapsulation: reader.bytes(), ciphertext: reader.bytes() };
    reader.end();
    return { stated: { kem, publicKey }, sealed };
  } catch (cause) {
    throw new MunimentError('KEY_FILE', undefined, { cause });
  }
}

function readSeed(plaintext: Uint8Array): Uint8Array {
  try {
    const reader = TupleReader.labelled(plaintext, 'ml-kem seed');
    const seed = reader.bytes(ML_KEM_SEED_LENGTH);
    reader.end();
    return seed;
  } catch (cause) {
    throw new MunimentError('KEY_OPEN', undefined, { cause });
  }
}

function wrapInfo(custodian: KemPublicKey, key: KemPublicKey): Uint8Array {
  return tuple('seed wrap', suite(custodian.kem), key.kem, key.publicKey);
}
