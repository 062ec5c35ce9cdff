/** The bank's word for one exported entry: its receipt, and its place in the log. spec/export.md, "Verifying". */

import { MunimentError } from '../errors.ts';
import type { Credential } from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import type { VerifiedEntry } from './chain.ts';
import type { ExportedEntry } from './export-file.ts';
import { verifyInclusion, type TreeHead } from './log.ts';
import { verifyReceipt, type Receipt } from './receipt.ts';

/** The verified credential of an Id; `null` if it is not known. */
export type FindCredential = (id: Uint8Array) => Credential | null;

/** What all entries of an export are held against. */
export interface Bank {
  readonly origin: string;
  readonly credential: Credential;
  readonly tree: TreeHead;
}

/** Verifies receipt and place, after those of the entry before. Throws `RECORD_RECEIPT`, `RECORD_INCLUSION`. */
export function verifyPlace(
  exported: Pick<ExportedEntry, 'receipt' | 'proof'>,
  verified: VerifiedEntry,
  against: { readonly bank: Bank; readonly tagSalt: Uint8Array; readonly after: Receipt | undefined },
): Receipt {
  const { bank, tagSalt, after } = against;
  const { entry, author, hash } = verified;
  const receipt = verifyReceipt(exported.receipt, bank.credential, { origin: bank.origin, entryHash: hash });
  const covers = ({ notBefore, notAfter }: Credential): boolean =>
    receipt.time >= notBefore && receipt.time <= notAfter;
  const fits =
    equalBytes(receipt.recordId, entry.recordId) &&
    receipt.chain === entry.chain &&
    receipt.seq === entry.seq &&
    equalBytes(receipt.prev, entry.prev) &&
    receipt.outcome === 'accepted' &&
    // The author's own claim of time is no more than that; the bank's stands in the log.
    covers(author) &&
    covers(bank.credential) &&
    // One log for all: what follows in the chain follows in the log.
    (after === undefined || receipt.leafIndex > after.leafIndex) &&
    receipt.leafIndex < receipt.tree.size &&
    receipt.seq < receipt.head.size;
  if (!fits) throw new MunimentError('RECORD_RECEIPT');
  const { recordId, chain, seq } = entry;
  const leaf = { recordId, tagSalt, chain, seq, time: receipt.time, entryHash: hash };
  verifyInclusion(leaf, { index: receipt.leafIndex, proof: exported.proof }, bank.tree);
  return receipt;
}

/** Refuses a bank whose times run against its own log, over whatever chains. Throws `RECORD_CONSISTENCY`. */
export function checkTimes(receipts: readonly Receipt[]): void {
  const inLog = [...receipts].sort((a, b) => a.leafIndex - b.leafIndex);
  const rising = inLog.every(({ time }, i) => i === 0 || time >= (inLog[i - 1]?.time ?? 0));
  if (!rising) throw new MunimentError('RECORD_CONSISTENCY');
}
