/** Reading: the chain verified first, then each document opened, and the access that this very reading became. */

import { MunimentError } from 'muniment';
import { sha256 } from 'muniment/crypto';
import { nodeKey, openRoot, type Compartments, type Credential } from 'muniment/keys';
import {
  decodeSignedEntry,
  EMPTY_CHAIN,
  readStatement,
  verifyChain,
  verifyEntry,
  verifyPayload,
  type ChainItem,
  type VerifiedEntry,
  type VerifiedItem,
} from 'muniment/record';
import {
  compartmentReader,
  decodeSealed,
  open,
  openGrant,
  sealedDigest,
  verifyGrant,
  type ClassKey,
  type OpeningReader,
  type Reader,
  type View,
} from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { mayWriteRecord } from '../server/rights.ts';
import type { Answer, BankClient } from './bank.ts';
import { CLOCK, type Connection } from './connection.ts';
import { byId, groupNames, lookUp, ownReaders } from './people.ts';
import { SEALED } from './writing.ts';

/** Digest functions of the payload types beside statements. */
export const DIGESTS = { [SEALED]: sealedDigest };

/** An opened document, and where it stands. */
export interface OpenedDocument {
  readonly entry: VerifiedEntry;
  readonly view: View;
}

/** A record as one reader sees it, everything in it verified. */
export interface RecordView {
  readonly recordId: Uint8Array;
  readonly owner: Credential;
  readonly tagSalt: Uint8Array;
  /** The whole chain; what is not for this reader is hidden, but counted and linked. */
  readonly chain: readonly VerifiedItem[];
  readonly documents: readonly OpenedDocument[];
  /** As whom it was opened. */
  readonly readers: readonly Reader[];
  /** Fields opened, over all documents. */
  readonly fields: number;
}

/** How to read. */
export interface ReadOptions {
  readonly purpose: string;
  /** Of a break-glass: the halves for each document, by `bodyHash` in hexadecimal; `null` otherwise. */
  readonly releases: ReadonlyMap<string, readonly ClassKey[]> | null;
  /** Called with each page's documents while its annexes can still be fetched. */
  readonly onPage?: (
    documents: readonly OpenedDocument[],
    fetchAnnex: (root: Uint8Array) => Promise<ReadableStream<Uint8Array>>,
  ) => Promise<void>;
}

type Page = Answer<'read'>;

/** An entry that was verified and is shown to this reader, with its payload. */
interface Shown {
  readonly entry: VerifiedEntry;
  readonly payload: Uint8Array;
  readonly attachments: readonly Uint8Array[];
}

/** A page, its connection still open, and what it showed. */
interface TakenPage {
  readonly connection: Connection;
  readonly shown: readonly Shown[];
}

/** What grows while pages come in. */
interface Progress {
  readonly chain: VerifiedItem[];
  readonly credentials: Map<string, Credential>;
  owner: Credential | null;
  tagSalt: Uint8Array;
}

/** Reads a record: verifies the whole chain first, then opens every document for this reader. */
export async function readRecord(
  client: BankClient,
  recordId: Uint8Array,
  options: ReadOptions,
): Promise<RecordView> {
  const readers = await readersFor(client, recordId, options);
  const progress: Progress = { chain: [], credentials: new Map(), owner: null, tagSalt: EMPTY_CHAIN.hash };
  const pages: TakenPage[] = [];
  try {
    for (let from: number | null = 0; from !== null;) {
      const connection = await client.connect();
      const taken = { connection, shown: [] as Shown[] };
      pages.push(taken);
      const { purpose } = options;
      const question = {
        type: 'read',
        recordId,
        chain: 'content',
        from,
        purpose,
        proofs: false,
        size: null,
      } as const;
      const page: Page = await client.askOn<'read'>(connection, question);
      taken.shown.push(...(await takePage(client, recordId, page, progress)));
      from = page.reply.next;
    }
    const { chain, owner, tagSalt } = progress;
    if (owner === null) throw new MunimentError('RECORD_LINK');
    rememberHead(client, recordId, chain);
    // Grants may stand anywhere in the chain, and open what stands before them.
    const shown = pages.flatMap((page) => page.shown);
    readers.push(...(await grantedReaders(client, recordId, owner, shown)));
    const documents: OpenedDocument[] = [];
    for (const { connection, shown: onPage } of pages) {
      const opened = await openShown(onPage, {
        readers,
        options,
        authors: byId(progress.credentials.values()),
      });
      await options.onPage?.(opened, (root) => connection.getAnnex(root));
      documents.push(...opened);
    }
    const fields = documents.reduce((sum, { view }) => sum + view.fields.length, 0);
    return {
      recordId,
      owner,
      tagSalt,
      chain,
      documents,
      readers: readers.map(({ reader }) => reader),
      fields,
    };
  } finally {
    for (const { connection } of pages) await connection.close();
  }
}

