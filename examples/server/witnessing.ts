/** Collecting cosignatures: each checkpoint goes to every witness, and comes back with the lines of those that agreed. */

import { addCosignatures, verifyCheckpoint, type LogKeys, type NoteKey } from 'muniment/record';

/** Where a witness is, and the key under which its lines verify. */
export interface WitnessAt {
  readonly url: string;
  readonly key: NoteKey;
}

/** How long a witness may take, in milliseconds. */
const PATIENCE = 2000;
/** Cosigned checkpoints that are kept, for the pages of one reading. */
const KEPT = 256;

/** The witnesses of a log. */
export class Witnessing {
  readonly #witnesses: readonly WitnessAt[];
  readonly #log: LogKeys;
  readonly #consistency: (from: number, to: number) => Uint8Array[];
  readonly #report: (error: unknown) => void;
  /** What each witness has seen, as far as it has said so. */
  readonly #seen = new Map<string, number>();
  readonly #kept = new Map<number, string>();

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
   * another one; of an older size only if it was asked for before.
   */
  async cosigned(checkpoint: string): Promise<string> {
    if (this.#witnesses.length === 0) return checkpoint;
    const size = Number(checkpoint.split('\n')[1]);
    const known = this.#kept.get(size);
    if (known !== undefined) return known;
    const lines = await Promise.all(
      this.#witnesses.map((witness) => this.#lineOf(witness, checkpoint, size)),
    );
    const whole = addCosignatures(
      checkpoint,
      lines.filter((line) => line !== null),
    );
    if (lines.some((line) => line !== null)) this.#keep(size, whole);
    return whole;
  }

  async #lineOf({ url, key }: WitnessAt, checkpoint: string, size: number): Promise<string | null> {
    try {
      let answer = await this.#ask(url, checkpoint, size);
      if (answer.status === 409) {
        this.#seen.set(url, Number(answer.text));
        answer = await this.#ask(url, checkpoint, size);
      }
      if (answer.status !== 200) throw new Error(`the witness answers ${String(answer.status)}`);
      const line = answer.text.trimEnd();
      // One wrong line would make every reader refuse the whole.
      const witnesses = { witnesses: [key], threshold: 1 };
      verifyCheckpoint(addCosignatures(checkpoint, [line]), { log: this.#log, witnesses });
      this.#seen.set(url, size);
      return line;
    } catch (error) {
      this.#report(error);
      return null;
    }
  }

  async #ask(url: string, checkpoint: string, size: number): Promise<{ status: number; text: string }> {
    const seen = this.#seen.get(url) ?? 0;
    if (!(seen <= size)) throw new Error('the witness has seen a larger log');
    const proof = this.#consistency(seen, size).map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
    const response = await fetch(new URL('/add-checkpoint', url), {
      method: 'POST',
      body: `old ${String(seen)}\n${proof.join('')}\n${checkpoint}`,
      signal: AbortSignal.timeout(PATIENCE),
    });
    return { status: response.status, text: await response.text() };
  }

  #keep(size: number, checkpoint: string): void {
    this.#kept.set(size, checkpoint);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}
