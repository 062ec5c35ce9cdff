/**
 * How a record stands: who owns it, who acts for its owner, which keys are lost, whether it is closed. Its own statements
 * say so, by the library's rule (spec/authority.md); what they have said so far is noted with each entry that changed it,
 * so that nobody reads the chain again to judge the next one.
 */

import type { Credential } from 'muniment/keys';
import { decodeAuthority, encodeAuthority, NO_AUTHORITY, type Authority, type Entry } from 'muniment/record';
import { concat } from 'muniment/wire';
import { namedIn } from './named.ts';
import { malformed } from './refusal.ts';
import type { Standing } from './rights.ts';
import { plain, splitHashes } from './store/bytes.ts';
import type { Database } from './store/tables.ts';
import { NO_EFFECT, type Effect } from './turn.ts';

/** Before a record's first entry. */
export const NO_STANDING: Standing = { authority: NO_AUTHORITY, guardians: [] };

/** How a record stands; `null` if there is none of this id. */
export async function standingOf(database: Database, record: Uint8Array): Promise<Standing | null> {
  const row = await database
    .selectFrom('authorities')
    .select(['authority', 'guardians'])
    .where('record', '=', record)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : readStanding(row);
}

/** Reads what is noted. */
export function readStanding(row: {
  readonly authority: Uint8Array;
  readonly guardians: Uint8Array;
}): Standing {
  return { authority: decodeAuthority(plain(row.authority)), guardians: splitHashes(row.guardians) };
}

/** Notes how a record stands once an entry is taken, if the entry has changed it. */
export function noting({ recordId, seq }: Entry, before: Standing, after: Standing): Effect {
  if (after === before) return NO_EFFECT;
  const [authority, guardians] = [encodeAuthority(after.authority), concat(...after.guardians)];
  return (within) =>
    within.insertInto('authorities').values({ record: recordId, seq, authority, guardians }).execute();
}

/** An entry that was verified, with what it states. */
interface Said {
  readonly entry: Entry;
  readonly author: Credential;
  readonly payload: Uint8Array | null;
}

/** How a record stands after an entry: the same object if the entry has changed nothing. */
export function standingAfter(
  before: Standing,
  authority: Authority,
  { entry, author, payload }: Said,
): Standing {
  if (authority === before.authority) return before;
  if (authority.appointment === before.authority.appointment) return { ...before, authority };
  return { authority, guardians: namedIn(entry, payload ?? malformed(), author) };
}
