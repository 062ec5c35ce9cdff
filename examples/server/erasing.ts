/**
 * Erasure: an administrator has payloads of a closed record destroyed once their term is over. The tombstone, which says
 * what and on what ground, stands in the chain before anybody is told; the entries stay, and so does every proof.
 */

import { hasRole } from 'muniment/keys';
import { decodeSignedEntry, readErasure, verifyPayload, type Erasure } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { AnnexStore } from './annexes.ts';
import type { RequestOf } from './api.ts';
import { receiptsAnswer, leavesText } from './appending.ts';
import { replyOf, settle } from './archive.ts';
import type { Answer, Asking, House } from './asking.ts';
import type { Kept } from './records.ts';
import { BankRefusal, malformed } from './refusal.ts';
import { plain, splitHashes } from './store/bytes.ts';
import type { Change, StoredEntry } from './store/tables.ts';
import { accept } from './turn.ts';

/** Takes a tombstone, and destroys what it names in the same transaction. Asked again, it is answered with the same receipt. */
export async function erase(
  house: House,
  request: RequestOf<'erase'>,
  asking: Asking,
  documents: readonly Uint8Array[],
): Promise<Answer> {
  const { user, cause } = asking;
  const { records, annexes, directory, ledger, now } = house;
  const outcome = await ledger.turn(async (turn) => {
    const { change } = turn;
    const settled = await replyOf(change, cause.request);
    if (settled !== null) return settled;
    await directory.checkStanding(change, user, now());
    if (request.seenSize > turn.size) throw new BankRefusal('RECORD_CONSISTENCY');
    // One answer for "no such record" and "not yours to erase"; who may erase nothing has nothing looked up.
    if (!hasRole(user, 'administrator')) throw new BankRefusal('FORBIDDEN');
    const kept = await records.find(change, request.recordId);
    if (!kept?.standing) throw new BankRefusal('FORBIDDEN');
    const [signed, payload] = [decodeSignedEntry(request.entry), documents[0] ?? malformed()];
    if (documents.length !== 1 || signed.entry.kind !== 'erase') malformed();
    if (!equalBytes(signed.entry.author, user.id)) throw new BankRefusal('RECORD_AUTHOR');
    records.checkTime(signed);
    verifyPayload(signed.entry, payload);
    const head = await turn.head(kept.id, 'content');
    const arrived = await records.next(change, kept, { signed, payload, author: user, head });
    const doomed = await namedBy(change, kept, readErasure(signed.entry, payload));
    const effect = async (within: Change, time: number): Promise<void> => {
      await arrived.effect(within, time);
      for (const one of doomed) await destroy(within, annexes, one);
    };
    const tombstone = accept(arrived.entry, { payload, attachments: [], annexes: [], effect });
    const text = leavesText(await turn.take([tombstone], kept.tagSalt, cause));
    await settle(change, cause, text);
    return text;
  });
  return receiptsAnswer(house, request, outcome);
}

// The entries themselves, each by its hash. Who has read a record is no part of what was written in it, and stays.
async function namedBy(change: Change, { id }: Kept, { chain, erased }: Erasure): Promise<StoredEntry[]> {
  if (chain !== 'content') malformed();
  const found = [];
  for (const { seq, entryHash } of erased) {
    const row = await change
      .selectFrom('entries')
      .selectAll()
      .where('record', '=', id)
      .where('chain', '=', chain)
      .where('seq', '=', seq)
      .executeTakeFirst();
    if (row === undefined || !equalBytes(row.hash, entryHash)) malformed();
    found.push(row);
  }
  return found;
}

/** Destroys an entry's payload, and what no other entry names of that which lies beside it. */
async function destroy(
  change: Change,
  annexes: AnnexStore,
  { record, chain, seq, attachments, annexes: named }: StoredEntry,
): Promise<void> {
  for (const table of ['payloads', 'uses'] as const)
    await change
      .deleteFrom(table)
      .where('record', '=', record)
      .where('chain', '=', chain)
      .where('seq', '=', seq)
      .execute();
  for (const digest of splitHashes(attachments)) {
    if (await isUsed(change, digest)) continue;
    await change.deleteFrom('attachments').where('digest', '=', digest).execute();
  }
  for (const name of splitHashes(named)) if (!(await isUsed(change, name))) await annexes.erase(change, name);
}

async function isUsed(change: Change, digest: Uint8Array): Promise<boolean> {
  const use = await change
    .selectFrom('uses')
    .select('seq')
    .where('digest', '=', plain(digest))
    .limit(1)
    .executeTakeFirst();
  return use !== undefined;
}
