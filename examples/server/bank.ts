/** The bank's use cases: what it does with a request whose author is known and whose evidence is stored. */

import { MunimentError } from 'muniment';
import { verifyEvidence } from 'muniment/envelope';
import type { Credential, Identity } from 'muniment/keys';
import { decodeSignedEntry, type LogSigner } from 'muniment/record';
import { encodeReleases } from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import type { AnnexStore } from './annexes.ts';
import { encodeAccess, parseRequest, writeText, type BankRequest, type RequestOf } from './api.ts';
import { judgeBatch } from './appending.ts';
import { archive, replyOf, settle, unfinished, type Incoming } from './archive.ts';
import { breakGlass } from './breaking.ts';
import { Directory } from './directory.ts';
import { Ledger, type Cause } from './ledger.ts';
import { lookUp, tellRevocations } from './lookup.ts';
import { readItems } from './reading.ts';
import { Records, type KeptRecord } from './records.ts';
import { BankRefusal, malformed } from './refusal.ts';
import { plain, type Store } from './store.ts';
import type { WitnessAt } from './witnessing.ts';

/** What a bank is made of. */
export interface BankParts {
  readonly identity: Identity;
  readonly anchor: Credential;
  /** What signs the log's checkpoints: keys of its own. */
  readonly log: LogSigner;
  /** Who is asked to cosign each checkpoint. */
  readonly witnesses: readonly WitnessAt[];
  readonly store: Store;
  readonly annexes: AnnexStore;
  readonly now: () => number;
  /** For how long an emergency lasts, in milliseconds. */
  readonly releaseTime: number;
  /** Told of every error that ends a request, for the log. */
  readonly report: (error: unknown) => void;
}

/** A reply before it is signed. */
export interface Answer {
  readonly text: string;
  readonly documents: readonly Uint8Array[];
  /** Annexes that the asker may now fetch on this connection. */
  readonly annexes: readonly Uint8Array[];
}

/** The asker, and what ties what follows to its request. */
interface Asking {
  readonly user: Credential;
  readonly cause: Cause;
}

