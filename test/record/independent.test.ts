/**
 * A checker of test/vectors/record.json that shares no code with src: every hash and every place in the log again, on
 * node:crypto alone, from the words of spec/record.md.
 */

import { describe, expect, it } from 'vitest';
import { H, T, unhexed } from '../tuple.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { EntryJson, LeafJson, RecordCase } from '../vectors/generators/record.ts';

const file = readVectors<RecordCase>('record');
const ZERO = Buffer.alloc(32);

const encodeEntry = (e: EntryJson): Buffer =>
  T(
    'entry',
    ...[e.origin, unhexed(e.recordId), e.chain, e.seq, unhexed(e.prev), unhexed(e.author), e.kind, e.time],
    ...[e.seenSize, unhexed(e.seenRoot), e.payloadType, unhexed(e.payloadDigest)],
  );
const hashOf = (recordId: Buffer, chain: string, seq: number, prev: Buffer, inner: Buffer): Buffer =>
  H(T('entry hash', recordId, chain, seq, prev, inner));
const tagOf = (one: Pick<LeafJson, 'recordId' | 'tagSalt' | 'chain' | 'seq'>): Buffer =>
  H(T('log tag', unhexed(one.recordId), unhexed(one.tagSalt), one.chain, one.seq));
const leafOf = (one: LeafJson): Buffer => H(T('log leaf', tagOf(one), one.time, unhexed(one.entryHash)));

// The root over leaves from index on, by the definition of RFC 6962.
function tree(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return H();
  if (leaves.length === 1) return H(Buffer.of(0), leaves[0] ?? ZERO);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return H(Buffer.of(1), tree(leaves.slice(0, k)), tree(leaves.slice(k)));
}

// Up from a leaf: the recursion of RFC 6962 section 2.1.1 turned round.
function climb(leaf: Buffer, index: number, size: number, proof: readonly Buffer[]): Buffer {
  if (size === 1) return H(Buffer.of(0), leaf);
  let k = 1;
  while (2 * k < size) k *= 2;
  const sibling = proof.at(-1) ?? ZERO;
  const rest = proof.slice(0, -1);
  return index < k
    ? H(Buffer.of(1), climb(leaf, index, k, rest), sibling)
    : H(Buffer.of(1), sibling, climb(leaf, index - k, size - k, rest));
}

describe('every value again', () => {
  it.each(casesOf(file, 'entry'))('$name', (one) => {
    const encoded = encodeEntry(one.entry);
    const signature = unhexed(one.signature);
    const inner = H(T('entry inner', encoded, signature));
    const { recordId, chain, seq, prev } = one.entry;
    expect({
      encoded: encoded.toString('hex'),
      signatureInput: T('entry signature', encoded).toString('hex'),
      signed: T('signed entry', encoded, signature).toString('hex'),
      inner: inner.toString('hex'),
      entryHash: hashOf(unhexed(recordId), chain, seq, unhexed(prev), inner).toString('hex'),
    }).toEqual({
      encoded: one.encoded,
      signatureInput: one.signatureInput,
      signed: one.signed,
      inner: one.inner,
      entryHash: one.entryHash,
    });
  });

  it('links the entries of either chain', () => {
    for (const chain of ['content', 'access']) {
      let prev = ZERO.toString('hex');
      casesOf(file, 'entry')
        .filter(({ entry }) => entry.chain === chain)
        .forEach(({ entry, entryHash }, seq) => {
          expect([entry.seq, entry.prev]).toEqual([seq, prev]);
          prev = entryHash;
        });
    }
  });

  it.each(casesOf(file, 'statement'))('$name', (one) => {
    const payload = T('statement', one.kind, unhexed(one.salt), unhexed(one.content));
    expect([payload.toString('hex'), H(payload).toString('hex')]).toEqual([one.payload, one.digest]);
  });

  it.each(casesOf(file, 'creation'))('$name', (one) => {
    expect(T('creation', unhexed(one.owner), unhexed(one.tagSalt)).toString('hex')).toBe(one.content);
  });

  it.each(casesOf(file, 'leaf'))('$name', (one) => {
    expect([tagOf(one).toString('hex'), leafOf(one).toString('hex')]).toEqual([one.tag, one.leaf]);
  });

  it.each(casesOf(file, 'verify inclusion').filter(({ error }) => error === undefined))('$name', (one) => {
    const root = climb(leafOf(one), one.index, one.size, one.proof.map(unhexed));
    expect(root.toString('hex')).toBe(one.root);
    expect(tree(casesOf(file, 'leaf').map(leafOf)).toString('hex')).toBe(one.root);
  });

  it.each(casesOf(file, 'verify consistency').filter(({ error }) => error === undefined))('$name', (one) => {
    const leaves = casesOf(file, 'leaf').map(leafOf);
    for (const { size, root } of [one.older, one.newer])
      expect(tree(leaves.slice(0, size)).toString('hex')).toBe(root);
  });

  it.each(casesOf(file, 'receipt'))('$name', ({ receipt: r, ...one }) => {
    const body = T(
      'receipt',
      ...[r.origin, unhexed(r.recordId), r.chain, unhexed(r.request.data), unhexed(r.request.signature)],
      ...[
        r.outcome,
        unhexed(r.entryHash),
        r.seq,
        unhexed(r.prev),
        r.leafIndex,
        r.tree.size,
        unhexed(r.tree.root),
      ],
      ...[r.time, r.head.size, unhexed(r.head.hash)],
    );
    expect(body.toString('hex')).toBe(one.body);
    expect(T('signed receipt', body, unhexed(one.signature)).toString('hex')).toBe(one.signed);
  });
});
