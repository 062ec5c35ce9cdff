/**
 * The two groups in which Diffie–Hellman is done here, and a private key in one of them, wherever it lives: in this
 * process, in a token, or in WebCrypto. spec/crypto.md, "KEM".
 */

import { MunimentError } from '../errors.ts';
import { copyBytes } from '../wire/index.ts';
import { mayUseWebCrypto, primitive } from './backend.ts';
import { generateP256SecretKey, isScalar } from './es256.ts';
import { equalSecrets } from './hash.ts';
import { labeledExpand, labeledExtract } from './labeled.ts';
import { isP256Point } from './portable.ts';
import type { DhKey, LocalDhKey } from './primitives.ts';
import { systemRandom, type Random } from './random.ts';
import { webAlgorithm, type WebKey } from './webcrypto.ts';

/** A group in which Diffie–Hellman is done. */
export interface DhGroup {
  readonly operation: 'x25519' | 'p256';
  readonly publicKeyLength: number;
  /** Whether the bytes are spelled as a public key is; whether they are a point, the agreement finds out. */
  mayBeKey(publicKey: Uint8Array): boolean;
  /** The same, and on the curve: for keys that live where nobody may check. */
  isKey(publicKey: Uint8Array): boolean;
  readonly generateSecretKey: (random?: Random) => Uint8Array;
  /** A key for one agreement. */
  fresh(): LocalDhKey;
  /** The secret key from a KEM's suite and input key (RFC 9180 section 7.1.3). */
  deriveSecretKey(suite: Uint8Array, ikm: Uint8Array): Uint8Array;
}

const EMPTY = new Uint8Array(0);
const ZERO = new Uint8Array(32);

/** The group of X25519 (RFC 7748): every 32 bytes are a public key, and those of small order agree on nothing. */
export const X25519_GROUP: DhGroup = {
  operation: 'x25519',
  publicKeyLength: 32,
  mayBeKey: (publicKey) => publicKey.length === 32,
  isKey: (publicKey) => publicKey.length === 32,
  generateSecretKey: (random = systemRandom) => random(32),
  fresh: () => primitive('x25519')(null),
  deriveSecretKey: (suite, ikm) =>
    labeledExpand(suite, labeledExtract(suite, EMPTY, 'dkp_prk', ikm), 'sk', EMPTY, 32),
};

/** The group of P-256: points are uncompressed, in the one spelling that RFC 9180 has. */
export const P256_GROUP: DhGroup = {
  operation: 'p256',
  publicKeyLength: 65,
  mayBeKey: (publicKey) => publicKey.length === 65 && publicKey[0] === 4,
  isKey: isP256Point,
  generateSecretKey: generateP256SecretKey,
  fresh: () => primitive('p256')(generateP256SecretKey()),
  deriveSecretKey(suite, ikm) {
    const prk = labeledExtract(suite, EMPTY, 'dkp_prk', ikm);
    for (let counter = 0; counter < 256; counter++) {
      const candidate = labeledExpand(suite, prk, 'candidate', Uint8Array.of(counter), 32);
      if (isScalar(candidate)) return candidate;
    }
    throw new RangeError('no key from this input'); // once in 2^8192
  },
};

/** A private key in this process, imported once. Throws `RangeError` for a scalar out of range. */
export function importDhKey(group: DhGroup, secretKey: Uint8Array): LocalDhKey {
  try {
    return primitive(group.operation)(secretKey);
  } catch (cause) {
    throw new RangeError('no secret key of this group', { cause });
  }
}

/** The same, agreeing through WebCrypto where nothing better runs at once. */
export function importDhKeyAsync(group: DhGroup, secretKey: Uint8Array): DhKey {
  const { operation } = group;
  const local = importDhKey(group, secretKey);
  const publicKey = new Uint8Array(local.publicKey); // what is handed out, anybody may write to
  let web: Promise<WebKey | null> | null = null;
  return {
    publicKey: local.publicKey,
    async agree(peer) {
      if (!mayUseWebCrypto(operation)) return local.agree(peer);
      web ??= webAlgorithm(operation)
        .then((found) => found?.secretKey(secretKey, publicKey) ?? null)
        .catch(() => null);
      const agreeThere = await web;
      return agreeThere === null ? local.agree(peer) : agreeThere(peer);
    },
  };
}

/** A key that lives elsewhere, asked only about points on the curve: whoever holds it may not check, and would give its bits away. */
export function guardDhKey(group: DhGroup, elsewhere: DhKey): DhKey {
  if (!group.isKey(elsewhere.publicKey)) throw new RangeError('no public key of this group');
  return {
    publicKey: elsewhere.publicKey,
    agree(peer) {
      const own = copyBytes(peer); // what was checked is what is asked about
      if (!group.isKey(own)) throw new MunimentError('KEY_OPEN');
      return elsewhere.agree(own);
    },
  };
}

/** What a private key shares with a public one that came from outside; `KEY_OPEN` for every cause, a result of zero among them. */
export async function agreeWith(group: DhGroup, key: DhKey, peer: Uint8Array): Promise<Uint8Array> {
  if (!group.mayBeKey(peer)) throw new MunimentError('KEY_OPEN');
  try {
    return checkShared(group, await key.agree(peer));
  } catch (cause) {
    throw new MunimentError('KEY_OPEN', undefined, { cause });
  }
}

/** A fresh key's secret with a public key, `KEY_PUBLIC` for every cause. */
export function agreeFresh(group: DhGroup, ephemeral: LocalDhKey, publicKey: Uint8Array): Uint8Array {
  if (!group.mayBeKey(publicKey)) throw new MunimentError('KEY_PUBLIC');
  try {
    return checkShared(group, ephemeral.agree(publicKey));
  } catch (cause) {
    throw new MunimentError('KEY_PUBLIC', undefined, { cause });
  }
}

// In X25519 zero is what a key of small order gives (RFC 7748 section 6.1): backends refuse it by themselves, tokens are
// not known to. On P-256 it is the x coordinate of a point like any other.
function checkShared(group: DhGroup, shared: Uint8Array): Uint8Array {
  if (shared.length !== ZERO.length || (group === X25519_GROUP && equalSecrets(shared, ZERO)))
    throw new RangeError('nothing is shared with this key');
  return shared;
}
