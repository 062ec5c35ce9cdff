/**
 * A client that works while the bank is broken under it. What it asked and got no answer to, it asks again under the
 * same id, until it has one; every receipt it keeps, and holds against what the bank shows later.
 */

import { MunimentError } from 'muniment';
import { systemRandom } from 'muniment/crypto';
import type { Credential } from 'muniment/keys';
import {
  byRole,
  decodeSignedEntry,
  encodeSignedEntry,
  hashEntry,
  headAfter,
  signEntry,
  withoutRevocations,
  type ChainName,
  type Head,
  type SignedEntry,
} from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import { Refused, type BankClient, type Newest } from '../../examples/client/bank.ts';
import { Connection, ConnectionError, type Endpoint } from '../../examples/client/connection.ts';
import { followChain, followTaken, remembered } from '../../examples/client/following.ts';
import { byId } from '../../examples/client/people.ts';
import { parseReply, writeText, type BankRequest, type ReplyOf } from '../../examples/server/api.ts';
import type { Author } from './bank.ts';
import { pause } from './postgres.ts';
import type { Random } from './random.ts';

/** A receipt, and what it is for. */
export interface Held {
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  readonly signed: SignedEntry;
  readonly receipt: Uint8Array;
}

/** Where the bank is just now. */
export interface Whereabouts {
  /** Resolves to a port once a server is thought to listen. */
  port(): Promise<number>;
}

/** For how long the bank may refuse service while it is thought to be there, before that is a failure: it bounds hangs. */
const PATIENCE = 1_800_000;
/** Most entries of one request. */
const BATCH = 3;
const KEPT_QUESTIONS = 50;

interface Asked {
  readonly text: string;
  readonly documents: readonly Uint8Array[];
  /** What the bank gave for it. */
  readonly receipts: string;
}

interface Answer<Type extends BankRequest['type']> {
  readonly reply: ReplyOf<Type>;
  readonly documents: readonly Uint8Array[];
  readonly digests: { readonly data: Uint8Array; readonly signature: Uint8Array };
}

/** One client. */
export class Writer {
  readonly #client: BankClient;
  readonly #author: Author;
  readonly #random: Random;
  readonly #where: Whereabouts;
  readonly #by;
  /** Every receipt, in the order in which it got them. */
  readonly held: Held[] = [];
  /** How many of them it has held against the bank's chain and log. */
  #honoured = 0;
  readonly #asked: Asked[] = [];
  /** What it did. */
  readonly counts = { operations: 0, entries: 0, unanswered: 0, again: 0, honoured: 0 };
  /** How the bank's troubles showed, by code or class, and how often. */
  readonly troubles = new Map<string, number>();

  constructor(
    author: Author,
    parts: {
      readonly credentials: readonly Credential[];
      readonly random: Random;
      readonly where: Whereabouts;
    },
  ) {
    [this.#client, this.#author, this.#random, this.#where] = [
      author.client,
      author,
      parts.random,
      parts.where,
    ];
    const authors = withoutRevocations(byId(parts.credentials));
    this.#by = { rule: byRole(() => true), authors, tagSalt: author.record.tagSalt };
  }

  /** Does one thing, whatever becomes of the bank meanwhile. */
  async step(): Promise<void> {
    const next = this.#random.weighted({ append: 6, read: 2, head: 1, again: 1 });
    if (next === 'append') await this.#append(1 + this.#random.below(BATCH));
    else if (next === 'read') await this.#catchUp();
    else if (next === 'head') await this.#head();
    else await this.#again();
    this.counts.operations++;
  }

