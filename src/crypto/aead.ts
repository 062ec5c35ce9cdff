/**
 * ChaCha20-Poly1305 (RFC 8439), always under a key that is used once, so that no caller ever supplies a nonce;
 * `sealOnce` for everything small under a shared key; the bare key stream that salts come from. spec/crypto.md, "AEAD".
 */

import { MunimentError } from '../errors.ts';
import { concat, pad, unpad } from '../wire/index.ts';
import { primitive } from './backend.ts';
import { deriveTuple } from './hash.ts';
import { portable } from './portable.ts';
import { systemRandom, type Random } from './random.ts';

/** Bytes of an AEAD key. */
export const KEY_LENGTH = 32;
/** Bytes by which a ciphertext is longer than its plaintext. */
export const TAG_LENGTH = 16;
const NONCE_LENGTH = 12;
const SALT_LENGTH = 32;
const ZERO_NONCE = new Uint8Array(NONCE_LENGTH);
const NO_AAD = new Uint8Array(0);
// Below this many bytes a call into the platform costs more than the work itself.
const SHORT_STREAM = 256;

/** Encrypts under a key that must never be used for anything else, with the zero nonce. */
export function aeadSeal(singleUseKey: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return primitive('aeadSeal')(singleUseKey, ZERO_NONCE, aad, plaintext);
}

/** Opens what {@link aeadSeal} made, or throws `KEY_OPEN`. */
export function aeadOpen(singleUseKey: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return decrypt(singleUseKey, ZERO_NONCE, aad, ciphertext);
}

/** Encrypts chunk `index` of a stream: nonce = 11-byte counter, then 1 for the final chunk (the STREAM layout of age). */
export function chunkSeal(
  streamKey: Uint8Array,
  index: number,
  final: boolean,
  plaintext: Uint8Array,
): Uint8Array {
  return primitive('aeadSeal')(streamKey, chunkNonce(index, final), NO_AAD, plaintext);
}

/** Opens what {@link chunkSeal} made, or throws `KEY_OPEN`. */
export function chunkOpen(
  streamKey: Uint8Array,
  index: number,
  final: boolean,
  ciphertext: Uint8Array,
): Uint8Array {
  return decrypt(streamKey, chunkNonce(index, final), NO_AAD, ciphertext);
}

/** The ChaCha20 key stream under a single-use key, nonce zero, block counter from 0. */
export function keyStream(singleUseKey: Uint8Array, length: number): Uint8Array {
  return (length < SHORT_STREAM ? portable.chacha20 : primitive('chacha20'))(singleUseKey, length);
}

/**
 * Seals something small under a shared key: `salt ‖ ChaCha20-Poly1305(key for this salt and context, pad(plaintext))`.
 *
 * @param key - 32 secret bytes, which may seal many times
 * @param context - what both sides know that this is for; bound into key and tag
 * @param plaintext - any bytes; the length shows only as its Padmé bucket
 * @param random - 32 bytes of it become the salt
 */
export function sealOnce(
  key: Uint8Array,
  context: Uint8Array,
  plaintext: Uint8Array,
  random: Random = systemRandom,
): Uint8Array {
  const salt = random(SALT_LENGTH);
  return concat(salt, aeadSeal(deriveTuple(key, 'once', salt, context), context, pad(plaintext)));
}

/** Opens what {@link sealOnce} made under the same key and context; throws `KEY_OPEN` for every cause. */
export function openOnce(key: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array {
  const salt = sealed.subarray(0, SALT_LENGTH);
  const padded = aeadOpen(deriveTuple(key, 'once', salt, context), context, sealed.subarray(SALT_LENGTH));
  try {
    return unpad(padded);
  } catch (cause) {
    throw new MunimentError('KEY_OPEN', undefined, { cause });
  }
}

function chunkNonce(index: number, final: boolean): Uint8Array {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError('chunk index');
  const nonce = new Uint8Array(NONCE_LENGTH);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index));
  nonce[NONCE_LENGTH - 1] = final ? 1 : 0;
  return nonce;
}

/** Opens under any nonce, for the formats of this room; throws `KEY_OPEN`. */
export function decrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  if (ciphertext.length < TAG_LENGTH) throw new MunimentError('KEY_OPEN');
  try {
    return primitive('aeadOpen')(key, nonce, aad, ciphertext);
  } catch (cause) {
    throw new MunimentError('KEY_OPEN', undefined, { cause });
  }
}
