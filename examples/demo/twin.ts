/** A twin of the demo's bank: the same keys, and all that the bank has stored so far. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openSqlite } from '../server/store/sqlite.ts';
import type { Tables } from '../server/store/tables.ts';
import { owned } from './owned.ts';
import { startServer, type RunningServer } from './server-process.ts';
import { LOOPBACK, type World } from './world.ts';

/** What the twin needs to go on as the bank would. */
const COPIED = [
  ...([
    'users',
    'revocations',
    'compartments',
    'groups',
    'records',
    'leaves',
    'entries',
    'payloads',
  ] as const),
  ...([
    'attachments',
    'annexes',
    'annex_chunks',
    'uses',
    'authorities',
    'requests',
    'repeats',
    'outcomes',
  ] as const),
] satisfies (keyof Tables)[];

/** Starts a second server with the bank's keys on this machine, on a copy of all that the first has stored. */
export async function startTwin(world: World): Promise<RunningServer> {
  const { serverFolder } = world;
  const twin = path.join(serverFolder, 'twin');
  const dataFolder = path.join(twin, 'data');
  const copy = await openSqlite(dataFolder);
  try {
    await owned(world, async (database) => {
      for (const table of COPIED) {
        for (const row of await database.selectFrom(table).selectAll().execute())
          await copy.database.insertInto(table).values(row).execute();
      }
    });
  } finally {
    await copy.close();
  }
  const folder = path.dirname(serverFolder);
  const configuration = JSON.parse(readFileSync(path.join(folder, 'server.json'), 'utf8')) as object;
  const file = path.join(folder, 'twin.json');
  const here = { host: LOOPBACK, port: 0, dataFolder, store: { engine: 'sqlite' } };
  writeFileSync(file, JSON.stringify({ ...configuration, ...here }));
  return startServer(file, twin);
}
