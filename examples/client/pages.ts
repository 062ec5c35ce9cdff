/**
 * A record's content as the bank hands it out, page by page: every entry verified before anything in it is opened,
 * owner and salt taken from the record's own first entry, and the access that this very reading became checked.
 */

import { MunimentError } from 'muniment';
import type { Credential } from 'muniment/keys';
import {
  byRole,
  decodeSignedEntry,
  EMPTY_CHAIN,
  readCreation,
  startOf,
  verifyChain,
  verifyEntry,
  verifyPayload,
  withoutRevocations,
  type ChainItem,
  type Head,
  type VerifiedEntry,
  type VerifiedItem,
} from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import { DIGESTS, mayWriteRecord } from '../server/rights.ts';
import type { Answer, BankClient } from './bank.ts';
import type { Connection } from './connection.ts';
import { checkHead } from './heads.ts';
import { byId, lookUp } from './people.ts';

type Answered = Answer<'read'>;

/** An entry that was verified and is shown to this reader, with its payload. */
export interface Shown {
  readonly entry: VerifiedEntry;
  readonly payload: Uint8Array;
  readonly attachments: readonly Uint8Array[];
}

/** A page, and the connection on which its annexes can be fetched. */
export interface Page {
  readonly connection: Connection;
  readonly shown: readonly Shown[];
}

/** A record's content chain, verified from its start to the head that the bank states. */
export interface ReadChain {
  readonly owner: Credential;
  readonly tagSalt: Uint8Array;
  /** All of it; what is not for this reader is hidden, but counted and linked. */
  readonly chain: readonly VerifiedItem[];
  readonly authors: (id: Uint8Array) => Credential | null;
}

/** What grows while pages come in. */
interface Progress {
  readonly recordId: Uint8Array;
  readonly chain: VerifiedItem[];
  readonly credentials: Map<string, Credential>;
  creation: { readonly owner: Credential; readonly tagSalt: Uint8Array } | null;
}

/**
 * Reads and verifies a record's whole content chain.
 *
 * @param use - called once with all pages, their connections still open
 */
export async function readChain<Result = undefined>(
  client: BankClient,
  recordId: Uint8Array,
  purpose: string,
  use?: (read: ReadChain, pages: readonly Page[]) => Promise<Result>,
): Promise<ReadChain & { readonly result: Result | undefined }> {
  const progress: Progress = { recordId, chain: [], credentials: new Map(), creation: null };
  const pages: Page[] = [];
  const connections: Connection[] = [];
  try {
    let stated: Head = EMPTY_CHAIN;
    for (let from: number | null = 0; from !== null;) {
      const connection = await client.connect();
      connections.push(connection);
      const question = {
        type: 'read',
        recordId,
        chain: 'content',
        from,
        purpose,
        proofs: false,
        size: null,
      } as const;
      const answer: Answered = await client.askOn<'read'>(connection, question);
      pages.push({ connection, shown: await takePage(client, answer, progress) });
      stated = answer.reply.head;
      from = answer.reply.next;
    }
    const { chain, creation, credentials } = progress;
    if (creation === null) throw new MunimentError('RECORD_LINK');
    checkHead(client, recordId, 'content', { hashes: chain.map(({ hash }) => hash), stated });
    const read: ReadChain = { ...creation, chain, authors: byId(credentials.values()) };
    return { ...read, result: await use?.(read, pages) };
  } finally {
    for (const connection of connections) await connection.close();
  }
}

async function takePage(client: BankClient, answer: Answered, progress: Progress): Promise<Shown[]> {
  const { reply } = answer;
  const { recordId, chain } = progress;
  const owner = await findAuthors(client, answer, progress.credentials);
  const rule = byRole(mayWriteRecord(owner.id));
  const rules = {
    origin: client.trust.origin,
    recordId,
    chain: 'content',
    authors: withoutRevocations(byId(progress.credentials.values())),
    rule,
  } as const;
  const head = { size: chain.length, hash: chain.at(-1)?.hash ?? EMPTY_CHAIN.hash };
  const items = verifyChain(
    reply.items.map((item) => chainItem(item, answer)),
    rules,
    { ...startOf(rule), head },
  );
  const mine = equalBytes(owner.id, client.user.credential.id);
  const shown: Shown[] = [];
  for (const item of reply.items) {
    const next = await items.next();
    if (next.done === true) throw new MunimentError('RECORD_LINK');
    const entry = next.value;
    chain.push(entry);
    if ('hidden' in entry || item.payload === null) {
      // From the owner nothing is hidden, and the first entry is shown to everybody.
      if (mine || entry.hash === chain[0]?.hash) throw new MunimentError('RECORD_PAYLOAD');
      continue;
    }
    const payload = verifyPayload(entry.entry, documentAt(answer, item.payload), DIGESTS);
    if (chain.length === 1) progress.creation = checkCreation(entry, payload, { owner, answer });
    shown.push({ entry, payload, attachments: item.attachments.map((at) => documentAt(answer, at)) });
  }
  checkSame(progress, answer);
  checkAccess(client, answer, progress);
  return shown;
}

