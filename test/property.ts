/** How properties are checked: reproducible, unless a seed is asked for. */

import fc from 'fast-check';

const { MUNIMENT_SEED, MUNIMENT_SLOW } = process.env;

/** Whether the long runs are wanted. */
export const SLOW = MUNIMENT_SLOW !== undefined && MUNIMENT_SLOW !== '';

/** Fixed seed; MUNIMENT_SEED gives another, which fast-check prints with every counterexample. */
export const PROPERTY: fc.Parameters<unknown> = {
  seed: MUNIMENT_SEED === undefined ? 20_260_101 : Number(MUNIMENT_SEED),
  numRuns: SLOW ? 5000 : 300,
};

/** Any text without lone surrogates. */
export const wellFormed = fc.string({ unit: 'binary', maxLength: 60 });
