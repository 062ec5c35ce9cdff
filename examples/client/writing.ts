/** Writing: entries signed over the newest head, sent in batches, receipts verified. */

import { systemRandom, sha256 } from 'muniment/crypto';
import type { Compartments, Credential } from 'muniment/keys';
import {
  byRole,
  CREATE,
  EMPTY_CHAIN,
  encodeCreation,
  encodeSignedEntry,
  encodeStatement,
  headAfter,
  signEntry,
  STATEMENT,
  statementDigest,
  withoutRevocations,
  type EntryKind,
  type Head,
  type SignedEntry,
} from 'muniment/record';
import {
  annexName,
  encodeAnnex,
  encodeSealed,
  groupReader,
  partyReader,
  seal,
  sealAnnex,
  SEALED_DOCUMENT,
  sealedDigest,
  type Policy,
  type Reader,
} from 'muniment/views';
import { MunimentError } from 'muniment';
import { sendAnnexes, type SealedAnnex } from './annexes.ts';
import { Refused, type Answer, type BankClient } from './bank.ts';
import { CLOCK } from './connection.ts';
import { followTaken } from './following.ts';
import { headAfterStale, headToSign } from './newest.ts';
import { byId, lookUp, type People } from './people.ts';

/** An entry before it is signed: what it does, and what goes with it. */
export interface Writing {
  readonly kind: EntryKind;
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly digest: Uint8Array;
  readonly attachments?: readonly Uint8Array[];
  readonly annexes?: readonly SealedAnnex[];
}

/** A record that is written to. */
export interface RecordName {
  readonly recordId: Uint8Array;
  readonly tagSalt: Uint8Array;
}

const ATTEMPTS = 5;
/** Payloads in one request, in bytes, and entries. */
const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_ENTRIES = 64;

/** A statement as an entry. */
export function statement(kind: EntryKind, statementKind: string, content: Uint8Array): Writing {
  const payload = encodeStatement({ kind: statementKind, content });
  return { kind, payloadType: STATEMENT, payload, digest: statementDigest(payload) };
}

/**
 * Appends entries to a record's content: signs them over a head that this client has verified, again if somebody
 * else was faster, and verifies every receipt. Returns the signed entries.
 */
export async function append(
  client: BankClient,
  record: RecordName,
  writings: readonly Writing[],
): Promise<SignedEntry[]> {
  const { recordId } = record;
  let head = writings[0]?.kind === 'create' ? EMPTY_CHAIN : await headToSign(client, recordId);
  const done: SignedEntry[] = [];
  for (const batch of batches(writings)) {
    const signed = await appendBatch(client, record, batch, head);
    done.push(...signed);
    head = headAfter(signed.at(-1) ?? unreachable());
  }
  return done;
}

async function appendBatch(
  client: BankClient,
  record: RecordName,
  writings: readonly Writing[],
  from: Head,
): Promise<SignedEntry[]> {
  const annexes = writings.flatMap((writing) => writing.annexes ?? []);
  await sendAnnexes(client, record.recordId, annexes);
  let head = from;
  for (let attempt = 1; ; attempt++) {
    const signed = await signAll(client, record, writings, head);
    try {
      await send(client, record, writings, signed, head);
      return signed;
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'RECORD_STALE' || attempt === ATTEMPTS) throw error;
      head = await headAfterStale(client, record.recordId, signed);
    }
  }
}

/** Signs entries, one after the other, over a head. */
export async function signAll(
  client: BankClient,
  record: RecordName,
  writings: readonly Writing[],
  from: Head,
): Promise<SignedEntry[]> {
  const signed: SignedEntry[] = [];
  let head = from;
  for (const { kind, payloadType, digest } of writings) {
    const one = await signEntry(client.user, head, {
      origin: client.trust.origin,
      recordId: record.recordId,
      chain: 'content',
      kind,
      time: CLOCK.now(),
      payloadType,
      payloadDigest: digest,
      seen: client.seen,
    });
    signed.push(one);
    head = headAfter(one);
  }
  return signed;
}

async function send(
  client: BankClient,
  record: RecordName,
  writings: readonly Writing[],
  signed: readonly SignedEntry[],
  from: Head,
): Promise<void> {
  const entries = writings.map(({ attachments = [], annexes = [] }, i) => ({
    entry: encodeSignedEntry(signed[i] ?? unreachable()),
    attachments: attachments.map(sha256),
    annexes: annexes.map(({ annex }) => annexName(annex.root)),
  }));
  const documents = [
    ...writings.map(({ payload }) => payload),
    ...writings.flatMap(({ attachments = [] }) => attachments),
  ];
  const question = { type: 'append', recordId: record.recordId, entries } as const;
  await checkTaken(client, record, { signed, from }, await client.ask<'append'>(question, documents));
}