/** One bank. Requests that write are executed one after another. */
export class Bank {
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly #parts: BankParts;
  readonly #records: Records;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: BankParts) {
    this.#parts = parts;
    this.directory = new Directory(parts.store, parts.anchor, parts.identity.credential);
    this.ledger = new Ledger({ ...parts, judge: this.directory.checkStanding });
    this.#records = new Records(parts.store, this.directory, parts.log.origin, parts.now);
  }

  get #all(): BankParts & { directory: Directory; ledger: Ledger; records: Records } {
    return { ...this.#parts, directory: this.directory, ledger: this.ledger, records: this.#records };
  }

  /** Completes what was archived but not executed when the server last stopped. Returns how many requests that were. */
  async recover(): Promise<number> {
    const requests = unfinished(this.#parts.store);
    for (const { stored, documents } of requests) {
      const author = this.directory.find(plain(stored.author));
      if (author === null) continue;
      const to = this.#parts.identity.credential.id;
      // Its time was held against the clock before it was archived.
      const time = { notBefore: 0, notAfter: Infinity };
      const expected = { type: 'request', author, to, answers: null, time } as const;
      const evidence = verifyEvidence(plain(stored.evidence), expected);
      const cause = { request: stored.number, session: plain(stored.session), digests: evidence.digests };
      await this.#execute(parseRequest(evidence.data), { user: author, cause }, documents);
    }
    return requests.length;
  }

  /**
   * Serves one verified request: archives it, then executes it. What is wrong with it becomes a signed refusal.
   */
  async serve(incoming: Incoming): Promise<Answer> {
    if (incoming.request.type === 'append') {
      for (const { entry } of incoming.request.entries) this.#records.checkTime(decodeSignedEntry(entry));
    }
    const number = archive(this.#parts.store, incoming);
    const cause = { request: number, session: incoming.sessionId, digests: incoming.envelope.digests };
    return this.#execute(incoming.request, { user: incoming.envelope.author, cause }, incoming.documents);
  }

  async #execute(request: BankRequest, asking: Asking, documents: readonly Uint8Array[]): Promise<Answer> {
    // One at a time: heads, log and receipts must agree.
    const turn = this.#queue.then(async () => {
      const { store } = this.#parts;
      const settled = request.type === 'append' ? replyOf(store, asking.cause.request) : null;
      if (settled !== null) return this.#cosigned(settled);
      try {
        // A revocation may have stood before it in the queue, and order decides.
        this.directory.checkStanding(asking.user, this.#parts.now());
        return await this.#dispatch(request, asking, documents);
      } catch (error) {
        // Whatever it was, nothing of the request has happened: each execution is one transaction.
        this.#parts.report(error);
        const answer = refuse(error);
        settle(store, asking.cause.request, answer.text);
        return answer;
      }
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #dispatch(request: BankRequest, asking: Asking, documents: readonly Uint8Array[]): Promise<Answer> {
    switch (request.type) {
      case 'append':
        return this.#append(request, asking, documents);
      case 'read':
        return this.#read(request, asking);
      case 'lookup':
        return this.#tell(lookUp(this.directory, request), asking);
      case 'revocations':
        return this.#tell(tellRevocations(this.#all, request), asking);
      case 'head':
        return this.#head(request, asking);
      case 'break-glass':
        return this.#breakGlass(request, asking, documents);
    }
  }

  async #append(
    request: RequestOf<'append'>,
    { user, cause }: Asking,
    documents: readonly Uint8Array[],
  ): Promise<Answer> {
    const { store, identity } = this.#parts;
    const custodian = { credential: identity.credential, key: identity.sealing };
    const { kept, accepted } = await judgeBatch({ ...this.#all, custodian }, request, user, documents);
    const { seenSize } = request;
    if (seenSize > this.ledger.size) throw new BankRefusal('RECORD_CONSISTENCY');
    let text = '';
    await this.ledger.commit(accepted, kept.tagSalt, cause, {
      // The reply is part of the transaction, so it names the checkpoint that this very commit leads to.
      reply: async (receipts, head) => {
        text = writeText({ ...(await this.ledger.ownCheckpoint(seenSize)), receipts, head });
      },
      also: () => {
        settle(store, cause.request, text);
      },
    });
    return this.#cosigned(text);
  }

  // What an executed request is answered with: the checkpoint in it is on disk now, and so a witness may see it.
  async #cosigned(text: string): Promise<Answer> {
    const reply = JSON.parse(text) as { readonly checkpoint?: string };
    const { checkpoint } = reply;
    const cosigned = checkpoint === undefined ? {} : { checkpoint: await this.ledger.cosigned(checkpoint) };
    return { text: writeText({ ...reply, ...cosigned }), documents: [], annexes: [] };
  }

  async #read(request: RequestOf<'read'>, { user, cause }: Asking): Promise<Answer> {
    const record = this.#records.asked(request.recordId, user);
    const owner = equalBytes(record.owner.id, user.id);
    if (request.chain === 'access' && !owner) throw new BankRefusal('FORBIDDEN');
    const { seenSize, size: wanted } = request;
    if (Math.max(seenSize, wanted ?? 0) > this.ledger.size) throw new BankRefusal('RECORD_CONSISTENCY');
    let access = null;
    if (request.chain === 'content') {
      const { purpose, from } = request;
      const statement = encodeAccess({
        reader: user.id,
        action: 'read',
        purpose,
        request: cause.digests,
        from,
        emergency: NOTHING,
      });
      access = await this.#logAccess(record, cause, { kind: 'access', content: statement });
    }
    const size = wanted ?? this.ledger.size;
    const page = readItems(this.#parts.store, this.directory, this.ledger, {
      request,
      record,
      user,
      size,
      now: this.#parts.now(),
    });
    const checkpoint = await this.ledger.checkpoint(Math.min(seenSize, size), size);
    const head = await this.ledger.signedHead(record.id, request.chain, size);
    const { items, next, documents, annexes } = page;
    const text = writeText({
      ...checkpoint,
      owner: record.owner.id,
      items,
      next,
      head,
      access,
      tagSalt: record.tagSalt,
    });
    this.#settled(cause);
    return { text, documents, annexes };
  }

  #tell(
    { reply, documents }: { readonly reply: object; readonly documents: readonly Uint8Array[] },
    { cause }: Asking,
  ): Answer {
    this.#settled(cause);
    return { text: writeText(reply), documents, annexes: [] };
  }

  async #head({ recordId, seenSize }: RequestOf<'head'>, { user, cause }: Asking): Promise<Answer> {
    if (!this.#records.isDirectory(recordId)) this.#records.asked(recordId, user);
    const text = writeText({
      ...(await this.ledger.checkpoint(seenSize)),
      content: await this.ledger.signedHead(recordId, 'content'),
      access: await this.ledger.signedHead(recordId, 'access'),
    });
    this.#settled(cause);
    return { text, documents: [], annexes: [] };
  }

  // The emergency stands in the chain before anything is released, and the release stands there before it is handed out.
  async #breakGlass(
    request: RequestOf<'break-glass'>,
    { user, cause }: Asking,
    documents: readonly Uint8Array[],
  ): Promise<Answer> {
    const record = this.#records.asked(request.recordId, user);
    const signed = decodeSignedEntry(request.entry);
    const payload = documents[0] ?? malformed();
    if (documents.length !== 1 || request.seenSize > this.ledger.size) malformed();
    const broken = await breakGlass(this.#all, { record, user, signed, payload, cause });
    const content = encodeAccess({
      reader: user.id,
      action: 'break-glass',
      purpose: '',
      request: cause.digests,
      from: signed.entry.seq,
      emergency: payload,
    });
    await this.#logAccess(record, cause, { kind: 'release', content });
    const text = writeText({
      ...(await this.ledger.checkpoint(request.seenSize)),
      receipt: { receipt: broken.receipt, proof: this.ledger.inclusion(broken.leaf) },
      emergencyHash: broken.emergencyHash,
      releases: 0,
      head: await this.ledger.signedHead(record.id, 'content'),
    });
    this.#settled(cause);
    return { text, documents: [encodeReleases(broken.releases)], annexes: [] };
  }

  async #logAccess(
    record: KeptRecord,
    cause: Cause,
    statement: { readonly kind: 'access' | 'release'; readonly content: Uint8Array },
  ): Promise<object> {
    const accepted = await this.ledger.record(record.id, statement);
    const [receipted] = await this.ledger.commit([accepted], record.tagSalt, cause, {});
    return { entry: this.ledger.encode(accepted), ...receipted };
  }

  // Reads are answered afresh when asked again; only that they were served is kept.
  #settled(cause: Cause): void {
    settle(this.#parts.store, cause.request, '');
  }
}

/** A signed no. Of an error that is nobody's business only that there was one. */
export function refuse(error: unknown): Answer {
  const known = error instanceof BankRefusal || error instanceof MunimentError;
  const head = error instanceof BankRefusal ? error.head : null;
  return { text: writeText({ refused: known ? error.code : 'INTERNAL', head }), documents: [], annexes: [] };
}

const NOTHING = new Uint8Array(0);
