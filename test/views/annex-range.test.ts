/** Annexes from any offset: exactly the bytes asked for, all of them proved, and little more read than they are. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chunkSeal,
  deriveTuple,
  leafHash,
  MerkleTree,
  nodeHash,
  systemRandom,
} from '../../src/crypto/index.ts';
import {
  ANNEX_RUN,
  AnnexTree,
  AnnexTreeBuilder,
  annexName,
  CHUNK_LENGTH,
  openAnnexRange,
  type Annex,
  type AnnexSource,
} from '../../src/views/index.ts';
import { annexLayout } from '../../src/views/annex.ts';
import { concat } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY, SLOW } from '../property.ts';
import { refusal } from '../refusal.ts';
import {
  bytesOf,
  chunksOf,
  names,
  random,
  refused,
  same,
  sealed,
  SEALED_CHUNK,
  sourceOf,
  streamOf,
  treeOf,
} from './annex-fixture.ts';

const GIBIBYTE = 1024 ** 3;
const content = random(8 * CHUNK_LENGTH + 100);
const whole = sealed(content);

describe('a range', () => {
  it('is the bytes that were asked for', async () => {
    const { annex, ...stored } = await whole;
    const edges = [
      0,
      1,
      CHUNK_LENGTH - 1,
      CHUNK_LENGTH,
      CHUNK_LENGTH + 1,
      3 * CHUNK_LENGTH,
      content.length - 1,
    ];
    const ranges = fc.record({
      offset: fc.nat(content.length - 1),
      length: fc.integer({ min: 1, max: content.length }),
    });
    const open = async (offset: number, length: number): Promise<void> => {
      const opened = await bytesOf(openAnnexRange(sourceOf(stored), annex, { ...names, offset, length }));
      expect(same(opened, content.subarray(offset, offset + length))).toBe(true);
    };
    for (const offset of edges)
      for (const end of [...edges, content.length]) if (offset < end) await open(offset, end - offset);
    await fc.assert(
      fc.asyncProperty(ranges, ({ offset, length }) =>
        open(offset, Math.min(length, content.length - offset)),
      ),
      { ...PROPERTY, numRuns: SLOW ? 2000 : 50 },
    );
  });

  it('goes on where another one broke off', async () => {
    const { annex, ciphertext, tree } = await whole;
    const got: Uint8Array[] = [];
    let offset = 0;
    let breaks = 0;
    while (offset < content.length) {
      // A connection that breaks after a chunk and a half each time.
      const source: AnnexSource = {
        proof: (run) => tree.proof(run),
        bytes: ({ from, to }) => breaking(ciphertext.slice(from, to), 1.5 * CHUNK_LENGTH),
      };
      const range = { ...names, offset, length: content.length - offset };
      try {
        for await (const part of openAnnexRange(source, annex, range)) {
          got.push(part);
          offset += part.length;
        }
      } catch (error) {
        expect(error).toBe(BROKEN);
        breaks++;
      }
    }
    expect(breaks).toBe(7);
    expect(same(concat(...got), content)).toBe(true);
  });

  it('of 1 MiB from the middle of 4 GiB reads less than 1.2 MiB, proofs and all', async () => {
    for (const offset of [2 * GIBIBYTE, 2 * GIBIBYTE - 1, 2 * GIBIBYTE + 777, GIBIBYTE + 5 * CHUNK_LENGTH]) {
      const { annex, source, expected } = hollow(4 * GIBIBYTE, offset, 1024 * 1024);
      const range = { ...names, offset, length: 1024 * 1024 };
      expect(same(await bytesOf(openAnnexRange(source, annex, range)), expected)).toBe(true);
      const { bytes, proofs } = source.read;
      expect(bytes + proofs).toBeLessThan(1.2 * 1024 * 1024);
      expect(bytes).toBe((offset % CHUNK_LENGTH === 0 ? 16 : 17) * SEALED_CHUNK);
      // One hash a chunk, and two proofs at most, each with two hashes a level at most.
      expect(proofs).toBeLessThanOrEqual(32 * (17 + 2 * 2 * 16));
    }
  });

  it('asks for one proof in 256 chunks, each before its first chunk', async () => {
    const length = (2 * ANNEX_RUN + 9) * CHUNK_LENGTH;
    const { annex, ciphertext, tree } = await sealed(new Uint8Array(length));
    const asked: string[] = [];
    const source: AnnexSource = {
      bytes({ from, to }) {
        asked.push(`bytes ${from / SEALED_CHUNK}-${to / SEALED_CHUNK}`);
        return streamOf(ciphertext.slice(from, to));
      },
      async proof(run) {
        asked.push(`proof ${run.from}-${run.to}`);
        return tree.proof(run);
      },
    };
    const range = { ...names, offset: 5 * CHUNK_LENGTH, length: length - 6 * CHUNK_LENGTH };
    expect(await bytesOf(openAnnexRange(source, annex, range))).toHaveLength(range.length);
    expect(asked).toEqual(['proof 5-256', 'bytes 5-520', 'proof 256-512', 'proof 512-520']);
  });
});

describe('a range is refused', () => {
  const range = { ...names, offset: CHUNK_LENGTH + 10, length: 3 * CHUNK_LENGTH };
  /** Opens chunks 1 to 4 with what a source does otherwise. */
  const against = async (
    changes: Partial<AnnexSource>,
    wanted = range,
    annex?: Partial<Annex>,
  ): Promise<{ code: string; got: Uint8Array }> => {
    const good = await whole;
    const source = { ...sourceOf(good), ...changes };
    return refused(openAnnexRange(source, { ...good.annex, ...annex }, wanted));
  };
  const bytes = (...parts: Uint8Array[]): Partial<AnnexSource> => ({
    bytes: () => streamOf(concat(...parts)),
  });

  it('with chunks dropped, moved, repeated, cut off, extended or of another annex', async () => {
    const [, b, c, d, e, f] = chunksOf((await whole).ciphertext);
    const other = chunksOf((await sealed(content)).ciphertext)[2]!;
    const cases: [string, Uint8Array[], number][] = [
      ['nothing', [], 0],
      ['the first dropped', [c!, d!, e!], 0],
      ['one dropped', [b!, d!, e!], 1],
      ['the last dropped', [b!, c!, d!], 3],
      ['moved', [b!, d!, c!, e!], 1],
      ['repeated', [b!, b!, c!, d!], 1],
      ['cut off', [b!, c!, d!, e!.subarray(0, -1)], 3],
      ['extended', [b!, c!, d!, e!, new Uint8Array(1)], 3],
      ['followed by the next', [b!, c!, d!, e!, f!], 3],
      ['of another annex', [b!, other, d!, e!], 1],
    ];
    for (const [name, parts, chunks] of cases) {
      const { code, got } = await against(bytes(...parts));
      expect([name, code]).toEqual([name, 'VIEW_ANNEX']);
      const until = chunks === 0 ? range.offset : (1 + chunks) * CHUNK_LENGTH;
      expect(same(got, content.subarray(range.offset, until)), name).toBe(true);
    }
  });

  it('with any bit of a tag changed, and with bits of the rest', async () => {
    const chunk = chunksOf((await whole).ciphertext)[1]!;
    const one = { ...names, offset: CHUNK_LENGTH, length: 1 };
    for (let at = 0; at < chunk.length; at += at < CHUNK_LENGTH - 1 ? 311 : 1)
      for (let bit = 0; bit < 8; bit++) {
        const { code, got } = await against(bytes(flipped(chunk, at, 1 << bit)), one);
        expect([code, got.length]).toEqual(['VIEW_ANNEX', 0]);
      }
  });

  it('with any bit of a proof changed, before anything is fetched', async () => {
    const { tree } = await whole;
    const proof = tree.proof({ from: 1, to: 5 });
    expect(proof).toHaveLength(32 * 8);
    for (let at = 0; at < 8 * proof.length; at++) {
      const { code, got } = await against({
        proof: () => flipped(proof, at >> 3, 1 << (at & 7)),
        bytes: () => expect.unreachable('nothing is read without a proof'),
      });
      expect([code, got.length]).toEqual(['VIEW_ANNEX', 0]);
    }
  });

  it('with a proof that is too short, too long, reordered, of another run or another annex', async () => {
    const { tree } = await whole;
    const proof = tree.proof({ from: 1, to: 5 });
    const hashes = Array.from({ length: 8 }, (_, i) => proof.slice(32 * i, 32 * i + 32));
    const swapped = (i: number): Uint8Array =>
      concat(...hashes.map((_, at) => hashes[at === i ? i + 1 : at === i + 1 ? i : at]!));
    const cases: [string, Uint8Array][] = [
      ['none', new Uint8Array(0)],
      ['without its last hash', proof.subarray(0, -32)],
      ['without its first hash', proof.subarray(32)],
      ['without its last byte', proof.subarray(0, -1)],
      ['with a byte more', concat(proof, new Uint8Array(1))],
      ['with a hash more', concat(proof, new Uint8Array(32))],
      ['the root alone', (await whole).annex.root],
      ['of fewer chunks', tree.proof({ from: 1, to: 4 })],
      ['of other chunks', tree.proof({ from: 0, to: 4 })],
      ['of all chunks', tree.proof({ from: 0, to: 9 })],
      ['of another annex', (await sealed(content)).tree.proof({ from: 1, to: 5 })],
      ...[0, 1, 2, 3, 4, 5, 6].map((i): [string, Uint8Array] => [
        `hashes ${i} and ${i + 1} swapped`,
        swapped(i),
      ]),
    ];
    for (const [name, wrong] of cases) {
      const { code, got } = await against({
        proof: () => wrong,
        bytes: () => expect.unreachable('nothing is read without a proof'),
      });
      expect([name, code, got.length]).toEqual([name, 'VIEW_ANNEX', 0]);
    }
  });

  it('if it reaches past the end, is empty, or is no range', async () => {
    const { length } = content;
    for (const wanted of [
      { offset: 0, length: 0 },
      { offset: length, length: 0 },
      { offset: length, length: 1 },
      { offset: 0, length: length + 1 },
      { offset: length - 1, length: 2 },
      { offset: 0, length: Infinity },
      { offset: -1, length: 2 },
      { offset: 0.5, length: 1 },
      { offset: 0, length: 1.5 },
      { offset: NaN, length: 1 },
      { offset: Number.MAX_SAFE_INTEGER, length: Number.MAX_SAFE_INTEGER },
    ]) {
      const untouched = {
        proof: () => expect.unreachable('nothing is asked'),
        bytes: () => expect.unreachable('nothing is asked'),
      };
      const { code } = await against(untouched, { ...names, ...wanted });
      expect([wanted, code]).toEqual([wanted, 'VIEW_ANNEX']);
    }
  });

  it('for another record, document, key, root or length', async () => {
    const zeros = new Uint8Array(16);
    const { annex } = await whole;
    const cases: [object, Partial<Annex>][] = [
      [{ recordId: zeros }, {}],
      [{ docId: zeros }, {}],
      [{}, { key: flipped(annex.key, 31) }],
      [{}, { root: flipped(annex.root, 31) }],
      [{}, { length: 40 * CHUNK_LENGTH }],
      [{}, { length: Number.MAX_SAFE_INTEGER }],
    ];
    for (const [changes, described] of cases)
      expect(await against({}, { ...range, ...changes }, described)).toEqual({
        code: 'VIEW_ANNEX',
        got: new Uint8Array(0),
      });
  });

  it('where a reader who holds the field’s key made other chunks', async () => {
    const { annex, ciphertext } = await whole;
    const streamKey = deriveTuple(annex.key, 'annex key', names.recordId, names.docId);
    const forged = chunksOf(ciphertext);
    forged[2] = chunkSeal(streamKey, 2, false, new Uint8Array(CHUNK_LENGTH).fill(7)); // opens, and is not the author's
    const tree = treeOf(concat(...forged));
    const honest = (await whole).tree;
    for (const proving of [tree, honest]) {
      const source = sourceOf({ ciphertext: concat(...forged), tree: proving });
      const one = { ...names, offset: 2 * CHUNK_LENGTH, length: 9 };
      const { code, got } = await refused(openAnnexRange(source, annex, one));
      expect([code, got.length]).toEqual(['VIEW_ANNEX', 0]);
    }
  });

  it('where the author sealed the final flag or the padding wrongly', async () => {
    const key = random(32);
    const streamKey = deriveTuple(key, 'annex key', names.recordId, names.docId);
    const length = CHUNK_LENGTH + 300;
    const { chunks, at } = annexLayout(length);
    expect(chunks).toBe(2);
    const sizes = [CHUNK_LENGTH, at(2) - SEALED_CHUNK - 16];
    const make = (finals: readonly boolean[], last: number): ReturnType<typeof refused> => {
      const padded = sizes.map((size) => new Uint8Array(size));
      padded[1]![sizes[1]! - 1] = last;
      const ciphertext = concat(...padded.map((one, i) => chunkSeal(streamKey, i, finals[i]!, one)));
      const annex = { key, length, mediaType: 'x/y', root: nodeHash(...leavesOf(ciphertext)) };
      const source = sourceOf({ ciphertext, tree: treeOf(ciphertext) });
      return refused(openAnnexRange(source, annex, { ...names, offset: 0, length }));
    };
    await expect(make([false, true], 0)).rejects.toThrow('expected a refusal');
    for (const [finals, last, got] of [
      [[false, false], 0, CHUNK_LENGTH],
      [[true, true], 0, 0],
      [[false, true], 1, CHUNK_LENGTH],
    ] as const) {
      const answer = await make(finals, last);
      expect([answer.code, answer.got.length]).toEqual(['VIEW_ANNEX', got]);
    }
  });
});

