/** The ledger by itself, on both engines: what it states of times, who may share it, and what a failure leaves. */

import { KEM_X25519, sha256, systemRandom } from 'muniment/crypto';
import { createAnchor, enrol, type Identity } from 'muniment/keys';
import { Log, verifyConsistency, verifyReceipt, type Receipt } from 'muniment/record';
import { utf8 } from 'muniment/wire';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../examples/server/ledger.ts';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import type { Turn } from '../../examples/server/turn.ts';
import { ENGINES, makeDatabase, type TestDatabase } from './store/engines.ts';

const ORIGIN = 'bank.example/records';
const RECORD = systemRandom(16);
let bank: Identity;
let now = 5000;

beforeAll(async () => {
  const suite = { kem: KEM_X25519 };
  const validity = { notBefore: 0, notAfter: 4e12 };
  const anchor = await createAnchor({ subject: 'admin', roles: ['administrator'], ...validity }, suite);
  bank = await enrol(anchor, { subject: 'bank', roles: ['bank'], ...validity }, suite);
});

const CAUSE = {
  ...{ request: 1, session: new Uint8Array(32) },
  digests: { data: sha256(utf8('data')), signature: sha256(utf8('signature')) },
};

async function takeIn(turn: Turn): Promise<Receipt> {
  const accepted = await turn.own(RECORD, { kind: 'access', content: utf8('read'), time: now });
  const [receipted] = await turn.take([accepted], new Uint8Array(32), CAUSE);
  return verifyReceipt(receipted!.receipt, bank.credential, { origin: ORIGIN, entryHash: accepted.hash });
}

const take = (ledger: Ledger): Promise<Receipt> => ledger.turn(takeIn);
const sizeOf = (ledger: Ledger): Promise<number> => ledger.turn((turn) => Promise.resolve(turn.size));

describe.each(ENGINES)('on %s', (name) => {
  const log = { origin: ORIGIN, ...createLogKeys() };
  const judge = (): Promise<void> => Promise.resolve();
  const settled = (): void => undefined;
  const open = (on = engine): Ledger =>
    new Ledger(on, { identity: bank, log, now: () => now, judge, settled });
  let database: TestDatabase;
  let engine: Engine;
  beforeAll(async () => {
    database = await makeDatabase(name);
  }, 60_000);
  afterAll(() => database.remove());
  beforeEach(async () => {
    engine = await database.open();
  });
  afterEach(() => engine.close());

  it('states no earlier time than before, not even after a restart', async () => {
    now = 5000;
    const ledger = open();
    expect((await take(ledger)).time).toBe(5000);
    now = 4000;
    expect((await take(ledger)).time).toBe(5000);
    expect((await take(open())).time).toBe(5000);
    now = 6000;
    expect((await take(open())).time).toBe(6000);
    // Not by what never happened: not alone, and not beside one that did.
    now = 9000;
    const failing = (): Promise<never> =>
      ledger.turn(async (turn) => {
        await takeIn(turn);
        now = 7000;
        throw new RangeError('no');
      });
    await expect(failing()).rejects.toThrow('no');
    expect((await take(ledger)).time).toBe(7000);
    now = 9000;
    const [, after] = await Promise.allSettled([failing(), take(ledger)]);
    expect(after).toMatchObject({ value: { time: 7000 } });
    now = 6000;
  });

  it('forgets the leaves of a turn that failed, alone or among others', async () => {
    const ledger = open();
    const before = await sizeOf(ledger);
    const failing = (): Promise<Receipt> =>
      ledger.turn(async (turn) => {
        await takeIn(turn);
        throw new RangeError('no');
      });
    await expect(failing()).rejects.toThrow('no');
    expect(await sizeOf(ledger)).toBe(before);
    const results = await Promise.allSettled([
      take(ledger),
      failing(),
      take(ledger),
      failing(),
      take(ledger),
    ]);
    const places = results.map((one) => (one.status === 'fulfilled' ? one.value.leafIndex - before : null));
    expect(places).toEqual([0, null, 1, null, 2]);
    expect(await rootsAgree(ledger)).toBe(before + 3);
  });

  it('gives every turn its own place, however many processes take turns at once', async () => {
    // SQLite is one process's: there the ledgers share the connection.
    const engines = name === 'postgres' ? await Promise.all([1, 2, 3].map(() => database.open())) : [];
    const ledgers = [open(), ...engines.map((one) => open(one))];
    const before = await sizeOf(ledgers[0]!);
    const receipts = await Promise.all(
      Array.from({ length: 40 }, (_, i) => take(ledgers[i % ledgers.length]!)),
    );
    expect(receipts.map(({ leafIndex }) => leafIndex).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, i) => before + i),
    );
    expect(receipts.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, i) => before + i),
    );
    for (const [i, ledger] of ledgers.entries()) expect(await rootsAgree(ledger)).toBe(before + 40 + i);
    // What any of them stated of the log is a prefix of what all of them state now.
    const whole = await storedLog();
    const now = { size: whole.size, root: whole.root() };
    for (const { tree } of receipts) verifyConsistency(tree, now, whole.consistency(tree.size));
    await Promise.all(engines.map((one) => one.close()));
  });

  it('builds nothing upon a database that has lost what was durable, or has a gap', async () => {
    const older = await makeDatabase('sqlite');
    let current = engine;
    const moving: Engine = {
      ...engine,
      lock: (change) => current.lock(change),
      get database() {
        return current.database;
      },
    };
    const ledger = open(moving);
    const { leafIndex } = await take(ledger);
    current = await older.open();
    await expect(take(ledger)).rejects.toMatchObject({ code: 'LEAVES_LOST' });
    await current.close();
    await older.remove();
    current = engine;
    expect((await take(ledger)).leafIndex).toBe(leafIndex + 1);
    const gap = { position: leafIndex + 3, leaf: systemRandom(32), time: now };
    await engine.database.insertInto('leaves').values(gap).execute();
    await expect(take(ledger)).rejects.toMatchObject({ code: 'LEAVES_LOST' });
    await expect(take(open())).rejects.toMatchObject({ code: 'LEAVES_LOST' });
  });

  async function storedLog(): Promise<Log> {
    const stored = new Log();
    const rows = await engine.reading.selectFrom('leaves').select('leaf').orderBy('position').execute();
    for (const { leaf } of rows) stored.append(new Uint8Array(leaf));
    return stored;
  }

  /** The size of a ledger's log, which has the root of what is stored. */
  async function rootsAgree(ledger: Ledger): Promise<number> {
    const { tree } = await take(ledger);
    const stored = await storedLog();
    expect(tree).toEqual({ size: stored.size, root: stored.root() });
    return tree.size - 1;
  }
});
