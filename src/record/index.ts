/** Entries, chains, receipts, the log, checkpoints and exports. spec/record.md. */

export {
  capacityOf,
  CLOSING_GROUNDS,
  decodeAuthority,
  encodeAuthority,
  FORMER_OWNERS_LIMIT,
  holdingOf,
  LOSSES_LIMIT,
  NO_AUTHORITY,
  OWN_LOSSES_LIMIT,
  PROXIES_LIMIT,
  PROXY_ROLES,
} from './authority.ts';
export type {
  Appointed,
  Authority,
  Capacity,
  ClosingGround,
  Closure,
  Loss,
  Proxy,
  ProxyRole,
} from './authority.ts';
export {
  AUTHORITY_STATEMENT_LIMIT,
  encodeAuthorityStatement,
  readAuthorityStatement,
} from './authority-statements.ts';
export type { AuthoritySaid, AuthorityStatement, GivenApproval } from './authority-statements.ts';
export { appendEntries, appendEntry, ChainError, startOf, verifyEntry, withoutRevocations } from './chain.ts';
export type { ChainRules, ChainState, VerifiedEntry, VerifiedItem } from './chain.ts';
export { verifyChain } from './verify-chain.ts';
export { signCharter, verifyCharter } from './charter.ts';
export type { Charter } from './charter.ts';
export { CHECKPOINT_LIMIT, logKeysOf, signCheckpoint, verifyCheckpoint } from './checkpoint.ts';
export type { Cosigned, LogKeys, LogSigner, VerifiedCheckpoint } from './checkpoint.ts';
export { CREATE, encodeCreation, readCreation } from './create.ts';
export type { Creation } from './create.ts';
export {
  decodeSignedEntry,
  EMPTY_CHAIN,
  encodeSignedEntry,
  ENTRY_LIMIT,
  hashEntry,
  headAfter,
  innerHash,
  sameHead,
  signEntry,
} from './entry.ts';
export type { ChainItem, Draft, Entry, Head, OpaqueEntry, ShownEntry, SignedEntry } from './entry.ts';
export { ENTRY_KINDS } from './entry-fields.ts';
export type { ChainName, EntryKind } from './entry-fields.ts';
export { RENUNCIATION, REVOCATION } from './export-directory.ts';
export { CHARTERS_LIMIT, EXPORT_LIMIT, exportRecord, RENEWALS_LIMIT } from './export-file.ts';
export type {
  ExportedDirectory,
  ExportedEntry,
  PayloadDigest,
  RecordExport,
  Renewal,
} from './export-file.ts';
export { ExportError, verifyExport } from './export.ts';
export type { ExportRules, VerifiedExport } from './export.ts';
export type { OpenedPayload, Openings, VerifiedChains, VerifiedExportEntry } from './export-entries.ts';
export type { ErasedBy, PayloadCounts, PayloadState } from './export-payloads.ts';
export type { EstablishedTree, LogTrust } from './export-state.ts';
export { encodeErasure, ERASE, ERASURE_LIMIT, readErasure } from './erasure.ts';
export type { Erased, Erasure } from './erasure.ts';
export { Log, logLeaf, PROOF_LIMIT, verifyConsistency, verifyInclusion } from './log.ts';
export type { LeafOpening, TreeHead } from './log.ts';
export { formatNoteKey, NOTE_LIMIT, NOTE_LINES_LIMIT, openNote, parseNoteKey, signNote } from './note.ts';
export type { Note, NoteKey, NoteLine, OpenedNote } from './note.ts';
export {
  decodeStatement,
  encodeStatement,
  readStatement,
  STATEMENT,
  statementDigest,
  verifyPayload,
} from './payload.ts';
export type { PayloadDigests, Statement } from './payload.ts';
export { formatTilePath, parseTilePath, TILE_WIDTH, tilesOf } from './tile-path.ts';
export type { Tile } from './tile-path.ts';
export { openTiles } from './tiled-log.ts';
export type { FetchTile, TiledLog } from './tiled-log.ts';
export { BUNDLED_LEAF_LIMIT, decodeBundle, encodeBundle, hashTile } from './tiles.ts';
export type { CosignerKey } from './cosignature.ts';
export type { FindCredential } from './export-place.ts';
export { addCosignatures, cosign, witnessKey } from './witness.ts';
export type { Cosignature, Witness } from './witness.ts';
export { NO_WITNESSES } from './quorum.ts';
export type { WitnessPolicy } from './quorum.ts';
export { issueReceipt, verifyReceipt } from './receipt.ts';
export type { Receipt } from './receipt.ts';
export { CLOCK_TOLERANCE, recordRule } from './record-rule.ts';
export type { RecordRules } from './record-rule.ts';
export { byRole } from './rule.ts';
export { RUNS_LIMIT } from './runs.ts';
export type { Run } from './runs.ts';
export type { MayWrite, Step, WriteRule } from './rule.ts';
export { removePayload, renewalLeaf, renewExport } from './renewal.ts';
export type { RenewalAlgorithm, RenewalLog, VerifiedRenewal } from './renewal.ts';
export { directoryId } from './directory.ts';
export { judge, proveFraud } from './fraud.ts';
export type { Accused, Conviction, FraudEvidence } from './fraud.ts';
export { FRAUD_EVIDENCE, FRAUD_LIMIT } from './fraud-file.ts';
export type { FraudKind, Piece } from './fraud-file.ts';
export { signHead, verifyHead } from './head.ts';
export type { HeadStatement } from './head.ts';
export { follow, FollowError, nothingFollowed } from './follow.ts';
export type { Contradiction, Followed, Shown } from './follow.ts';
export type { Speaker } from './words.ts';
export { ERASURE_GROUNDS, TEN_YEARS_AFTER_DEATH } from './retention.ts';
export type { Death, ErasureGround, RetentionRule } from './retention.ts';
