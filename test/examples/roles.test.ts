/** The table of docs/roles.md, cell by cell, on a whole bank: what it allows happens, what it does not leaves no trace. */

import { readFileSync } from 'node:fs';
import { KEM_X25519, systemRandom } from 'muniment/crypto';
import {
  appointGuardians,
  compartmentNode,
  createRoot,
  openRoot,
  publishCompartments,
  publishGroup,
  renounceCredential,
  revokeCredential,
} from 'muniment/keys';
import { MunimentError } from 'muniment';
import {
  CREATE,
  encodeAuthorityStatement,
  encodeCreation,
  encodeSignedEntry,
  signEntry,
  type AuthoritySaid,
} from 'muniment/record';
import { declareEmergency, grant } from 'muniment/views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAccesses } from '../../examples/client/accesses.ts';
import { Refused, type BankClient } from '../../examples/client/bank.ts';
import { fetchExport } from '../../examples/client/exporting.ts';
import { findRecord } from '../../examples/client/finding.ts';
import { statedHead } from '../../examples/client/newest.ts';
import { lookUp } from '../../examples/client/people.ts';
import { readRecord, type RecordView } from '../../examples/client/reading.ts';
import { sealDraft, statement, type RecordName } from '../../examples/client/writing.ts';
import type { Part } from '../../examples/policies/behc.ts';
import { standingOf } from '../../examples/server/authority.ts';
import { encodeGrantEnd, GRANT_END } from '../../examples/server/grant-end.ts';
import { recordNumber } from '../../examples/server/record-number.ts';
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
  'another patient': ['patient'],
  doctor: ['doctor', 'speciality:cardiology'],
  specialist: ['specialist:nursing', 'speciality:nursing'],
  insurer: ['insurer'],
  emergency: ['emergency'],
  auditor: ['auditor'],
  keeper: ['keeper:ward'],
  founder: KEEPER,
} as const;
type Column = Exclude<keyof typeof USERS, 'founder'> | 'administrator';

/** The table: for each operation, by column, what stands in the cell. */
const TABLE = readTable(readFileSync(new URL('../../docs/roles.md', import.meta.url), 'utf8'));

let database: TestDatabase;
let engine: Engine;
let at: InProcess;
let users: Record<keyof typeof USERS, BankClient>;
let record: RecordName;
/** `bodyHash` of a document in each of two parts, and the hash of a grant's entry. */
let documents: Record<'specialistDocuments' | 'treatments', Uint8Array>;
let granted: Uint8Array;
let ward: Uint8Array;
let audience: Awaited<ReturnType<typeof audienceOf>>;

beforeAll(async () => {
  database = await makeDatabase('sqlite');
  engine = await database.open();
  at = await foundBank(engine);
  users = await at.join(USERS);
  const credentials = Object.values(users).map(({ user }) => user.credential);
  await foundGroups(at, users.founder, credentials);
  record = await openRecord(at, users.patient, users.doctor);
  audience = await audienceOf(at, users.patient);
  const insert = async (part: Part): Promise<Uint8Array> => {
    const writing = await sealDraft(users.doctor, audience, draftIn(part));
    await write(at, users.doctor, record.recordId, writing);
    return writing.digest;
  };
  documents = {
    specialistDocuments: await insert('specialistDocuments'),
    treatments: await insert('treatments'),
  };
  await insert('personalData');
  // Everybody is granted a part: it opens nothing for who may not ask.
  for (const grantee of credentials)
    if (grantee !== users.patient.user.credential)
      granted = await grantPart(at, users.patient, record, { grantee, part: 'treatments' });
  const group = { name: 'ward', kem: KEM_X25519, members: [users.keeper.user.credential] };
  ward = await publishGroup(users.keeper.user, group);
});
afterAll(async () => {
  await engine.close();
  await database.remove();
});

const clientOf = (column: Column): BankClient =>
  column === 'administrator' ? at.administrator : users[column];

let fresh = 0;
const newName = (): string => `user ${String(fresh++)}`;

/** Somebody new whom the administrator has registered. */
async function somebody(roles: readonly string[]): Promise<BankClient> {
  const subject = newName();
  return (await at.join({ [subject]: roles }))[subject]!;
}

/** Puts a statement into the directory, whoever it is. */
async function state(
  client: BankClient,
  kind: 'register' | 'key' | 'revoke',
  of: string,
  content: Uint8Array,
): Promise<void> {
  await write(at, client, at.directory.recordId, statement(kind, of, content));
}

