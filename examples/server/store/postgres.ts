/** PostgreSQL: the engine for several server processes, which share nothing but it. */

import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Engine } from './engine.ts';
import { migrate } from './migrate.ts';
import type { Tables } from './tables.ts';

/** The number by which all of a bank's processes know its ledger's lock. */
const LEDGER_LOCK = 0x6d756e69;
const CONNECTIONS = 8;
const STRICT = { minVersion: 'TLSv1.3', rejectUnauthorized: true } as const;

/** How to connect: what `pg` takes, TLS included, which is then TLS 1.3 with a server whose name is checked. */
export type PostgresAddress = Pick<pg.PoolConfig, 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl'>;

/**
 * Connects as the server's own role, which does not own the tables: whoever breaks into the server cannot change what
 * is written. Whether the tables are there is not looked at; {@link migratePostgres} makes them.
 *
 * @param report - told of connections that broke while nobody used them
 */
export function openPostgres(address: PostgresAddress, report: (error: Error) => void): Engine {
  const database = connect(address, report);
  return {
    name: 'postgres',
    database,
    reading: database,
    async lock(change) {
      await sql`SELECT pg_advisory_xact_lock(${LEDGER_LOCK})`.execute(change);
    },
    close: () => database.destroy(),
  };
}

/**
 * Makes the tables or brings them up to date, as the role that owns them, and lets the server's role use them.
 *
 * @param owner - how the owner connects
 * @param server - the name of the server's role, which exists
 */
export async function migratePostgres(owner: PostgresAddress, server: string): Promise<void> {
  const database = connect(owner, (error) => {
    throw error;
  });
  try {
    await migrate(database, 'postgres');
    const role = sql.id(server);
    for (const table of APPENDED)
      await sql`GRANT SELECT, INSERT ON ${sql.id(table)} TO ${role}`.execute(database);
    for (const table of ERASABLE)
      await sql`GRANT SELECT, INSERT, DELETE ON ${sql.id(table)} TO ${role}`.execute(database);
    await sql`GRANT SELECT, UPDATE ON replay_floor TO ${role}`.execute(database);
  } finally {
    await database.destroy();
  }
}

const APPENDED = [
  ...['users', 'revocations', 'compartments', 'groups', 'records', 'leaves', 'entries'],
  ...['requests', 'repeats', 'outcomes', 'replies', 'closures'],
];
const ERASABLE = [
  ...['payloads', 'attachments', 'pending', 'first_messages'],
  ...['uploads', 'annex_chunks', 'annexes', 'uses', 'capabilities'],
];

function connect(address: PostgresAddress, report: (error: Error) => void): Kysely<Tables> {
  const ssl = typeof address.ssl === 'object' ? { ...address.ssl, ...STRICT } : address.ssl;
  const pool = new pg.Pool({ ...address, ...(ssl !== undefined && { ssl }), max: CONNECTIONS, types });
  pool.on('error', report);
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

// A bigint comes as text: here it is a number that a double holds, as the wire format has it.
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);