describe('the tree of whoever stores', () => {
  it('is kept beside the file, and read back for its annex alone', async () => {
    const { annex, tree, ciphertext } = await whole;
    const kept = tree.encode();
    expect(kept).toEqual(concat(...chunksOf(ciphertext).map(leafHash)));
    expect(tree.chunks).toBe(9);
    const name = annexName(annex.root);
    const read = AnnexTree.decode(kept, name);
    for (let from = 0; from < 9; from++)
      for (let to = from + 1; to <= 9; to++)
        expect(read.proof({ from, to })).toEqual(tree.proof({ from, to }));
    for (const wrong of [new Uint8Array(0), kept.subarray(1), kept.subarray(32), flipped(kept, 9)])
      expect(refusal(() => AnnexTree.decode(wrong, name))).toBe('VIEW_ANNEX');
    expect(refusal(() => AnnexTree.decode(kept, flipped(name, 0)))).toBe('VIEW_ANNEX');
  });

  it('comes out the same however the ciphertext streams by', async () => {
    const { tree, ciphertext } = await whole;
    for (const step of [1013, SEALED_CHUNK - 1, SEALED_CHUNK, SEALED_CHUNK + 1, ciphertext.length]) {
      const builder = new AnnexTreeBuilder();
      for (let at = 0; at < ciphertext.length; at += step)
        builder.add(Buffer.from(ciphertext.subarray(at, at + step)));
      expect(builder.tree().encode()).toEqual(tree.encode());
    }
  });

  it('proves no more than it is asked for, and nothing that is not there', async () => {
    const { tree } = await whole;
    for (const run of [
      { from: 0, to: 0 },
      { from: 3, to: 2 },
      { from: -1, to: 2 },
      { from: 0, to: 10 },
      { from: 0.5, to: 2 },
      { from: 0, to: NaN },
    ])
      expect(refusal(() => tree.proof(run))).toBe('VIEW_ANNEX');
    const large = AnnexTree.decode(...namedTree(systemRandom(32 * 1000)));
    expect(large.proof({ from: 700, to: 700 + ANNEX_RUN }).length).toBeLessThan(12 * 1024);
    expect(refusal(() => large.proof({ from: 700, to: 701 + ANNEX_RUN }))).toBe('VIEW_ANNEX');
  });
});

