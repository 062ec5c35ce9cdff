/** The bank's use cases: what it does with a request whose author is known and whose evidence is stored. */

import { MunimentError } from 'muniment';
import { sha256 } from 'muniment/crypto';
import { verifyEvidence } from 'muniment/envelope';
import type { Credential, Identity } from 'muniment/keys';
import {
  appendEntry,
  decodeSignedEntry,
  hashEntry,
  readCreation,
  readStatement,
  verifyPayload,
  type Head,
  type SignedEntry,
  type VerifiedEntry,
} from 'muniment/record';
import {
  decodeSealed,
  encodeReleases,
  partyReader,
  release,
  sealedDigest,
  verifyEmergency,
  verifyGrant,
  verifySealed,
  type Release,
} from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import type { AnnexStore } from './annexes.ts';
import { encodeAccess, parseRequest, writeText, type BankRequest, type RequestOf } from './api.ts';
import { archive, settle, unfinished, type Incoming } from './archive.ts';
import { Directory } from './directory.ts';
import { accept, Ledger, type Accepted, type Cause } from './ledger.ts';
import { readItems } from './reading.ts';
import { BankRefusal } from './refusal.ts';
import { directoryId, mayAsk, mayWriteDirectory, mayWriteRecord } from './rights.ts';
import { plain, type Store } from './store.ts';

/** The payload type of sealed documents in entries. */
export const SEALED = 'sealed-document';
/** Digest functions of the payload types beside statements. */
export const DIGESTS = { [SEALED]: sealedDigest };

/** What a bank is made of. */
export interface BankParts {
  readonly identity: Identity;
  readonly anchor: Credential;
  readonly origin: string;
  readonly store: Store;
  readonly annexes: AnnexStore;
  readonly now: () => number;
  /** For how long releases can be used, in milliseconds. */
  readonly releaseTime: number;
}

/** A reply before it is signed. */
export interface Answer {
  readonly text: string;
  readonly documents: readonly Uint8Array[];
  /** Annexes that the asker may now fetch on this connection. */
  readonly annexes: readonly Uint8Array[];
}

