/**
 * Randomness that is the same on every machine: SHA-256 in counter mode under a label. Vectors write down every
 * byte that they took, so a reader of the JSON files never needs this.
 */

import { createHash } from 'node:crypto';
import type { Random } from '../../../src/crypto/index.ts';
import { hex } from '../hex.ts';

const DOMAIN = 'muniment test vectors';

/**
 * A stream of bytes that depends on nothing but its label; each call takes the next ones.
 *
 * @param label - what the bytes are for, unique among the vectors of a file
 */
export function seededRandom(label: string): Random {
  let rest = Buffer.alloc(0);
  let counter = 0;
  return (length) => {
    while (rest.length < length) {
      const block = createHash('sha256').update(`${DOMAIN}\0${label}\0${counter++}`, 'utf8').digest();
      rest = Buffer.concat([rest, block]);
    }
    const taken = new Uint8Array(rest.subarray(0, length));
    rest = rest.subarray(length);
    return taken;
  };
}

/** A seeded stream that remembers what was taken from it, to be written into the vector as `randomness`. */
export function recordedRandom(label: string): { readonly random: Random; taken(): string } {
  const stream = seededRandom(label);
  let taken = '';
  return {
    random: (length) => {
      const bytes = stream(length);
      taken += hex(bytes);
      return bytes;
    },
    taken: () => taken,
  };
}
