/** Witnesses: what they cosign, what they never do, and a log that goes on when one of them is away or lies. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { createAnchor, createKeys, enrol, revokeCredential, type Identity } from 'muniment/keys';
import {
  addCosignatures,
  encodeSignedEntry,
  formatNoteKey,
  Log,
  logKeysOf,
  signCheckpoint,
  signEntry,
  verifyCheckpoint,
  type NoteKey,
} from 'muniment/record';
import { declareEmergency } from 'muniment/views';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BankClient } from '../../examples/client/bank.ts';
import { readRecord } from '../../examples/client/reading.ts';
import { statement } from '../../examples/client/writing.ts';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import { Ledger } from '../../examples/server/ledger.ts';
import type { Said } from '../../examples/server/said.ts';
import { Changes, PLAIN } from '../../examples/server/store/changes.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { Witnessing, type WitnessAt } from '../../examples/server/witnessing.ts';
import { serveWitness } from '../../examples/witness/http.ts';
import { LogWitness } from '../../examples/witness/witness.ts';
import { headOf, openRecord, write } from './a-record.ts';
import { foundBank, type InProcess } from './in-process.ts';
import { refusalOf } from './refusals.ts';
import { makeDatabase, type TestDatabase } from './store/engines.ts';

const signer = { origin: 'bank.example/records', ...createLogKeys() };
const keys = logKeysOf(signer);
const named = (name: string) => ({ name, signer: createKeys().signer });
const first = named('witness.example/1');

let folder: string;
let count = 0;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'muniment-witness-'));
});
beforeEach(() => {
  file = path.join(folder, `${String(++count)}.json`);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function grown(size: number, fill: number): Log {
  const log = new Log();
  for (let i = 0; i < size; i++) log.append(new Uint8Array(32).fill(fill + i));
  return log;
}
const note = (log: Log, size: number, by = signer): Promise<string> =>
  signCheckpoint(by, { size, root: log.root(size) }, 1_700_000_000_000);
const ask = async (log: Log, old: number, size: number): Promise<string> => {
  const proof = log.consistency(old, size).map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `old ${String(old)}\n${proof.join('')}\n${await note(log, size)}`;
};
const witness = (): LogWitness => new LogWitness(first, keys, { file, now: () => 1_700_000_001_000 });
const policy = (witnesses: NoteKey[], threshold: number) => ({
  log: keys,
  witnesses: { witnesses, threshold },
});

it('cosigns what extends the newest that it has seen, and remembers it on disk', async () => {
  const log = grown(9, 1);
  for (const [old, size] of [
    [0, 3],
    [3, 3],
    [3, 9],
  ] as const) {
    // Each time another process.
    const { status, body } = await witness().add(await ask(log, old, size));
    expect(status).toBe(200);
    const whole = addCosignatures(await note(log, size), [body.trimEnd()]);
    expect(verifyCheckpoint(whole, policy([witness().key], 1))).toMatchObject({ size });
  }
});

it('cosigns no older log, no other one, nobody else’s and nothing malformed', async () => {
  const [log, other] = [grown(9, 1), grown(9, 100)];
  expect(await witness().add(await ask(log, 0, 5))).toMatchObject({ status: 200 });
  expect(await witness().add(await ask(log, 0, 9))).toEqual({ status: 409, body: '5\n' });
  expect(await witness().add(await ask(other, 5, 9))).toEqual({ status: 422, body: '' });
  expect(await witness().add(await ask(other, 5, 5))).toEqual({ status: 422, body: '' });
  const older = `old 5\n\n${await note(log, 3)}`;
  expect(await witness().add(older)).toEqual({ status: 422, body: '' });
  const foreign = `old 5\n\n${await note(log, 5, { ...signer, ...createLogKeys() })}`;
  expect(await witness().add(foreign)).toEqual({ status: 403, body: '' });
  const good = await ask(log, 5, 9);
  for (const bad of ['', 'old 5', good.replace('old 5', 'old 05'), good.replace('\n', '\nno hash\n')])
    expect(await witness().add(bad)).toEqual({ status: 400, body: '' });
  expect(await witness().add(good)).toMatchObject({ status: 200 });
});

it('of two requests at once cosigns one future', async () => {
  const one = witness();
  const [log, other] = [grown(9, 1), grown(9, 100)];
  const answers = await Promise.all([one.add(await ask(log, 0, 9)), one.add(await ask(other, 0, 9))]);
  expect(answers.map(({ status }) => status)).toEqual([200, 409]);
});

describe('a bank', () => {
  let database: TestDatabase;
  let identity: Identity;
  let reports: unknown[];
  const engines: Engine[] = [];

  beforeAll(async () => {
    database = await makeDatabase('postgres');
    const terms = { notBefore: 0, notAfter: 4e12 };
    const suite = { kem: KEM_X25519 };
    const anchor = await createAnchor({ subject: 'admin', roles: ['administrator'], ...terms }, suite);
    identity = await enrol(anchor, { subject: 'bank', roles: ['bank'], ...terms }, suite);
  }, 60_000);
  beforeEach(() => {
    reports = [];
  });
  afterAll(async () => {
    for (const engine of engines) await engine.close();
    await database.remove();
  });

  /** One of its processes. */
  async function start(witnesses: readonly WitnessAt[]) {
    const engine = await database.open();
    engines.push(engine);
    const settled = { settled: () => undefined, judge: () => Promise.resolve() };
    const ledger = new Ledger(engine, { identity, log: signer, now: () => Date.now(), ...settled });
    await ledger.catchUp();
    const parts = { ledger, log: keys, reading: engine.reading, changes: new Changes(engine, PLAIN) };
    const witnessing = new Witnessing(witnesses, { ...parts, report: (error) => reports.push(error) });
    return { engine, ledger, witnessing };
  }

  async function grow({ ledger }: Awaited<ReturnType<typeof start>>): Promise<void> {
    await ledger.turn(async (turn) => {
      const stated = { kind: 'access', content: new Uint8Array(1), time: Date.now() } as const;
      const own = await turn.own(systemRandom(16), stated);
      const digests = { data: new Uint8Array(32), signature: new Uint8Array(32) };
      await turn.take([own], new Uint8Array(32), {
        request: 1,
        session: new Uint8Array(32),

        digests,
      });
    });
  }

  const textOf = async (said: Said): Promise<string> => (await said.checkpoint(0)).checkpoint;
  const cosigners = async (said: Said, witnesses: NoteKey[]): Promise<string[]> =>
    verifyCheckpoint(await textOf(said), policy(witnesses, 0)).cosignatures.map(({ name }) => name);

  it('has every word cosigned, whichever of its processes says it, also after a restart', async () => {
    const two = [
      witness(),
      new LogWitness(named('witness.example/2'), keys, { file: `${file}2`, now: Date.now }),
    ];
    const here = await Promise.all(two.map((one) => serveWitness(one)));
    const at = two.map(({ key }, i) => ({ url: here[i]!.url, key }));
    const processes = [await start(at), await start(at), await start(at)];
    const sizes: number[] = [];
    const words = processes.flatMap((one) =>
      Array.from({ length: 8 }, async () => {
        await grow(one);
        const least = one.ledger.size;
        const said = await one.witnessing.said();
        expect(said.size).toBeGreaterThanOrEqual(least); // what its caller did is in it
        expect(
          await cosigners(
            said,
            at.map(({ key }) => key),
          ),
        ).toHaveLength(2);
        sizes.push(said.size);
      }),
    );
    await Promise.all(words);
    expect(Math.max(...sizes)).toBe(24);
    expect(reports).toEqual([]);
    // Pages at an older size go on under the same lines, in a process that was not there.
    const late = await start(at);
    for (const size of new Set(sizes)) {
      const said = await late.witnessing.said(size);
      expect(said.size).toBe(size);
      expect(
        await cosigners(
          said,
          at.map(({ key }) => key),
        ),
      ).toHaveLength(2);
    }
    // A size that was never asked for is not to be had.
    const missing = Array.from({ length: 24 }, (_, i) => i + 1).find((size) => !sizes.includes(size));
    if (missing !== undefined)
      expect(await cosigners(await late.witnessing.said(missing), [two[0]!.key])).toEqual([]);
    for (const one of here) one.close();
  });

  it('goes on without one that is away or lies, and asks it again for the same size when it is back', async () => {
    const one = new LogWitness(named('witness.example/4'), keys, { file, now: Date.now });
    const here = await serveWitness(one);
    const liar = createServer((_, response) => response.end('— witness.example/3 AAAAAAAAAAAAAAAA\n'));
    liar.listen(0, '127.0.0.1');
    await once(liar, 'listening');
    const others = [named('witness.example/2'), named('witness.example/3')].map(
      (other) => new LogWitness(other, keys, { file, now: Date.now }).key,
    );
    const { port } = liar.address() as AddressInfo;
    const bank = await start([
      { url: here.url, key: one.key },
      { url: 'http://127.0.0.1:9', key: others[0]! },
      { url: `http://127.0.0.1:${String(port)}`, key: others[1]! },
    ]);
    await grow(bank);
    const all = [one.key, ...others];
    const said = await bank.witnessing.said();
    expect(await cosigners(said, all)).toEqual(['witness.example/4']);
    expect(reports).toHaveLength(2);
    const text = await textOf(said);
    expect(() => verifyCheckpoint(text, policy(all, 2))).toThrow(/^RECORD_WITNESS/);
    await grow(bank);
    expect(await cosigners(await bank.witnessing.said(), all)).toEqual(['witness.example/4']);
    expect(reports).toHaveLength(2); // those that failed are left alone for a while
    here.close();
    liar.close();
  });

  describe('of a witness that claims', () => {
    /** A witness that first says what it is told to say, and then is honest. */
    async function claiming(name: string) {
      const one = new LogWitness(named(name), keys, { file, now: Date.now });
      const claims: number[] = [];
      const asked = { times: 0 };
      const server = createServer((request, response) => {
        void (async () => {
          const body = await text(request);
          asked.times++;
          const claim = claims.shift();
          const answer =
            claim === undefined ? await one.add(body) : { status: 409, body: `${String(claim)}\n` };
          response.writeHead(answer.status).end(answer.body);
        })();
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
      return { one, at: { url, key: one.key }, claims, asked, close: () => server.close() };
    }

    it('to have seen more than there is: it is asked again after its respite, and no other waits', async () => {
      const honest = new LogWitness(named('witness.example/6'), keys, { file: `${file}6`, now: Date.now });
      const [here, liar] = [await serveWitness(honest), await claiming('witness.example/7')];
      const bank = await start([{ url: here.url, key: honest.key }, liar.at]);
      const all = [honest.key, liar.one.key];
      const next = async (): Promise<string[]> => {
        await grow(bank);
        return cosigners(await bank.witnessing.said(), all);
      };
      const both = ['witness.example/6', 'witness.example/7'];
      expect(await next()).toEqual(both);

      const turns = vi.spyOn(bank.ledger, 'turn');
      const after = vi.spyOn(performance, 'now');
      try {
        const now = performance.now();
        after.mockReturnValue(now);
        for (const [round, beyond] of [Number.MAX_SAFE_INTEGER, 1].entries()) {
          const claim = Math.min(bank.ledger.size + 1 + beyond, Number.MAX_SAFE_INTEGER);
          liar.claims.push(claim);
          [liar.asked.times, reports.length] = [0, 0];
          turns.mockClear();
          expect(await next()).toEqual(['witness.example/6']);
          expect(reports).toMatchObject([{ name: 'OlderError', seen: claim }]);
          // Its own turn, and one to look whether another process has shown it that.
          expect([liar.asked.times, turns.mock.calls.length]).toEqual([1, 2]);
          for (let i = 0; i < 3; i++) expect(await next()).toEqual(['witness.example/6']);
          expect([liar.asked.times, turns.mock.calls.length, reports.length]).toEqual([1, 5, 1]);
          after.mockReturnValue(now + (round + 1) * 5000);
          expect(await next()).toEqual(both);
          expect([turns.mock.calls.length, reports.length]).toEqual([6, 1]);
        }
      } finally {
        vi.restoreAllMocks();
      }
      here.close();
      liar.close();
    });

    it('so when an older size is cosigned, or sizes that there are: those it is believed, a few times', async () => {
      const liar = await claiming('witness.example/8');
      const bank = await start([liar.at]);
      await grow(bank);
      const { size } = bank.ledger;
      await grow(bank);
      liar.claims.push(size + 1); // which there is
      expect(await cosigners(await bank.witnessing.said(size), [liar.one.key])).toEqual([]);
      expect(reports).toEqual([]);
      liar.claims.push(size, size - 1); // as if other processes were showing it more
      expect(await cosigners(await bank.witnessing.said(), [liar.one.key])).toEqual(['witness.example/8']);
      expect(reports).toEqual([]);
      liar.claims.push(...Array<number>(9).fill(size));
      await grow(bank);
      liar.asked.times = 0;
      expect(await cosigners(await bank.witnessing.said(), [liar.one.key])).toEqual([]);
      expect([liar.asked.times, reports.length]).toEqual([4, 1]);
      // What there is not, it has not seen, and it is not asked again for a while.
      const fresh = await start([liar.at]);
      liar.claims.splice(0, Infinity, Number.MAX_SAFE_INTEGER);
      liar.asked.times = 0;
      for (let i = 0; i < 3; i++) await fresh.witnessing.said(size);
      expect([liar.asked.times, reports.length]).toEqual([1, 2]);
      liar.close();
    });

    it('what another process has shown it: the log is read once, and it is not at fault', async () => {
      const witnessed = await claiming('witness.example/9');
      const [one, other] = [await start([witnessed.at]), await start([witnessed.at])];
      for (let i = 0; i < 3; i++) await grow(other);
      await other.witnessing.said();
      expect(one.ledger.size).toBeLessThan(other.ledger.size);
      const turns = vi.spyOn(one.ledger, 'turn');
      witnessed.asked.times = 0;
      const said = await one.witnessing.said();
      // Its line for that is in the database by now.
      expect([said.size, witnessed.asked.times, turns.mock.calls.length]).toEqual([other.ledger.size, 1, 1]);
      expect(await cosigners(said, [witnessed.one.key])).toEqual(['witness.example/9']);
      expect(reports).toEqual([]);
      witnessed.close();
    });
  });

  it('passes over a line in the database that is not what it says, and asks for it again', async () => {
    const one = new LogWitness(named('witness.example/5'), keys, { file, now: Date.now });
    const here = await serveWitness(one);
    const bank = await start([{ url: here.url, key: one.key }]);
    await grow(bank);
    const row = {
      size: bank.ledger.size,
      witness: formatNoteKey(one.key),
      line: '— witness.example/5 AAAAAAAA',
    };
    await bank.engine.database.insertInto('cosignatures').values(row).execute();
    expect(await cosigners(await bank.witnessing.said(), [one.key])).toEqual(['witness.example/5']);
    expect(reports).toMatchObject([{ code: 'RECORD_WITNESS' }]);
    here.close();
  });
});

