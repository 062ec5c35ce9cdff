/** The port behind which the bank's database stands. Two engines fit it: SQLite, and PostgreSQL. docs/storage.md. */

import type { Change, Database } from './tables.ts';

/** An open database with the bank's tables. */
export interface Engine {
  readonly name: 'sqlite' | 'postgres';
  /** For changes. */
  readonly database: Database;
  /** For reading what is durable, without waiting for who writes. */
  readonly reading: Database;
  /** Waits until nobody else changes the ledger, in whatever process; held until the transaction ends. */
  lock(change: Change): Promise<void>;
  /** Told of every error of a transaction, before anybody else is. */
  failed(error: unknown): void;
  /** Closes it; nothing may be running. */
  close(): Promise<void>;
}
