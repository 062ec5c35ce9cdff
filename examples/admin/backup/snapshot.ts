/** One state of a bank that may be at work, as one SQLite file that stands alone. */

import SQLite from 'better-sqlite3';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { CliError } from '../../client/cli/error.ts';
import type { Config } from '../../server/config.ts';
import { openSqlite, SQLITE_FILE } from '../../server/store/sqlite.ts';
import { openSqliteSource, type Source } from '../check/source.ts';
import { synced } from './durable.ts';
import { compareVersions, listOf, quoted, REPLAY_FLOOR, tablesOf, type Row } from './tables.ts';

/**
 * Writes the state into a folder, where nothing is yet. It is durable when this resolves.
 *
 * @param open - opens the bank's database for reading, at one moment
 */
export async function takeSnapshot(
  { store, dataFolder }: Pick<Config, 'store' | 'dataFolder'>,
  folder: string,
  open: () => Promise<Source>,
): Promise<string> {
  const file = path.join(folder, SQLITE_FILE);
  if (store.engine === 'sqlite') await copyFile(path.join(dataFolder, SQLITE_FILE), file);
  else {
    await (await openSqlite(folder)).close(); // the same migrations
    const source = await open();
    try {
      await copyRows(source, file);
    } finally {
      await source.close();
    }
  }
  standAlone(file);
  return file;
}

// In a transaction that reads, SQLite's copy is of the state that it began with, and whoever writes meanwhile does not
// make it begin again.
async function copyFile(from: string, to: string): Promise<void> {
  let database: SQLite.Database;
  try {
    database = new SQLite(from, { readonly: true, fileMustExist: true });
  } catch (cause) {
    throw new CliError(`${from} cannot be read`, { cause });
  }
  try {
    database.exec('BEGIN');
    database.prepare('SELECT count(*) FROM leaves').get();
    await database.backup(to);
  } finally {
    database.close();
  }
}

async function copyRows(source: Source, file: string): Promise<void> {
  const made = openSqliteSource(file);
  await compareVersions(source, made).finally(() => made.close());
  const database = new SQLite(file);
  try {
    database.pragma('synchronous = OFF'); // it is made durable as a whole
    database.exec('BEGIN');
    for (const { name, columns } of tablesOf(database)) {
      const insert = database.prepare(
        name === REPLAY_FLOOR
          ? `UPDATE ${quoted(name)} SET (${listOf(columns)}) = (${columns.map(() => '?').join()})`
          : `INSERT INTO ${quoted(name)} (${listOf(columns)}) VALUES (${columns.map(() => '?').join()})`,
      );
      for await (const row of source.rows<Row>(`SELECT ${listOf(columns)} FROM ${quoted(name)}`)) {
        const { changes } = insert.run(...columns.map((column) => row[column]));
        if (changes !== 1) throw new CliError(`a row of ${name} is there twice: run \`check\``);
      }
    }
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

// Without a write-ahead log beside it, and sound.
function standAlone(file: string): void {
  const database = new SQLite(file);
  try {
    database.pragma('journal_mode = DELETE');
    const found = database.pragma('integrity_check', { simple: true });
    if (found !== 'ok') throw new CliError('the database is damaged: its file does not hold together');
  } finally {
    database.close();
  }
  chmodSync(file, 0o600);
  synced(file);
}
