/** Entries as they are stored, and what goes with them. */

import { EMPTY_CHAIN, type ChainName, type Head } from 'muniment/record';
import { toHex } from 'muniment/wire';
import { plain, splitHashes } from './bytes.ts';
import type { Change, Database, StoredEntry } from './tables.ts';

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

/** Where a chain ended when the log had a size; the empty chain's head if nothing stood there. */
export async function headOf(
  database: Database,
  { record, chain, size }: { readonly record: Uint8Array; readonly chain: ChainName; readonly size: number },
): Promise<Head> {
  const last = await database
    .selectFrom('entries')
    .select(['seq', 'hash'])
    .where('record', '=', record)
    .where('chain', '=', chain)
    .where('leaf', '<', size)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last === undefined ? EMPTY_CHAIN : { size: last.seq + 1, hash: plain(last.hash) };
}

/** The time that the last leaf of the log states when it has a size. */
export async function timeOf(database: Database, size: number): Promise<number> {
  const last = await database
    .selectFrom('leaves')
    .select('time')
    .where('position', '=', size - 1)
    .executeTakeFirst();
  return last?.time ?? 0;
}

/** The receipts of leaves, in their order. */
export async function receiptsOf(database: Database, leaves: readonly number[]): Promise<Uint8Array[]> {
  const rows = await database
    .selectFrom('entries')
    .select('receipt')
    .where('leaf', 'in', leaves)
    .orderBy('leaf')
    .execute();
  return rows.map(({ receipt }) => plain(receipt));
}

/** Notes what an entry names beside its payload: annexes that were uploaded for it are no longer on their way. */
export async function noteUses(
  change: Change,
  place: Pick<StoredEntry, 'record' | 'chain' | 'seq'>,
  beside: { readonly annexes: readonly Uint8Array[]; readonly attachments: readonly Uint8Array[] },
): Promise<void> {
  const digests = new Map(
    [...beside.annexes, ...beside.attachments].map((digest) => [toHex(digest), digest]),
  );
  for (const digest of digests.values())
    await change
      .insertInto('uses')
      .values({ digest, ...place })
      .execute();
  for (const name of beside.annexes) await change.deleteFrom('uploads').where('name', '=', name).execute();
}
