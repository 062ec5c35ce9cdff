/** SQLite: the embedded engine, for a bank on one machine. Every commit is on disk before it returns. */

import SQLite from 'better-sqlite3';
import { Kysely, SqliteDialect, type SqliteDatabase } from 'kysely';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Engine } from './engine.ts';
import { migrate } from './migrate.ts';
import type { Tables } from './tables.ts';

/** The database's name in its folder. */
export const SQLITE_FILE = 'bank.sqlite';

/**
 * Opens or makes the database in a folder, and brings its tables up to date.
 *
 * @param lost - called if the disk fails: what of a commit is on it is not known any more, and cannot be asked, since the
 *   operating system reads back what it could not write (https://lwn.net/Articles/752063/). The process must end before
 *   it tells anybody anything; the next one looks at what is there, and writes it anew.
 * @throws `Error` of SQLite's with its code, such as `SQLITE_CANTOPEN`
 */
export async function openSqlite(folder: string, lost: (error: Error) => void = fail): Promise<Engine> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700); // made by somebody else
  const file = path.join(folder, SQLITE_FILE);
  const writing = new SQLite(file);
  writing.pragma('journal_mode = WAL');
  writing.pragma('synchronous = FULL');
  settle(writing);
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: preparedOnce(writing) }) });
  await migrate(database, 'sqlite');
  // A connection of its own for what reads: in WAL mode it sees one state and waits for no writer.
  const reading = new Kysely<Tables>({
    dialect: new SqliteDialect({ database: preparedOnce(new SQLite(file, { readonly: true })) }),
  });
  return {
    name: 'sqlite',
    database,
    reading,
    lock: () => Promise.resolve(), // one process, one writing connection
    failed(error) {
      if (error instanceof SQLite.SqliteError && LOST.test(error.code)) lost(error);
    },
    async close() {
      await reading.destroy();
      writing.pragma('wal_checkpoint(TRUNCATE)');
      await database.destroy();
    },
  };
}

/** Codes that say that the disk does not do what it is told. A full one does: it says so, and takes nothing. */
const LOST = /^SQLITE_(IOERR|CORRUPT|NOTADB)/u;

// What the last process wrote may be in the operating system's memory alone, if it ended because its disk had failed.
// Before anything is built upon it, it is written once more, and flushed.
function settle(writing: SQLite.Database): void {
  const [row] = writing.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[];
  if (row?.busy !== 0) throw new Error('the database is in use by another process');
}

function fail(error: Error): never {
  throw error;
}

/** Most statements that are kept: the bank has some hundred texts, but lists in them vary in length. */
const STATEMENTS = 1000;

/** A database that prepares each text once: what Kysely writes is the same text again and again. */
function preparedOnce(database: SQLite.Database): SqliteDatabase {
  const prepared = new Map<string, SQLite.Statement>();
  return {
    prepare(text) {
      const known = prepared.get(text);
      if (known !== undefined) return known;
      if (prepared.size >= STATEMENTS) prepared.clear();
      const statement = database.prepare(text);
      prepared.set(text, statement);
      return statement;
    },
    close: () => database.close(),
  };
}
