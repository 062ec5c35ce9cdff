/** The main job, step by step: what happens, what was proven by it, and what came out. */

import { MunimentError } from 'muniment';
import { KEM_XWING, systemRandom } from 'muniment/crypto';
import { createRoot, INBOX, openRoot, ROOT, type Compartments, type NodeSecret } from 'muniment/keys';
import { byRole, verifyExport, type VerifiedExport } from 'muniment/record';
import { alwaysWithheld, compartmentReader, type Reader } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { readAccesses, type Access } from '../client/accesses.ts';
import { breakGlass } from '../client/emergency.ts';
import { fetchExport } from '../client/exporting.ts';
import { groupNames, lookUp, type People } from '../client/people.ts';
import { ownCompartments, readRecord, type RecordView } from '../client/reading.ts';
import { openDirectory, publishCompartmentsOf, publishGroupOf, register } from '../client/publishing.ts';
import {
  append,
  createRecord,
  grantCompartment,
  sealDraft,
  type RecordName,
  type Writing,
} from '../client/writing.ts';
import { DIGESTS, mayWriteRecord, OPENINGS } from '../server/rights.ts';
import type { Report } from './report.ts';
import type { Subject } from './subject.ts';
import type { World } from './world.ts';

/** Those who look at the record. */
export const VIEWERS = ['patient', 'doctor', 'secondDoctor', 'insurer', 'emergency'] as const;
/** One of them. */
export type Viewer = (typeof VIEWERS)[number];

/** How many fields a viewer opened, and how many there are that it did not. */
export interface Count {
  readonly opened: number;
  readonly withheld: number;
}

/** What came out of the steps. */
export interface Played {
  readonly record: RecordName;
  readonly compartments: Compartments;
  readonly root: NodeSecret;
  readonly entries: number;
  readonly fields: number;
  readonly views: Readonly<Record<Viewer, Count>>;
  readonly grants: { readonly before: number; readonly after: number; readonly bytesWritten: number };
  readonly breakGlass: { readonly logged: boolean; readonly opened: number };
  readonly accesses: number;
  readonly exported: string;
  readonly verified: VerifiedExport;
  /** The patient's own view: all there is, for looking for it where it must not be. */
  readonly whole: RecordView;
}

/** Plays steps 2 to 8 in a world. */
export async function play(world: World, subject: Subject, report: Report): Promise<Played> {
  const { patient, doctor, emergency } = world.clients;

  const { compartments, root } = await report.step('The administrator registers every user', async (say) => {
    const published = await populateDirectory(world, subject);
    say(
      `7 users, 4 groups and the patient's compartments stand in the bank's directory, each request signed and receipted`,
    );
    return published;
  });

  const record = await report.step(
    'A doctor creates the record and adds its contents',
    async (say, progress) => {
      const created = await createRecord(doctor, patient.user.credential.subject);
      const people = await lookUp(doctor, { subjects: ['patient-1', 'bank'], groups: allGroups(world) });
      await addContents(world, subject, { record: created, people, progress });
      say(
        `${String(subject.drafts.length)} sealed entries, each signed by the doctor; every receipt and log proof verified`,
      );
      return created;
    },
  );

  const before = await report.step(
    'Each actor asks for the record and sees its view',
    async (say, progress) => {
      const views = await readAll(world, subject, record, progress);
      const counts = countViews(views);
      for (const viewer of VIEWERS) say(describe(world, subject, viewer, counts[viewer]));
      return { views, counts };
    },
  );

  const whole = before.views.patient;
  const grants = await report.step('The patient grants the second doctor one part', async (say) => {
    const granted = await grantPart(world, subject, { record, compartments, root, views: before.views });
    say(
      `"${granted.scope}": ${String(granted.before)} fields before, ${String(granted.after)} after, exactly that part more`,
    );
    say(`${String(granted.bytesWritten)} bytes written; no field was encrypted again`);
    return granted;
  });

  const broken = await report.step('The emergency doctor breaks the glass', async (say) => {
    const { entry, releases } = await breakGlass(
      emergency,
      record.recordId,
      'unconscious after a road accident',
    );
    const view = await readRecord(emergency, record.recordId, { purpose: 'emergency care', releases });
    must(view.fields === whole.fields, 'the emergency doctor sees everything');
    const seen = await readRecord(patient, record.recordId, { purpose: 'own record', releases: null });
    const logged = seen.chain.some(
      (item) => !('hidden' in item) && equalBytes(item.signed.signature, entry.signature),
    );
    must(logged, "the emergency stands in the record's chain");
    say(
      `all ${String(view.fields)} fields opened, only after the reason stood in the chain, where the patient finds it`,
    );
    return { logged, opened: view.fields };
  });

  const accesses = await report.step('The patient asks who has read the record', async (say) => {
    const { proven: list, unproven } = await readAccesses(patient, record.recordId);
    must(unproven.length === 0, 'every access is proven');
    checkAccesses(world, list);
    for (const [reader, times] of countBy(list)) say(`${reader}: ${String(times)} ×`);
    say("each is the bank's signed entry over the reader's own signed request");
    return list.length;
  });

  const { exported, verified } = await report.step(
    'The whole chain is verified offline from an export',
    async (say, progress) => {
      const text = await fetchExport(patient, record.recordId);
      progress.start('verifying', whole.chain.length + accesses);
      const result = await verifyExport(text, {
        anchorId: world.trust.anchor.id,
        origin: world.trust.origin,
        witnesses: world.trust.witnesses,
        rule: byRole(mayWriteRecord(patient.user.credential.id)),
        digests: DIGESTS,
        openings: OPENINGS,
        renewalLogs: [],
        progress: () => {
          progress.advance();
        },
      });
      const count = result.content.length + result.access.length;
      say(`${String(count)} entries: every author, right, link, payload, receipt and log position`);
      for (const doubt of result.notEstablished) say(`not established: ${doubt}`);
      return { exported: text, verified: result };
    },
  );

  return {
    record,
    compartments,
    root,
    entries: verified.content.length,
    fields: whole.fields,
    views: before.counts,
    grants,
    breakGlass: broken,
    accesses,
    exported,
    verified,
    whole,
  };
}

