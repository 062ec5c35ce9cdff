/** Bytes and UTF-8 text. spec/wire.md, "Conventions". */

import { MunimentError } from '../errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Encodes text as UTF-8. Unlike a bare `TextEncoder` it refuses a lone surrogate instead of replacing it.
 *
 * @param text - any well-formed string
 * @returns its UTF-8 bytes
 * @throws `MunimentError` `WIRE_UTF8` for a lone surrogate
 * @example
 * ```ts
 * import { utf8 } from 'muniment/wire';
 * utf8('é'); // Uint8Array [0xc3, 0xa9]
 * ```
 */
export function utf8(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  if (text.length <= SHORT && writeAscii(text, out, 0)) return out;
  // A platform that need not look for room is several times as fast. What fills one byte a character is ASCII.
  if (encoder.encodeInto(text, out).read !== text.length) return longUtf8(text);
  return out;
}

function longUtf8(text: string): Uint8Array {
  checkWellFormed(text);
  return encoder.encode(text);
}

/** How many bytes {@link utf8} makes of a text. */
export function utf8Length(text: string): number {
  return isShortAscii(text) ? text.length : utf8(text).length;
}

/**
 * Writes what {@link utf8} makes of a text.
 *
 * @returns where it ends; somewhere beyond the end of `out` if there is no room, and then not all of it was written
 * @throws `MunimentError` `WIRE_UTF8` as {@link utf8}, if there is room
 */
export function writeUtf8(text: string, out: Uint8Array, at: number): number {
  const end = at + text.length;
  if (end > out.length) return end; // UTF-8 has no fewer bytes than the text has characters
  if (text.length <= SHORT && writeAscii(text, out, at)) return end;
  const { read, written } = encoder.encodeInto(text, out.subarray(at));
  if (read < text.length) return out.length + 1;
  if (written > read) checkWellFormed(text); // of ASCII every character is a byte
  return at + written;
}

const SHORT = 48;

// Labels, names and numbers are short and ASCII: written here, they cost a fraction of a call to the platform.
function isShortAscii(text: string): boolean {
  if (text.length > SHORT) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

// Says whether it was ASCII; of any other text what is written is of no use.
function writeAscii(text: string, out: Uint8Array, at: number): boolean {
  let all = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    all |= code;
    out[at + i] = code;
  }
  return all < 0x80;
}

/**
 * Decodes strict UTF-8: no replacement characters, no overlong forms; a byte order mark is kept as a character.
 *
 * @param bytes - UTF-8 bytes
 * @returns the text
 * @throws `MunimentError` `WIRE_UTF8` if the bytes are not UTF-8
 * @example
 * ```ts
 * import { fromUtf8 } from 'muniment/wire';
 * fromUtf8(Uint8Array.of(0xc3, 0xa9)); // 'é'
 * ```
 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new MunimentError('WIRE_UTF8', undefined, { cause });
  }
}

/** Joins byte strings. Not for anything that is hashed, signed or fed to a KDF: that is what `tuple` is for. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return concatAll(parts);
}

/** The same for a list of any length. */
export function concatAll(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * A copy that nobody else writes to. Of a buffer that poses as bytes, by its prototype, `new Uint8Array` is a view; here it
 * gives zeros.
 *
 * @param bytes - any length
 * @throws `RangeError` for bytes that say that they are shorter than they are
 * @example
 * ```ts
 * import { copyBytes } from 'muniment/wire';
 * const bytes = Uint8Array.of(1);
 * const copy = copyBytes(bytes);
 * bytes[0] = 2;
 * console.log(copy[0]); // 1
 * ```
 */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  const own = new Uint8Array(bytes.length);
  own.set(bytes);
  return own;
}

/** Compares two public byte strings. For secrets use `equalSecrets` of `muniment/crypto`, which takes the same time whatever differs. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Orders byte strings lexicographically, as their hexadecimal spellings would sort. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Spells bytes as lower-case hexadecimal: for names, map keys and displays, never as a wire format. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte] ?? '';
  return text;
}

// String.prototype.isWellFormed is not in Node 20's ES2022 typings; a surrogate without its partner matches here.
const LONE_SURROGATE = /\p{Surrogate}/u;

// Encoders put another character in the place of such a one.
function checkWellFormed(text: string): void {
  if (LONE_SURROGATE.test(text)) throw new MunimentError('WIRE_UTF8');
}
