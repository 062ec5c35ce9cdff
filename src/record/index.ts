/** Entries, chains, receipts, the log, checkpoints and exports. spec/record.md. */

export { appendEntry, verifyChain, verifyEntry } from './chain.ts';
export type { ChainItem, ChainRules, OpaqueEntry, VerifiedEntry, VerifiedItem } from './chain.ts';
export { CHECKPOINT_LIMIT, signCheckpoint, verifyCheckpoint } from './checkpoint.ts';
export { CREATE, encodeCreation, readCreation } from './create.ts';
export type { Creation } from './create.ts';
export {
  decodeSignedEntry,
  EMPTY_CHAIN,
  encodeSignedEntry,
  ENTRY_KINDS,
  ENTRY_LIMIT,
  hashEntry,
  headAfter,
  innerHash,
  sameHead,
  signEntry,
} from './entry.ts';
export type { ChainName, Draft, Entry, EntryKind, Head, SignedEntry } from './entry.ts';
export { encodeErasure, ERASE, ERASURE_LIMIT, readErasure } from './erasure.ts';
export type { Erased, Erasure } from './erasure.ts';
export { EXPORT_LIMIT, exportRecord } from './export-file.ts';
export type { ExportedEntry, RecordExport } from './export-file.ts';
export { verifyExport } from './export.ts';
export type { ExportRules, VerifiedExport, VerifiedExportEntry } from './export.ts';
export { Log, logLeaf, PROOF_LIMIT, verifyConsistency, verifyInclusion } from './log.ts';
export type { LeafOpening, TreeHead } from './log.ts';
export { encodeStatement, readStatement, STATEMENT, statementDigest, verifyPayload } from './payload.ts';
export type { PayloadDigests, Statement } from './payload.ts';
export { issueReceipt, verifyReceipt } from './receipt.ts';
export type { Receipt } from './receipt.ts';
export { ERASURE_GROUNDS, TEN_YEARS_AFTER_DEATH } from './retention.ts';
export type { ErasureGround, RetentionRule } from './retention.ts';
