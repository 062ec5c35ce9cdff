/** Reading as somebody, and holding all that the bank showed and all that opened against what the model says. */

import { readStatement } from 'muniment/record';
import { openGrant, verifyDisclosure } from 'muniment/views';
import { readAccesses } from '../../../examples/client/accesses.ts';
import { readRecord, type RecordView } from '../../../examples/client/reading.ts';
import { refusalToAsk, sightOf, type Sight } from './sight.ts';
import { same, type Emergency, type Handed, type Stage } from './stage.ts';
import type { Key, ModelRecord } from './world.ts';

/** How somebody reads. */
export interface How {
  readonly part?: string;
  readonly asOf?: number;
  readonly emergency?: Emergency;
  readonly purpose?: string;
}

/** What somebody saw, when the model agreed. */
export interface Looked {
  readonly view: RecordView;
  readonly handed: ReadonlyMap<number, Handed>;
}

/** Somebody reads. Gives what was shown, or `null` after the refusal that the model expected. */
export async function look(
  stage: Stage,
  key: Key,
  record: ModelRecord,
  how: How = {},
): Promise<Looked | null> {
  const { part, asOf, emergency, purpose = 'of the play' } = how;
  const client = stage.clientOf(key);
  const { recordId } = stage.real(record);
  const what = `read: ${nameOf(key)} reads the record of ${nameOf(record.owner)}`;
  const options = {
    ...{ purpose, releases: emergency?.releases ?? null },
    ...(part !== undefined && { part }),
    ...(asOf !== undefined && { asOf }),
  };
  const refusal = refusalToAsk(key, record);
  stage.handed();
  if (refusal === null) stage.accessed(record, key, purpose);
  const view = await stage.attempt(what, refusal, () => readRecord(client, recordId, options));
  if (view === null) {
    stage.compared.refusals++;
    return null;
  }
  const looking = { now: stage.clock.now(), part, releasedBefore: emergency?.seq };
  const sight = sightOf(stage.world, key, record, { ...looking, asOf });
  compareView(stage, what, view, sight);
  const handed = stage.handed();
  const everything = sightOf(stage.world, key, record, looking);
  compareHanded(what, handed, everything);
  if (asOf === undefined) await compareFields(stage, what, { key, record, view, handed, sight });
  stage.compared.readings++;
  return { view, handed };
}

/** The owner asks who has read the record, and hears of every access once and of no other. */
export async function lookAtAccesses(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const refusal = refusalToAsk(key, record) ?? (key === record.owner ? null : 'FORBIDDEN');
  const what = `ask who has read: ${nameOf(key)}, of the record of ${nameOf(record.owner)}`;
  const { recordId } = stage.real(record);
  const told = await stage.attempt(what, refusal, () => readAccesses(stage.clientOf(key), recordId));
  if (told === null) return;
  const found = told.proven.map(({ reader, action, purpose, time }) => {
    const by = stage.keyOf(reader.id);
    return [by === undefined ? reader.subject : nameOf(by), action, purpose, time];
  });
  const expected = record.accesses.map(({ reader, action, purpose, time }) => [
    nameOf(reader),
    action,
    purpose,
    time,
  ]);
  same(`${what}, how often`, found.length, expected.length);
  for (const [i, one] of found.entries()) same(`${what}, access ${String(i)}`, one, expected[i]);
  same(`${what}, unproven`, told.unproven, []);
  stage.compared.accesses += found.length;
}

/** Both chains of a record are as long as the model says. */
export async function checkEnds(stage: Stage, record: ModelRecord): Promise<void> {
  const { recordId } = stage.real(record);
  const [content, access] = await stage.at.bank.ledger.turn((turn) =>
    Promise.all([turn.head(recordId, 'content'), turn.head(recordId, 'access')]),
  );
  const whose = `the record of ${nameOf(record.owner)}`;
  same(`entries in ${whose}`, content.size, record.entries.length);
  same(`accesses to ${whose}`, access.size, record.accesses.length);
}

