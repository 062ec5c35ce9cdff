/**
 * Annexes: images and files of any size as encrypted streams in 64 KiB chunks (the STREAM layout of age), which no
 * chunk can be dropped from, moved, repeated or cut off. Key, length and the RFC 6962 root over the ciphertext
 * chunks are a field's value in the sealed document. spec/views.md, "Annexes".
 */

import {
  chunkOpen,
  chunkSeal,
  deriveTuple,
  hashTuple,
  KEY_LENGTH,
  leafHash,
  RootFolder,
  systemRandom,
  TAG_LENGTH,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import {
  concat,
  equalBytes,
  fromBase64url,
  jsonValue,
  padmeLength,
  readJson,
  toBase64url,
} from '../wire/index.ts';
import { CHUNK_LENGTH } from './constants.ts';
import type { DocumentNames } from './manifest.ts';

/** What a field says of its annex. Whoever reads the field reads the annex. */
export interface Annex {
  /** 32 random bytes. */
  readonly key: Uint8Array;
  /** The plaintext's length in bytes; the ciphertext shows its Padmé bucket only. */
  readonly length: number;
  readonly mediaType: string;
  /** The RFC 6962 root over the ciphertext's chunks. */
  readonly root: Uint8Array;
}

/** An annex as JSON text, to stand as a field's value. */
export function encodeAnnex(annex: Annex): string {
  const { key, length, mediaType, root } = annex;
  return JSON.stringify({ key: toBase64url(key), length, mediaType, root: toBase64url(root) });
}

/** Reads what {@link encodeAnnex} wrote, in any member order, or throws `VIEW_ANNEX`. */
export function decodeAnnex(text: string): Annex {
  try {
    const value = jsonValue(readJson(text, { length: 4096, depth: 2 }));
    if (value === null || typeof value !== 'object' || !('key' in value))
      throw new MunimentError('VIEW_ANNEX');
    const { key, length, mediaType, root, ...others } = value;
    if (Object.keys(others).length > 0) throw new MunimentError('VIEW_ANNEX');
    if (typeof key !== 'string' || typeof root !== 'string' || typeof mediaType !== 'string') {
      throw new MunimentError('VIEW_ANNEX');
    }
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0)
      throw new MunimentError('VIEW_ANNEX');
    const annex = { key: fromBase64url(key), length, mediaType, root: fromBase64url(root) };
    if (annex.key.length !== KEY_LENGTH || annex.root.length !== 32) throw new MunimentError('VIEW_ANNEX');
    return annex;
  } catch (cause) {
    throw new MunimentError('VIEW_ANNEX', undefined, { cause });
  }
}

/**
 * Encrypts a stream chunk by chunk, in constant memory.
 *
 * @param plaintext - a stream of bytes of any chunking
 * @param context - record and document that the annex will belong to, and its media type
 * @param random - for vectors only
 * @returns the ciphertext stream, and the annex's description, which resolves once that stream was read to its end
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
  const key = random(KEY_LENGTH);
  const streamKey = annexKey(key, context);
  const folder = new RootFolder();
  let index = 0;
  let length = 0;
  let settle: (annex: Annex) => void;
  const annex = new Promise<Annex>((resolve) => (settle = resolve));
  const rechunker = new Rechunker(CHUNK_LENGTH);
  const encrypt = (chunk: Uint8Array, final: boolean): Uint8Array => {
    const sealed = chunkSeal(streamKey, index++, final, chunk);
    folder.add(leafHash(sealed));
    return sealed;
  };
  const ciphertext = plaintext.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        length += bytes.length;
        for (const chunk of rechunker.push(bytes)) controller.enqueue(encrypt(chunk, false));
      },
      flush(controller) {
        // Zeros up to the bucket, so that the ciphertext's length tells little.
        for (let missing = padmeLength(length) - length; missing > 0; missing -= CHUNK_LENGTH) {
          const zeros = new Uint8Array(Math.min(missing, CHUNK_LENGTH));
          for (const chunk of rechunker.push(zeros)) controller.enqueue(encrypt(chunk, false));
        }
        controller.enqueue(encrypt(rechunker.rest(), true));
        settle({ key, length, mediaType: context.mediaType, root: folder.root() });
      },
    }),
  );
  return { ciphertext, annex };
}

/**
 * Decrypts an annex chunk by chunk. No byte of a chunk comes out before its tag was checked; the stream ends
 * normally only after the final chunk, with the root and the padding as committed. Otherwise it errors.
 *
 * @param ciphertext - the stream as stored
 * @param annex - the description from the opened field
 * @param names - record and document that the field belongs to
 * @returns the plaintext stream; it errors with `VIEW_ANNEX`
 */
