/** Users are given other credentials: who stands for a subject, and what older credentials signed. Owners: owners.test.ts. */

import SQLite from 'better-sqlite3';
import { Kysely, sql, SqliteDialect } from 'kysely';
import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { openGroupHistory, type Credential } from 'muniment/keys';
import { definePolicy } from 'muniment/views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BankClient } from '../../examples/client/bank.ts';
import { lookUp, person, type People } from '../../examples/client/people.ts';
import {
  publishGroupOf,
  publishNextEpochOf,
  register,
  rekey,
  revoke,
} from '../../examples/client/publishing.ts';
import { readRecord } from '../../examples/client/reading.ts';
import { append, createRecord, sealDraft, type RecordName } from '../../examples/client/writing.ts';
import { meditrackPolicy } from '../../examples/policies/index.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { bank } from '../../examples/server/store/migrations/0001-bank.ts';
import { renewals } from '../../examples/server/store/migrations/0003-renewals.ts';
import type { Tables } from '../../examples/server/store/tables.ts';
import { foundBank, type InProcess } from './in-process.ts';
import { refusalOf } from './refusals.ts';
import { ENGINES, makeDatabase, type TestDatabase } from './store/engines.ts';

const USERS = {
  doctor: ['doctor', 'speciality:cardiology', 'keeper:speciality:cardiology'],
  insurer: ['insurer', 'keeper:insurer'],
  emergency: ['emergency', 'keeper:emergency'],
  patient: ['patient'],
  newcomer: ['patient'],
} as const;