  /** Holds every receipt that came since the last time against what the bank shows now. */
  async honour(): Promise<void> {
    const upTo = this.held.length;
    const since = this.held.slice(this.#honoured).filter(({ chain }) => chain === 'content');
    const [first] = since;
    if (first !== undefined) {
      const { seq, prev } = first.signed.entry;
      const shown = await this.#readFrom({ size: seq, hash: prev });
      for (const { signed, receipt } of since) {
        const there = shown[signed.entry.seq - seq];
        if (
          there === undefined ||
          !equalBytes(there.receipt, receipt) ||
          !equalBytes(there.hash, hashEntry(signed))
        )
          throw new Error(`a receipt is not honoured: position ${String(signed.entry.seq)}`);
        this.counts.honoured++;
      }
    }
    this.#honoured = upTo;
  }

  get #recordId(): Uint8Array {
    return this.#author.record.recordId;
  }

  get #content(): { readonly recordId: Uint8Array; readonly chain: 'content' } {
    return { recordId: this.#recordId, chain: 'content' };
  }

  // Entries that are written together, and stand together or not at all.
  async #append(count: number): Promise<void> {
    const { payload } = this.#author.document;
    for (;;) {
      const from = remembered(this.#client, this.#content).head;
      const signed = await this.#sign(count, from);
      const entries = signed.map((one) => ({ entry: encodeSignedEntry(one), attachments: [], annexes: [] }));
      const documents = signed.map(() => payload);
      const asked = this.#client.memory.newest;
      try {
        const answer = await this.#insist('append', { recordId: this.#recordId, entries }, documents);
        await this.#take(answer, signed, { asked, from });
        return;
      } catch (error) {
        // Somebody was faster, or the bank was away for longer than an entry may be old: then it never came in.
        if (!(error instanceof Refused) || !['RECORD_STALE', 'CLOCK'].includes(error.code)) throw error;
        await this.#catchUp();
      }
    }
  }

