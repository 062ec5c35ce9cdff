/** Every chain, entry by entry: form, link, author, right, receipt, request and payload; what follows from it is kept for the rest of the check. */

import {
  byRole,
  ChainError,
  decodeSignedEntry,
  directoryId,
  EMPTY_CHAIN,
  hashEntry,
  startOf,
  verifyEntry,
  type ChainName,
  type Head,
  type SignedEntry,
} from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import { checkAccess } from './accesses.ts';
import { checkAskedFor } from './asked-for.ts';
import { checkContent, keepTarget } from './contents.ts';
import { codeOf, type Context } from './context.ts';
import { checkCreation } from './creations.ts';
import { checkDirectoryEntry } from './directory.ts';
import { rowName } from './findings.ts';
import { checkPayload } from './payloads.ts';
import { checkReceipt } from './receipts.ts';
import { mayWriteDirectory, mayWriteRecord } from './rights.ts';
import { followStatements, NOTHING_STATED, type Stated } from './statements.ts';

/** An entry's row, its leaf's time, and its payload; the latter two are `null` if they are not there. */
export interface EntryRow {
  readonly record: Uint8Array;
  readonly chain: ChainName;
  readonly seq: number;
  readonly entry: Uint8Array;
  readonly hash: Uint8Array;
  readonly receipt: Uint8Array;
  readonly leaf: number;
  readonly annexes: Uint8Array;
  readonly attachments: Uint8Array;
  readonly session: Uint8Array;
  readonly time: number | null;
  readonly payload: Uint8Array | null;
}

/** An entry under check: its row, what it says, and how findings name it. */
export interface Entered {
  readonly row: EntryRow;
  readonly signed: SignedEntry;
  readonly hash: Uint8Array;
  readonly name: string;
}

const ENTRIES = `
  SELECT e.record, e.chain, e.seq, e.entry, e.hash, e.receipt, e.leaf, e.annexes, e.attachments, e.session,
    l.time, p.bytes AS payload
  FROM entries e
  LEFT JOIN leaves l ON l.position = e.leaf
  LEFT JOIN payloads p ON p.record = e.record AND p.chain = e.chain AND p.seq = e.seq`;

/** Checks all chains; the directory's first, since it says who everybody is. */
export async function checkChains(context: Context): Promise<void> {
  const directory = directoryId(context.trust.origin);
  for (const is of ['=', '<>']) {
    const walk = new Walk(context, is === '=');
    const sql = `${ENTRIES} WHERE e.record ${is} ? ORDER BY e.record, e.chain, e.seq`;
    for await (const row of context.source.rows<EntryRow>(sql, directory)) await walk.take(row);
  }
}

/** A walk through chains, one after another. */
class Walk {
  readonly #context: Context;
  readonly #directory: boolean;
  #chain = '';
  #head: Head = EMPTY_CHAIN;
  #leaf = -1;
  #said: Stated | null = NOTHING_STATED;

  constructor(context: Context, directory: boolean) {
    [this.#context, this.#directory] = [context, directory];
  }

  async take(row: EntryRow): Promise<void> {
    const { findings } = this.#context;
    const { record, chain, seq } = row;
    findings.count('entries');
    const key = `${toHex(record)} ${chain}`;
    if (key !== this.#chain) {
      [this.#chain, this.#head, this.#leaf] = [key, EMPTY_CHAIN, -1];
      this.#said = NOTHING_STATED;
    }
    const name = rowName({ record, chain, seq });
    let signed: SignedEntry;
    try {
      signed = decodeSignedEntry(row.entry);
    } catch (error) {
      findings.add('entries', name, codeOf(error), 'the entry cannot be read');
      this.#head = { size: seq + 1, hash: row.hash };
      return;
    }
    const hash = hashEntry(signed);
    const entered: Entered = { row, signed, hash, name };
    const payload = checkPayload(this.#context, entered);
    this.#checkColumns(entered);
    this.#checkPlace(entered);
    this.#head = { size: signed.entry.seq + 1, hash };
    const receipt = checkReceipt(this.#context, entered);
    await checkAskedFor(this.#context, entered, receipt);
    const content = !this.#directory && chain === 'content';
    if (content) this.#said = followStatements(this.#context, entered, payload, this.#said);
    if (payload !== null) await this.#checkStated(entered, payload);
    if (content) keepTarget(this.#context, entered);
  }

  async #checkStated(entered: Entered, payload: Uint8Array): Promise<void> {
    if (entered.signed.entry.kind === 'create') checkCreation(this.#context, entered, payload);
    else if (this.#directory) checkDirectoryEntry(this.#context, entered, payload);
    else if (entered.row.chain === 'access') await checkAccess(this.#context, entered, payload);
    else checkContent(this.#context, entered, payload);
  }

  #checkColumns({ row, signed: { entry }, hash, name }: Entered): void {
    const { findings } = this.#context;
    const wrong = (column: string): void => {
      findings.add('entries', name, 'COLUMN', `${column} is not what the entry says`);
    };
    if (!equalBytes(row.record, entry.recordId)) wrong('record');
    if (row.chain !== entry.chain) wrong('chain');
    if (row.seq !== entry.seq) wrong('seq');
    if (!equalBytes(row.hash, hash)) wrong('hash');
    if (row.leaf <= this.#leaf) wrong('leaf');
    this.#leaf = row.leaf;
  }

  // Link, author, standing and right, as every reader judges them, but by the time at which the log took the entry.
  #checkPlace({ row, signed, name }: Entered): void {
    const { trust, people, findings } = this.#context;
    const { record, chain, leaf } = row;
    const rule = byRole(this.#directory ? mayWriteDirectory : mayWriteRecord);
    const authors = (id: Uint8Array) => people.standing(id, { leaf, time: row.time ?? signed.entry.time });
    try {
      const rules = { origin: trust.origin, recordId: record, chain, authors, rule };
      const { entry } = verifyEntry(signed, rules, { ...startOf(rule), head: this.#head });
      if (entry.standing === 'doubtful')
        findings.add('entries', name, 'RECORD_AUTHOR', "its author's key was in doubt when it was taken");
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      findings.add('entries', name, error.code, 'it cannot stand where it stands');
    }
  }
}
