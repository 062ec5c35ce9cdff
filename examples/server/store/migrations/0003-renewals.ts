/**
 * A user may be given another credential: `users` has one row for each, numbered. The newest stands for the subject.
 * SQLite does not drop a constraint, so the table is made anew, and with it the triggers that keep it as it is.
 */

import { sql, type Kysely, type Migration } from 'kysely';
import type { Engine } from '../engine.ts';

/** The migration for an engine. */
export function renewals(engine: Engine['name']): Migration {
  return { up: engine === 'sqlite' ? remake : alter };
}

async function alter(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE users ADD COLUMN number bigint NOT NULL DEFAULT 0`.execute(db);
  await sql`ALTER TABLE users ALTER number DROP DEFAULT`.execute(db);
  await sql`ALTER TABLE users DROP CONSTRAINT users_unique_0`.execute(db);
  await sql`ALTER TABLE users ADD CONSTRAINT users_renewal UNIQUE (subject, number)`.execute(db);
}

// A table that is dropped asks no trigger on deletion, and takes its triggers along.
async function remake(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE users_renewed (
      id blob NOT NULL PRIMARY KEY, subject text NOT NULL, credential blob NOT NULL, number integer NOT NULL,
      CONSTRAINT users_renewal UNIQUE (subject, number)
    ) STRICT`.execute(db);
  await sql`INSERT INTO users_renewed SELECT id, subject, credential, 0 FROM users`.execute(db);
  await sql`DROP TABLE users`.execute(db);
  await sql`ALTER TABLE users_renewed RENAME TO users`.execute(db);
  for (const action of ['update', 'delete'])
    await sql`
      CREATE TRIGGER ${sql.id(`users_${action}`)} BEFORE ${sql.raw(action)} ON users
      BEGIN SELECT RAISE(ABORT, 'append-only'); END`.execute(db);
  // INSERT OR REPLACE deletes without asking a trigger on deletion.
  await sql`
    CREATE TRIGGER users_insert BEFORE INSERT ON users
    WHEN EXISTS (SELECT 1 FROM users WHERE id = new.id OR (subject = new.subject AND number = new.number))
    BEGIN SELECT RAISE(ABORT, 'append-only: it is there already'); END`.execute(db);
}
