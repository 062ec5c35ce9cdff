/** Policies, sealing, opening, grants, break-glass and annexes. spec/views.md. */

export { account, decodeOpening, encodeOpening } from './account.ts';
export type { Account } from './account.ts';
export { AnnexNamer, annexName, decodeAnnex, encodeAnnex, openAnnex, sealAnnex } from './annex.ts';
export type { Annex } from './annex.ts';
export { decodeSealed, encodeSealed, selectFor } from './body.ts';
export type { Delivery, PublicKeyOfClass, SealedDocument, Wrap } from './body.ts';
export { makeCapsule, openCapsule, verifyCapsule, verifyCapsuleUse } from './capsule.ts';
export type { Capsule, CapsuleTerms, CapsuleUse } from './capsule.ts';
export { decodeCapsuleSeal, encodeCapsuleSeal } from './capsule-seal.ts';
export type { CapsuleSeal } from './capsule-seal.ts';
export type { SealedClass, SealedField } from './classes.ts';
export {
  CAPSULE_CONTENT_LIMIT,
  CAPSULE_LIMIT,
  CHUNK_LENGTH,
  DOCUMENT_LIMIT,
  FIELDS_LIMIT,
  MANIFEST_LINES,
  SEALED_LIMIT,
} from './constants.ts';
export { grant, openGrant, REASON_LIMIT, verifyGrant } from './grant.ts';
export type { Grant, GrantedNode, GrantTerms, SignedGrant } from './grant.ts';
export type { Leaf } from './leaves.ts';
export type { Audience } from './grouping.ts';
export type { DocumentNames, Holding, Manifest, WrapKind } from './manifest.ts';
export { open, verifyOwnWrap } from './open.ts';
export type { OpenedField, OpenOptions, View } from './open.ts';
export type { Pattern } from './pattern.ts';
export { alwaysWithheld, definePolicy, explain } from './policy.ts';
export type { CompiledRule, Explained, Policy, PolicyDefinition, PolicyRule, ReaderRule } from './policy.ts';
export type { BreakGlass } from './portion.ts';
export { compartmentReader, groupReader, partyReader } from './reader.ts';
export type { OpeningReader, Reader } from './reader.ts';
export {
  declareEmergency,
  decodeReleases,
  encodeReleases,
  openRelease,
  release,
  verifyEmergency,
} from './release.ts';
export type { Emergency, Release, ReleaseContext } from './release.ts';
export { seal } from './seal.ts';
export type { SealOptions } from './seal.ts';
export { sealedDigest, verifySealed } from './verify.ts';
export type { FindCredential, VerifiedSealed } from './verify.ts';
export type { ClassKey, OwnerOpening } from './wrap.ts';
