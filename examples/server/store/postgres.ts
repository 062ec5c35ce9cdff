/** PostgreSQL: the engine for several server processes, which share nothing but it. */

import { Kysely, PostgresDialect, sql } from 'kysely';
import { Socket } from 'node:net';
import pg from 'pg';
import type { Engine } from './engine.ts';
import { migrate } from './migrate.ts';
import type { Tables } from './tables.ts';

/** The number by which all of a bank's processes know its ledger's lock. */
const LEDGER_LOCK = 0x6d756e69;
const CONNECTIONS = 8;
const STRICT = { minVersion: 'TLSv1.3', rejectUnauthorized: true } as const;
/** How long a connection may take to be there, in milliseconds. */
const CONNECT_PATIENCE = 10_000;
/**
 * How long the database server may keep silent over what it is asked, and for how long it waits for the rest of a
 * transaction, in milliseconds: whoever has vanished without a word must not hold the ledger's lock. No timeout of
 * statements, for PostgreSQL would end the wait for a standby by it, and call that a commit.
 */
const PATIENCE = 30_000;

/** The database server does not promise what the bank promises. */
export class UnfitDatabaseError extends Error {
  override readonly name = 'UnfitDatabaseError';
}

/** How to connect: what `pg` takes, TLS included, which is then TLS 1.3 with a server whose name is checked. */
export type PostgresAddress = Pick<pg.PoolConfig, 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl'>;

/**
 * Connects as the server's own role, which does not own the tables: whoever breaks into the server cannot change what
 * is written. Whether the tables are there is not looked at; {@link migratePostgres} makes them.
 *
 * @param report - told of connections that broke while nobody used them
 */
export function openPostgres(address: PostgresAddress, report: (error: Error) => void): Engine {
  const pool = connect(address, report);
  pool.on('acquire', (client) => {
    const socket = socketOf(client);
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error('the database server does not answer')));
  });
  pool.on('release', (_, client) => {
    socketOf(client).setTimeout(0).removeAllListeners('timeout');
  });
  const database = databaseOver(pool);
  return {
    name: 'postgres',
    database,
    reading: database,
    async lock(change) {
      await sql`SELECT pg_advisory_xact_lock(${LEDGER_LOCK})`.execute(change);
    },
    failed: () => undefined, // the next transaction asks what is there
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
  const pool = connect(owner, (error) => {
    throw error;
  });
  const database = databaseOver(pool);
  try {
    await migrate(database, 'postgres');
    const role = sql.id(server);
    // To set it forward behind what a backup brings back. Set wrongly, it lets no new request in, and changes none.
    await sql`GRANT UPDATE ON SEQUENCE requests_number_seq TO ${role}`.execute(database);
    for (const table of APPENDED)
      await sql`GRANT SELECT, INSERT ON ${sql.id(table)} TO ${role}`.execute(database);
    for (const table of ERASABLE)
      await sql`GRANT SELECT, INSERT, DELETE ON ${sql.id(table)} TO ${role}`.execute(database);
    await sql`GRANT SELECT, UPDATE ON replay_floor TO ${role}`.execute(database);
    await sql`GRANT SELECT ON kysely_migration TO ${role}`.execute(database);
  } finally {
    await database.destroy();
  }
}

const APPENDED = [
  ...['users', 'revocations', 'compartments', 'groups', 'records', 'leaves', 'entries'],
  ...['requests', 'repeats', 'outcomes', 'replies', 'authorities'],
];
const ERASABLE = [
  ...['payloads', 'attachments', 'pending', 'first_messages'],
  ...['uploads', 'annex_chunks', 'annexes', 'uses', 'capabilities', 'cosignatures'],
];

function connect(address: PostgresAddress, report: (error: Error) => void): pg.Pool {
  const ssl = typeof address.ssl === 'object' ? { ...address.ssl, ...STRICT } : address.ssl;
  const hooks = { onConnect: checkDurable }; // the pool waits for it, and drops a connection that it refuses
  const pool = new pg.Pool({
    ...{ ...address, ...(ssl !== undefined && { ssl }), ...hooks, max: CONNECTIONS, types, keepAlive: true },
    connectionTimeoutMillis: CONNECT_PATIENCE,
    idle_in_transaction_session_timeout: PATIENCE,
  });
  pool.on('error', report);
  // One that breaks between two statements of a transaction: the next one says so.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Refuses a server whose commits may be gone after a power cut or a change of the primary, and one that is a standby. */
async function checkDurable(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<Record<'synchronous' | 'fsync' | 'standby', string>>(`
    SELECT current_setting('synchronous_commit') AS synchronous, current_setting('fsync') AS fsync,
      pg_is_in_recovery()::text AS standby`);
  const [{ synchronous, fsync, standby } = { synchronous: '', fsync: '', standby: '' }] = rows;
  if (standby !== 'false') throw new UnfitDatabaseError('the database server is a standby');
  if (synchronous === 'off' || synchronous === 'local')
    throw new UnfitDatabaseError(`the database server has synchronous_commit = ${synchronous}`);
  if (fsync !== 'on') throw new UnfitDatabaseError(`the database server has fsync = ${fsync}`);
}

function socketOf({ connection }: pg.PoolClient): Socket {
  if (connection.stream instanceof Socket) return connection.stream;
  throw new TypeError('a connection without a socket');
}

function databaseOver(pool: pg.Pool): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

// A bigint comes as text: here it is a number that a double holds, as the wire format has it.
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);
