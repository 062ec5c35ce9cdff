/**
 * The tuple encoder `T(label, a, b, …)`: the one way by which anything is put together that is hashed, MACed,
 * signed, fed to a KDF or bound as associated data; and its strict reader. spec/wire.md, "Tuples".
 */

import { MunimentError } from '../errors.ts';
import { equalBytes, fromUtf8, utf8, utf8Length, writeUtf8 } from './bytes.ts';

/** Every label of the format starts with this. */
export const LABEL_PREFIX = 'muniment/1 ';

/** Integers are 8 bytes on the wire, but stay below 2^53 so that a JavaScript number holds each exactly. */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** What a tuple may hold: bytes, text, an integer from 0 to 2^53 - 1, or a list (a tuple without a label). */
export type TupleItem = Uint8Array | string | number | readonly TupleItem[];

/**
 * Encodes `T(label, …items)`: each part behind its 4-byte big-endian length, text as UTF-8, integers as 8
 * bytes big-endian, lists as tuples without a label.
 *
 * @param label - what the bytes are for, without the prefix `muniment/1 `, which is added
 * @param items - the parts, in the order that the specification gives
 * @returns the encoding, by which no two different tuples share a byte string
 * @throws `MunimentError` `WIRE_UTF8` for text with a lone surrogate; `RangeError` for a number that is no such integer, and from 2^32 bytes on; `TypeError` for what is none of these, such as a `Date`, and for a list that changes meanwhile
 * @example
 * ```ts
 * import { tuple } from 'muniment/wire';
 * tuple('example', 'text', 7, Uint8Array.of(1), ['a', 'b']);
 * ```
 */
export function tuple(label: string, ...items: readonly TupleItem[]): Uint8Array {
  return tupleOf(label, items);
}

/** The same for a list of any length: as arguments, some hundred thousand items overflow the stack. */
export function tupleOf(label: string, items: readonly TupleItem[]): Uint8Array {
  // Two walks, one for the length and one that writes: no part is ever bytes of its own first.
  const out = roomFor(4 + LABEL_PREFIX.length + utf8Length(label) + lengthOf(items));
  checkEnd(writeTuple(label, items, out), out);
  return out;
}

/**
 * The same in memory that is there already: to find fresh memory costs more than to encode a small tuple.
 *
 * @param memory - where to write it; `null` if there is none
 * @returns a view of `memory`, or fresh memory if it does not fit
 * @throws what {@link tuple} throws
 * @example
 * ```ts
 * import { Scratch, tupleIn } from 'muniment/wire';
 * const scratch = new Scratch(1024);
 * console.log(scratch.lend((memory) => tupleIn(memory, 'example', ['text', 7]).length)); // 42
 * ```
 */
export function tupleIn(memory: Uint8Array | null, label: string, items: readonly TupleItem[]): Uint8Array {
  if (memory === null) return tupleOf(label, items);
  const end = writeTuple(label, items, memory);
  return end > memory.length ? tupleOf(label, items) : memory.subarray(0, end);
}

/** Encodes a list: a tuple without a label, as it stands inside other tuples. */
export function encodeItems(items: readonly TupleItem[]): Uint8Array {
  const out = roomFor(lengthOf(items));
  checkEnd(writeItems(items, out, 0), out);
  return out;
}

// A length has four bytes: of a longer part it would say what is the length of another.
function roomFor(length: number): Uint8Array {
  if (length >= 2 ** 32) throw new RangeError('a tuple has fewer than 2^32 bytes');
  return new Uint8Array(length);
}

// A list may be anybody's, and of two walks the second may find it otherwise than the first.
function checkEnd(end: number, out: Uint8Array): void {
  if (end !== out.length) throw new TypeError('a list changed while it was encoded');
}

function lengthOf(items: readonly TupleItem[]): number {
  let length = 0;
  for (const item of items) length += 4 + lengthOfItem(item);
  return length;
}

function lengthOfItem(item: TupleItem): number {
  if (typeof item === 'string') return utf8Length(item);
  if (typeof item === 'number') return 8;
  return item instanceof Uint8Array ? item.length : lengthOf(listOf(item));
}

// Whatever else can be iterated (bytes of another realm) would be signed as something that nobody meant.
function listOf(item: readonly TupleItem[]): readonly TupleItem[] {
  const isList: boolean = Array.isArray(item);
  if (!isList) throw new TypeError('a tuple holds bytes, texts, integers and lists');
  return item;
}

// Each of these returns where what it wrote ends; beyond the end of `out` if there was no room, and then not all of it,
// or nothing, was written.

