/** Annexes: streams that nobody cuts, moves or changes unseen, whatever their length and chunking. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkSeal, deriveTuple, leafHash, nodeHash } from '../../src/crypto/index.ts';
import { MunimentError } from '../../src/errors.ts';
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
import { PROPERTY } from '../property.ts';
import { refusal } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

const SEALED_CHUNK = CHUNK_LENGTH + 16;
const names = { recordId: new Uint8Array(16).fill(1), docId: new Uint8Array(16).fill(2) };
const random = seededRandom('annex tests');

function streamOf(bytes: Uint8Array, cuts: readonly number[] = []): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      let at = 0;
      for (const cut of cuts) {
        controller.enqueue(bytes.subarray(at, at + cut));
        at += cut;
      }
      controller.enqueue(bytes.subarray(at));
      controller.close();
    },
  });
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream as unknown as AsyncIterable<Uint8Array>) parts.push(part);
  return concat(...parts);
}

async function sealed(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
): Promise<{ ciphertext: Uint8Array; annex: Annex }> {
  const { ciphertext, annex } = sealAnnex(streamOf(bytes, cuts), { ...names, mediaType: 'x/y' }, random);
  return { ciphertext: await bytesOf(ciphertext), annex: await annex };
}

/** What came out before the refusal, and its code. */
async function refused(
  ciphertext: Uint8Array,
  annex: Annex,
  context = names,
): Promise<{ code: string; got: number }> {
  let got = 0;
  try {
    const stream = openAnnex(streamOf(ciphertext), annex, context);
    for await (const part of stream as unknown as AsyncIterable<Uint8Array>) got += part.length;
  } catch (error) {
    if (error instanceof MunimentError) return { code: error.code, got };
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('an annex', () => {
  it.each([0, 1, 255, 256, 257, CHUNK_LENGTH - 1, CHUNK_LENGTH, CHUNK_LENGTH + 1, 3 * CHUNK_LENGTH, 200_001])(
    'of %d bytes comes back',
    async (length) => {
      const bytes = random(length);
      const { ciphertext, annex } = await sealed(bytes);
      const padded = padmeLength(length);
      expect(annex).toMatchObject({ length, mediaType: 'x/y' });
      expect(ciphertext).toHaveLength(padded + 16 * Math.max(1, Math.ceil(padded / CHUNK_LENGTH)));
      expect(await bytesOf(openAnnex(streamOf(ciphertext), annex, names))).toEqual(bytes);
    },
  );

  it('is chunks under one key, zeros up to the bucket, and the root over them', async () => {
    const bytes = random(CHUNK_LENGTH + 5);
    const { ciphertext, annex } = await sealed(bytes);
    const key = deriveTuple(annex.key, 'annex key', names.recordId, names.docId);
    const padded = concat(bytes, new Uint8Array(padmeLength(bytes.length) - bytes.length));
    const first = chunkSeal(key, 0, false, padded.subarray(0, CHUNK_LENGTH));
    const last = chunkSeal(key, 1, true, padded.subarray(CHUNK_LENGTH));
    expect(ciphertext).toEqual(concat(first, last));
    expect(annex.root).toEqual(nodeHash(leafHash(first), leafHash(last)));
  });

  it('takes and gives streams of any chunking', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 3 * CHUNK_LENGTH }),
        fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 12 }),
        async (length, cuts, others) => {
          const bytes = random(length);
          const { ciphertext, annex } = await sealed(bytes, cuts);
          expect(await bytesOf(openAnnex(streamOf(ciphertext, others), annex, names))).toEqual(bytes);
          const namer = new AnnexNamer();
          let at = 0;
          for (const cut of [...others, ciphertext.length]) namer.add(ciphertext.subarray(at, (at += cut)));
          expect(namer.name()).toEqual(annexName(annex.root));
        },
      ),
      { ...PROPERTY, numRuns: 25 },
    );
  });

  it('keeps what it was given even where the producer fills the same buffer again', async () => {
    const buffer = Buffer.alloc(1000);
    let round = 0;
    const producer = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (round === 100) {
            controller.close();
            return;
          }
          controller.enqueue(buffer.fill(round++));
        },
      },
      { highWaterMark: 0 },
    );
    const { ciphertext, annex } = sealAnnex(producer, { ...names, mediaType: 'x/y' }, random);
    const bytes = await bytesOf(ciphertext);
    const opened = await bytesOf(openAnnex(streamOf(bytes), await annex, names));
    expect(opened).toEqual(concat(...Array.from({ length: 100 }, (_, i) => new Uint8Array(1000).fill(i))));
  });
});

describe('an annex is refused', () => {
  const bytes = random(3 * CHUNK_LENGTH + 7);
  const chunks = (ciphertext: Uint8Array): Uint8Array[] =>
    Array.from({ length: Math.ceil(ciphertext.length / SEALED_CHUNK) }, (_, i) =>
      ciphertext.subarray(i * SEALED_CHUNK, (i + 1) * SEALED_CHUNK),
    );

  it('with chunks dropped, moved, repeated, cut off or exchanged', async () => {
    const { ciphertext, annex } = await sealed(bytes);
    const [a, b, c, d] = chunks(ciphertext) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const other = chunks((await sealed(bytes)).ciphertext)[1]!;
    const cases: [Uint8Array[], number][] = [
      [[], 0],
      [[a], 0],
      [[a, b, c], 2],
      [[b, c, d], 0],
      [[a, c, d], 1],
      [[a, c, b, d], 1],
      [[a, a, b, c, d], 1],
      [[a, b, c, d, d], 3],
      [[a, b, c, d, new Uint8Array(SEALED_CHUNK)], 3],
      [[a, b, c, d.subarray(0, -1)], 3],
      [[a, b, c, d, new Uint8Array(1)], 3],
      [[a, other, c, d], 1],
      [[d], 0],
    ];
    for (const [parts, whole] of cases) {
      const { code, got } = await refused(concat(...parts), annex);
      expect(code).toBe('VIEW_ANNEX');
      // What came out before was good, and nothing of a chunk before its tag.
      expect(got).toBeLessThanOrEqual(whole * CHUNK_LENGTH);
    }
  });

  it('with any byte changed', async () => {
    const { ciphertext, annex } = await sealed(random(300));
    for (let at = 0; at < ciphertext.length; at++)
      expect(await refused(flipped(ciphertext, at), annex)).toEqual({ code: 'VIEW_ANNEX', got: 0 });
  });

  it('for another record or document, key, length or root', async () => {
    const { ciphertext, annex } = await sealed(random(300));
    const zeros = new Uint8Array(16);
    for (const context of [
      { ...names, recordId: zeros },
      { ...names, docId: zeros },
    ])
      expect((await refused(ciphertext, annex, context)).code).toBe('VIEW_ANNEX');
    for (const changes of [
      { key: flipped(annex.key, 3) },
      { root: flipped(annex.root, 3) },
      { length: 299 },
      { length: 0 },
      { length: 321 },
    ])
      expect((await refused(ciphertext, { ...annex, ...changes })).code).toBe('VIEW_ANNEX');
  });
});

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
