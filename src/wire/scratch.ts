/** Memory that is used again and again. spec/wire.md, "Tuples". */

/**
 * Memory for what is encoded and forgotten before the next of its kind: see `tupleIn`. What it held may have been secret,
 * and is overwritten.
 */
export class Scratch {
  readonly #memory: Uint8Array;
  #lent = false;

  /** @param length - bytes; what is longer gets memory of its own */
  constructor(length: number) {
    this.#memory = new Uint8Array(length);
  }

  /**
   * Lends the memory until `use` returns. Whatever `use` keeps of it, or a promise goes on with, is overwritten.
   *
   * @param use - is given `null` while the memory is lent already
   * @returns what `use` returns; what it throws comes out
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
