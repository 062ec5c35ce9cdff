/** PostgreSQL's disk full, its fsync failing, the whole of it gone for ten seconds, and its standby promoted. */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'vitest';
import { createBank } from './bank.ts';
import { Keeper } from './keeper.ts';
import { SmallDisk } from './mounts.ts';
import { PostgresServer, withPostgres } from './postgres.ts';
import { Relay } from './relay.ts';
import { Shim } from './shim.ts';
import { inTrouble } from './troubles.ts';

const GONE = 10_000;

it('PostgreSQL: disk full, read-only, fsync failing; gone for ten seconds', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-faults-'));
  chmodSync(folder, 0o755);
  const disk = new SmallDisk(path.join(folder, 'disk'), 256);
  const shim = new Shim();
  const postgres = await PostgresServer.create(path.join(disk.folder, 'data'), shim.env);
  const bank = await createBank(postgres.account('bank'));
  await postgres.stop();
  let away = false;
  const keeper = new Keeper(async () => {
    if (away) throw new Error('away');
    await postgres.start();
    return postgres;
  });
  const troubles = [
    { name: 'PostgreSQL, disk full', begin: () => disk.fill(), end: () => disk.empty() },
    { name: 'PostgreSQL, disk read-only at once', begin: () => disk.fail(), end: () => disk.repair() },
    { name: 'PostgreSQL, fsync failing', begin: () => shim.set({ failing: true }), end: () => shim.set({}) },
    {
      name: 'PostgreSQL, halted for ten seconds',
      begin: () => postgres.signal('SIGSTOP'),
      end: () => postgres.signal('SIGCONT'),
      lasting: GONE,
    },
    {
      name: 'PostgreSQL, stopped for ten seconds',
      begin: () => {
        away = true;
        return postgres.stop();
      },
      end: () => void (away = false),
      lasting: GONE,
    },
  ];
  try {
    await inTrouble(bank, () => ({ postgres }), troubles);
  } finally {
    await bank.end();
    await keeper.end();
    await disk.remove();
    shim.remove();
    rmSync(folder, { recursive: true });
  }
});

it('PostgreSQL: the primary killed, its synchronous standby promoted', () =>
  withPostgres(async (primary, folder) => {
    const standby = await PostgresServer.createStandby(primary, path.join(folder, 'standby'));
    const relay = await Relay.to(primary.port);
    const bank = await createBank({ ...primary.account('bank'), port: relay.port });
    const promotion = {
      name: 'PostgreSQL, primary killed and its synchronous standby promoted',
      begin: () => primary.kill(),
      end: async () => {
        relay.move(standby.port);
        await standby.promote();
      },
    };
    try {
      await inTrouble(bank, () => ({ postgres: standby }), [promotion]);
    } finally {
      await bank.end();
      relay.close();
      await standby.stop();
    }
  }));
