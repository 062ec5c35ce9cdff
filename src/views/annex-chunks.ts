/**
 * Cuts bytes that come in pieces of any length into chunks. A byte is copied at most once, and not at all if its chunk
 * lies within one piece, so that neither many small pieces nor one huge piece costs more than its length.
 */

import { MunimentError } from '../errors.ts';

/** Pushed pieces, pulled chunks. */
export class Cutter {
  readonly #held: Uint8Array;
  #size = 0;
  #piece: Uint8Array = new Uint8Array(0);

  /** @param length - bytes of the longest chunk */
  constructor(length: number) {
    this.#held = new Uint8Array(length);
  }

  /** Takes the next piece; only once {@link next} has given null, for until then the piece before is not used up. */
  feed(piece: Uint8Array): void {
    if (!isBytes(piece)) throw new TypeError('a stream of bytes gives Uint8Array');
    this.#piece = new Uint8Array(piece.buffer, piece.byteOffset, piece.length); // a Buffer has other methods
  }

  /**
   * The next chunk of this length, or null if it is not whole yet. It is valid until the next call; it may be a window
   * onto the producer's memory, which the producer is free to use again as soon as it is asked for more.
   *
   * @param ahead - give it only if so many bytes behind it are there already: 1 where it must not be the last
   */
  next(length: number, ahead: 0 | 1): Uint8Array | null {
    const piece = this.#piece;
    if (this.#size === 0 && piece.length >= length + ahead) {
      this.#piece = piece.subarray(length);
      return piece.subarray(0, length);
    }
    const taken = Math.min(piece.length, length - this.#size);
    this.#held.set(taken === piece.length ? piece : piece.subarray(0, taken), this.#size);
    this.#size += taken;
    this.#piece = piece.subarray(taken);
    if (this.#size < length || this.#piece.length < ahead) return null;
    this.#size = 0;
    return this.#held.subarray(0, length);
  }

  /** What is left when {@link next} has given null and nothing more comes; valid until the next call. */
  rest(): Uint8Array {
    return this.#held.subarray(0, this.#size);
  }
}

/** A stream, read chunk by chunk. */
export class ChunkReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #cutter: Cutter;

  /**
   * Locks the stream.
   *
   * @param length - bytes of the longest chunk
   */
  constructor(stream: ReadableStream<Uint8Array>, length: number) {
    this.#reader = stream.getReader();
    this.#cutter = new Cutter(length);
  }

  /** The next chunk, as {@link Cutter.next} has it; null if the stream ended before. */
  async next(length: number, ahead: 0 | 1): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.#cutter.next(length, ahead);
      if (chunk !== null) return chunk;
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#cutter.feed(value);
    }
  }

  /** The next chunk of a ciphertext, or throws `VIEW_ANNEX` if the stream ended before. */
  async exactly(length: number): Promise<Uint8Array> {
    const chunk = await this.next(length, 0);
    if (chunk === null) throw new MunimentError('VIEW_ANNEX');
    return chunk;
  }

  /** Waits for the end of a ciphertext, or throws `VIEW_ANNEX` if more comes. */
  async end(): Promise<void> {
    if ((await this.next(1, 0)) !== null) throw new MunimentError('VIEW_ANNEX');
  }

  /** What was left when the stream ended. */
  rest(): Uint8Array {
    return this.#cutter.rest();
  }

  /** Tells the stream that no more is wanted. */
  cancel(reason: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }
}

/**
 * A stream of what `next` gives, until that is null. Nothing is made before somebody reads, and nothing is queued.
 *
 * @param stop - called with the reason if the stream is cancelled, or with the error if `next` fails
 */
export function streamOf(
  next: () => Promise<Uint8Array | null>,
  stop: (reason: unknown) => Promise<void>,
): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const chunk = await next();
          if (chunk === null) controller.close();
          else controller.enqueue(chunk);
        } catch (error) {
          stop(error).catch(() => undefined); // what goes wrong in stopping is not why the stream fails
          throw error;
        }
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  );
}

// By its tag: another realm has another constructor.
function isBytes(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Uint8Array]';
}