async function readersFor(
  client: BankClient,
  recordId: Uint8Array,
  options: ReadOptions,
): Promise<OpeningReader[]> {
  const { credential } = client.user;
  const { subject } = credential;
  const { groups, compartments } = await lookUp(client, {
    subjects: [subject],
    groups: groupNames(credential),
  });
  // The emergency team's keys are halves: without a release there is nothing to open with them.
  const usable = [...groups.values()].filter(({ name }) => name !== 'emergency' || options.releases !== null);
  const readers = await ownReaders(client, usable);
  const own = compartments.get(subject);
  if (own !== undefined && equalBytes(own.recordId, recordId)) readers.push(await rootReader(client, own));
  return readers;
}

/** An owner's root as a reader: the root itself comes back from the compartments' own statement. */
export async function rootReader(client: BankClient, compartments: Compartments): Promise<OpeningReader> {
  const root = compartments.list[0];
  if (root === undefined) throw new MunimentError('KEY_CREDENTIAL');
  const key = nodeKey(await openRoot(client.user, compartments), root.kem);
  return { reader: compartmentReader(root), key };
}

/** An owner's own compartments. */
export async function ownCompartments(client: BankClient): Promise<Compartments> {
  const { subject } = client.user.credential;
  const compartments = (await lookUp(client, { subjects: [subject] })).compartments.get(subject);
  if (compartments === undefined) throw new MunimentError('KEY_CREDENTIAL');
  return compartments;
}

async function takePage(
  client: BankClient,
  recordId: Uint8Array,
  page: Page,
  progress: Progress,
): Promise<Shown[]> {
  const owner = await findAuthors(client, page, progress.credentials);
  progress.owner ??= owner;
  progress.tagSalt = page.reply.tagSalt;
  checkAccess(client, recordId, page, owner);
  const rules = {
    origin: client.trust.origin,
    recordId,
    chain: 'content',
    authors: byId(progress.credentials.values()),
    mayWrite: mayWriteRecord(owner.id),
  } as const;
  const from = { size: progress.chain.length, hash: progress.chain.at(-1)?.hash ?? EMPTY_CHAIN.hash };
  const items = verifyChain(
    page.reply.items.map((item) => chainItem(item, page)),
    rules,
    from,
  );
  const shown: Shown[] = [];
  for (const item of page.reply.items) {
    const next = await items.next();
    if (next.done === true) throw new MunimentError('RECORD_LINK');
    const entry = next.value;
    progress.chain.push(entry);
    if ('hidden' in entry || item.payload === null) continue;
    const payload = verifyPayload(entry.entry, documentAt(page, item.payload), DIGESTS);
    shown.push({ entry, payload, attachments: item.attachments.map((at) => documentAt(page, at)) });
  }
  return shown;
}

async function grantedReaders(
  client: BankClient,
  recordId: Uint8Array,
  owner: Credential,
  shown: readonly Shown[],
): Promise<OpeningReader[]> {
  const readers: OpeningReader[] = [];
  for (const { entry, payload, attachments } of shown) {
    if (entry.entry.kind !== 'grant') continue;
    const statement = readStatement(entry.entry, payload, 'grant');
    const { grantee, wrapHash, until } = verifyGrant(statement, owner);
    const at = CLOCK.now();
    if (!equalBytes(grantee, client.user.credential.id) || at > until) continue;
    const wrap = attachments.find((bytes) => equalBytes(sha256(bytes), wrapHash));
    if (wrap === undefined) throw new MunimentError('VIEW_GRANT');
    readers.push(await openGrant(client.user, { statement, wrap }, { grantor: owner, recordId, at }));
  }
  return readers;
}

