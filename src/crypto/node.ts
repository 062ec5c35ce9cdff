/**
 * The platform's own primitives through `node:crypto`, in Node, Bun, Deno and workerd. The module is asked for by
 * `process.getBuiltinModule`, so that no bundler and no browser ever sees an import of it. Keys are imported once and
 * kept: an import costs more than a signature. spec/crypto.md, "Backends".
 */

import { concat, toBase64url } from '../wire/index.ts';
import { keep } from './keep.ts';
import {
  ecJwk,
  keyImports,
  okpPublicBytes,
  spkiBytes,
  type KeyImports,
  type KeyObject,
  type NodeCrypto,
} from './node-keys.ts';
import type {
  Answer,
  LatticeSignature,
  LocalDhKey,
  MlKemPrimitive,
  Primitives,
  SignaturePrimitive,
} from './primitives.ts';
import { systemRandom } from './random.ts';

type NodeBuffer = NonNullable<ReturnType<typeof process.getBuiltinModule<'node:buffer'>>>;
/** What newer platforms have and the typings of Node 20 do not know. */
interface Newer {
  readonly hash?: (algorithm: string, data: Uint8Array, encoding: 'binary') => string;
  readonly encapsulate?: (key: KeyObject) => { sharedKey: Uint8Array; ciphertext: Uint8Array };
  readonly decapsulate?: (key: KeyObject, ciphertext: Uint8Array) => Uint8Array;
}

const HASH_LENGTH = 32;
const TAG_LENGTH = 16;
// Below this many bytes joining parts costs less than a hash object.
const SHORT_HASH = 1024;
// From this many bytes on a Buffer has memory of its own.
const LONG_MESSAGE = 8192;
// OpenSSL's ChaCha20 takes the block counter and the nonce as one.
const COUNTER_AND_NONCE = new Uint8Array(16);
/** The primitives that this platform has, or null where there is no `node:crypto`. Nothing here has been tried yet. */
export function nodePrimitives(): Partial<Primitives> | null {
  // Browsers have no `process`, Node before 20.16 and some bundlers' stand-ins have no `getBuiltinModule`.
  const { process: host } = globalThis as { process?: Partial<typeof process> };
  const crypto = host?.getBuiltinModule?.('node:crypto');
  const buffer = host?.getBuiltinModule?.('node:buffer');
  return crypto && buffer ? primitivesOf(crypto, buffer, host?.versions ?? {}) : null;
}

function primitivesOf(
  crypto: NodeCrypto & Newer,
  { Buffer }: NodeBuffer,
  versions: Partial<Record<string, string>>,
): Partial<Primitives> {
  const { createHmac, createCipheriv, createDecipheriv } = crypto;
  // Bun has the one-shot hash too, and takes ten times as long over it.
  const oneShot = versions['bun'] === undefined ? crypto.hash : undefined;
  const hash = oneShot && ((bytes: Uint8Array) => oneShot('sha256', bytes, 'binary'));
  const isNode24 = versions['node']?.startsWith('24.') ?? false;
  // Node 24 takes five times as long over a raw key as over a KeyObject; others take longer to make the KeyObject.
  const rawKey = isNode24 ? (key: Uint8Array) => crypto.createSecretKey(key) : (key: Uint8Array) => key;

  const imports = keyImports(crypto, isNode24);
  // Node 24 takes twice as long to import a key as to make one, Node 20 as long.
  const fresh = isNode24
    ? (): KeyObject => crypto.generateKeyPairSync('x25519').privateKey
    : (): KeyObject => imports.secret('X25519', systemRandom(32));

  return {
    sha256: sha256Of(crypto, hash),
    hmacSha256: hash
      ? hmacOver(hash)
      : (key, ...parts) =>
          plain(
            createHmac('sha256', key)
              .update(concat(...parts))
              .digest(),
          ),
    aeadSeal(key, nonce, aad, plaintext) {
      const cipher = createCipheriv('chacha20-poly1305', rawKey(key), nonce, { authTagLength: TAG_LENGTH });
      cipher.setAAD(aad, { plaintextLength: plaintext.length });
      const parts = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
      // What is long and about to be overwritten need not be filled with zeros first.
      return plaintext.length < LONG_MESSAGE ? concat(...parts) : plain(Buffer.concat(parts));
    },
    aeadOpen(key, nonce, aad, ciphertext) {
      const end = ciphertext.length - TAG_LENGTH;
      const options = { authTagLength: TAG_LENGTH };
      const decipher = createDecipheriv('chacha20-poly1305', rawKey(key), nonce, options);
      decipher.setAAD(aad, { plaintextLength: end });
      decipher.setAuthTag(ciphertext.subarray(end));
      const plaintext = decipher.update(ciphertext.subarray(0, end));
      decipher.final(); // throws where the tag does not fit, before anything is handed out
      return plain(plaintext);
    },
    scrypt: (passphrase, salt, { n, r, p }) =>
      new Promise((resolve, reject) => {
        const options = { N: n, r, p, maxmem: 2 ** 31 };
        crypto.scrypt(passphrase, salt, 32, options, (error, key) => {
          if (error) reject(error);
          else resolve(plain(key));
        });
      }),
    chacha20: (key, length) =>
      plain(createCipheriv('chacha20', rawKey(key), COUNTER_AND_NONCE).update(new Uint8Array(length))),
    x25519: x25519Of(crypto, imports, fresh),
    p256: p256Of(crypto),
    ed25519: ed25519Of(crypto, imports),
    es256: es256Of(crypto),
    mlDsa44: latticeOf(crypto, imports, 'mlDsa44'),
    mlDsa65: latticeOf(crypto, imports, 'mlDsa65'),
    mlKem768: mlKemOf(crypto, imports),
  };
}