async function put(client: BankClient, part: Part, kind?: 'amend' | 'annotate'): Promise<void> {
  const target = part === 'specialistDocuments' ? documents.specialistDocuments : documents.treatments;
  const draft = draftIn(part, kind && { kind, document: target });
  const writing = await sealDraft(client, audience, draft);
  await write(at, client, record.recordId, writing);
}

type Attempt = () => Promise<unknown>;

/**
 * Everything that users ask for, as the table names it: made ready first, and then tried. What it resolves to is what
 * stands in the cell, if that is more than yes.
 */
const OPERATIONS: Record<string, (client: BankClient, column: Column) => Attempt | Promise<Attempt>> = {
  'register a user': async (client) => {
    const { credential } = await at.enrol(newName(), ['doctor']);
    return () => state(client, 'register', 'credential', credential.encoded);
  },
  'give a user another key': async (client) => {
    const before = await somebody(['doctor']);
    const { credential } = await at.enrol(before.user.credential.subject, ['doctor'], Date.now());
    return () => state(client, 'register', 'credential', credential.encoded);
  },
  'revoke a user': async (client) => {
    const terms = { reason: 'ceased', revokedAt: Date.now() } as const;
    const { credential } = (await somebody(['doctor'])).user;
    const signed = await revokeCredential(at.administrator.user, credential, terms);
    return () => state(client, 'revoke', 'revocation', signed);
  },
  "give up one's own key": async (_, column) => {
    const who = await anotherOf(column);
    return async () => state(who, 'revoke', 'renunciation', await renounceCredential(who.user));
  },
  "publish the parts of one's own record": async (_, column) => {
    const who = await anotherOf(column);
    const owned = { recordId: systemRandom(16), names: [] };
    const signed = await publishCompartments(who.user, createRoot(), owned);
    return () => state(who, 'key', 'compartments', signed);
  },
  'say who is in a group': (client) => () => state(client, 'key', 'group', ward),
  'look up people': (client) => async () => {
    const { credentials } = await lookUp(client, { subjects: ['patient', 'doctor'] });
    expect(credentials).toHaveLength(2);
  },
  'open a record': async (client) => {
    const owner = await somebody(['patient']);
    const recordId = await at.publish(owner, []);
    const content = encodeCreation({ owner: owner.user.credential.id, tagSalt: systemRandom(32) });
    return () => write(at, client, recordId, statement('create', CREATE, content));
  },
  "insert into the specialists' part": (client) => () => put(client, 'specialistDocuments'),
  'insert into another part': (client) => () => put(client, 'treatments'),
  "annotate in the specialists' part": (client) => () => put(client, 'specialistDocuments', 'annotate'),
  'annotate in another part': (client) => () => put(client, 'treatments', 'annotate'),
  "amend in the specialists' part": (client) => () => put(client, 'specialistDocuments', 'amend'),
  'amend in another part': (client) => () => put(client, 'treatments', 'amend'),
  'grant a part': (client) => () => grantAs(client),
  'end a grant': (client) => () =>
    write(at, client, record.recordId, statement('revoke', GRANT_END, encodeGrantEnd(granted))),
  'read the record': (client) => async () => {
    const before = await accesses();
    const view = await readRecord(client, record.recordId, { purpose: 'cell', releases: null });
    expect(await accesses()).toBe(before + 1);
    return extentOf(view);
  },
  'read who has read it': (client) => () => readAccesses(client, record.recordId),
  'hear where its chains end': (client) => () => statedHead(client, record.recordId),
  'find it by its number': (client) => async () => {
    const found = await findRecord(client, recordNumber(record.recordId));
    if (found === null) throw new Refused('FORBIDDEN', null);
    expect(found).toEqual(record.recordId);
  },
  'break the glass': (client) => () => breakAs(client),
  'export the record': (client) => () => fetchExport(client, record.recordId),
  "take another key for one's record": async (client, column) => {
    const own = await ownedBy(client, column);
    const next = await at.enrol(own.owner, ['patient'], Date.now());
    await state(at.administrator, 'register', 'credential', next.credential.encoded);
    return () => say(own, { kind: 'succession', owner: next.credential.id });
  },
  'appoint guardians': async (client, column) => {
    const own = await ownedBy(client, column);
    const guardians = [users.doctor, users.insurer].map(({ user }) => user.credential);
    const terms = { recordId: own.recordId, threshold: 2, guardians, previous: null };
    if (column === 'doctor' || column === 'insurer')
      terms.guardians = [users.founder, users.keeper].map(({ user }) => user.credential);
    const appointment = await appointGuardians(own.client.user, createRoot(), terms);
    return () => say(own, { kind: 'guardians', appointment });
  },
  'name a carer': async (client, column) => {
    const own = await ownedBy(client, column);
    return () => say(own, proxyOf(users.founder, 'carer'));
  },
  'name a parent': async (client, column) => {
    const own = await ownedBy(client, column);
    const { recordId } = await openRecord(at, await somebody(['patient']), users.doctor);
    return () => say({ ...own, recordId }, proxyOf(users.founder, 'parent'));
  },
  "say that another's key is lost": async (client, column) => {
    const own = await ownedBy(client, column);
    return () => say(own, { kind: 'loss', lost: users.founder.user.credential.id, since: 0 });
  },
  "grant a part as the owner's carer": async (client, column) => {
    const owner = await somebody(['patient']);
    const { recordId } = await openRecord(at, owner, users.doctor);
    const named = { client: owner, recordId, owner: owner.user.credential.subject };
    // Nobody cares for a record whom its rule refuses.
    const taken = column !== 'administrator' && column !== 'patient';
    const carer = column === 'patient' ? owner : client;
    if (taken) await say(named, proxyOf(carer, 'carer'));
    else await expect(say(named, proxyOf(carer, 'carer'))).rejects.toThrow(Refused);
    return () => (column === 'patient' ? say(named, proxyOf(carer, 'carer')) : grantAs(client, recordId));
  },
};

