/**
 * Entries that are judged by all that stands before them in their record: closings, and what is erased. They are rare,
 * so the whole chain is verified again for each, under the library's own rule. spec/authority.md.
 */

import { MunimentError } from 'muniment';
import type { Credential } from 'muniment/keys';
import {
  appendEntry,
  decodeSignedEntry,
  recordRule,
  startOf,
  STATEMENT,
  TEN_YEARS_AFTER_DEATH,
  verifyChain,
  withoutRevocations,
  type ShownEntry,
  type SignedEntry,
  type VerifiedEntry,
} from 'muniment/record';
import type { House } from './asking.ts';
import type { KeptRecord } from './records.ts';
import { BankRefusal } from './refusal.ts';
import { mayWriteRecord } from './rights.ts';
import { plain } from './store/bytes.ts';
import { entriesOf, payloadOf } from './store/entries.ts';
import type { Change } from './store/tables.ts';

/** When this bank destroys payloads. */
export const RETENTION = TEN_YEARS_AFTER_DEATH;

/** Verifies an entry as the next of a record's content, by what the record's statements have said so far. */
export async function nextByStatements(
  { directory, records, now }: House,
  change: Change,
  kept: KeptRecord,
  said: { readonly signed: SignedEntry; readonly payload: Uint8Array; readonly author: Credential },
): Promise<VerifiedEntry> {
  const stands: ShownEntry[] = [];
  for (const row of await entriesOf(change, { record: kept.id, chain: 'content', from: 0 })) {
    const signed = decodeSignedEntry(plain(row.entry));
    await directory.find(change, signed.entry.author);
    const stated = signed.entry.payloadType === STATEMENT;
    stands.push({ ...signed, payload: stated ? await payloadOf(change, row) : null });
  }
  // Whether their keys stood was judged when each was taken, and of the new one's it is when it is.
  const authors = withoutRevocations(directory.known);
  const mayWrite = mayWriteRecord(kept.owner.id);
  const rule = recordRule({ mayWrite, retention: RETENTION, now, authors, known: directory.known });
  const rules = { origin: records.origin, recordId: kept.id, chain: 'content', authors, rule } as const;
  const chain = verifyChain(stands, rules, startOf(rule));
  let step = await chain.next();
  while (step.done !== true) step = await chain.next();
  const { head } = step.value;
  try {
    return appendEntry({ ...said.signed, payload: said.payload }, rules, step.value).entry;
  } catch (error) {
    const stale = error instanceof MunimentError && error.code === 'RECORD_STALE';
    throw stale ? new BankRefusal('RECORD_STALE', head) : error;
  }
}