// Whose record it is and how its leaves are blinded is what the first entry says, not what the bank says.
function checkCreation(
  { entry }: VerifiedEntry,
  payload: Uint8Array,
  { owner, answer }: { readonly owner: Credential; readonly answer: Answered },
): { owner: Credential; tagSalt: Uint8Array } {
  const creation = readCreation(entry, payload);
  if (!equalBytes(creation.owner, owner.id)) throw new MunimentError('RECORD_CONSISTENCY');
  if (!equalBytes(creation.tagSalt, answer.reply.tagSalt)) throw new MunimentError('RECORD_CONSISTENCY');
  return { owner, tagSalt: creation.tagSalt };
}

function checkSame({ creation }: Progress, { reply }: Answered): void {
  const same =
    creation !== null &&
    equalBytes(creation.owner.id, reply.owner) &&
    equalBytes(creation.tagSalt, reply.tagSalt);
  if (!same) throw new MunimentError('RECORD_CONSISTENCY');
}

// Authors are named in entries that are not verified yet; their credentials are verified here, under the anchor.
async function findAuthors(
  client: BankClient,
  answer: Answered,
  known: Map<string, Credential>,
): Promise<Credential> {
  const { anchor, bank } = client.trust;
  for (const own of [anchor, bank, client.user.credential]) known.set(toHex(own.id), own);
  const entries = answer.reply.items.map((item) => chainItem(item, answer));
  const ids = [
    answer.reply.owner,
    ...entries.flatMap((item) => ('entry' in item ? [item.entry.author] : [])),
  ];
  const unknown = new Map(ids.filter((id) => !known.has(toHex(id))).map((id) => [toHex(id), id]));
  if (unknown.size > 0) {
    const { credentials } = await lookUp(client, { ids: [...unknown.values()] });
    for (const credential of credentials) known.set(toHex(credential.id), credential);
  }
  const owner = known.get(toHex(answer.reply.owner));
  if (owner === undefined) throw new MunimentError('KEY_CREDENTIAL');
  return owner;
}

// The access entry and its receipt arrive with the data: what was read is logged, or it was not answered.
function checkAccess(client: BankClient, { reply, request }: Answered, progress: Progress): void {
  const { recordId, creation } = progress;
  if (reply.access === null || creation === null) throw new MunimentError('RECORD_RECEIPT');
  const signed = decodeSignedEntry(reply.access.entry);
  const { seq, prev } = signed.entry;
  const { origin, bank } = client.trust;
  const rule = byRole(mayWriteRecord(creation.owner.id));
  const rules = {
    origin,
    recordId,
    chain: 'access',
    authors: withoutRevocations(byId([bank])),
    rule,
  } as const;
  verifyEntry(signed, rules, { ...startOf(rule), head: { size: seq, hash: prev } });
  const { tagSalt } = creation;
  client.checkReceipt(reply.access, signed, {
    tagSalt,
    tree: client.readCheckpoint(reply.checkpoint),
    request,
  });
}

function chainItem(item: Answered['reply']['items'][number], answer: Answered): ChainItem {
  if (item.opaque !== null) return item.opaque;
  if (item.entry === null) throw new MunimentError('RECORD_ENTRY');
  return decodeSignedEntry(documentAt(answer, item.entry));
}

function documentAt(answer: Answered, position: number): Uint8Array {
  const bytes = answer.documents[position];
  if (bytes === undefined) throw new MunimentError('RECORD_ENTRY');
  return bytes;
}
