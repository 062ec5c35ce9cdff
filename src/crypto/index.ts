/** Primitives, each behind one function. Protocols are built in the rooms above. spec/crypto.md. */

export {
  aeadOpen,
  aeadSeal,
  chunkOpen,
  chunkSeal,
  KEY_LENGTH,
  keyStream,
  openOnce,
  sealOnce,
  TAG_LENGTH,
} from './aead.ts';
export {
  deriveTuple,
  equalSecrets,
  HASH_LENGTH,
  hashTuple,
  hashTupleOf,
  hkdfExpand,
  hkdfExtract,
  hmac,
  sha256,
} from './hash.ts';
export { hpkeOpen, hpkeReceiver, hpkeSeal, hpkeSender } from './hpke.ts';
export type { Exporter, HpkeReceiver, HpkeSealed, HpkeSender } from './hpke.ts';
export { dhKem } from './dhkem.ts';
export { hybridKem, ML_KEM_SEED_LENGTH } from './hybrid.ts';
export { kem } from './kem.ts';
export { KEM_MLKEM768_P256, KEM_P256, KEM_SECRET_LENGTH, KEM_X25519, KEM_XWING } from './kem-algorithm.ts';
export type { Kem, KemId, KemSecretKey } from './kem-algorithm.ts';
export type { DhKey, ScryptCost } from './primitives.ts';
export {
  emptyRoot,
  leafHash,
  nodeHash,
  RootFolder,
  rootFromInclusion,
  rootsFromConsistency,
} from './merkle.ts';
export { MerkleTree, rootFromRange } from './merkle-range.ts';
export type { LeafRange } from './merkle-range.ts';
export { SCRYPT_COST, stretch } from './password.ts';
export { combineShares, SHARES_LIMIT, splitSecret } from './shamir.ts';
export { shuffle, systemRandom } from './random.ts';
export type { Random } from './random.ts';
export { backendReport } from './report.ts';
export type { BackendReport, Implementation } from './report.ts';
export { forceBackend } from './backend.ts';
export type { BackendName } from './backend.ts';
export { partyAlgorithm, SIGNATURE_LENGTHS, signatureAlgorithm } from './signature.ts';
export type { Answer } from './primitives.ts';
export type { SignatureAlgorithm, SigningKey } from './signature-algorithm.ts';
export { ML_DSA_65_ED25519 } from './composite.ts';
export { ED25519 } from './ed25519.ts';
export { ES256, toLowS } from './es256.ts';
export { ML_DSA_44 } from './ml-dsa.ts';
export { mlDsa44ExpandedKey, sha512Of } from './portable.ts';
