/**
 * HPKE base mode (RFC 9180) over HKDF-SHA256 and ChaCha20-Poly1305: single-shot, contexts of several messages, and the
 * exporter. No other mode: the authenticated modes are leaving the standard and have key-compromise impersonation.
 * spec/crypto.md, "HPKE".
 */

import { concat, utf8 } from '../wire/index.ts';
import { decrypt, encrypt } from './aead.ts';
import type { KemId } from './kem-algorithm.ts';
import { kem } from './kem.ts';
import { labeledExpand, labeledExtract, uint16 } from './labeled.ts';
import { systemRandom, type Random } from './random.ts';

const KDF_HKDF_SHA256 = 0x0001;
const CHACHA20_POLY1305 = { id: 0x0003, keyLength: 32 };
const NONCE_LENGTH = 12;
const MODE_BASE = Uint8Array.of(0);
const EMPTY = new Uint8Array(0);

/** What one HPKE encryption gives. */
export interface HpkeSealed {
  /** The encapsulated key. */
  readonly encapsulation: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Gives `length` bytes of exported secret for a context (RFC 9180 section 5.3). */
export type Exporter = (context: Uint8Array, length: number) => Uint8Array;

/**
 * Encrypts one message to a public key.
 *
 * @param recipient - the receiver's KEM id and public key
 * @param info - application context, bound into the keys
 * @param aad - associated data, bound into the tag
 * @param plaintext - the message
 * @param random - randomness for the encapsulation
 * @returns encapsulation, ciphertext and the exporter of this context
 * @throws `MunimentError` `KEY_PUBLIC` for a bad public key
 * @example
 * ```ts
 * import { hpkeOpen, hpkeSeal, kem, KEM_X25519 } from 'muniment/crypto';
 * const x25519 = kem(KEM_X25519);
 * const key = x25519.secretKey(x25519.generateSecretKey());
 * const info = new Uint8Array(0);
 * const sealed = hpkeSeal({ kem: KEM_X25519, publicKey: key.publicKey }, info, info, Uint8Array.of(42));
 * const shared = await key.decapsulate(sealed.encapsulation);
 * hpkeOpen(KEM_X25519, shared, info, info, sealed.ciphertext).plaintext; // Uint8Array [42]
 * ```
 */
export function hpkeSeal(
  recipient: { readonly kem: KemId; readonly publicKey: Uint8Array },
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  random: Random = systemRandom,
): HpkeSealed & { readonly exporter: Exporter } {
  const sender = hpkeSender(recipient, info, random);
  return {
    encapsulation: sender.encapsulation,
    ciphertext: sender.seal(aad, plaintext),
    exporter: sender.exporter,
  };
}

/** A sender's context: messages under one encapsulation, each under the next nonce. */
export interface HpkeSender {
  readonly encapsulation: Uint8Array;
  readonly exporter: Exporter;
  /** Encrypts the next message. One that cannot be encrypted (an argument of a wrong type) uses up its place, so that no nonce comes twice. */
  seal(aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
}

/** A receiver's context: opens the sender's messages in the order in which they were sealed. */
export interface HpkeReceiver {
  readonly exporter: Exporter;
  /** Opens the next message, or throws `KEY_OPEN` and waits for it still. */
  open(aad: Uint8Array, ciphertext: Uint8Array): Uint8Array;
}

/**
 * Sets up a sender's context (RFC 9180 section 5.1.1). For one message whose plaintext is known already,
 * {@link hpkeSeal} is simpler.
 *
 * @throws `MunimentError` `KEY_PUBLIC` for a bad public key
 * @example
 * ```ts
 * import { hpkeReceiver, hpkeSender, kem, KEM_P256 } from 'muniment/crypto';
 * const key = kem(KEM_P256).secretKey(kem(KEM_P256).generateSecretKey());
 * const none = new Uint8Array(0);
 * const sender = hpkeSender({ kem: KEM_P256, publicKey: key.publicKey }, none);
 * const receiver = hpkeReceiver(KEM_P256, await key.decapsulate(sender.encapsulation), none);
 * for (const byte of [1, 2]) receiver.open(none, sender.seal(none, Uint8Array.of(byte))); // [1], then [2]
 * ```
 */
export function hpkeSender(
  recipient: { readonly kem: KemId; readonly publicKey: Uint8Array },
  info: Uint8Array,
  random: Random = systemRandom,
): HpkeSender {
  const { sharedSecret, encapsulation } = kem(recipient.kem).encapsulate(recipient.publicKey, random);
  const context = keySchedule(recipient.kem, sharedSecret, info);
  let sequence = 0;
  return {
    encapsulation,
    exporter: context.exporter,
    seal: (aad, plaintext) => encrypt(context.key, messageNonce(context, sequence++), aad, plaintext),
  };
}

/**
 * Sets up a receiver's context, given the shared secret that its key decapsulated (in software or hardware).
 *
 * @throws `MunimentError` `KEY_ALGORITHM` for a KEM that there is not
 */
export function hpkeReceiver(kemId: KemId, sharedSecret: Uint8Array, info: Uint8Array): HpkeReceiver {
  const context = keySchedule(kemId, sharedSecret, info);
  let sequence = 0;
  return {
    exporter: context.exporter,
    open(aad, ciphertext) {
      const plaintext = decrypt(context.key, messageNonce(context, sequence), aad, ciphertext);
      sequence++;
      return plaintext;
    },
  };
}

/**
 * Opens one message, given the shared secret that the receiver's key decapsulated (in software or hardware).
 *
 * @returns the plaintext and the exporter of this context
 * @throws `MunimentError` `KEY_OPEN` for every cause
 */
export function hpkeOpen(
  kemId: KemId,
  sharedSecret: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): { readonly plaintext: Uint8Array; readonly exporter: Exporter } {
  const receiver = hpkeReceiver(kemId, sharedSecret, info);
  return { plaintext: receiver.open(aad, ciphertext), exporter: receiver.exporter };
}

/** What the key schedule gives. */
interface HpkeContext {
  readonly key: Uint8Array;
  readonly baseNonce: Uint8Array;
  readonly exporter: Exporter;
}

/**
 * KeySchedule for mode_base (RFC 9180 section 5.1): no psk. The AEAD is ours but in the tests, which hold this function
 * against the vectors of every AEAD.
 */
export function keySchedule(
  kemId: KemId,
  sharedSecret: Uint8Array,
  info: Uint8Array,
  aead: { readonly id: number; readonly keyLength: number } = CHACHA20_POLY1305,
): HpkeContext {
  const { suite, pskIdHash } = suiteOf(kemId, aead.id);
  const infoHash = labeledExtract(suite, EMPTY, 'info_hash', info);
  const context = concat(MODE_BASE, pskIdHash, infoHash);
  const secret = labeledExtract(suite, sharedSecret, 'secret', EMPTY);
  const exporterSecret = labeledExpand(suite, secret, 'exp', context, 32);
  return {
    key: labeledExpand(suite, secret, 'key', context, aead.keyLength),
    baseNonce: labeledExpand(suite, secret, 'base_nonce', context, NONCE_LENGTH),
    exporter: (exporterContext, length) =>
      labeledExpand(suite, exporterSecret, 'sec', exporterContext, length),
  };
}

/** What of a key schedule depends on the algorithms alone. */
interface Suite {
  readonly suite: Uint8Array;
  readonly pskIdHash: Uint8Array;
}

const suites = new Map<string, Suite>();

function suiteOf(kemId: KemId, aeadId: number): Suite {
  const name = `${String(kemId)} ${String(aeadId)}`;
  const known = suites.get(name);
  if (known !== undefined) return known;
  const suite = concat(utf8('HPKE'), uint16(kem(kemId).id), uint16(KDF_HKDF_SHA256), uint16(aeadId));
  const made = { suite, pskIdHash: labeledExtract(suite, EMPTY, 'psk_id_hash', EMPTY) };
  suites.set(name, made);
  return made;
}

// RFC 9180 section 5.2, ComputeNonce. A number counts exactly to 2^53, beyond what anybody will seal.
function messageNonce({ baseNonce }: HpkeContext, sequence: number): Uint8Array {
  const nonce = new Uint8Array(baseNonce);
  const view = new DataView(nonce.buffer);
  view.setBigUint64(4, view.getBigUint64(4) ^ BigInt(sequence));
  return nonce;
}
