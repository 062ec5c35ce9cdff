/**
 * The two hardware ports: `Signer` and `Decapsulator`. A private key is used through them only, so that it may
 * live in a card, an HSM or a non-extractable browser key; the software keys here are one implementation.
 * spec/keys.md, "Ports".
 */

import {
  hpkeOpen,
  kem,
  signatureAlgorithm,
  SIGNATURE_LENGTHS,
  systemRandom,
  type Exporter,
  type HpkeSealed,
  type KemId,
  type KemSecretKey,
  type Random,
  type SigningKey,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { tuple, type TupleReader } from '../wire/index.ts';
import { exposeSecret, Secret } from './secret.ts';

/** A public key that verifies signatures. */
export interface SigningPublicKey {
  /** `Ed25519`, `ES256`, `ML-DSA-65-Ed25519`; for checkpoint lines alone `ML-DSA-44`. */
  readonly algorithm: string;
  /** 32 bytes, 65, 1984; 1312. */
  readonly publicKey: Uint8Array;
}

/** A public key to which secrets are sealed. */
export interface KemPublicKey {
  /** HPKE KEM id. */
  readonly kem: KemId;
  /** 32 bytes for X25519, 65 for P-256, 1216 for X-Wing, 1249 for MLKEM768-P256. */
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

/** A signing key held in memory. */
export class SoftwareSigner implements Signer {
  readonly algorithm: string;
  readonly publicKey: Uint8Array;
  /** The algorithm's secret key: 32 bytes, or 64 for the composite. */
  readonly secret: Secret<'signing key'>;
  readonly #key: SigningKey;

  /**
   * @throws `MunimentError` `KEY_ALGORITHM`; `RangeError` for a secret that is no key of the algorithm
   */
  constructor(algorithm: string, secret: Secret<'signing key'>) {
    this.#key = signatureAlgorithm(algorithm).secretKey(exposeSecret(secret));
    this.algorithm = algorithm;
    this.publicKey = this.#key.publicKey;
    this.secret = secret;
  }

  /** Signs at once where the platform does; in browsers through WebCrypto. */
  sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#key.sign(message);
  }
}

/** A KEM key held in memory. */
export class SoftwareDecapsulator implements Decapsulator {
  readonly kem: KemId;
  readonly publicKey: Uint8Array;
  /** The KEM's secret key, 32 bytes. */
  readonly secret: Secret<'kem key'>;
  readonly #key: KemSecretKey;

  /** A fresh key. */
  static generate(kemId: KemId, random: Random = systemRandom): SoftwareDecapsulator {
    return new SoftwareDecapsulator(kemId, new Secret('kem key', kem(kemId).generateSecretKey(random)));
  }

  /**
   * @throws `MunimentError` `KEY_ALGORITHM`; `RangeError` for a secret that is no key of the KEM
   */
  constructor(kemId: KemId, secret: Secret<'kem key'>) {
    this.#key = kem(kemId).secretKey(exposeSecret(secret));
    this.kem = kemId;
    this.publicKey = this.#key.publicKey;
    this.secret = secret;
  }

  /** Decapsulates at once where the platform does; in browsers through WebCrypto. */
  decapsulate(encapsulation: Uint8Array): Promise<Uint8Array> {
    return this.#key.decapsulate(encapsulation);
  }

  /** Overwrites the key; for ephemeral ones. What the platform imported goes when it is collected. */
  erase(): void {
    this.secret.erase();
    this.#key.erase();
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
  return signatureAlgorithm(key.algorithm).verify(key.publicKey, message, signature);
}

/**
 * The same for a caller that may wait: many at once keep all cores busy, and browsers verify some ten times as fast.
 *
 * @throws `MunimentError` `KEY_ALGORITHM`, `KEY_PUBLIC`, `KEY_SIGNATURE`
 */
export async function verifySignatureAsync(
  key: SigningPublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<Uint8Array> {
  return signatureAlgorithm(key.algorithm).verifyAsync(key.publicKey, message, signature);
}

/**
 * The same for a caller that verifies many and waits for none: on another thread, if there is one, the signature may be
 * found good before it is asked for. Message and signature must not change until the answer.
 *
 * @param answer - told `true` if it was verified; `null`, at once or later, if {@link verifySignature} is still to be asked
 */
export function verifySignatureAhead(
  key: SigningPublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  answer: (verified: true | null) => void,
): void {
  try {
    signatureAlgorithm(key.algorithm).verifyAhead(key.publicKey, message, signature, answer);
  } catch {
    answer(null); // what is wrong is said when it is asked for
  }
}

/** The next part of a tuple as a party's signature, of a length that some algorithm has. */
export function readSignature(reader: TupleReader): Uint8Array {
  const signature = reader.bytes();
  if (!SIGNATURE_LENGTHS.includes(signature.length)) throw new MunimentError('WIRE_TUPLE');
  return signature;
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
