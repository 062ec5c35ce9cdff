/**
 * Merkle tree hashes, inclusion and consistency proofs as RFC 6962 section 2.1 defines them: the one place where
 * hashes are not over tuples, so that existing logs and monitors agree with ours. spec/log.md, "Tree".
 */

import { concat } from '../wire/index.ts';
import { primitive } from './backend.ts';
import { HASH_LENGTH, sha256 } from './hash.ts';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** `H(0x00 ‖ leaf)`. */
export function leafHash(leaf: Uint8Array): Uint8Array {
  return primitive('sha256')(LEAF, leaf); // a leaf may be long, and is not copied for the byte before it
}

/** `H(0x01 ‖ left ‖ right)`. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concat(NODE, left, right));
}

/** The hash of the tree without leaves: `H("")`. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array(0));
}

/**
 * Folds leaf hashes into a root while they come, keeping one hash per level: constant memory however many.
 */
export class RootFolder {
  /** The roots of the perfect subtrees so far, largest first, each with its number of leaves. */
  readonly #subtrees: { size: number; hash: Uint8Array }[] = [];

  /** Takes the next leaf hash. */
  add(hash: Uint8Array): void {
    let tree = { size: 1, hash };
    for (let last = this.#subtrees.at(-1); last?.size === tree.size; last = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      tree = { size: last.size * 2, hash: nodeHash(last.hash, tree.hash) };
    }
    this.#subtrees.push(tree);
  }

  /** The root over the leaves so far. */
  root(): Uint8Array {
    const last = this.#subtrees.at(-1);
    if (last === undefined) return emptyRoot();
    return this.#subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left.hash, right), last.hash);
  }
}

/** The root that an inclusion proof leads to, or `null` if the proof has not the length that index and size demand (RFC 9162 section 2.1.3.2). */
export function rootFromInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Uint8Array | null {
  if (!isCount(index) || !isCount(size) || index >= size || ![leaf, ...proof].every(isHash)) return null;
  let [fn, sn, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 ? hash : null;
}

/** Both roots that a consistency proof leads to, or `null` if the proof is malformed (RFC 9162 section 2.1.4.2). Sizes: 0 < older < newer. */
export function rootsFromConsistency(
  older: number,
  newer: number,
  olderRoot: Uint8Array,
  proof: readonly Uint8Array[],
): { older: Uint8Array; newer: Uint8Array } | null {
  if (!isCount(older) || !isCount(newer) || older === 0 || older >= newer) return null;
  const path = isPowerOfTwo(older) ? [olderRoot, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined || ![olderRoot, ...proof].every(isHash)) return null;
  let [fn, sn] = [older - 1, newer - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let [oldHash, newHash] = [first, first];
  for (const sibling of path) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 ? { older: oldHash, newer: newHash } : null;
}

// Shifts would cut numbers to 32 bits; logs may grow past 2^31 leaves.
function half(value: number): number {
  return Math.floor(value / 2);
}

// Math.log2 alone rounds: it takes 2^49 - 1 for a power of two.
function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

/** Whether these are the bytes of a hash: two of other lengths could be cut apart otherwise. */
export function isHash(hash: Uint8Array): boolean {
  return hash.length === HASH_LENGTH;
}

/** Whether this is an index or a size: a fraction would be led down the path of a whole number beside it. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
