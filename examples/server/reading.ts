/** What a reader is handed of a record: the entries that are its own, sealed bodies cut to its part, the rest opaque. */

import type { Credential } from 'muniment/keys';
import {
  decodeSignedEntry,
  encodeSignedEntry,
  innerHash,
  readStatement,
  type EntryKind,
  type SignedEntry,
} from 'muniment/record';
import {
  decodeSealed,
  encodeSealed,
  SEALED_DOCUMENT,
  selectFor,
  verifyGrant,
  type GrantScope,
} from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { encodeAccess, writeText, type RequestOf } from './api.ts';
import { AFRESH, evidenceOf, settle } from './archive.ts';
import { sayTo, turnFor, type Answer, type Asking, type House } from './asking.ts';
import { issueCapability } from './capabilities.ts';
import { listsFor, readersFor } from './compartments.ts';
import type { Directory } from './directory.ts';
import { readGrantEnd } from './grant-end.ts';
import { partsOf, rootsOf, type Lists } from './parts.ts';
import type { AskedRecord, KeptRecord } from './records.ts';
import { BankRefusal, malformed } from './refusal.ts';
import type { Scope } from './rights.ts';
import type { Said } from './said.ts';
import { plain, splitHashes } from './store/bytes.ts';
import { attachmentsOf, entriesOf, payloadOf } from './store/entries.ts';
import type { Database } from './store/tables.ts';
import type { Turn } from './turn.ts';

/** Whose record it is, who acts in it, whether it is closed and what was erased, everybody is shown who may ask for it. */
const PUBLIC: readonly EntryKind[] = ['create', 'key', 'close', 'erase'];
/** Bodies in one reply, in bytes; at least one entry is always sent. */
const PAGE_LIMIT = 8 * 1024 * 1024;
const ENTRIES_LIMIT = 500;

/** Reads a page of a chain. That it was read stands in the chain of accesses before the answer leaves. */
export async function read(house: House, request: RequestOf<'read'>, asking: Asking): Promise<Answer> {
  const { user, cause } = asking;
  const { chain, seenSize, size: wanted } = request;
  const access = await turnFor(house, asking, async (turn) => {
    const asked = await mayRead(house, turn.change, request, user);
    if (chain === 'access' && request.part !== null) malformed();
    if (Math.max(seenSize, wanted ?? 0) > turn.size) throw new BankRefusal('RECORD_CONSISTENCY');
    const taken = chain === 'content' ? await takeAccess(turn, asked, request, asking) : null;
    await settle(turn.change, cause, AFRESH);
    return taken;
  });
  const judge = (database: Database): Promise<AskedRecord> => mayRead(house, database, request, user);
  const { said, asked: record } = await sayTo(house, asking, { size: wanted ?? undefined, judge });
  const { items, next, documents, annexes } = await readItems(house, { request, record, user, said });
  const text = writeText({
    ...(await said.checkpoint(Math.min(seenSize, said.size))),
    ...{ items, next, tagSalt: record.tagSalt },
    // A page that is shown at an older size has no proof of its own access, which came after.
    access: access && {
      ...access.receipted,
      proof: access.leaf < said.size ? said.inclusion(access.leaf) : [],
    },
    head: await said.head(record.id, chain),
    capability: await capabilityFor(house, user, annexes),
  });
  return { text, documents };
}

async function mayRead(
  { records }: House,
  database: Database,
  { recordId, chain }: RequestOf<'read'>,
  user: Credential,
): Promise<AskedRecord> {
  const asked = await records.asked(database, recordId, user);
  if (chain === 'access' && asked.scope !== 'whole') throw new BankRefusal('FORBIDDEN');
  return asked;
}

async function takeAccess(
  turn: Turn,
  record: KeptRecord,
  { purpose, from }: RequestOf<'read'>,
  { user, cause, at }: Asking,
): Promise<{ readonly leaf: number; readonly receipted: object }> {
  const access = { reader: user.id, action: 'read', purpose, request: cause.digests, from } as const;
  const content = encodeAccess({ ...access, emergency: new Uint8Array(0) });
  const accepted = await turn.own(record.id, { kind: 'access', content, time: at });
  const [taken] = await turn.take([accepted], record.tagSalt, cause);
  const { leaf, receipt } = taken ?? malformed();
  return { leaf, receipted: { entry: encodeSignedEntry(accepted.signed), receipt } };
}

async function capabilityFor(
  { beside, now }: House,
  holder: Credential,
  names: readonly Uint8Array[],
): Promise<Uint8Array | null> {
  if (names.length === 0) return null;
  return beside.run((change) => issueCapability(change, { holder, deed: 'fetch', names, now: now() }));
}

/** Who reads what. */
interface Reading {
  readonly request: RequestOf<'read'>;
  readonly record: AskedRecord;
  readonly user: Credential;
  /** Entries past its size are left out, and proofs are under it. */
  readonly said: Said;
}

interface Page {
  readonly items: object[];
  readonly next: number | null;
  readonly documents: Uint8Array[];
  readonly annexes: Uint8Array[];
}

