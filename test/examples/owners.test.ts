/** Patients go on under another key: what the bank, readers and exports make of it, on both engines. */

import SQLite from 'better-sqlite3';
import pg from 'pg';
import { systemRandom } from 'muniment/crypto';
import {
  createRoot,
  inheritCompartments,
  openRoot,
  publishCompartments,
  signStatement,
  type Compartment,
  type Compartments,
} from 'muniment/keys';
import {
  CREATE,
  encodeAuthorityStatement,
  encodeCreation,
  NO_WITNESSES,
  verifyExport,
} from 'muniment/record';
import { toHex, tuple } from 'muniment/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBank } from '../../examples/admin/check/check.ts';
import { readAccesses } from '../../examples/client/accesses.ts';
import { auditRecord } from '../../examples/client/auditing.ts';
import type { BankClient } from '../../examples/client/bank.ts';
import { closeRecord } from '../../examples/client/closing.ts';
import { breakGlass } from '../../examples/client/emergency.ts';
import { readChain } from '../../examples/client/content.ts';
import { fetchExport } from '../../examples/client/exporting.ts';
import { findRecord } from '../../examples/client/finding.ts';
import { statedHead } from '../../examples/client/newest.ts';
import { lookUp, partsOf } from '../../examples/client/people.ts';
import { register, revoke, rotateCompartmentsOf } from '../../examples/client/publishing.ts';
import { ownCompartments } from '../../examples/client/own-root.ts';
import { readRecord } from '../../examples/client/reading.ts';
import { endGrant, grantCompartment } from '../../examples/client/sharing.ts';
import { stateIn } from '../../examples/client/stating.ts';
import { goOnUnder, takeOverCompartments } from '../../examples/client/succession.ts';
import {
  append,
  createRecord,
  sealDraft,
  statement,
  type RecordName,
} from '../../examples/client/writing.ts';
import { PARTS, type Part } from '../../examples/policies/behc.ts';
import { recordNumber } from '../../examples/server/record-number.ts';
import { DIGESTS, OPENINGS, ownersIn, ruleFor } from '../../examples/server/rights.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { audienceOf, draftIn, foundGroups, grantPart, KEEPER, openRecord, write } from './a-record.ts';
import { ownerOfDatabase } from './admin/owner.ts';
import { foundBank, type InProcess } from './in-process.ts';
import { refusalOf } from './refusals.ts';
import { ENGINES, makeDatabase, type TestDatabase } from './store/engines.ts';

const USERS = {
  doctor: ['doctor', 'speciality:cardiology'],
  specialist: ['specialist:nursing', 'speciality:nursing'],
  insurer: ['insurer'],
  emergency: ['emergency'],
  auditor: ['auditor'],
  patient: ['patient'],
  other: ['patient'],
  founder: KEEPER,
} as const;

const reading = { purpose: 'of the test', releases: null };

