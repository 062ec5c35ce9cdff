/**
 * Looking ahead in a chain: entries are taken before their turn, so that their signatures are verified on other threads
 * where the platform has them. spec/record.md, "Chains".
 */

import { verifySignatureAhead, type Credential } from '../keys/index.ts';
import type { ChainRules } from './chain.ts';
import { INPUT_ROOM, type ChainItem, type Entry, type OpaqueEntry } from './entry.ts';
import { OwnEntry, ownOpaque } from './own-entry.ts';

/** Most entries of a chain whose signatures are being verified at once. */
const LOOK_AHEAD = 64;

/** An item that was taken before its turn. */
export interface Ahead {
  readonly item: OpaqueEntry | OwnEntry | { readonly malformed: unknown };
  /** Under whose key its signature was found good. */
  readonly verified: Credential | null;
}

// A class and no literal: of literals V8 learns at one collection, when nearly all that were made are still waiting, to make
// them among what stays, and then all that they lead to stays until the next full one.
class Waiting implements Ahead {
  readonly item: Ahead['item'];
  verified: Credential | null = null;
  /** Whether its signature is being verified. */
  pending = false;

  constructor(item: Ahead['item']) {
    this.item = item;
  }
}

/** The items of a chain in order, each once its signature is judged or nobody else judges it. */
export class LookAhead {
  readonly #authors: ChainRules<unknown>['authors'];
  readonly #source: Source;
  /** In a circle: an array that is shifted is copied again and again, and keeps alive what it was shifted by. */
  readonly #ring = new Array<Waiting | null>(LOOK_AHEAD).fill(null);
  /** What is signed of the item in that place of the ring, written over with it: fresh memory costs as much as a hash. */
  readonly #inputs = new Array<Uint8Array | null>(LOOK_AHEAD).fill(null);
  #taken = 0;
  #begun = 0;
  /** What the source came to; its failure waits for its turn. */
  #end: { readonly failure?: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(
    items: AsyncIterable<ChainItem> | Iterable<ChainItem>,
    authors: ChainRules<unknown>['authors'],
  ) {
    this.#authors = authors;
    this.#source =
      Symbol.asyncIterator in items
        ? new LaterSource(items[Symbol.asyncIterator](), () => this.#changed())
        : items[Symbol.iterator]();
  }

  /** The next item; `later` if it is not there yet, or not judged. Throws the source's own failure, in its turn. */
  take(): Ahead | 'later' | 'end' {
    this.#fill();
    const place = this.#taken % LOOK_AHEAD;
    const first = this.#ring[place] ?? null;
    if (first === null) return this.#atEnd();
    if (first.pending) return 'later';
    this.#ring[place] = null;
    this.#taken++;
    return first;
  }

  /** Resolves once the next item may be there. */
  change(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** Closes the source, unless it has ended by itself. */
  close(): void {
    if (this.#end !== null) return;
    try {
      this.#source.return?.();
    } catch {
      // why the verification ended is to be heard, not this
    }
  }

  #atEnd(): 'later' | 'end' {
    if (this.#end === null) return 'later';
    if ('failure' in this.#end) throw this.#end.failure;
    return 'end';
  }

  #fill(): void {
    while (this.#end === null && this.#begun - this.#taken < LOOK_AHEAD) {
      const next = this.#pull();
      if (next === null || next.done === true) return;
      this.#begin(next.value);
    }
  }

  #pull(): IteratorResult<ChainItem> | null {
    try {
      const next = this.#source.next();
      if (next?.done === true) this.#end = {};
      return next;
    } catch (failure) {
      this.#end = { failure };
      return null;
    }
  }

  #begin(shown: ChainItem): void {
    const place = this.#begun++ % LOOK_AHEAD;
    const item = ownItem(shown, (this.#inputs[place] ??= new Uint8Array(INPUT_ROOM)));
    const waiting = new Waiting(item);
    this.#ring[place] = waiting;
    if (!('signed' in item)) return;
    const { entry, signature } = item.signed;
    const author = this.#guessAuthor(entry);
    if (author === null) return;
    waiting.pending = true;
    verifySignatureAhead(author.signing, item.input, signature, (verified) => {
      if (verified !== null) waiting.verified = author;
      waiting.pending = false;
      if (this.#ring[this.#taken % LOOK_AHEAD] === waiting) this.#changed();
    });
  }

  // Only a guess: who is known now may not be when the entry's turn comes, and then it is asked again.
  #guessAuthor(entry: Entry): Credential | null {
    try {
      return this.#authors(entry.author, entry)?.credential ?? null;
    } catch {
      return null; // if it is the entry's turn, it is thrown again
    }
  }

  #changed(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

// Whatever it is: what is wrong with it is said in its turn.
function ownItem(item: ChainItem, memory: Uint8Array): Ahead['item'] {
  try {
    return 'inner' in item ? ownOpaque(item) : new OwnEntry(item, memory);
  } catch (malformed) {
    return { malformed };
  }
}

/** An iterator that need not have its next item yet. */
interface Source {
  /** `null` if it is still to come. */
  next(): IteratorResult<ChainItem> | null;
  return?(): unknown;
}

type Arrived = { readonly next: IteratorResult<ChainItem> } | { readonly failure: unknown };

/** An asynchronous source, asked for one item at a time. */
class LaterSource implements Source {
  readonly #iterator: AsyncIterator<ChainItem>;
  readonly #changed: () => void;
  #asked = false;
  #arrived: Arrived | null = null;

  constructor(iterator: AsyncIterator<ChainItem>, changed: () => void) {
    this.#iterator = iterator;
    this.#changed = changed;
  }

  next(): IteratorResult<ChainItem> | null {
    const arrived = this.#arrived;
    if (arrived === null) {
      this.#ask();
      return null;
    }
    this.#arrived = null;
    this.#asked = false;
    if ('failure' in arrived) throw arrived.failure;
    return arrived.next;
  }

  // Not waited for: a source that is asked for an entry already may not answer before that one comes, if ever.
  return(): void {
    void this.#iterator.return?.().catch(() => undefined);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#iterator.next().then(
      (next) => this.#arrive({ next }),
      (failure: unknown) => this.#arrive({ failure }),
    );
  }

  #arrive(arrived: Arrived): void {
    this.#arrived = arrived;
    this.#changed();
  }
}