function allGroups(world: World): string[] {
  return [...world.specialities.map((name) => `speciality:${name}`), 'insurer', 'emergency'];
}

async function populateDirectory(
  world: World,
  subject: Subject,
): Promise<{ compartments: Compartments; root: NodeSecret }> {
  const { administrator, patient, doctor, secondDoctor, insurer, emergency, stranger } = world.clients;
  const directory = await openDirectory(administrator);
  const users = [patient, stranger, doctor, secondDoctor, insurer, emergency];
  await register(
    administrator,
    directory,
    users.map(({ user }) => user.credential),
  );
  for (const keeper of [doctor, secondDoctor, insurer, emergency]) {
    const [name] = groupNames(keeper.user.credential);
    if (name === undefined) throw new MunimentError('KEY_CREDENTIAL');
    await publishGroupOf(keeper, directory, {
      name,
      kem: KEM_XWING,
      members: [keeper.user.credential],
    });
  }
  const owned = { root: createRoot(), recordId: systemRandom(16), names: subject.compartments };
  await publishCompartmentsOf(patient, directory, owned);
  // The root comes back from the bank, sealed to the patient's own key: a card is all the patient needs.
  const compartments = await ownCompartments(patient);
  return { compartments, root: await openRoot(patient.user, compartments) };
}

async function addContents(
  world: World,
  subject: Subject,
  to: { readonly record: RecordName; readonly people: People; readonly progress: Report['progress'] },
): Promise<void> {
  const { doctor, patient } = world.clients;
  const { record, people, progress } = to;
  const owner = people.compartments.get(patient.user.credential.subject);
  if (owner === undefined) throw new MunimentError('KEY_CREDENTIAL');
  const audience = { policy: subject.policy, owner, groups: people.groups, custodian: world.trust.bank };
  progress.start('sealing', subject.drafts.length);
  const writings: Writing[] = [];
  for (const draft of subject.drafts) {
    writings.push(await sealDraft(doctor, audience, draft));
    progress.advance();
  }
  await append(doctor, record, writings);
}

async function readAll(
  world: World,
  subject: Subject,
  record: RecordName,
  progress: Report['progress'],
): Promise<Record<Viewer, RecordView>> {
  progress.start('reading', VIEWERS.length);
  let restored = 0;
  const views = {} as Record<Viewer, RecordView>;
  for (const viewer of VIEWERS) {
    const view = await readRecord(world.clients[viewer], record.recordId, {
      purpose: 'demonstration',
      releases: null,
      ...(viewer === 'patient' && {
        onPage: async (documents, fetchAnnex) => {
          restored += await subject.restore(documents, fetchAnnex);
        },
      }),
    });
    must(view.broken.length === 0, 'every document for this reader opens');
    views[viewer] = view;
    progress.advance();
  }
  must(restored === subject.originals, 'every original comes back to the patient exactly as it was');
  return views;
}

// The counts come from the patient's side: a reader cannot know what it does not see.
function countViews(views: Readonly<Record<Viewer, RecordView>>): Record<Viewer, Count> {
  const whole = views.patient;
  const counts = {} as Record<Viewer, Count>;
  for (const viewer of VIEWERS) {
    const expected = fieldsFor(whole, views[viewer].readers);
    must(
      sameSet(fieldsOf(views[viewer]), expected),
      `${viewer} sees exactly what the patient's account says`,
    );
    counts[viewer] = { opened: expected.size, withheld: whole.fields - expected.size };
  }
  return counts;
}

/** Every field that a view opened, by document and path. */
function fieldsOf(view: RecordView): Set<string> {
  return new Set(
    view.documents.flatMap(({ view: { bodyHash, fields } }) =>
      fields.map(({ path }) => toHex(bodyHash) + path),
    ),
  );
}

