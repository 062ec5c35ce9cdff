/** Writing: entries signed over the newest head, sent in batches, receipts verified. */

import { systemRandom, sha256 } from 'muniment/crypto';
import {
  compartmentNode,
  publishCompartments,
  publishGroup,
  publishNextEpoch,
  renounceCredential,
  revokeCredential,
  rotate,
  type Compartments,
  type Credential,
  type GroupChange,
  type GroupEpoch,
  type NodeSecret,
  type RevocationTerms,
} from 'muniment/keys';
import {
  CREATE,
  directoryId,
  EMPTY_CHAIN,
  encodeCreation,
  encodeSignedEntry,
  encodeStatement,
  headAfter,
  signEntry,
  STATEMENT,
  statementDigest,
  type EntryKind,
  type Head,
  type SignedEntry,
} from 'muniment/record';
import {
  annexName,
  encodeAnnex,
  encodeSealed,
  grant,
  groupReader,
  partyReader,
  seal,
  sealAnnex,
  sealedDigest,
  type Annex,
  type Policy,
  type Reader,
} from 'muniment/views';
import { MunimentError } from 'muniment';
import { SEALED } from '../server/rights.ts';
import { Refused, type BankClient } from './bank.ts';
import { CLOCK } from './connection.ts';
import { rememberHead } from './heads.ts';
import { headAfterStale, headToSign } from './newest.ts';
import { lookUp, person, type People } from './people.ts';

/** An entry before it is signed: what it does, and what goes with it. */
export interface Writing {
  readonly kind: EntryKind;
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly digest: Uint8Array;
  readonly attachments?: readonly Uint8Array[];
  readonly annexes?: readonly StoredAnnex[];
}

/** An annex ready to be uploaded. */
export interface StoredAnnex {
  readonly annex: Annex;
  readonly ciphertext: Uint8Array;
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
    rememberHead(client, recordId, 'content', head);
  }
  return done;
}

async function appendBatch(
  client: BankClient,
  record: RecordName,
  writings: readonly Writing[],
  from: Head,
): Promise<SignedEntry[]> {
  let head = from;
  for (let attempt = 1; ; attempt++) {
    const signed = await signAll(client, record, writings, head);
    try {
      await send(client, record, writings, signed);
      return signed;
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'RECORD_STALE' || attempt === ATTEMPTS) throw error;
      head = await headAfterStale(client, record.recordId, signed);
    }
  }
}

async function signAll(
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
  const uploads = writings.flatMap(({ annexes = [] }) => annexes);
  const question = { type: 'append', recordId: record.recordId, entries } as const;
  const { reply, request } = await client.ask<'append'>(question, documents, async (connection) => {
    for (const { annex, ciphertext } of uploads) await connection.putAnnex(annex.root, ciphertext);
  });
  if (reply.receipts.length !== signed.length) throw new MunimentError('RECORD_RECEIPT');
  const tree = client.readCheckpoint(reply.checkpoint);
  signed.forEach((one, i) => {
    client.checkReceipt(reply.receipts[i] ?? unreachable(), one, { tagSalt: record.tagSalt, tree, request });
  });
}

/** The administrator opens the bank's directory; once in a bank's life. */
export async function openDirectory(
  client: BankClient,
  tagSalt: Uint8Array = systemRandom(32),
): Promise<RecordName> {
  const record = { recordId: directoryId(client.trust.origin), tagSalt };
  const creation = encodeCreation({ owner: client.user.credential.id, tagSalt: record.tagSalt });
  await append(client, record, [statement('create', CREATE, creation)]);
  return record;
}

/** The administrator registers users; each registration is an entry of its own. */
export async function register(
  client: BankClient,
  directory: RecordName,
  users: readonly Credential[],
): Promise<void> {
  await append(
    client,
    directory,
    users.map((user) => statement('register', 'credential', user.encoded)),
  );
}

/** The administrator takes a user's credential back. */
export async function revoke(
  client: BankClient,
  directory: RecordName,
  user: Credential,
  terms: RevocationTerms,
): Promise<void> {
  const signed = await revokeCredential(client.user, user, terms);
  await append(client, directory, [statement('revoke', 'revocation', signed)]);
}

