/** The bank's tables as a backup carries them: all of them, whatever the migrations have made, row after row. */

import type SQLite from 'better-sqlite3';
import { CliError } from '../../client/cli/error.ts';
import type { Source, Value } from '../check/source.ts';

/** A table, and its columns in their order. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

/** A row of any table. */
export type Row = Readonly<Record<string, Value>>;

/** The one table that is never empty, and the one row of which is changed. */
export const REPLAY_FLOOR = 'replay_floor';

/** The bank's own tables in an SQLite file; those of the migration library are not. */
export function tablesOf(database: SQLite.Database): Table[] {
  const names = database
    .prepare<[], string>(
      `SELECT name FROM sqlite_master
       WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'kysely\\_%' ESCAPE '\\' ORDER BY name`,
    )
    .pluck()
    .all();
  const columns = database.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck();
  return names.map((name) => ({ name, columns: columns.all(name) }));
}

/** Refuses to carry rows between tables of two versions. */
export async function compareVersions(one: Source, other: Source): Promise<void> {
  const [names, others] = [await migrationsOf(one), await migrationsOf(other)];
  if (names.join() !== others.join())
    throw new CliError("the database's tables are of another version: run `store migrate` first");
}

/** Names and columns as either engine takes them. */
export function listOf(columns: readonly string[]): string {
  return columns.map(quoted).join(', ');
}

/** A name as either engine takes it. */
export function quoted(name: string): string {
  return `"${name}"`;
}

async function migrationsOf(source: Source): Promise<string[]> {
  const names: string[] = [];
  try {
    const rows = source.rows<{ name: string }>('SELECT name FROM kysely_migration ORDER BY name');
    for await (const { name } of rows) names.push(name);
  } catch (cause) {
    throw new CliError('the database has no tables of a bank: run `store migrate` first', { cause });
  }
  return names;
}
