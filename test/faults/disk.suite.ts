/** SQLite's disk full, failing, read-only; and the server's clock an hour off. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'vitest';
import { createBank } from './bank.ts';
import { SmallDisk } from './mounts.ts';
import { Shim } from './shim.ts';
import { inTrouble } from './troubles.ts';

const HOUR = 3600;

it('SQLite: disk full, read-only, fsync failing; clock an hour ahead and behind', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-faults-'));
  const disk = new SmallDisk(path.join(folder, 'disk'), 64);
  const shim = new Shim();
  const data = path.join(disk.folder, 'data');
  const bank = await createBank(null, data);
  const troubles = [
    { name: 'SQLite, disk full', begin: () => disk.fill(), end: () => disk.empty() },
    { name: 'SQLite, disk read-only at once', begin: () => disk.fail(), end: () => disk.repair() },
    { name: 'SQLite, fsync failing', begin: () => shim.set({ failing: true }), end: () => shim.set({}) },
    {
      name: 'clock an hour ahead',
      begin: () => shim.set({ seconds: HOUR }),
      end: () => shim.set({}),
    },
    {
      name: 'clock an hour behind',
      begin: () => shim.set({ seconds: -HOUR }),
      end: () => shim.set({}),
    },
  ];
  try {
    await inTrouble(bank, () => bank, troubles, shim.env);
  } finally {
    await bank.end();
    await disk.remove();
    shim.remove();
    rmSync(folder, { recursive: true });
  }
});
