/** Annexes: whatever their length and chunking they come back, and nobody cuts, moves or changes them unseen. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkSeal, deriveTuple, leafHash, nodeHash, RootFolder } from '../../src/crypto/index.ts';
import {
  AnnexNamer,
  annexName,
  CHUNK_LENGTH,
  decodeAnnex,
  encodeAnnex,
  openAnnex,
  sealAnnex,
  type Annex,
} from '../../src/views/index.ts';
import { concat, padmeLength } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY, SLOW } from '../property.ts';
import { refusal } from '../refusal.ts';
import { bytesOf, chunksOf, names, random, refused, same, sealed, streamOf } from './annex-fixture.ts';

const opening = (ciphertext: Uint8Array, annex: Annex, context = names): ReadableStream<Uint8Array> =>
  openAnnex(streamOf(ciphertext), annex, context);

describe('an annex', () => {
  it.each([0, 1, 255, 256, 257, CHUNK_LENGTH - 1, CHUNK_LENGTH, CHUNK_LENGTH + 1, 3 * CHUNK_LENGTH, 200_001])(
    'of %d bytes comes back',
    async (length) => {
      const bytes = random(length);
      const { ciphertext, annex } = await sealed(bytes);
      const padded = padmeLength(length);
      expect(annex).toMatchObject({ length, mediaType: 'x/y' });
      expect(ciphertext).toHaveLength(padded + 16 * Math.max(1, Math.ceil(padded / CHUNK_LENGTH)));
      expect(same(await bytesOf(opening(ciphertext, annex)), bytes)).toBe(true);
    },
  );

  it('is chunks under one key, zeros up to the bucket, and the root over them', async () => {
    const bytes = random(CHUNK_LENGTH + 5);
    const { ciphertext, annex } = await sealed(bytes);
    const key = deriveTuple(annex.key, 'annex key', names.recordId, names.docId);
    const padded = concat(bytes, new Uint8Array(padmeLength(bytes.length) - bytes.length));
    const first = chunkSeal(key, 0, false, padded.subarray(0, CHUNK_LENGTH));
    const last = chunkSeal(key, 1, true, padded.subarray(CHUNK_LENGTH));
    expect(same(ciphertext, concat(first, last))).toBe(true);
    expect(annex.root).toEqual(nodeHash(leafHash(first), leafHash(last)));
  });

  it('has chunks of nothing but padding where its bucket is so long', async () => {
    const bytes = new Uint8Array(4 * 1024 * 1024 + 1).fill(5);
    const { ciphertext, annex } = await sealed(bytes);
    expect(ciphertext.length).toBe(66 * (CHUNK_LENGTH + 16));
    expect(same(await bytesOf(opening(ciphertext, annex)), bytes)).toBe(true);
  });

  it('takes and gives streams of any chunking', async () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 140_000 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 3 * CHUNK_LENGTH }),
        cuts,
        cuts,
        async (length, seams, others) => {
          const bytes = random(length);
          const { ciphertext, annex, tree } = await sealed(bytes, seams);
          const opened = await bytesOf(openAnnex(streamOf(ciphertext, others), annex, names));
          expect(same(opened, bytes)).toBe(true);
          const namer = new AnnexNamer();
          let at = 0;
          for (const cut of [...others, ciphertext.length]) namer.add(ciphertext.subarray(at, (at += cut)));
          expect(namer.name()).toEqual(annexName(annex.root));
          expect(tree.name()).toEqual(annexName(annex.root));
        },
      ),
      { ...PROPERTY, numRuns: SLOW ? 1000 : 50 },
    );
  });

  it('has a key of its own each time, whatever it is sealed from', async () => {
    const bytes = random(300);
    const [one, other] = [await sealed(bytes), await sealed(bytes)];
    expect(one.annex.key).not.toEqual(other.annex.key);
    expect(one.ciphertext).not.toEqual(other.ciphertext);
  });

  it('keeps what it was given even where the producer fills the same buffer again', async () => {
    const buffer = Buffer.alloc(1000);
    let round = 0;
    const producer = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (round === 100) controller.close();
          else controller.enqueue(buffer.fill(round++));
        },
      },
      { highWaterMark: 0 },
    );
    const { ciphertext, annex } = sealAnnex(producer, { ...names, mediaType: 'x/y' }, random);
    const opened = await bytesOf(opening(await bytesOf(ciphertext), await annex));
    const rounds = Array.from({ length: 100 }, (_, i) => new Uint8Array(1000).fill(i));
    expect(same(opened, concat(...rounds))).toBe(true);
  });
});

describe('an annex is refused', () => {
  const bytes = random(3 * CHUNK_LENGTH + 7);

  it('with chunks dropped, moved, repeated, cut off or exchanged', async () => {
    const { ciphertext, annex } = await sealed(bytes);
    const [a, b, c, d] = chunksOf(ciphertext) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const other = chunksOf((await sealed(bytes)).ciphertext)[1]!;
    const cases: [Uint8Array[], number][] = [
      [[], 0],
      [[a], 1],
      [[a, b, c], 3],
      [[b, c, d], 0],
      [[a, c, d], 1],
      [[a, c, b, d], 1],
      [[a, a, b, c, d], 1],
      [[a, b, c, d, d], 3],
      [[a, b, c, d, new Uint8Array(a.length)], 3],
      [[a, b, c, d.subarray(0, -1)], 3],
      [[a, b, c, d, new Uint8Array(1)], 3],
      [[a, other, c, d], 1],
      [[d], 0],
    ];
    for (const [parts, whole] of cases) {
      const { code, got } = await refused(opening(concat(...parts), annex));
      expect(code).toBe('VIEW_ANNEX');
      // What came out before was good, and nothing of a chunk before its tag.
      expect(same(got, bytes.subarray(0, whole * CHUNK_LENGTH))).toBe(true);
    }
  });

  it('with any bit changed', async () => {
    const { ciphertext, annex } = await sealed(random(300));
    for (let at = 0; at < ciphertext.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const { code, got } = await refused(opening(flipped(ciphertext, at, 1 << bit), annex));
        expect([code, got.length]).toEqual(['VIEW_ANNEX', 0]);
      }
  });

  it('with a bit changed in any of several chunks, whose bytes then do not come out', async () => {
    const { ciphertext, annex } = await sealed(bytes);
    for (const at of sampled(ciphertext.length)) {
      const { code, got } = await refused(opening(flipped(ciphertext, at, 1 << (at % 8)), annex));
      expect(code).toBe('VIEW_ANNEX');
      expect(got.length).toBe(Math.floor(at / (CHUNK_LENGTH + 16)) * CHUNK_LENGTH);
    }
  });

  it('for another record or document, and with any bit of key and root changed', async () => {
    const { ciphertext, annex } = await sealed(random(300));
    const zeros = new Uint8Array(16);
    for (const context of [
      { ...names, recordId: zeros },
      { ...names, docId: zeros },
    ])
      expect((await refused(opening(ciphertext, annex, context))).code).toBe('VIEW_ANNEX');
    for (let at = 0; at < 256; at++)
      for (const member of ['key', 'root'] as const) {
        const changed = { ...annex, [member]: flipped(annex[member], at >> 3, 1 << (at & 7)) };
        expect((await refused(opening(ciphertext, changed))).code).toBe('VIEW_ANNEX');
      }
  });

  it('with every other length, whether its bucket is the same or not', async () => {
    const { ciphertext, annex } = await sealed(random(300).fill(9, 298)); // the bytes next to the end are not zero
    for (let length = 0; length < 700; length++)
      if (length !== 300 && !(length > 300 && padmeLength(length) === padmeLength(300)))
        expect((await refused(opening(ciphertext, { ...annex, length }))).code).toBe('VIEW_ANNEX');
    for (const length of [2 ** 40, Number.MAX_SAFE_INTEGER])
      expect((await refused(opening(ciphertext, { ...annex, length }))).code).toBe('VIEW_ANNEX');
  });

  it('whose author padded it otherwise, with more zeros or with other bytes', async () => {
    const key = random(32);
    const streamKey = deriveTuple(key, 'annex key', names.recordId, names.docId);
    const padded = random(300);
    for (const [padding, good] of [
      [new Uint8Array(4), true],
      [new Uint8Array(20), false],
      [new Uint8Array(0), false],
      [Uint8Array.of(0, 0, 0, 1), false],
      [Uint8Array.of(1, 0, 0, 0), false],
    ] as const) {
      const ciphertext = chunkSeal(streamKey, 0, true, concat(padded, padding));
      const folder = new RootFolder();
      folder.add(leafHash(ciphertext));
      const annex = { key, length: 300, mediaType: 'x/y', root: folder.root() };
      if (good) expect(await bytesOf(opening(ciphertext, annex))).toEqual(padded);
      else expect((await refused(opening(ciphertext, annex))).code).toBe('VIEW_ANNEX');
    }
  });

  it('whose final chunk was sealed as another, or another as the final one', async () => {
    const key = random(32);
    const streamKey = deriveTuple(key, 'annex key', names.recordId, names.docId);
    const length = 2 * CHUNK_LENGTH;
    for (const finals of [
      [false, true],
      [false, false],
      [true, true],
      [true, false],
    ] as const) {
      const chunks = finals.map((final, i) => chunkSeal(streamKey, i, final, new Uint8Array(CHUNK_LENGTH)));
      const annex = { key, length, mediaType: 'x/y', root: nodeHash(...roots(chunks)) };
      const run = opening(concat(...chunks), annex);
      if (!finals[0] && finals[1]) expect(await bytesOf(run)).toHaveLength(length);
      else expect((await refused(run)).code).toBe('VIEW_ANNEX');
    }
  });
});

const roots = (chunks: readonly Uint8Array[]): [Uint8Array, Uint8Array] => [
  leafHash(chunks[0]!),
  leafHash(chunks[1]!),
];

/** Every byte of the tags, the bytes around the seams, and some of the rest. */
function sampled(length: number): number[] {
  const sealedChunk = CHUNK_LENGTH + 16;
  return Array.from({ length }, (_, at) => at).filter(
    (at) =>
      at % sealedChunk < 2 ||
      at % sealedChunk >= CHUNK_LENGTH ||
      at >= length - 17 ||
      at % 4001 === 0 ||
      SLOW,
  );
}