// A hash object costs more than the one-shot hash, but less than a copy of everything that is long.
function sha256Of(
  { createHash }: NodeCrypto,
  hash: ((bytes: Uint8Array) => string) | undefined,
): Primitives['sha256'] {
  return (bytes, ...more) => {
    if (hash && (more.length === 0 || bytes.length + (more[0]?.length ?? 0) < SHORT_HASH))
      return fromBinary(
        hash(more.length === 0 ? bytes : concat(bytes, ...more)),
        new Uint8Array(HASH_LENGTH),
        0,
      );
    const object = createHash('sha256').update(bytes);
    for (const part of more) object.update(part);
    return plain(object.digest());
  };
}

/**
 * HMAC (RFC 2104) as two calls of the one-shot hash. Node 24 takes five times as long over its own HMAC, most of it over
 * the key object, and a session has some seventy of them; elsewhere the two cost the same.
 */
function hmacOver(hash: (bytes: Uint8Array) => string): Primitives['hmacSha256'] {
  const blockLength = 64;
  const scratch = new Uint8Array(1024);
  const outer = new Uint8Array(blockLength + HASH_LENGTH);
  return (key, ...parts) => {
    const short = key.length > blockLength ? fromBinary(hash(key), new Uint8Array(HASH_LENGTH), 0) : key;
    let length = blockLength;
    for (const part of parts) length += part.length;
    const inner = length <= scratch.length ? scratch.subarray(0, length) : new Uint8Array(length);
    for (let i = 0; i < blockLength; i++) {
      const byte = short[i] ?? 0;
      inner[i] = byte ^ 0x36;
      outer[i] = byte ^ 0x5c;
    }
    let at = blockLength;
    for (const part of parts) {
      inner.set(part, at);
      at += part.length;
    }
    fromBinary(hash(inner), outer, blockLength);
    const mac = fromBinary(hash(outer), new Uint8Array(HASH_LENGTH), 0);
    inner.fill(0); // both hold the key
    outer.fill(0);
    return mac;
  };
}

// A digest as a string of 32 characters costs half of what it costs as a Buffer, whose memory lies outside the heap.
function fromBinary(digest: string, out: Uint8Array, at: number): Uint8Array {
  for (let i = 0; i < digest.length; i++) out[at + i] = digest.charCodeAt(i);
  return out;
}

function x25519Of(crypto: NodeCrypto, imports: KeyImports, fresh: () => KeyObject): Primitives['x25519'] {
  const importPeer = keep((bytes) => imports.public('X25519', bytes));
  return (secretKey) => {
    const privateKey = secretKey === null ? fresh() : imports.secret('X25519', secretKey);
    return {
      publicKey: okpPublicBytes(privateKey),
      agree: (peer) => plain(crypto.diffieHellman({ privateKey, publicKey: importPeer(peer) })),
    };
  };
}

