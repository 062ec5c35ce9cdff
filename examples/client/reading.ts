/** Reading: the chain verified first, then every document opened for this reader, each for itself. */

import { MunimentError, type ErrorCode } from 'muniment';
import { sha256 } from 'muniment/crypto';
import type { Credential } from 'muniment/keys';
import { readStatement, type Authority, type VerifiedEntry, type VerifiedItem } from 'muniment/record';
import {
  decodeSealed,
  open,
  openGrant,
  SEALED_DOCUMENT,
  verifyGrant,
  type Grant,
  type GrantedKeys,
  type OpenedShare,
  type OpeningReader,
  type Reader,
  type View,
} from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { fetchAnnex } from './annexes.ts';
import type { BankClient } from './bank.ts';
import { CLOCK } from './connection.ts';
import { readChain, type Shown } from './content.ts';
import { rootReader } from './own-root.ts';
import { groupNames, lookUp, ownReaders } from './people.ts';

/** An opened document, and where it stands. */
export interface OpenedDocument {
  readonly entry: VerifiedEntry;
  readonly view: View;
}

/** A document that is for this reader and does not open: its author or its keeper damaged it. The others still open. */
export interface BrokenDocument {
  readonly entry: VerifiedEntry;
  readonly code: ErrorCode;
}

/** A grant, and where it stands. */
export interface GivenGrant {
  readonly entry: VerifiedEntry;
  readonly grant: Grant;
}

/** A record as one reader sees it, everything in it verified. */
export interface RecordView {
  readonly recordId: Uint8Array;
  readonly owner: Credential;
  readonly authority: Authority;
  readonly tagSalt: Uint8Array;
  /** The whole chain; what is not for this reader is hidden, but counted and linked. */
  readonly chain: readonly VerifiedItem[];
  readonly documents: readonly OpenedDocument[];
  readonly broken: readonly BrokenDocument[];
  /** Grants that are shown: to an owner all that it gave, to others theirs. */
  readonly grants: readonly GivenGrant[];
  /** As whom it was opened. */
  readonly readers: readonly Reader[];
  /** Fields opened, over all documents. */
  readonly fields: number;
}

/** How to read. */
export interface ReadOptions {
  readonly purpose: string;
  /** Only documents that lie, with something at least, in this part; of all parts if absent. */
  readonly part?: string;
  /** Only what the bank had taken by this time, in milliseconds since 1970; all if absent. Grants count as they stand now. */
  readonly asOf?: number;
  /** Of a break-glass: the halves for each document, by `bodyHash` in hexadecimal; `null` otherwise. */
  readonly releases: ReadonlyMap<string, readonly OpenedShare[]> | null;
  /** Called with each page's documents, and how to fetch its annexes: they can be for an hour. */
  readonly onPage?: (
    documents: readonly OpenedDocument[],
    fetchAnnex: (root: Uint8Array) => ReadableStream<Uint8Array>,
  ) => Promise<void>;
}

/**
 * Reads a record: verifies the whole chain first, then opens every document for this reader.
 *
 * @throws `MunimentError` `KEY_SUCCESSION` for one's own record under another key, or whose parts are still under
 *   another one: renewing or recovering was interrupted
 */
export async function readRecord(
  client: BankClient,
  recordId: Uint8Array,
  options: ReadOptions,
): Promise<RecordView> {
  const { readers, hasRoot } = await readersFor(client, recordId, options);
  const documents: OpenedDocument[] = [];
  const broken: BrokenDocument[] = [];
  const { owner, authority, tagSalt, chain, result } = await readChain(
    client,
    recordId,
    { purpose: options.purpose, part: options.part ?? null },
    async (read, pages) => {
      checkOwner(client, read.owner, hasRoot);
      // Grants may stand anywhere in the chain, and open what stands before them.
      const shown = pages.flatMap((page) => page.shown);
      const grants = await openGrants(client, recordId, shown);
      readers.push(...grants.readers);
      const { authors } = read;
      const size = options.asOf === undefined ? read.chain.length : read.takenBy(options.asOf);
      for (const { capability, shown: onPage } of pages) {
        const taken = onPage.filter(({ entry }) => entry.entry.seq < size);
        const opened = await openShown(taken, { readers, options, authors, classes: grants.classes });
        await options.onPage?.(opened.documents, (root) => fetchAnnex(client, capability, root));
        documents.push(...opened.documents);
        broken.push(...opened.broken);
      }
      return { size, grants: grants.given };
    },
  );
  return {
    recordId,
    owner,
    authority,
    tagSalt,
    chain: chain.slice(0, result?.size),
    documents,
    broken,
    grants: result?.grants ?? [],
    readers: readers.map(({ reader }) => reader),
    fields: documents.reduce((sum, { view }) => sum + view.fields.length, 0),
  };
}

