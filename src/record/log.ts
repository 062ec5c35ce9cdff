/** The bank's log: a Merkle tree over blinded leaves, as RFC 6962. spec/record.md, "Log". */

import {
  emptyRoot,
  hashTuple,
  leafHash,
  nodeHash,
  rootFromInclusion,
  rootsFromConsistency,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import type { ChainName } from './entry.ts';

/** Most hashes in one proof: a tree of 2^53 leaves is no deeper. */
export const PROOF_LIMIT = 64;

/** What opens a leaf: it tells which entry stands there, to whoever holds the entry. */
export interface LeafOpening {
  readonly recordId: Uint8Array;
  /** 32 random bytes of the record, stated in its first entry. */
  readonly tagSalt: Uint8Array;
  readonly chain: ChainName;
  readonly seq: number;
  /** When the bank took the entry, in milliseconds since 1970. */
  readonly time: number;
  readonly entryHash: Uint8Array;
}

/** A log's state: how many leaves, and the root over them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** `leaf = H(T("muniment/1 log leaf", H(T("muniment/1 log tag", …)), server time, entryHash))`, 32 bytes. */
export function logLeaf(opening: LeafOpening): Uint8Array {
  const { recordId, tagSalt, chain, seq, time, entryHash } = opening;
  return hashTuple('log leaf', hashTuple('log tag', recordId, tagSalt, chain, seq), time, entryHash);
}

/** A Merkle tree that grows. It keeps two hashes a leaf in memory; the leaves themselves are the caller's to store. */
export class Log {
  // #levels[k][i] is the root over the leaves i·2^k … (i+1)·2^k - 1.
  readonly #levels: Uint8Array[][] = [[]];

  /** How many leaves it has. */
  get size(): number {
    return this.#levels[0]?.length ?? 0;
  }

  /** Appends a leaf and returns its index. */
  append(leaf: Uint8Array): number {
    const index = this.size;
    let hash = leafHash(leaf);
    for (let level = 0, i = index; ; level++, i = (i - 1) / 2) {
      const nodes = (this.#levels[level] ??= []);
      nodes.push(hash);
      if (i % 2 === 0) return index;
      hash = nodeHash(nodes[i - 1] ?? missing(), hash);
    }
  }

  /** The root over the first `size` leaves. */
  root(size = this.size): Uint8Array {
    this.#check(size);
    return size === 0 ? emptyRoot() : this.#rangeRoot(0, size);
  }

  /** The proof that leaf `index` is among the first `size` (RFC 9162 section 2.1.3.1). */
  inclusion(index: number, size = this.size): Uint8Array[] {
    this.#check(size);
    if (!(index >= 0 && index < size)) throw new RangeError('index outside the log');
    return this.#path(index, 0, size);
  }

  /** The proof that the first `older` leaves are a prefix of the first `newer` (RFC 9162 section 2.1.4.1); empty if either is trivial. */
  consistency(older: number, newer = this.size): Uint8Array[] {
    this.#check(newer);
    if (!(older >= 0 && older <= newer)) throw new RangeError('sizes outside the log');
    return older === 0 || older === newer ? [] : this.#subproof(older, 0, newer, true);
  }

  #path(index: number, start: number, end: number): Uint8Array[] {
    if (end - start === 1) return [];
    const middle = start + split(end - start);
    return index < middle
      ? [...this.#path(index, start, middle), this.#rangeRoot(middle, end)]
      : [...this.#path(index, middle, end), this.#rangeRoot(start, middle)];
  }

  #subproof(older: number, start: number, end: number, whole: boolean): Uint8Array[] {
    if (older === end) return whole ? [] : [this.#rangeRoot(start, end)];
    const middle = start + split(end - start);
    return older <= middle
      ? [...this.#subproof(older, start, middle, whole), this.#rangeRoot(middle, end)]
      : [...this.#subproof(older, middle, end, false), this.#rangeRoot(start, middle)];
  }

  #rangeRoot(start: number, end: number): Uint8Array {
    const size = end - start;
    const level = Math.log2(size);
    if (Number.isInteger(level) && start % size === 0)
      return this.#levels[level]?.[start / size] ?? missing();
    const middle = start + split(size);
    return nodeHash(this.#rangeRoot(start, middle), this.#rangeRoot(middle, end));
  }

  #check(size: number): void {
    if (!Number.isInteger(size) || size < 0 || size > this.size) throw new RangeError('size outside the log');
  }
}

/**
 * Verifies that a leaf stands at an index of a log.
 *
 * @param opening - the leaf's content
 * @param place - its index and the proof
 * @param head - size and root of a verified checkpoint
 * @throws `MunimentError` `RECORD_INCLUSION`
 */
export function verifyInclusion(
  opening: LeafOpening,
  place: { readonly index: number; readonly proof: readonly Uint8Array[] },
  head: TreeHead,
): void {
  const root = rootFromInclusion(leafHash(logLeaf(opening)), place.index, head.size, place.proof);
  if (root === null || !equalBytes(root, head.root)) throw new MunimentError('RECORD_INCLUSION');
}

/**
 * Verifies that a newer tree head extends an older one, and returns the newer.
 *
 * @throws `MunimentError` `RECORD_CONSISTENCY`
 */
export function verifyConsistency(older: TreeHead, newer: TreeHead, proof: readonly Uint8Array[]): TreeHead {
  if (![older, newer].every(isPossible)) throw new MunimentError('RECORD_CONSISTENCY');
  if (older.size === newer.size) {
    if (proof.length !== 0 || !equalBytes(older.root, newer.root))
      throw new MunimentError('RECORD_CONSISTENCY');
    return newer;
  }
  if (older.size === 0 && proof.length === 0) return newer;
  const roots = rootsFromConsistency(older.size, newer.size, older.root, proof);
  const agrees = roots !== null && equalBytes(roots.older, older.root) && equalBytes(roots.newer, newer.root);
  if (!agrees) throw new MunimentError('RECORD_CONSISTENCY');
  return newer;
}

// The log without leaves has one root.
function isPossible({ size, root }: TreeHead): boolean {
  return size > 0 || equalBytes(root, emptyRoot());
}

function split(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1);
}

function missing(): never {
  throw new RangeError('the log lacks a node');
}