function ed25519Of(crypto: NodeCrypto, imports: KeyImports): SignaturePrimitive {
  const importKey = keep((bytes) => imports.public('Ed25519', bytes));
  return {
    secretKey(seed) {
      const key = imports.secret('Ed25519', seed);
      return { publicKey: okpPublicBytes(key), sign: (message) => plain(crypto.sign(null, message, key)) };
    },
    holds: (publicKey, message, signature) => crypto.verify(null, message, importKey(publicKey), signature),
    holdsAside: (publicKey, message, signature, answer) =>
      verifyAside(crypto, [null, message, importKey(publicKey), signature], answer),
  };
}

// With a callback the platform verifies in its pool of threads; one that knows no callbacks answers at once.
function verifyAside(
  { verify }: NodeCrypto,
  [hash, message, key, signature]: readonly [
    hash: string | null,
    message: Uint8Array,
    key: KeyObject | { readonly key: KeyObject; readonly dsaEncoding: 'ieee-p1363' },
    signature: Uint8Array,
  ],
  answer: Answer,
): void {
  const answered = (verify as (...job: readonly unknown[]) => unknown)(
    hash,
    message,
    key,
    signature,
    (error: Error | null, holds: boolean) => {
      answer(error === null && holds ? true : null);
    },
  );
  if (typeof answered === 'boolean') answer(answered || null);
}

// An ECDH object takes points as they are; a KeyObject would cost an import for each peer, dearer than the agreement.
function p256Of(crypto: NodeCrypto): Primitives['p256'] {
  return (secretKey): LocalDhKey => {
    const ecdh = crypto.createECDH('prime256v1');
    ecdh.setPrivateKey(secretKey);
    return { publicKey: plain(ecdh.getPublicKey()), agree: (peer) => plain(ecdh.computeSecret(peer)) };
  };
}

function es256Of(crypto: NodeCrypto): SignaturePrimitive {
  const dsaEncoding = 'ieee-p1363';
  const importKey = keep((point) => crypto.createPublicKey({ key: ecJwk(point), format: 'jwk' }));
  return {
    secretKey(secretKey) {
      const { publicKey } = p256Of(crypto)(secretKey);
      const jwk = { ...ecJwk(publicKey), d: toBase64url(secretKey) };
      const key = { key: crypto.createPrivateKey({ key: jwk, format: 'jwk' }), dsaEncoding } as const;
      return { publicKey, sign: (message) => plain(crypto.sign('sha256', message, key)) };
    },
    holds: (publicKey, message, signature) =>
      crypto.verify('sha256', message, { key: importKey(publicKey), dsaEncoding }, signature),
    holdsAside: (publicKey, message, signature, answer) =>
      verifyAside(crypto, ['sha256', message, { key: importKey(publicKey), dsaEncoding }, signature], answer),
  };
}

function latticeOf(
  crypto: NodeCrypto,
  imports: KeyImports,
  algorithm: 'mlDsa44' | 'mlDsa65',
): LatticeSignature {
  const importKey = keep((bytes) => imports.public(algorithm, bytes));
  return {
    secretKey(seed) {
      const key = imports.secret(algorithm, seed);
      return {
        publicKey: spkiBytes(crypto, algorithm, key),
        sign: (message, context) => plain(crypto.sign(null, message, { key, ...{ context } })),
      };
    },
    holds: (publicKey, message, signature, context) =>
      crypto.verify(null, message, { key: importKey(publicKey), ...{ context } }, signature),
  };
}

function mlKemOf(crypto: NodeCrypto & Newer, imports: KeyImports): MlKemPrimitive {
  const { encapsulate = missing, decapsulate = missing } = crypto;
  const importKey = keep((bytes) => imports.public('mlKem768', bytes));
  return {
    secretKey(seed) {
      const key = imports.secret('mlKem768', seed);
      return {
        publicKey: spkiBytes(crypto, 'mlKem768', key),
        decapsulate: (ciphertext) => plain(decapsulate(key, ciphertext)),
        erase: () => undefined, // the platform's own goes when it is collected
      };
    },
    encapsulate(publicKey) {
      const { sharedKey, ciphertext } = encapsulate(importKey(publicKey));
      return { sharedSecret: plain(sharedKey), ciphertext: plain(ciphertext) };
    },
  };
}

function missing(): never {
  throw new TypeError('this platform has no ML-KEM');
}

// A Buffer is a Uint8Array with other methods, and may be a window onto a shared pool: neither leaves this file. What has
// its memory to itself is not copied, only seen as what it is.
function plain(bytes: Uint8Array): Uint8Array {
  const whole = bytes.length === bytes.buffer.byteLength && bytes.length > 0;
  return whole ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
}
