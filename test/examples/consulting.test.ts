/** Consulting a record whole, in part and as of a time; both versions of what was amended; and grants that end. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeView, viewAsJson } from '../../examples/client/cli/show.ts';
import { auditRecord } from '../../examples/client/auditing.ts';
import type { BankClient } from '../../examples/client/bank.ts';
import { readAccesses } from '../../examples/client/accesses.ts';
import { readRecord, type RecordView } from '../../examples/client/reading.ts';
import { endGrant } from '../../examples/client/sharing.ts';
import { sealDraft, type RecordName } from '../../examples/client/writing.ts';
import type { Part } from '../../examples/policies/behc.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import {
  audienceOf,
  draftIn,
  foundGroups,
  grantPart,
  headOf,
  KEEPER,
  openRecord,
  write,
} from './a-record.ts';
import { foundBank, type InProcess } from './in-process.ts';
import { makeDatabase, type TestDatabase } from './store/engines.ts';

const USERS = {
  patient: ['patient'],
  doctor: ['doctor', 'speciality:cardiology', ...KEEPER],
  insurer: ['insurer'],
  auditor: ['auditor'],
} as const;

let database: TestDatabase;
let engine: Engine;
let at: InProcess;
let users: Record<keyof typeof USERS, BankClient>;
let record: RecordName;
/** `bodyHash` of the first document, and when it had been taken and the second had not. */
let first: Uint8Array;
let between: number;
let jump = 0;
const HOUR = 3_600_000;

const put = async (part: Part, about?: Parameters<typeof draftIn>[1]): Promise<Uint8Array> => {
  const writing = await sealDraft(users.doctor, await audienceOf(at, users.patient), draftIn(part, about));
  await write(at, users.doctor, record.recordId, writing);
  return writing.digest;
};
const read = (client: BankClient, how: { part?: string; asOf?: number } = {}): Promise<RecordView> =>
  readRecord(client, record.recordId, { purpose: 'of the test', releases: null, ...how });
const seqs = (view: RecordView): number[] => view.documents.map(({ entry }) => entry.entry.seq);
const lastTime = async (): Promise<number> => {
  const rows = await engine.reading.selectFrom('leaves').select('time').orderBy('position', 'desc').execute();
  return rows[0]!.time;
};

beforeAll(async () => {
  database = await makeDatabase('sqlite');
  engine = await database.open();
  at = await foundBank(engine, { jump: () => jump });
  users = await at.join(USERS);
  await foundGroups(at, users.doctor, [users.doctor.user.credential]);
  record = await openRecord(at, users.patient, users.doctor);
  first = await put('treatments');
  between = await lastTime();
  while (Date.now() <= between) await new Promise((resolve) => setImmediate(resolve));
  await put('anamnesis');
  await put('treatments', { kind: 'amend', document: first });
  await put('treatments', { kind: 'annotate', document: first });
});
afterAll(async () => {
  await engine.close();
  await database.remove();
});

it('whole: all of it, to owner and doctor', async () => {
  for (const client of [users.patient, users.doctor]) expect(seqs(await read(client))).toEqual([1, 2, 3, 4]);
});

it('a part: what lies in it, the rest as hashes, and still the whole chain; also to the owner', async () => {
  for (const client of [users.patient, users.doctor]) {
    const view = await read(client, { part: 'anamnesis' });
    // The speciality of every document of this policy lies there, but for those of two parts.
    expect(seqs(view)).toEqual([1, 2, 3, 4]);
    const treatments = await read(client, { part: 'treatments' });
    expect(seqs(treatments)).toEqual([1, 3, 4]);
    expect(treatments.chain).toHaveLength(5);
    expect(treatments.chain[2]).toHaveProperty('hidden');
    expect(seqs(await read(client, { part: 'no such part' }))).toEqual([]);
  }
});

it('as of a time: what the bank had taken by then, and nothing before there was anything', async () => {
  for (const client of [users.patient, users.doctor]) {
    const view = await read(client, { asOf: between });
    expect(seqs(view)).toEqual([1]);
    expect(view.chain).toHaveLength(2);
    expect((await read(client, { asOf: 0 })).chain).toHaveLength(0);
    expect(seqs(await read(client, { asOf: Date.now() }))).toEqual([1, 2, 3, 4]);
  }
});

it('both versions of what was amended, each with the place of the other', async () => {
  const view = await read(users.doctor);
  const lines = describeView(view).split('\n');
  const headings = lines.filter((line) => line.startsWith('#'));
  expect(headings[0]).toContain('amended by #3');
  expect(headings[1]).not.toContain('amend');
  expect(headings[2]).toContain('amends #1');
  expect(headings[3]).toContain('about #1');
  const { documents } = JSON.parse(viewAsJson(view)) as {
    documents: { kind: string; about: number | null }[];
  };
  expect(documents.map(({ kind, about }) => [kind, about])).toEqual([
    ['insert', null],
    ['insert', null],
    ['amend', 1],
    ['annotate', 1],
  ]);
});

it('a grant that was ended opens nothing more, though its time is not over', async () => {
  const { credential: grantee } = users.insurer.user;
  expect(seqs(await read(users.insurer))).toEqual([]);
  const granted = await grantPart(at, users.patient, record, { grantee, part: 'treatments' });
  expect(seqs(await read(users.insurer))).toEqual([1, 3, 4]);
  const { grants } = await read(users.patient);
  expect(grants.map(({ entry }) => entry.hash)).toEqual([granted]);
  await endGrant(users.patient, record, granted);
  const after = await read(users.insurer);
  expect(seqs(after)).toEqual([]);
  expect(after.grants).toEqual([]);
  // Both words stand in the chain, before the owner.
  const kinds = (await read(users.patient)).chain.map((item) => ('hidden' in item ? null : item.entry.kind));
  expect(kinds.slice(-2)).toEqual(['grant', 'revoke']);
});

it('an audit: the whole chain to its end without an entry but the first, and the owner sees that it was asked', async () => {
  const head = await headOf(at, record.recordId);
  const audit = await auditRecord(users.auditor, record.recordId, 'yearly');
  expect(audit).toMatchObject({ entries: head.size, head });
  expect(audit.owner.subject).toBe('patient');
  const { chain } = await read(users.auditor);
  expect(chain.filter((item) => !('hidden' in item))).toHaveLength(1);
  const { proven, unproven } = await readAccesses(users.patient, record.recordId);
  expect(unproven).toEqual([]);
  expect(proven.some((one) => one.reader.subject === 'auditor' && one.purpose === 'yearly')).toBe(true);
});

it('while the clock jumps: an access states when it was asked, which its owner can hold against the request', async () => {
  const before = Date.now();
  for (const hour of [HOUR, -HOUR]) {
    jump = hour;
    await read(users.doctor);
  }
  jump = 0;
  const { proven, unproven } = await readAccesses(users.patient, record.recordId);
  expect(unproven).toEqual([]);
  const since = proven.filter(({ time }) => time >= before);
  expect(since.map(({ reader }) => reader.subject)).toEqual(['doctor', 'doctor']);
  expect(since.every(({ time }) => time <= Date.now())).toBe(true);
});