/** A record, and whoever tries to state something in it: a patient in one of its own, others in the one of all. */
interface Stating {
  readonly client: BankClient;
  readonly recordId: Uint8Array;
  /** The subject that owns the record. */
  readonly owner: string;
}

async function ownedBy(client: BankClient, column: Column): Promise<Stating> {
  if (column !== 'patient') return { client, recordId: record.recordId, owner: 'patient' };
  const own = await somebody(['patient']);
  const { recordId } = await openRecord(at, own, users.doctor);
  return { client: own, recordId, owner: own.user.credential.subject };
}

async function say({ client, recordId }: Stating, said: AuthoritySaid): Promise<void> {
  const { number } = (await standingOf(engine.reading, recordId))!.authority;
  const { kind, content } = encodeAuthorityStatement({ ...said, number });
  await write(at, client, recordId, statement('key', kind, content));
}

function proxyOf({ user }: BankClient, role: 'carer' | 'parent'): AuthoritySaid {
  return { kind: 'proxy', proxy: user.credential.id, role, until: Date.now() + 3_600_000 };
}

/** Somebody else in the same roles; there is one administrator. */
async function anotherOf(column: Column): Promise<BankClient> {
  return column === 'administrator' ? at.administrator : somebody(USERS[column]);
}

/** What a refusal of somebody without the right says. */
const WITHOUT_RIGHT = [
  'FORBIDDEN',
  'RECORD_RIGHT',
  'PART',
  'RECORD_PAYLOAD',
  'KEY_CREDENTIAL',
  'KEY_SIGNATURE',
];

describe.each(Object.entries(TABLE))('%s', (operation, cells) => {
  it.each(Object.entries(cells))('%s: %s', async (column, expected) => {
    const attempt = await OPERATIONS[operation]!(clientOf(column as Column), column as Column);
    if (expected === 'no') {
      const before = await marks(operation);
      let code = 'allowed';
      try {
        await attempt();
      } catch (error) {
        if (!(error instanceof Refused || error instanceof MunimentError)) throw error;
        ({ code } = error);
      }
      expect(WITHOUT_RIGHT).toContain(code);
      expect(await marks(operation)).toEqual(before);
    } else {
      const extent = await attempt();
      if (expected !== 'yes') expect(extent).toBe(expected);
    }
  });
});

it('the table names every operation and every role that is tried here', () => {
  expect(Object.keys(TABLE)).toEqual(Object.keys(OPERATIONS));
  const columns = [...Object.keys(USERS), 'administrator'].filter((name) => name !== 'founder');
  for (const cells of Object.values(TABLE)) {
    expect(Object.keys(cells).sort()).toEqual(columns.sort());
    for (const cell of Object.values(cells))
      expect(['yes', 'no', 'whole', 'part', 'evidence']).toContain(cell);
  }
});

