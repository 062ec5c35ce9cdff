/** Guardians bring a patient back whose key is lost, and who acts for a patient: on both engines. */

import {
  createRoot,
  exposeSecret,
  openRoot,
  requestRecovery,
  signStatement,
  type Compartments,
  type NodeSecret,
} from 'muniment/keys';
import { encodeAuthorityStatement, type AuthoritySaid } from 'muniment/record';
import { grant } from 'muniment/views';
import { tuple } from 'muniment/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBank } from '../../examples/admin/check/check.ts';
import { auditRecord } from '../../examples/client/auditing.ts';
import type { BankClient } from '../../examples/client/bank.ts';
import { readChain } from '../../examples/client/content.ts';
import { fetchExport } from '../../examples/client/exporting.ts';
import { appoint, appointmentIn } from '../../examples/client/guardians.ts';
import { register, revoke } from '../../examples/client/publishing.ts';
import { readRecord } from '../../examples/client/reading.ts';
import { approve, askRecovery, recover } from '../../examples/client/recovery.ts';
import { stateIn } from '../../examples/client/stating.ts';
import { append, sealDraft, statement, type RecordName } from '../../examples/client/writing.ts';
import { standingOf } from '../../examples/server/authority.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { audienceOf, draftIn, foundGroups, grantPart, KEEPER, openRecord, write } from './a-record.ts';
import { ownerOfDatabase } from './admin/owner.ts';
import { foundBank, type InProcess } from './in-process.ts';
import { refusalOf } from './refusals.ts';
import { ENGINES, makeDatabase, type TestDatabase } from './store/engines.ts';

const USERS = {
  doctor: ['doctor', 'speciality:cardiology'],
  patient: ['patient'],
  carer: ['patient'],
  eva: ['patient'],
  bob: ['insurer'],
  lea: ['keeper:ward'],
  mallory: ['auditor'],
  founder: KEEPER,
} as const;

const DAY = 86_400_000;
const reading = { purpose: 'of the test', releases: null };

