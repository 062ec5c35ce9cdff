/**
 * The bank's storage: SQLite in WAL mode, every commit on disk before it returns. It holds ciphertexts, signatures
 * and evidence, and no key that opens a field.
 */

import Database from 'better-sqlite3';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { MunimentError } from 'muniment';
import { clockWindow, type FirstMessage, type ReplayCache } from 'muniment/protocol';
import type { ChainName, Head } from 'muniment/record';
import { toHex } from 'muniment/wire';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id BLOB PRIMARY KEY, subject TEXT NOT NULL UNIQUE, credential BLOB NOT NULL
  ) STRICT;
  -- heard: the time that the log's leaf states, before which a revocation takes nothing away; seq: in the directory.
  CREATE TABLE IF NOT EXISTS revocations (
    credential BLOB NOT NULL, author BLOB NOT NULL, statement BLOB NOT NULL, heard INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (credential, statement)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS compartments (
    owner BLOB NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL, statement BLOB NOT NULL,
    PRIMARY KEY (owner, number), UNIQUE (record, number)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS groups (
    name TEXT NOT NULL, epoch INTEGER NOT NULL, keeper BLOB NOT NULL, statement BLOB NOT NULL,
    PRIMARY KEY (name, epoch)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS records (id BLOB PRIMARY KEY, owner BLOB NOT NULL, tag_salt BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS entries (
    record BLOB NOT NULL, chain TEXT NOT NULL, seq INTEGER NOT NULL,
    entry BLOB NOT NULL, hash BLOB NOT NULL, receipt BLOB NOT NULL, leaf INTEGER NOT NULL UNIQUE,
    annexes BLOB NOT NULL, attachments BLOB NOT NULL, session BLOB NOT NULL,
    PRIMARY KEY (record, chain, seq)
  ) STRICT, WITHOUT ROWID;
  -- Apart from the signed entries, so that a body can be erased one day and every proof stays.
  CREATE TABLE IF NOT EXISTS payloads (
    record BLOB NOT NULL, chain TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (record, chain, seq)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS attachments (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY, issuer BLOB NOT NULL, subject TEXT NOT NULL, id BLOB NOT NULL,
    session BLOB NOT NULL UNIQUE, author BLOB NOT NULL, digest BLOB NOT NULL, evidence BLOB NOT NULL,
    type TEXT NOT NULL, reply TEXT,
    UNIQUE (issuer, subject, id)
  ) STRICT;
  -- The same request asked again in a later session: archived like the first.
  CREATE TABLE IF NOT EXISTS repeats (session BLOB PRIMARY KEY, request INTEGER NOT NULL, evidence BLOB NOT NULL) STRICT;
  -- What a request brought with it, until it is executed.
  CREATE TABLE IF NOT EXISTS pending (
    request INTEGER NOT NULL, position INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (request, position)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS replies (number INTEGER PRIMARY KEY, session BLOB NOT NULL, evidence BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS leaves (position INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS first_messages (digest BLOB PRIMARY KEY, time INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS first_messages_time ON first_messages (time);
  -- The newest time of a first message that was forgotten: one row.
  CREATE TABLE IF NOT EXISTS first_messages_floor (one INTEGER PRIMARY KEY CHECK (one = 1), time INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO first_messages_floor VALUES (1, 0);
`;
const REPLAY_CAPACITY = 100_000;

/** A stored entry with what goes with it. */
export interface StoredEntry {
  readonly entry: Uint8Array;
  readonly hash: Uint8Array;
  readonly receipt: Uint8Array;
  readonly leaf: number;
  /** Names of its annexes, and digests of its attachments, 32 bytes each, joined. */
  readonly annexes: Uint8Array;
  readonly attachments: Uint8Array;
  /** The session in which it was asked for. */
  readonly session: Uint8Array;
}

/** A request as it is archived before it is served. */
export interface ArchivedRequest {
  readonly issuer: Uint8Array;
  readonly subject: string;
  readonly id: Uint8Array;
  readonly session: Uint8Array;
  readonly author: Uint8Array;
  readonly digest: Uint8Array;
  readonly evidence: Uint8Array;
  readonly type: string;
}

/** A stored request. */
export interface StoredRequest extends ArchivedRequest {
  readonly number: number;
  /** The reply's text once it was executed. */
  readonly reply: string | null;
}

/** One bank's database. */
export class Store implements ReplayCache {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  /** Opens or makes the database in a folder. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#db = new Database(path.join(folder, 'bank.sqlite'));
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    this.#db.pragma('foreign_keys = ON');
    this.#db.exec(SCHEMA);
  }

  /** Runs `work` as one transaction: all of it is on disk afterwards, or none. */
  transaction<Result>(work: () => Result): Result {
    return this.#db.transaction(work).immediate();
  }

  /** Writes everything into the main file and closes. */
  close(): void {
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
    this.#db.close();
  }

  /** Runs a statement that changes something. */
  run(sql: string, ...values: readonly unknown[]): Database.RunResult {
    return this.#prepare(sql).run(...values);
  }

  /** The first row, or undefined. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the row's shape is the query's
  get<Row>(sql: string, ...values: readonly unknown[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** All rows. */
  all<Row>(sql: string, ...values: readonly unknown[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** Remembers a first message; see `ReplayCache`. */
  remember({ digest, time }: FirstMessage, now: number): void {
    this.transaction(() => {
      const { notBefore } = clockWindow(now);
      this.run(
        `UPDATE first_messages_floor SET time =
           max(time, (SELECT coalesce(max(time), 0) FROM first_messages WHERE time < ?))`,
        notBefore,
      );
      this.run('DELETE FROM first_messages WHERE time < ?', notBefore);
      const { floor, count } = this.get<{ floor: number; count: number }>(
        'SELECT time AS floor, (SELECT count(*) FROM first_messages) AS count FROM first_messages_floor',
      ) ?? { floor: Infinity, count: Infinity };
      if (time <= floor || count >= REPLAY_CAPACITY) throw new MunimentError('SESSION_REPLAY');
      const { changes } = this.run('INSERT OR IGNORE INTO first_messages VALUES (?, ?)', digest, time);
      if (changes === 0) throw new MunimentError('SESSION_REPLAY');
    });
  }

  /** The head of a chain when the log had a size, read from its last entry. */
  head(record: Uint8Array, chain: ChainName, size: number): Head | null {
    const last = this.get<{ seq: number; hash: Uint8Array }>(
      'SELECT seq, hash FROM entries WHERE record = ? AND chain = ? AND leaf < ? ORDER BY seq DESC LIMIT 1',
      record,
      chain,
      size,
    );
    return last === undefined ? null : { size: last.seq + 1, hash: plain(last.hash) };
  }

  /** The names of all annexes that entries have, in hexadecimal. */
  annexNames(): Set<string> {
    const rows = this.all<{ annexes: Uint8Array }>('SELECT annexes FROM entries WHERE length(annexes) > 0');
    return new Set(rows.flatMap(({ annexes }) => splitHashes(annexes).map(toHex)));
  }

  /** The leaves of the log from the first on. */
  leaves(): Uint8Array[] {
    return this.all<{ leaf: Uint8Array }>('SELECT leaf FROM leaves ORDER BY position').map(({ leaf }) =>
      plain(leaf),
    );
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

/** SQLite gives `Buffer`s; the library takes plain bytes. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Takes 32-byte hashes apart that are stored joined. */
export function splitHashes(joined: Uint8Array): Uint8Array[] {
  return Array.from({ length: joined.length / 32 }, (_, i) => plain(joined).slice(32 * i, 32 * i + 32));
}
