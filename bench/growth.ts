/** What a conversation leaves in the bank's tables: bytes of its columns, without what the engine adds. */

import path from 'node:path';
import SQLite from 'better-sqlite3';
import { SQLITE_FILE } from '../examples/server/store/sqlite.ts';
import type { BankAtWork } from './bank-at-work.ts';

const TIMES = 4;

/** Bytes that a deed leaves by table, and of all of them together, in a bank on SQLite. */
export async function measureGrowth(
  { world }: BankAtWork,
  deed: { readonly run: () => Promise<void>; readonly each?: number },
): Promise<Record<string, number>> {
  const file = path.join(world.serverFolder, 'data', SQLITE_FILE);
  const database = new SQLite(file, { readonly: true });
  try {
    const before = sizes(database);
    for (let time = 0; time < TIMES; time += 1) await deed.run();
    const grown = [...sizes(database)].map(
      ([table, size]) => [table, (size - (before.get(table) ?? 0)) / (TIMES * (deed.each ?? 1))] as const,
    );
    const all = grown.reduce((sum, [, size]) => sum + size, 0);
    return { all, ...Object.fromEntries(grown.filter(([, size]) => size > 0)) };
  } finally {
    database.close();
  }
}

function sizes(database: SQLite.Database): Map<string, number> {
  const named = (text: string) =>
    (database.prepare(text).all() as { name: string }[]).map(({ name }) => name);
  const tables = named("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
  return new Map(
    tables.map((table) => {
      const columns = named(`SELECT name FROM pragma_table_info('${table}')`);
      const lengths = columns.map((column) => `ifnull(length("${column}"), 0)`).join(' + ');
      const row = database.prepare(`SELECT ifnull(sum(${lengths}), 0) AS size FROM "${table}"`).get();
      return [table, (row as { size: number }).size];
    }),
  );
}
