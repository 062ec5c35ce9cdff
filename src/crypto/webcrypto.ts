/**
 * Signatures and Diffie–Hellman through WebCrypto, for browsers: there is no `node:crypto` there, and `@noble` takes ten
 * times as long. Everything here waits; whoever may wait asks here first. Each algorithm is tried before it is used,
 * like the platform's other primitives. spec/crypto.md, "Backends".
 */

import { equalBytes, toBase64url } from '../wire/index.ts';
import {
  ED25519_EDGES,
  ED25519_KNOWN,
  ES256_KNOWN,
  P256_KNOWN,
  P256_NO_POINTS,
  PROBE,
  X25519_KNOWN,
} from './probes.ts';

/** What of WebCrypto the library takes. */
export type WebOperation = 'ed25519' | 'es256' | 'x25519' | 'p256';

type Subtle = typeof globalThis.crypto.subtle;
type Jwk = Record<string, string>;

/** One algorithm of WebCrypto. */
export interface WebAlgorithm {
  /** Imports a private key, once; its public half must be known already. */
  secretKey(bytes: Uint8Array, publicKey: Uint8Array): Promise<WebKey>;
  /** Whether a signature holds; for signature algorithms. Rejects for a key that is no point, at its import or as in Deno at its first use. */
  holds(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** A private key in WebCrypto, not extractable: gives a signature for a message, or a shared secret for a peer's key. */
export type WebKey = (input: Uint8Array) => Promise<Uint8Array>;

/** WebCrypto's implementation of an operation, or null where it has none or gives a wrong answer. */
export function webAlgorithm(operation: WebOperation): Promise<WebAlgorithm | null> {
  return (tried[operation] ??= attempt(operation));
}

const tried: Partial<Record<WebOperation, Promise<WebAlgorithm | null>>> = {};

async function attempt(operation: WebOperation): Promise<WebAlgorithm | null> {
  const { crypto } = globalThis as { crypto?: typeof globalThis.crypto };
  if (crypto?.subtle === undefined) return null; // an old engine, or a page that did not come over TLS
  const algorithm = ALGORITHMS[operation](crypto.subtle);
  try {
    return (await PROBES[operation](algorithm)) ? algorithm : null;
  } catch {
    return null;
  }
}

const ECDSA = { name: 'ECDSA', hash: 'SHA-256' };

const ALGORITHMS: Record<WebOperation, (subtle: Subtle) => WebAlgorithm> = {
  ed25519: (subtle) => signature(subtle, { name: 'Ed25519' }, { name: 'Ed25519' }, okp('Ed25519')),
  es256: (subtle) => signature(subtle, ECDSA, { name: 'ECDSA', namedCurve: 'P-256' }, ec),
  x25519: (subtle) => agreement(subtle, { name: 'X25519' }, okp('X25519')),
  p256: (subtle) => agreement(subtle, { name: 'ECDH', namedCurve: 'P-256' }, ec),
};

const PROBES: Record<WebOperation, (algorithm: WebAlgorithm) => Promise<boolean>> = {
  async ed25519(algorithm) {
    const { publicKey, signature: expected } = ED25519_KNOWN;
    const sign = await algorithm.secretKey(PROBE.secretKey, publicKey);
    if (!equalBytes(await sign(PROBE.message), expected)) return false;
    const verdicts = await Promise.all(
      ED25519_EDGES.map((edge) => algorithm.holds(edge.publicKey, edge.message, edge.signature)),
    );
    return verdicts.every((verdict, i) => verdict === ED25519_EDGES[i]?.holds);
  },
  async es256(algorithm) {
    const { publicKey, signature: known } = ES256_KNOWN;
    const sign = await algorithm.secretKey(PROBE.secretKey, publicKey);
    const noPoints = await Promise.all(
      P256_NO_POINTS.map((point) => algorithm.holds(point, PROBE.message, known).catch(() => false)),
    );
    return (
      (await algorithm.holds(publicKey, PROBE.message, known)) &&
      (await algorithm.holds(publicKey, PROBE.message, await sign(PROBE.message))) &&
      !(await algorithm.holds(publicKey, PROBE.secretKey, known)) &&
      !noPoints.includes(true)
    );
  },
  x25519: async (algorithm) => {
    const agree = await algorithm.secretKey(PROBE.secretKey, X25519_KNOWN.publicKey);
    return equalBytes(await agree(X25519_KNOWN.peer), X25519_KNOWN.shared);
  },
  p256: async (algorithm) => {
    const agree = await algorithm.secretKey(PROBE.secretKey, P256_KNOWN.publicKey);
    const refused = await Promise.all(P256_NO_POINTS.map((point) => rejects(agree(point))));
    return equalBytes(await agree(P256_KNOWN.peer), P256_KNOWN.shared) && !refused.includes(false);
  },
};

function rejects(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    () => true,
  );
}

type ToJwk = (publicKey: Uint8Array, secretKey?: Uint8Array) => Jwk;

function signature(subtle: Subtle, use: object, kind: object, jwk: ToJwk): WebAlgorithm {
  const [algorithm, imported] = [use as { name: string }, kind as { name: string }];
  return {
    async secretKey(bytes, publicKey) {
      const key = await subtle.importKey('jwk', jwk(publicKey, bytes), imported, false, ['sign']);
      return async (message) => new Uint8Array(await subtle.sign(algorithm, key, own(message)));
    },
    async holds(publicKey, message, signatureBytes) {
      const key = await subtle.importKey('jwk', jwk(publicKey), imported, false, ['verify']);
      return subtle.verify(algorithm, key, own(signatureBytes), own(message));
    },
  };
}

function agreement(subtle: Subtle, kind: object, jwk: ToJwk): WebAlgorithm {
  const algorithm = kind as { name: string };
  return {
    async secretKey(bytes, publicKey) {
      const key = await subtle.importKey('jwk', jwk(publicKey, bytes), algorithm, false, ['deriveBits']);
      return async (peer) => {
        const { name } = algorithm;
        const publicHalf = await subtle.importKey('jwk', jwk(peer), algorithm, false, []);
        return new Uint8Array(await subtle.deriveBits({ name, public: publicHalf }, key, 256));
      };
    },
    holds: () => Promise.reject(new TypeError('an agreement verifies nothing')),
  };
}

function okp(crv: string): ToJwk {
  return (publicKey, secretKey) => ({
    kty: 'OKP',
    crv,
    x: toBase64url(publicKey),
    ...(secretKey === undefined ? {} : { d: toBase64url(secretKey) }),
  });
}

function ec(publicKey: Uint8Array, secretKey?: Uint8Array): Jwk {
  const [x, y] = [toBase64url(publicKey.subarray(1, 33)), toBase64url(publicKey.subarray(33))];
  return { kty: 'EC', crv: 'P-256', x, y, ...(secretKey === undefined ? {} : { d: toBase64url(secretKey) }) };
}

// WebCrypto's types want an array over a plain ArrayBuffer; the copy also keeps what was signed from changing meanwhile.
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}
