/**
 * To which compartments the data of a record is sealed: its owner's lists, which go on when the owner goes on under
 * another key. Who may publish the next one.
 */

import {
  verifyCompartments,
  verifyCompartmentsHistory,
  verifyNextCompartments,
  type Compartments,
  type Credential,
} from 'muniment/keys';
import { capacityOf } from 'muniment/record';
import { compartmentReader } from 'muniment/views';
import { toHex } from 'muniment/wire';
import { standingOf } from './authority.ts';
import { idsOf, recordNumber } from './record-number.ts';
import { BankRefusal } from './refusal.ts';
import { isSpent } from './rights.ts';
import { plain } from './store/bytes.ts';
import type { Change, Database } from './store/tables.ts';
import type { Effect } from './turn.ts';

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
    const owner = await directory.find(database, plain(row.owner));
    if (owner === null) continue;
    const statement = plain(row.statement);
    found.push({ owner, statement, verified: verifyCompartments(statement, owner) });
  }
  return found;
}

/** The lists of the record that a subject has named, by the newest of its keys that has published any. */
export async function listsOf(
  directory: Finder,
  database: Database,
  subject: string,
): Promise<PublishedList[]> {
  const row = await database
    .selectFrom('compartments')
    .innerJoin('users', 'users.id', 'compartments.owner')
    .select('compartments.record')
    .where('users.subject', '=', subject)
    .orderBy('users.number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? [] : listsFor(directory, database, plain(row.record));
}

/** Checks a list of compartments that somebody publishes, and returns how to write it once its entry is accepted. */
export async function publishCompartments(
  directory: Finder,
  change: Change,
  { author, statement }: { readonly author: Credential; readonly statement: Uint8Array },
): Promise<Effect> {
  const { recordId, number } = verifyCompartments(statement, author);
  const newest = (await listsFor(directory, change, recordId)).at(-1);
  // Nothing is taken that does not follow what is there: a gap or a fork would stop every verifier.
  if (newest === undefined) {
    await checkNewRecord(directory, change, author, recordId);
    verifyCompartmentsHistory([statement], [author], null);
  } else {
    await checkOwner(change, author, newest);
    if (number <= newest.verified.number) throw new BankRefusal('RECORD_EXISTS');
    verifyNextCompartments(statement, author, newest.verified);
  }
  const list = { owner: author.id, number, record: recordId, statement };
  return (within) => within.insertInto('compartments').values(list).execute();
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
  const own = (await listsOf(directory, change, author.subject)).at(-1);
  if (own === undefined) return;
  if (!(own.owner.notBefore < author.notBefore)) throw new BankRefusal('RECORD_EXISTS');
  if ((await standingOf(change, own.verified.recordId)) !== null) throw new BankRefusal('OWNER_KEY');
}

// Who owns a record, its chain says; before there is one, whoever named it does, or the subject's next key.
async function checkOwner(
  change: Change,
  author: Credential,
  { owner, verified: { recordId } }: PublishedList,
): Promise<void> {
  if (owner.subject !== author.subject) throw new BankRefusal('RECORD_EXISTS');
  const authority = (await standingOf(change, recordId))?.authority;
  const owns =
    authority === undefined
      ? owner.notBefore <= author.notBefore
      : capacityOf(authority, author.id, 0) === 'owner' && !isSpent(authority, author.id);
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
