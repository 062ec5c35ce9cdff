/**
 * HPKE base mode (RFC 9180), single-shot with exporter, over HKDF-SHA256 and ChaCha20-Poly1305. No other mode:
 * the authenticated modes are leaving the standard and have key-compromise impersonation. spec/crypto.md, "HPKE".
 */

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { MunimentError } from '../errors.ts';
import { concat, utf8 } from '../wire/index.ts';
import { kem, type KemId } from './kem.ts';
import { labeledExpand, labeledExtract, uint16 } from './labeled.ts';
import { systemRandom, type Random } from './random.ts';

const KDF_HKDF_SHA256 = 0x0001;
const AEAD_CHACHA20_POLY1305 = 0x0003;
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
 * import { hpkeOpen, hpkeSeal, kem, KEM_X25519, systemRandom } from 'muniment/crypto';
 * const { secretKey, publicKey } = kem(KEM_X25519).deriveKeyPair(systemRandom(32));
 * const info = new Uint8Array(0);
 * const sealed = hpkeSeal({ kem: KEM_X25519, publicKey }, info, info, Uint8Array.of(42));
 * const shared = kem(KEM_X25519).decapsulate(sealed.encapsulation, secretKey);
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

/** A sender's context before its one message: for plaintexts that depend on the encapsulation or an exported secret. */
export interface HpkeSender {
  readonly encapsulation: Uint8Array;
  readonly exporter: Exporter;
  /** Encrypts the one message; a second call throws `RangeError`, because it would repeat the nonce. */
  seal(aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
}

/**
 * Sets up a sender's context (RFC 9180 section 5.1.1). Where the plaintext is known already, {@link hpkeSeal} is simpler.
 *
 * @throws `MunimentError` `KEY_PUBLIC` for a bad public key
 */
export function hpkeSender(
  recipient: { readonly kem: KemId; readonly publicKey: Uint8Array },
  info: Uint8Array,
  random: Random = systemRandom,
): HpkeSender {
  const { sharedSecret, encapsulation } = kem(recipient.kem).encapsulate(recipient.publicKey, random);
  const context = keySchedule(recipient.kem, sharedSecret, info);
  let used = false;
  return {
    encapsulation,
    exporter: context.exporter,
    seal(aad, plaintext) {
      if (used) throw new RangeError('an HPKE context here seals one message');
      used = true;
      return chacha20poly1305(context.key, context.nonce, aad).encrypt(plaintext);
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
  const context = keySchedule(kemId, sharedSecret, info);
  try {
    const plaintext = chacha20poly1305(context.key, context.nonce, aad).decrypt(ciphertext);
    return { plaintext, exporter: context.exporter };
  } catch (cause) {
    throw new MunimentError('KEY_OPEN', undefined, { cause });
  }
}

// RFC 9180 section 5.1, KeySchedule for mode_base: no psk.
function keySchedule(
  kemId: KemId,
  sharedSecret: Uint8Array,
  info: Uint8Array,
): { key: Uint8Array; nonce: Uint8Array; exporter: Exporter } {
  const suite = concat(utf8('HPKE'), uint16(kemId), uint16(KDF_HKDF_SHA256), uint16(AEAD_CHACHA20_POLY1305));
  const pskIdHash = labeledExtract(suite, EMPTY, 'psk_id_hash', EMPTY);
  const infoHash = labeledExtract(suite, EMPTY, 'info_hash', info);
  const context = concat(MODE_BASE, pskIdHash, infoHash);
  const secret = labeledExtract(suite, sharedSecret, 'secret', EMPTY);
  const exporterSecret = labeledExpand(suite, secret, 'exp', context, 32);
  return {
    key: labeledExpand(suite, secret, 'key', context, 32),
    nonce: labeledExpand(suite, secret, 'base_nonce', context, 12),
    exporter: (exporterContext, length) =>
      labeledExpand(suite, exporterSecret, 'sec', exporterContext, length),
  };
}
