/** Strict base64url (RFC 4648 section 5, no padding, one spelling for each byte string). spec/wire.md, "Base64url". */

import { MunimentError } from '../errors.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const INVALID = 0xff;
const VALUES = new Uint8Array(128).fill(INVALID);
CODES.forEach((code, value) => (VALUES[code] = value));

const latin1 = new TextDecoder('latin1');

/**
 * Spells bytes as unpadded base64url.
 *
 * @param bytes - any length
 * @returns the one spelling that {@link fromBase64url} accepts
 * @example
 * ```ts
 * import { toBase64url } from 'muniment/wire';
 * toBase64url(Uint8Array.of(0xfb, 0xff)); // '-_8'
 * ```
 */
export function toBase64url(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (at1(bytes, i) << 16) | (at1(bytes, i + 1) << 8) | at1(bytes, i + 2);
    out[at++] = at1(CODES, word >>> 18);
    out[at++] = at1(CODES, (word >>> 12) & 63);
    if (i + 1 < bytes.length) out[at++] = at1(CODES, (word >>> 6) & 63);
    if (i + 2 < bytes.length) out[at++] = at1(CODES, word & 63);
  }
  return latin1.decode(out);
}

/**
 * Reads unpadded base64url. Padding, other alphabets, white space and non-zero unused bits are refused, so
 * that a byte string has exactly one spelling.
 *
 * @param text - base64url text; limit its length first
 * @returns the bytes
 * @throws `MunimentError` `WIRE_BASE64URL`
 * @example
 * ```ts
 * import { fromBase64url } from 'muniment/wire';
 * fromBase64url('-_8'); // Uint8Array [0xfb, 0xff]
 * ```
 */
export function fromBase64url(text: string): Uint8Array {
  const tail = text.length % 4;
  if (tail === 1) throw new MunimentError('WIRE_BASE64URL');
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let at = 0;
  let bad = 0;
  for (let i = 0; i < text.length; i += 4) {
    const count = Math.min(4, text.length - i);
    let word = 0;
    for (let k = 0; k < 4; k++) {
      const code = k < count ? text.charCodeAt(i + k) : 65;
      const value = code < 128 ? at1(VALUES, code) : INVALID;
      bad |= value & 0xc0;
      word = (word << 6) | (value & 63);
    }
    out[at] = word >>> 16;
    if (count > 2) out[at + 1] = (word >>> 8) & 0xff;
    else bad |= word & 0xffff;
    if (count > 3) out[at + 2] = word & 0xff;
    else if (count > 2) bad |= word & 0xff;
    at += 3;
  }
  if (bad !== 0) throw new MunimentError('WIRE_BASE64URL');
  return out;
}

/** Standard padded base64 (RFC 4648 section 4), for C2SP notes alone. */
export function toBase64(bytes: Uint8Array): string {
  const text = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** Reads what {@link toBase64} writes and no other spelling, or throws `WIRE_BASE64URL`. */
export function fromBase64(text: string): Uint8Array {
  const bytes = fromBase64url(
    text
      .replace(/={1,2}$/, '')
      .replaceAll('+', '-')
      .replaceAll('/', '_'),
  );
  if (toBase64(bytes) !== text) throw new MunimentError('WIRE_BASE64URL');
  return bytes;
}

function at1(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
