/** What whoever owns the machine may do to each table and column of a bank. */

import { directoryId } from 'muniment/record';
import { decodeSealed } from 'muniment/views';
import type { Owner } from './owner.ts';

/** A change, and in which table it must be found. */
export interface Tampering {
  readonly name: string;
  readonly found: string;
  readonly apply: (owner: Owner) => Promise<void>;
}

type Row = Readonly<Record<string, Uint8Array | string | number>>;

/** Columns by table, with those of its key, and a row that is worth changing: the first of that condition. */
const COLUMNS: Readonly<Record<string, { key: string[]; others: string[]; where?: string }>> = {
  users: { key: ['id'], others: ['subject', 'credential', 'number'] },
  revocations: { key: ['credential'], others: ['author', 'statement', 'heard', 'seq'] },
  compartments: { key: ['owner', 'number'], others: ['record', 'statement'] },
  groups: { key: ['name', 'epoch'], others: ['keeper', 'statement'] },
  records: { key: ['id'], others: ['owner', 'tag_salt'] },
  leaves: { key: ['position'], others: ['leaf', 'time'] },
  entries: {
    key: ['record', 'chain', 'seq'],
    others: ['entry', 'hash', 'receipt', 'leaf', 'annexes', 'attachments', 'session'],
    where: 'length(annexes) > 0',
  },
  payloads: { key: ['record', 'chain', 'seq'], others: ['bytes'] },
  attachments: { key: ['digest'], others: ['bytes'] },
  requests: {
    key: ['number'],
    others: ['issuer', 'subject', 'id', 'session', 'author', 'digest', 'evidence', 'type'],
  },
  repeats: { key: ['session'], others: ['request', 'evidence'] },
  outcomes: { key: ['request'], others: ['reply'] },
  pending: { key: ['request', 'position'], others: ['bytes'] },
  replies: { key: ['session'], others: ['evidence'] },
};

/** One change of every column of every table that says something. */
export function columnTamperings(): Tampering[] {
  return Object.entries(COLUMNS).flatMap(([table, { key, others, where }]) =>
    [...key, ...others].map((column) => ({
      name: `${table}.${column} is changed`,
      // PostgreSQL leaves numbers out by itself: it shows by the outcome, which then names no request.
      found: table === 'requests' && column === 'number' ? 'outcomes' : table,
      apply: async (owner: Owner): Promise<void> => {
        const row = await first(owner, table, { key, where, column });
        const same = key.map((name) => `${name} = ?`).join(' AND ');
        const values = key.map((name) => row[name]!);
        await owner.run(`UPDATE ${table} SET ${column} = ? WHERE ${same}`, changed(row[column]!), ...values);
      },
    })),
  );
}

/** One row taken away from every table where that can be seen. */
export function deletions(): Tampering[] {
  const tables = [
    ...['users', 'revocations', 'compartments', 'groups', 'records', 'leaves', 'entries', 'payloads'],
    ...['attachments', 'requests', 'repeats', 'outcomes', 'pending', 'replay_floor'],
  ];
  return tables.map((table) => ({
    name: `a row of ${table} is deleted`,
    // What is gone shows by what it leaves behind: a reply that nobody asked for, a leaf without an entry.
    found: { requests: 'replies', repeats: 'replies', entries: 'leaves' }[table] ?? table,
    apply: async (owner: Owner): Promise<void> => {
      const { key = ['one'], where } = COLUMNS[table] ?? {};
      const row = await first(owner, table, { key, where, column: key[0]! });
      const same = key.map((name) => `${name} = ?`).join(' AND ');
      await owner.run(`DELETE FROM ${table} WHERE ${same}`, ...key.map((name) => row[name]!));
    },
  }));
}

