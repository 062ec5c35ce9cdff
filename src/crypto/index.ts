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
export { hpkeOpen, hpkeSeal, hpkeSender } from './hpke.ts';
export type { Exporter, HpkeSealed, HpkeSender } from './hpke.ts';
export { kem, KEM_X25519, KEM_XWING } from './kem.ts';
export type { Kem, KemId } from './kem.ts';
export {
  emptyRoot,
  leafHash,
  nodeHash,
  RootFolder,
  rootFromInclusion,
  rootsFromConsistency,
} from './merkle.ts';
export { SCRYPT_COST, stretch } from './password.ts';
export type { ScryptCost } from './password.ts';
export { shuffle, systemRandom } from './random.ts';
export type { Random } from './random.ts';
export {
  ED25519,
  ed25519PublicKey,
  ed25519Sign,
  ed25519Verify,
  SIGNATURE_LENGTH,
  SIGNING_PUBLIC_KEY_LENGTH,
} from './signature.ts';
