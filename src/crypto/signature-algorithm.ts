/** What every signature algorithm offers. spec/crypto.md, "Signatures". */

import type { Random } from './random.ts';

/** A private key that signs, imported once. */
export interface SigningKey {
  readonly publicKey: Uint8Array;
  /** The signature of `message`: at once where the platform signs, later where WebCrypto does. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** A signature algorithm. */
export interface SignatureAlgorithm {
  /** Its name in JOSE, as it stands in credentials. */
  readonly name: string;
  readonly secretKeyLength: number;
  readonly publicKeyLength: number;
  readonly signatureLength: number;
  /** A fresh secret key. */
  readonly generateSecretKey: (random?: Random) => Uint8Array;
  /**
   * Imports a secret key.
   *
   * @throws `RangeError` for another length, or a scalar out of range
   */
  secretKey(bytes: Uint8Array): SigningKey;
  /**
   * Verifies, and returns the message, now known to be signed.
   *
   * @throws `MunimentError` `KEY_PUBLIC` for a key that the algorithm refuses, `KEY_SIGNATURE` otherwise
   */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Uint8Array;
  /** The same for a caller that may wait: on another thread of the platform, in browsers through WebCrypto. */
  verifyAsync(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<Uint8Array>;
}
