/** The vectors' spelling of bytes: lower-case hexadecimal. Kept apart from the library, which the vectors judge. */

/** Spells bytes. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Reads bytes, and refuses any other spelling. */
export function unhex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new TypeError('not lower-case hexadecimal');
  return new Uint8Array(Buffer.from(text, 'hex'));
}
