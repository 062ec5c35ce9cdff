/** A bank's database in the hands of whoever owns its machine: what is changed is undone once it was looked at. */

import SQLite from 'better-sqlite3';
import pg from 'pg';
import path from 'node:path';
import type { World } from '../../../examples/demo/world.ts';
import type { TestDatabase } from '../store/engines.ts';
import {
  postgresSource,
  sqliteSource,
  TYPES,
  type Parameter,
  type Source,
} from '../../../examples/admin/check/source.ts';

/** The owner of a database. */
export interface Owner {
  /** Changes something. */
  run(sql: string, ...values: Parameter[]): Promise<void>;
  /** Looks at something. */
  readonly source: Source;
  /** Undoes everything that was changed. */
  undo(): Promise<void>;
  close(): Promise<void>;
}

/** Takes a database of a test. */
export function ownerOfDatabase({ place }: TestDatabase): Promise<Owner> {
  return 'file' in place ? Promise.resolve(ownSqlite(place.file)) : ownPostgres(place.account);
}

/** Takes the database of a world. */
export function ownerOf({
  serverFolder,
  postgres,
}: Pick<World, 'serverFolder' | 'postgres'>): Promise<Owner> {
  return postgres === null
    ? Promise.resolve(ownSqlite(path.join(serverFolder, 'data', 'bank.sqlite')))
    : ownPostgres(postgres.owner);
}

function ownSqlite(file: string): Owner {
  const database = new SQLite(file);
  const triggers = database.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all() as {
    name: string;
    sql: string;
  }[];
  database.exec('BEGIN');
  return {
    source: sqliteSource(database),
    // The triggers are there again when somebody looks.
    run(sql, ...values) {
      for (const { name } of triggers) database.exec(`DROP TRIGGER IF EXISTS ${name}`);
      database.prepare(sql).run(...values);
      if (!sql.startsWith('DROP')) for (const trigger of triggers) database.exec(trigger.sql);
      return Promise.resolve();
    },
    undo() {
      database.exec('ROLLBACK; BEGIN');
      return Promise.resolve();
    },
    close() {
      database.exec('ROLLBACK');
      database.close();
      return Promise.resolve();
    },
  };
}

async function ownPostgres(address: pg.ClientConfig): Promise<Owner> {
  const client = new pg.Client({ ...address, types: TYPES });
  await client.connect();
  await client.query('BEGIN');
  return {
    source: postgresSource(client),
    async run(sql, ...values) {
      let n = 0;
      const bytes = values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
      await client.query(
        sql.replaceAll('?', () => `$${String(++n)}`),
        bytes,
      );
    },
    async undo() {
      await client.query('ROLLBACK');
      await client.query('BEGIN');
    },
    close: () => client.end(),
  };
}
