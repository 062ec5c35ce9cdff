/** A backup of a bank that may be at work: a folder that is there whole or not at all. docs/administration.md, "Backup and restore". */

import { toHex } from 'muniment/wire';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { refuseExisting, writeWhole } from '../../client/cli/files.ts';
import { readConfig } from '../../server/config.ts';
import { SQLITE_FILE } from '../../server/store/sqlite.ts';
import { openSource, readTrust } from '../check/config.ts';
import { openSqliteSource } from '../check/source.ts';
import type { BankTrust } from '../check/trust.ts';
import { synced } from './durable.ts';
import { readLog } from './log.ts';
import { MANIFEST_FILE, measure, type Manifest } from './manifest.ts';
import { takeSnapshot } from './snapshot.ts';

/**
 * Backs a bank up.
 *
 * @param configuration - the server's
 * @param out - a new folder
 * @throws `CliError`
 */
export async function backUp(configuration: string, out: string): Promise<Manifest> {
  refuseExisting(out);
  const [trust, config] = [readTrust(configuration), readConfig(configuration)];
  const temporary = `${out}.${randomUUID()}.tmp`;
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  try {
    const time = new Date().toISOString();
    const file = await takeSnapshot(config, temporary, () => openSource(configuration));
    const manifest = await describe(file, trust, time);
    writeWhole(path.join(temporary, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
    synced(temporary);
    refuseExisting(out);
    renameSync(temporary, out);
    synced(path.dirname(path.resolve(out)));
    return manifest;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function describe(file: string, trust: BankTrust, time: string): Promise<Manifest> {
  const source = openSqliteSource(file);
  const { size, root, checkpoint } = await readLog(source, trust).finally(() => source.close());
  return {
    format: 'muniment backup 1',
    origin: trust.origin,
    time,
    log: { size, root: toHex(root) },
    checkpoint,
    file: { name: SQLITE_FILE, ...(await measure(file)) },
  };
}
