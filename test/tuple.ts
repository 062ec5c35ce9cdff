/** The tuple encoder and SHA-256 once more, sharing no code with src: what independent checkers stand on. */

import { createHash } from 'node:crypto';

/** What a tuple may hold. */
export type Item = Buffer | Uint8Array | string | number | readonly Item[];

/** `T("muniment/1 " label, …)`. */
export function T(label: string, ...items: readonly Item[]): Buffer {
  return list([`muniment/1 ${label}`, ...items]);
}

/** A tuple without a label. */
export function list(items: readonly Item[]): Buffer {
  return Buffer.concat(
    items.flatMap((item) => {
      const bytes = encode(item);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** SHA-256. */
export function H(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The parts of a tuple, its label first. */
export function parts(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new Error('no tuple');
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found;
}

/** Bytes from hexadecimal. */
export function unhexed(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function encode(item: Item): Buffer {
  if (typeof item === 'string') return Buffer.from(item, 'utf8');
  if (typeof item === 'number') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(item));
    return bytes;
  }
  return item instanceof Uint8Array ? Buffer.from(item) : list(item);
}
