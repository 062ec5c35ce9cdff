/** Values that are derived from bytes once and kept: imported keys above all. */

import { copyBytes, equalBytes } from '../wire/index.ts';

/**
 * Wraps a derivation so that its result is kept beside the array it was derived from, as long as that array lives.
 * Arrays can be written to, so the bytes are compared with a copy each time: a changed key is never answered with the
 * old one's value.
 */
export function keep<Value>(derive: (bytes: Uint8Array) => Value): (bytes: Uint8Array) => Value {
  const kept = new WeakMap<Uint8Array, { readonly copy: Uint8Array; readonly value: Value }>();
  return (bytes) => {
    const known = kept.get(bytes);
    if (known !== undefined && equalBytes(known.copy, bytes)) return known.value;
    const copy = copyBytes(bytes);
    const value = derive(copy);
    kept.set(bytes, { copy, value });
    return value;
  };
}
