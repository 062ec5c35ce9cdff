/**
 * Ed25519 and ML-DSA-65 as one algorithm: `id-MLDSA65-Ed25519-SHA512` of draft-ietf-lamps-pq-composite-sigs, with an
 * empty context. Both halves sign one representative of the message and both must verify, so a forger has to break
 * both. spec/crypto.md, "Signatures".
 */

import { sha512 } from '@noble/hashes/sha2.js';
import { MunimentError } from '../errors.ts';
import { concat, utf8 } from '../wire/index.ts';
import { isNative, primitive } from './backend.ts';
import { ed25519 } from './ed25519.ts';
import { keep } from './keep.ts';
import { systemRandom } from './random.ts';
import { waitingFor, type SignatureAlgorithm } from './signature-algorithm.ts';

/** The name of the algorithm, as it stands in credentials (draft-ietf-jose-pq-composite-sigs). */
export const ML_DSA_65_ED25519 = 'ML-DSA-65-Ed25519';

const PREFIX = utf8('CompositeAlgorithmSignatures2025');
const LABEL = utf8('COMPSIG-MLDSA65-Ed25519-SHA512');
const EMPTY_CONTEXT = Uint8Array.of(0); // its length, and nothing after it
const LATTICE = { secretKey: 32, publicKey: 1952, signature: 3309 } as const;

/** ML-DSA-65 with Ed25519: in keys and signatures the ML-DSA half comes first; secret keys are two seeds of 32 bytes. */
export const composite: SignatureAlgorithm = {
  name: ML_DSA_65_ED25519,
  secretKeyLength: LATTICE.secretKey + ed25519.secretKeyLength,
  publicKeyLength: LATTICE.publicKey + ed25519.publicKeyLength,
  signatureLength: LATTICE.signature + ed25519.signatureLength,
  generateSecretKey: (random = systemRandom) => random(composite.secretKeyLength),
  secretKey(bytes) {
    if (bytes.length !== composite.secretKeyLength) throw new RangeError('a composite key is two seeds');
    const lattice = primitive('mlDsa65').secretKey(bytes.slice(0, LATTICE.secretKey));
    const classical = ed25519.secretKey(bytes.slice(LATTICE.secretKey));
    return {
      publicKey: concat(lattice.publicKey, classical.publicKey),
      async sign(message) {
        const signed = representative(message);
        return concat(lattice.sign(signed, LABEL), await classical.sign(signed));
      },
    };
  },
  verify(publicKey, message, signature) {
    const { key, signed, half, latticeHolds } = prepare(publicKey, message, signature);
    ed25519.verify(key, signed, half);
    if (!latticeHolds) throw new MunimentError('KEY_SIGNATURE');
    return message;
  },
  verifyAsync: (...signed) => verifyAsync(...signed),
  verifyAhead(publicKey, message, signature, answer) {
    const fits =
      publicKey.length === composite.publicKeyLength && signature.length === composite.signatureLength;
    // The portable half is most of the work, and has no other thread.
    if (!fits || !isNative('mlDsa65')) {
      answer(null);
      return;
    }
    const { key, signed, half, latticeHolds } = prepare(publicKey, message, signature);
    if (latticeHolds) ed25519.verifyAhead(key, signed, half, answer);
    else answer(null);
  },
};

const verifyAsync = waitingFor(composite);

/** Checks lengths, judges the ML-DSA half, and hands over what the Ed25519 half is to be judged by. */
function prepare(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) {
  if (publicKey.length !== composite.publicKeyLength) throw new MunimentError('KEY_PUBLIC');
  if (signature.length !== composite.signatureLength) throw new MunimentError('KEY_SIGNATURE');
  const [latticeKey, key] = halvesOf(publicKey);
  const signed = representative(message);
  const latticeHalf = signature.subarray(0, LATTICE.signature);
  const latticeHolds = primitive('mlDsa65').holds(latticeKey, signed, latticeHalf, LABEL);
  return { key, signed, half: signature.subarray(LATTICE.signature), latticeHolds };
}

// Kept, so that each half is the same array each time and its import into the platform is kept too.
const halvesOf = keep(
  (publicKey) => [publicKey.slice(0, LATTICE.publicKey), publicKey.slice(LATTICE.publicKey)] as const,
);

// M' of the draft, section 2.2.
function representative(message: Uint8Array): Uint8Array {
  return concat(PREFIX, LABEL, EMPTY_CONTEXT, sha512(message));
}
