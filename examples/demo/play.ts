/** The main job, step by step: what happens, what was proven by it, and what came out. */

import { MunimentError } from 'muniment';
import { INBOX, ROOT, type Compartments, type NodeSecret } from 'muniment/keys';
import { verifyExport, type VerifiedExport } from 'muniment/record';
import { compartmentReader } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { readAccesses, type Access } from '../client/accesses.ts';
import { breakGlass } from '../client/emergency.ts';
import { fetchExport } from '../client/exporting.ts';
import { lookUp } from '../client/people.ts';
import { readRecord, type RecordView } from '../client/reading.ts';
import { grantCompartment } from '../client/sharing.ts';
import { createRecord, type RecordName } from '../client/writing.ts';
import { DIGESTS, OPENINGS, ruleFor } from '../server/rights.ts';
import {
  countViews,
  describe,
  fieldsFor,
  fieldsOf,
  sameSet,
  VIEWERS,
  type Count,
  type Viewer,
} from './counting.ts';
import { addContents, allGroups, populateDirectory } from './founding.ts';
import { must } from './must.ts';
import type { Report } from './report.ts';
import type { Subject } from './subject.ts';
import type { World } from './world.ts';

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
        rule: ruleFor,
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
