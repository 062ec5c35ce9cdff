/**
 * To which compartments the data of a record is sealed: its owner's lists, which go on when the owner goes on under
 * another key. Who may publish the next one.
 */

import { sql } from 'kysely';
import {
  verifyCompartments,
  verifyCompartmentsHistory,
  verifyNextCompartments,
  type Compartments,
  type Credential,
} from 'muniment/keys';
import { capacityOf } from 'muniment/record';
import { compartmentReader } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { standingOf } from './authority.ts';
import { idsOf, recordNumber } from './record-number.ts';
import { BankRefusal } from './refusal.ts';
import { isSpent } from './rights.ts';
import { plain } from './store/bytes.ts';
import type { Change, Database } from './store/tables.ts';
import type { Effect } from './turn.ts';

/** Most lists under one of an owner's keys, and most bytes of them: as many with BEHC's parts, a dozen of the longest. */
const LISTS_LIMIT = { count: 128, bytes: 4 * 1024 * 1024 };

/** Who finds the credential behind an Id: the directory. */
interface Finder {
  find(database: Database, id: Uint8Array): Promise<Credential | null>;
}

/** A list of compartments, and which of an owner's keys has signed it. */
export interface PublishedList {
  readonly owner: Credential;
  readonly statement: Uint8Array;
  readonly verified: Compartments;
}

/** Every list of a record's compartments, whichever of its owner's keys has signed it, oldest first. */
export async function listsFor(
  directory: Finder,
  database: Database,
  recordId: Uint8Array,
): Promise<PublishedList[]> {
  const rows = await database
    .selectFrom('compartments')
    .select(['owner', 'statement'])
    .where('record', '=', recordId)
    .orderBy('number')
    .execute();
  const found = [];
  for (const row of rows) {
    const list = await verified(directory, database, row);
    if (list !== null) found.push(list);
  }
  return found;
}

/** The newest of them. */
export async function newestFor(
  directory: Finder,
  database: Database,
  recordId: Uint8Array,
): Promise<PublishedList | null> {
  const row = await database
    .selectFrom('compartments')
    .select(['owner', 'statement'])
    .where('record', '=', recordId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : verified(directory, database, row);
}

async function verified(
  directory: Finder,
  database: Database,
  row: { readonly owner: Uint8Array; readonly statement: Uint8Array },
): Promise<PublishedList | null> {
  const owner = await directory.find(database, plain(row.owner));
  if (owner === null) return null;
  const statement = plain(row.statement);
  return { owner, statement, verified: verifyCompartments(statement, owner) };
}

/** The record that a subject has named, by the newest of its keys that has published any list. */
export async function recordOf(database: Database, subject: string): Promise<Uint8Array | null> {
  const row = await database
    .selectFrom('compartments')
    .innerJoin('users', 'users.id', 'compartments.owner')
    .select('compartments.record')
    .where('users.subject', '=', subject)
    .orderBy('users.number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : plain(row.record);
}

/** Checks a list of compartments that somebody publishes, and returns how to write it once its entry is accepted. */
export async function publishCompartments(
  directory: Finder,
  change: Change,
  { author, statement }: { readonly author: Credential; readonly statement: Uint8Array },
): Promise<Effect> {
  const { recordId, number } = verifyCompartments(statement, author);
  const newest = await newestFor(directory, change, recordId);
  // Nothing is taken that does not follow what is there: a gap or a fork would stop every verifier.
  if (newest === null) {
    await checkNewRecord(directory, change, author, recordId);
    verifyCompartmentsHistory([statement], [author], null);
  } else {
    await checkOwner(change, author, newest);
    if (number <= newest.verified.number) throw new BankRefusal('RECORD_EXISTS');
    verifyNextCompartments(statement, author, newest.verified);
  }
  await checkRoom(change, author, statement);
  const list = { owner: author.id, number, record: recordId, statement };
  return (within) => within.insertInto('compartments').values(list).execute();
}

// Whoever looks a subject up is handed every list, and the bank reads all of them where it judges a document. A key that was
// stolen uses up its own room; the next one has its own, though what was added to the list stays on it.
async function checkRoom(change: Change, { id }: Credential, statement: Uint8Array): Promise<void> {
  const { count, bytes } = await change
    .selectFrom('compartments')
    .select(({ fn }) => [
      fn.countAll<number | string>().as('count'),
      fn.sum<number | string | null>(sql`length(statement)`).as('bytes'),
    ])
    .where('owner', '=', id)
    .executeTakeFirstOrThrow();
  const full =
    Number(count) >= LISTS_LIMIT.count || Number(bytes ?? 0) + statement.length > LISTS_LIMIT.bytes;
  if (full) throw new BankRefusal('LISTS_FULL');
}

// No two owners share a record, nor the number of one; and an owner keeps to its own. Where nobody has opened that yet,
// there is nothing to lose, and no chain in which to say so: the subject's next key may begin anew.
async function checkNewRecord(
  directory: Finder,
  change: Change,
  author: Credential,
  recordId: Uint8Array,
): Promise<void> {
  const { first, last } = idsOf(recordNumber(recordId));
  const taken = await change
    .selectFrom('compartments')
    .select('owner')
    .where('record', '>=', first)
    .where('record', '<=', last)
    .executeTakeFirst();
  if (taken !== undefined) throw new BankRefusal('RECORD_EXISTS');
  const named = await recordOf(change, author.subject);
  const own = named === null ? null : await newestFor(directory, change, named);
  if (own === null) return;
  if (!(own.owner.notBefore < author.notBefore)) throw new BankRefusal('RECORD_EXISTS');
  if ((await standingOf(change, own.verified.recordId)) !== null) throw new BankRefusal('OWNER_KEY');
}

// Who owns a record, its chain says; before there is one, whoever named it does, or the subject's next key, unless one
// after that has begun anew: what was given up does not come back. The dead rotate nothing.
async function checkOwner(
  change: Change,
  author: Credential,
  { owner, verified: { recordId } }: PublishedList,
): Promise<void> {
  if (owner.subject !== author.subject) throw new BankRefusal('RECORD_EXISTS');
  const authority = (await standingOf(change, recordId))?.authority;
  const named = await recordOf(change, author.subject);
  const owns =
    authority === undefined
      ? owner.notBefore <= author.notBefore && named !== null && equalBytes(named, recordId)
      : capacityOf(authority, author.id, 0) === 'owner' &&
        !isSpent(authority, author.id) &&
        authority.closure?.ground !== 'death';
  if (!owns) throw new BankRefusal('OWNER_KEY');
  const elsewhere = await change
    .selectFrom('compartments')
    .select('record')
    .where('owner', '=', author.id)
    .where('record', '<>', recordId)
    .executeTakeFirst();
  if (elsewhere !== undefined) throw new BankRefusal('RECORD_EXISTS');
}

/** The reader ids of one of a record's compartments in one epoch. */
export async function readersFor(
  directory: Finder,
  database: Database,
  recordId: Uint8Array,
  wanted: { readonly name: string; readonly epoch: number },
): Promise<Uint8Array[]> {
  const all = (await listsFor(directory, database, recordId)).flatMap(({ verified }) => verified.list);
  const ids = all
    .filter(({ name, epoch }) => name === wanted.name && epoch === wanted.epoch)
    .map((one) => compartmentReader(one).id);
  return [...new Map(ids.map((id) => [toHex(id), id])).values()];
}
