/**
 * A record's content chain: every entry verified before anything in it is opened, owner and salt taken from the
 * record's own first entry, and the access that this very reading became checked.
 */

import { MunimentError } from 'muniment';
import { credentialAsOf, type Credential } from 'muniment/keys';
import { CLOCK_WINDOW } from 'muniment/protocol';
import {
  byRole,
  decodeSignedEntry,
  EMPTY_CHAIN,
  hashEntry,
  readCreation,
  readErasure,
  startOf,
  verifyEntry,
  verifyPayload,
  verifyReceipt,
  withoutRevocations,
  type Authority,
  type ChainRules,
  type Head,
  type VerifiedEntry,
  type VerifiedItem,
} from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import { namedIn } from '../server/named.ts';
import { DIGESTS, mayWriteRecord, ruleOfRecord } from '../server/rights.ts';
import type { BankClient } from './bank.ts';
import { CLOCK } from './connection.ts';
import { followChain, keepWord, type Answered } from './following.ts';
import { documentAt, fetchPages, joinPages, type HowToRead, type Page } from './pages.ts';
import { byId, lookUp, type People } from './people.ts';

/** An entry that was verified and is shown to this reader, with its payload. */
export interface Shown {
  readonly entry: VerifiedEntry;
  readonly payload: Uint8Array;
  readonly attachments: readonly Uint8Array[];
}

/** A page, and by what its annexes can be fetched, if there are any. */
export interface ShownPage {
  readonly capability: Uint8Array | null;
  readonly shown: readonly Shown[];
}

/** A record's content chain, verified from its start to the head that the bank states. */
export interface ReadChain {
  /** Whose record it is now. */
  readonly owner: Credential;
  /** What its statements have said: who owned it before, who acts for its owner, whether it is closed. */
  readonly authority: Authority;
  readonly tagSalt: Uint8Array;
  /** All of it; what is not for this reader is hidden, but counted and linked. */
  readonly chain: readonly VerifiedItem[];
  readonly head: Head;
  /** Its statements about keys. */
  readonly statements: readonly Shown[];
  /** Of everybody who wrote in it, or is named by its statements. */
  readonly credentials: readonly Credential[];
  readonly authors: (id: Uint8Array) => Credential | null;
  /** How many entries the bank had taken by a time, as its receipts say. */
  readonly takenBy: (time: number) => number;
  /** By which entry's word the payload at a position was destroyed. */
  readonly erased: ReadonlyMap<number, VerifiedEntry>;
}

/**
 * Reads and verifies a record's whole content chain.
 *
 * @param use - called once with all pages
 */
export async function readChain<Result = undefined>(
  client: BankClient,
  recordId: Uint8Array,
  how: Omit<HowToRead, 'size'>,
  use?: (read: ReadChain, pages: readonly ShownPage[]) => Promise<Result>,
): Promise<ReadChain & { readonly result: Result | undefined }> {
  const pages = await fetchPages(client, { recordId, chain: 'content' }, how);
  const { read, shown } = await takePages(client, recordId, pages, how.part ?? null);
  const withAnnexes = pages.map(({ reply: { capability } }, i) => ({ capability, shown: shown[i] ?? [] }));
  return { ...read, result: await use?.(read, withAnnexes) };
}

