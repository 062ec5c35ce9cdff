/** A backup's rows, brought into a store that has none: all of them, or none if anything fails. */

import SQLite from 'better-sqlite3';
import { sql } from 'kysely';
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { CliError } from '../../client/cli/error.ts';
import type { Config } from '../../server/config.ts';
import { openStore } from '../../server/opening.ts';
import { openSqlite, SQLITE_FILE } from '../../server/store/sqlite.ts';
import type { Change } from '../../server/store/tables.ts';
import { openSqliteSource, type Source } from '../check/source.ts';
import { synced } from './durable.ts';
import { compareVersions, listOf, quoted, REPLAY_FLOOR, tablesOf, type Row, type Table } from './tables.ts';

/**
 * Whether a store has a bank in it. SQLite's file, once it is there, counts as one, and so does what was left beside it.
 *
 * @param open - opens the store for reading
 * @throws `CliError` for a PostgreSQL database without tables
 */
export async function isTaken({ store, dataFolder }: Config, open: () => Promise<Source>): Promise<boolean> {
  if (store.engine === 'sqlite')
    return ['', '-wal', '-shm', '-journal'].some((end) =>
      existsSync(path.join(dataFolder, SQLITE_FILE + end)),
    );
  const source = await open();
  try {
    for (const table of ['leaves', 'requests', 'replies', 'first_messages', 'uploads'])
      if ((await source.row(`SELECT 1 AS one FROM ${quoted(table)} LIMIT 1`)) !== undefined) return true;
    return false;
  } catch (cause) {
    throw new CliError('the database has no tables of a bank: run `store migrate` first', { cause });
  } finally {
    await source.close();
  }
}

/** Brings a backup's rows into a store that is not taken. They are durable when this resolves. */
export async function bringBack(config: Config, file: string, open: () => Promise<Source>): Promise<void> {
  const { store, dataFolder } = config;
  if (store.engine === 'sqlite') {
    const temporary = path.join(dataFolder, `${SQLITE_FILE}.${randomUUID()}.tmp`);
    try {
      copyFileSync(file, temporary);
      synced(temporary);
      renameSync(temporary, path.join(dataFolder, SQLITE_FILE));
      synced(dataFolder);
    } finally {
      rmSync(temporary, { force: true });
    }
    return;
  }
  const scratch = mkdtempSync(path.join(dataFolder, 'restoring-'));
  try {
    const copy = path.join(scratch, SQLITE_FILE);
    copyFileSync(file, copy);
    await (await openSqlite(scratch)).close(); // a backup of an older version, brought up to date
    const [from, to] = [openSqliteSource(copy), await open()];
    await compareVersions(from, to).finally(() => Promise.all([from.close(), to.close()]));
    await insertAll(config, copy);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function insertAll(config: Config, file: string): Promise<void> {
  const database = new SQLite(file, { readonly: true });
  const engine = await openStore(config, () => undefined); // whoever waits for an answer is told
  try {
    await engine.database.transaction().execute(async (change) => {
      await engine.lock(change);
      for (const table of tablesOf(database)) {
        const select = `SELECT ${listOf(table.columns)} FROM ${quoted(table.name)}`;
        const rows = database.prepare<[], Row>(select).iterate();
        if (table.name === REPLAY_FLOOR) await setFloor(change, rows);
        else for (const some of together(rows)) await insert(change, table, some);
      }
      await sql`SELECT setval('requests_number_seq', max(number)) FROM requests HAVING count(*) > 0`.execute(
        change,
      );
    });
  } finally {
    await engine.close();
    database.close();
  }
}

/** Most rows of one statement, and bytes after which no more come to it. */
const ROWS = 256;
const BYTES = 4 << 20;

function* together(rows: Iterable<Row>): Generator<Row[], void> {
  let [some, bytes]: [Row[], number] = [[], 0];
  for (const row of rows) {
    some.push(row);
    for (const value of Object.values(row)) if (value instanceof Uint8Array) bytes += value.length;
    if (some.length < ROWS && bytes < BYTES) continue;
    yield some;
    [some, bytes] = [[], 0];
  }
  if (some.length > 0) yield some;
}

async function insert(change: Change, { name, columns }: Table, rows: readonly Row[]): Promise<void> {
  const names = sql.join(columns.map((column) => sql.id(column)));
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
  await sql`INSERT INTO ${sql.id(name)} (${names}) VALUES ${sql.join(values)}`.execute(change);
}

async function setFloor(change: Change, rows: Iterable<Row>): Promise<void> {
  for (const { time } of rows) await sql`UPDATE replay_floor SET time = ${time}`.execute(change);
}
