/** What the bank's replies say of chains and log, wherever one is kept: checkpoints, heads, receipts with their proofs. */

import { MunimentError } from 'muniment';
import {
  EMPTY_CHAIN,
  sameHead,
  verifyCheckpoint,
  verifyHead,
  verifyInclusion,
  type ChainName,
  type TreeHead,
} from 'muniment/record';
import { equalBytes, fromBase64url } from 'muniment/wire';
import { z } from 'zod';
import type { RequestText } from './asked.ts';
import { claim, codeOf, type Context } from './context.ts';
import { claimExtension } from './log.ts';
import { readReceipt } from './receipts.ts';

const receipted = z.object({ receipt: z.string(), proof: z.array(z.string()) });
/** The parts of replies that are looked at, in any of them. */
const form = z.object({
  checkpoint: z.string().optional(),
  consistency: z.array(z.string()).optional(),
  /** Of an append. */
  receipts: z.array(receipted).optional(),
  /** Of a break-glass. */
  receipt: receipted.optional(),
  /** Of a read its own entry, of a head statement about the accesses. */
  access: z.union([receipted, z.string()]).nullish(),
  head: z.string().optional(),
  content: z.string().optional(),
});

/** Where something was said. */
export interface Where {
  readonly table: string;
  readonly row: string;
}

/** Checks what the bank's reply to a request says of chains and log. */
export async function checkSaid(
  context: Context,
  text: string,
  request: RequestText,
  where: Where,
): Promise<void> {
  try {
    const said = form.parse(JSON.parse(text));
    if (said.checkpoint === undefined) return;
    const tree = checkCheckpoint(context, said.checkpoint, where);
    // A page of an older size proves nothing of what its asker has seen since.
    const older = Math.min(request.seenSize ?? 0, tree.size);
    if (said.consistency !== undefined)
      claimExtension(context, { older, newer: tree, proof: said.consistency }, where);
    const { receipts = [], receipt, access, head, content } = said;
    const receipted = [...receipts, receipt, typeof access === 'string' ? null : access];
    for (const one of receipted) if (one) await checkReceipted(context, one, tree);
    const accesses = typeof access === 'string' ? access : undefined;
    const recordId = fromBase64url(request.recordId ?? '');
    for (const [signed, chain] of [
      [head, request.chain ?? 'content'],
      [content, 'content'],
      [accesses, 'access'],
    ] as const)
      if (signed !== undefined) await checkHead(context, signed, { recordId, chain }, where);
  } catch (error) {
    const { table, row } = where;
    context.findings.add(table, row, codeOf(error), 'what it says of chains and log does not hold');
  }
}

/** Verifies a checkpoint's lines, and keeps its state to be held against the log. */
export function checkCheckpoint(context: Context, checkpoint: string, where: Where): TreeHead {
  const { trust, findings } = context;
  const witnesses = { witnesses: trust.witnesses, threshold: 0 };
  const tree = verifyCheckpoint(checkpoint, { log: trust.log, witnesses });
  findings.count('checkpoints');
  claim(context, tree, where);
  return tree;
}

// A receipt that was handed out is about the entry that stands in its place, and its proof leads there.
async function checkReceipted(
  { trust, source, scratch, findings }: Context,
  { receipt: text, proof }: z.output<typeof receipted>,
  tree: TreeHead,
): Promise<void> {
  const receipt = readReceipt(fromBase64url(text), trust);
  const { leafIndex: index, recordId, chain, seq, time, entryHash } = receipt;
  const entry = await source.row<{ hash: Uint8Array }>('SELECT hash FROM entries WHERE leaf = ?', index);
  const record = scratch.row<{ tag_salt: Uint8Array }>('SELECT tag_salt FROM records WHERE id = ?', recordId);
  if (entry === undefined || record === undefined || !equalBytes(entry.hash, entryHash))
    throw new MunimentError('RECORD_RECEIPT');
  const tagSalt = new Uint8Array(record.tag_salt);
  const opening = { recordId, tagSalt, chain, seq, time, entryHash };
  findings.count('receipts in replies');
  // What is shown at an older size of the log has no place there for what came after.
  if (index >= tree.size && proof.length === 0) return;
  verifyInclusion(opening, { index, proof: proof.map((hash) => fromBase64url(hash)) }, tree);
}

// With the log at that size, the chain ended there.
async function checkHead(
  context: Context,
  signed: string,
  { recordId, chain }: { readonly recordId: Uint8Array; readonly chain: ChainName },
  where: Where,
): Promise<void> {
  const { trust, source, findings } = context;
  const about = { origin: trust.origin, recordId, chain };
  const { head, tree, time } = verifyHead(fromBase64url(signed), trust.bank, about);
  claim(context, tree, where);
  const last = await source.row<{ seq: number; hash: Uint8Array }>(
    'SELECT seq, hash FROM entries WHERE record = ? AND chain = ? AND leaf < ? ORDER BY seq DESC LIMIT 1',
    recordId,
    chain,
    tree.size,
  );
  const stood = last === undefined ? EMPTY_CHAIN : { size: last.seq + 1, hash: last.hash };
  const leaf = await source.row<{ time: number }>(
    'SELECT time FROM leaves WHERE position = ?',
    tree.size - 1,
  );
  if (!sameHead(stood, head) || (leaf?.time ?? 0) !== time) throw new MunimentError('RECORD_HEAD');
  findings.count('heads');
}