/** A record as the bank knows it. */
export interface KnownRecord {
  readonly id: Uint8Array;
  readonly owner: Credential;
  readonly tagSalt: Uint8Array;
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
  readonly #directoryId: Uint8Array;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: BankParts) {
    this.#parts = parts;
    this.directory = new Directory(parts.store, parts.anchor, parts.identity.credential);
    this.ledger = new Ledger(parts.store, parts.identity, parts.origin, parts.now);
    this.#directoryId = directoryId(parts.origin);
  }

  /** Completes what was archived but not executed when the server last stopped. Returns how many requests that were. */
  async recover(): Promise<number> {
    const requests = unfinished(this.#parts.store);
    for (const { stored, documents } of requests) {
      const author = this.directory.find(plain(stored.author));
      if (author === null) continue;
      const to = this.#parts.identity.credential.id;
      const evidence = verifyEvidence(plain(stored.evidence), { type: 'request', author, to, answers: null });
      const asking = { user: author, cause: { request: stored.number, digests: evidence.digests } };
      await this.#execute(parseRequest(evidence.data), asking, documents);
    }
    return requests.length;
  }

  /**
   * Serves one verified request: archives it, then executes it. What is wrong with it becomes a signed refusal.
   */
  async serve(incoming: Incoming): Promise<Answer> {
    const archived = archive(this.#parts.store, incoming);
    if (archived.reply !== null && incoming.request.type === 'append') {
      return { text: archived.reply, documents: [], annexes: [] };
    }
    const cause = { request: archived.number, digests: incoming.envelope.digests };
    return this.#execute(incoming.request, { user: incoming.envelope.author, cause }, incoming.documents);
  }

  async #execute(request: BankRequest, asking: Asking, documents: readonly Uint8Array[]): Promise<Answer> {
    // One at a time: heads, log and receipts must agree.
    const turn = this.#queue.then(async () => {
      try {
        return await this.#dispatch(request, asking, documents);
      } catch (error) {
        const answer = refuse(error);
        settle(this.#parts.store, asking.cause.request, answer.text);
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
        return this.#lookup(request, asking);
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
    const { recordId, entries, seenSize } = request;
    const accepted: Accepted[] = [];
    const effects: (() => void)[] = [];
    let record = this.#isDirectory(recordId) ? null : this.#findRecord(recordId);
    let tagSalt = record?.tagSalt ?? this.#directorySalt();
    let head = this.ledger.head(recordId, 'content');
    let attached = entries.length;
    for (const [i, { entry: bytes, attachments: digests, annexes }] of entries.entries()) {
      const signed = decodeSignedEntry(bytes);
      const payload = documents[i] ?? malformed();
      if (!equalBytes(signed.entry.author, user.id)) throw new BankRefusal('RECORD_AUTHOR');
      if (signed.entry.kind === 'create') {
        record = this.#prepareCreation(recordId, signed, payload, effects);
        tagSalt = readCreation(signed.entry, payload).tagSalt;
      }
      if (tagSalt === null) throw new BankRefusal('RECORD_UNKNOWN');
      const step = this.#verifyNext(signed, record, head);
      head = step.head;
      verifyPayload(signed.entry, payload, DIGESTS);
      const attachments = digests.map((digest) => ({ digest, bytes: documents[attached++] ?? malformed() }));
      if (!attachments.every(({ digest, bytes }) => equalBytes(sha256(bytes), digest))) malformed();
      this.#checkContent(step.entry, payload, { record, attachments: digests, effects });
      for (const name of annexes) if (!this.#parts.annexes.has(name)) throw new BankRefusal('ANNEX_MISSING');
      accepted.push(accept(step.entry, { payload, attachments, annexes }));
    }
    if (attached !== documents.length) malformed();
    let text = '';
    // The reply is part of the transaction, so it names the checkpoint that this very commit leads to.
    const size = this.ledger.size;
    if (seenSize > size) throw new BankRefusal('RECORD_CONSISTENCY');
    await this.ledger.commit(accepted, tagSalt ?? malformed(), cause, {
      reply: async (receipts) => {
        text = writeText({ ...(await this.ledger.checkpoint(seenSize)), receipts, head });
      },
      also: () => {
        for (const effect of effects) effect();
        settle(this.#parts.store, cause.request, text);
      },
    });
    return { text, documents: [], annexes: [] };
  }

  async #read(request: RequestOf<'read'>, { user, cause }: Asking): Promise<Answer> {
    const record = this.#knownRecord(request.recordId, user);
    const owner = equalBytes(record.owner.id, user.id);
    if ((request.chain === 'access' || request.proofs) && !owner) throw new BankRefusal('FORBIDDEN');
    if (request.seenSize > this.ledger.size) throw new BankRefusal('RECORD_CONSISTENCY');
    let access = null;
    if (request.chain === 'content') {
      const { purpose, from } = request;
      const statement = encodeAccess({
        reader: user.id,
        action: 'read',
        purpose,
        request: cause.digests,
        from,
      });
      access = await this.#logAccess(record, cause, { kind: 'access', content: statement });
    }
    const size = request.size ?? this.ledger.size;
    const page = readItems(this.#parts.store, this.directory, this.ledger, { request, record, user, size });
    const checkpoint = await this.ledger.checkpoint(Math.min(request.seenSize, size), size);
    const head = this.ledger.head(record.id, request.chain);
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

  #lookup(request: RequestOf<'lookup'>, { cause }: Asking): Answer {
    const documents: Uint8Array[] = [];
    const add = (bytes: Uint8Array): number => documents.push(bytes) - 1;
    const bySubject = request.subjects.map((subject) => this.directory.findSubject(subject));
    const byId = request.ids.map((id) => this.directory.find(id));
    const found = [...bySubject, ...byId].filter((credential) => credential !== null);
    const groups = request.groups.flatMap((name) => this.directory.groups(name));
    const text = writeText({
      credentials: [...found, ...groups.map(({ keeper }) => keeper)].map(({ encoded }) => add(encoded)),
      compartments: found.flatMap((owner) => {
        const known = this.directory.compartments(owner);
        return known === null ? [] : [{ owner: owner.id, statement: add(known.statement) }];
      }),
      groups: groups.map(({ keeper, statement, verified }) => ({
        name: verified.name,
        keeper: keeper.id,
        statement: add(statement),
      })),
    });
    this.#settled(cause);
    return { text, documents, annexes: [] };
  }

  #head({ recordId }: RequestOf<'head'>, { user, cause }: Asking): Answer {
    const exists = this.ledger.head(recordId, 'content').size > 0;
    if (exists && !this.#isDirectory(recordId)) this.#knownRecord(recordId, user);
    const text = writeText({
      content: this.ledger.head(recordId, 'content'),
      access: this.ledger.head(recordId, 'access'),
      exists,
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
    const record = this.#knownRecord(request.recordId, user);
    const signed = decodeSignedEntry(request.entry);
    const payload = documents[0] ?? malformed();
    if (documents.length !== 1 || signed.entry.kind !== 'emergency') malformed();
    if (!equalBytes(signed.entry.author, user.id)) throw new BankRefusal('RECORD_AUTHOR');
    const emergency = verifyEmergency(readStatement(signed.entry, payload, 'emergency'), user);
    if (!equalBytes(emergency.recordId, record.id)) malformed();
    const standing = await this.#standEmergency(record, signed, payload, cause);

    const { identity, now, releaseTime } = this.#parts;
    const custodian = { reader: partyReader(identity.credential), key: identity.sealing };
    const context = {
      custodian: identity.credential.id,
      clinician: user.id,
      emergencyHash: hashEntry(signed),
    };
    const until = now() + releaseTime;
    const releases: Release[] = [];
    for (const bytes of this.#sealedBodies(record.id)) {
      const document = verifySealed(decodeSealed(bytes), {
        recordId: record.id,
        authors: this.directory.find,
      });
      const released = await release(custodian, document, emergency, { context, until });
      if (released !== null) releases.push(released);
    }
    const access = {
      reader: user.id,
      action: 'break-glass',
      request: cause.digests,
      from: signed.entry.seq,
    } as const;
    const content = encodeAccess({ ...access, purpose: emergency.reason });
    await this.#logAccess(record, cause, { kind: 'release', content });
    const text = writeText({
      ...(await this.ledger.checkpoint(request.seenSize)),
      receipt: { receipt: standing.receipt, proof: this.ledger.inclusion(standing.leaf) },
      emergencyHash: context.emergencyHash,
      releases: 0,
      head: this.ledger.head(record.id, 'content'),
    });
    this.#settled(cause);
    return { text, documents: [encodeReleases(releases)], annexes: [] };
  }

  // Takes the emergency's entry into the chain; asked again after a lost reply, finds it there.
  async #standEmergency(
    record: KnownRecord,
    signed: SignedEntry,
    payload: Uint8Array,
    cause: Cause,
  ): Promise<{ receipt: Uint8Array; leaf: number }> {
    const known = this.#parts.store.get<{ receipt: Uint8Array; leaf: number }>(
      "SELECT receipt, leaf FROM entries WHERE record = ? AND chain = 'content' AND seq = ? AND hash = ?",
      record.id,
      signed.entry.seq,
      hashEntry(signed),
    );
    if (known !== undefined) return { receipt: plain(known.receipt), leaf: known.leaf };
    const { entry } = this.#verifyNext(signed, record, this.ledger.head(record.id, 'content'));
    const leaf = this.ledger.size;
    const beside = { payload, attachments: [], annexes: [] };
    const [receipted] = await this.ledger.commit([accept(entry, beside)], record.tagSalt, cause, {});
    return { receipt: receipted?.receipt ?? malformed(), leaf };
  }

  async #logAccess(
    record: KnownRecord,
    cause: Cause,
    statement: { readonly kind: 'access' | 'release'; readonly content: Uint8Array },
  ): Promise<object> {
    const accepted = await this.ledger.record(record.id, statement);
    const [receipted] = await this.ledger.commit([accepted], record.tagSalt, cause, {});
    return { entry: this.ledger.encode(accepted), ...receipted };
  }

  #verifyNext(
    signed: SignedEntry,
    record: KnownRecord | null,
    head: Head,
  ): { entry: VerifiedEntry; head: Head } {
    const mayWrite = record === null ? mayWriteDirectory : mayWriteRecord(record.owner.id);
    const { origin } = this.#parts;
    const recordId = record?.id ?? this.#directoryId;
    const rules = { origin, recordId, chain: 'content', authors: this.directory.find, mayWrite } as const;
    try {
      return appendEntry(signed, rules, head);
    } catch (error) {
      if (error instanceof MunimentError && error.code === 'RECORD_STALE')
        throw new BankRefusal('RECORD_STALE', head);
      throw error;
    }
  }

  #checkContent(
    entry: VerifiedEntry,
    payload: Uint8Array,
    beside: { record: KnownRecord | null; attachments: readonly Uint8Array[]; effects: (() => void)[] },
  ): void {
    const { kind, payloadType } = entry.entry;
    const { record, attachments, effects } = beside;
    if (kind === 'create') return;
    if (record === null) {
      effects.push(this.directory.prepare(entry, payload));
    } else if (kind === 'grant') {
      const grant = verifyGrant(readStatement(entry.entry, payload, 'grant'), entry.author);
      const whole = attachments.some((digest) => equalBytes(digest, grant.wrapHash));
      if (!whole || !equalBytes(grant.recordId, record.id)) malformed();
    } else if (payloadType === SEALED) {
      const { author } = verifySealed(decodeSealed(payload), {
        recordId: record.id,
        authors: this.directory.find,
      });
      if (!equalBytes(author.id, entry.author.id)) throw new BankRefusal('RECORD_AUTHOR');
    } else {
      malformed();
    }
  }

  #prepareCreation(
    recordId: Uint8Array,
    { entry }: SignedEntry,
    payload: Uint8Array,
    effects: (() => void)[],
  ): KnownRecord | null {
    const { owner: ownerId, tagSalt } = readCreation(entry, payload);
    const owner = this.directory.find(ownerId);
    if (this.ledger.head(recordId, 'content').size > 0 || owner === null)
      throw new BankRefusal('RECORD_EXISTS');
    if (!this.#isDirectory(recordId)) {
      const published = this.directory.compartments(owner)?.verified.recordId;
      // The owner named the record when it published its compartments: nobody opens one in a patient's name elsewhere.
      if (published === undefined || !equalBytes(published, recordId)) throw new BankRefusal('FORBIDDEN');
    }
    effects.push(() =>
      this.#parts.store.run('INSERT INTO records VALUES (?, ?, ?)', recordId, ownerId, tagSalt),
    );
    return this.#isDirectory(recordId) ? null : { id: recordId, owner, tagSalt };
  }

  #isDirectory(recordId: Uint8Array): boolean {
    return equalBytes(recordId, this.#directoryId);
  }

  #directorySalt(): Uint8Array | null {
    return this.#recordRow(this.#directoryId)?.tagSalt ?? null;
  }

  #findRecord(recordId: Uint8Array): KnownRecord | null {
    const row = this.#recordRow(recordId);
    const owner = row === null ? null : this.directory.find(row.owner);
    return row === null || owner === null ? null : { id: recordId, owner, tagSalt: row.tagSalt };
  }

  #knownRecord(recordId: Uint8Array, user: Credential): KnownRecord {
    const record = this.#findRecord(recordId);
    // One answer for "no such record" and "not yours", so that nobody learns which records exist.
    if (record === null || this.#isDirectory(recordId) || !mayAsk(user, record.owner.id))
      throw new BankRefusal('FORBIDDEN');
    return record;
  }

  #recordRow(recordId: Uint8Array): { owner: Uint8Array; tagSalt: Uint8Array } | null {
    const row = this.#parts.store.get<{ owner: Uint8Array; tag_salt: Uint8Array }>(
      'SELECT owner, tag_salt FROM records WHERE id = ?',
      recordId,
    );
    return row === undefined ? null : { owner: plain(row.owner), tagSalt: plain(row.tag_salt) };
  }

  *#sealedBodies(recordId: Uint8Array): Generator<Uint8Array> {
    const rows = this.#parts.store.all<{ entry: Uint8Array; bytes: Uint8Array }>(
      "SELECT e.entry, p.bytes FROM entries e JOIN payloads p USING (record, chain, seq) WHERE record = ? AND chain = 'content' ORDER BY seq",
      recordId,
    );
    for (const { entry, bytes } of rows) {
      if (decodeSignedEntry(plain(entry)).entry.payloadType === SEALED) yield plain(bytes);
    }
  }

  // Reads are answered afresh when asked again; only that they were served is kept.
  #settled(cause: Cause): void {
    settle(this.#parts.store, cause.request, '');
  }
}

/** A signed no. */
export function refuse(error: unknown): Answer {
  const known = error instanceof BankRefusal || error instanceof MunimentError;
  if (!known) throw error;
  const head = error instanceof BankRefusal ? error.head : null;
  return { text: writeText({ refused: error.code, head }), documents: [], annexes: [] };
}

function malformed(): never {
  throw new BankRefusal('MALFORMED');
}
