/** Memory that is used again and again. spec/wire.md, "Tuples". */

/**
 * Memory for what is encoded, hashed and forgotten at once: to find fresh memory costs more than to encode a small tuple.
 * What it held may have been secret, and is overwritten.
 */
export class Scratch {
  readonly #memory: Uint8Array;
  #lent = false;

  /** @param length - bytes; what is longer gets memory of its own */
  constructor(length: number) {
    this.#memory = new Uint8Array(length);
  }

  /**
   * Lends the memory to `use`, which keeps nothing of it; none while it is lent already.
   *
   * @returns what `use` returns
   */
  lend<Result>(use: (memory: Uint8Array | null) => Result): Result {
    if (this.#lent) return use(null);
    this.#lent = true;
    try {
      return use(this.#memory);
    } finally {
      this.#memory.fill(0);
      this.#lent = false;
    }
  }
}
