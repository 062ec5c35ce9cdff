/**
 * Which parts of a tree its roots and proofs are made of (RFC 9162 sections 2.1.1, 2.1.3 and 2.1.4), for a tree in
 * memory and one behind tiles alike. spec/log.md, "Tree".
 */

import { emptyRoot, nodeHash } from '../crypto/index.ts';

/** The leaves from `start` up to and without `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The root of a perfect subtree: over the leaves `index · 2^height` … `(index + 1) · 2^height - 1`. */
export interface Node {
  readonly height: number;
  readonly index: number;
}

/** The ranges whose roots prove that leaf `index` is among the first `size`. */
export function inclusionRanges(index: number, size: number): Range[] {
  const ranges: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + split(end - start);
    ranges.push(index < middle ? { start: middle, end } : { start, end: middle });
    [start, end] = index < middle ? [start, middle] : [middle, end];
  }
  return ranges.reverse();
}

/** The ranges whose roots prove that the first `older` leaves are a prefix of the first `newer`; none if that is trivial. */
export function consistencyRanges(older: number, newer: number): Range[] {
  if (older === 0) return [];
  const ranges: Range[] = [];
  let [start, end] = [0, newer];
  while (older !== end) {
    const middle = start + split(end - start);
    ranges.push(older <= middle ? { start: middle, end } : { start, end: middle });
    [start, end] = older <= middle ? [start, middle] : [middle, end];
  }
  // The older root itself is known to whoever verifies.
  if (start > 0) ranges.push({ start, end });
  return ranges.reverse();
}

/** The perfect subtrees that a range of a proof is made of, largest first. */
export function nodesOf({ start, end }: Range): Node[] {
  const nodes: Node[] = [];
  for (let at = start; at < end;) {
    const height = log2(end - at);
    nodes.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return nodes;
}

/** The root over perfect subtrees, largest first. */
export function foldRoots(roots: readonly Uint8Array[]): Uint8Array {
  const last = roots.at(-1);
  if (last === undefined) return emptyRoot();
  return roots.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

// The largest power of two below a size.
function split(size: number): number {
  return 2 ** log2(size - 1);
}

// Whole, rounded down. Math.log2 rounds to the nearest number and takes 2^49 - 1 for 2^49.
function log2(value: number): number {
  const guess = Math.floor(Math.log2(value));
  return 2 ** guess > value ? guess - 1 : guess;
}