describe.each(ENGINES)('on %s', (name) => {
  let database: TestDatabase;
  let engine: Engine;
  let at: InProcess;
  let users: Record<keyof typeof USERS, BankClient>;

  beforeAll(async () => {
    database = await makeDatabase(name);
    engine = await database.open();
    at = await foundBank(engine);
    users = await at.join(USERS);
    const credentials = Object.values(users).map(({ user }) => user.credential);
    await foundGroups(at, users.founder, credentials);
  }, 120_000);
  afterAll(async () => {
    await engine.close();
    await database.remove();
  });

  /** The next key of a subject, registered. */
  async function nextOf(subject: string, roles: readonly string[] = ['patient']): Promise<BankClient> {
    const client = at.clientOf(await at.enrol(subject, roles, Date.now()));
    await register(at.administrator, at.directory, [client.user.credential]);
    return client;
  }

  async function add(owner: BankClient, record: RecordName, part: Part, by = users.doctor): Promise<void> {
    await append(by, record, [await sealDraft(by, await audienceOf(at, owner), draftIn(part))]);
  }

  /** Findings of the whole bank's check, by what they are and where. */
  async function findings(tamper?: readonly [string, ...Uint8Array[]]): Promise<string[]> {
    const owner = await ownerOfDatabase(database);
    try {
      if (tamper !== undefined) await owner.run(...tamper);
      const { origin, anchor, bank, log } = at.trust;
      const checked = await checkBank(owner.source, { origin, anchor, bank, log, witnesses: [] });
      return checked.findings.map(({ check, table }) => `${check} ${table}`);
    } finally {
      await owner.undo();
      await owner.close();
    }
  }

  it('goes on from no list that another key of its name has signed, and lists are published one at a time', async () => {
    const [{ ann: before }, { ann: thief }] = [
      await at.join({ ann: ['patient'] }),
      { ann: await nextOf('ann') },
    ];
    await at.publish(before, PARTS);
    await at.publish(thief, PARTS); // as one might whose first key is lost
    const after = await nextOf('ann');
    await expect(goOnUnder(before, after, at.directory)).rejects.toThrow('KEY_SUCCESSION');
    const lists = await Promise.all(
      [1, 2].map(() =>
        publishCompartments(after.user, createRoot(), { recordId: systemRandom(16), names: [] }),
      ),
    );
    const two = lists.map((list) => statement('key', 'compartments', list));
    expect(await refusalOf(append(after, at.directory, two))).toBe('MALFORMED');
  });

  it('a patient goes on under another key: all that was the old one’s is the new one’s, and nothing is the old one’s any more', async () => {
    const { patient: before, doctor, insurer, emergency, auditor } = users;
    const record = await openRecord(at, before, doctor);
    const { recordId } = record;
    await add(before, record, 'treatments');
    const granted = await grantPart(at, before, record, {
      grantee: insurer.user.credential,
      part: 'treatments',
    });
    const first = await audienceOf(at, before);
    const root = await openRoot(before.user, first.owner);
    const rotated = { root, compartments: first.owner, names: ['personalData'] };
    await rotateCompartmentsOf(before, at.directory, rotated);

    // A key that the administrator has registered is nobody's owner yet: it verifies, and that is all.
    const after = await nextOf('patient');
    const next = after.user.credential;
    await expect(readRecord(after, recordId, reading)).rejects.toThrow('KEY_SUCCESSION');
    const evidence = await readChain(after, recordId, { purpose: 'of the test' });
    expect(evidence.chain.filter((item) => !('hidden' in item))).toHaveLength(1);
    expect(await refusalOf(stateIn(after, recordId, { kind: 'succession', owner: next.id }))).toBe(
      'RECORD_RIGHT',
    );
    const list = (await audienceOf(at, before)).owner;
    const taken = statement('key', 'compartments', await inheritCompartments(after.user, root, list));
    expect(await refusalOf(append(after, at.directory, [taken]))).toBe('OWNER_KEY');
    const anew = await publishCompartments(after.user, createRoot(), {
      recordId: systemRandom(16),
      names: [],
    });
    const own = append(after, at.directory, [statement('key', 'compartments', anew)]);
    expect(await refusalOf(own)).toBe('OWNER_KEY');
    // Nothing stops meanwhile.
    await add(before, record, 'personalData');

    await goOnUnder(before, after, at.directory);
    await goOnUnder(before, after, at.directory); // once more is once
    const view = await readRecord(after, recordId, reading);
    expect(view.owner.id).toEqual(next.id);
    expect(view.documents).toHaveLength(2);
    expect(view.chain.every((item) => !('hidden' in item))).toBe(true);
    const { owner: now } = await audienceOf(at, after);
    expect(now).toMatchObject({ owner: next.id, number: 2, list: list.list });

    // The old one, which still stands in the directory.
    for (const [ask, code] of [
      [() => readRecord(before, recordId, reading), 'FORBIDDEN'],
      [() => statedHead(before, recordId), 'FORBIDDEN'],
      [() => readAccesses(before, recordId), 'FORBIDDEN'],
      [() => rotateCompartmentsOf(before, at.directory, { ...rotated, compartments: list }), 'OWNER_KEY'],
    ] as const)
      expect(await refusalOf(ask())).toBe(code);
    expect(await findRecord(before, recordNumber(recordId))).toBe(null);
    const back = encodeAuthorityStatement({
      kind: 'succession',
      number: 1,
      owner: before.user.credential.id,
    });
    const again = write(at, before, recordId, statement('key', back.kind, back.content));
    expect(await refusalOf(again)).toBe('FORBIDDEN');
    const returning = stateIn(after, recordId, { kind: 'succession', owner: before.user.credential.id });
    expect(await refusalOf(returning)).toBe('RECORD_RIGHT');
    await revoke(at.administrator, at.directory, before.user.credential, {
      ...{ reason: 'superseded', revokedAt: Date.now() },
    });

    // Writers go on, each from what it remembers; what was granted before is good, and ends by the new one's word.
    await add(after, record, 'treatments');
    expect((await readRecord(insurer, recordId, reading)).documents).toHaveLength(2);
    await endGrant(after, record, granted);
    expect((await readRecord(insurer, recordId, reading)).documents).toHaveLength(0);
    await grantCompartment(after, record, {
      ...{ grantee: insurer.user.credential, compartments: now, scope: 'personalData' },
      ...{ root: await openRoot(after.user, now), purpose: 'a look', until: Date.now() + 3_600_000 },
    });
    expect((await readRecord(insurer, recordId, reading)).documents).toHaveLength(1);
    await rotateCompartmentsOf(after, at.directory, { root, compartments: now, names: ['treatments'] });
    await add(after, record, 'treatments');
    const { releases } = await breakGlass(emergency, recordId, 'unconscious');
    const broken = await readRecord(emergency, recordId, { purpose: 'unconscious', releases });
    expect(broken.documents).toHaveLength(4);
    expect((await auditRecord(auditor, recordId, 'audit')).owner.id).toEqual(next.id);
    const { proven, unproven } = await readAccesses(after, recordId);
    expect(unproven).toEqual([]);
    expect(new Set(proven.map(({ reader }) => reader.subject))).toEqual(
      new Set(['doctor', 'insurer', 'emergency', 'auditor', 'patient']),
    );
    expect(await findRecord(after, recordNumber(recordId))).toEqual(recordId);
    const verified = await verifyExport(await fetchExport(after, recordId), {
      ...{ anchorId: at.trust.anchor.id, origin: at.trust.origin, witnesses: NO_WITNESSES, rule: ruleFor },
      ...{ digests: DIGESTS, openings: OPENINGS, renewalLogs: [] },
    });
    expect(ownersIn(verified).map(toHex)).toEqual(
      [before, after].map(({ user }) => toHex(user.credential.id)),
    );

    expect(await findings()).toEqual([]);
    const other = users.other.user.credential.id;
    expect(await findings(['UPDATE records SET owner = ? WHERE id = ?', other, recordId])).toContain(
      'COLUMN records',
    );
    const newest = 'SELECT max(seq) FROM authorities WHERE record = ?';
    const goneBack = `UPDATE authorities SET authority = (SELECT authority FROM authorities WHERE record = ? AND seq = 0)
      WHERE record = ? AND seq = (${newest})`;
    expect(await findings([goneBack, recordId, recordId, recordId])).toContain('COLUMN authorities');
    const forgotten = `DELETE FROM authorities WHERE record = ? AND seq = (${newest})`;
    expect(await findings([forgotten, recordId, recordId])).toContain('MISSING authorities');
  });

  it('whoever has published and has no record yet goes on, or begins anew if the key is lost', async () => {
    const { doctor } = users;
    const { early } = await at.join({ early: ['patient'] });
    const recordId = await at.publish(early, PARTS);
    const second = await nextOf('early');
    const creation = (owner: BankClient): Promise<unknown> => {
      const said = { owner: owner.user.credential.id, tagSalt: systemRandom(32) };
      return write(at, doctor, recordId, statement('create', CREATE, encodeCreation(said)));
    };
    // Nobody opens it for a key that has not published.
    expect(await refusalOf(creation(second))).toBe('FORBIDDEN');
    await goOnUnder(early, second, at.directory);
    expect(await refusalOf(creation(early))).toBe('FORBIDDEN');
    const owned = { root: createRoot(), recordId: systemRandom(16), names: [] };
    const publish = async (by: BankClient): Promise<void> => {
      const signed = await publishCompartments(by.user, owned.root, owned);
      await append(by, at.directory, [statement('key', 'compartments', signed)]);
    };
    expect(await refusalOf(publish(early))).toBe('RECORD_EXISTS');
    expect(await refusalOf(publish(second))).toBe('RECORD_EXISTS');
    // Its root is lost with the key: nothing was sealed to it, and the next one draws another.
    const third = await nextOf('early');
    await publish(third);
    expect(await refusalOf(creation(second))).toBe('FORBIDDEN');
    const record = await createRecord(doctor, 'early');
    expect(record.recordId).toEqual(owned.recordId);
    expect((await readRecord(third, owned.recordId, reading)).owner.id).toEqual(third.user.credential.id);
    // From now on the chain says who follows.
    const fourth = await nextOf('early');
    const anew = await publishCompartments(fourth.user, createRoot(), {
      ...{ recordId: systemRandom(16), names: [] },
    });
    const published = append(fourth, at.directory, [statement('key', 'compartments', anew)]);
    expect(await refusalOf(published)).toBe('OWNER_KEY');
    expect(await findings()).toEqual([]);
  });

  it('a list that was given up before the record was opened does not come back', async () => {
    const { doctor } = users;
    const { ida: first } = await at.join({ ida: ['patient'] });
    await at.publish(first, PARTS);
    const abandoned = (await audienceOf(at, first)).owner;
    const root = await openRoot(first.user, abandoned);
    const second = await nextOf('ida');
    const record = await openRecord(at, second, doctor);
    await add(second, record, 'treatments');
    // Whoever registers a third key of that name goes on with the first list.
    const third = await nextOf('ida');
    const taken = takeOverCompartments(third, at.directory, root, abandoned);
    expect(await refusalOf(taken)).toBe('OWNER_KEY');
    expect(await refusalOf(createRecord(doctor, 'ida'))).toBe('RECORD_EXISTS');
    expect((await ownCompartments(second)).recordId).toEqual(record.recordId);
    expect((await readRecord(second, record.recordId, reading)).documents).toHaveLength(1);
    expect(await findings()).toEqual([]);
  });

  it('whoever had the signing key alone leaves nothing from which its owner cannot go on', async () => {
    const { doctor } = users;
    const { ivy } = await at.join({ ivy: ['patient'] });
    const record = await openRecord(at, ivy, doctor);
    await add(ivy, record, 'treatments');
    const now = await ownCompartments(ivy);
    const thief = (await at.enrol('thief', ['patient'])).credential.sealing.publicKey;
    const plant = async (
      list: Compartments,
      urgent: Partial<Compartment>,
      sealed: Partial<Compartments['sealedRoot']> = {},
      by = ivy,
    ): Promise<unknown> => {
      const { encapsulation, ciphertext } = { ...list.sealedRoot, ...sealed };
      const items = list.list
        .map((one) => (one.name === 'treatments' ? { ...one, ...urgent } : one))
        .map(({ name: part, epoch, kem, publicKey }) => [part, epoch, kem, publicKey]);
      const { id } = by.user.credential;
      const body = [record.recordId, id, list.number + 1, list.digest, items] as const;
      const signed = await signStatement(by.user, tuple('compartments', ...body, encapsulation, ciphertext));
      return append(by, at.directory, [statement('key', 'compartments', signed)]);
    };
    const foreign = { publicKey: thief, epoch: 1 };
    for (const epoch of [2, Number.MAX_SAFE_INTEGER])
      expect(await refusalOf(plant(now, { ...foreign, epoch }))).toBe('WIRE_TUPLE');
    const junk = { encapsulation: new Uint8Array(500_000) };
    expect(await refusalOf(plant(now, {}, junk))).toBe('WIRE_TUPLE');
    await plant(now, foreign, { ciphertext: new Uint8Array(now.sealedRoot.ciphertext.length) });
    // The root is in the list before; and the next one has the root's own key where the thief's is.
    expect((await readRecord(ivy, record.recordId, reading)).documents).toHaveLength(1);
    const after = await nextOf('ivy');
    await goOnUnder(ivy, after, at.directory);
    const list = await ownCompartments(after);
    expect(list.list.find(({ name: part }) => part === 'treatments')).toMatchObject({ epoch: 2 });
    await add(after, record, 'treatments');
    expect((await readRecord(after, record.recordId, reading)).documents).toHaveLength(2);
    // Nor whoever has the next key's: it may take the list over first, and put no root in it.
    const last = await nextOf('ivy');
    await stateIn(after, record.recordId, { kind: 'succession', owner: last.user.credential.id });
    const taken = await ownCompartments(after);
    await plant(taken, {}, { ciphertext: new Uint8Array(taken.sealedRoot.ciphertext.length) }, last);
    await expect(readRecord(last, record.recordId, reading)).rejects.toThrow('KEY_OPEN');
    await goOnUnder(after, last, at.directory);
    expect((await readRecord(last, record.recordId, reading)).documents).toHaveLength(2);
    expect(await findings()).toEqual([]);
  });

  it('the dead rotate nothing', async () => {
    const { doctor } = users;
    const { mort } = await at.join({ mort: ['patient'] });
    const record = await openRecord(at, mort, doctor);
    const compartments = await ownCompartments(mort);
    const root = await openRoot(mort.user, compartments);
    const rotated = { root, compartments, names: ['treatments'] };
    const head = await statedHead(doctor, record.recordId);
    const died = { ground: 'death', at: Date.now() - 1000 } as const;
    await closeRecord(at.administrator, { ...record, head, statements: 0 }, died);
    expect(await refusalOf(rotateCompartmentsOf(mort, at.directory, rotated))).toBe('OWNER_KEY');
  });

  it('a record that was opened for the key before goes on under the next one', async () => {
    const { doctor } = users;
    const { late } = await at.join({ late: ['patient'] });
    await at.publish(late, PARTS);
    const next = await nextOf('late');
    const record = await createRecord(doctor, 'late');
    expect((await readRecord(late, record.recordId, reading)).owner.id).toEqual(late.user.credential.id);
    await add(late, record, 'treatments');
    // Interrupted after the first step: the parts still bear the old key, and nobody seals to them.
    await stateIn(late, record.recordId, { kind: 'succession', owner: next.user.credential.id });
    const { owner } = await readRecord(doctor, record.recordId, reading);
    const people = await lookUp(doctor, { subjects: ['late'] });
    expect(() => partsOf(people, record.recordId, owner)).toThrow('KEY_SUCCESSION');
    // Nor is its new owner shown a record that looks empty: the root is still sealed to the old key.
    await expect(readRecord(next, record.recordId, reading)).rejects.toThrow('KEY_SUCCESSION');
    await goOnUnder(late, next, at.directory);
    const found = partsOf(await lookUp(doctor, { subjects: ['late'] }), record.recordId, owner);
    expect(found.owner).toEqual(next.user.credential.id);
    expect((await readRecord(next, record.recordId, reading)).documents).toHaveLength(1);
    expect(await findings()).toEqual([]);
  });

  it('only a key of that subject follows, only one that stands, and only by the word of the one before', async () => {
    const { doctor, other } = users;
    const { mild } = await at.join({ mild: ['patient'] });
    const { recordId } = await openRecord(at, mild, doctor);
    const next = await nextOf('mild');
    const succession = (client: BankClient, to: BankClient, number = 0): Promise<unknown> => {
      const said = { kind: 'succession', owner: to.user.credential.id, number } as const;
      const { kind, content } = encodeAuthorityStatement(said);
      return write(at, client, recordId, statement('key', kind, content));
    };
    expect(await refusalOf(succession(mild, other))).toBe('RECORD_RIGHT');
    expect(await refusalOf(succession(doctor, next))).toBe('RECORD_RIGHT');
    expect(await refusalOf(succession(at.administrator, next))).toBe('RECORD_RIGHT');
    expect(await refusalOf(succession(other, next))).toBe('FORBIDDEN');
    expect(await refusalOf(succession(mild, next, 1))).toBe('RECORD_RIGHT');
    const unknown = at.clientOf(await at.enrol('mild', ['patient'], Date.now()));
    expect(await refusalOf(succession(mild, unknown))).toBe('RECORD_RIGHT');
    await revoke(at.administrator, at.directory, next.user.credential, {
      ...{ reason: 'ceased', revokedAt: Date.now() },
    });
    expect(await refusalOf(succession(mild, next))).toBe('RECORD_RIGHT');
    expect((await readRecord(mild, recordId, reading)).owner.id).toEqual(mild.user.credential.id);
    expect(await findings()).toEqual([]);
  });

  it('a bank from before how records stand was noted knows it once its server has started', async () => {
    const rows = (): Promise<unknown[]> =>
      engine.reading.selectFrom('authorities').selectAll().orderBy('record').orderBy('seq').execute();
    const noted = await rows();
    expect(noted.length).toBeGreaterThan(8);
    await forgetAll(database);
    await at.bank.recover();
    expect(await rows()).toEqual(noted);
    await at.bank.recover();
    expect(await rows()).toEqual(noted);
  });

  it('lists are handed out by the name of whose they are, and have room to end', async () => {
    const { doctor } = users;
    const { una, carer } = await at.join({ una: ['patient'], carer: ['patient'] });
    const record = await openRecord(at, una, doctor);
    const { id } = carer.user.credential;
    await stateIn(una, record.recordId, { kind: 'proxy', proxy: id, role: 'carer', until: Date.now() + 1e6 });
    await at.publish(carer, PARTS);
    expect((await lookUp(doctor, { ids: [id] })).lists.size).toBe(0);
    expect((await lookUp(doctor, { subjects: ['carer'] })).lists.size).toBe(1);
    // As if they had published so much, once by number and once by length; nothing here is looked at after this.
    for (const [client, count, length] of [
      [carer, 127, 1],
      [una, 4, 1024 * 1024],
    ] as const) {
      const compartments = await ownCompartments(client);
      const row = { owner: client.user.credential.id, record: compartments.recordId };
      const rows = Array.from({ length: count }, (_, i) => {
        return { ...row, number: -1 - i, statement: new Uint8Array(length) };
      });
      await engine.database.insertInto('compartments').values(rows).execute();
      const root = await openRoot(client.user, compartments);
      const rotated = { root, compartments, names: ['treatments'] };
      expect(await refusalOf(rotateCompartmentsOf(client, at.directory, rotated))).toBe('LISTS_FULL');
    }
  });
});

/** Takes away what is noted of how records stand, as whoever owns the database. */
async function forgetAll({ place }: TestDatabase): Promise<void> {
  if ('file' in place) {
    const file = new SQLite(place.file);
    const sql = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'authorities_delete'";
    const trigger = file.prepare<[], string>(sql).pluck().get()!;
    file.exec(`DROP TRIGGER authorities_delete; DELETE FROM authorities; ${trigger}`);
    file.close();
    return;
  }
  const client = new pg.Client(place.account);
  await client.connect();
  await client.query('DELETE FROM authorities');
  await client.end();
}
