/** What a bank has signed, opened for comparison: receipts, head statements and tree heads. spec/evidence.md, "Fraud proofs". */

import { MunimentError } from '../errors.ts';
import type { Credential } from '../keys/index.ts';
import { equalBytes, TupleReader } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import { verifyCheckpoint, type LogKeys } from './checkpoint.ts';
import type { Head } from './entry.ts';
import { openHead } from './head.ts';
import type { TreeHead } from './log.ts';
import { NO_WITNESSES } from './quorum.ts';
import { openReceipt, type Receipt } from './receipt.ts';

/** Whose words they are: the bank that the anchor chartered for this origin. */
export interface Speaker {
  readonly origin: string;
  readonly anchor: Credential;
  readonly bank: Credential;
  readonly log: LogKeys;
}

/** A receipt or a head statement, by what both say. */
export interface Word {
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  readonly head: Head;
  readonly tree: TreeHead;
  readonly time: number;
  /** `null` for a head statement. */
  readonly receipt: Receipt | null;
}

/** Opens a signed receipt or head statement of the bank; throws if it is neither. */
export function openWord(signed: Uint8Array, { bank, origin }: Speaker): Word {
  const head = isHead(signed);
  const word = head ? { ...openHead(signed, bank), receipt: null } : receiptWord(openReceipt(signed, bank));
  if (word.origin !== origin) throw new MunimentError(head ? 'RECORD_HEAD' : 'RECORD_RECEIPT');
  return word;
}

/** Opens a signed receipt of an accepted entry; throws if it is something else. */
export function openAccepted(signed: Uint8Array, speaker: Speaker): Receipt {
  return openWord(signed, speaker).receipt ?? wrong();
}

/** The tree head in a checkpoint, receipt or head statement of the bank. */
export function openTree(signed: Uint8Array | string, speaker: Speaker): TreeHead {
  if (typeof signed !== 'string') return openWord(signed, speaker).tree;
  return verifyCheckpoint(signed, { log: speaker.log, witnesses: NO_WITNESSES });
}

/** Whether two words are about one chain. */
export function sameChain(a: Word, b: Word): boolean {
  return a.chain === b.chain && equalBytes(a.recordId, b.recordId);
}

/** Which hash a word gives which position of its chain. */
export function placesOf({ head, receipt }: Word): { readonly seq: number; readonly hash: Uint8Array }[] {
  const places = [{ seq: head.size - 1, hash: head.hash }];
  if (receipt !== null) {
    places.push({ seq: receipt.seq, hash: receipt.entryHash }, { seq: receipt.seq - 1, hash: receipt.prev });
  }
  return places.filter(({ seq }) => seq >= 0);
}

// What was not accepted never stood anywhere: such a receipt says nothing about chain and log.
function receiptWord(receipt: Receipt): Word & { readonly origin: string } {
  return receipt.outcome === 'accepted' ? { ...receipt, receipt } : wrong();
}

function isHead(signed: Uint8Array): boolean {
  try {
    TupleReader.labelled(signed, 'signed head');
    return true;
  } catch {
    return false;
  }
}

function wrong(): never {
  throw new MunimentError('RECORD_RECEIPT');
}
