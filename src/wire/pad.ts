/** Length hiding: `pad(x)` is x behind its length, then zeros up to a bucket. spec/wire.md, "Padding". */

import { MunimentError } from '../errors.ts';

/** No padded plaintext is shorter than this many bytes. */
export const PAD_FLOOR = 256;

/**
 * The Padmé bucket of a length (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", 2019): at
 * most 12 % longer than the length, and only O(log log n) bits of it show. Never below {@link PAD_FLOOR}.
 *
 * @param length - bytes, from 0 to 2^31
 * @returns the padded length in bytes
 * @example
 * ```ts
 * import { padmeLength } from 'muniment/wire';
 * padmeLength(1000); // 1024
 * ```
 */
export function padmeLength(length: number): number {
  if (length <= PAD_FLOOR) return PAD_FLOOR;
  const exponent = Math.floor(Math.log2(length));
  const lastBits = exponent - (Math.floor(Math.log2(exponent)) + 1);
  const step = 2 ** lastBits;
  return Math.ceil(length / step) * step;
}

/**
 * Pads a plaintext to its Padmé bucket, or to a fixed bucket.
 *
 * @param plaintext - up to 2^31 bytes, or four bytes less than the fixed bucket
 * @param bucket - a fixed length in bytes, where all messages of a kind must look alike
 * @throws `RangeError` if the plaintext does not fit the fixed bucket
 * @example
 * ```ts
 * import { pad, unpad, utf8 } from 'muniment/wire';
 * unpad(pad(utf8('short'))); // the five bytes again; pad() made 256 of them
 * ```
 */
export function pad(plaintext: Uint8Array, bucket = padmeLength(plaintext.length + 4)): Uint8Array {
  if (plaintext.length + 4 > bucket) throw new RangeError('plaintext does not fit its padding bucket');
  const out = new Uint8Array(bucket);
  new DataView(out.buffer).setUint32(0, plaintext.length);
  out.set(plaintext, 4);
  return out;
}

/**
 * Takes the padding off and refuses any other spelling: a bucket that is not the exact one, or a byte that is not zero.
 *
 * @param padded - what {@link pad} made
 * @param bucket - the fixed bucket, if {@link pad} was given one
 * @throws `MunimentError` `WIRE_PADDING`
 * @example
 * ```ts
 * import { pad, unpad, utf8 } from 'muniment/wire';
 * unpad(pad(utf8('x'), 64), 64);
 * ```
 */
export function unpad(padded: Uint8Array, bucket?: number): Uint8Array {
  if (padded.length < 4) throw new MunimentError('WIRE_PADDING');
  const length = new DataView(padded.buffer, padded.byteOffset, 4).getUint32(0);
  if (length > padded.length - 4) throw new MunimentError('WIRE_PADDING');
  if (padded.length !== (bucket ?? padmeLength(length + 4))) throw new MunimentError('WIRE_PADDING');
  let sum = 0;
  for (let i = 4 + length; i < padded.length; i++) sum |= padded[i] ?? 0;
  if (sum !== 0) throw new MunimentError('WIRE_PADDING');
  return new Uint8Array(padded.subarray(4, 4 + length)); // slice() of a Buffer would share its memory
}
