/** Proofs for consecutive leaves: for every tree and range they lead to the root of RFC 6962, and altered ones do not. */

import { describe, expect, it } from 'vitest';
import { leafHash, MerkleTree, rootFromRange } from '../../src/crypto/index.ts';
import { concat } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { inclusionProof, treeHash } from '../vectors/generators/crypto.ts';
import { hex } from '../vectors/hex.ts';

const hashes = Array.from({ length: 600 }, (_, i) => leafHash(Uint8Array.of(i >> 8, i & 255)));
const treeOf = (size: number): MerkleTree => new MerkleTree(concat(...hashes.slice(0, size)));

describe('ranges of leaves', () => {
  it('lead to the root, for every size up to 20 and every place', () => {
    let checked = 0;
    for (let size = 1; size <= 20; size++) {
      const tree = treeOf(size);
      const root = hex(treeHash(hashes.slice(0, size)));
      expect([tree.size, hex(tree.root())]).toEqual([size, root]);
      for (let from = 0; from < size; from++)
        for (let to = from + 1; to <= size; to++, checked++) {
          const found = rootFromRange({ from, to }, size, tree.proof({ from, to }))!;
          expect(hex(found.root)).toBe(root);
          expect(found.leaves).toEqual(hashes.slice(from, to));
        }
    }
    expect(checked).toBe((20 * 21 * 22) / 6);
  });

  it('lead to it in trees whose large subtrees are remembered, the first time and again', () => {
    const tree = treeOf(600);
    const root = hex(treeHash(hashes));
    for (const range of [
      { from: 0, to: 256 },
      { from: 256, to: 512 },
      { from: 512, to: 600 },
      { from: 255, to: 257 },
      { from: 0, to: 600 },
      { from: 599, to: 600 },
    ])
      for (let again = 0; again < 2; again++)
        expect(hex(rootFromRange(range, 600, tree.proof(range))!.root)).toBe(root);
    expect(hex(tree.root())).toBe(root);
  });

  it('have the hashes of RFC 6962’s own proof where they are of one leaf', () => {
    const proof = treeOf(21).proof({ from: 13, to: 14 }).map(hex);
    const own = [...inclusionProof(13, hashes.slice(0, 21)), hashes[13]!].map(hex);
    expect([...proof].sort()).toEqual(own.sort());
  });

  it('lead elsewhere, or nowhere, with anything altered', () => {
    const [range, size] = [{ from: 5, to: 9 }, 21];
    const tree = treeOf(size);
    const proof = tree.proof(range);
    const lead = (other: readonly Uint8Array[], at = range, of = size): string | null => {
      const found = rootFromRange(at, of, other);
      return found === null ? null : hex(found.root);
    };
    const root = hex(tree.root());
    expect(lead(proof)).toBe(root);
    for (const i of proof.keys()) {
      expect(lead(proof.map((one, j) => (i === j ? flipped(one, 31) : one)))).not.toBe(root);
      expect(lead(proof.map((one, j) => (i === j ? one.subarray(1) : one)))).toBeNull();
      expect(lead(proof.filter((_, j) => j !== i))).toBeNull();
      expect(lead([...proof.slice(0, i), hashes[0]!, ...proof.slice(i)])).toBeNull();
      if (i > 0)
        expect(lead(proof.map((one, j) => proof[j === i ? i - 1 : j === i - 1 ? i : j] ?? one))).not.toBe(
          root,
        );
    }
    const others: string[] = [];
    for (let from = 0; from < size; from++)
      for (let to = from + 1; to <= size; to++) {
        const other = tree.proof({ from, to });
        // A leaf that stands alone is one hash in the range and beside it: leaf 4 here, and leaf 9.
        if (other.map(hex).join() === proof.map(hex).join()) others.push(`${from}-${to}`);
        else expect(lead(other)).not.toBe(root);
      }
    expect(others).toEqual(['4-9', '4-10', '5-9', '5-10']);
  });

  it.each([-1, 0.5, 22, Number.NaN, Infinity, 2 ** 53])('have no place or size %s', (number) => {
    const proof = treeOf(21).proof({ from: 0, to: 21 });
    for (const [from, to, size] of [
      [number, 21, 21],
      [0, number, 21],
      [0, 21, number],
      [0, 0, 21],
      [3, 2, 21],
    ] as const) {
      if (size !== 22) expect(rootFromRange({ from, to }, size, proof)).toBeNull();
      if (size === 21) expect(() => treeOf(21).proof({ from, to })).toThrow(RangeError);
    }
  });

  it('cost nothing where they are said to be of more leaves than there are hashes', () => {
    expect(rootFromRange({ from: 0, to: 2 ** 53 - 1 }, 2 ** 53 - 1, hashes)).toBeNull();
  });

  it('are of hashes: a tree of none, or of a part of one, is not made', () => {
    for (const length of [0, 31, 33])
      expect(() => new MerkleTree(new Uint8Array(length))).toThrow(RangeError);
  });

  it('come from a tree that nobody changes from outside', () => {
    const bytes = concat(...hashes.slice(0, 599));
    const tree = new MerkleTree(bytes);
    const root = hex(tree.root());
    bytes.fill(0);
    tree.leaves().fill(0);
    for (const range of [
      { from: 0, to: 3 },
      { from: 598, to: 599 },
    ])
      for (const one of tree.proof(range)) one.fill(0);
    expect(hex(tree.root())).toBe(root);
  });
});
