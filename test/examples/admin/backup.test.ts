/** `backup` and `restore` on both engines: of a bank at work, into an empty store, and what is refused. */

import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MunimentError } from 'muniment';
import { signCheckpoint, verifyCheckpoint } from 'muniment/record';
import type { Manifest } from '../../../examples/admin/backup/manifest.ts';
import { run } from '../../../examples/admin/program.ts';
import { BankClient, type Memory } from '../../../examples/client/bank.ts';
import { lookUp } from '../../../examples/client/people.ts';
import { readRecord } from '../../../examples/client/reading.ts';
import { append, createRecord, sealDraft, type RecordName } from '../../../examples/client/writing.ts';
import { allGroups, populateDirectory } from '../../../examples/demo/founding.ts';
import { startServer, type RunningServer } from '../../../examples/demo/server-process.ts';
import { syntheticSubject } from '../../../examples/demo/subject.ts';
import { createWorld, type World } from '../../../examples/demo/world.ts';
import { importLogKeys } from '../../../examples/server/log-keys.ts';
import { migratePostgres } from '../../../examples/server/store/postgres.ts';
import { ENGINES } from '../store/engines.ts';

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function admin(...args: string[]): Promise<Ran> {
  let [out, err] = ['', ''];
  const status = await run(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {},
  });
  return { status, out, err };
}

