/** One byte changed, the rest as it was. */

/** A copy with byte `at` set to `value`. */
export function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at >= bytes.length) throw new RangeError('no such byte');
  const copy = new Uint8Array(bytes);
  copy[at] = value;
  return copy;
}

/** A copy with the bits of `mask` flipped in byte `at`. */
export function flipped(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  return changed(bytes, at, (bytes[at] ?? 0) ^ mask);
}
