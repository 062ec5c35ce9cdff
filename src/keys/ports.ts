/**
 * The two hardware ports: `Signer` and `Decapsulator`. A private key is used through them only, so that it may
 * live in a card, an HSM or a non-extractable browser key; the software keys here are one implementation.
 * spec/keys.md, "Ports".
 */

import {
  ED25519,
  ed25519PublicKey,
  ed25519Sign,
  ed25519Verify,
  hpkeOpen,
  kem,
  type Exporter,
  type HpkeSealed,
  type KemId,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { tuple } from '../wire/index.ts';
import { exposeSecret, type Secret } from './secret.ts';

/** A public key that verifies signatures. */
export interface SigningPublicKey {
  /** `Ed25519`. */
  readonly algorithm: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A public key to which secrets are sealed. */
export interface KemPublicKey {
  /** HPKE KEM id. */
  readonly kem: KemId;
  /** 32 bytes for X25519, 1216 for X-Wing. */
  readonly publicKey: Uint8Array;
}

/** Signs; wherever the private key lives. */
export interface Signer extends SigningPublicKey {
  /** The signature of `message`, which is always a tuple with its own label. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** Decapsulates; wherever the private key lives. */
export interface Decapsulator extends KemPublicKey {
  /** The 32-byte shared secret of an encapsulation. Rejects with `KEY_OPEN`. */
  decapsulate(encapsulation: Uint8Array): Promise<Uint8Array>;
}

/** An Ed25519 key held in memory. */
export class SoftwareSigner implements Signer {
  readonly algorithm = ED25519;
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly seed: Secret<'signing seed'>;

  constructor(seed: Secret<'signing seed'>) {
    this.seed = seed;
    this.publicKey = ed25519PublicKey(exposeSecret(seed));
  }

  /** Signs at once; the promise is the port's. */
  sign(message: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(ed25519Sign(exposeSecret(this.seed), message));
  }
}

/** A KEM key held in memory. */
export class SoftwareDecapsulator implements Decapsulator {
  readonly kem: KemId;
  readonly publicKey: Uint8Array;
  /** The secret input of at least 32 bytes from which the KEM derives the pair. */
  readonly seed: Secret<'kem seed'>;
  readonly #secretKey: Uint8Array;

  constructor(kemId: KemId, seed: Secret<'kem seed'>) {
    const pair = kem(kemId).deriveKeyPair(exposeSecret(seed));
    this.kem = kemId;
    this.seed = seed;
    this.publicKey = pair.publicKey;
    this.#secretKey = pair.secretKey;
  }

  /** Decapsulates at once; the promise is the port's. */
  // eslint-disable-next-line @typescript-eslint/require-await -- async, so that a bad encapsulation rejects instead of throwing
  async decapsulate(encapsulation: Uint8Array): Promise<Uint8Array> {
    return kem(this.kem).decapsulate(encapsulation, this.#secretKey);
  }

  /** Overwrites the key; for ephemeral ones. */
  erase(): void {
    this.seed.erase();
    this.#secretKey.fill(0);
  }
}

/**
 * Verifies a signature under a public key and returns the message.
 *
 * @throws `MunimentError` `KEY_ALGORITHM`, `KEY_PUBLIC`, `KEY_SIGNATURE`
 */
export function verifySignature(
  key: SigningPublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  if (key.algorithm !== ED25519) throw new MunimentError('KEY_ALGORITHM');
  return ed25519Verify(key.publicKey, message, signature);
}

/**
 * Opens one HPKE message with a private key that may live anywhere.
 *
 * @throws `MunimentError` `KEY_OPEN` for every cause
 */
export async function hpkeOpenWith(
  key: Decapsulator,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: HpkeSealed,
): Promise<{ readonly plaintext: Uint8Array; readonly exporter: Exporter }> {
  if (sealed.encapsulation.length !== kem(key.kem).encapsulationLength) throw new MunimentError('KEY_OPEN');
  return hpkeOpen(key.kem, await key.decapsulate(sealed.encapsulation), info, aad, sealed.ciphertext);
}

/** `T("muniment/1 suite", KEM id, binding kind)`: what every HPKE info names, so that a ciphertext fits one algorithm and use. */
export function suite(kemId: KemId, binding = 'none'): Uint8Array {
  return tuple('suite', kemId, binding);
}
