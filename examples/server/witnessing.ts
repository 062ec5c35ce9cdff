/**
 * Collecting cosignatures: what the bank says of a size of the log goes to every witness, and is said to others with the
 * lines of those that agreed. A witness that has seen a larger log cosigns no smaller one, and any of the bank's processes
 * may have shown it that: so the lines are in the database, and who comes too late asks again with the newest log. What a
 * witness says that it has seen is taken from it only as far as the database has it.
 */

import {
  addCosignatures,
  formatNoteKey,
  verifyCheckpoint,
  type LogKeys,
  type NoteKey,
} from 'muniment/record';
import { tell } from './events.ts';
import type { Ledger } from './ledger.ts';
import type { Said } from './said.ts';
import type { Changes } from './store/changes.ts';
import type { Database } from './store/tables.ts';

/** Where a witness is, and the key under which its lines verify. */
export interface WitnessAt {
  readonly url: string;
  readonly key: NoteKey;
}

/** How long a witness may take, in milliseconds; and for how long one that failed is left alone. */
const PATIENCE = 5000;
const RESPITE = 5000;
/** How often a newer log is shown to witnesses that have seen one that is newer still, and one log to a witness. */
const ATTEMPTS = 4;
/** Longest answer of a witness, in characters: a line is some thousands at most. */
const ANSWER_LIMIT = 16_384;
/** Lines of so many sizes before the newest are kept, for the pages of one reading. */
const KEPT = 4096;

/** A witness that has seen more is not at fault, if another of the bank's processes has shown it that. */
class OlderError extends Error {
  override readonly name = 'OlderError';
  /** How much, as it says. */
  readonly seen: number;

  constructor(seen: number) {
    super('a witness has seen a larger log');
    this.seen = seen;
  }
}

/** A witness that says that it has seen more than it was shown. */
interface Older {
  readonly witness: WitnessAt;
  readonly error: OlderError;
}

/** Who collects, and where what was collected is. */
export interface WitnessingParts {
  readonly ledger: Pick<Ledger, 'said' | 'consistency' | 'catchUp' | 'size'>;
  readonly log: LogKeys;
  readonly reading: Database;
  readonly changes: Changes;
  /** Told of every witness that did not cosign. */
  readonly report: (error: unknown) => void;
}

/** The witnesses of a log. */
export class Witnessing {
  readonly #witnesses: readonly WitnessAt[];
  readonly #parts: WitnessingParts;
  /** What each witness has seen, as far as it has said so: never more than the log has. */
  readonly #seen = new Map<string, number>();
  /** Until when those that failed are not asked, on the process's own clock. */
  readonly #left = new Map<string, number>();
  #round: Promise<unknown> = Promise.resolve();
  /** The round that has not begun yet: of a log that is as new as whatever happened before now. */
  #next: Promise<Said> | null = null;

  constructor(witnesses: readonly WitnessAt[], parts: WitnessingParts) {
    [this.#witnesses, this.#parts] = [witnesses, parts];
  }

  /**
   * What the bank says of the log, with the cosignatures that can be had: of a size if one is given, for which lines were
   * asked when it was the newest; else of what is durable now or later. All who ask at about the same time hear of the same
   * size.
   */
  said(size?: number): Promise<Said> {
    const { ledger } = this.#parts;
    if (this.#witnesses.length === 0) return Promise.resolve(ledger.said(size));
    if (size !== undefined) return this.#older(ledger.said(size));
    this.#next ??= this.#queue(() => {
      this.#next = null;
      return this.#newest();
    });
    return this.#next;
  }

