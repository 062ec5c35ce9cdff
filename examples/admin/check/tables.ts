/** The tables that the chains make: each row is there, says what they say, and there are no others. */

import { equalBytes } from 'muniment/wire';
import type { Context } from './context.ts';
import { rowName, type KeyValue } from './findings.ts';
import type { Value } from './source.ts';

/** Columns by table, with how many of the first are its key. */
const DERIVED: Readonly<
  Record<string, { readonly columns: readonly string[]; readonly key: readonly string[] }>
> = {
  users: { columns: ['id', 'subject', 'credential', 'number'], key: ['id'] },
  revocations: {
    columns: ['credential', 'author', 'statement', 'heard', 'seq'],
    key: ['credential', 'statement'],
  },
  compartments: { columns: ['owner', 'number', 'record', 'statement'], key: ['owner', 'number'] },
  groups: { columns: ['name', 'epoch', 'keeper', 'statement'], key: ['name', 'epoch'] },
  records: { columns: ['id', 'owner', 'tag_salt'], key: ['id'] },
  authorities: { columns: ['record', 'seq', 'authority', 'guardians'], key: ['record', 'seq'] },
};

type Row = Readonly<Record<string, Exclude<Value, null>>>;

/** Compares all of them with what was derived. */
export async function checkDerivedTables(context: Context): Promise<void> {
  const { source, scratch, findings } = context;
  for (const [table, { columns, key }] of Object.entries(DERIVED)) {
    const where = key.map((column) => `${column} = ?`).join(' AND ');
    for await (const row of source.rows<Row>(`SELECT ${columns.join()} FROM ${table}`)) {
      findings.count(table);
      const values = key.map((column) => row[column] ?? '');
      const derived = scratch.row<Row>(`SELECT ${columns.join()} FROM ${table} WHERE ${where}`, ...values);
      if (derived === undefined) {
        findings.add(table, nameOf(row, key), 'EXTRA', 'no entry of a chain says so');
        continue;
      }
      scratch.run(`UPDATE ${table} SET found = 1 WHERE ${where}`, ...values);
      for (const column of columns)
        if (!same(row[column], derived[column]))
          findings.add(table, nameOf(row, key), 'COLUMN', `${column} is not what the chain says`);
    }
    for (const row of scratch.rows<Row>(`SELECT ${key.join()} FROM ${table} WHERE found = 0`))
      findings.add(table, nameOf(row, key), 'MISSING', 'an entry of a chain says so');
  }
}

// A statement is long and names nobody: of such a key, what comes before it is enough.
function nameOf(row: Row, key: readonly string[]): string {
  const short = key.filter((column) => column !== 'statement');
  return rowName(Object.fromEntries(short.map((column) => [column, row[column] as KeyValue])));
}

function same(a: Value | undefined, b: Value | undefined): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? equalBytes(a, b) : a === b;
}
