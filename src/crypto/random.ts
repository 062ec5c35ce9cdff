/** The one source of randomness. spec/crypto.md, "Randomness". */

import { randomBytes } from '@noble/hashes/utils.js';

/** Gives `length` unpredictable bytes. Handed in by tests that need fixed vectors; everybody else leaves the default. */
export type Random = (length: number) => Uint8Array;

/** The platform's own generator (`crypto.getRandomValues`). */
export const systemRandom: Random = (length) => randomBytes(length);

/**
 * Shuffles in place, every order equally likely (Fisher–Yates over unbiased draws).
 *
 * @param items - the array to shuffle
 * @param random - the source of randomness
 */
export function shuffle(items: unknown[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = uniform(i + 1, random);
    [items[i], items[j]] = [items[j], items[i]];
  }
}

function uniform(bound: number, random: Random): number {
  const limit = 2 ** 32 - (2 ** 32 % bound); // a draw from here on would favour small numbers
  for (;;) {
    const bytes = random(4);
    const draw = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (draw < limit) return draw % bound;
  }
}
