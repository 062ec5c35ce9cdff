/** What an attack of the demo is, and the small things that all of them use. */

/** An attack. */
export interface Attack {
  readonly name: string;
  /** What it must be refused with. */
  readonly codes: readonly string[];
  /** Throws if it is refused. */
  readonly run: () => Promise<unknown>;
}

/** The same bytes with one bit in the middle turned over. */
export function flip(bytes: Uint8Array, at = Math.floor(bytes.length / 2)): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** For what a played world must hold. */
export function nothing(): never {
  throw new Error('the demo has nothing of this kind to attack');
}