function writeTuple(label: string, items: readonly TupleItem[], out: Uint8Array): number {
  const start = writeUtf8(LABEL_PREFIX, out, 4);
  if (start > out.length) return start;
  const end = writeUtf8(label, out, start);
  if (end > out.length) return end;
  writeUint32(out, 0, end - 4);
  return writeItems(items, out, end);
}

function writeItems(items: readonly TupleItem[], out: Uint8Array, start: number): number {
  let at = start;
  for (const item of items) {
    const end = writeContent(item, out, at + 4);
    if (end > out.length) return end;
    writeUint32(out, at, end - at - 4);
    at = end;
  }
  return at;
}

function writeContent(item: TupleItem, out: Uint8Array, at: number): number {
  if (at > out.length) return at;
  if (typeof item === 'string') return writeUtf8(item, out, at);
  if (typeof item === 'number') return writeInteger(item, out, at);
  if (!(item instanceof Uint8Array)) return writeItems(listOf(item), out, at);
  const end = at + item.length;
  // Of bytes that say that they have no length, or less than none, nothing would be written, and nobody would notice.
  if (!(end >= at)) throw new TypeError('bytes have a length');
  if (end <= out.length) out.set(item, at);
  return end;
}

function writeInteger(value: number, out: Uint8Array, at: number): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError('a tuple holds integers from 0 to 2^53 - 1');
  const high = Math.floor(value / 2 ** 32);
  writeUint32(out, at, high);
  writeUint32(out, at + 4, value - high * 2 ** 32);
  return at + 8;
}

// Big-endian. A DataView of its own for each tuple costs as much as all the rest of a small one.
function writeUint32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/**
 * Reads one tuple strictly, part by part. Every method either returns a well-formed part or throws
 * `WIRE_TUPLE`; {@link TupleReader.end} refuses trailing bytes. Reading is the exact inverse of {@link tuple}.
 *
 * @example
 * ```ts
 * import { TupleReader, tuple } from 'muniment/wire';
 * const reader = TupleReader.labelled(tuple('example', 'text', 7), 'example');
 * const parts = [reader.text(), reader.integer()] as const;
 * reader.end();
 * ```
 */
export class TupleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Starts to read a tuple that must carry this label (given without the prefix). */
  static labelled(bytes: Uint8Array, label: string): TupleReader {
    const reader = new TupleReader(bytes);
    if (!equalBytes(reader.bytes(), utf8(LABEL_PREFIX + label))) throw new MunimentError('WIRE_TUPLE');
    return reader;
  }

  /** The next part as a copy of its bytes; with `length`, exactly that many. */
  bytes(length?: number): Uint8Array {
    const part = this.#next();
    if (length !== undefined && part.length !== length) throw new MunimentError('WIRE_TUPLE');
    return new Uint8Array(part); // slice() of a Buffer would share its memory
  }

  /** The next part as strict UTF-8 of at most `limit` bytes. */
  text(limit = 1024): string {
    const part = this.#next();
    if (part.length > limit) throw new MunimentError('WIRE_LIMIT');
    return fromUtf8(part);
  }

  /** The next part as an integer from 0 to 2^53 - 1. */
  integer(): number {
    const part = this.#next();
    if (part.length !== 8) throw new MunimentError('WIRE_TUPLE');
    const value = new DataView(part.buffer, part.byteOffset, 8).getBigUint64(0);
    if (value > BigInt(MAX_INTEGER)) throw new MunimentError('WIRE_TUPLE');
    return Number(value);
  }

  /** The next part as a list of at most `limit` parts, each read by `readPart`. */
  list<Part>(limit: number, readPart: (reader: TupleReader) => Part): Part[] {
    const inner = new TupleReader(this.#next());
    const parts: Part[] = [];
    while (!inner.done) {
      if (parts.length === limit) throw new MunimentError('WIRE_LIMIT');
      parts.push(readPart(inner));
    }
    return parts;
  }

  /** The next part as a group: a nested list of fixed shape, read by `readGroup` to its last byte. */
  group<Group>(readGroup: (reader: TupleReader) => Group): Group {
    const inner = new TupleReader(this.#next());
    const group = readGroup(inner);
    inner.end();
    return group;
  }

  /** How many bytes have been read: where the next part begins. */
  get position(): number {
    return this.#at;
  }

  /** Whether every byte has been read. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Refuses trailing bytes. */
  end(): void {
    if (!this.done) throw new MunimentError('WIRE_TUPLE');
  }

  #next(): Uint8Array {
    if (this.#bytes.length - this.#at < 4) throw new MunimentError('WIRE_TUPLE');
    const length = this.#view.getUint32(this.#at);
    const start = this.#at + 4;
    if (this.#bytes.length - start < length) throw new MunimentError('WIRE_TUPLE');
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }
}