  #queue(round: () => Promise<Said>): Promise<Said> {
    const queued = this.#round.then(round);
    this.#round = queued.catch(() => undefined);
    return queued;
  }

  // A witness that has seen more is right; one that says that it has seen what nobody has is left alone here too.
  async #older(older: Said): Promise<Said> {
    const { said, older: found } = await this.#cosigned(older);
    const beyond = (one: Older): boolean => one.error.seen > this.#parts.ledger.size;
    if (found.some(beyond)) await this.#parts.ledger.catchUp(); // another process may have shown it that
    for (const one of found.filter(beyond)) this.#leave(one.witness, one.error);
    return said;
  }

  async #newest(): Promise<Said> {
    for (let attempt = 1; ; attempt++) {
      const { said, older } = await this.#cosigned(this.#parts.ledger.said());
      if (older.length === 0) return said;
      await this.#parts.ledger.catchUp(); // another process may have shown a witness more: it is durable
      const shown = older.filter(({ witness, error }) => this.#note(witness, error.seen));
      // Nobody of this bank has shown the others that: they lie, or the database has less than it had.
      for (const one of older) if (!shown.includes(one)) this.#leave(one.witness, one.error);
      if (shown.length > 0 && attempt < ATTEMPTS) continue;
      for (const { error } of shown) this.#parts.report(error);
      return said;
    }
  }

  // A size that the log does not have would keep this process from asking that witness again, for good.
  #note({ url }: WitnessAt, seen: number): boolean {
    if (seen > this.#parts.ledger.size) return false;
    this.#seen.set(url, seen);
    return true;
  }

  #leave({ url }: WitnessAt, error: unknown): void {
    this.#left.set(url, performance.now() + RESPITE);
    this.#parts.report(error);
  }

  async #cosigned(said: Said): Promise<{ readonly said: Said; readonly older: readonly Older[] }> {
    const { size } = said;
    const { checkpoint } = await said.checkpoint(0);
    const known = await this.#linesOf(size, checkpoint);
    const older: Older[] = [];
    const asked = await Promise.all(
      this.#witnesses
        .filter(({ key, url }) => !known.has(key) && performance.now() >= (this.#left.get(url) ?? 0))
        .map(async (witness) => ({ witness, line: await this.#ask(witness, { checkpoint, size }, older) })),
    );
    const fresh = asked.flatMap(({ witness, line }) => (line === null ? [] : [[witness.key, line] as const]));
    if (fresh.length > 0) await this.#keep(size, fresh);
    const lines = [...known.values(), ...fresh.map(([, line]) => line)];
    tell({ kind: 'cosigned', lines: lines.length });
    return { said: withLines(said, lines), older };
  }

  async #ask(
    witness: WitnessAt,
    { checkpoint, size }: { readonly checkpoint: string; readonly size: number },
    older: Older[],
  ): Promise<string | null> {
    try {
      return await this.#lineOf(witness, checkpoint, size);
    } catch (error) {
      if (error instanceof OlderError) older.push({ witness, error });
      else this.#leave(witness, error);
      return null;
    }
  }

  async #lineOf(witness: WitnessAt, checkpoint: string, size: number): Promise<string> {
    const { url, key } = witness;
    let answer = await this.#send(url, checkpoint, size);
    // More than once if other processes show it more meanwhile.
    for (let attempt = 1; answer.status === 409 && attempt < ATTEMPTS; attempt++) {
      const seen = Number(answer.text);
      if (!/^\d+\n?$/.test(answer.text) || !Number.isSafeInteger(seen))
        throw new Error('the witness names no size');
      if (!this.#note(witness, seen)) throw new OlderError(seen);
      answer = await this.#send(url, checkpoint, size);
    }
    if (answer.status !== 200) throw new Error(`the witness answers ${String(answer.status)}`);
    const line = answer.text.trimEnd();
    this.#check(checkpoint, key, line);
    this.#seen.set(url, size);
    return line;
  }

  async #send(url: string, checkpoint: string, size: number): Promise<{ status: number; text: string }> {
    const seen = this.#seen.get(url) ?? 0;
    if (!(seen <= size)) throw new OlderError(seen);
    const hashes = this.#parts.ledger.consistency(seen, size);
    const proof = hashes.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
    const response = await fetch(new URL('/add-checkpoint', url), {
      method: 'POST',
      body: `old ${String(seen)}\n${proof.join('')}\n${checkpoint}`,
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE),
    });
    let text = '';
    for await (const bytes of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += bytes;
      if (text.length > ANSWER_LIMIT) throw new Error('the witness says too much');
    }
    return { status: response.status, text };
  }

  // One wrong line would make every reader refuse the whole.
  #check(checkpoint: string, key: NoteKey, line: string): void {
    const witnesses = { witnesses: [key], threshold: 1 };
    verifyCheckpoint(addCosignatures(checkpoint, [line]), { log: this.#parts.log, witnesses });
  }

  async #linesOf(size: number, checkpoint: string): Promise<Map<NoteKey, string>> {
    const rows = await this.#parts.reading
      .selectFrom('cosignatures')
      .select(['witness', 'line'])
      .where('size', '=', size)
      .execute();
    const lines = new Map<NoteKey, string>();
    for (const { witness, line } of rows) {
      const key = this.#witnesses.find((one) => formatNoteKey(one.key) === witness)?.key;
      if (key === undefined) continue; // one of before
      try {
        this.#check(checkpoint, key, line);
        lines.set(key, line);
      } catch (error) {
        this.#parts.report(error);
      }
    }
    return lines;
  }

  #keep(size: number, lines: readonly (readonly [NoteKey, string])[]): Promise<unknown> {
    const rows = lines.map(([key, line]) => ({ size, witness: formatNoteKey(key), line }));
    return this.#parts.changes.run(async (change) => {
      await change
        .insertInto('cosignatures')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await change
        .deleteFrom('cosignatures')
        .where('size', '<', size - KEPT)
        .execute();
    });
  }
}

function withLines(said: Said, lines: readonly string[]): Said {
  return {
    ...said,
    checkpoint: async (seenSize) => {
      const { checkpoint, consistency } = await said.checkpoint(seenSize);
      return { checkpoint: addCosignatures(checkpoint, lines), consistency };
    },
  };
}