/** Verifies the bank's answer that it took entries which follow a head: every receipt, and the chain up to their end. */
export async function checkTaken(
  client: BankClient,
  record: RecordName,
  { signed, from }: { readonly signed: readonly SignedEntry[]; readonly from: Head },
  { reply, request, asked }: Answer<'append' | 'erase'>,
): Promise<void> {
  if (reply.receipts.length !== signed.length) throw new MunimentError('RECORD_RECEIPT');
  const { checkpoint, consistency, head } = reply;
  const items = signed.map((item, i) => {
    const { receipt, proof } = reply.receipts[i] ?? unreachable();
    client.checkSignedReceipt(receipt, item, request);
    return { item, receipt, proof };
  });
  // Whether it might write this, the bank has judged, and everybody who reads it judges again.
  const authors = withoutRevocations(byId([client.user.credential]));
  const by = { rule: byRole(() => true), authors, tagSalt: record.tagSalt };
  const of = { recordId: record.recordId, chain: 'content' } as const;
  await followTaken(client, of, { asked, checkpoint, consistency, items, head, from }, by);
  for (const { receipt } of items) client.memory.keepReceipt?.(receipt);
}

/** A doctor opens a patient's record under the id that the patient published. */
export async function createRecord(client: BankClient, patient: string): Promise<RecordName> {
  const people = await lookUp(client, { subjects: [patient] });
  const { recordId, owner } = people.compartments.get(patient) ?? unreachable();
  const record = { recordId, tagSalt: systemRandom(32) };
  // Whoever signed the parts can open them; a newer key of the patient's takes the record over by its chain.
  const creation = encodeCreation({ owner, tagSalt: record.tagSalt });
  await append(client, record, [statement('create', CREATE, creation)]);
  return record;
}

/** A document to be sealed: its type, its annexes, and its text once these are described. */
export interface Draft {
  readonly type: string;
  readonly annexes: readonly { readonly mediaType: string; readonly bytes: Uint8Array }[];
  /** Of a document about another one: whether it takes its place or adds a note to it, and the other's `bodyHash`. */
  readonly about?: { readonly kind: 'amend' | 'annotate'; readonly document: Uint8Array };
  toJson(descriptors: readonly string[]): string;
}

/** For whom a doctor seals: the owner's compartments, the groups by name, the custodian of break-glass. */
export interface Audience {
  readonly policy: Policy;
  readonly owner: Compartments;
  readonly groups: People['groups'];
  readonly custodian: Credential;
}

/** Seals a document and its annexes as an entry. */
export async function sealDraft(client: BankClient, audience: Audience, draft: Draft): Promise<Writing> {
  const { policy, owner, groups, custodian } = audience;
  const { about } = draft;
  const names = { recordId: owner.recordId, docId: systemRandom(16) };
  const annexes: SealedAnnex[] = [];
  for (const { mediaType, bytes } of draft.annexes) {
    const { ciphertext, annex } = sealAnnex(new Blob([bytes.slice()]).stream(), { ...names, mediaType });
    const stored = new Uint8Array(await new Response(ciphertext).arrayBuffer());
    annexes.push({ annex: await annex, ciphertext: stored });
  }
  const readers = (name: string): Reader | null => {
    const group = groups.get(name);
    if (group !== undefined) return groupReader(group);
    // A speciality that nobody here practises has no group; the emergency team and the insurer must not go missing unseen.
    if (!name.startsWith('speciality:')) throw new MunimentError('VIEW_POLICY');
    return null;
  };
  const sealed = await seal(draft.toJson(annexes.map(({ annex }) => encodeAnnex(annex))), {
    policy,
    owner,
    readers,
    breakGlass: { names: ['emergency'], custodians: [partyReader(custodian)], threshold: 1 },
    author: client.user,
    time: CLOCK.now(),
    type: draft.type,
    docId: names.docId,
    ...(about !== undefined && { supersedes: about.document }),
  });
  const payload = encodeSealed(sealed);
  return {
    kind: about?.kind ?? 'insert',
    payloadType: SEALED_DOCUMENT,
    payload,
    digest: sealedDigest(payload),
    annexes,
  };
}

function* batches(writings: readonly Writing[]): Generator<Writing[]> {
  let batch: Writing[] = [];
  let bytes = 0;
  for (const writing of writings) {
    if (
      batch.length === BATCH_ENTRIES ||
      (batch.length > 0 && bytes + writing.payload.length > BATCH_BYTES)
    ) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(writing);
    bytes += writing.payload.length;
  }
  if (batch.length > 0) yield batch;
}

function unreachable(): never {
  throw new RangeError('not found');
}
