/** The bank: what it does with a request whose author is known. It is stored first, then served, at most once. */

import { MunimentError } from 'muniment';
import { verifyEvidence } from 'muniment/envelope';
import type { Credential, Identity } from 'muniment/keys';
import { decodeSignedEntry, logKeysOf, type LogSigner } from 'muniment/record';
import type { AnnexStore } from './annexes.ts';
import { parseRequest, writeText, type BankRequest } from './api.ts';
import { append } from './appending.ts';
import { AFRESH, archive, replyOf, settle, unfinished, type Incoming, type Unfinished } from './archive.ts';
import { answer, type Answer, type Asking, type House } from './asking.ts';
import { breakGlass } from './breaking.ts';
import { checkCapability, type Shown } from './capabilities.ts';
import { Directory } from './directory.ts';
import { erase } from './erasing.ts';
import { Ledger } from './ledger.ts';
import { findRecord, lookUp, tellHeads, tellRevocations } from './looking-up.ts';
import { noteOlder } from './older.ts';
import { read } from './reading.ts';
import { Records } from './records.ts';
import { tell } from './events.ts';
import { BankRefusal, isRefusal } from './refusal.ts';
import { plain } from './store/bytes.ts';
import { Changes, PLAIN } from './store/changes.ts';
import type { Engine } from './store/engine.ts';
import { StoredReplayCache } from './store/replay.ts';
import { announce } from './uploading.ts';
import { Witnessing, type WitnessAt } from './witnessing.ts';

/** What a bank is made of. */
export interface BankParts {
  readonly identity: Identity;
  /** Credentials that its keys had before, to which a request may be addressed that is not executed yet. */
  readonly former?: readonly Credential[];
  readonly anchor: Credential;
  /** What signs the log's checkpoints: keys of its own. */
  readonly log: LogSigner;
  /** Who is asked to cosign each checkpoint. */
  readonly witnesses: readonly WitnessAt[];
  readonly engine: Engine;
  readonly annexes: AnnexStore;
  readonly now: () => number;
  /** For how long an emergency lasts, in milliseconds. */
  readonly releaseTime: number;
  /** Told of every error that ends a request, for the log. */
  readonly report: (error: unknown) => void;
}

/** One bank, or one of several processes that are one. */
export class Bank {
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly replay: StoredReplayCache;
  readonly #parts: BankParts;
  readonly #house: House;
  /** What is written beside the ledger: evidence and its outcomes. */
  readonly #archive: Changes;

