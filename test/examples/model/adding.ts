/** Records are opened and added to in the play, and the model says how that ends. */

import { systemRandom } from 'muniment/crypto';
import { CREATE, encodeCreation, hashEntry, type EntryKind } from 'muniment/record';
import { definePolicy } from 'muniment/views';
import { toHex } from 'muniment/wire';
import { lookUp } from '../../../examples/client/people.ts';
import { append, sealDraft, statement, type Writing } from '../../../examples/client/writing.ts';
import { GROUPS } from './cast.ts';
import type { Drafted } from './documents.ts';
import { nameOf } from './looking.ts';
import { judgeLeaves } from './policy.ts';
import { classOf, partsOf, refusalToAsk } from './sight.ts';
import { documentsIn, type Stage } from './stage.ts';
import { holds, type Key, type ModelDocument, type ModelEntry, type ModelRecord } from './world.ts';

/** What the library's policies allow a document of. */
const LINES = 16;

/** Somebody opens a patient's record. */
export async function create(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const { recordId } = stage.real(record);
  const tagSalt = systemRandom(32);
  const mayCreate = holds(key, 'doctor');
  const taken = record.entries.length > 0;
  const refusal = !key.stands ? 'SESSION_PEER' : !mayCreate ? 'FORBIDDEN' : taken ? 'RECORD_EXISTS' : null;
  const owner = stage.credentialOf(record.owner).id;
  const opening = statement('create', CREATE, encodeCreation({ owner, tagSalt }));
  const what = `create: ${nameOf(key)} for ${nameOf(record.owner)}`;
  const name = { recordId, tagSalt };
  const client = stage.clientOf(key);
  const done = await stage.attempt(what, refusal, () => append(client, name, [opening]));
  if (done === null) return;
  stage.real(record).tagSalt = tagSalt;
  note(stage, record, { kind: 'create', author: key, time: stage.clock.now() });
}

/** What a document is about: the place of another one, or a `bodyHash` that is nowhere in the record. */
export type About = { readonly seq: number } | 'nothing there';

/** Somebody adds a document, or annotates or amends one. */
export async function add(
  stage: Stage,
  key: Key,
  record: ModelRecord,
  how: { readonly kind: 'insert' | 'annotate' | 'amend'; readonly about?: About },
): Promise<void> {
  const { kind, about } = how;
  const { drafted, document } = draw(stage, key, record);
  const target = about === undefined ? undefined : targetOf(stage, record, about);
  const client = stage.clientOf(key);
  await appendAs(stage, {
    ...{ key, record, what: kind, refusal: refusalToAdd(key, kind, record, document, about) },
    writing: async () => {
      const { subject } = record.owner;
      const people = await lookUp(client, { subjects: [subject], groups: GROUPS });
      const owner = people.compartments.get(subject);
      if (owner === undefined) throw new RangeError('the owner has no list');
      const draft = {
        ...{ type: 'note', annexes: [], toJson: () => JSON.stringify(drafted.json) },
        ...(kind !== 'insert' && target !== undefined && { about: { kind, document: target } }),
      };
      const policy = definePolicy(drafted.policy);
      return sealDraft(
        client,
        { policy, owner, groups: people.groups, custodian: stage.at.trust.bank },
        draft,
      );
    },
    entry: { kind, author: key, time: stage.clock.now(), document },
  });
}

/** Appends as the client does: it reads the record first, and only then signs. */
export async function appendAs(
  stage: Stage,
  asked: {
    readonly key: Key;
    readonly record: ModelRecord;
    readonly what: string;
    /** Why the bank refuses what is appended by somebody who may ask; `null` if it takes it. */
    readonly refusal: string | null;
    readonly writing: () => Promise<Writing>;
    readonly entry: ModelEntry;
  },
): Promise<boolean> {
  const { key, record, what, refusal, writing, entry } = asked;
  const { recordId, tagSalt } = stage.real(record);
  const client = stage.clientOf(key);
  const notToAsk = refusalToAsk(key, record);
  forget(stage, key, record);
  if (notToAsk === null) stage.accessed(record, key, 'before writing');
  let body: Uint8Array | undefined;
  const name = `${what}: ${nameOf(key)} in the record of ${nameOf(record.owner)}`;
  const done = await stage.attempt(name, notToAsk ?? refusal, async () => {
    const made = await writing();
    body = made.digest;
    return append(client, { recordId, tagSalt }, [made]);
  });
  const [signed] = done ?? [];
  if (signed === undefined) return false;
  const seq = note(stage, record, entry);
  stage.real(record).hashes.set(seq, hashEntry(signed));
  if (body !== undefined) stage.real(record).bodies.set(seq, body);
  return true;
}

/** A client that remembers no head of a record reads it before it writes: so each writing is one access. */
export function forget(stage: Stage, key: Key, record: ModelRecord): void {
  stage.clientOf(key).memory.chains.delete(toHex(stage.real(record).recordId));
}

/** The model hears of an entry that the bank took. Gives its place. */
export function note(stage: Stage, record: ModelRecord, entry: ModelEntry): number {
  record.entries.push({ ...entry, time: stage.clock.now() });
  return record.entries.length - 1;
}

function targetOf(stage: Stage, record: ModelRecord, about: About): Uint8Array | undefined {
  return about === 'nothing there' ? systemRandom(32) : stage.real(record).bodies.get(about.seq);
}

function refusalToAdd(
  key: Key,
  kind: EntryKind,
  record: ModelRecord,
  document: ModelDocument,
  about: About | undefined,
): string | null {
  const doctor = holds(key, 'doctor');
  const shut = record.closed !== null && kind !== 'amend';
  if (shut || !(doctor || holds(key, 'specialist:'))) return 'RECORD_RIGHT';
  if (about === 'nothing there') return 'TARGET_UNKNOWN';
  if (doctor) return null;
  const target = about === undefined ? undefined : record.entries[about.seq];
  const erased = target?.erased === true;
  const looked = [document, ...(target?.document === undefined ? [] : [target.document])];
  return !erased && looked.every(liesInSpecialistsPart) ? null : 'PART';
}

function liesInSpecialistsPart(document: ModelDocument): boolean {
  return [...partsOf(document)].join() === 'specialistDocuments';
}

// Drawn again where it has more readers or classes than a document may have.
function draw(stage: Stage, key: Key, record: ModelRecord): { drafted: Drafted; document: ModelDocument } {
  const { world, drafts, random } = stage;
  for (;;) {
    const nurse = holds(key, 'specialist:') && random.next() < 0.7;
    const drafted = nurse ? drafts.ofSpecialists() : drafts.any();
    const { policy, json } = drafted;
    const groups = new Map(GROUPS.map((name) => [name, world.newest(name) ?? 0]));
    const document = { json, leaves: judgeLeaves(policy, json), groups, parts: record.parts };
    const classes = new Set(document.leaves.map((leaf) => classOf(leaf, document)));
    const readers = new Set([...classes].flatMap((one) => one.split('|')));
    if (classes.size < LINES && readers.size + 2 < LINES) return { drafted, document };
  }
}

/** Somewhere a document stands, or nowhere. */
export function someTarget(stage: Stage, record: ModelRecord): About {
  const standing = documentsIn(record);
  if (standing.length === 0 || stage.random.next() < 0.05) return 'nothing there';
  return { seq: stage.random.of(standing).seq };
}
