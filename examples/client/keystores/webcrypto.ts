/**
 * An identity's keys in a browser: WebCrypto keys that no script can read out, kept in IndexedDB. Of a post-quantum
 * identity the classical halves are such keys, and the ML-KEM seeds lie sealed beside them. docs/keystores.md,
 * "Browser keys".
 */

import {
  dhKem,
  ED25519,
  ES256,
  hybridKem,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  kem,
  signatureAlgorithm,
  systemRandom,
  toLowS,
  type DhKey,
} from 'muniment/crypto';
import type { Decapsulator, IdentityKeys, Signer } from 'muniment/keys';
import { tuple } from 'muniment/wire';
import { addValue, deleteValue, readValue } from './indexeddb.ts';

/** Why keys cannot be had: the name is taken, they are not as they must be, or the browser lacks or refuses something. */
export type BrowserKeysErrorCode =
  'BROWSER_EXISTS' | 'BROWSER_DAMAGED' | 'BROWSER_UNSUPPORTED' | 'BROWSER_STORAGE';

/** Keys that cannot be had. Its message is for people. */
export class BrowserKeysError extends Error {
  override readonly name = 'BrowserKeysError';
  readonly code: BrowserKeysErrorCode;

  constructor(code: BrowserKeysErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Which keys to make. */
export interface BrowserKeyOptions {
  /** Of the handshake and sealing keys: X-Wing unless asked otherwise. */
  readonly kem?: BrowserKemId;
  /** Of the signing key: Ed25519 unless asked otherwise. */
  readonly algorithm?: keyof typeof SIGNING;
}

type HybridKemId = typeof KEM_XWING | typeof KEM_MLKEM768_P256;
type BrowserKemId = typeof KEM_X25519 | typeof KEM_P256 | HybridKemId;

/**
 * Makes an identity's keys in this browser, each for one purpose, and keeps them.
 *
 * @param name - under which they are found again
 * @param options - KEM and signature algorithm
 * @throws `BrowserKeysError` `BROWSER_EXISTS`, `BROWSER_UNSUPPORTED` (also on a page that is no secure context), `BROWSER_STORAGE`
 */
export async function createBrowserIdentityKeys(
  name: string,
  options: BrowserKeyOptions = {},
): Promise<IdentityKeys> {
  const { kem: id = KEM_XWING, algorithm = ED25519 } = options;
  const keys: StoredKeys = {
    format: FORMAT,
    algorithm,
    kem: id,
    signing: await makePair(SIGNING[algorithm].key, ['sign', 'verify']),
    handshake: await makeKemKey(id),
    sealing: await makeKemKey(id),
  };
  await storage(addValue(name, keys));
  return identityKeys(keys);
}

/**
 * The keys that were made under a name, or `null` if there are none: none were made, or somebody, the browser perhaps,
 * deleted them.
 *
 * @throws `BrowserKeysError` `BROWSER_DAMAGED` for keys that are not as {@link createBrowserIdentityKeys} makes them, above all for one that scripts could read out; `BROWSER_STORAGE`
 */
export async function openBrowserKeys(name: string): Promise<IdentityKeys | null> {
  const value = await storage(readValue(name));
  if (value === undefined) return null;
  if (!isStoredKeys(value))
    throw new BrowserKeysError('BROWSER_DAMAGED', `not the keys of an identity: ${name}`);
  return identityKeys(value);
}

/** Deletes keys for good, if there are any. Throws `BrowserKeysError` `BROWSER_STORAGE`. */
export async function deleteBrowserKeys(name: string): Promise<void> {
  await storage(deleteValue(name));
}

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
type Usage = CryptoKey['usages'][number];

interface Algorithm {
  readonly name: string;
  readonly namedCurve?: string;
}

const FORMAT = 'muniment browser keys 1';

const SIGNING = {
  [ED25519]: { key: { name: 'Ed25519' }, use: { name: 'Ed25519' } },
  [ES256]: { key: { name: 'ECDSA', namedCurve: 'P-256' }, use: { name: 'ECDSA', hash: 'SHA-256' } },
} as const;

const AES: Algorithm & { readonly length: number } = { name: 'AES-GCM', length: 256 };
const X25519: Algorithm = { name: 'X25519' };
const P256: Algorithm = { name: 'ECDH', namedCurve: 'P-256' };
const CURVES: Readonly<Record<BrowserKemId, Algorithm>> = {
  [KEM_X25519]: X25519,
  [KEM_XWING]: X25519,
  [KEM_P256]: P256,
  [KEM_MLKEM768_P256]: P256,
};

// What lies in IndexedDB, which keeps a CryptoKey without ever showing its bytes to a script.
interface StoredKeys {
  readonly format: typeof FORMAT;
  readonly algorithm: keyof typeof SIGNING;
  readonly kem: BrowserKemId;
  readonly signing: StoredPair;
  readonly handshake: StoredKemKey;
  readonly sealing: StoredKemKey;
}

interface StoredPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: Uint8Array;
}

interface StoredKemKey {
  readonly dh: StoredPair;
  /** The KEM's; for the classical ones it is that of `dh`. */
  readonly publicKey: Uint8Array;
  readonly seed: SealedSeed | null;
}

interface SealedSeed {
  /** AES-256-GCM, for this one seed. */
  readonly key: CryptoKey;
  readonly ciphertext: Uint8Array;
}

async function makePair(algorithm: Algorithm, usages: Usage[]): Promise<StoredPair> {
  // Not extractable is the private key alone: a public key always is.
  const pair = await generate(algorithm, usages);
  if (!('privateKey' in pair)) throw new TypeError('not an algorithm of key pairs');
  return {
    privateKey: pair.privateKey,
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)),
  };
}

