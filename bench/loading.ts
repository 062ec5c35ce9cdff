/** What the log costs a server at its start, when it reads all of it, and for as long as it runs. */

import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { createAnchor, enrol } from 'muniment/keys';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import SQLite from 'better-sqlite3';
import { Ledger } from '../examples/server/ledger.ts';
import { createLogKeys } from '../examples/server/log-keys.ts';
import { openSqlite, SQLITE_FILE } from '../examples/server/store/sqlite.ts';

/** How long a log is that is loaded. */
export const LEAVES = 500_000;

const LEAF_BYTES = 32;

/** Loads a log from SQLite, and returns what a leaf of it took: microseconds. */
export async function measureLoading(): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-bench-'));
  try {
    const empty = await openSqlite(folder);
    await empty.close();
    fill(path.join(folder, SQLITE_FILE));
    const validity = { notBefore: 0, notAfter: Date.now() + 86_400_000 };
    const suite = { kem: KEM_X25519 };
    const anchor = await createAnchor({ subject: 'admin', roles: ['administrator'], ...validity }, suite);
    const identity = await enrol(anchor, { subject: 'bank', roles: ['bank'], ...validity }, suite);
    const engine = await openSqlite(folder);
    const ledger = new Ledger(engine, {
      ...{ identity, log: { origin: 'bank.example/bench', ...createLogKeys() }, now: () => Date.now() },
      ...{ settled: () => undefined, judge: () => Promise.resolve() },
    });
    const from = performance.now();
    const size = await ledger.turn((turn) => Promise.resolve(turn.size));
    const took = performance.now() - from;
    await engine.close();
    if (size !== LEAVES) throw new Error('the log was not read whole');
    return (took * 1000) / LEAVES;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fill(file: string): void {
  const database = new SQLite(file);
  const insert = database.prepare('INSERT INTO leaves (position, leaf, time) VALUES (?, ?, ?)');
  database.transaction(() => {
    for (let position = 0; position < LEAVES; position += 1)
      insert.run(position, systemRandom(LEAF_BYTES), 0);
  })();
  database.close();
}
