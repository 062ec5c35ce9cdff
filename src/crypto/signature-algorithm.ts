/** What every signature algorithm offers. spec/crypto.md, "Signatures". */

import { copyBytes } from '../wire/index.ts';
import type { Answer } from './primitives.ts';
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
  /**
   * The same for a caller that has work of its own until then and many to verify: whether a signature was found good on
   * another thread. No promise and no copies; message and signature must not change until it answers.
   *
   * @param answer - told `true` if it was verified; `null`, at once or later, if {@link SignatureAlgorithm.verify} is still to be asked
   */
  verifyAhead(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, answer: Answer): void;
}

/** {@link SignatureAlgorithm.verifyAsync} of an algorithm, from what else it has. */
export function waitingFor({
  verify,
  verifyAhead,
}: Pick<SignatureAlgorithm, 'verify' | 'verifyAhead'>): SignatureAlgorithm['verifyAsync'] {
  return async (publicKey, message, signature) => {
    // The caller's arrays may change while this waits: what is returned is what was verified.
    const [key, signed, claim] = [copyBytes(publicKey), copyBytes(message), copyBytes(signature)];
    // The platform knows a key that it imported by its array, and takes it before anything waits.
    const verified = await new Promise((answer) => verifyAhead(publicKey, signed, claim, answer));
    return verified === true ? signed : verify(key, signed, claim);
  };
}