/** Verifies the pages of a record's content, of which one part was asked for or all, and gives what each shows. */
export async function takePages(
  client: BankClient,
  recordId: Uint8Array,
  pages: readonly Page[],
  part: string | null = null,
): Promise<{ read: ReadChain; shown: Shown[][] }> {
  const answered = joinPages(client, pages);
  const [first] = pages;
  if (first === undefined) throw new MunimentError('RECORD_LINK');
  const { tagSalt } = first.reply;
  const { credentials, authors, standing } = await findPeople(client, answered);
  // An author's clock and this one may each be that far from the bank's.
  const now = (): number => CLOCK.now() + CLOCK_WINDOW;
  const by = { rule: ruleOfRecord({ authors: standing, known: authors, now }), authors: standing, tagSalt };
  const of = { recordId, chain: 'content' } as const;
  const followed = await followChain(client, of, { ...answered, from: EMPTY_CHAIN }, by);
  const { items: chain, state: authority } = followed;
  const owner = authority.owner === null ? null : authors(authority.owner);
  if (owner === null) throw new MunimentError('RECORD_PAYLOAD');
  const entries = chain.values();
  const shown = pages.map((page) =>
    page.reply.items.flatMap((item): Shown[] => {
      const entry = entries.next().value;
      if (entry === undefined || 'hidden' in entry || item.payload === null) return [];
      const payload = verifyPayload(entry.entry, documentAt(page, item.payload), DIGESTS);
      return [{ entry, payload, attachments: item.attachments.map((at) => documentAt(page, at)) }];
    }),
  );
  const all = shown.flat();
  const erased = erasedBy(all, chain);
  // From the owner nothing is hidden but what it did not ask for, and nothing is missing that no tombstone names.
  const isOwner = equalBytes(owner.id, client.user.credential.id);
  if (part === null && isOwner && all.length + erased.size < chain.length)
    throw new MunimentError('RECORD_PAYLOAD');
  checkCreation(all[0], tagSalt);
  for (const page of pages) checkAccess(client, page, { recordId, tagSalt, isFirst: page === first });
  const last = chain.at(-1);
  const head = last === undefined ? EMPTY_CHAIN : { size: chain.length, hash: last.hash };
  const takenBy = (time: number): number => countTaken(client, { chain, answered }, time);
  const statements = all.filter(({ entry }) => entry.entry.kind === 'key');
  const people = { owner, authority, statements, credentials, authors };
  return { read: { ...people, tagSalt, chain, head, takenBy, erased }, shown };
}

// No leaf states an earlier time than one before it, so the first entry taken later is found by halving.
function countTaken(
  { trust }: BankClient,
  { chain, answered }: { readonly chain: readonly VerifiedItem[]; readonly answered: Answered },
  time: number,
): number {
  const { origin, bank } = trust;
  let [taken, later] = [0, chain.length];
  while (taken < later) {
    const middle = Math.floor((taken + later) / 2);
    const [item, shown] = [chain[middle], answered.items[middle]];
    if (item === undefined || shown === undefined) throw new MunimentError('RECORD_LINK');
    const receipt = verifyReceipt(shown.receipt, bank, { origin, entryHash: item.hash });
    if (receipt.time <= time) taken = middle + 1;
    else later = middle;
  }
  return taken;
}

// Tombstones name entries by position and hash; what they name and is shown all the same was not destroyed.
function erasedBy(all: readonly Shown[], chain: readonly VerifiedItem[]): Map<number, VerifiedEntry> {
  const there = new Set(all.map(({ entry }) => entry.entry.seq));
  const erased = new Map<number, VerifiedEntry>();
  for (const { entry, payload } of all) {
    if (entry.entry.kind !== 'erase') continue;
    const named = readErasure(entry.entry, payload);
    if (named.chain !== 'content') continue;
    for (const { seq, entryHash } of named.erased) {
      const item = chain[seq];
      const same = item !== undefined && equalBytes(item.hash, entryHash);
      if (same && !there.has(seq) && !erased.has(seq)) erased.set(seq, entry);
    }
  }
  return erased;
}

// Whose record it is and how its leaves are blinded is what the first entry says, which is shown to everybody, not
// what the bank says.
function checkCreation(first: Shown | undefined, tagSalt: Uint8Array): void {
  if (first?.entry.entry.seq !== 0) throw new MunimentError('RECORD_PAYLOAD');
  const creation = readCreation(first.entry.entry, first.payload);
  if (!equalBytes(creation.tagSalt, tagSalt)) throw new MunimentError('RECORD_CONSISTENCY');
}