async function openShown(
  shown: readonly Shown[],
  how: {
    readonly readers: readonly OpeningReader[];
    readonly options: ReadOptions;
    readonly authors: (id: Uint8Array) => Credential | null;
  },
): Promise<OpenedDocument[]> {
  const { readers, options, authors } = how;
  const opened: OpenedDocument[] = [];
  for (const { entry, payload } of shown) {
    const { recordId, payloadType, payloadDigest } = entry.entry;
    if (payloadType !== SEALED) continue;
    const release = options.releases?.get(toHex(payloadDigest)) ?? null;
    const view = await open(decodeSealed(payload), { recordId, authors, as: readers, release });
    if (view === null) continue;
    if (!equalBytes(view.author.id, entry.author.id)) throw new MunimentError('VIEW_AUTHOR');
    opened.push({ entry, view });
  }
  return opened;
}

// Authors are named in entries that are not verified yet; their credentials are verified here, under the anchor.
async function findAuthors(
  client: BankClient,
  page: Page,
  known: Map<string, Credential>,
): Promise<Credential> {
  const { anchor, bank } = client.trust;
  for (const own of [anchor, bank, client.user.credential]) known.set(toHex(own.id), own);
  const entries = page.reply.items.map((item) => chainItem(item, page));
  const ids = [page.reply.owner, ...entries.flatMap((item) => ('entry' in item ? [item.entry.author] : []))];
  const unknown = new Map(ids.filter((id) => !known.has(toHex(id))).map((id) => [toHex(id), id]));
  if (unknown.size > 0) {
    const { credentials } = await lookUp(client, { ids: [...unknown.values()] });
    for (const credential of credentials) known.set(toHex(credential.id), credential);
  }
  const owner = known.get(toHex(page.reply.owner));
  if (owner === undefined) throw new MunimentError('KEY_CREDENTIAL');
  return owner;
}

// The access entry and its receipt arrive with the data: what was read is logged, or it was not answered.
function checkAccess(client: BankClient, recordId: Uint8Array, page: Page, owner: Credential): void {
  const { access, checkpoint, tagSalt } = page.reply;
  if (access === null) throw new MunimentError('RECORD_RECEIPT');
  const signed = decodeSignedEntry(access.entry);
  const { seq, prev } = signed.entry;
  const { origin, bank } = client.trust;
  const rules = {
    origin,
    recordId,
    chain: 'access',
    authors: byId([bank]),
    mayWrite: mayWriteRecord(owner.id),
  } as const;
  verifyEntry(signed, rules, { size: seq, hash: prev });
  client.checkReceipt(access, signed, {
    tagSalt,
    tree: client.readCheckpoint(checkpoint),
    request: page.request,
  });
}

function chainItem(item: Page['reply']['items'][number], page: Page): ChainItem {
  if (item.opaque !== null) return item.opaque;
  if (item.entry === null) throw new MunimentError('RECORD_ENTRY');
  return decodeSignedEntry(documentAt(page, item.entry));
}

function documentAt(page: Page, position: number): Uint8Array {
  const bytes = page.documents[position];
  if (bytes === undefined) throw new MunimentError('RECORD_ENTRY');
  return bytes;
}

// No head older than one already seen, and no other history before it.
function rememberHead(client: BankClient, recordId: Uint8Array, chain: readonly VerifiedItem[]): void {
  const key = toHex(recordId);
  const seen = client.memory.heads.get(key) ?? EMPTY_CHAIN;
  const there = seen.size === 0 ? EMPTY_CHAIN.hash : chain[seen.size - 1]?.hash;
  if (there === undefined || !equalBytes(there, seen.hash)) throw new MunimentError('RECORD_CONSISTENCY');
  client.memory.heads.set(key, { size: chain.length, hash: chain.at(-1)?.hash ?? EMPTY_CHAIN.hash });
}
