/**
 * The bank's database as whoever checks it reads it: read-only, as it was at one moment, row after row. It shares nothing
 * with the server but the names of tables and columns.
 */

import SQLite from 'better-sqlite3';
import pg from 'pg';

/** What a column holds; bytes are plain bytes, whole numbers numbers. */
export type Value = Uint8Array | string | number | null;
/** What a query is told in the place of its `?`s. */
export type Parameter = Uint8Array | string | number;

/** An open database. */
export interface Source {
  readonly engine: 'sqlite' | 'postgres';
  /** Gives a query's rows one after another; what is not read yet is not in memory. */
  rows<Row extends object>(sql: string, ...values: Parameter[]): AsyncIterable<Row>;
  /** The first row. */
  row<Row extends object>(sql: string, ...values: Parameter[]): Promise<Row | undefined>;
  close(): Promise<void>;
}

/** Opens SQLite's file. Throws its `Error`, with a code such as `SQLITE_CANTOPEN`. */
export function openSqliteSource(file: string): Source {
  const database = new SQLite(file, { readonly: true, fileMustExist: true });
  try {
    database.exec('BEGIN'); // one state from here on, whoever writes meanwhile
  } catch (error) {
    database.close();
    throw error;
  }
  return sqliteSource(database);
}

/** Reads an open database, in whatever transaction it is. */
export function sqliteSource(database: SQLite.Database): Source {
  const prepared = new Map<string, SQLite.Statement>();
  const prepare = (sql: string): SQLite.Statement => {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return {
    engine: 'sqlite',
    // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous, this engine is not
    async *rows<Row>(sql: string, ...values: Parameter[]) {
      for (const row of database.prepare(sql).iterate(...values)) yield plain(row) as Row;
    },
    row<Row>(sql: string, ...values: Parameter[]) {
      const found = prepare(sql).get(...values);
      return Promise.resolve(found === undefined ? undefined : (plain(found) as Row));
    },
    close() {
      database.close();
      return Promise.resolve();
    },
  };
}

/** Rows that are fetched at once: a row may hold some megabytes. */
const FETCHED = 32;

/** Connects to PostgreSQL with a role that may read all of the bank's tables. */
export async function openPostgresSource(address: pg.ClientConfig): Promise<Source> {
  const client = new pg.Client({ ...address, types: TYPES });
  client.on('error', () => undefined); // whoever waits for an answer is told
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  return postgresSource(client);
}

/** Reads through a connection, in the transaction in which it is. */
export function postgresSource(client: pg.Client): Source {
  let cursors = 0;
  const query = async <Row>(sql: string, values: readonly Parameter[]): Promise<Row[]> => {
    const { rows } = await client.query<Record<string, Value>>(numbered(sql), values.map(asBuffer));
    return rows.map((row) => plain(row) as Row);
  };
  return {
    engine: 'postgres',
    async *rows<Row>(sql: string, ...values: Parameter[]) {
      const name = `checked_${String(++cursors)}`;
      await query(`DECLARE ${name} NO SCROLL CURSOR FOR ${sql}`, values);
      for (let read = FETCHED; read === FETCHED;) {
        const rows = await query<Row>(`FETCH ${String(FETCHED)} FROM ${name}`, []);
        yield* rows;
        read = rows.length;
      }
      await query(`CLOSE ${name}`, []);
    },
    async row<Row>(sql: string, ...values: Parameter[]) {
      const [first] = await query<Row>(sql, values);
      return first;
    },
    close: () => client.end(),
  };
}

// SQLite's parameters are `?`, PostgreSQL's are numbered.
function numbered(sql: string): string {
  let n = 0;
  return sql.replaceAll('?', () => `$${String(++n)}`);
}

function asBuffer(value: Parameter): Parameter {
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}

function plain(row: unknown): object {
  return Object.fromEntries(
    Object.entries(row as Record<string, Value>).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value,
    ]),
  );
}

/** Whole numbers as numbers. */
export const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(pg.types.builtins.INT8, Number);