describe.each(ENGINES)('on %s', (name) => {
  let database: TestDatabase;
  let engine: Engine;
  let at: InProcess;
  let users: Record<keyof typeof USERS, BankClient>;
  let record: RecordName;
  let root: NodeSecret;

  beforeAll(async () => {
    database = await makeDatabase(name);
    engine = await database.open();
    at = await foundBank(engine);
    users = await at.join(USERS);
    const credentials = Object.values(users).map(({ user }) => user.credential);
    await foundGroups(at, users.founder, credentials);
    record = await openRecord(at, users.patient, users.doctor);
    const audience = await audienceOf(at, users.patient);
    root = await openRoot(users.patient.user, audience.owner);
    await append(users.doctor, record, [await sealDraft(users.doctor, audience, draftIn('treatments'))]);
  }, 120_000);
  afterAll(async () => {
    await engine.close();
    await database.remove();
  });

  async function fresh(subject: string): Promise<BankClient> {
    const client = at.clientOf(await at.enrol(subject, ['patient'], Date.now()));
    await register(at.administrator, at.directory, [client.user.credential]);
    return client;
  }
  const listOf = async (owner: BankClient): Promise<Compartments> => (await audienceOf(at, owner)).owner;
  const idOf = ({ user }: BankClient): Uint8Array => user.credential.id;

  /** States something, whoever it is, under the number that is due. */
  async function say(client: BankClient, said: AuthoritySaid): Promise<void> {
    const { number } = (await standingOf(engine.reading, record.recordId))!.authority;
    const { kind, content } = encodeAuthorityStatement({ ...said, number });
    await write(at, client, record.recordId, statement('key', kind, content));
  }

  async function findings(): Promise<string[]> {
    const owner = await ownerOfDatabase(database);
    try {
      const { origin, anchor, bank, log } = at.trust;
      const checked = await checkBank(owner.source, { origin, anchor, bank, log, witnesses: [] });
      return checked.findings.map(({ check, table }) => `${check} ${table}`);
    } finally {
      await owner.undo();
      await owner.close();
    }
  }

  it('two of three guardians bring the owner back with its root; the lost key is spent', async () => {
    const { patient, eva, bob, lea, mallory, doctor } = users;
    const { recordId } = record;
    for (const guardian of [eva, lea])
      expect(await refusalOf(readRecord(guardian, recordId, reading))).toBe('FORBIDDEN');
    const guardians = [eva, bob, lea].map(({ user }) => user.credential);
    await appoint(patient, [await listOf(patient)], { threshold: 2, guardians });
    const { recordId: found, owner } = {
      recordId,
      owner: (await auditRecord(eva, recordId, 'guardian')).owner,
    };
    expect([found, owner.id]).toEqual([recordId, idOf(patient)]);

    const after = await fresh('patient');
    const asked = await askRecovery(after, Date.now() + DAY);
    const approvals = [await approve(eva, asked, idOf(after)), await approve(lea, asked, idOf(after))];
    // Nobody's guardian, another Id than the owner has told, too few, one of them twice.
    await expect(approve(mallory, asked, idOf(after))).rejects.toThrow('KEY_RECOVERY');
    await expect(approve(bob, asked, idOf(patient))).rejects.toThrow('KEY_RECOVERY');
    for (const few of [[], [approvals[0]!], [approvals[0]!, approvals[0]!]])
      await expect(recover(after, at.directory, asked, few)).rejects.toThrow('KEY_RECOVERY');
    // The bank judges it too, whatever the client says.
    const held = appointmentIn(await readChain(after, recordId, reading))!;
    const said = { kind: 'recovery', appointment: held.signed, request: asked.request } as const;
    expect(await refusalOf(say(after, { ...said, approvals: [approvals[0]!] }))).toBe('RECORD_RIGHT');
    const forged = { guardian: idOf(bob), signed: approvals[0]!.signed };
    expect(await refusalOf(say(after, { ...said, approvals: [approvals[0]!, forged] }))).toBe('RECORD_RIGHT');
    expect(await refusalOf(say(patient, { ...said, approvals }))).toBe('RECORD_RIGHT');

    expect(await recover(after, at.directory, asked, approvals)).toEqual([]);
    expect(await recover(after, at.directory, asked, approvals)).toEqual([]); // once more is once
    const list = await listOf(after);
    expect(list.owner).toEqual(idOf(after));
    expect(exposeSecret(await openRoot(after.user, list))).toEqual(exposeSecret(root));
    const view = await readRecord(after, recordId, reading);
    expect([view.owner.id, view.documents.length]).toEqual([idOf(after), 1]);
    await append(doctor, record, [
      await sealDraft(doctor, await audienceOf(at, after), draftIn('treatments')),
    ]);
    expect((await readRecord(after, recordId, reading)).documents).toHaveLength(2);
    for (const ask of [
      () => readRecord(patient, recordId, reading),
      () => stateIn(patient, recordId, { kind: 'succession', owner: idOf(after) }),
      () => grantPart(at, patient, record, { grantee: doctor.user.credential, part: 'treatments' }),
    ])
      await expect(ask()).rejects.toThrow();
    expect(await refusalOf(readRecord(patient, recordId, reading))).toBe('FORBIDDEN');

    // The approvals were for that request; the guardians stay, and may be asked again.
    const third = await fresh('patient');
    const again = await askRecovery(third, Date.now() + DAY);
    await expect(recover(third, at.directory, again, approvals)).rejects.toThrow('KEY_RECOVERY');
    const old = await requestRecovery(third.user, {
      ...{ appointment: held.appointment, owner: idOf(patient), since: new Uint8Array(32) },
      until: Date.now() + DAY,
    });
    await expect(approve(bob, { ...again, request: old }, idOf(third))).rejects.toThrow('KEY_RECOVERY');
    const anew = [await approve(bob, again, idOf(third)), await approve(lea, again, idOf(third))];
    await recover(third, at.directory, again, anew);
    users = { ...users, patient: third };

    // An export tells of a key that was stolen even if it has written nothing and only stands in an approval.
    const revocationsIn = async (): Promise<unknown[]> => {
      const text = await fetchExport(third, recordId);
      return (JSON.parse(text) as { directory: { entries: unknown[] } }).directory.entries;
    };
    expect(await revocationsIn()).toHaveLength(0);
    const stolen = { reason: 'compromised', doubtfulFrom: Date.now() - DAY, revokedAt: Date.now() } as const;
    await revoke(at.administrator, at.directory, lea.user.credential, stolen);
    expect(await revocationsIn()).toHaveLength(1);
    expect(await findings()).toEqual([]);
  });

  it('who cares for a patient grants what it holds, for its time; a lost key does nothing more', async () => {
    const { patient, carer, doctor, eva } = users;
    const { recordId } = record;
    const { list } = await listOf(patient);
    const compartment = list.find(({ name: part }) => part === 'treatments')!;
    const granted = async (by: BankClient): Promise<void> => {
      const terms = { recordId, purpose: 'care', from: Date.now() - 1000, until: Date.now() + DAY };
      const signed = await grant(by.user, doctor.user.credential, {
        terms: { ...terms, mayPassOn: false },
        granted: { kind: 'compartment', ...compartment, node: createRoot() },
      });
      const writing = { ...statement('grant', 'grant', signed.statement), attachments: [signed.wrap] };
      await write(at, by, recordId, writing);
    };
    expect(await refusalOf(granted(carer))).toBe('FORBIDDEN');
    await stateIn(patient, recordId, {
      kind: 'proxy',
      proxy: idOf(carer),
      role: 'carer',
      until: Date.now() + DAY,
    });
    await granted(carer);
    expect(await refusalOf(say(carer, { kind: 'succession', owner: idOf(carer) }))).toBe('RECORD_RIGHT');
    expect(await refusalOf(say(carer, { kind: 'loss', lost: idOf(patient), since: 0 }))).toBe('RECORD_RIGHT');
    await stateIn(carer, recordId, { kind: 'loss', lost: idOf(carer), since: Date.now() });
    expect(await refusalOf(granted(carer))).toBe('FORBIDDEN');
    // Nobody but the administrator calls another's key lost; then it takes guardians.
    expect(await refusalOf(say(eva, { kind: 'loss', lost: idOf(patient), since: 0 }))).toBe('RECORD_RIGHT');
    await say(at.administrator, { kind: 'loss', lost: idOf(patient), since: Date.now() });
    expect(await refusalOf(readRecord(patient, recordId, reading))).toBe('FORBIDDEN');
    const after = await fresh('patient');
    const asked = await askRecovery(after, Date.now() + DAY);
    const approvals = [await approve(users.bob, asked, idOf(after)), await approve(eva, asked, idOf(after))];
    // Whoever has the fresh key's signing key may take the list over first, and put no root in it.
    const { signed: appointment } = appointmentIn(await readChain(after, recordId, reading))!;
    await stateIn(after, recordId, { kind: 'recovery', appointment, request: asked.request, approvals });
    const { number, digest, list: parts, sealedRoot } = await listOf(after);
    const items = parts.map(({ name: part, epoch, kem, publicKey }) => [part, epoch, kem, publicKey]);
    const of = [recordId, idOf(after), number + 1, digest, items, sealedRoot.encapsulation] as const;
    const none = new Uint8Array(sealedRoot.ciphertext.length);
    const planted = await signStatement(after.user, tuple('compartments', ...of, none));
    await append(after, at.directory, [statement('key', 'compartments', planted)]);
    await expect(readRecord(after, recordId, reading)).rejects.toThrow('KEY_OPEN');
    await recover(after, at.directory, asked, approvals);
    const view = await readRecord(after, recordId, reading);
    expect(view.grants.map(({ entry }) => entry.author.subject)).toEqual(['carer']);
    expect(view.documents).toHaveLength(2);
    expect(await findings()).toEqual([]);
  });
});
