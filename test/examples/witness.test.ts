/** Witnesses: what they cosign, what they never do, and a log that goes on when one of them is away or lies. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createKeys } from 'muniment/keys';
import {
  addCosignatures,
  Log,
  logKeysOf,
  signCheckpoint,
  verifyCheckpoint,
  type NoteKey,
} from 'muniment/record';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import { Witnessing, type WitnessAt } from '../../examples/server/witnessing.ts';
import { serveWitness, type Listening } from '../../examples/witness/http.ts';
import { LogWitness } from '../../examples/witness/witness.ts';

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

it('cosigns every size that is asked for, also when many are asked for at once', async () => {
  const log = grown(20, 1);
  const here = await serveWitness(witness());
  const reports: unknown[] = [];
  const witnessing = new Witnessing([{ url: here.url, key: witness().key }], keys, {
    consistency: (from, to) => log.consistency(from, to),
    report: (error) => reports.push(error),
  });
  const sizes = [5, 7, 9, 9, 12, 20];
  const notes = await Promise.all(sizes.map((size) => note(log, size)));
  const cosigned = await Promise.all(notes.map((one) => witnessing.cosigned(one)));
  expect(reports).toEqual([]);
  const verified = cosigned.map((one) => verifyCheckpoint(one, policy([witness().key], 1)).size);
  expect(verified).toEqual(sizes);
  // Pages at an older size go on under the same cosignature.
  expect(await witnessing.cosigned(await note(log, 7))).toBe(cosigned[1]);
  // A size that was never asked for is not to be had, and that costs the witness nothing.
  const older = await witnessing.cosigned(await note(log, 6));
  expect(() => verifyCheckpoint(older, policy([witness().key], 1))).toThrow(/^RECORD_WITNESS/);
  here.close();
});

it('is asked by a log, which goes on without one that is away or lies', async () => {
  const log = grown(9, 1);
  const here = await serveWitness(witness());
  const liar = createServer((_, response) => response.end('— witness.example/3 AAAAAAAAAAAAAAAA\n'));
  liar.listen(0, '127.0.0.1');
  await once(liar, 'listening');
  const at = (listening: Pick<Listening, 'url'>, key: NoteKey): WitnessAt => ({ url: listening.url, key });
  const others = [named('witness.example/2'), named('witness.example/3')].map(
    (one) => new LogWitness(one, keys, { file, now: Date.now }).key,
  );
  const reports: unknown[] = [];
  const { port } = liar.address() as AddressInfo;
  const witnessing = new Witnessing(
    [
      at(here, witness().key),
      at({ url: 'http://127.0.0.1:9' }, others[0]!),
      at({ url: `http://127.0.0.1:${String(port)}` }, others[1]!),
    ],
    keys,
    {
      consistency: (from, to) => log.consistency(from, to),
      report: (error) => reports.push(error),
    },
  );
  const all = [witness().key, ...others];
  const cosigned = await witnessing.cosigned(await note(log, 5));
  expect(verifyCheckpoint(cosigned, policy(all, 1)).cosignatures).toMatchObject([{ name: first.name }]);
  expect(() => verifyCheckpoint(cosigned, policy(all, 2))).toThrow(/^RECORD_WITNESS/);
  expect(reports).toHaveLength(2);
  // What it has once is what it gives again, also when the log has grown.
  const later = await witnessing.cosigned(await note(log, 9));
  expect(verifyCheckpoint(later, policy(all, 1)).size).toBe(9);
  expect(await witnessing.cosigned(await note(log, 5))).toBe(cosigned);
  here.close();
  liar.close();
});
