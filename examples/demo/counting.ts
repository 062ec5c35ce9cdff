/** Who saw how much, counted from the patient's side. */

import { INBOX } from 'muniment/keys';
import { alwaysWithheld, type Reader } from 'muniment/views';
import { toHex } from 'muniment/wire';
import { groupNames } from '../client/people.ts';
import type { RecordView } from '../client/reading.ts';
import { must } from './must.ts';
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

/** Counts come from the patient's side: a reader cannot know what it does not see. */
export function countViews(views: Readonly<Record<Viewer, RecordView>>): Record<Viewer, Count> {
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
export function fieldsOf(view: RecordView): Set<string> {
  return new Set(
    view.documents.flatMap(({ view: { bodyHash, fields } }) =>
      fields.map(({ path }) => toHex(bodyHash) + path),
    ),
  );
}

/** The fields that somebody who opens as these readers must see, by the patient's account of every document. */
export function fieldsFor(whole: RecordView, readers: readonly Reader[]): Set<string> {
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

/** A line about what a viewer saw. */
export function describe(
  world: World,
  subject: Subject,
  viewer: Viewer,
  { opened, withheld }: Count,
): string {
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

/** Whether two sets are equal. */
export function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}