async function readItems(house: House, reading: Reading): Promise<Page> {
  const { request, record, said } = reading;
  const { chain, from } = request;
  const { size } = said;
  const { reading: database } = house;
  const reader = await readerOf(house, reading);
  const page: Page & { next: number | null } = { items: [], next: null, documents: [], annexes: [] };
  const add = (bytes: Uint8Array): number => page.documents.push(bytes) - 1;
  let total = 0;
  for (const row of await entriesOf(database, {
    record: record.id,
    chain,
    from,
    size,
    limit: ENTRIES_LIMIT + 1,
  })) {
    if (page.items.length > 0 && (total > PAGE_LIMIT || page.items.length >= ENTRIES_LIMIT)) {
      page.next = row.seq;
      break;
    }
    const signed = decodeSignedEntry(plain(row.entry));
    const payload = await payloadOf(database, row);
    const part = partFor(reader, { signed, payload, seq: row.seq });
    const place = { receipt: add(plain(row.receipt)), proof: said.inclusion(row.leaf) };
    if (part === null) {
      const { seq, prev } = signed.entry;
      page.items.push({ ...EMPTY_ITEM, opaque: { seq, prev, inner: innerHash(signed) }, ...place });
      continue;
    }
    total += part.length;
    // What lay beside an erased payload is gone, or another entry's.
    const annexes = payload === null ? [] : splitHashes(row.annexes);
    const attachments = payload === null ? [] : await attachmentsOf(database, row);
    page.annexes.push(...annexes);
    const evidence = chain === 'access' ? await evidenceOf(database, row.session) : null;
    page.items.push({
      entry: add(plain(row.entry)),
      opaque: null,
      payload: payload === null ? null : add(part),
      attachments: attachments.map(add),
      annexes,
      evidence: evidence === null ? null : add(evidence),
      ...place,
    });
  }
  return page;
}

const EMPTY_ITEM = {
  entry: null,
  opaque: null,
  payload: null,
  attachments: [],
  annexes: [],
  evidence: null,
};

/** As whom somebody is handed what. */
interface Reader {
  readonly scope: Scope;
  /** Ids under which it has written. */
  readonly own: readonly Uint8Array[];
  readonly readerIds: readonly Uint8Array[];
  /** What was granted to it, by the grants' positions. */
  readonly grants: ReadonlyMap<number, GrantScope>;
  /** Of which part documents are wanted; `null` for all. */
  readonly part: string | null;
  readonly lists: Lists;
}

async function readerOf({ directory, now, reading: database }: House, reading: Reading): Promise<Reader> {
  const { request, record, user } = reading;
  const { scope, id } = record;
  const { part } = request;
  const lists = part === null && scope !== 'whole' ? [] : await listsFor(directory, database, id);
  const nobody = { scope, part, lists, own: [], readerIds: [], grants: new Map<number, GrantScope>() };
  if (scope === 'evidence') return nobody;
  if (scope === 'whole') return { ...nobody, readerIds: rootsOf(lists) };
  const grants = await grantsTo(database, directory, record, { user, now: now() });
  const readerIds = await directory.readersOf(database, user);
  for (const granted of grants.values()) {
    if (granted.kind !== 'compartment') continue;
    readerIds.push(...(await readersFor(directory, database, id, granted)));
  }
  const own = (await directory.credentialsOf(database, user.subject)).map(({ id }) => id);
  return { ...nobody, own, readerIds, grants };
}

// A sealed document is cut to the reader's part; one with nothing for it or of another part than is asked for, and
// statements that are others' business, stay opaque.
function partFor(
  { scope, own, readerIds, grants, part, lists }: Reader,
  entry: { readonly signed: SignedEntry; readonly payload: Uint8Array | null; readonly seq: number },
): Uint8Array | null {
  const { signed, payload, seq } = entry;
  const { kind, author, payloadType } = signed.entry;
  const owner = scope === 'whole';
  const mine = owner || PUBLIC.includes(kind) || grants.has(seq) || own.some((id) => equalBytes(id, author));
  if (payload === null) return mine ? new Uint8Array(0) : null; // erased
  if (payloadType !== SEALED_DOCUMENT) return mine ? payload : null;
  if (scope === 'evidence') return null;
  const sealed = decodeSealed(payload);
  if (part !== null && !partsOf(lists, sealed).has(part)) return null;
  const lines = [...grants.values()].flatMap((granted) => linesIn(signed, granted));
  const selected = selectFor(sealed, readerIds, owner, lines);
  return selected.wraps.length === 0 && selected.classes.length === 0 ? null : encodeSealed(selected);
}

// The classes of this document that a grant names.
function linesIn({ entry }: SignedEntry, scope: GrantScope): readonly number[] {
  return scope.kind === 'classes' && equalBytes(scope.bodyHash, entry.payloadDigest) ? scope.lines : [];
}

// Positions and scopes of the grants that name this user and stand now.
async function grantsTo(
  database: Database,
  directory: Directory,
  record: KeptRecord,
  { user, now }: { readonly user: Credential; readonly now: number },
): Promise<Map<number, GrantScope>> {
  const grants = new Map<string, { readonly seq: number; readonly scope: GrantScope }>();
  for (const row of await entriesOf(database, { record: record.id, chain: 'content', from: 0 })) {
    const { entry } = decodeSignedEntry(plain(row.entry));
    if (entry.kind !== 'grant' && entry.kind !== 'revoke') continue;
    const payload = await payloadOf(database, row);
    if (entry.kind === 'revoke') {
      // Which grant an erased end was about nobody can tell any more: every one before it ends, so that none comes back.
      if (payload === null) grants.clear();
      else grants.delete(toHex(readGrantEnd(entry, payload)));
      continue;
    }
    if (payload === null) continue;
    const grantor = await directory.find(database, entry.author);
    if (grantor === null) continue;
    const grant = verifyGrant(readStatement(entry, payload, 'grant'), grantor, null);
    const stands = now >= grant.from && now <= grant.until;
    if (stands && equalBytes(grant.grantee, user.id))
      grants.set(toHex(row.hash), { seq: row.seq, scope: grant.scope });
  }
  return new Map(Array.from(grants.values(), ({ seq, scope }) => [seq, scope]));
}
