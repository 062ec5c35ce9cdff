/**
 * Collecting cosignatures: what the bank says of a size of the log goes to every witness, and is said to others with the
 * lines of those that agreed. A witness that has seen a larger log cosigns no smaller one, and any of the bank's processes
 * may have shown it that: so the lines are in the database, and who comes too late asks again with the newest log.
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
/** How often a newer log is shown to witnesses that have seen one that is newer still. */
const ATTEMPTS = 4;
/** Longest answer of a witness, in characters: a line is some thousands at most. */
const ANSWER_LIMIT = 16_384;
/** Lines of so many sizes before the newest are kept, for the pages of one reading. */
const KEPT = 4096;

/** A witness that has seen more is not at fault, if another of the bank's processes has shown it that. */
class OlderError extends Error {
  override readonly name = 'OlderError';
}

/** Who collects, and where what was collected is. */
export interface WitnessingParts {
  readonly ledger: Pick<Ledger, 'said' | 'consistency' | 'catchUp'>;
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
  /** What each witness has seen, as far as it has said so. */
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
    if (size !== undefined) return this.#cosigned(ledger.said(size)).then(({ said }) => said);
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

  async #newest(): Promise<Said> {
    for (let attempt = 1; ; attempt++) {
      const { said, isOlder } = await this.#cosigned(this.#parts.ledger.said());
      if (!isOlder) return said;
      if (attempt === ATTEMPTS) {
        // Nobody else of this bank has shown it that: the database has less than it had.
        this.#parts.report(new OlderError('a witness has seen a larger log'));
        return said;
      }
      await this.#parts.ledger.catchUp(); // another process has shown a witness more
    }
  }

  async #cosigned(said: Said): Promise<{ readonly said: Said; readonly isOlder: boolean }> {
    const { size } = said;
    const { checkpoint } = await said.checkpoint(0);
    const known = await this.#linesOf(size, checkpoint);
    const asked = await Promise.all(
      this.#witnesses
        .filter(({ key, url }) => !known.has(key) && performance.now() >= (this.#left.get(url) ?? 0))
        .map((witness) => this.#ask(witness, checkpoint, size)),
    );
    const fresh = asked.flatMap(({ witness, line }) => (line === null ? [] : [[witness.key, line] as const]));
    if (fresh.length > 0) await this.#keep(size, fresh);
    const lines = [...known.values(), ...fresh.map(([, line]) => line)];
    tell({ kind: 'cosigned', lines: lines.length });
    return { said: withLines(said, lines), isOlder: asked.some(({ isOlder }) => isOlder) };
  }

  async #ask(
    witness: WitnessAt,
    checkpoint: string,
    size: number,
  ): Promise<{ readonly witness: WitnessAt; readonly line: string | null; readonly isOlder: boolean }> {
    try {
      return { witness, line: await this.#lineOf(witness, checkpoint, size), isOlder: false };
    } catch (error) {
      const isOlder = error instanceof OlderError;
      if (!isOlder) {
        this.#left.set(witness.url, performance.now() + RESPITE);
        this.#parts.report(error);
      }
      return { witness, line: null, isOlder };
    }
  }

  async #lineOf({ url, key }: WitnessAt, checkpoint: string, size: number): Promise<string> {
    let answer = await this.#send(url, checkpoint, size);
    if (answer.status === 409) {
      const seen = Number(answer.text);
      if (!/^\d+\n?$/.test(answer.text) || !Number.isSafeInteger(seen))
        throw new Error('the witness names no size');
      this.#seen.set(url, seen);
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
    if (!(seen <= size)) throw new OlderError('the witness has seen a larger log');
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
