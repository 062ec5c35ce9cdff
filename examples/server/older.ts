/** What an older server has stored, brought up to date when a newer one starts: how each record stands. */

import { MunimentError } from 'muniment';
import { decodeSignedEntry, hashEntry, STATEMENT, withoutRevocations } from 'muniment/record';
import type { House } from './asking.ts';
import { NO_STANDING, noting, standingAfter } from './authority.ts';
import type { Directory } from './directory.ts';
import { namedIn } from './named.ts';
import { ruleOfRecord } from './rights.ts';
import { plain } from './store/bytes.ts';
import { entriesOf, payloadOf } from './store/entries.ts';
import type { Change } from './store/tables.ts';

/**
 * Notes how records stand that were opened before this was noted. Whatever stands in their chains was judged when it was
 * taken; here it is only followed. One that does not fit today's rules is reported and left: nobody can ask for it then.
 */
export async function noteOlder(
  { directory, records }: House,
  change: Change,
  report: (error: unknown) => void,
): Promise<void> {
  const rows = await change
    .selectFrom('records')
    .leftJoin('authorities', 'authorities.record', 'records.id')
    .select('records.id')
    .where('authorities.record', 'is', null)
    .where('records.id', '<>', records.directoryId)
    .execute();
  for (const { id } of rows) {
    try {
      for (const note of await followOne(directory, change, plain(id))) await note();
    } catch (error) {
      if (!(error instanceof MunimentError)) throw error;
      report(error);
    }
  }
}

async function followOne(
  directory: Directory,
  change: Change,
  record: Uint8Array,
): Promise<(() => Promise<unknown>)[]> {
  const notes = [];
  const { known } = directory;
  const rule = ruleOfRecord({ authors: withoutRevocations(known), known, now: () => Infinity });
  let standing = NO_STANDING;
  for (const row of await entriesOf(change, { record, chain: 'content', from: 0 })) {
    const { entry, signature } = decodeSignedEntry(plain(row.entry));
    const author = await directory.find(change, entry.author);
    if (author === null) throw new MunimentError('RECORD_AUTHOR');
    const payload = entry.payloadType === STATEMENT ? await payloadOf(change, row) : null;
    if (payload !== null)
      for (const one of namedIn(entry, payload, author)) await directory.find(change, one);
    const hash = hashEntry({ entry, signature });
    const step = { entry, author, hash, payload, standing: 'valid', appending: false } as const;
    const authority = rule.next(standing.authority, step);
    if (authority === null) throw new MunimentError('RECORD_RIGHT');
    const after = standingAfter(standing, authority, { entry, author, payload });
    const note = noting(entry, standing, after);
    notes.push(() => note(change, entry.time));
    standing = after;
  }
  return notes;
}
