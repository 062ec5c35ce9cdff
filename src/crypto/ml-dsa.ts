/**
 * ML-DSA-44 (FIPS 204) alone, for the lines of checkpoints and cosignatures where C2SP asks for it. No party signs
 * entries or documents with it: that is what the composite is for. spec/crypto.md, "Signatures".
 */

import { MunimentError } from '../errors.ts';
import { primitive } from './backend.ts';
import { systemRandom } from './random.ts';
import type { SignatureAlgorithm } from './signature-algorithm.ts';

/** The name of the algorithm (RFC 9964). */
export const ML_DSA_44 = 'ML-DSA-44';

const NO_CONTEXT = new Uint8Array(0);

/** ML-DSA-44: secret keys are 32-byte seeds, signing is hedged, the context is empty. */
export const mlDsa44: SignatureAlgorithm = {
  name: ML_DSA_44,
  secretKeyLength: 32,
  publicKeyLength: 1312,
  signatureLength: 2420,
  generateSecretKey: (random = systemRandom) => random(32),
  secretKey(bytes) {
    if (bytes.length !== 32) throw new RangeError('a seed of ML-DSA is 32 bytes');
    const key = primitive('mlDsa44').secretKey(bytes);
    return {
      publicKey: key.publicKey,
      sign: (message) => Promise.resolve(key.sign(message, NO_CONTEXT)),
    };
  },
  verify(publicKey, message, signature) {
    if (publicKey.length !== mlDsa44.publicKeyLength) throw new MunimentError('KEY_PUBLIC');
    const holds =
      signature.length === mlDsa44.signatureLength &&
      primitive('mlDsa44').holds(publicKey, message, signature, NO_CONTEXT);
    if (!holds) throw new MunimentError('KEY_SIGNATURE');
    return message;
  },
  // At once: the caller's arrays may change while a promise waits.
  verifyAsync: (publicKey, message, signature) =>
    new Promise((resolve) => resolve(mlDsa44.verify(publicKey, message, signature))),
  verifyAhead: (_publicKey, _message, _signature, answer) => answer(null),
};
