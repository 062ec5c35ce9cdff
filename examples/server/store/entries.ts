/** Entries as they are stored, and what goes with them. */

import type { ChainName } from 'muniment/record';
import { plain, splitHashes } from './bytes.ts';
import type { Database, StoredEntry } from './tables.ts';

/** What an entry says or names, if it was not erased. */
export async function payloadOf(
  database: Database,
  { record, chain, seq }: Pick<StoredEntry, 'record' | 'chain' | 'seq'>,
): Promise<Uint8Array | null> {
  const row = await database
    .selectFrom('payloads')
    .select('bytes')
    .where('record', '=', record)
    .where('chain', '=', chain)
    .where('seq', '=', seq)
    .executeTakeFirst();
  return row === undefined ? null : plain(row.bytes);
}

/** A part of a chain, in order; of what stood there when the log had a size, if one is given. */
export function entriesOf(
  database: Database,
  part: {
    readonly record: Uint8Array;
    readonly chain: ChainName;
    readonly from: number;
    readonly size?: number;
    readonly limit?: number;
  },
): Promise<StoredEntry[]> {
  let query = database
    .selectFrom('entries')
    .selectAll()
    .where('record', '=', part.record)
    .where('chain', '=', part.chain)
    .where('seq', '>=', part.from)
    .orderBy('seq');
  if (part.size !== undefined) query = query.where('leaf', '<', part.size);
  if (part.limit !== undefined) query = query.limit(part.limit);
  return query.execute();
}

/** What came beside an entry. */
export async function attachmentsOf(database: Database, row: StoredEntry): Promise<Uint8Array[]> {
  const found = [];
  for (const digest of splitHashes(row.attachments)) {
    const attachment = await database
      .selectFrom('attachments')
      .select('bytes')
      .where('digest', '=', digest)
      .executeTakeFirst();
    if (attachment !== undefined) found.push(plain(attachment.bytes));
  }
  return found;
}