const BROKEN = new Error('connection lost');

/** A stream that gives so many bytes and then fails. */
function breaking(bytes: Uint8Array, after: number): ReadableStream<Uint8Array> {
  const parts = [bytes.subarray(0, after)];
  return new ReadableStream(
    {
      pull(controller) {
        const part = parts.shift();
        if (part !== undefined) controller.enqueue(part);
        else if (bytes.length > after) controller.error(BROKEN);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

function leavesOf(ciphertext: Uint8Array): [Uint8Array, Uint8Array] {
  const [first, second] = chunksOf(ciphertext).map(leafHash);
  return [first!, second!];
}

function namedTree(leaves: Uint8Array): [Uint8Array, Uint8Array] {
  return [leaves, annexName(new MerkleTree(leaves).root())];
}

/** An annex of any length of which only the chunks of one range are there: of the others there are hashes. */
function hollow(
  length: number,
  offset: number,
  wanted: number,
): { annex: Annex; source: ReturnType<typeof sourceOf>; expected: Uint8Array } {
  const key = random(32);
  const streamKey = deriveTuple(key, 'annex key', names.recordId, names.docId);
  const { chunks } = annexLayout(length);
  const from = Math.floor(offset / CHUNK_LENGTH);
  const to = Math.ceil((offset + wanted) / CHUNK_LENGTH);
  const plaintext = concat(...Array.from({ length: to - from }, () => systemRandom(CHUNK_LENGTH)));
  const present = Array.from({ length: to - from }, (_, i) =>
    chunkSeal(streamKey, from + i, false, plaintext.subarray(i * CHUNK_LENGTH, (i + 1) * CHUNK_LENGTH)),
  );
  const leaves = new Uint8Array(32 * chunks).fill(3);
  present.forEach((chunk, i) => leaves.set(leafHash(chunk), 32 * (from + i)));
  const tree = AnnexTree.decode(...namedTree(leaves));
  const stored = concat(...present);
  const source = sourceOf({ ciphertext: stored, tree });
  const shift = from * SEALED_CHUNK;
  return {
    annex: { key, length, mediaType: 'x/y', root: new MerkleTree(leaves).root() },
    source: { ...source, bytes: (range) => source.bytes({ from: range.from - shift, to: range.to - shift }) },
    expected: plaintext.subarray(offset - from * CHUNK_LENGTH, offset - from * CHUNK_LENGTH + wanted),
  };
}
