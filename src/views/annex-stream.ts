/** Annexes sealed and opened from end to end, in constant memory, as fast as somebody reads. spec/views.md, "Annexes". */

import { chunkSeal, KEY_LENGTH, leafHash, RootFolder, systemRandom, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, padmeLength } from '../wire/index.ts';
import { annexKey, annexLayout, openChunk, SEALED_CHUNK, type Annex } from './annex.ts';
import { ChunkReader, streamOf } from './annex-chunks.ts';
import { CHUNK_LENGTH } from './constants.ts';
import type { DocumentNames } from './document-names.ts';

/**
 * Encrypts a stream chunk by chunk, in constant memory: a chunk is read and sealed when somebody asks for it. Each call
 * draws a key of its own. An upload that broke off goes on with the ciphertext that was kept, never with a plaintext that
 * is sealed again.
 *
 * @param plaintext - a stream of bytes in pieces of any length; it is locked, and cancelled if the ciphertext is
 * @param context - record and document that the annex will belong to (16 bytes each), and its media type
 * @param random - for vectors only
 * @returns the ciphertext stream, which fails as the plaintext fails; and the annex's description, which resolves once
 * that stream was read to its end, and rejects with `VIEW_ANNEX` if the stream fails or is cancelled before
 * @throws `TypeError` if the stream is locked; so does the ciphertext if a piece is not a `Uint8Array`
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { openAnnex, sealAnnex } from 'muniment/views';
 * const names = { recordId: systemRandom(16), docId: systemRandom(16) };
 * const sealed = sealAnnex(new Blob(['an image']).stream(), { ...names, mediaType: 'text/plain' });
 * const stored = await new Response(sealed.ciphertext).blob();
 * const opened = openAnnex(stored.stream(), await sealed.annex, names);
 * console.log(await new Response(opened).text()); // an image
 * ```
 */
export function sealAnnex(
  plaintext: ReadableStream<Uint8Array>,
  context: DocumentNames & { readonly mediaType: string },
  random: Random = systemRandom,
): { readonly ciphertext: ReadableStream<Uint8Array>; readonly annex: Promise<Annex> } {
  const sealing = new Sealing(plaintext, context, random(KEY_LENGTH));
  return {
    ciphertext: streamOf(
      () => sealing.next(),
      (reason) => sealing.stop(reason),
    ),
    annex: sealing.annex,
  };
}

class Sealing {
  readonly annex: Promise<Annex>;
  readonly #reader: ChunkReader;
  readonly #key: Uint8Array;
  readonly #streamKey: Uint8Array;
  readonly #mediaType: string;
  readonly #folder = new RootFolder();
  #index = 0;
  #length = 0;
  /** Bytes that are left to seal, zeros included; null until the plaintext has ended. */
  #left: number | null = null;
  #resolve!: (annex: Annex) => void;
  #reject!: (error: MunimentError) => void;

  constructor(
    plaintext: ReadableStream<Uint8Array>,
    context: DocumentNames & { readonly mediaType: string },
    key: Uint8Array,
  ) {
    this.#reader = new ChunkReader(plaintext, CHUNK_LENGTH);
    this.#key = key;
    this.#streamKey = annexKey(key, context);
    this.#mediaType = context.mediaType;
    this.annex = new Promise((...settle) => ([this.#resolve, this.#reject] = settle));
    this.annex.catch(() => undefined); // who does not ask for it hears of the failure from the stream
  }

  /** The next sealed chunk, or null after the final one. */
  async next(): Promise<Uint8Array | null> {
    if (this.#left === 0) return null;
    if (this.#left !== null) return this.#sealPadded(new Uint8Array(0), this.#left);
    // One byte ahead: the final chunk is sealed as such, and there may be no other behind it.
    const chunk = await this.#reader.next(CHUNK_LENGTH, 1);
    if (chunk !== null) {
      this.#length += chunk.length;
      return this.#seal(chunk, false);
    }
    const rest = this.#reader.rest();
    const left = padmeLength(this.#length + rest.length) - this.#length;
    this.#length += rest.length;
    return this.#sealPadded(rest, left);
  }

  stop(reason: unknown): Promise<void> {
    // Before the plaintext is told: the end to which it then comes is not the end of what was to be sealed.
    this.#reject(new MunimentError('VIEW_ANNEX', 'sealing ended early', { cause: reason }));
    return this.#reader.cancel(reason);
  }

  #sealPadded(content: Uint8Array, left: number): Uint8Array {
    const size = Math.min(left, CHUNK_LENGTH);
    const chunk = content.length === size ? content : new Uint8Array(size);
    if (chunk !== content) chunk.set(content);
    this.#left = left - chunk.length;
    const sealed = this.#seal(chunk, this.#left === 0);
    if (this.#left === 0) {
      const root = this.#folder.root();
      this.#resolve({ key: this.#key, length: this.#length, mediaType: this.#mediaType, root });
    }
    return sealed;
  }

  #seal(chunk: Uint8Array, final: boolean): Uint8Array {
    const sealed = chunkSeal(this.#streamKey, this.#index++, final, chunk);
    this.#folder.add(leafHash(sealed));
    return sealed;
  }
}

/**
 * Decrypts an annex chunk by chunk. No byte of a chunk comes out before its tag was checked; the final chunk comes out only
 * once the ciphertext has ended there, and the root is the one that the field states. What comes before is what somebody
 * sealed who had the field's key: who must know before the end that it is the author's, reads with `openAnnexRange`.
 *
 * @param ciphertext - the stream as stored, in pieces of any length; it is locked, and cancelled if the plaintext is, or is refused
 * @param annex - the description from the opened field
 * @param names - record and document that the field belongs to
 * @returns the plaintext stream; it fails with `VIEW_ANNEX`, or as the ciphertext fails
 * @throws `TypeError` if the stream is locked
 */
export function openAnnex(
  ciphertext: ReadableStream<Uint8Array>,
  annex: Annex,
  names: DocumentNames,
): ReadableStream<Uint8Array> {
  const streamKey = annexKey(annex.key, names);
  const folder = new RootFolder();
  const reader = new ChunkReader(ciphertext, SEALED_CHUNK);
  let index = 0;
  const next = async (): Promise<Uint8Array | null> => {
    const { chunks, at } = annexLayout(annex.length);
    while (index < chunks) {
      const chunk = await reader.exactly(at(index + 1) - at(index));
      folder.add(leafHash(chunk));
      const content = openChunk(streamKey, annex, index++, chunk);
      if (index === chunks) {
        await reader.end();
        if (!equalBytes(folder.root(), annex.root)) throw new MunimentError('VIEW_ANNEX');
      }
      if (content.length > 0) return content;
    }
    return null;
  };
  return streamOf(next, (reason) => reader.cancel(reason));
}
