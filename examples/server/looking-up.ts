/** What is asked of the bank beside records: who is who, and where chains end. */

import type { Credential } from 'muniment/keys';
import { toHex } from 'muniment/wire';
import { writeText, type RequestOf } from './api.ts';
import { AFRESH, settle } from './archive.ts';
import { answer, sayTo, turnFor, type Answer, type Asking, type House } from './asking.ts';
import { listsFor, recordOf } from './compartments.ts';
import { BankRefusal } from './refusal.ts';
import { plain } from './store/bytes.ts';
import { entriesOf, payloadOf } from './store/entries.ts';
import type { Change, Database } from './store/tables.ts';

/** Credentials, and what was said of them; compartments of records; epochs of groups. All of it is signed by others. */
export async function lookUp(
  change: Change,
  { directory, now }: House,
  request: RequestOf<'lookup'>,
  { user, cause }: Asking,
): Promise<Answer> {
  await directory.checkStanding(change, user, now());
  const documents: Uint8Array[] = [];
  const add = (bytes: Uint8Array): number => documents.push(bytes) - 1;
  const found = [];
  for (const subject of request.subjects) found.push(await directory.findSubject(change, subject));
  for (const id of request.ids) found.push(await directory.find(change, id));
  const known = found.filter((credential) => credential !== null);
  const groups = [];
  for (const name of request.groups) groups.push(...(await directory.groups(change, name)));
  const published = [];
  // Only of whom was asked for by name: whoever stands in another's chain may have published whatever it likes.
  for (const subject of new Set(request.subjects)) {
    const recordId = await recordOf(change, subject);
    if (recordId !== null) published.push(...(await listsFor(directory, change, recordId)));
  }
  // A keeper signs every epoch of its group, and is handed out once; so is each key of an owner.
  const signers = [...groups.map(({ keeper }) => keeper), ...published.map(({ owner }) => owner)];
  const credentials = distinct([...known, ...signers]);
  const revocations: object[] = [];
  for (const credential of credentials) {
    for (const { author, statement } of await directory.revocations(change, credential))
      revocations.push({ author, statement: add(statement) });
  }
  const text = writeText({
    credentials: credentials.map(({ encoded }) => add(encoded)),
    revocations,
    compartments: published.map(({ owner, statement }) => ({ owner: owner.id, statement: add(statement) })),
    groups: groups.map(({ keeper, statement, verified }) => ({
      name: verified.name,
      keeper: keeper.id,
      statement: add(statement),
    })),
  });
  await settle(change, cause, AFRESH);
  return { ...answer(text), documents };
}

/** The record of a public number: one answer for "there is none" and "not yours". */
export function findRecord(house: House, { number }: RequestOf<'find'>, asking: Asking): Promise<Answer> {
  return turnFor(house, asking, async ({ change }) => {
    const { id: recordId } = await house.records.numbered(change, number, asking.user);
    await settle(change, asking.cause, AFRESH);
    return answer(writeText({ recordId }));
  });
}

/** The directory's entries that ended these credentials' keys, each with its place in the log of a size. */
export async function tellRevocations(
  house: House,
  { ids, size }: RequestOf<'revocations'>,
  asking: Asking,
): Promise<Answer> {
  const { directory, records, reading } = house;
  const kept = await turnFor(house, asking, async (turn) => {
    const found = await records.find(turn.change, records.directoryId);
    if (found === null) throw new BankRefusal('RECORD_UNKNOWN');
    if (size > turn.size) throw new BankRefusal('RECORD_CONSISTENCY');
    await settle(turn.change, asking.cause, AFRESH);
    return found;
  });
  const { said } = await sayTo(house, asking, { size, judge: () => Promise.resolve() });
  const positions = new Set<number>();
  for (const id of ids) {
    const credential = await directory.find(reading, id);
    const heard = credential === null ? [] : await directory.revocations(reading, credential);
    for (const { seq } of heard) positions.add(seq);
  }
  const documents: Uint8Array[] = [];
  const add = (bytes: Uint8Array): number => documents.push(plain(bytes)) - 1;
  const items: object[] = [];
  for (const seq of [...positions].sort((a, b) => a - b)) {
    const [row] = await entriesOf(reading, { record: kept.id, chain: 'content', from: seq, limit: 1 });
    const payload = row === undefined ? null : await payloadOf(reading, row);
    if (row === undefined || payload === null || row.seq !== seq || row.leaf >= size) continue;
    const proof = said.inclusion(row.leaf);
    items.push({ entry: add(row.entry), payload: add(payload), receipt: add(row.receipt), proof });
  }
  const text = writeText({ tagSalt: kept.tagSalt, items });
  return { text, documents };
}

/** The bank's signed word on where both chains of a record end. */
export async function tellHeads(house: House, request: RequestOf<'head'>, asking: Asking): Promise<Answer> {
  const { recordId, seenSize } = request;
  const judge = async (database: Database): Promise<void> => {
    const { records } = house;
    if (!records.isDirectory(recordId)) await records.asked(database, recordId, asking.user);
  };
  await turnFor(house, asking, async ({ change }) => {
    await judge(change);
    await settle(change, asking.cause, AFRESH);
  });
  const { said } = await sayTo(house, asking, { judge });
  return answer(
    writeText({
      ...(await said.checkpoint(seenSize)),
      content: await said.head(recordId, 'content'),
      access: await said.head(recordId, 'access'),
    }),
  );
}

function distinct(credentials: readonly Credential[]): Credential[] {
  return [...new Map(credentials.map((one) => [toHex(one.id), one])).values()];
}