/** A user gives up the own credential: the last thing that its key does. */
export async function renounce(client: BankClient, directory: RecordName): Promise<void> {
  const signed = await renounceCredential(client.user);
  await append(client, directory, [statement('revoke', 'renunciation', signed)]);
}

/** A keeper founds a group. */
export async function publishGroupOf(
  client: BankClient,
  directory: RecordName,
  group: Parameters<typeof publishGroup>[1],
): Promise<void> {
  const signed = await publishGroup(client.user, group);
  await append(client, directory, [statement('key', 'group', signed)]);
}

/** A keeper publishes a group's next epoch. */
export async function publishNextEpochOf(
  client: BankClient,
  directory: RecordName,
  previous: GroupEpoch,
  change: GroupChange,
): Promise<void> {
  const signed = await publishNextEpoch(client.user, previous, change);
  await append(client, directory, [statement('key', 'group', signed)]);
}

/** An owner publishes the compartments of its record, and keeps the root. */
export async function publishCompartmentsOf(
  client: BankClient,
  directory: RecordName,
  owned: { readonly root: NodeSecret; readonly recordId: Uint8Array; readonly names: readonly string[] },
): Promise<void> {
  const signed = await publishCompartments(client.user, owned.root, owned);
  await append(client, directory, [statement('key', 'compartments', signed)]);
}

/**
 * An owner rotates compartments: what is written from now on does not open for whom they were granted to before. A
 * former reader keeps what it could read until now.
 */
export async function rotateCompartmentsOf(
  client: BankClient,
  directory: RecordName,
  owned: {
    readonly root: NodeSecret;
    readonly compartments: Compartments;
    readonly names: readonly string[];
  },
): Promise<void> {
  const { root, compartments, names } = owned;
  const signed = await rotate(client.user, root, compartments, { names, added: [] });
  await append(client, directory, [statement('key', 'compartments', signed)]);
}

/** A doctor opens a patient's record under the id that the patient published. */
export async function createRecord(client: BankClient, patient: string): Promise<RecordName> {
  const people = await lookUp(client, { subjects: [patient] });
  const compartments = people.compartments.get(patient) ?? unreachable();
  const record = { recordId: compartments.recordId, tagSalt: systemRandom(32) };
  const creation = encodeCreation({ owner: person(people, patient).id, tagSalt: record.tagSalt });
  await append(client, record, [statement('create', CREATE, creation)]);
  return record;
}

/** A document to be sealed: its type, its annexes, and its text once these are described. */
export interface Draft {
  readonly type: string;
  readonly annexes: readonly { readonly mediaType: string; readonly bytes: Uint8Array }[];
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
  const names = { recordId: owner.recordId, docId: systemRandom(16) };
  const annexes: StoredAnnex[] = [];
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
  });
  const payload = encodeSealed(sealed);
  return { kind: 'insert', payloadType: SEALED, payload, digest: sealedDigest(payload), annexes };
}

/** The owner grants a compartment. Returns how many bytes that wrote. */
export async function grantCompartment(
  client: BankClient,
  record: RecordName,
  granted: {
    readonly grantee: Credential;
    readonly compartments: Compartments;
    readonly root: NodeSecret;
    readonly scope: string;
    readonly purpose: string;
    readonly until: number;
  },
): Promise<number> {
  const { grantee, compartments, root, scope, purpose, until } = granted;
  const compartment = compartments.list.find(({ name }) => name === scope) ?? unreachable();
  const node = compartmentNode(root, scope, compartment.epoch);
  const terms = {
    recordId: record.recordId,
    purpose,
    from: CLOCK.now() - 60_000,
    until,
    mayPassOn: false,
  };
  const signed = await grant(client.user, grantee, {
    terms,
    granted: { kind: 'compartment', ...compartment, node },
  });
  const writing = { ...statement('grant', 'grant', signed.statement), attachments: [signed.wrap] };
  const [entry] = await append(client, record, [writing]);
  return encodeSignedEntry(entry ?? unreachable()).length + writing.payload.length + signed.wrap.length;
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
