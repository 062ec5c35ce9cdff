/**
 * What the administrator does to a record that it does not read: it closes it, opens it again, and has payloads of it
 * destroyed. spec/authority.md, "Closing" and "Erasure".
 */

import {
  encodeAuthorityStatement,
  encodeErasure,
  encodeSignedEntry,
  ERASE,
  headAfter,
  type ClosingGround,
  type Erasure,
  type Head,
  type SignedEntry,
} from 'muniment/record';
import type { BankClient } from './bank.ts';
import { checkTaken, signAll, statement, type RecordName, type Writing } from './writing.ts';

/** A record whose chain was verified up to a head, by whoever may see it. */
export interface RecordAt extends RecordName {
  readonly head: Head;
  /** The number of its next statement. */
  readonly statements: number;
}

/** Closes a record. `at` is when its owner died, moved or asked for it; a term counts from now. */
export async function closeRecord(
  client: BankClient,
  record: RecordAt,
  { ground, at }: { readonly ground: ClosingGround; readonly at: number },
): Promise<SignedEntry> {
  const said = encodeAuthorityStatement({ kind: 'closing', number: record.statements, ground, at });
  return append(client, record, statement('close', said.kind, said.content));
}

/** Opens a record again that was closed by mistake. */
export async function reopenRecord(client: BankClient, record: RecordAt): Promise<SignedEntry> {
  const said = encodeAuthorityStatement({ kind: 'reopening', number: record.statements });
  return append(client, record, statement('close', said.kind, said.content));
}

/** Has payloads destroyed by one tombstone, and gives where the record stands after it. */
export async function erasePayloads(
  client: BankClient,
  record: RecordAt,
  erasure: Omit<Erasure, 'chain'>,
): Promise<{ readonly tombstone: SignedEntry; readonly after: RecordAt }> {
  const said = statement('erase', ERASE, encodeErasure({ ...erasure, chain: 'content' }));
  const tombstone = await sign(client, record, said);
  const question = { type: 'erase', recordId: record.recordId, entry: encodeSignedEntry(tombstone) } as const;
  const taken = { signed: [tombstone], from: record.head };
  await checkTaken(client, record, taken, await client.ask<'erase'>(question, [said.payload]));
  return { tombstone, after: { ...record, head: headAfter(tombstone) } };
}

async function append(client: BankClient, record: RecordAt, said: Writing): Promise<SignedEntry> {
  const signed = await sign(client, record, said);
  const entries = [{ entry: encodeSignedEntry(signed), attachments: [], annexes: [] }];
  const question = { type: 'append', recordId: record.recordId, entries } as const;
  const taken = { signed: [signed], from: record.head };
  await checkTaken(client, record, taken, await client.ask<'append'>(question, [said.payload]));
  return signed;
}

async function sign(client: BankClient, record: RecordAt, said: Writing): Promise<SignedEntry> {
  const [signed] = await signAll(client, record, [said], record.head);
  if (signed === undefined) throw new RangeError('nothing was signed');
  return signed;
}
