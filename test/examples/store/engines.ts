/** The bank's engines as tests take them: each real, each empty. */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startPostgres } from '../../../examples/demo/postgres.ts';
import type { Engine } from '../../../examples/server/store/engine.ts';
import { openPostgres, type PostgresAddress } from '../../../examples/server/store/postgres.ts';
import { openSqlite, SQLITE_FILE } from '../../../examples/server/store/sqlite.ts';

/** One empty database, which outlives those who open it. */
export interface TestDatabase {
  /** Opens it as one server process does. */
  open(): Promise<Engine>;
  /** Where whoever owns the machine finds it: SQLite's file, or the account that owns PostgreSQL's tables. */
  readonly place: { readonly file: string } | { readonly account: PostgresAddress };
  remove(): Promise<void>;
}

export type EngineName = Engine['name'];
export const ENGINES: readonly EngineName[] = ['sqlite', 'postgres'];

export async function makeDatabase(name: EngineName): Promise<TestDatabase> {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-store-'));
  const remove = (): void => {
    rmSync(folder, { recursive: true });
  };
  if (name === 'sqlite')
    return {
      open: () => openSqlite(folder),
      place: { file: path.join(folder, SQLITE_FILE) },
      remove() {
        remove();
        return Promise.resolve();
      },
    };
  chmodSync(folder, 0o755); // if root runs this, PostgreSQL runs as somebody else
  const server = await startPostgres(path.join(folder, 'postgres'));
  let stopping = false;
  const fail = (error: Error): void => {
    if (!stopping) throw error; // a connection that is closing may still hear that the server stops
  };
  return {
    open: () => Promise.resolve(openPostgres(server.bank, fail)),
    place: { account: server.owner },
    async remove() {
      stopping = true;
      await server.stop();
      remove();
    },
  };
}