/** What takes more than one statement, or thought. */
export function otherTamperings(origin: string): Tampering[] {
  const other = (name: string, found: string, ...statements: [string, ...Uint8Array[]][]): Tampering => ({
    name,
    found,
    apply: async (owner) => {
      for (const [sql, ...values] of statements) await owner.run(sql, ...values);
    },
  });
  const zeros = new Uint8Array(32);
  return [
    other('every payload of a record is deleted', 'payloads', [
      "DELETE FROM payloads WHERE chain = 'content' AND record <> ?",
      directoryId(origin),
    ]),
    {
      name: 'a sealed field is changed',
      found: 'payloads',
      apply: async (owner) => {
        const [row] = await sealedPayloads(owner);
        const { classes } = decodeSealed(row!.bytes);
        const bytes = row!.bytes.slice();
        const at = Buffer.from(bytes).indexOf(classes[0]!.ciphertext);
        bytes[at] = bytes[at]! ^ 1;
        await replacePayload(owner, row!, bytes);
      },
    },
    other('a user is slipped in', 'users', [
      "INSERT INTO users (id, subject, credential, number) SELECT ?, 'intruder', credential, 0 FROM users LIMIT 1",
      zeros,
    ]),
    other('an attachment is slipped in', 'attachments', [
      'INSERT INTO attachments VALUES (?, ?)',
      zeros,
      zeros,
    ]),
    other('a payload is slipped in', 'payloads', [
      "INSERT INTO payloads SELECT record, chain, 9999, bytes FROM payloads WHERE seq = 0 AND chain = 'content'",
    ]),
    other('an outcome is slipped in', 'outcomes', ["INSERT INTO outcomes VALUES (9999, '')"]),
    other('a document is slipped in', 'pending', ['INSERT INTO pending VALUES (1, 7, ?)', zeros]),
    other('a leaf is slipped in', 'leaves', [
      'INSERT INTO leaves SELECT max(position) + 1, ?, max(time) FROM leaves',
      zeros,
    ]),
    other('a reply is slipped in', 'replies', [
      'INSERT INTO replies SELECT ?, evidence FROM replies LIMIT 1',
      zeros,
    ]),
    other(
      'the newest entry is taken back everywhere',
      'replies',
      [
        'DELETE FROM payloads WHERE EXISTS (SELECT 1 FROM entries e WHERE e.record = payloads.record AND e.chain = payloads.chain AND e.seq = payloads.seq AND e.leaf = (SELECT max(leaf) FROM entries))',
      ],
      ['DELETE FROM entries WHERE leaf = (SELECT max(position) FROM leaves)'],
      ['DELETE FROM leaves WHERE position = (SELECT max(position) FROM leaves)'],
    ),
    other(
      'two entries change places',
      'entries',
      ["UPDATE entries SET seq = seq + 1000 WHERE chain = 'access' AND seq IN (1, 2)"],
      ["UPDATE entries SET seq = 1003 - seq WHERE chain = 'access' AND seq > 1000"],
    ),
    other('a first message is older than the floor', 'first_messages', [
      'UPDATE replay_floor SET time = (SELECT max(time) FROM first_messages)',
    ]),
    other('a first message has no digest', 'first_messages', [
      'UPDATE first_messages SET digest = ? WHERE digest = (SELECT min(digest) FROM first_messages)',
      zeros.subarray(1),
    ]),
    other('a cosignature is of a size that never was', 'cosignatures', [
      'UPDATE cosignatures SET size = size + 1000000 WHERE size = (SELECT max(size) FROM cosignatures)',
    ]),
    other('a cosignature is no line of a note', 'cosignatures', ["UPDATE cosignatures SET line = '— —'"]),
    other("a cosignature is another witness's", 'cosignatures', [
      "UPDATE cosignatures SET witness = 'other.example+00000000+AQ==' WHERE witness = (SELECT max(witness) FROM cosignatures)",
    ]),
    other('the floor is another row', 'replay_floor', ['UPDATE replay_floor SET one = 2']),
    other('a table is added', 'shadows', ['CREATE TABLE shadows (one integer)']),
    other('a table is taken away', 'repeats', ['DROP TABLE repeats']),
  ];
}

/** What no check finds, by itself: docs/administration.md says so, and what helps. */
export function hiddenTamperings(): Pick<Tampering, 'name' | 'apply'>[] {
  const newest = 'SELECT max(number) FROM requests';
  const hidden = (name: string, ...statements: string[]): Pick<Tampering, 'name' | 'apply'> => ({
    name,
    apply: async (owner) => {
      for (const sql of statements) await owner.run(sql);
    },
  });
  return [
    hidden('a reply is deleted', 'DELETE FROM replies WHERE session = (SELECT min(session) FROM replies)'),
    hidden(
      'a first message is forgotten',
      'DELETE FROM first_messages WHERE digest = (SELECT min(digest) FROM first_messages)',
    ),
    hidden(
      'the newest request is deleted with its documents, before it was executed',
      `DELETE FROM pending WHERE request = (${newest})`,
      `DELETE FROM requests WHERE number = (${newest})`,
    ),
    {
      name: "a reader's wrap in a sealed document is changed",
      apply: async (owner) => {
        const [row] = await sealedPayloads(owner);
        const { wraps } = decodeSealed(row!.bytes);
        const bytes = row!.bytes.slice();
        const at = Buffer.from(bytes).indexOf(wraps[0]!.ciphertext);
        bytes[at] = bytes[at]! ^ 1;
        await replacePayload(owner, row!, bytes);
      },
    },
  ];
}

interface PayloadRow {
  readonly record: Uint8Array;
  readonly seq: number;
  readonly bytes: Uint8Array;
}

async function sealedPayloads({ source }: Owner): Promise<PayloadRow[]> {
  const rows = [];
  for await (const row of source.rows<PayloadRow>(
    "SELECT record, seq, bytes FROM payloads WHERE chain = 'content' ORDER BY record, seq",
  ))
    if (Buffer.from(row.bytes.subarray(0, 40)).includes('sealed body')) rows.push(row);
  return rows;
}

function replacePayload(owner: Owner, { record, seq }: PayloadRow, bytes: Uint8Array): Promise<void> {
  return owner.run(
    "UPDATE payloads SET bytes = ? WHERE record = ? AND chain = 'content' AND seq = ?",
    bytes,
    record,
    seq,
  );
}

async function first(
  { source }: Owner,
  table: string,
  { key, where, column }: { key: string[]; where: string | undefined; column: string },
): Promise<Row> {
  const columns = [...new Set([...key, column])].join();
  const condition = where === undefined ? '' : `WHERE ${where}`;
  const row = await source.row<Row>(
    `SELECT ${columns} FROM ${table} ${condition} ORDER BY ${key.join()} LIMIT 1`,
  );
  if (row === undefined) throw new Error(`there is nothing in ${table} to be changed`);
  return row;
}

// Another value of the same kind.
function changed(value: Uint8Array | string | number): Uint8Array | string | number {
  if (typeof value === 'number') return value + 5000;
  if (typeof value === 'string') return `${value}x`;
  if (value.length === 0) return new Uint8Array(32);
  // Towards the end: what comes earlier in a sealed document is for its readers, who alone can judge it.
  const at = Math.floor(value.length * 0.95);
  return value.map((byte, i) => (i === at ? byte ^ 1 : byte));
}
