/** The bank's log: a Merkle tree over blinded leaves, as RFC 6962. spec/log.md, "Tree". */

import {
  emptyRoot,
  HASH_LENGTH,
  hashTuple,
  leafHash,
  nodeHash,
  rootFromInclusion,
  rootsFromConsistency,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import { HashList } from './hash-list.ts';
import { consistencyRanges, foldRoots, inclusionRanges, nodesOf, type Range } from './tree.ts';

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

/**
 * A Merkle tree that grows. It keeps two hashes a leaf in memory, packed: 64 bytes a leaf, and at most 256 KiB for each
 * of its levels besides; a million leaves take 64 MB. The leaves themselves are the caller's to store.
 *
 * @example
 * ```ts
 * import { Log } from 'muniment/record';
 * const log = new Log();
 * for (let i = 0; i < 5; i++) log.append(Uint8Array.of(i));
 * console.log(log.size, log.inclusion(2).length, log.consistency(3).length); // 5 3 4
 * const again = Log.restore(log.hashes(0, 0, 5)); // what a bank keeps on disk: 32 bytes a leaf
 * ```
 */
export class Log {
  // #levels[k] holds the roots over the leaves i·2^k … (i+1)·2^k - 1.
  readonly #levels: HashList[] = [new HashList()];

  /**
   * A log again from the leaf hashes of all its leaves, as {@link Log.hashes} gives them at height 0: one hash a leaf
   * instead of two. They are believed, so they come from the bank's own storage.
   *
   * @param leafHashes - 32 bytes a leaf
   * @throws `RangeError` for another length
   */
  static restore(leafHashes: Uint8Array): Log {
    if (leafHashes.length % HASH_LENGTH !== 0) throw new RangeError('leaf hashes are 32 bytes each');
    const log = new Log();
    for (let at = 0; at < leafHashes.length; at += HASH_LENGTH)
      log.#append(leafHashes.subarray(at, at + HASH_LENGTH));
    return log;
  }

  /** How many leaves it has. */
  get size(): number {
    return this.#level(0).length;
  }

  /** Appends a leaf and returns its index. */
  append(leaf: Uint8Array): number {
    return this.#append(leafHash(leaf));
  }

  /**
   * Forgets the leaves from `size` on: for those that were never durable, because writing them failed. Nothing that
   * was signed is forgotten.
   *
   * @throws `RangeError` for a size that the log does not have
   */
  cut(size: number): void {
    this.#check(size);
    for (const [height, level] of this.#levels.entries()) level.cut(Math.floor(size / 2 ** height));
  }

  /** The root over the first `size` leaves. */
  root(size = this.size): Uint8Array {
    this.#check(size);
    return this.#rangeRoot({ start: 0, end: size });
  }

  /** The proof that leaf `index` is among the first `size` (RFC 9162 section 2.1.3.1). */
  inclusion(index: number, size = this.size): Uint8Array[] {
    this.#check(size);
    if (!(isCount(index) && index < size)) throw new RangeError('index outside the log');
    return inclusionRanges(index, size).map((range) => this.#rangeRoot(range));
  }

  /** The proof that the first `older` leaves are a prefix of the first `newer` (RFC 9162 section 2.1.4.1); empty if either is trivial. */
  consistency(older: number, newer = this.size): Uint8Array[] {
    this.#check(newer);
    if (!(isCount(older) && older <= newer)) throw new RangeError('sizes outside the log');
    return consistencyRanges(older, newer).map((range) => this.#rangeRoot(range));
  }

  /**
   * The hashes of perfect subtrees: of height 0 the leaf hashes, of height k the roots over 2^k leaves each.
   *
   * @param height - 0 to 52
   * @param start - the first subtree's index in its height
   * @param end - one more than the last's
   * @returns 32 bytes a subtree, one behind the other
   * @throws `RangeError` if the log is not that large
   */
  hashes(height: number, start: number, end: number): Uint8Array {
    if (![height, start, end].every(isCount)) throw new RangeError('not a part of a log');
    return this.#level(height).range(start, end);
  }

  #append(hash: Uint8Array): number {
    const index = this.size;
    for (let [height, i, node] = [0, index, hash]; ; height++, i = (i - 1) / 2) {
      const level = (this.#levels[height] ??= new HashList());
      level.push(node);
      if (i % 2 === 0) return index;
      node = nodeHash(level.at(i - 1), node);
    }
  }

  #rangeRoot(range: Range): Uint8Array {
    return foldRoots(nodesOf(range).map(({ height, index }) => this.#level(height).at(index)));
  }

  #level(height: number): HashList {
    return this.#levels[height] ?? new HashList();
  }

  #check(size: number): void {
    if (!isCount(size) || size > this.size) throw new RangeError('size outside the log');
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

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
