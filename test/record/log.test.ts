/** The log against RFC 6962 written down once more, naively and on node:crypto. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { leafHash } from '../../src/crypto/index.ts';
import {
  Log,
  logLeaf,
  PROOF_LIMIT,
  verifyConsistency,
  verifyInclusion,
  type LeafOpening,
} from '../../src/record/index.ts';
import { flipped } from '../mutation.ts';
import { refusal } from '../refusal.ts';

const SIZES = 70;
const sha = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};
// RFC 6962 section 2.1, word for word.
const mth = (leaves: readonly Uint8Array[]): Uint8Array => {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return sha(Uint8Array.of(0), leaves[0]!);
  const k = below(leaves.length);
  return sha(Uint8Array.of(1), mth(leaves.slice(0, k)), mth(leaves.slice(k)));
};
const path = (m: number, leaves: readonly Uint8Array[]): Uint8Array[] => {
  if (leaves.length === 1) return [];
  const k = below(leaves.length);
  return m < k
    ? [...path(m, leaves.slice(0, k)), mth(leaves.slice(k))]
    : [...path(m - k, leaves.slice(k)), mth(leaves.slice(0, k))];
};
const subproof = (m: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] => {
  if (m === leaves.length) return whole ? [] : [mth(leaves)];
  const k = below(leaves.length);
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), mth(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), mth(leaves.slice(0, k))];
};
const below = (n: number): number => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};

const opening = (seq: number): LeafOpening => ({
  recordId: new Uint8Array(16).fill(1),
  tagSalt: new Uint8Array(32).fill(2),
  chain: 'content',
  seq,
  time: 1000 + seq,
  entryHash: new Uint8Array(32).fill(seq),
});
const leaves = Array.from({ length: SIZES }, (_, i) => logLeaf(opening(i)));
const grown = (size: number): Log => {
  const log = new Log();
  for (const leaf of leaves.slice(0, size)) log.append(leaf);
  return log;
};
const log = grown(SIZES);

describe('the log', () => {
  it('gives indices in order and the root of every size, also of the past', () => {
    const growing = new Log();
    expect(growing.root()).toEqual(mth([]));
    for (let size = 1; size <= SIZES; size++) {
      expect(growing.append(leaves[size - 1]!)).toBe(size - 1);
      expect(growing.size).toBe(size);
      expect(growing.root()).toEqual(mth(leaves.slice(0, size)));
      expect(log.root(size)).toEqual(growing.root());
    }
  });

  it('proves and verifies every leaf in every size', () => {
    for (let size = 1; size <= SIZES; size++) {
      const head = { size, root: log.root(size) };
      for (let index = 0; index < size; index++) {
        const proof = log.inclusion(index, size);
        expect(proof).toEqual(path(index, leaves.slice(0, size)));
        verifyInclusion(opening(index), { index, proof }, head);
      }
    }
  });

  it('proves and verifies every pair of sizes', () => {
    for (let newer = 0; newer <= SIZES; newer++) {
      for (let older = 0; older <= newer; older++) {
        const proof = log.consistency(older, newer);
        const trivial = older === 0 || older === newer;
        expect(proof).toEqual(trivial ? [] : subproof(older, leaves.slice(0, newer), true));
        const head = { size: newer, root: log.root(newer) };
        expect(verifyConsistency({ size: older, root: log.root(older) }, head, proof)).toBe(head);
      }
    }
  });

  it('is restored from its leaf hashes, and goes on', () => {
    for (const size of [0, 1, 2, 7, 64, SIZES]) {
      const again = Log.restore(log.hashes(0, 0, size));
      expect(again.root()).toEqual(log.root(size));
      for (const leaf of leaves.slice(size)) again.append(leaf);
      expect(again.root()).toEqual(log.root());
      expect(again.consistency(size)).toEqual(log.consistency(size));
    }
  });

  it('hands out its hashes by height, and no memory of its own', () => {
    expect(log.hashes(0, 3, 3)).toEqual(new Uint8Array(0));
    for (const [height, at] of [
      [0, 5],
      [3, 2],
      [6, 0],
    ] as const) {
      const span = 2 ** height;
      expect(log.hashes(height, at, at + 1)).toEqual(mth(leaves.slice(at * span, (at + 1) * span)));
    }
    log.hashes(0, 0, 1).fill(0);
    log.inclusion(1)[0]!.fill(0);
    log.root(1).fill(0);
    expect(log.root()).toEqual(mth(leaves));
  });

  it('keeps its hashes over the borders of its pieces', () => {
    const long = new Log();
    for (let i = 0; i < 20_000; i++) long.append(Uint8Array.of(i >> 8, i));
    const all = long.hashes(0, 0, 20_000);
    for (let i = 0; i < 20_000; i += 137)
      expect(all.subarray(i * 32, i * 32 + 32)).toEqual(leafHash(Uint8Array.of(i >> 8, i)));
    expect(long.hashes(0, 8190, 16_390)).toEqual(all.subarray(8190 * 32, 16_390 * 32));
  });

  it('refuses what it cannot answer', () => {
    for (const run of [
      () => log.root(SIZES + 1),
      () => log.root(-1),
      () => log.root(1.5),
      () => log.inclusion(SIZES),
      () => log.inclusion(-1),
      () => log.inclusion(3, 3),
      () => log.consistency(4, 3),
      () => log.consistency(-1, 3),
      () => log.consistency(1, SIZES + 1),
      () => log.consistency(0.5, 3),
      () => log.hashes(0, 0, SIZES + 1),
      () => log.hashes(0, 3, 2),
      () => log.hashes(0, -1, 2),
      () => log.hashes(1.5, 0, 1),
      () => log.hashes(60, 0, 1),
      () => Log.restore(new Uint8Array(33)),
    ])
      expect(run).toThrow(RangeError);
  });
});

describe('a proof is refused', () => {
  const size = 13;
  const head = { size, root: log.root(size) };

  it('of inclusion, with anything changed', () => {
    for (let index = 0; index < size; index++) {
      const proof = log.inclusion(index, size);
      const inclusion = (changes: object, other = {}, at = head): string =>
        refusal(() => verifyInclusion({ ...opening(index), ...other }, { index, proof, ...changes }, at));
      for (let i = 0; i < size; i++)
        if (i !== index) expect(inclusion({ index: i })).toBe('RECORD_INCLUSION');
      for (const other of [-1, 0.5, NaN, size, 2 ** 53])
        expect(inclusion({ index: other })).toBe('RECORD_INCLUSION');
      for (let i = 0; i < proof.length; i++) {
        const changed = proof.map((hash, j) => (i === j ? flipped(hash, 5) : hash));
        expect(inclusion({ proof: changed })).toBe('RECORD_INCLUSION');
        expect(inclusion({ proof: proof.filter((_, j) => i !== j) })).toBe('RECORD_INCLUSION');
      }
      expect(inclusion({ proof: [...proof, new Uint8Array(32)] })).toBe('RECORD_INCLUSION');
      expect(inclusion({ proof: [new Uint8Array(32), ...proof] })).toBe('RECORD_INCLUSION');
      expect(inclusion({ proof: [...proof].reverse() })).toBe('RECORD_INCLUSION');
      for (const other of [
        { recordId: new Uint8Array(16) },
        { tagSalt: new Uint8Array(32) },
        { chain: 'access' },
        { seq: 99 },
        { time: 0 },
        { entryHash: new Uint8Array(32).fill(99) },
      ])
        expect(inclusion({}, other)).toBe('RECORD_INCLUSION');
      expect(inclusion({}, {}, { ...head, root: flipped(head.root, 0) })).toBe('RECORD_INCLUSION');
      expect(inclusion({}, {}, { size: size * 2, root: head.root })).toBe('RECORD_INCLUSION');
      expect(inclusion({}, {}, { size: 0, root: log.root(0) })).toBe('RECORD_INCLUSION');
    }
  });

  it('with hashes that are not 32 bytes long, even where the root comes out', () => {
    // A bank could otherwise hash nodes of odd lengths and read them in two ways.
    const odd = new Uint8Array(40);
    const root = sha(Uint8Array.of(1), leafHash(leaves[0]!), odd);
    const place = { index: 0, proof: [odd] };
    expect(refusal(() => verifyInclusion(opening(0), place, { size: 2, root }))).toBe('RECORD_INCLUSION');
    const older = { size: 1, root: leafHash(leaves[0]!) };
    expect(refusal(() => verifyConsistency(older, { size: 2, root }, [odd]))).toBe('RECORD_CONSISTENCY');
  });

  it('of consistency, with anything changed', () => {
    for (let older = 1; older < size; older++) {
      const before = { size: older, root: log.root(older) };
      const proof = log.consistency(older, size);
      const consistency = (proofOf: readonly Uint8Array[], from = before, to = head): string =>
        refusal(() => verifyConsistency(from, to, proofOf));
      for (let i = 0; i < proof.length; i++) {
        expect(consistency(proof.map((hash, j) => (i === j ? flipped(hash, 5) : hash)))).toBe(
          'RECORD_CONSISTENCY',
        );
        expect(consistency(proof.filter((_, j) => i !== j))).toBe('RECORD_CONSISTENCY');
      }
      expect(consistency([...proof, new Uint8Array(32)])).toBe('RECORD_CONSISTENCY');
      expect(consistency([])).toBe('RECORD_CONSISTENCY');
      expect(consistency(proof, { ...before, root: flipped(before.root, 0) })).toBe('RECORD_CONSISTENCY');
      expect(consistency(proof, before, { ...head, root: flipped(head.root, 0) })).toBe('RECORD_CONSISTENCY');
      expect(consistency(proof, head, before)).toBe('RECORD_CONSISTENCY');
      expect(consistency(proof, before, { ...before, root: head.root })).toBe('RECORD_CONSISTENCY');
    }
    expect(refusal(() => verifyConsistency(head, head, [new Uint8Array(32)]))).toBe('RECORD_CONSISTENCY');
    const empty = { size: 0, root: log.root(0) };
    expect(refusal(() => verifyConsistency(empty, head, [new Uint8Array(32)]))).toBe('RECORD_CONSISTENCY');
    expect(refusal(() => verifyConsistency(head, empty, []))).toBe('RECORD_CONSISTENCY');
  });

  it('is never longer than its limit', () => {
    expect(PROOF_LIMIT).toBeGreaterThanOrEqual(53);
  });
});

describe('a leaf', () => {
  it('tells nothing and links nothing without its opening', () => {
    const one = logLeaf(opening(0));
    expect(one).toHaveLength(32);
    for (const changes of [
      { seq: 1 },
      { tagSalt: new Uint8Array(32) },
      { time: 1 },
      { chain: 'access' as const },
    ])
      expect(logLeaf({ ...opening(0), ...changes })).not.toEqual(one);
  });
});