async function makeKemKey(id: BrowserKemId): Promise<StoredKemKey> {
  const dh = await makePair(CURVES[id], ['deriveBits']);
  if (!isHybrid(id)) return { dh, publicKey: dh.publicKey, seed: null };
  const seed = systemRandom(64);
  const { publicKey } = hybridKem(id, dhKey(id, dh), seed);
  const key = await generate(AES, ['encrypt', 'decrypt']);
  if ('privateKey' in key) throw new TypeError('not an algorithm of secret keys');
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(sealing(id, publicKey), key, seed));
  seed.fill(0);
  return { dh, publicKey, seed: { key, ciphertext } };
}

async function generate(
  algorithm: Algorithm & { readonly length?: number },
  usages: Usage[],
): Promise<Awaited<ReturnType<typeof crypto.subtle.generateKey>>> {
  try {
    return await crypto.subtle.generateKey(algorithm, false, usages);
  } catch (cause) {
    // Also where `crypto.subtle` is missing.
    const message = `no ${algorithm.name} keys in this browser, or on this page`;
    throw new BrowserKeysError('BROWSER_UNSUPPORTED', message, { cause });
  }
}

function identityKeys({ algorithm, kem: id, signing, handshake, sealing }: StoredKeys): IdentityKeys {
  return {
    signer: signer(algorithm, signing),
    handshake: decapsulator(id, handshake),
    sealing: decapsulator(id, sealing),
  };
}

function signer(algorithm: keyof typeof SIGNING, { privateKey, publicKey }: StoredPair): Signer {
  return {
    algorithm,
    publicKey,
    async sign(message) {
      const signature = await crypto.subtle.sign(SIGNING[algorithm].use, privateKey, message);
      return algorithm === ES256 ? toLowS(new Uint8Array(signature)) : new Uint8Array(signature);
    },
  };
}

function decapsulator(id: BrowserKemId, stored: StoredKemKey): Decapsulator {
  const { dh, publicKey, seed } = stored;
  if (!isHybrid(id)) {
    const key = dhKem(id, dhKey(id, dh));
    return { kem: id, publicKey, decapsulate: (encapsulation) => key.decapsulate(encapsulation) };
  }
  return {
    kem: id,
    publicKey,
    // The seed is in memory for one use: that costs an ML-KEM key generation, and leaves nothing for later to find.
    async decapsulate(encapsulation) {
      const opened = await openSeed(id, publicKey, seed);
      try {
        const key = hybridKem(id, dhKey(id, dh), opened);
        try {
          return await key.decapsulate(encapsulation);
        } finally {
          key.erase();
        }
      } finally {
        opened.fill(0);
      }
    },
  };
}

