/** What a reader is handed of a record: the entries that are its own, sealed bodies cut to its part, the rest opaque. */

import type { Credential } from 'muniment/keys';
import { decodeSignedEntry, innerHash, readStatement, type SignedEntry } from 'muniment/record';
import { decodeSealed, encodeSealed, selectFor, verifyGrant, type GrantScope } from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import type { RequestOf } from './api.ts';
import { evidenceOf } from './archive.ts';
import type { KeptRecord } from './records.ts';
import { SEALED } from './rights.ts';
import type { Directory } from './directory.ts';
import type { Ledger } from './ledger.ts';
import { plain, splitHashes, type Store, type StoredEntry } from './store.ts';

/** Bodies in one reply, in bytes; at least one entry is always sent. */
const PAGE_LIMIT = 8 * 1024 * 1024;
const ENTRIES_LIMIT = 500;

/** Who reads what. */
interface Reading {
  readonly request: RequestOf<'read'>;
  readonly record: KeptRecord;
  readonly user: Credential;
  /** Entries past this log size are left out, and proofs are under it. */
  readonly size: number;
  readonly now: number;
}

interface Page {
  readonly items: object[];
  readonly next: number | null;
  readonly documents: Uint8Array[];
  readonly annexes: Uint8Array[];
}

type Row = StoredEntry & { readonly seq: number };

/** One page of a chain for one reader. */
export function readItems(store: Store, directory: Directory, ledger: Ledger, reading: Reading): Page {
  const { request, record, user, size } = reading;
  const { chain, from } = request;
  const owner = equalBytes(record.owner.id, user.id);
  const grants = owner ? new Map<number, GrantScope>() : grantsTo(store, record, { user, now: reading.now });
  const nodes = [...grants.values()].flatMap((scope) =>
    scope.kind === 'compartment' ? directory.compartmentsOf(record.owner, scope.name, scope.epoch) : [],
  );
  const readerIds = owner ? directory.compartmentsOf(user, '') : [...directory.readersOf(user), ...nodes];
  const page: Page & { next: number | null } = { items: [], next: null, documents: [], annexes: [] };
  const add = (bytes: Uint8Array): number => page.documents.push(bytes) - 1;
  let total = 0;
  for (const row of rows(store, record.id, chain, from)) {
    if (row.leaf >= size) break;
    if (page.items.length > 0 && (total > PAGE_LIMIT || page.items.length >= ENTRIES_LIMIT)) {
      page.next = row.seq;
      break;
    }
    const signed = decodeSignedEntry(plain(row.entry));
    const payload = payloadOf(store, record.id, chain, row.seq);
    const mine =
      owner ||
      signed.entry.kind === 'create' ||
      equalBytes(signed.entry.author, user.id) ||
      grants.has(row.seq);
    const lines = [...grants.values()].flatMap((scope) => linesIn(signed, scope));
    const part = partFor(signed, payload, { readerIds, owner, mine, lines });
    const place = { receipt: add(plain(row.receipt)), proof: ledger.inclusion(row.leaf, size) };
    if (part === null) {
      const { seq, prev } = signed.entry;
      page.items.push({ ...EMPTY_ITEM, opaque: { seq, prev, inner: innerHash(signed) }, ...place });
      continue;
    }
    total += part.length;
    const annexes = splitHashes(row.annexes);
    page.annexes.push(...annexes);
    const evidence = chain === 'access' ? evidenceOf(store, row.session) : null;
    page.items.push({
      entry: add(plain(row.entry)),
      opaque: null,
      payload: payload === null ? null : add(part),
      attachments: attachmentsOf(store, row).map(add),
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

// A sealed document is cut to the reader's part; one with nothing for it, and statements that are others' business, stay opaque.
function partFor(
  signed: SignedEntry,
  payload: Uint8Array | null,
  reader: {
    readonly readerIds: readonly Uint8Array[];
    readonly owner: boolean;
    readonly mine: boolean;
    readonly lines: readonly number[];
  },
): Uint8Array | null {
  const { readerIds, owner, mine, lines } = reader;
  if (payload === null) return mine ? new Uint8Array(0) : null; // erased
  if (signed.entry.payloadType !== SEALED) return mine ? payload : null;
  const part = selectFor(decodeSealed(payload), readerIds, owner, lines);
  return part.wraps.length === 0 && part.classes.length === 0 ? null : encodeSealed(part);
}

// The classes of this document that a grant names.
function linesIn({ entry }: SignedEntry, scope: GrantScope): readonly number[] {
  return scope.kind === 'classes' && equalBytes(scope.bodyHash, entry.payloadDigest) ? scope.lines : [];
}

// Positions and scopes of the grants that name this user and stand now.
function grantsTo(
  store: Store,
  record: KeptRecord,
  { user, now }: { readonly user: Credential; readonly now: number },
): Map<number, GrantScope> {
  const grants = new Map<number, GrantScope>();
  for (const row of rows(store, record.id, 'content', 0)) {
    const { entry } = decodeSignedEntry(plain(row.entry));
    const payload = entry.kind === 'grant' ? payloadOf(store, record.id, 'content', row.seq) : null;
    if (payload === null) continue;
    const grant = verifyGrant(readStatement(entry, payload, 'grant'), record.owner, null);
    const stands = now >= grant.from && now <= grant.until;
    if (stands && equalBytes(grant.grantee, user.id)) grants.set(row.seq, grant.scope);
  }
  return grants;
}

function payloadOf(store: Store, record: Uint8Array, chain: string, seq: number): Uint8Array | null {
  const row = store.get<{ bytes: Uint8Array }>(
    'SELECT bytes FROM payloads WHERE record = ? AND chain = ? AND seq = ?',
    record,
    chain,
    seq,
  );
  return row === undefined ? null : plain(row.bytes);
}

function rows(store: Store, record: Uint8Array, chain: string, from: number): Row[] {
  return store.all<Row>(
    'SELECT * FROM entries WHERE record = ? AND chain = ? AND seq >= ? ORDER BY seq',
    record,
    chain,
    from,
  );
}

function attachmentsOf(store: Store, row: Row): Uint8Array[] {
  return splitHashes(row.attachments).flatMap((digest) => {
    const found = store.get<{ bytes: Uint8Array }>('SELECT bytes FROM attachments WHERE digest = ?', digest);
    return found === undefined ? [] : [plain(found.bytes)];
  });
}