export function openAnnex(
  ciphertext: ReadableStream<Uint8Array>,
  annex: Annex,
  names: DocumentNames,
): ReadableStream<Uint8Array> {
  const streamKey = annexKey(annex.key, names);
  const folder = new RootFolder();
  const rechunker = new Rechunker(CHUNK_LENGTH + TAG_LENGTH);
  let index = 0;
  let left = annex.length;
  const decrypt = (chunk: Uint8Array, final: boolean): Uint8Array => {
    folder.add(leafHash(chunk));
    let plaintext;
    try {
      plaintext = chunkOpen(streamKey, index++, final, chunk);
    } catch (cause) {
      throw new MunimentError('VIEW_ANNEX', undefined, { cause });
    }
    const content = plaintext.subarray(0, Math.min(left, plaintext.length));
    left -= content.length;
    if (plaintext.subarray(content.length).some((byte) => byte !== 0)) throw new MunimentError('VIEW_ANNEX');
    return content;
  };
  return ciphertext.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        for (const chunk of rechunker.push(bytes)) controller.enqueue(decrypt(chunk, false));
      },
      flush(controller) {
        const last = decrypt(rechunker.rest(), true);
        if (left !== 0 || !equalBytes(folder.root(), annex.root)) throw new MunimentError('VIEW_ANNEX');
        controller.enqueue(last);
      },
    }),
  );
}

/**
 * The name under which an annex is stored: a hash of its root, so that not even the root, which stands in a sealed
 * field, is written down by who stores it.
 */
export function annexName(root: Uint8Array): Uint8Array {
  return hashTuple('annex name', root);
}

/** Computes an annex's name while its ciphertext streams by, without a key: what a server holds uploads against. */
export class AnnexNamer {
  readonly #folder = new RootFolder();
  readonly #rechunker = new Rechunker(CHUNK_LENGTH + TAG_LENGTH);

  /** Takes the next bytes. */
  add(bytes: Uint8Array): void {
    for (const chunk of this.#rechunker.push(bytes)) this.#folder.add(leafHash(chunk));
  }

  /** The name of everything taken; call once, at the end. */
  name(): Uint8Array {
    this.#folder.add(leafHash(this.#rechunker.rest()));
    return annexName(this.#folder.root());
  }
}

// The key is random and lives in one field, whose leaf binds it to its path; record and document are bound here.
function annexKey(key: Uint8Array, names: DocumentNames): Uint8Array {
  return deriveTuple(key, 'annex key', names.recordId, names.docId);
}

// Cuts a stream into chunks of one length. It holds the last full chunk back, since that may be the final one.
class Rechunker {
  readonly #length: number;
  #held: Uint8Array[] = [];
  #size = 0;

  constructor(length: number) {
    this.#length = length;
  }

  *push(bytes: Uint8Array): Generator<Uint8Array> {
    this.#held.push(new Uint8Array(bytes)); // slice() of a Buffer would share its memory
    this.#size += bytes.length;
    if (this.#size <= this.#length) return;
    let all = concat(...this.#held);
    for (; all.length > this.#length; all = all.subarray(this.#length)) yield all.subarray(0, this.#length);
    this.#held = [all];
    this.#size = all.length;
  }

  rest(): Uint8Array {
    return concat(...this.#held);
  }
}
