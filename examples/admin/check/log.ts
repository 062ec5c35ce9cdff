/**
 * The log: its leaves are those of the entries, one each, and every state of it that the bank ever signed and that is
 * kept anywhere is a prefix of what is stored.
 */

import { MunimentError } from 'muniment';
import { verifyConsistency } from 'muniment/record';
import { equalBytes, fromBase64url, tuple } from 'muniment/wire';
import { createHash } from 'node:crypto';
import { codeOf, type Context } from './context.ts';
import { GrowingTree } from './tree.ts';

/** The log's state as it is stored. */
export interface StoredTree {
  readonly size: number;
  readonly root: Uint8Array;
}

interface LeafRow {
  readonly position: number;
  readonly leaf: Uint8Array;
  readonly time: number;
  readonly record: Uint8Array | null;
  readonly chain: string;
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** Keeps a proof that one signed state extends another, to be verified once the log was read. */
export function claimExtension(
  { scratch }: Context,
  {
    older,
    newer,
    proof,
  }: {
    readonly older: number;
    readonly newer: StoredTree;
    readonly proof: readonly string[];
  },
  where: { readonly table: string; readonly row: string },
): void {
  const row = { older, newer: newer.size, root: newer.root, proof: JSON.stringify(proof) };
  scratch.add('extensions', { ...row, place: where.table, row: where.row });
}

/** Reads all leaves, and holds entries and signed words against them. Gives the log's state. */
export async function checkLog(context: Context): Promise<StoredTree> {
  const { source, findings, scratch } = context;
  scratch.run('CREATE INDEX claims_size ON claims (size)');
  scratch.run('INSERT OR IGNORE INTO roots (size) SELECT older FROM extensions');
  const tree = new GrowingTree();
  const words = new Words(context, tree);
  words.compare();
  const rows = source.rows<LeafRow>(
    `SELECT l.position, l.leaf, l.time, e.record, e.chain, e.seq, e.hash
     FROM leaves l LEFT JOIN entries e ON e.leaf = l.position ORDER BY l.position`,
  );
  let time = 0;
  let whole = true;
  for await (const row of rows) {
    findings.count('leaves');
    const name = `position=${String(row.position)}`;
    if (whole && row.position !== tree.size) {
      findings.add('leaves', `position=${String(tree.size)}`, 'MISSING', 'the log has a gap');
      whole = false; // all that follows stands at other places than it did
    }
    if (row.time < time) findings.add('leaves', name, 'COLUMN', 'time is before that of an earlier leaf');
    time = row.time;
    if (row.record === null) findings.add('leaves', name, 'EXTRA', 'no entry stands there');
    else checkLeaf(context, row, row.record, name);
    tree.add(row.leaf);
    words.compare();
  }
  words.end();
  checkExtensions(context);
  return { size: tree.size, root: tree.root() };
}

// The leaf as spec/record.md has it, from the entry, the record's salt and the stated time.
function checkLeaf({ scratch, findings }: Context, row: LeafRow, record: Uint8Array, name: string): void {
  const salt = scratch.row<{ tag_salt: Uint8Array }>('SELECT tag_salt FROM records WHERE id = ?', record);
  if (salt === undefined) {
    findings.add('leaves', name, 'RECORD_INCLUSION', 'its record has no creation that opens it');
    return;
  }
  const tag = hash(tuple('log tag', record, new Uint8Array(salt.tag_salt), row.chain, row.seq));
  if (!equalBytes(hash(tuple('log leaf', tag, row.time, row.hash)), row.leaf))
    findings.add('leaves', name, 'RECORD_INCLUSION', 'it is not that of its entry and time');
}

/** What was signed of the log's states, in the order of their sizes. */
class Words {
  readonly #context: Context;
  readonly #tree: GrowingTree;
  #wrong = 0;

  constructor(context: Context, tree: GrowingTree) {
    [this.#context, this.#tree] = [context, tree];
  }

  /** Compares the words on the log as it is now. */
  compare(): void {
    const { scratch, findings } = this.#context;
    const { size } = this.#tree;
    const wanted = scratch.row('SELECT size FROM roots WHERE size = ?', size) !== undefined;
    const words = scratch.all<{ root: Uint8Array; place: string; row: string }>(
      'SELECT root, place, row FROM claims WHERE size = ?',
      size,
    );
    if (!wanted && words.length === 0) return;
    const root = this.#tree.root();
    if (wanted) scratch.run('UPDATE roots SET root = ? WHERE size = ?', root, size);
    for (const word of words) {
      findings.count('signed states of the log');
      if (!equalBytes(word.root, root)) this.#refuse(word, 'it states another root than the stored log has');
    }
  }

  /** Refuses the words on a longer log than there is. */
  end(): void {
    const { scratch, findings } = this.#context;
    const longer = scratch.rows<{ size: number; place: string; row: string }>(
      'SELECT size, place, row FROM claims WHERE size > ? ORDER BY size',
      this.#tree.size,
    );
    for (const { size, place, row } of longer) {
      findings.count('signed states of the log');
      this.#refuse({ place, row }, `it states a log of ${String(size)} leaves, and fewer are stored`);
    }
    if (this.#wrong > SHOWN)
      findings.add('leaves', '*', 'ROOT', `${String(this.#wrong - SHOWN)} more signed states do not fit`);
  }

  // One leaf that was changed makes all that follow wrong.
  #refuse({ place, row }: { place: string; row: string }, detail: string): void {
    this.#wrong++;
    if (this.#wrong <= SHOWN) this.#context.findings.add(place, row, 'ROOT', detail);
  }
}

/** Wrong words that are named. */
const SHOWN = 10;

function checkExtensions({ scratch, findings }: Context): void {
  interface Extension {
    readonly older: number;
    readonly newer: number;
    readonly root: Uint8Array;
    readonly proof: string;
    readonly place: string;
    readonly row: string;
    readonly known: Uint8Array | null;
  }
  const rows = scratch.rows<Extension>(
    'SELECT e.*, r.root AS known FROM extensions e LEFT JOIN roots r ON r.size = e.older',
  );
  for (const { older, newer, root, proof, place, row, known } of rows) {
    findings.count('consistency proofs');
    try {
      if (known === null) throw new MunimentError('RECORD_CONSISTENCY');
      const hashes = (JSON.parse(proof) as string[]).map(fromBase64url);
      verifyConsistency({ size: older, root: known }, { size: newer, root }, hashes);
    } catch (error) {
      findings.add(place, row, codeOf(error), 'its proof of consistency does not hold');
    }
  }
}

function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
