/** Collecting cosignatures: each checkpoint goes to every witness, and comes back with the lines of those that agreed. */

import { addCosignatures, verifyCheckpoint, type LogKeys, type NoteKey } from 'muniment/record';
import { tell } from './events.ts';

/** Where a witness is, and the key under which its lines verify. */
export interface WitnessAt {
  readonly url: string;
  readonly key: NoteKey;
}

/** How long a witness may take, in milliseconds; and for how long one that failed is left alone. */
const PATIENCE = 5000;
const RESPITE = 5000;
/** Cosigned checkpoints that are kept, for the pages of one reading. */
const KEPT = 256;

/** A witness that has seen more is not at fault. */
class OlderError extends Error {
  override readonly name = 'OlderError';
}

/** A checkpoint, and the lines of those who cosigned it so far, by where they are. */
interface Kept {
  readonly checkpoint: string;
  readonly lines: Map<string, string>;
}

/** The witnesses of a log. */
export class Witnessing {
  readonly #witnesses: readonly WitnessAt[];
  readonly #log: LogKeys;
  readonly #consistency: (from: number, to: number) => Uint8Array[];
  readonly #report: (error: unknown) => void;
  /** What each witness has seen, as far as it has said so. */
  readonly #seen = new Map<string, number>();
  /** Until when those that failed are not asked, on the process's own clock. */
  readonly #left = new Map<string, number>();
  readonly #kept = new Map<number, Kept>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    witnesses: readonly WitnessAt[],
    log: LogKeys,
    how: {
      readonly consistency: (from: number, to: number) => Uint8Array[];
      /** Told of every witness that did not cosign. */
      readonly report: (error: unknown) => void;
    },
  ) {
    [this.#witnesses, this.#log] = [witnesses, log];
    [this.#consistency, this.#report] = [how.consistency, how.report];
  }

  /**
   * A checkpoint with the cosignatures that can be had. Only of a state that is on disk, for a witness never cosigns
   * another one; of an older size only if it was asked for before. One after another in the order in which they are
   * asked for, which is that of the log: a witness that has seen the next would not cosign this one.
   */
  cosigned(checkpoint: string): Promise<string> {
    if (this.#witnesses.length === 0) return Promise.resolve(checkpoint);
    const turn = this.#queue.then(() => this.#cosign(checkpoint));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #cosign(asked: string): Promise<string> {
    const size = Number(asked.split('\n')[1]);
    const { checkpoint, lines } = this.#keep(size, asked);
    await Promise.all(
      this.#witnesses.map(async (witness) => {
        const { url } = witness;
        if (lines.has(url) || performance.now() < (this.#left.get(url) ?? 0)) return;
        try {
          lines.set(url, await this.#lineOf(witness, checkpoint, size));
        } catch (error) {
          if (!(error instanceof OlderError)) this.#left.set(url, performance.now() + RESPITE);
          this.#report(error);
        }
      }),
    );
    tell({ kind: 'cosigned', lines: lines.size });
    return addCosignatures(checkpoint, [...lines.values()]);
  }

  async #lineOf({ url, key }: WitnessAt, checkpoint: string, size: number): Promise<string> {
    let answer = await this.#ask(url, checkpoint, size);
    if (answer.status === 409) {
      this.#seen.set(url, Number(answer.text));
      answer = await this.#ask(url, checkpoint, size);
    }
    if (answer.status !== 200) throw new Error(`the witness answers ${String(answer.status)}`);
    const line = answer.text.trimEnd();
    // One wrong line would make every reader refuse the whole.
    verifyCheckpoint(addCosignatures(checkpoint, [line]), {
      log: this.#log,
      witnesses: { witnesses: [key], threshold: 1 },
    });
    this.#seen.set(url, size);
    return line;
  }

  async #ask(url: string, checkpoint: string, size: number): Promise<{ status: number; text: string }> {
    const seen = this.#seen.get(url) ?? 0;
    if (!(seen <= size)) throw new OlderError('the witness has seen a larger log');
    const proof = this.#consistency(seen, size).map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
    const response = await fetch(new URL('/add-checkpoint', url), {
      method: 'POST',
      body: `old ${String(seen)}\n${proof.join('')}\n${checkpoint}`,
      signal: AbortSignal.timeout(PATIENCE),
    });
    return { status: response.status, text: await response.text() };
  }

  #keep(size: number, checkpoint: string): Kept {
    const kept = this.#kept.get(size) ?? { checkpoint, lines: new Map<string, string>() };
    this.#kept.set(size, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }
}
