/** The bank's database in the hands of whoever runs its machine: whom nothing keeps from changing what is there. */

import SQLite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import path from 'node:path';
import { openPostgres } from '../server/store/postgres.ts';
import { SQLITE_FILE } from '../server/store/sqlite.ts';
import type { Database, Tables } from '../server/store/tables.ts';
import type { World } from './world.ts';

/** Gives the database to `work`, its rules out of force meanwhile. */
export async function owned<Result>(
  { serverFolder, postgres }: Pick<World, 'serverFolder' | 'postgres'>,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  if (postgres !== null) {
    const engine = openPostgres(postgres.owner, () => undefined);
    return work(engine.database).finally(() => engine.close());
  }
  const file = new SQLite(path.join(serverFolder, 'data', SQLITE_FILE));
  const triggers = file.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all() as {
    name: string;
    sql: string;
  }[];
  for (const { name } of triggers) file.exec(`DROP TRIGGER ${name}`);
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: file }) });
  try {
    return await work(database);
  } finally {
    for (const { sql } of triggers) file.exec(sql);
    await database.destroy();
  }
}
