/**
 * The part of DER (ITU-T X.690) that keys are written in: one-byte tags, and lengths in their one shortest form up
 * to 65,535 bytes. Every refusal is `KEY_FILE`. Left out, since no key has one: integers other than small versions,
 * times, character strings, indefinite lengths. spec/keys.md, "Encodings".
 */

import { MunimentError } from '../errors.ts';
import { concat } from '../wire/index.ts';

/** The tags that keys use, class and constructed bit included. */
export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
  /** `[0] IMPLICIT` over a primitive type. */
  implicit0: 0x80,
  /** `[1] IMPLICIT` over a primitive type. */
  implicit1: 0x81,
  /** `[0]` over a constructed type, or `[0] EXPLICIT`. */
  tagged0: 0xa0,
  /** `[1]` over a constructed type, or `[1] EXPLICIT`. */
  tagged1: 0xa1,
} as const;

const MAX_LENGTH = 0xffff;

/** One element: its tag, its length, and the contents given, one after another. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  return concat(Uint8Array.of(tag, ...encodeLength(length)), ...contents);
}

/** An integer from 0 to 127: all that a version needs. */
export function derVersion(version: number): Uint8Array {
  return der(TAG.integer, Uint8Array.of(version));
}

/** A bit string of whole bytes; with another tag, one that is tagged implicitly. */
export function derBitString(bytes: Uint8Array, tag: number = TAG.bitString): Uint8Array {
  return der(tag, Uint8Array.of(0), bytes);
}

/** An object identifier from its dotted spelling, such as `1.3.101.112`. */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(TAG.objectIdentifier, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Reads elements one after another, each of the tag that must stand there, to the last byte. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Reads bytes that are one element of this tag and nothing more. */
  static whole<Result>(bytes: Uint8Array, tag: number, read: (reader: DerReader) => Result): Result {
    const outer = new DerReader(bytes);
    const result = outer.nested(tag, read);
    outer.end();
    return result;
  }

  /** The tag of the next element; `undefined` at the end. */
  get tag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The content of the next element, as a view. */
  content(tag: number): Uint8Array {
    if (this.tag !== tag) refuse();
    const [length, start] = this.#length();
    if (this.#bytes.length - start < length) refuse();
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** The next element, tag and length included, as a view. */
  element(tag: number): Uint8Array {
    const start = this.#at;
    this.content(tag);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Reads what is inside the next element, to its last byte. */
  nested<Result>(tag: number, read: (reader: DerReader) => Result): Result {
    const inner = new DerReader(this.content(tag));
    const result = read(inner);
    inner.end();
    return result;
  }

  /** An integer from 0 to 127 in one byte. */
  version(): number {
    const [value = 0xff, ...more] = this.content(TAG.integer);
    return more.length > 0 || value > 0x7f ? refuse() : value;
  }

  /** The bytes of a bit string that has no odd bits. */
  bitString(tag: number = TAG.bitString): Uint8Array {
    const content = this.content(tag);
    return content[0] === 0 ? content.subarray(1) : refuse();
  }

  /** Refuses trailing bytes. */
  end(): void {
    if (this.#at !== this.#bytes.length) refuse();
  }

  // The length after the tag, and where the content begins.
  #length(): [length: number, start: number] {
    const at = this.#at + 1;
    const [first = 0xff, second = 0, third = 0] = this.#bytes.subarray(at, at + 3);
    if (first < 0x80) return [first, at + 1];
    if (first === 0x81 && second >= 0x80) return [second, at + 2];
    if (first === 0x82 && second > 0) return [(second << 8) | third, at + 3];
    return refuse(); // indefinite, not the shortest, or longer than any key
  }
}

function encodeLength(length: number): number[] {
  if (length > MAX_LENGTH) throw new RangeError('an element of a key has at most 65,535 bytes');
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

// Seven bits a byte, the high bit on all but the last (X.690 section 8.19).
function base128(value: number): number[] {
  const groups = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) groups.unshift((rest & 0x7f) | 0x80);
  return groups;
}

function refuse(): never {
  throw new MunimentError('KEY_FILE');
}
