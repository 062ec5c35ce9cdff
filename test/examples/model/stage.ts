/** A whole bank with the model beside it: who asks under which key, and what the bank really sent. */

import { openRoot, type Credential } from 'muniment/keys';
import { decodeSignedEntry } from 'muniment/record';
import { decodeSealed, SEALED_DOCUMENT, type OpenedShare, type SealedDocument } from 'muniment/views';
import { toHex } from 'muniment/wire';
import { MunimentError } from 'muniment';
import { Refused, type Answer, type BankClient } from '../../../examples/client/bank.ts';
import { lookUp } from '../../../examples/client/people.ts';
import type { Random } from '../../faults/random.ts';
import type { InProcess } from '../in-process.ts';
import { Drafts } from './documents.ts';
import { World, type Key, type ModelDocument, type ModelRecord } from './world.ts';

/** The clock of the play; nobody in it has another. */
export interface PlayClock {
  readonly now: () => number;
  readonly advance: (milliseconds: number) => void;
}

/** What the bank and its client know of a record that the model does not. */
export interface RealRecord {
  readonly recordId: Uint8Array;
  tagSalt: Uint8Array;
  /** By position: entries' hashes, and documents' `bodyHash`. */
  readonly hashes: Map<number, Uint8Array>;
  readonly bodies: Map<number, Uint8Array>;
}

/** An emergency that somebody declared, with what was released. */
export interface Emergency {
  readonly key: Key;
  readonly record: ModelRecord;
  /** Its place: what stands before it was released. */
  readonly seq: number;
  readonly releases: ReadonlyMap<string, readonly OpenedShare[]>;
}

/** The bank and the model say different things. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

/** Holds the bank's word against the model's. */
export function same(what: string, bank: unknown, model: unknown): void {
  const [ofBank, ofModel] = [bank, model].map((value) => JSON.stringify(value));
  if (ofBank !== ofModel)
    throw new Difference(`${what}: the bank says ${String(ofBank)}, the model ${String(ofModel)}`);
}

/** One entry as it was handed out. */
export interface Handed {
  readonly payload: Uint8Array | null;
  readonly sealed: SealedDocument | null;
  readonly attachments: readonly Uint8Array[];
}

/** Everything that a play goes on with. */
export class Stage {
  readonly at: InProcess;
  readonly clock: PlayClock;
  readonly random: Random;
  readonly world = new World();
  readonly drafts: Drafts;
  readonly emergencies: Emergency[] = [];
  readonly counts = new Map<string, { done: number; refused: number }>();
  /** Fields whose text was compared, and readings. */
  readonly compared = { fields: 0, readings: 0, refusals: 0, accesses: 0 };
  readonly #clients = new Map<Key, BankClient>();
  readonly #records = new Map<ModelRecord, RealRecord>();
  #pages: Answer<'read'>[] = [];
  #subjects = 0;

  constructor(at: InProcess, clock: PlayClock, random: Random) {
    this.at = at;
    this.clock = clock;
    this.random = random;
    this.drafts = new Drafts(random.split());
  }

  /** A subject that nobody had. */
  newSubject(of: string): string {
    this.#subjects++;
    return `${of} ${String(this.#subjects)}`;
  }

  /** Gives a key its client, whose readings are watched. */
  enter(key: Key, client: BankClient): void {
    const ask = client.ask.bind(client) as (
      ...asked: Parameters<BankClient['ask']>
    ) => Promise<Answer<'read'>>;
    const watched = async (...asked: Parameters<BankClient['ask']>): Promise<unknown> => {
      const answer = await ask(...asked);
      const [question] = asked;
      if (question.type === 'read' && 'chain' in question && question.chain === 'content')
        this.#pages.push(answer);
      return answer;
    };
    this.#clients.set(key, Object.assign(client, { ask: watched }));
  }

  clientOf(key: Key): BankClient {
    return this.#clients.get(key) ?? missing();
  }

  credentialOf(key: Key): Credential {
    return this.clientOf(key).user.credential;
  }

  /** Whose credential has this Id. */
  keyOf(id: Uint8Array): Key | undefined {
    const wanted = toHex(id);
    return [...this.#clients].find(([, { user }]) => toHex(user.credential.id) === wanted)?.[0];
  }

  real(record: ModelRecord): RealRecord {
    return this.#records.get(record) ?? missing();
  }

  /** A patient has published its parts under an id. */
  publish(owner: Key, recordId: Uint8Array, parts: ReadonlyMap<string, number>): void {
    const record: ModelRecord = { owner, parts, entries: [], accesses: [], closed: null, statements: 0 };
    this.world.records.push(record);
    this.#records.set(record, {
      recordId,
      tagSalt: new Uint8Array(32),
      hashes: new Map(),
      bodies: new Map(),
    });
  }

  /** What the bank sent in the readings since the last call, by position. */
  handed(): Map<number, Handed> {
    const handed = new Map<number, Handed>();
    for (const { reply, documents } of this.#pages)
      for (const { entry, payload, attachments } of reply.items) {
        if (entry === null) continue;
        const { seq, payloadType } = decodeSignedEntry(documents[entry] ?? missing()).entry;
        const bytes = payload === null ? null : (documents[payload] ?? missing());
        const sealed = bytes === null || payloadType !== SEALED_DOCUMENT ? null : decodeSealed(bytes);
        handed.set(seq, {
          payload: bytes,
          sealed,
          attachments: attachments.map((place) => documents[place] ?? missing()),
        });
      }
    this.#pages = [];
    return handed;
  }

  /** The owner's root, and its newest list. */
  async rootOf(client: BankClient) {
    const { subject } = client.user.credential;
    const compartments =
      (await lookUp(client, { subjects: [subject] })).compartments.get(subject) ?? missing();
    return { compartments, root: await openRoot(client.user, compartments) };
  }

  /** Tries something of which the model says how it ends: with this code, or well. Gives what came of it, or `null`. */
  async attempt<Result>(
    what: string,
    expected: string | readonly string[] | null,
    work: () => Promise<Result>,
  ): Promise<Result | null> {
    let code: string | null = null;
    let result: Result | null = null;
    try {
      result = await work();
    } catch (error) {
      // The client's own verifiers speak the same codes: what they do not take is as little what should be.
      if (!(error instanceof Refused || error instanceof MunimentError)) throw error;
      ({ code } = error);
    }
    same(`${what}, outcome`, code ?? 'done', expected ?? 'done');
    const [name = what] = what.split(':');
    const count = this.counts.get(name) ?? { done: 0, refused: 0 };
    count[code === null ? 'done' : 'refused']++;
    this.counts.set(name, count);
    return result;
  }

  /** Notes an access that the model expects in a record's chain. */
  accessed(record: ModelRecord, reader: Key, purpose: string, action: 'read' | 'break-glass' = 'read'): void {
    record.accesses.push({ reader, action, purpose, time: this.clock.now() });
  }
}

/** Documents of a record that stand, with their places. */
export function documentsIn({
  entries,
}: ModelRecord): { readonly seq: number; readonly document: ModelDocument }[] {
  return entries.flatMap(({ document, erased }, seq) =>
    document === undefined || erased === true ? [] : [{ seq, document }],
  );
}

function missing(): never {
  throw new RangeError('the play has lost something');
}
