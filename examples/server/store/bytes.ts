/** Bytes as the engines give them, and as the library takes them. */

/** Engines give `Buffer`s; the library takes plain bytes. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Takes 32-byte hashes apart that are stored joined. */
export function splitHashes(joined: Uint8Array): Uint8Array[] {
  return Array.from({ length: joined.length / 32 }, (_, i) => plain(joined).slice(32 * i, 32 * i + 32));
}
