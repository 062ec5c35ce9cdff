/**
 * Proofs that consecutive leaves stand in an RFC 6962 tree at their places, and the tree that gives them: one hash a leaf
 * and little more. RFC 6962 has such proofs for one leaf only. spec/crypto.md, "Trees".
 */

import { concat } from '../wire/index.ts';
import { HASH_LENGTH } from './hash.ts';
import { isCount, isHash, nodeHash } from './merkle.ts';

/** Consecutive leaves: `from` is the first, and `to` the one after the last. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** The root that a proof for consecutive leaves leads to, and their hashes; or `null` if it has not as many hashes as range and size demand. */
export function rootFromRange(
  range: LeafRange,
  size: number,
  proof: readonly Uint8Array[],
): { readonly root: Uint8Array; readonly leaves: readonly Uint8Array[] } | null {
  // A proof has a hash for each leaf: what is asked about more of them costs nothing.
  if (!isRange(range, size) || range.to - range.from > proof.length || !proof.every(isHash)) return null;
  const tree = { from: 0, to: size };
  const parts = partsOf(range, tree);
  if (parts.length !== proof.length) return null;
  const before = parts.findIndex(({ from }) => from === range.from);
  const hashes = proof.values();
  const fold = (part: LeafRange): Uint8Array => {
    if (isPart(range, part)) return hashes.next().value ?? new Uint8Array(0); // there are as many as parts
    const [first, second] = halvesOf(part);
    return nodeHash(fold(first), fold(second));
  };
  return { root: fold(tree), leaves: proof.slice(before, before + range.to - range.from) };
}

/** A tree of which the leaves' hashes are all there: 32 bytes a leaf, and of the subtrees above only the large ones. */
export class MerkleTree {
  readonly #leaves: Uint8Array;
  readonly #large = new Map<string, Uint8Array>();

  /** Takes the hashes of at least one leaf, joined; they are copied. */
  constructor(leaves: Uint8Array) {
    if (leaves.length === 0 || leaves.length % HASH_LENGTH !== 0) throw new RangeError('hashes of leaves');
    this.#leaves = concat(leaves);
  }

  /** How many leaves it has. */
  get size(): number {
    return this.#leaves.length / HASH_LENGTH;
  }

  /** The leaves' hashes, joined. */
  leaves(): Uint8Array {
    return concat(this.#leaves);
  }

  /** The root over all leaves. */
  root(): Uint8Array {
    return this.#rootOf({ from: 0, to: this.size });
  }

  /**
   * The proof for consecutive leaves: from left to right the roots of the largest subtrees that lie outside, and the hash
   * of each leaf inside.
   *
   * @throws `RangeError` if these are not leaves of the tree, or none
   */
  proof(range: LeafRange): Uint8Array[] {
    if (!isRange(range, this.size)) throw new RangeError('leaves outside the tree');
    return partsOf(range, { from: 0, to: this.size }).map((part) => this.#rootOf(part).slice());
  }

  #rootOf(tree: LeafRange): Uint8Array {
    const { from, to } = tree;
    if (to - from === 1) return this.#leaves.slice(HASH_LENGTH * from, HASH_LENGTH * to);
    const name = `${String(from)}-${String(to)}`;
    const known = this.#large.get(name);
    if (known !== undefined) return known;
    const [first, second] = halvesOf(tree);
    const root = nodeHash(this.#rootOf(first), this.#rootOf(second));
    if (to - from >= LARGE) this.#large.set(name, root);
    return root;
  }
}

// Subtrees of fewer leaves are hashed anew for each proof: keeping them too would double the memory.
const LARGE = 256;

function partsOf(range: LeafRange, tree: LeafRange): LeafRange[] {
  return isPart(range, tree) ? [tree] : halvesOf(tree).flatMap((half) => partsOf(range, half));
}

// Whether a proof has this subtree as one hash: all of it lies outside, or it is a leaf.
function isPart({ from, to }: LeafRange, tree: LeafRange): boolean {
  return tree.to <= from || tree.from >= to || tree.to - tree.from === 1;
}

function isRange({ from, to }: LeafRange, size: number): boolean {
  return [from, to, size].every(isCount) && from < to && to <= size;
}

// RFC 6962 section 2.1: the first half has the largest power of two below the number of leaves.
function halvesOf({ from, to }: LeafRange): readonly [LeafRange, LeafRange] {
  let size = 1;
  while (size * 2 < to - from) size *= 2;
  return [
    { from, to: from + size },
    { from: from + size, to },
  ];
}
