/** A list of hashes that grows, packed: an object for each hash would take four times the room. */

import { HASH_LENGTH } from '../crypto/index.ts';

/** How many hashes lie in one piece of memory; the last piece of a list grows up to it. */
const PIECE = 8192;
const SMALLEST = 8;

/** Hashes of 32 bytes, in 32 bytes each and at most one piece of 256 KiB more. */
export class HashList {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(hash: Uint8Array): void {
    const at = this.#length % PIECE;
    let piece = this.#pieces.at(-1);
    if (at === 0 || piece === undefined) {
      piece = new Uint8Array((this.#length === 0 ? SMALLEST : PIECE) * HASH_LENGTH);
      this.#pieces.push(piece);
    } else if (at * HASH_LENGTH === piece.length) {
      const larger = new Uint8Array(piece.length * 2);
      larger.set(piece);
      this.#pieces[this.#pieces.length - 1] = piece = larger;
    }
    piece.set(hash, at * HASH_LENGTH);
    this.#length++;
  }

  /** Forgets all hashes from `length` on. */
  cut(length: number): void {
    if (!(length >= 0 && length <= this.#length)) throw new RangeError('outside the list');
    this.#pieces.length = Math.ceil(length / PIECE);
    this.#length = length;
  }

  /** A copy of one hash. */
  at(index: number): Uint8Array {
    return this.range(index, index + 1);
  }

  /** A copy of the hashes from `start` up to and without `end`, one behind the other. */
  range(start: number, end: number): Uint8Array {
    if (!(start >= 0 && start <= end && end <= this.#length)) throw new RangeError('outside the list');
    const out = new Uint8Array((end - start) * HASH_LENGTH);
    for (let at = start; at < end;) {
      const piece = this.#pieces[Math.floor(at / PIECE)] ?? out;
      const stop = Math.min(end, at - (at % PIECE) + PIECE);
      const offset = (at % PIECE) * HASH_LENGTH;
      out.set(piece.subarray(offset, offset + (stop - at) * HASH_LENGTH), (at - start) * HASH_LENGTH);
      at = stop;
    }
    return out;
  }
}
