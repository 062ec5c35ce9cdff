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
  let draws = drawWords(0, random);
  for (let i = items.length - 1, used = 0; i > 0; i--) {
    const limit = 2 ** 32 - (2 ** 32 % (i + 1)); // a draw from here on would favour small numbers
    let draw = limit;
    while (draw >= limit) {
      // A call to the platform costs more than all the rest: as many draws at once as are still needed.
      if (used === draws.byteLength) [draws, used] = [drawWords(Math.min(i, DRAWS), random), 0];
      draw = draws.getUint32(used);
      used += 4;
    }
    const j = draw % (i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
}

// The platform gives no more than 65,536 bytes at a time.
const DRAWS = 16_384;

function drawWords(count: number, random: Random): DataView {
  const bytes = count === 0 ? new Uint8Array(0) : random(4 * count);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