describe.each(ENGINES)('a bank on %s', (engine) => {
  const subject = syntheticSubject();
  let world: World;
  let record: RecordName;
  /** Taken while somebody writes, and when nobody did any more. */
  let [older, newer]: [string, string] = ['', ''];
  /** What the doctor has seen last. */
  let newest: string;
  let written = 0;

  const at = (...names: string[]): string => path.join(path.dirname(world.serverFolder), ...names);
  const configuration = (): string => at('server.json');
  const manifestOf = (backup: string): Manifest =>
    JSON.parse(readFileSync(path.join(backup, 'manifest.json'), 'utf8')) as Manifest;
  const markOf = (store: Store): string => path.join(store.dataFolder, 'restored.json');

  beforeAll(async () => {
    world = await createWorld(subject.specialities, { store: engine, witnesses: 1 });
    await populateDirectory(world, subject);
    record = await createRecord(world.clients.doctor, 'patient-1');
    await writeOne(world.clients.doctor);
  });
  afterAll(() => world.end());

  async function writeOne(doctor: BankClient): Promise<void> {
    const people = await lookUp(doctor, { subjects: ['patient-1'], groups: allGroups(world) });
    const owner = people.compartments.get('patient-1')!;
    const audience = { policy: subject.policy, owner, groups: people.groups, custodian: world.trust.bank };
    await append(doctor, record, [await sealDraft(doctor, audience, subject.drafts[0]!)]);
    written++;
  }

  interface Store {
    readonly configuration: string;
    readonly dataFolder: string;
  }

  /** A store without a bank in it, and the configuration of a server for it. */
  async function emptyStore(): Promise<Store> {
    const name = `empty_${randomBytes(4).toString('hex')}`;
    const config = JSON.parse(readFileSync(configuration(), 'utf8')) as { store: object };
    const dataFolder = path.join(world.serverFolder, name);
    if (world.postgres !== null) {
      const { owner } = world.postgres;
      const client = new pg.Client(owner);
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      await migratePostgres({ ...owner, database: name }, 'bank');
      config.store = { ...config.store, database: name };
    }
    const file = at(`${name}.json`);
    writeFileSync(file, JSON.stringify({ ...config, dataFolder }));
    return { configuration: file, dataFolder };
  }

  const restore = (from: string, store: Store, ...more: string[]): Promise<Ran> =>
    admin('restore', '--from', from, '--config', store.configuration, ...more);

  /** Runs a server on a store, for somebody with a memory. */
  async function serving<Result>(
    store: Store,
    memory: Memory,
    work: (doctor: BankClient) => Promise<Result>,
  ): Promise<Result> {
    const server: RunningServer = await startServer(store.configuration, world.serverFolder);
    const { user, trust, endpoint } = world.clients.doctor;
    try {
      return await work(new BankClient(user, trust, { ...endpoint, port: server.port }, memory));
    } finally {
      await server.stop();
    }
  }

  it('is backed up while somebody writes, whole, and without a key', async () => {
    older = at('older');
    const before = written;
    const ended = new AbortController();
    const busy = (async () => {
      do await writeOne(world.clients.doctor);
      while (!ended.signal.aborted);
    })();
    const backed = await admin('backup', '--config', configuration(), '--out', older);
    ended.abort();
    await busy;
    expect(backed).toMatchObject({ status: 0, err: '' });
    expect(written).toBeGreaterThan(before);
    expect(readdirSync(older).sort()).toEqual(['bank.sqlite', 'manifest.json']);
    expect(readdirSync(at()).filter((name) => name.startsWith('older.'))).toEqual([]);
    for (const name of readdirSync(older)) expect(statSync(path.join(older, name)).mode & 0o077).toBe(0);
    const { checkpoint, log } = manifestOf(older);
    const rules = { log: world.trust.log, witnesses: world.trust.witnesses };
    expect(verifyCheckpoint(checkpoint!, rules).size).toBeLessThanOrEqual(log.size);
    const checked = await admin('check', '--config', configuration(), '--backup', older);
    expect(checked).toMatchObject({ status: 0, err: '' });
  });

  it('is not backed up over what is there', async () => {
    const { status, err } = await admin('backup', '--config', configuration(), '--out', older);
    expect({ status, err }).toEqual({
      status: 1,
      err: `muniment-admin: ${older} is there already, and is left as it is\n`,
    });
  });

  it('serves a client that remembers it once it was restored and proved whole', async () => {
    newer = at('newer');
    await writeOne(world.clients.doctor);
    await world.server.stop();
    expect(await admin('backup', '--config', configuration(), '--out', newer)).toMatchObject({ status: 0 });
    const { memory } = world.clients.doctor;
    newest = at('newest.checkpoint');
    writeFileSync(newest, memory.newest!.checkpoint);
    expect(manifestOf(newer).checkpoint).toBe(memory.newest!.checkpoint);
    expect(manifestOf(newer).log.size).toBeGreaterThan(manifestOf(older).log.size);

    const store = await emptyStore();
    const restored = await restore(newer, store, '--checkpoint', newest);
    expect(restored).toMatchObject({ status: 0, err: '' });
    expect(restored.out).toContain('all of it holds');
    expect(existsSync(markOf(store))).toBe(false);
    const entries = await serving(store, structuredClone(memory), async (doctor) => {
      await writeOne(doctor);
      return (await readRecord(doctor, record.recordId, { purpose: 'care', releases: null })).chain.length;
    });
    expect(entries).toBe(1 + written); // its creation, and each of them
    expect(await admin('check', '--config', store.configuration)).toMatchObject({ status: 0, err: '' });
    written--;
  });

  it('is refused when it is older than what somebody holds, and does not start before that is accepted', async () => {
    const { size } = manifestOf(older).log;
    const last = world.clients.doctor.memory.newest!.size - 1;
    const store = await emptyStore();
    const { status, err } = await restore(older, store, '--checkpoint', newest);
    expect({ status, err }).toEqual({
      status: 1,
      err: `muniment-admin: leaves ${String(size)} to ${String(last)} of the log are missing, by the checkpoint in ${newest}\n`,
    });
    const mark = JSON.parse(readFileSync(markOf(store), 'utf8')) as { missing: unknown };
    expect(mark.missing).toEqual({ first: size, last, by: newest });
    await expect(startServer(store.configuration, world.serverFolder)).rejects.toThrow(
      'muniment-server: the bank was restored from a backup',
    );

    expect(await restore(newer, store, '--checkpoint', newest)).toMatchObject({ status: 1 }); // another backup
    const accepted = await restore(older, store, '--checkpoint', newest, '--accept-loss');
    expect(accepted).toMatchObject({ status: 0, err: '' });
    expect(existsSync(markOf(store))).toBe(false);
    // Who has seen more does not take it for the same bank.
    const { memory } = world.clients.doctor;
    const error: unknown = await serving(store, structuredClone(memory), (doctor) =>
      readRecord(doctor, record.recordId, { purpose: 'care', releases: null }),
    ).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect((error as MunimentError).code).toBe('RECORD_CONSISTENCY');
  });

  it('is not started on the word of the backup alone', async () => {
    const store = await emptyStore();
    const alone = await restore(newer, store);
    expect(alone.status).toBe(1);
    expect(alone.err).toContain('nobody says that nothing came after');
    expect(existsSync(markOf(store))).toBe(true);
    expect(await restore(newer, store, '--checkpoint', newest)).toMatchObject({ status: 0, err: '' });
    expect(existsSync(markOf(store))).toBe(false);
  });

  it('is refused against a checkpoint of another history, whatever is accepted', async () => {
    const [keys, passphrase] = [readFileSync(at('log.keys'), 'utf8'), readFileSync(at('passphrase'), 'utf8')];
    const log = await importLogKeys(keys, passphrase, world.trust.origin);
    const { size } = manifestOf(newer).log;
    const other = at('other.checkpoint');
    writeFileSync(other, await signCheckpoint(log, { size, root: randomBytes(32) }, Date.now()));
    const store = await emptyStore();
    const { status, out } = await restore(newer, store, '--checkpoint', other, '--accept-loss');
    expect(status).toBe(1);
    expect(out).toContain(`WRONG  outside  ${other}  ROOT`);
    expect(existsSync(markOf(store))).toBe(true);
  });

  it('is left alone by a backup that was changed, a checkpoint that is none, and where there is a bank', async () => {
    const changed = at('changed');
    cpSync(newer, changed, { recursive: true });
    const file = path.join(changed, 'bank.sqlite');
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    const store = await emptyStore();
    const damaged = await restore(changed, store, '--accept-loss');
    expect(damaged).toMatchObject({ status: 1, out: '' });
    expect(damaged.err).toContain('is not what the manifest says');

    const none = at('none.checkpoint');
    writeFileSync(none, readFileSync(newest, 'utf8').replace('\n', 'x\n'));
    const refused = await restore(newer, store, '--checkpoint', none);
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toContain("no checkpoint of this bank's log");
    expect(existsSync(store.dataFolder)).toBe(false);

    const own = { configuration: configuration(), dataFolder: path.join(world.serverFolder, 'data') };
    const there = await restore(newer, own, '--checkpoint', newest);
    expect(there).toEqual({
      status: 1,
      out: '',
      err: 'muniment-admin: there is a bank already, and it is left as it is\n',
    });
    expect(existsSync(markOf(own))).toBe(false);
  });
});
