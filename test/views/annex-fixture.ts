/** Annexes of the tests: streams with given seams, sources that count what they hand out, and how a refusal is told. */

import { MunimentError } from '../../src/errors.ts';
import {
  AnnexTreeBuilder,
  CHUNK_LENGTH,
  sealAnnex,
  type Annex,
  type AnnexSource,
  type AnnexTree,
} from '../../src/views/index.ts';
import { concat } from '../../src/wire/index.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

export const SEALED_CHUNK = CHUNK_LENGTH + 16;
export const names = { recordId: new Uint8Array(16).fill(1), docId: new Uint8Array(16).fill(2) };
export const random = seededRandom('annex tests');

/** The bytes as a stream, cut where the lengths say. */
export function streamOf(bytes: Uint8Array, cuts: readonly number[] = []): ReadableStream<Uint8Array> {
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

/** Everything that a stream gives. */
export async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return concat(...parts);
}

/** A sealed annex, and what whoever stores it has of it. */
export interface Sealed {
  readonly ciphertext: Uint8Array;
  readonly annex: Annex;
  readonly tree: AnnexTree;
}

export async function sealed(bytes: Uint8Array, cuts: readonly number[] = []): Promise<Sealed> {
  const { ciphertext: stream, annex } = sealAnnex(
    streamOf(bytes, cuts),
    { ...names, mediaType: 'x/y' },
    random,
  );
  const ciphertext = await bytesOf(stream);
  return { ciphertext, annex: await annex, tree: treeOf(ciphertext) };
}

/** The tree over a ciphertext. */
export function treeOf(ciphertext: Uint8Array): AnnexTree {
  const builder = new AnnexTreeBuilder();
  builder.add(ciphertext);
  return builder.tree();
}

/** The sealed chunks of a ciphertext. */
export function chunksOf(ciphertext: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(ciphertext.length / SEALED_CHUNK) }, (_, i) =>
    ciphertext.subarray(i * SEALED_CHUNK, (i + 1) * SEALED_CHUNK),
  );
}

/** An honest source, which counts what it handed out. */
export function sourceOf({ ciphertext, tree }: Pick<Sealed, 'ciphertext' | 'tree'>): AnnexSource & {
  readonly read: { bytes: number; proofs: number };
} {
  const read = { bytes: 0, proofs: 0 };
  return {
    read,
    bytes({ from, to }) {
      read.bytes += to - from;
      return streamOf(ciphertext.slice(from, to), [1, 30_000]);
    },
    proof(run) {
      const proof = tree.proof(run);
      read.proofs += proof.length;
      return proof;
    },
  };
}

/** What came out of a stream before it was refused, and the code. */
export async function refused(
  stream: ReadableStream<Uint8Array>,
): Promise<{ code: string; got: Uint8Array }> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of stream) parts.push(part);
  } catch (error) {
    if (error instanceof MunimentError) return { code: error.code, got: concat(...parts) };
    throw error;
  }
  throw new Error('expected a refusal');
}

/** Whether two byte strings are equal: asked in place of `toEqual`, which takes a second over a mebibyte. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