/** Everybody under every key looks at every record; then every owner looks who did. */
export async function sweep(stage: Stage, share = 1): Promise<void> {
  const keys = stage.world.actors.flatMap((actor) => actor.keys);
  for (const record of stage.world.records) {
    for (const key of keys) {
      if (share < 1 && key !== record.owner && stage.random.next() >= share) continue;
      const emergency = stage.emergencies.find((one) => one.key === key && one.record === record);
      await look(stage, key, record, emergency === undefined ? {} : { emergency });
    }
    await checkEnds(stage, record);
    await lookAtAccesses(stage, record.owner, record);
  }
}

/** A key, by its subject and number. */
export function nameOf({ subject, number }: Key): string {
  return number === 0 ? subject : `${subject}, key ${String(number)}`;
}

function compareView(stage: Stage, what: string, view: RecordView, { kinds, documents }: Sight): void {
  same(
    `${what}, entries shown`,
    view.chain.map((item) => ('hidden' in item ? null : item.entry.kind)),
    kinds,
  );
  for (const item of view.chain)
    if (!('hidden' in item)) same(`${what}, standing of ${String(item.entry.seq)}`, item.standing, 'valid');
  same(
    `${what}, broken`,
    view.broken.map(({ code }) => code),
    [],
  );
  const opened = new Map(view.documents.map(({ entry, view: one }) => [entry.entry.seq, one]));
  const expected = [...documents].filter(([, { text }]) => text !== null);
  same(
    `${what}, documents opened`,
    [...opened.keys()],
    expected.map(([seq]) => seq),
  );
  for (const [seq, { text, fields }] of expected) {
    const one = opened.get(seq);
    same(`${what}, document ${String(seq)}`, one?.text, text);
    same(`${what}, fields of document ${String(seq)}`, one?.fields.length, fields);
    stage.compared.fields += fields;
  }
}

// Not only what opens: what leaves the bank, too.
function compareHanded(what: string, handed: ReadonlyMap<number, Handed>, { kinds, documents }: Sight): void {
  const shown = kinds.flatMap((kind, seq) => (kind === null ? [] : [seq]));
  same(`${what}, entries handed out`, [...handed.keys()], shown);
  for (const [seq, { wraps, classes }] of documents) {
    const { sealed } = handed.get(seq) ?? {};
    same(
      `${what}, wraps and classes of document ${String(seq)}`,
      [sealed?.wraps.length, sealed?.classes.length],
      [wraps, classes],
    );
  }
}

async function compareFields(
  stage: Stage,
  what: string,
  looked: {
    readonly key: Key;
    readonly record: ModelRecord;
    readonly view: RecordView;
    readonly handed: ReadonlyMap<number, Handed>;
    readonly sight: Sight;
  },
): Promise<void> {
  const { key, record, view, handed, sight } = looked;
  const { recordId } = stage.real(record);
  for (const [seq, text] of sight.fields) {
    const entry = view.grants.find((one) => one.entry.entry.seq === seq)?.entry.entry;
    const { payload = null, attachments: [wrap] = [] } = handed.get(seq) ?? {};
    if (entry === undefined || payload === null || wrap === undefined) {
      same(`${what}, granted fields of ${String(seq)}`, 'nothing', text);
      continue;
    }
    const signed = { statement: readStatement(entry, payload, 'grant'), wrap };
    const grantor = stage.credentialOf(record.owner);
    const opened = await openGrant(stage.clientOf(key).user, signed, {
      ...{ grantor, recordId },
      at: stage.clock.now(),
      under: null,
    });
    if (opened.kind !== 'fields') throw new RangeError('no fields');
    const authors = (id: Uint8Array) => {
      const author = stage.keyOf(id);
      return author === undefined ? null : stage.credentialOf(author);
    };
    const shown = verifyDisclosure(opened.disclosure, { recordId, authors });
    same(`${what}, granted fields of ${String(seq)}`, shown.text, text);
    stage.compared.fields += shown.fields.length;
  }
}
