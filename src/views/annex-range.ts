/**
 * Annexes opened from any offset: to read a part, or to go on where a download broke off. Every chunk is proved to stand
 * under the root that the author signed before a byte of it comes out. spec/views.md, "Annexes".
 */

import { HASH_LENGTH, leafHash, rootFromRange, type LeafRange } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import { annexKey, annexLayout, openChunk, SEALED_CHUNK, type Annex, type AnnexLayout } from './annex.ts';
import { ChunkReader, streamOf } from './annex-chunks.ts';
import { ANNEX_RUN, CHUNK_LENGTH } from './constants.ts';
import type { DocumentNames } from './document-names.ts';

/** Where an annex is stored, seen from its reader. What it throws comes out of the plaintext stream as it is. */
export interface AnnexSource {
  /** Bytes of the ciphertext, from `from` up to but without `to`, in pieces of any length. */
  bytes(range: {
    readonly from: number;
    readonly to: number;
  }): ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>;
  /**
   * What `AnnexTree.proof` gives for chunks `from` up to but without `to`: less than 12 KiB, so whoever fetches it may
   * break off there. It is asked for once in 256 chunks.
   */
  proof(run: LeafRange): Uint8Array | Promise<Uint8Array>;
}

/** Which bytes of the plaintext, of the annex of which document. */
export interface AnnexRange extends DocumentNames {
  /** The first byte, from 0. */
  readonly offset: number;
  /** How many, at least one. */
  readonly length: number;
}

/**
 * Decrypts part of an annex. Before a byte comes out its chunk was proved to be the author's and its tag was checked; so
 * what came out of a stream that then failed is good, and the next call may go on behind it.
 *
 * @param source - hands out ciphertext and proofs; nothing that it says is trusted
 * @param annex - the description from the opened field
 * @param range - record and document that the field belongs to (16 bytes each), and the bytes that are wanted
 * @returns exactly these bytes; the stream fails with `VIEW_ANNEX`, also for a range that the annex has not, or as the
 * source fails
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { AnnexTreeBuilder, openAnnexRange, sealAnnex } from 'muniment/views';
 * const names = { recordId: systemRandom(16), docId: systemRandom(16) };
 * const sealed = sealAnnex(new Blob(['an image']).stream(), { ...names, mediaType: 'text/plain' });
 * const stored = await new Response(sealed.ciphertext).blob();
 * const builder = new AnnexTreeBuilder();
 * for await (const piece of stored.stream()) builder.add(piece);
 * const tree = builder.tree();
 * const source = {
 *   bytes: ({ from, to }: { from: number; to: number }) => stored.slice(from, to).stream(),
 *   proof: (run: { from: number; to: number }) => tree.proof(run),
 * };
 * const opened = openAnnexRange(source, await sealed.annex, { ...names, offset: 3, length: 5 });
 * console.log(await new Response(opened).text()); // image
 * ```
 */
export function openAnnexRange(
  source: AnnexSource,
  annex: Annex,
  range: AnnexRange,
): ReadableStream<Uint8Array> {
  const opening = new RangeOpening(source, annex, range);
  return streamOf(
    () => opening.next(),
    (reason) => opening.stop(reason),
  );
}

class RangeOpening {
  readonly #source: AnnexSource;
  readonly #annex: Annex;
  readonly #range: AnnexRange;
  readonly #streamKey: Uint8Array;
  #plan: { readonly layout: AnnexLayout; readonly to: number } | null = null;
  #index = 0;
  /** Hashes of the chunks from here to the end of the proved run. */
  #leaves: Iterator<Uint8Array> = [].values();
  #reader: ChunkReader | null = null;
  #stopped: { readonly reason: unknown } | null = null;

  constructor(source: AnnexSource, annex: Annex, range: AnnexRange) {
    this.#source = source;
    this.#annex = annex;
    this.#range = range;
    this.#streamKey = annexKey(annex.key, range);
  }

  /** What the next chunk has of the range, or null behind the last one. */
  async next(): Promise<Uint8Array | null> {
    const { layout, to } = (this.#plan ??= this.#begin());
    if (this.#index === to) return null;
    // First the proof: where there is none, no ciphertext is fetched.
    const leaf = await this.#nextLeaf(layout, to);
    const reader = (this.#reader ??= await this.#read(layout, to));
    const index = this.#index++;
    const chunk = await reader.exactly(layout.at(index + 1) - layout.at(index));
    if (!equalBytes(leafHash(chunk), leaf)) throw new MunimentError('VIEW_ANNEX');
    const content = openChunk(this.#streamKey, this.#annex, index, chunk);
    if (this.#index === to) await reader.end();
    const { offset, length } = this.#range;
    const start = index * CHUNK_LENGTH;
    return content.subarray(Math.max(0, offset - start), offset + length - start);
  }

  async stop(reason: unknown): Promise<void> {
    this.#stopped = { reason };
    await this.#reader?.cancel(reason);
  }

  #begin(): { readonly layout: AnnexLayout; readonly to: number } {
    const { offset, length } = this.#range;
    const whole = [offset, length].every((value) => Number.isSafeInteger(value));
    if (!whole || offset < 0 || length < 1 || length > this.#annex.length - offset)
      throw new MunimentError('VIEW_ANNEX');
    this.#index = Math.floor(offset / CHUNK_LENGTH);
    return {
      layout: annexLayout(this.#annex.length),
      to: Math.floor((offset + length - 1) / CHUNK_LENGTH) + 1,
    };
  }

  async #nextLeaf(layout: AnnexLayout, to: number): Promise<Uint8Array> {
    const { value } = this.#leaves.next() as { value?: Uint8Array };
    if (value !== undefined) return value;
    // Runs end at multiples, so that large reads ask for whole subtrees, of which the storing side knows the roots.
    const end = (Math.floor(this.#index / ANNEX_RUN) + 1) * ANNEX_RUN;
    const run = { from: this.#index, to: Math.min(end, to) };
    const proof = split(await this.#source.proof(run));
    const proved = rootFromRange(run, layout.chunks, proof);
    if (proved === null || !equalBytes(proved.root, this.#annex.root)) throw new MunimentError('VIEW_ANNEX');
    this.#leaves = proved.leaves.values();
    return this.#nextLeaf(layout, to);
  }

  async #read({ at }: AnnexLayout, to: number): Promise<ChunkReader> {
    const stream = await this.#source.bytes({ from: at(this.#index), to: at(to) });
    const reader = new ChunkReader(stream, SEALED_CHUNK);
    // Cancelled while the source was being asked: nobody else could tell it.
    if (this.#stopped !== null) await reader.cancel(this.#stopped.reason);
    return reader;
  }
}

// The last hash of bytes that are no hashes is too short, which is found where all of them are judged.
function split(proof: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(proof.length / HASH_LENGTH) }, (_, i) =>
    proof.slice(HASH_LENGTH * i, HASH_LENGTH * (i + 1)),
  );
}