  constructor(parts: BankParts) {
    this.#parts = parts;
    const { engine, anchor, identity, log, witnesses, now, report } = parts;
    this.directory = new Directory(anchor, identity.credential);
    const { directory } = this;
    const records = new Records(directory, log.origin, now);
    const judge = directory.checkStanding.bind(directory);
    this.ledger = new Ledger(engine, { ...parts, judge, settled: directory.settled });
    const beside = new Changes(engine, PLAIN);
    this.#archive = beside;
    const { reading } = engine;
    const collecting = { ledger: this.ledger, log: logKeysOf(log), reading, changes: beside, report };
    const witnessing = new Witnessing(witnesses, collecting);
    const said = witnessing.said.bind(witnessing);
    this.#house = { ...parts, directory, records, ledger: this.ledger, said, reading, beside };
    this.replay = new StoredReplayCache(engine, this.#archive);
  }

  /** Judges a caller; see `Directory`. */
  judge = (encoded: Uint8Array, now: number): Promise<Credential> =>
    this.directory.judge(this.#parts.engine.reading, encoded, now);

  /** Refuses who may not send or fetch this annex. Gives who may. */
  checkCapability(shown: Shown): Promise<Credential> {
    return checkCapability(this.#parts.engine.reading, this.directory, shown, this.#parts.now());
  }

  /**
   * Brings what an older server has stored up to date, and completes what was archived but not executed when it last stopped. What does not verify any more is
   * reported and left. Returns how many requests were completed.
   */
  async recover(): Promise<number> {
    await this.ledger.turn(({ change }) => noteOlder(this.#house, change, this.#parts.report));
    const { reading } = this.#parts.engine;
    let completed = 0;
    for (const one of await unfinished(reading)) {
      try {
        await this.#complete(one);
        completed++;
      } catch (error) {
        this.#parts.report(error);
      }
    }
    return completed;
  }

  async #complete({ stored, documents }: Unfinished): Promise<void> {
    const author = await this.directory.find(this.#parts.engine.reading, plain(stored.author));
    if (author === null) throw new BankRefusal('FORBIDDEN');
    const { identity, former = [] } = this.#parts;
    // Its time was held against the clock before it was archived.
    const time = { notBefore: 0, notAfter: Infinity };
    const banks = [identity.credential, ...former];
    const evidence = verifyAddressed(banks, (to) =>
      verifyEvidence(plain(stored.evidence), { type: 'request', author, to, answers: null, time }),
    );
    const cause = { request: stored.number, session: plain(stored.session), digests: evidence.digests };
    const asking = { user: author, cause, at: this.#parts.now() };
    await this.#execute(parseRequest(evidence.data), asking, documents);
  }

  /**
   * Serves one verified request: archives it, then executes it. What is wrong with it becomes a signed refusal; a
   * defect of the bank's own is thrown, and whoever asks again is served then.
   *
   * @param at - when it was asked, by the clock that its own time was held against
   */
  async serve(incoming: Incoming, at: number): Promise<Answer> {
    const { request, envelope, documents, sessionId: session } = incoming;
    // Whoever got no answer may ask again when it is too late to ask for the first time.
    const judge = (): void => {
      if (request.type !== 'append') return;
      for (const { entry } of request.entries) this.#house.records.checkTime(decodeSignedEntry(entry));
    };
    const number = await this.#archive.run((change) => archive(change, incoming, judge));
    tell({ kind: 'request stored', number, evidence: incoming.evidence.length });
    const cause = { request: number, session, digests: envelope.digests };
    return this.#execute(request, { user: envelope.author, cause, at }, documents);
  }

  /** Stores the evidence of a reply, before it is sent. */
  async keepReply(session: Uint8Array, evidence: Uint8Array): Promise<void> {
    await this.#archive.run((change) => change.insertInto('replies').values({ session, evidence }).execute());
  }

  async #execute(request: BankRequest, asking: Asking, documents: readonly Uint8Array[]): Promise<Answer> {
    try {
      return await this.#dispatch(request, asking, documents);
    } catch (error) {
      this.#parts.report(error);
      const refusal = refuse(error);
      const settled = await this.#archive.run(async (change) => {
        await settle(change, asking.cause, refusal.text);
        return replyOf(change, asking.cause.request);
      });
      if (settled === refusal.text || settled === AFRESH) return refusal;
      return this.#dispatch(request, asking, documents); // asked twice at once, the other was faster: one verdict
    }
  }

  /** Reads what other processes have written, and at the start everything. Returns the log's size. */
  catchUp(): Promise<number> {
    return this.ledger.catchUp();
  }

  /** Throws unless a user's credential, or the bank's own if nobody is named, is good now. */
  checkStanding(user = this.#parts.identity.credential): Promise<void> {
    const { engine, now } = this.#parts;
    return this.directory.checkStanding(engine.reading, user, now());
  }

  /** A checkpoint of the newest state, durable and cosigned like those in answers. */
  async checkpoint(): Promise<string> {
    await this.catchUp();
    const { checkpoint } = await (await this.#house.said()).checkpoint(0);
    return checkpoint;
  }

  #dispatch(request: BankRequest, asking: Asking, documents: readonly Uint8Array[]): Promise<Answer> {
    switch (request.type) {
      case 'append':
        return append(this.#house, request, asking, documents);
      case 'read':
        return read(this.#house, request, asking);
      case 'head':
        return tellHeads(this.#house, request, asking);
      case 'revocations':
        return tellRevocations(this.#house, request, asking);
      case 'find':
        return findRecord(this.#house, request, asking);
      case 'lookup':
        return this.#archive.run((change) => lookUp(change, this.#house, request, asking));
      case 'break-glass':
        return breakGlass(this.#house, request, asking, documents);
      case 'erase':
        return erase(this.#house, request, asking, documents);
      case 'upload':
        return announce(this.#house, request, asking);
    }
  }
}

// It was addressed to the bank under the Id that it had then; as any other it does not verify.
function verifyAddressed<Evidence>(
  [bank, ...others]: readonly Credential[],
  verify: (to: Uint8Array) => Evidence,
): Evidence {
  if (bank === undefined) throw new MunimentError('ENVELOPE_SIGNATURE');
  try {
    return verify(bank.id);
  } catch (error) {
    if (others.length === 0) throw error;
    return verifyAddressed(others, verify);
  }
}

/** Every refusal is as long as the longest, so that its length says nothing; blanks after it mean nothing. */
const REFUSAL_LENGTH = 192;

/** A signed no, for what is a reason to refuse. Throws everything else again. */
export function refuse(error: unknown): Answer {
  if (!isRefusal(error)) throw error;
  const head = error instanceof BankRefusal ? error.head : null;
  return answer(writeText({ refused: error.code, head }).padEnd(REFUSAL_LENGTH));
}
