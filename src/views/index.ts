/** Policies, sealing, opening, grants, break-glass and annexes. spec/views.md. */

export type { Account } from './account.ts';
export { annexName, decodeAnnex, encodeAnnex } from './annex.ts';
export type { Annex } from './annex.ts';
export { openAnnexRange } from './annex-range.ts';
export type { AnnexRange, AnnexSource } from './annex-range.ts';
export { openAnnex, sealAnnex } from './annex-stream.ts';
export { AnnexNamer, AnnexTree, AnnexTreeBuilder } from './annex-tree.ts';
export { decodeSealed, encodeSealed, selectFor } from './body.ts';
export type { Delivery, PublicKeyOfClass, SealedDocument, Wrap } from './body.ts';
export type { SealedClass, SealedField } from './classes.ts';
export {
  ANNEX_RUN,
  CHUNK_LENGTH,
  DOCUMENT_LIMIT,
  FIELDS_LIMIT,
  MANIFEST_LINES,
  SEALED_LIMIT,
} from './constants.ts';
export { grant, openGrant, REASON_LIMIT, verifyGrant } from './grant.ts';
export type { Grant, GrantedNode, GrantTerms, SignedGrant } from './grant.ts';
export type { Leaf } from './leaves.ts';
export type { DocumentNames, Manifest, WrapKind } from './manifest.ts';
export { open, verifyOwnWrap } from './open.ts';
export type { OpenedField, OpenOptions, View } from './open.ts';
export type { Pattern } from './pattern.ts';
export { alwaysWithheld, definePolicy, explain } from './policy.ts';
export type { CompiledRule, Explained, Policy, PolicyDefinition, PolicyRule, ReaderRule } from './policy.ts';
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
export type { BreakGlass, SealOptions } from './seal.ts';
export { sealedDigest, verifySealed } from './verify.ts';
export type { FindCredential, VerifiedSealed } from './verify.ts';
export type { ClassKey } from './wrap.ts';
