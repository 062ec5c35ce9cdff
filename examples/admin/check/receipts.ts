/** An entry's receipt: the bank's signature, the entry's place in its chain and in the log, and the log's state that it names. */

import { MunimentError } from 'muniment';
import { verifyReceipt, type Receipt } from 'muniment/record';
import { equalBytes, TupleReader } from 'muniment/wire';
import type { Entered } from './chains.ts';
import { claim, codeOf, type Context } from './context.ts';
import type { BankTrust } from './trust.ts';

/** Checks a receipt against its entry. Gives what it says; `null` if it is not the bank's word on this entry. */
export function checkReceipt(context: Context, entered: Entered): Receipt | null {
  const { findings, trust } = context;
  const { row, signed, hash, name } = entered;
  let receipt: Receipt;
  try {
    receipt = verifyReceipt(row.receipt, trust.bank, { origin: trust.origin, entryHash: hash });
  } catch (error) {
    findings.add('entries', name, codeOf(error), "the receipt is not the bank's word on this entry");
    return null;
  }
  findings.count('receipts');
  const { entry } = signed;
  const fits =
    equalBytes(receipt.recordId, entry.recordId) &&
    receipt.chain === entry.chain &&
    receipt.seq === entry.seq &&
    equalBytes(receipt.prev, entry.prev) &&
    receipt.outcome === 'accepted' &&
    receipt.head.size === entry.seq + 1 &&
    equalBytes(receipt.head.hash, hash);
  if (!fits) findings.add('entries', name, 'RECORD_RECEIPT', 'the receipt names another place in the chain');
  if (receipt.leafIndex !== row.leaf || receipt.tree.size !== row.leaf + 1)
    findings.add('entries', name, 'RECORD_RECEIPT', 'the receipt names another place in the log');
  if (row.time === null)
    findings.add('leaves', `position=${String(row.leaf)}`, 'MISSING', 'an entry has no leaf in the log');
  else if (receipt.time !== row.time)
    findings.add('leaves', `position=${String(row.leaf)}`, 'COLUMN', 'time is not what the receipt says');
  claim(context, receipt.tree, { table: 'entries', row: name });
  return receipt;
}

/** Reads a receipt of the bank's on whatever entry, or throws `RECORD_RECEIPT`. */
export function readReceipt(signed: Uint8Array, { bank, origin }: BankTrust): Receipt {
  return verifyReceipt(signed, bank, { origin, entryHash: entryHashIn(signed) });
}

// Where the form has it; verifying comes after, and reads the form strictly.
function entryHashIn(signed: Uint8Array): Uint8Array {
  try {
    const reader = TupleReader.labelled(TupleReader.labelled(signed, 'signed receipt').bytes(), 'receipt');
    reader.text(); // origin
    reader.bytes(); // record
    reader.text(); // chain
    reader.bytes(); // request data
    reader.bytes(); // request signature
    reader.text(); // outcome
    return reader.bytes(32);
  } catch (cause) {
    throw new MunimentError('RECORD_RECEIPT', undefined, { cause });
  }
}