it('whoever holds several roles may do what any of them allows', async () => {
  const both = await somebody(['auditor', 'specialist:nursing', 'patient']);
  await put(both, 'specialistDocuments');
  expect(await code(put(both, 'treatments'))).toBe('PART');
  const grantee = both.user.credential;
  await grantPart(at, users.patient, record, { grantee, part: 'treatments' });
  const view = await readRecord(both, record.recordId, { purpose: 'both', releases: null });
  expect(extentOf(view)).toBe('part');
  const all = await somebody(['doctor', 'specialist:nursing']);
  await put(all, 'treatments');
});

it('who owns a record keeps a group too, and reads in the own record what is sealed to it', async () => {
  const group = 'speciality:neurology';
  const both = await somebody(['patient', 'doctor', group, `keeper:${group}`]);
  const { credential } = both.user;
  const founded = await publishGroup(both.user, { name: group, kem: KEM_X25519, members: [credential] });
  await state(both, 'key', 'group', founded);
  const own = await openRecord(at, both, users.doctor);
  const { groups } = await lookUp(users.doctor, { groups: [group, 'emergency'] });
  const sealedTo = { ...(await audienceOf(at, both)), groups };
  const text = JSON.stringify({ speciality: 'neurology', treatments: { note: 'rest' } });
  const draft = { type: 'note', annexes: [], toJson: () => text };
  const writing = await sealDraft(users.doctor, sealedTo, draft);
  await write(at, users.doctor, own.recordId, writing);
  const view = await readRecord(both, own.recordId, { purpose: 'own', releases: null });
  expect(view.broken).toEqual([]);
  expect(view.documents.map(({ view: { text: opened } }) => opened)).toEqual([text]);
});

async function code(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'allowed',
    (error: unknown) => (error instanceof Refused ? error.code : String(error)),
  );
}

/** Where directory and record end: what a refusal must not change. Who exports has read the content before it is refused the rest. */
async function marks(operation: string): Promise<unknown> {
  const ends = [await headOf(at, record.recordId), await headOf(at, at.directory.recordId)];
  return [ends, operation === 'export the record' ? null : await accesses()];
}

async function accesses(): Promise<number> {
  const head = await at.bank.ledger.turn((turn) => turn.head(record.recordId, 'access'));
  return head.size;
}

function extentOf({ chain, documents: opened }: RecordView): string {
  const all = chain.filter((item) => !('hidden' in item));
  if (all.length === chain.length) return 'whole';
  if (all.length > 1 && opened.length > 0) return 'part';
  return all.length === 1 && opened.length === 0 ? 'evidence' : 'something else';
}

// Others than the owner hand over keys of their own making: to the bank they look alike.
async function grantAs(client: BankClient, recordId = record.recordId): Promise<void> {
  const { owner } = audience;
  const compartment = owner.list.find(({ name }) => name === 'treatments')!;
  const root = client === users.patient ? await openRoot(client.user, owner) : createRoot();
  const node = compartmentNode(root, 'treatments', compartment.epoch);
  const terms = {
    ...{ recordId, purpose: 'a second look', from: Date.now() - 1000 },
    ...{ until: Date.now() + 1000, mayPassOn: false },
  };
  const signed = await grant(client.user, users.doctor.user.credential, {
    terms,
    granted: { kind: 'compartment', ...compartment, node },
  });
  const writing = { ...statement('grant', 'grant', signed.statement), attachments: [signed.wrap] };
  await write(at, client, recordId, writing);
}

async function breakAs(client: BankClient): Promise<void> {
  const { recordId } = record;
  const terms = { recordId, reason: 'unconscious', kem: KEM_X25519 };
  const declared = await declareEmergency(client.user, terms);
  const { payload, digest, payloadType } = statement('emergency', 'emergency', declared.statement);
  const entry = await signEntry(client.user, await headOf(at, recordId), {
    ...{ origin: at.trust.origin, recordId, chain: 'content', kind: 'emergency', time: Date.now() },
    ...{ payloadType, payloadDigest: digest, seen: null },
  });
  await client.ask<'break-glass'>({ type: 'break-glass', recordId, entry: encodeSignedEntry(entry) }, [
    payload,
  ]);
}

function readTable(markdown: string): Record<string, Record<string, string>> {
  const section = markdown.slice(markdown.indexOf('\n## The table\n'));
  const [names = [], , ...rows] = section
    .slice(0, section.indexOf('\n## ', 4))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return Object.fromEntries(
    rows.map(([operation = '', ...cells]) => [
      operation,
      Object.fromEntries(cells.map((cell, i) => [names[i + 1] ?? '', cell])),
    ]),
  );
}