async function openSeed(
  id: BrowserKemId,
  publicKey: Uint8Array,
  seed: SealedSeed | null,
): Promise<Uint8Array> {
  try {
    if (seed === null) throw new TypeError('no seed');
    return new Uint8Array(await crypto.subtle.decrypt(sealing(id, publicKey), seed.key, seed.ciphertext));
  } catch (cause) {
    throw new BrowserKeysError('BROWSER_DAMAGED', 'the sealed half of a key does not open', { cause });
  }
}

// One key, one seed: the nonce is zero. The associated data says whose other half this is.
function sealing(
  id: BrowserKemId,
  publicKey: Uint8Array,
): { name: string; iv: Uint8Array; additionalData: Uint8Array } {
  return { name: AES.name, iv: new Uint8Array(12), additionalData: tuple('browser seed', id, publicKey) };
}

function dhKey(id: BrowserKemId, { privateKey, publicKey }: StoredPair): DhKey {
  const curve = CURVES[id];
  return {
    publicKey,
    async agree(peer) {
      const theirs = await crypto.subtle.importKey('raw', peer, curve, false, []);
      return new Uint8Array(
        await crypto.subtle.deriveBits({ name: curve.name, public: theirs }, privateKey, 256),
      );
    },
  };
}

function isStoredKeys(value: unknown): value is StoredKeys {
  if (!isObject(value) || value['format'] !== FORMAT) return false;
  const { algorithm, kem, signing, handshake, sealing } = value;
  if (algorithm !== ED25519 && algorithm !== ES256) return false;
  if (!isBrowserKem(kem)) return false;
  const signingLength = signatureAlgorithm(algorithm).publicKeyLength;
  return (
    isPair(signing, SIGNING[algorithm].key, 'sign', signingLength) &&
    isKemKey(handshake, kem) &&
    isKemKey(sealing, kem)
  );
}

function isKemKey(value: unknown, id: BrowserKemId): value is StoredKemKey {
  if (!isObject(value)) return false;
  const { dh, publicKey, seed } = value;
  const curve = CURVES[id];
  if (!isPair(dh, curve, 'deriveBits', curve === X25519 ? 32 : 65)) return false;
  if (!(publicKey instanceof Uint8Array) || publicKey.length !== kem(id).publicKeyLength) return false;
  if (!isHybrid(id)) return seed === null;
  return (
    isObject(seed) &&
    isKept(seed['key'], AES, ['encrypt', 'decrypt']) &&
    seed['ciphertext'] instanceof Uint8Array
  );
}

function isPair(
  value: unknown,
  algorithm: Algorithm,
  usage: Usage,
  publicKeyLength: number,
): value is StoredPair {
  if (!isObject(value)) return false;
  const { privateKey, publicKey } = value;
  return (
    isKept(privateKey, algorithm, [usage]) &&
    publicKey instanceof Uint8Array &&
    publicKey.length === publicKeyLength
  );
}

// A key that no script can read out, of this algorithm, and of these uses alone.
function isKept(value: unknown, { name, namedCurve }: Algorithm, uses: readonly Usage[]): value is CryptoKey {
  if (!isObject(value) || value['extractable'] !== false) return false;
  const { algorithm, usages } = value;
  return (
    isObject(algorithm) &&
    algorithm['name'] === name &&
    algorithm['namedCurve'] === namedCurve &&
    Array.isArray(usages) &&
    usages.length === uses.length &&
    uses.every((use) => usages.includes(use))
  );
}

function isBrowserKem(value: unknown): value is BrowserKemId {
  return typeof value === 'number' && Object.hasOwn(CURVES, value);
}

function isHybrid(id: BrowserKemId): id is HybridKemId {
  return id === KEM_XWING || id === KEM_MLKEM768_P256;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

async function storage<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'ConstraintError')
      throw new BrowserKeysError('BROWSER_EXISTS', 'there are keys under this name', { cause });
    throw new BrowserKeysError('BROWSER_STORAGE', 'the browser keeps nothing for this page', { cause });
  }
}
