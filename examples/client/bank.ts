/**
 * The bank as its users see it: each call is one conversation, whose author is verified. What an answer says of chains
 * and log is believed only when it was followed (`following.ts`).
 */

import { MunimentError } from 'muniment';
import { systemRandom } from 'muniment/crypto';
import type { VerifiedEnvelope } from 'muniment/envelope';
import type { Identity, Seen } from 'muniment/keys';
import {
  verifyCheckpoint,
  verifyInclusion,
  verifyReceipt,
  type Head,
  type Receipt,
  type SignedEntry,
  type TreeHead,
  hashEntry,
} from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import { parseReply, writeText, type BankRequest, type ReplyOf } from '../server/api.ts';
import { Connection, type Endpoint } from './connection.ts';
import type { Remembered } from './following.ts';
import type { Trust } from './trust.ts';

/** A checkpoint that was verified, and its text. */
export interface Newest extends TreeHead {
  readonly checkpoint: string;
}

/** What a client must not forget. */
export interface Memory {
  /** The newest checkpoint that it ever verified. */
  newest: Newest | null;
  /** What is known of each record's content, by its id in hexadecimal, and of its accesses, with `:access` behind it. */
  readonly chains: Map<string, Remembered>;
  /** The newest epoch of each group, by `group` and its name, and the newest list of each record, by `compartments` and the Id in hexadecimal that signed its first one. */
  readonly seen: Map<string, Seen>;
  /** Called with every receipt that was verified. */
  readonly keepReceipt?: (receipt: Uint8Array) => void;
  /** Called with every fraud file. */
  readonly keepProof?: (proof: string) => void;
}

/** The bank's signed no. */
export class Refused extends Error {
  override readonly name = 'Refused';
  /** A stable code, the library's or the bank's own. */
  readonly code: string;
  /** For `RECORD_STALE` the head to sign over instead. */
  readonly head: Head | null;

  constructor(code: string, head: Head | null) {
    super(`the bank refuses: ${code}`);
    this.code = code;
    this.head = head;
  }
}

/** A verified reply and the documents beside it. */
export interface Answer<Type extends BankRequest['type']> {
  readonly reply: ReplyOf<Type>;
  readonly documents: readonly Uint8Array[];
  /** The digests of the request that was sent, by which receipts and accesses name it. */
  readonly request: VerifiedEnvelope['digests'];
  /** The newest checkpoint known when it was asked: the answer's must extend it. */
  readonly asked: Newest | null;
}

/** A request without what every request has. */
export type Question<Type extends BankRequest['type']> = Omit<
  Extract<BankRequest, { type: Type }>,
  'id' | 'seenSize'
> & {
  /** 16 random bytes; to be kept by who asks again after a lost reply, so that it happens once. */
  readonly id?: Uint8Array;
};

/** Requests whose answers say nothing of the log. */
const UNCOUNTED: readonly BankRequest['type'][] = ['lookup', 'revocations', 'find', 'upload'];

/** One user's view of one bank. */
export class BankClient {
  readonly user: Identity;
  readonly trust: Trust;
  readonly endpoint: Endpoint;
  readonly memory: Memory;

  constructor(
    user: Identity,
    trust: Trust,
    endpoint: Endpoint,
    memory: Memory = { newest: null, chains: new Map(), seen: new Map() },
  ) {
    this.user = user;
    this.trust = trust;
    this.endpoint = endpoint;
    this.memory = memory;
  }

  /** Asks one thing on a connection of its own. */
  async ask<Type extends BankRequest['type']>(
    question: Question<Type>,
    documents: readonly Uint8Array[] = [],
  ): Promise<Answer<Type>> {
    const connection = await this.connect();
    try {
      return await this.askOn(connection, question, documents);
    } finally {
      await connection.close();
    }
  }

  /** Opens a connection, for one conversation or for annexes. */
  connect(): Promise<Connection> {
    return Connection.open(this.endpoint);
  }

  /** What an entry may name as the newest checkpoint seen. */
  get seen(): TreeHead | null {
    return this.memory.newest;
  }

  /** Verifies a receipt and its place in the log, under a checkpoint that was verified. */
  checkReceipt(
    receipted: { readonly receipt: Uint8Array; readonly proof: readonly Uint8Array[] },
    signed: SignedEntry,
    context: {
      readonly tagSalt: Uint8Array;
      readonly tree: TreeHead;
      readonly request: VerifiedEnvelope['digests'] | null;
    },
  ): void {
    const { leafIndex: index, time } = this.checkSignedReceipt(receipted.receipt, signed, context.request);
    const { recordId, chain, seq } = signed.entry;
    const leaf = { recordId, tagSalt: context.tagSalt, chain, seq, time, entryHash: hashEntry(signed) };
    verifyInclusion(leaf, { index, proof: receipted.proof }, context.tree);
  }

  /** Verifies what a receipt says, for who cannot know its place in the log yet: that takes the record's salt. */
  checkSignedReceipt(
    signedReceipt: Uint8Array,
    signed: SignedEntry,
    request: VerifiedEnvelope['digests'] | null,
  ): Receipt {
    const about = { origin: this.trust.origin, entryHash: hashEntry(signed) };
    const receipt = verifyReceipt(signedReceipt, this.trust.bank, about);
    // The data holds the request's id. Asked again after a lost reply it is the same, under another signature.
    const mine = request === null || equalBytes(receipt.request.data, request.data);
    if (!mine || receipt.seq !== signed.entry.seq) throw new MunimentError('RECORD_RECEIPT');
    return receipt;
  }

  /** Asks one thing on an open connection: its one conversation. */
  async askOn<Type extends BankRequest['type']>(
    connection: Connection,
    question: Question<Type>,
    documents: readonly Uint8Array[] = [],
  ): Promise<Answer<Type>> {
    const asked = this.memory.newest;
    const { type } = question as { type: Type };
    const counted = UNCOUNTED.includes(type) ? {} : { seenSize: asked?.size ?? 0 };
    const request = { id: systemRandom(16), ...question, ...counted };
    const parties = { user: this.user, gateway: this.trust.bank };
    const {
      reply,
      documents: received,
      request: digests,
    } = await connection.converse(parties, writeText(request), documents);
    const parsed = parseReply(type, reply.data);
    if ('refused' in parsed) throw new Refused(parsed.refused, parsed.head);
    return { reply: parsed, documents: received, request: digests, asked };
  }

  /** Verifies a checkpoint of the bank's. */
  readCheckpoint(checkpoint: string): TreeHead {
    return verifyCheckpoint(checkpoint, this.trust);
  }
}
