/** What others hold of the bank's signed words: a checkpoint from a witness or a client, and the receipts in clients' wallets. */

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { equalBytes, fromBase64url } from 'muniment/wire';
import { readText } from '../../client/cli/files.ts';
import { claim, codeOf, type Context } from './context.ts';
import { rowName } from './findings.ts';
import { readReceipt } from './receipts.ts';
import { checkCheckpoint } from './said.ts';

/** Signed words of the bank's, and where they come from. */
export interface Outside {
  readonly checkpoints: readonly { readonly text: string; readonly from: string }[];
  readonly receipts: readonly { readonly text: string; readonly from: string }[];
}

/** Nothing. */
export const NOTHING_OUTSIDE: Outside = { checkpoints: [], receipts: [] };

/**
 * Reads files of checkpoints, and files or wallets with receipts.
 *
 * @throws `CliError` for a file that cannot be read
 */
export function readOutside(checkpoints: readonly string[], receipts: readonly string[]): Outside {
  return {
    checkpoints: checkpoints.map((from) => ({ text: readText(from), from })),
    receipts: receipts.map(receiptsFile).flatMap((from) => {
      const lines = readText(from).split('\n');
      return lines
        .filter((line) => line !== '')
        .map((text, i) => ({ text, from: `${from}:${String(i + 1)}` }));
    }),
  };
}

/** Holds the bank against what others hold. */
export async function checkOutside(context: Context, { checkpoints, receipts }: Outside): Promise<void> {
  const { findings } = context;
  for (const { text, from } of checkpoints) {
    try {
      checkCheckpoint(context, text, { table: 'outside', row: from });
    } catch (error) {
      findings.add('outside', from, codeOf(error), "it is no checkpoint of this bank's log");
    }
  }
  for (const { text, from } of receipts) {
    findings.count('receipts from outside');
    try {
      await checkHeld(context, fromBase64url(text), from);
    } catch (error) {
      findings.add('outside', from, codeOf(error), 'it is no receipt of this bank');
    }
  }
}

async function checkHeld(context: Context, signed: Uint8Array, from: string): Promise<void> {
  const { source, findings, trust } = context;
  const { recordId: record, chain, seq, entryHash, leafIndex, tree } = readReceipt(signed, trust);
  claim(context, tree, { table: 'outside', row: from });
  const entry = await source.row<{ hash: Uint8Array; leaf: number }>(
    'SELECT hash, leaf FROM entries WHERE record = ? AND chain = ? AND seq = ?',
    record,
    chain,
    seq,
  );
  const name = rowName({ record, chain, seq });
  if (entry === undefined) findings.add('entries', name, 'MISSING', `${from} is its receipt`);
  else if (!equalBytes(entry.hash, entryHash) || entry.leaf !== leafIndex)
    findings.add('entries', name, 'RECEIPT_HELD', `${from} is the receipt of another entry in its place`);
}

// A wallet has its receipts in a file of that name.
function receiptsFile(file: string): string {
  const within = path.join(file, 'receipts');
  return existsSync(file) && statSync(file).isDirectory() ? within : file;
}