describe.each(ENGINES)('on %s', (name) => {
  let database: TestDatabase;
  let engine: Engine;
  let at: InProcess;
  let users: Record<keyof typeof USERS, BankClient>;
  let record: RecordName;

  beforeAll(async () => {
    database = await makeDatabase(name);
    engine = await database.open();
    at = await foundBank(engine);
    users = await at.join(USERS);
    for (const [keeper, group] of [
      [users.doctor, 'speciality:cardiology'],
      [users.insurer, 'insurer'],
      [users.emergency, 'emergency'],
    ] as const)
      await publishGroupOf(keeper, at.directory, {
        name: group,
        kem: KEM_X25519,
        members: [keeper.user.credential],
      });
    await at.publish(users.patient, ['personal', 'urgent', 'medical', 'financial']);
  }, 120_000);
  afterAll(async () => {
    await engine.close();
    await database.remove();
  });

  async function add(doctor: BankClient, to: RecordName): Promise<void> {
    const groups = ['speciality:cardiology', 'insurer', 'emergency'];
    const people = await lookUp(doctor, { subjects: ['patient'], groups });
    const audience = {
      policy: definePolicy(meditrackPolicy),
      owner: people.compartments.get('patient')!,
      groups: people.groups,
      custodian: at.trust.bank,
    };
    const visit = { medicalSpeciality: 'cardiology', treatmentSummary: 'rest' };
    const text = JSON.stringify({ patient: { consultationRecords: [visit] } });
    const draft = { type: 'visit', annexes: [], toJson: () => text };
    await append(doctor, to, [await sealDraft(doctor, audience, draft)]);
  }

  const newest = async (subject: string): Promise<Credential> =>
    person(await lookUp(users.patient, { subjects: [subject] }), subject);

  const keepers = async (): Promise<People> =>
    lookUp(users.patient, { groups: ['speciality:cardiology', 'insurer'] });

  it('a doctor goes on under a new key, reads what was sealed before, and what the old key signed stays', async () => {
    const before = users.doctor;
    record = await createRecord(before, 'patient');
    await add(before, record);
    const after = at.clientOf(await at.enrol('doctor', before.user.credential.roles, Date.now()));
    const [old, next] = [before.user.credential, after.user.credential];
    expect(await refusalOf(readRecord(after, record.recordId, READING))).toBe('SESSION_PEER');
    await register(at.administrator, at.directory, [next]);
    expect(await newest('doctor')).toEqual(next);
    // The group takes the new key in, with the ladder down to what was sealed before, while the old one still stands.
    const { histories } = await keepers();
    const [epoch] = await openGroupHistory(before.user, histories.get('speciality:cardiology')!);
    await publishNextEpochOf(before, at.directory, epoch!.group, {
      ...{ kem: KEM_X25519, staying: [], joining: [next], leaving: [old.id] },
      history: epoch!.key,
    });
    await revoke(at.administrator, at.directory, old, superseded());
    expect(await refusalOf(readRecord(before, record.recordId, READING))).toBe('SESSION_PEER');
    expect((await readRecord(after, record.recordId, READING)).documents).toHaveLength(1);
    await add(after, record);
    const view = await readRecord(users.patient, record.recordId, READING);
    expect(view.documents.map((one) => one.view.author.id)).toEqual([old.id, next.id]);
    expect(view.documents.map(({ entry }) => entry.standing)).toEqual(['valid', 'valid']);
  });

  it('a keeper whose key was lost gets another in one step, and goes on with the group', async () => {
    const { credential: old } = users.insurer.user;
    const after = at.clientOf(await at.enrol('insurer', old.roles, Date.now()));
    const next = after.user.credential;
    await rekey(at.administrator, at.directory, { before: old, after: next }, superseded());
    const group = (await keepers()).groups.get('insurer')!;
    await publishNextEpochOf(after, at.directory, group, {
      ...{ kem: KEM_X25519, staying: [], joining: [next], leaving: [old.id], history: 'no history' },
    });
    expect((await keepers()).groups.get('insurer')).toMatchObject({ epoch: 1 });
    expect((await readRecord(after, record.recordId, READING)).chain.length).toBeGreaterThan(0);
  });

  it('takes nothing that would leave two to stand for one subject', async () => {
    const put = async (subject: string, roles: readonly string[], notBefore?: number): Promise<string> => {
      const { credential } = await at.enrol(subject, roles, notBefore);
      return refusalOf(register(at.administrator, at.directory, [credential]));
    };
    const { notBefore } = await newest('doctor');
    expect(await put('doctor', ['doctor'], notBefore)).toBe('KEY_SUCCESSION');
    expect(await put('bank', ['doctor'], Date.now())).toBe('RECORD_EXISTS');
    expect(await put('administrator', ['doctor'], Date.now())).toBe('RECORD_EXISTS');
    const again = register(at.administrator, at.directory, [await newest('doctor')]);
    expect(await refusalOf(again)).toBe('RECORD_EXISTS');
    expect((await newest('doctor')).notBefore).toBe(notBefore);
    // What was registered beside what is refused was not registered, and nobody is known by it.
    const twin = await at.enrol('twin', ['doctor']);
    const same = await at.enrol('twin', ['doctor']);
    const both = register(at.administrator, at.directory, [twin.credential, same.credential]);
    expect(await refusalOf(both)).toBe('KEY_SUCCESSION');
    const ask = readRecord(at.clientOf(twin), record.recordId, READING);
    expect(await refusalOf(ask)).toBe('SESSION_PEER');
    // A patient who has published nothing has nothing to lose.
    const { credential } = await at.enrol('newcomer', ['patient'], Date.now());
    await register(at.administrator, at.directory, [credential]);
    expect(await newest('newcomer')).toEqual(credential);
  });

  it('only the administrator gives a key', async () => {
    const { credential } = await at.enrol('insurer', ['insurer', 'doctor'], Date.now());
    expect(await refusalOf(register(users.emergency, at.directory, [credential]))).toBe('RECORD_RIGHT');
  });
});

it('an older database takes another credential once it is brought up to date, and keeps who is there', async () => {
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: new SQLite(':memory:') }) });
  await bank('sqlite').up(database);
  const row = { id: systemRandom(32), subject: 'doctor', credential: systemRandom(8) };
  await sql`INSERT INTO users (id, subject, credential) VALUES (${row.id}, ${row.subject}, ${row.credential})`.execute(
    database,
  );
  await renewals('sqlite').up(database);
  const rows = (): Promise<unknown[]> => database.selectFrom('users').selectAll().execute();
  expect(await rows()).toMatchObject([{ subject: 'doctor', number: 0 }]);
  await database
    .insertInto('users')
    .values({ ...row, id: systemRandom(32), number: 1 })
    .execute();
  expect(await rows()).toHaveLength(2);
  await expect(sql`DELETE FROM users`.execute(database)).rejects.toThrow('append-only');
  await expect(sql`INSERT OR REPLACE INTO users SELECT * FROM users`.execute(database)).rejects.toThrow(
    'append-only',
  );
  await database.destroy();
});

const READING = { purpose: 'of the test', releases: null };
const superseded = () => ({ reason: 'superseded', revokedAt: Date.now() }) as const;
