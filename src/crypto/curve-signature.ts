/** What Ed25519 and ECDSA have in common: keys and signatures on a curve, on whatever backend. spec/crypto.md, "Signatures". */

import { MunimentError } from '../errors.ts';
import { copyBytes } from '../wire/index.ts';
import { mayUseWebCrypto, primitive } from './backend.ts';
import { portable } from './portable.ts';
import type { Answer } from './primitives.ts';
import type { Random } from './random.ts';
import { waitingFor, type SignatureAlgorithm, type SigningKey } from './signature-algorithm.ts';
import { webAlgorithm, type WebKey } from './webcrypto.ts';

/** Where two curves differ. */
export interface Curve {
  readonly name: string;
  readonly operation: 'ed25519' | 'es256';
  readonly publicKeyLength: number;
  /** Whether the bytes can be a public key: every rule that a platform might see differently. Cheap. */
  mayBeKey(publicKey: Uint8Array): boolean;
  /** Whether the bytes, 64 of them, can be a signature: likewise. */
  mayBeSignature(signature: Uint8Array): boolean;
  /** Whether platforms disagree about this signature, so that the portable backend must judge it. */
  isDisputed(signature: Uint8Array): boolean;
  /** Whether the bytes are a point: asked once a signature was refused, for the code of the error. */
  isPoint(publicKey: Uint8Array): boolean;
  /** What a backend signed, in the form that {@link Curve.mayBeSignature} wants. */
  normalize(signature: Uint8Array): Uint8Array;
  readonly generateSecretKey: (random?: Random) => Uint8Array;
}

/** Bytes of a secret key on either curve. */
export const CURVE_SECRET_KEY_LENGTH = 32;
/** Bytes of a signature on either curve. */
export const CURVE_SIGNATURE_LENGTH = 64;

/** The signature algorithm on a curve. */
export function curveSignature(curve: Curve): SignatureAlgorithm {
  const { name, operation, publicKeyLength } = curve;

  const wellFormed = (publicKey: Uint8Array, signature: Uint8Array): boolean =>
    publicKey.length === publicKeyLength &&
    curve.mayBeKey(publicKey) &&
    signature.length === CURVE_SIGNATURE_LENGTH &&
    curve.mayBeSignature(signature);

  const holds = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
    const backend = curve.isDisputed(signature) ? portable[operation] : primitive(operation);
    try {
      return backend.holds(publicKey, message, signature);
    } catch {
      // Some platforms throw for a key that is no point; one that fails for another reason has not judged.
      return portable[operation].holds(publicKey, message, signature);
    }
  };

  const verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Uint8Array => {
    if (wellFormed(publicKey, signature) && holds(publicKey, message, signature)) return message;
    const bad =
      publicKey.length !== publicKeyLength || !curve.mayBeKey(publicKey) || !curve.isPoint(publicKey);
    throw new MunimentError(bad ? 'KEY_PUBLIC' : 'KEY_SIGNATURE');
  };

  const verifyAhead: SignatureAlgorithm['verifyAhead'] = (publicKey, message, signature, answer) => {
    if (!wellFormed(publicKey, signature) || curve.isDisputed(signature)) answer(null);
    else if (mayUseWebCrypto(operation))
      void holdsInWeb(operation, copyBytes(publicKey), message, signature).then(answer);
    else holdsAside(operation, publicKey, message, signature, answer);
  };

  return {
    name,
    secretKeyLength: CURVE_SECRET_KEY_LENGTH,
    publicKeyLength,
    signatureLength: CURVE_SIGNATURE_LENGTH,
    generateSecretKey: curve.generateSecretKey,
    secretKey: (bytes) => curveSigningKey(curve, bytes),
    verify,
    verifyAsync: waitingFor({ verify, verifyAhead }),
    verifyAhead,
  };
}

// What fails there, and what is refused there, is asked again here.
async function holdsInWeb(
  operation: Curve['operation'],
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<true | null> {
  try {
    const web = await webAlgorithm(operation);
    return (await web?.holds(publicKey, message, signature)) === true ? true : null;
  } catch {
    return null;
  }
}

function holdsAside(
  operation: Curve['operation'],
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  answer: Answer,
): void {
  const { holdsAside: ask } = primitive(operation);
  try {
    if (ask === undefined) answer(null);
    else ask(publicKey, message, signature, answer);
  } catch {
    answer(null);
  }
}

function curveSigningKey(curve: Curve, bytes: Uint8Array): SigningKey {
  if (bytes.length !== CURVE_SECRET_KEY_LENGTH) throw new RangeError('a secret key here is 32 bytes');
  const { operation } = curve;
  const own = copyBytes(bytes);
  const local = importSecret(() => primitive(operation).secretKey(own));
  // Never the array that is handed out: Ed25519 under a public key that somebody wrote there gives its secret away.
  const publicKey = copyBytes(local.publicKey);
  let web: Promise<WebKey | null> | null = null;
  return {
    publicKey: local.publicKey,
    async sign(message) {
      if (!mayUseWebCrypto(operation)) return curve.normalize(local.sign(message));
      const signed = copyBytes(message);
      web ??= webAlgorithm(operation)
        .then((found) => found?.secretKey(own, publicKey) ?? null)
        .catch(() => null);
      const sign = await web;
      return curve.normalize(sign === null ? local.sign(signed) : await sign(signed));
    },
  };
}

function importSecret<Key>(read: () => Key): Key {
  try {
    return read();
  } catch (cause) {
    throw new RangeError('no secret key of this algorithm', { cause });
  }
}
