/** Strict base64url (RFC 4648 section 5, no padding, one spelling for each byte string). spec/wire.md, "Base64url". */

import { MunimentError } from '../errors.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** The spelling of every 12 bits. */
const PAIRS = Array.from({ length: 4096 }, (_, i) => ALPHABET.charAt(i >>> 6) + ALPHABET.charAt(i & 63));
const INVALID = 0xff;
const VALUES = new Uint8Array(128).fill(INVALID);
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/** Up to so many bytes or characters a call to the platform costs more than it saves. */
const SHORT = 96;

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
  return platform === null || bytes.length <= SHORT ? portableToBase64url(bytes) : platform.spell(bytes);
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
  if (platform === null || text.length <= SHORT) return portableFromBase64url(text);
  const bytes = platform.read(text);
  // Platforms read more than one spelling. This one writes only one.
  if (bytes === null || platform.spell(bytes) !== text) throw new MunimentError('WIRE_BASE64URL');
  return bytes;
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

/** {@link toBase64url} without the platform; for its tests too. */
export function portableToBase64url(bytes: Uint8Array): string {
  let text = '';
  const whole = bytes.length - (bytes.length % 3);
  for (let i = 0; i < whole; i += 3) {
    const word = (at(bytes, i) << 16) | (at(bytes, i + 1) << 8) | at(bytes, i + 2);
    text += pair(word >>> 12) + pair(word & 0xfff);
  }
  if (bytes.length - whole === 1) text += pair(at(bytes, whole) << 4);
  if (bytes.length - whole === 2) {
    const word = (at(bytes, whole) << 10) | (at(bytes, whole + 1) << 2);
    text += pair(word >>> 6) + ALPHABET.charAt(word & 63);
  }
  return text;
}

/** {@link fromBase64url} without the platform; for its tests too. */
export function portableFromBase64url(text: string): Uint8Array {
  const tail = text.length % 4;
  if (tail === 1) throw new MunimentError('WIRE_BASE64URL');
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let end = 0;
  let bad = 0;
  for (let i = 0; i < text.length; i += 4) {
    const count = Math.min(4, text.length - i);
    let word = 0;
    for (let k = 0; k < 4; k++) {
      const code = k < count ? text.charCodeAt(i + k) : 65;
      const value = code < 128 ? at(VALUES, code) : INVALID;
      bad |= value & 0xc0;
      word = (word << 6) | (value & 63);
    }
    out[end] = word >>> 16;
    if (count > 2) out[end + 1] = (word >>> 8) & 0xff;
    else bad |= word & 0xffff;
    if (count > 3) out[end + 2] = word & 0xff;
    else if (count > 2) bad |= word & 0xff;
    end += 3;
  }
  if (bad !== 0) throw new MunimentError('WIRE_BASE64URL');
  return out;
}

function pair(bits: number): string {
  return PAIRS[bits] ?? '';
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

/** What the platform has for base64url: it spells it well, and may read more than it should. */
interface Platform {
  spell(bytes: Uint8Array): string;
  /** Null for text that it will not read. */
  read(text: string): Uint8Array | null;
}

const platform = standardPlatform() ?? nodePlatform();

// ECMAScript 2026: browsers, and Node from 25.
function standardPlatform(): Platform | null {
  interface Newer {
    readonly fromBase64?: (text: string, options: object) => Uint8Array;
    readonly prototype: { readonly toBase64?: (this: Uint8Array, options: object) => string };
  }
  const { fromBase64, prototype } = Uint8Array as unknown as Newer;
  const { toBase64 } = prototype;
  if (fromBase64 === undefined || toBase64 === undefined) return null;
  const alphabet = 'base64url';
  return {
    spell: (bytes) => toBase64.call(bytes, { alphabet, omitPadding: true }),
    read(text) {
      try {
        return fromBase64.call(Uint8Array, text, { alphabet });
      } catch {
        return null;
      }
    },
  };
}

// Asked for as src/crypto asks for node:crypto, so that no bundler sees an import.
function nodePlatform(): Platform | null {
  const { process: host } = globalThis as { process?: Partial<typeof process> };
  const Buffer = host?.getBuiltinModule?.('node:buffer').Buffer;
  if (Buffer === undefined) return null;
  return {
    spell: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url'),
    read(text) {
      // Not from the pool, whose memory everything in the process shares.
      const out = Buffer.allocUnsafeSlow(Math.floor((text.length * 3) / 4));
      return out.write(text, 'base64url') === out.length
        ? new Uint8Array(out.buffer, out.byteOffset, out.length)
        : null;
    },
  };
}