// Whose own record it is under another key goes on under this one first: from who is no owner a bank may hide anything,
// the statement that made this key the owner's too. And an owner to whom the root is not sealed yet opens nothing: its
// record must not look empty.
function checkOwner(
  { user: { credential } }: BankClient,
  { id, subject }: Credential,
  hasRoot: boolean,
): void {
  if (subject === credential.subject && !(hasRoot && equalBytes(id, credential.id)))
    throw new MunimentError('KEY_SUCCESSION');
}

async function readersFor(
  client: BankClient,
  recordId: Uint8Array,
  options: ReadOptions,
): Promise<{ readonly readers: OpeningReader[]; readonly hasRoot: boolean }> {
  const { credential } = client.user;
  const { subject } = credential;
  const { histories, lists } = await lookUp(client, {
    subjects: [subject],
    groups: groupNames(credential),
  });
  // The root opens everything in a record of one's own; the bank hands an owner no other wrap, whatever groups it is in.
  const own = lists.get(subject) ?? [];
  const newest = own.at(-1);
  const opens = newest !== undefined && equalBytes(newest.owner, credential.id);
  if (opens && equalBytes(newest.recordId, recordId))
    return { readers: [await rootReader(client, own)], hasRoot: true };
  // The emergency team's keys are halves: without a release there is nothing to open with them.
  const usable = [...histories.values()].filter(
    ({ newest }) => newest.name !== 'emergency' || options.releases !== null,
  );
  return { readers: await ownReaders(client, usable), hasRoot: false };
}

/** What grants in a record open for its reader: compartments to open as, and keys of single documents' classes. */
interface Grants {
  readonly given: readonly GivenGrant[];
  readonly readers: readonly OpeningReader[];
  readonly classes: readonly GrantedKeys[];
}

async function openGrants(
  client: BankClient,
  recordId: Uint8Array,
  shown: readonly Shown[],
): Promise<Grants> {
  const readers: OpeningReader[] = [];
  const classes: GrantedKeys[] = [];
  const given: GivenGrant[] = [];
  for (const { entry, payload, attachments } of shown) {
    if (entry.entry.kind !== 'grant') continue;
    const statement = readStatement(entry.entry, payload, 'grant');
    // Whoever wrote it owned the record then, or acted for its owner: the chain was verified.
    const { author: grantor } = entry;
    const standing = verifyGrant(statement, grantor, null);
    given.push({ entry, grant: standing });
    const { grantee, wrapHash, from, until } = standing;
    const at = CLOCK.now();
    if (!equalBytes(grantee, client.user.credential.id) || at < from || at > until) continue;
    const wrap = attachments.find((bytes) => equalBytes(sha256(bytes), wrapHash));
    if (wrap === undefined) throw new MunimentError('VIEW_GRANT');
    const expected = { grantor, recordId, at, under: null };
    const opened = await openGrant(client.user, { statement, wrap }, expected);
    if (opened.kind === 'compartment') readers.push(opened.reader);
    if (opened.kind === 'classes') classes.push(opened);
  }
  return { given, readers, classes };
}

async function openShown(
  shown: readonly Shown[],
  how: {
    readonly readers: readonly OpeningReader[];
    readonly options: ReadOptions;
    readonly classes: readonly GrantedKeys[];
    readonly authors: (id: Uint8Array) => Credential | null;
  },
): Promise<{ documents: OpenedDocument[]; broken: BrokenDocument[] }> {
  const documents: OpenedDocument[] = [];
  const broken: BrokenDocument[] = [];
  for (const { entry, payload } of shown) {
    if (entry.entry.payloadType !== SEALED_DOCUMENT) continue;
    try {
      const view = await openDocument(entry, payload, how);
      if (view !== null) documents.push({ entry, view });
    } catch (error) {
      // One damaged document must not hide the rest of a patient's record; it is told apart, never passed over.
      if (!(error instanceof MunimentError)) throw error;
      broken.push({ entry, code: error.code });
    }
  }
  return { documents, broken };
}

async function openDocument(
  { entry, author }: VerifiedEntry,
  payload: Uint8Array,
  how: {
    readonly readers: readonly OpeningReader[];
    readonly options: ReadOptions;
    readonly classes: readonly GrantedKeys[];
    readonly authors: (id: Uint8Array) => Credential | null;
  },
): Promise<View | null> {
  const { recordId, payloadDigest, time } = entry;
  const released = how.options.releases?.get(toHex(payloadDigest));
  const view = await open(decodeSealed(payload), {
    recordId,
    authors: how.authors,
    as: how.readers,
    granted: how.classes
      .filter(({ bodyHash }) => equalBytes(bodyHash, payloadDigest))
      .flatMap(({ keys }) => keys),
    releases: released === undefined ? null : [released],
  });
  if (view !== null && !equalBytes(view.author.id, author.id)) throw new MunimentError('VIEW_AUTHOR');
  if (view !== null && view.time > time) throw new MunimentError('VIEW_MANIFEST');
  return view;
}