const QUESTIONS: Readonly<
  Record<string, (at: InProcess, client: BankClient, recordId: Uint8Array) => Promise<unknown>>
> = {
  read: (_, client, recordId) => readRecord(client, recordId, { purpose: 'own', releases: null }),
  'tell heads': (_, client, recordId) => client.ask<'head'>({ type: 'head', recordId }),
  async 'break the glass'(at, client, recordId) {
    const declared = await declareEmergency(client.user, { recordId, reason: 'none', kem: KEM_X25519 });
    const { kind, payloadType, digest, payload } = statement('emergency', 'emergency', declared.statement);
    const signed = await signEntry(client.user, await headOf(at, recordId), {
      ...{ origin: at.trust.origin, recordId, chain: 'content', kind, time: Date.now() },
      ...{ payloadType, payloadDigest: digest, seen: null },
    });
    const entry = encodeSignedEntry(signed);
    return client.ask<'break-glass'>({ type: 'break-glass', recordId, entry }, [payload]);
  },
};

it.each(Object.keys(QUESTIONS))(
  'asked to %s, nobody hears an answer whose key ended while the bank waited for a witness',
  async (name) => {
    let meanwhile: (() => Promise<void>) | null = null;
    let isDue = (): boolean => false;
    const one = new LogWitness(first, keys, { file, now: Date.now });
    const slow = createServer((request, response) => {
      const work = isDue() ? meanwhile : null;
      if (isDue()) meanwhile = null;
      void (async () => {
        await work?.();
        const { status, body } = await one.add(await text(request));
        response.writeHead(status).end(body);
      })();
    });
    slow.listen(0, '127.0.0.1');
    await once(slow, 'listening');
    const url = `http://127.0.0.1:${String((slow.address() as AddressInfo).port)}`;
    const database = await makeDatabase('sqlite');
    const engine = await database.open();
    try {
      const at = await foundBank(engine, { log: signer, witnesses: [{ url, key: one.key }] });
      const { patient, doctor, medic } = await at.join({
        ...{ patient: ['patient'], doctor: ['doctor'], medic: ['doctor', 'emergency'] },
      });
      const { recordId } = await openRecord(at, patient, doctor);
      const asker = name === 'break the glass' ? medic : patient;
      const { credential } = asker.user;
      const ends: Promise<unknown>[] = [];
      await engine.database.deleteFrom('cosignatures').execute(); // so that the witness is asked whatever comes first
      // What leaves an entry is asked for with a head, which is waited for as well.
      const { size } = at.bank.ledger;
      isDue = () => name === 'tell heads' || at.bank.ledger.size > size;
      meanwhile = async () => {
        const now = Date.now();
        const terms = { reason: 'compromised', doubtfulFrom: now, revokedAt: now } as const;
        const stolen = await revokeCredential(at.administrator.user, credential, terms);
        const writing = statement('revoke', 'revocation', stolen);
        ends.push(write(at, at.administrator, at.directory.recordId, writing)); // is answered after the witness
        while ((await at.bank.directory.revocations(engine.reading, credential)).length === 0)
          await new Promise((resolve) => setTimeout(resolve, 5));
      };
      expect(await refusalOf(QUESTIONS[name]!(at, asker, recordId))).toBe('KEY_REVOKED');
      await Promise.all(ends);
    } finally {
      await engine.close();
      await database.remove();
      slow.close();
    }
  },
);