  async #sign(count: number, from: Head): Promise<SignedEntry[]> {
    const { digest: payloadDigest, payloadType, kind } = this.#author.document;
    const { trust, user, seen } = this.#client;
    const signed: SignedEntry[] = [];
    let head = from;
    for (let i = 0; i < count; i++) {
      const said = {
        origin: trust.origin,
        ...this.#content,
        kind,
        time: Date.now(),
        payloadType,
        payloadDigest,
        seen,
      };
      const one = await signEntry(user, head, said);
      signed.push(one);
      head = headAfter(one);
    }
    return signed;
  }

  async #take(
    { reply, digests }: Answer<'append'>,
    signed: readonly SignedEntry[],
    { asked, from }: { readonly asked: Newest | null; readonly from: Head },
  ): Promise<void> {
    const { checkpoint, consistency, head, receipts } = reply;
    if (receipts.length !== signed.length) throw new MunimentError('RECORD_RECEIPT');
    const items = signed.map((item, i) => ({ item, ...(receipts[i] ?? missing()) }));
    for (const { item, receipt } of items) this.#client.checkSignedReceipt(receipt, item, digests);
    await followTaken(
      this.#client,
      this.#content,
      { asked, checkpoint, consistency, items, head, from },
      this.#by,
    );
    for (const { item, receipt } of items) this.held.push({ ...this.#content, signed: item, receipt });
    this.counts.entries += signed.length;
  }

  // Reads what others wrote since; that this was read becomes an entry with a receipt too.
  async #catchUp(): Promise<void> {
    await this.#readFrom(remembered(this.#client, this.#content).head);
  }

  async #readFrom(from: Head): Promise<{ receipt: Uint8Array; hash: Uint8Array }[]> {
    const asked = this.#client.memory.newest;
    const question = { ...this.#content, from: from.size, purpose: 'of a test', size: null };
    const { reply, documents, digests } = await this.#insist('read', question, []);
    const at = (position: number | null): Uint8Array => documents[position ?? -1] ?? missing();
    const items = reply.items.map(({ opaque, entry, receipt, proof }) => ({
      item: opaque ?? decodeSignedEntry(at(entry)),
      receipt: at(receipt),
      proof,
    }));
    const { checkpoint, consistency, head, access, next } = reply;
    if (access === null || next !== null) throw new MunimentError('RECORD_RECEIPT');
    const { items: verified } = await followChain(
      this.#client,
      this.#content,
      { asked, checkpoint, consistency, items, head, from },
      this.#by,
    );
    const signed = decodeSignedEntry(access.entry);
    const tree = this.#client.readCheckpoint(checkpoint);
    this.#client.checkReceipt(access, signed, { tagSalt: this.#by.tagSalt, tree, request: digests });
    this.held.push({ recordId: this.#recordId, chain: 'access', signed, receipt: access.receipt });
    return verified.map(({ hash }, i) => ({ receipt: items[i]?.receipt ?? missing(), hash }));
  }

  async #head(): Promise<void> {
    const asked = this.#client.memory.newest;
    const { reply } = await this.#insist('head', { recordId: this.#recordId }, []);
    const { checkpoint, consistency, content } = reply;
    const newest = this.#client.readCheckpoint(checkpoint);
    // Whether there is more than this client knows, it reads; where there is not, all words must fit.
    const { head } = remembered(this.#client, this.#content);
    if (newest.size === asked?.size)
      await followChain(
        this.#client,
        this.#content,
        { asked, checkpoint, consistency, items: [], head: content, from: head },
        this.#by,
      );
    else await this.#catchUp();
  }

  // What was answered once is answered the same for ever.
  async #again(): Promise<void> {
    if (this.#asked.length === 0) return;
    const { text, documents, receipts } = this.#random.of(this.#asked);
    const { reply } = await this.#send('append', text, documents);
    if (receiptsIn(reply) !== receipts) throw new Error('what was asked again was answered otherwise');
    this.counts.again++;
  }

  async #insist<Type extends BankRequest['type']>(
    type: Type,
    question: object,
    documents: readonly Uint8Array[],
  ): Promise<Answer<Type>> {
    const seenSize = this.#client.memory.newest?.size ?? 0;
    const text = writeText({ id: systemRandom(16), type, ...question, seenSize });
    const answer = await this.#send(type, text, documents);
    if (type === 'append') {
      const receipts = receiptsIn(answer.reply as ReplyOf<'append'>); // by type
      this.#asked.push({ text, documents, receipts });
      if (this.#asked.length > KEPT_QUESTIONS) this.#asked.shift();
    }
    return answer;
  }

  async #send<Type extends BankRequest['type']>(
    type: Type,
    text: string,
    documents: readonly Uint8Array[],
  ): Promise<Answer<Type>> {
    const { user, trust, endpoint } = this.#client;
    const parties = { user, gateway: trust.bank };
    const since = performance.now();
    for (;;) {
      const port = await this.#where.port();
      try {
        const {
          reply,
          documents: received,
          request,
        } = await converse({ ...endpoint, port }, parties, text, documents);
        const parsed = parseReply(type, reply.data);
        if ('refused' in parsed) throw new Refused(parsed.refused, parsed.head);
        return { reply: parsed, documents: received, digests: request };
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble === null || performance.now() - since > PATIENCE) throw error;
        this.troubles.set(trouble, (this.troubles.get(trouble) ?? 0) + 1);
        this.counts.unanswered++;
        await pause(20);
      }
    }
  }
}

/** The client was told that the bank cannot serve now; `null` if it was told something else. */
function troubleOf(error: unknown): string | null {
  if (error instanceof ConnectionError) return 'ConnectionError';
  return error instanceof MunimentError && error.code === 'SESSION_MESSAGE' ? error.code : null;
}

async function converse(
  endpoint: Endpoint,
  parties: Parameters<Connection['converse']>[0],
  text: string,
  documents: readonly Uint8Array[],
): ReturnType<Connection['converse']> {
  const connection = await Connection.open(endpoint);
  try {
    return await connection.converse(parties, text, documents);
  } finally {
    await connection.close();
  }
}

function receiptsIn({ receipts }: ReplyOf<'append'>): string {
  return receipts.map(({ receipt }) => toHex(receipt)).join();
}

function missing(): never {
  throw new MunimentError('RECORD_RECEIPT');
}