describe('the description', () => {
  it('is a field’s value', async () => {
    const { annex } = await sealed(random(9));
    expect(decodeAnnex(encodeAnnex(annex))).toEqual(annex);
    const { key, length, mediaType, root } = JSON.parse(encodeAnnex(annex)) as Record<string, unknown>;
    expect(decodeAnnex(JSON.stringify({ root, mediaType, length, key }))).toEqual(annex);
    for (const other of [
      null,
      'text',
      [key],
      {},
      { key, length, mediaType },
      { key, length, mediaType, root, extra: 1 },
      { key: 1, length, mediaType, root },
      { key: 'AAAA', length, mediaType, root },
      { key: `${String(key)}=`, length, mediaType, root },
      { key, length: -1, mediaType, root },
      { key, length: 1.5, mediaType, root },
      { key, length: '9', mediaType, root },
      { key, length: 2 ** 53, mediaType, root },
      { key, length, mediaType: null, root },
      { key, length, mediaType: 'x'.repeat(4096), root },
      { key, length, mediaType, root: 'AAAA' },
      { key, length, mediaType, root: [root] },
    ])
      expect(refusal(() => decodeAnnex(JSON.stringify(other)))).toBe('VIEW_ANNEX');
    expect(refusal(() => decodeAnnex('{'))).toBe('VIEW_ANNEX');
  });
});
