/** Policies, sealing, opening, grants, break-glass and annexes. spec/views.md. */

export { account, decodeOpening, encodeOpening } from './account.ts';
export type { Account } from './account.ts';
export { annexName, decodeAnnex, encodeAnnex } from './annex.ts';
export type { Annex } from './annex.ts';
export { openAnnexRange } from './annex-range.ts';
export type { AnnexRange, AnnexSource } from './annex-range.ts';
export { openAnnex, sealAnnex } from './annex-stream.ts';
export { AnnexNamer, AnnexTree, AnnexTreeBuilder } from './annex-tree.ts';
export { decodeSealed, encodeSealed, selectFor } from './body.ts';
export type { Delivery, PublicKeyOfClass, SealedDocument, Wrap } from './body.ts';
export { makeCapsule, openCapsule, verifyCapsule, verifyCapsuleUse } from './capsule.ts';
export type { Capsule, CapsuleTerms, CapsuleUse } from './capsule.ts';
export { decodeCapsuleSeal, encodeCapsuleSeal } from './capsule-seal.ts';
export type { CapsuleSeal } from './capsule-seal.ts';
export type { SealedClass } from './classes.ts';
export {
  ANNEX_RUN,
  CAPSULE_CONTENT_LIMIT,
  CAPSULE_LIMIT,
  CHUNK_LENGTH,
  DOCUMENT_LIMIT,
  FIELDS_LIMIT,
  MANIFEST_LINES,
  SEALED_LIMIT,
} from './constants.ts';
export { disclose, verifyDisclosure } from './disclosure.ts';
export type { Disclosure } from './disclosure.ts';
export { grant, openGrant, passOn, rewrap, verifyGrant } from './grant.ts';
export type { Grant, Granting, OpenedGrant, SignedGrant } from './grant.ts';
export type { Granted, GrantedFields, GrantedKeys, GrantedNode } from './granted.ts';
export type { SealedField } from './field.ts';
export type { Audience } from './grouping.ts';
export type { DocumentNames } from './document-names.ts';
export type { Holding, Manifest, WrapKind } from './manifest.ts';
export { open, verifyOwnWrap } from './open.ts';
export type { OpenedField, OpenOptions, View } from './open.ts';
export type { BreakGlass } from './portion.ts';
export { explain } from './explain.ts';
export type { Explained } from './explain.ts';
export { explainTable } from './explain-table.ts';
export type { Container, Leaf } from './leaves.ts';
export type { PolicyReport, RulePattern } from './overlap.ts';
export type { Pattern, PatternToken } from './pattern.ts';
export { alwaysWithheld, definePolicy } from './policy.ts';
export type { CompiledRule, Policy, PolicyDefinition, PolicyRule } from './policy.ts';
export type { CompiledReaders, ReaderRule } from './reader-rule.ts';
export type { CompiledRestriction, PolicyRestriction } from './restriction.ts';
export type { RuleFinder } from './rule-finder.ts';
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
export { reseal } from './reseal.ts';
export { seal } from './seal.ts';
export { PASSING_LIMIT, REASON_LIMIT } from './terms.ts';
export type { GrantScope, GrantTerms, StatedTerms } from './terms.ts';
export type { SealOptions } from './seal.ts';
export type { TextPointer } from './text-pointer.ts';
export { SEALED_DOCUMENT, sealedDigest, verifySealed } from './verify.ts';
export type { FindCredential, VerifiedSealed } from './verify.ts';
export type { ClassKey, OpenedKey, OpenedShare, OwnerOpening } from './wrap.ts';
