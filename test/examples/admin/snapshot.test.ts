/** A snapshot of an SQLite bank is of one moment, whoever writes while it is taken. */

import SQLite from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { takeSnapshot } from '../../../examples/admin/backup/snapshot.ts';
import type { Engine } from '../../../examples/server/store/engine.ts';
import { openSqlite } from '../../../examples/server/store/sqlite.ts';

let dataFolder: string;
let engine: Engine;
/** Rows that are written before. */
const BEFORE = 200;

beforeAll(async () => {
  dataFolder = mkdtempSync(path.join(tmpdir(), 'muniment-snapshot-'));
  engine = await openSqlite(dataFolder);
  for (let i = 0; i < BEFORE; i++) await write();
});
afterAll(async () => {
  await engine.close();
  rmSync(dataFolder, { recursive: true });
});

async function write(): Promise<void> {
  const row = { digest: randomBytes(32), bytes: randomBytes(20_000) };
  await engine.database.insertInto('attachments').values(row).execute();
}

it('holds what was there when it began, and ends although somebody writes between all its steps', async () => {
  const folder = path.join(dataFolder, 'snapshot');
  mkdirSync(folder);
  const ended = new AbortController();
  const taken = takeSnapshot({ store: { engine: 'sqlite' }, dataFolder }, folder, () =>
    Promise.reject(new Error('of PostgreSQL only')),
  ).finally(() => ended.abort());
  let during = 0;
  for (; !ended.signal.aborted && during < 2000; during++) {
    await write();
    await setImmediate();
  }
  expect(during).toBeGreaterThan(5); // 200 rows are ten times as many pages as one step takes
  const database = new SQLite(await taken, { readonly: true });
  const count = database.prepare('SELECT count(*) FROM attachments').pluck().get();
  database.close();
  expect(count).toBe(BEFORE);
});