/** The fields that somebody who opens as these readers must see, by the patient's account of every document. */
function fieldsFor(whole: RecordView, readers: readonly Reader[]): Set<string> {
  const ids = new Set(readers.map(({ id }) => toHex(id)));
  return new Set(
    whole.documents.flatMap(({ view: { bodyHash, fields, account } }) =>
      fields
        .filter(({ classIndex }) => {
          const allowed = account?.readers.get(classIndex) ?? [];
          return allowed === 'public' || allowed.some((id) => ids.has(toHex(id)));
        })
        .map(({ path }) => toHex(bodyHash) + path),
    ),
  );
}

async function grantPart(
  world: World,
  subject: Subject,
  given: {
    readonly record: RecordName;
    readonly compartments: Compartments;
    readonly root: NodeSecret;
    readonly views: Readonly<Record<Viewer, RecordView>>;
  },
): Promise<{ scope: string; before: number; after: number; bytesWritten: number }> {
  const { record, compartments, root, views } = given;
  const { patient, secondDoctor } = world.clients;
  const whole = views.patient;
  const before = fieldsOf(views.secondDoctor);
  const scope = choosePart(subject, compartments, whole, before);
  const compartment = compartments.list.find(({ name }) => name === scope);
  if (compartment === undefined) throw new MunimentError('KEY_CREDENTIAL');
  const grantee = secondDoctor.user.credential;
  const until = Date.now() + 86_400_000;
  const purpose = 'second opinion';
  const bytesWritten = await grantCompartment(patient, record, {
    grantee,
    compartments,
    root,
    scope,
    purpose,
    until,
  });

  const view = await readRecord(secondDoctor, record.recordId, { purpose: 'second opinion', releases: null });
  const after = fieldsOf(view);
  const expected = new Set([...before, ...fieldsFor(whole, [compartmentReader(compartment)])]);
  must(sameSet(after, expected), 'the grant opens exactly that part');
  const now = await readRecord(patient, record.recordId, { purpose: 'own record', releases: null });
  const bodies = (of: RecordView): Set<string> =>
    new Set(of.documents.map(({ view: { bodyHash } }) => toHex(bodyHash)));
  must(sameSet(bodies(now), bodies(whole)), 'no document changed');
  must(now.chain.length === whole.chain.length + 1, 'the grant is one entry');
  return { scope, before: before.size, after: after.size, bytesWritten };
}

// The preferred part if the second doctor does not see all of it yet, else the one with most that is new to them.
function choosePart(
  subject: Subject,
  compartments: Compartments,
  whole: RecordView,
  seen: ReadonlySet<string>,
): string {
  const gain = (name: string): number => {
    const compartment = compartments.list.find((one) => one.name === name);
    if (compartment === undefined) return 0;
    return [...fieldsFor(whole, [compartmentReader(compartment)])].filter((field) => !seen.has(field)).length;
  };
  if (gain(subject.preferredGrant) > 0) return subject.preferredGrant;
  const names = compartments.list.map(({ name }) => name).filter((name) => name !== ROOT);
  return names.reduce((best, name) => (gain(name) > gain(best) ? name : best), INBOX);
}

function checkAccesses(world: World, list: readonly Access[]): void {
  const readers = new Set(list.map(({ reader }) => reader.subject));
  for (const viewer of VIEWERS) {
    const { subject } = world.clients[viewer].user.credential;
    must(readers.has(subject), `the access of ${subject} is in the log`);
  }
  must(
    list.some(({ action }) => action === 'break-glass'),
    'the break-glass is in the log',
  );
}

function countBy(list: readonly Access[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { reader, action, purpose } of list) {
    const key = `${reader.subject}, ${action === 'read' ? 'read' : 'BROKE THE GLASS'}, "${purpose}"`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function describe(world: World, subject: Subject, viewer: Viewer, { opened, withheld }: Count): string {
  const { credential } = world.clients[viewer].user;
  const line = `${credential.subject.padEnd(12)} opens ${String(opened).padStart(6)} fields, ${String(withheld)} withheld`;
  if (viewer === 'patient') return line;
  const kinds = new Set(groupNames(credential).map((name) => name.split(':')[0] ?? ''));
  // What a policy withholds from a role whatever the document says; the emergency team needs a release besides.
  const never = alwaysWithheld(subject.policy, (rule) =>
    kinds.has(typeof rule === 'string' ? rule : (Object.keys(rule)[0] ?? '')),
  );
  if (viewer === 'emergency') return `${line} (beyond what is public, nothing opens without a release)`;
  const { rules, otherwiseCompartment = INBOX } = subject.policy.definition;
  const counts = new Map<string, number>();
  for (const pattern of never) {
    const part = rules.find(({ fields }) => fields.includes(pattern))?.compartment ?? otherwiseCompartment;
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  const parts = Array.from(counts, ([part, count]) => `${part} (${String(count)})`);
  return `${line}; the policy never gives it, in rules by part: ${parts.join(', ')}`;
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}

/** Ends the demo if something that must hold does not. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`this must hold and does not: ${what}`);
}