interface FoundPeople {
  readonly credentials: readonly Credential[];
  readonly authors: (id: Uint8Array) => Credential | null;
  readonly standing: ChainRules<unknown>['authors'];
}

// Authors are named in entries that are not verified yet, and others by what these state; their credentials are verified
// here, under the anchor. How sure their keys were is judged by what the directory says, as of when the bank took each
// entry: whoever stole one can choose what the entry claims.
async function findPeople(client: BankClient, { items }: Answered): Promise<FoundPeople> {
  const { anchor, bank, origin } = client.trust;
  const known = [anchor, bank, client.user.credential];
  const find = byId(known);
  const shown = items.flatMap(({ item }) => ('entry' in item ? [item] : []));
  let people = await lookUpAll(
    client,
    find,
    shown.map(({ entry }) => entry.author),
  );
  let authors = byId([...known, ...(people?.credentials ?? [])]);
  const named = shown.flatMap(({ entry, payload }) => {
    const author = authors(entry.author);
    return author === null || !payload ? [] : namedIn(entry, payload, author);
  });
  if (named.some((id) => authors(id) === null)) {
    people = await lookUpAll(client, find, [...shown.map(({ entry }) => entry.author), ...named]);
    authors = byId([...known, ...(people?.credentials ?? [])]);
  }
  const found = people;
  const standing: ChainRules<unknown>['authors'] = (id, { seq }) => {
    const credential = authors(id);
    if (credential === null || found === null || find(id) !== null)
      return credential && { credential, standing: 'valid' };
    const { item, receipt } = items[seq] ?? {};
    if (item === undefined || receipt === undefined || !('entry' in item)) return null;
    const { time } = verifyReceipt(receipt, bank, { origin, entryHash: hashEntry(item) });
    const { notBefore, notAfter } = credential;
    if (time < notBefore || time > notAfter) return null;
    try {
      return credentialAsOf(found.history, id, time);
    } catch {
      // When the bank heard of a revocation a lookup does not say, and this clock is not the bank's: it is doubt, no more.
      return { credential, standing: 'doubtful' };
    }
  };
  return { credentials: [...known, ...(found?.credentials ?? [])], authors, standing };
}

async function lookUpAll(
  client: BankClient,
  find: (id: Uint8Array) => Credential | null,
  ids: readonly Uint8Array[],
): Promise<People | null> {
  const unknown = new Map(ids.filter((id) => find(id) === null).map((id) => [toHex(id), id]));
  return unknown.size === 0 ? null : lookUp(client, { ids: [...unknown.values()] });
}

// The access entry and its receipt arrive with the data: what was read is logged, or it was not answered.
function checkAccess(
  client: BankClient,
  { reply, request }: Page,
  of: {
    readonly recordId: Uint8Array;
    readonly tagSalt: Uint8Array;
    readonly isFirst: boolean;
  },
): void {
  const { recordId, tagSalt, isFirst } = of;
  if (reply.access === null) throw new MunimentError('RECORD_RECEIPT');
  const signed = decodeSignedEntry(reply.access.entry);
  const { seq, prev } = signed.entry;
  const { origin, bank } = client.trust;
  const rule = byRole(mayWriteRecord);
  const authors = withoutRevocations(byId([bank]));
  const rules = { origin, recordId, chain: 'access', authors, rule } as const;
  verifyEntry(signed, rules, { ...startOf(rule), head: { size: seq, hash: prev } });
  // The later pages are shown at the size of the first, which their own accesses came after.
  if (isFirst) {
    const tree = client.readCheckpoint(reply.checkpoint);
    client.checkReceipt(reply.access, signed, { tagSalt, tree, request });
  } else {
    client.checkSignedReceipt(reply.access.receipt, signed, request);
  }
  keepWord(client, { recordId, chain: 'access' }, reply.access.receipt);
}
