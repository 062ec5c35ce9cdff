/** A stored log as a backup states it: its size and root, and the newest signed checkpoint that is stored with it. */

import { verifyCheckpoint } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import { z } from 'zod';
import { CliError } from '../../client/cli/error.ts';
import { readEvidence } from '../check/asked.ts';
import type { Source } from '../check/source.ts';
import { GrowingTree } from '../check/tree.ts';
import type { BankTrust } from '../check/trust.ts';

/** A state of a log. */
export interface LogState {
  readonly size: number;
  readonly root: Uint8Array;
}

/** What is stored of a log. */
export interface StoredLog extends LogState {
  /** The newest checkpoint that the bank has given anybody; `null` if it has given none. */
  readonly checkpoint: string | null;
}

/** Candidates for the newest checkpoint: if one is not what it says, the next is looked at. */
const CANDIDATES = 8;
const saying = z.object({ checkpoint: z.string() });

/** Reads a stored log. Throws `CliError` if it is not that which the bank has signed. */
export async function readLog(source: Source, trust: BankTrust): Promise<StoredLog> {
  const newest = await newestCheckpoint(source, trust);
  const tree = new GrowingTree();
  const compare = (): void => {
    if (newest?.size === tree.size && !equalBytes(newest.root, tree.root()))
      throw new CliError('the stored log is not that which the bank has signed: run `check`');
  };
  compare();
  for await (const { position, leaf } of source.rows<{ position: number; leaf: Uint8Array }>(
    'SELECT position, leaf FROM leaves ORDER BY position',
  )) {
    if (position !== tree.size) throw new CliError('the stored log has a gap: run `check`');
    tree.add(leaf);
    compare();
  }
  if (newest !== null && newest.size > tree.size)
    throw new CliError('the stored log is shorter than the bank has signed: run `check`');
  return { size: tree.size, root: tree.root(), checkpoint: newest?.text ?? null };
}

/** Verifies a checkpoint under the log's chartered keys; its witnesses' lines may be there or not. */
export function verifyOwnCheckpoint(text: string, { log, witnesses }: BankTrust): LogState {
  return verifyCheckpoint(text, { log, witnesses: { witnesses, threshold: 0 } });
}

interface Candidate {
  readonly size: number;
  readonly text: string;
}

async function newestCheckpoint(source: Source, trust: BankTrust): Promise<(Candidate & LogState) | null> {
  let candidates: Candidate[] = [];
  for await (const { evidence } of source.rows<{ evidence: Uint8Array }>('SELECT evidence FROM replies')) {
    const candidate = candidateIn(evidence);
    if (candidate === null || candidates.some(({ size }) => size === candidate.size)) continue;
    candidates = [...candidates, candidate].sort((a, b) => b.size - a.size).slice(0, CANDIDATES);
  }
  for (const { text } of candidates) {
    try {
      const { size, root } = verifyOwnCheckpoint(text, trust);
      return { size, root, text };
    } catch {
      // `check` says so; here the next one stands for it.
    }
  }
  return null;
}

// Not verified: the checkpoint itself is.
function candidateIn(evidence: Uint8Array): Candidate | null {
  try {
    const { checkpoint: text } = saying.parse(JSON.parse(readEvidence(evidence).data));
    const size = Number(text.split('\n')[1]);
    return Number.isSafeInteger(size) ? { size, text } : null;
  } catch {
    return null; // a refusal, or an answer that says nothing of the log
  }
}
