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

/** A verified receipt, and the bank that signed it. */
export interface Placed {
  readonly receipt: Receipt;
  readonly bank: Credential;
}

/** What all entries of an export are held against. */
export interface Log {
  readonly origin: string;
  /** Any of which may have signed a receipt; at least one. */
  readonly banks: readonly Credential[];
  readonly tree: TreeHead;
}

/** Verifies receipt and place, after those of the entry before. Throws `RECORD_RECEIPT`, `RECORD_INCLUSION`. */
export function verifyPlace(
  exported: Pick<ExportedEntry, 'receipt' | 'proof'>,
  verified: VerifiedEntry,
  against: { readonly log: Log; readonly tagSalt: Uint8Array; readonly after: Placed | undefined },
): Placed {
  const { log, tagSalt, after } = against;
  const { entry, author, hash } = verified;
  const { receipt, bank } = openByAny(exported.receipt, log, { entryHash: hash, first: after?.bank });
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
    covers(bank) &&
    // One log for all: what follows in the chain follows in the log.
    (after === undefined || receipt.leafIndex > after.receipt.leafIndex) &&
    receipt.leafIndex < receipt.tree.size &&
    receipt.seq < receipt.head.size;
  if (!fits) throw new MunimentError('RECORD_RECEIPT');
  const { recordId, chain, seq } = entry;
  const leaf = { recordId, tagSalt, chain, seq, time: receipt.time, entryHash: hash };
  verifyInclusion(leaf, { index: receipt.leafIndex, proof: exported.proof }, log.tree);
  return { receipt, bank };
}

// A receipt does not name its bank. The one that signed the entry before is asked first.
function openByAny(
  signed: Uint8Array,
  { origin, banks }: Log,
  { entryHash, first }: { readonly entryHash: Uint8Array; readonly first: Credential | undefined },
): Placed {
  for (const bank of new Set(first === undefined ? banks : [first, ...banks])) {
    try {
      return { receipt: verifyReceipt(signed, bank, { origin, entryHash }), bank };
    } catch {
      continue;
    }
  }
  throw new MunimentError('RECORD_RECEIPT');
}

/**
 * Refuses a bank whose receipts, over whatever chains, contradict each other or the log: a larger log than this one, two
 * logs of one size, or times that run against it. Throws `RECORD_CONSISTENCY`.
 */
export function checkStatedLogs(receipts: readonly Receipt[], tree: TreeHead): void {
  const roots = new Map([[tree.size, tree.root]]);
  const inLog = [...receipts].sort((a, b) => a.leafIndex - b.leafIndex);
  for (const [i, { time, tree: stated }] of inLog.entries()) {
    const root = roots.get(stated.size) ?? stated.root;
    roots.set(stated.size, root);
    const fits =
      stated.size <= tree.size && equalBytes(stated.root, root) && time >= (inLog[i - 1]?.time ?? 0);
    if (!fits) throw new MunimentError('RECORD_CONSISTENCY');
  }
}
