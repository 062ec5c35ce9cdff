/**
 * What a document says of its annexes, and how these are laid out: images and files of any size, encrypted in 64 KiB
 * chunks (the STREAM layout of age), which no chunk can be dropped from, moved, repeated or cut off. Key, length and
 * the RFC 6962 root over the ciphertext's chunks are a field's value in the sealed document. `annex-stream.ts` seals and
 * opens, `annex-range.ts` opens from the middle, `annex-tree.ts` is for who stores. spec/views.md, "Annexes".
 */

import { chunkOpen, deriveTuple, hashTuple, KEY_LENGTH, TAG_LENGTH } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { fromBase64url, jsonValue, padmeLength, readJson, toBase64url } from '../wire/index.ts';
import { CHUNK_LENGTH } from './constants.ts';
import type { DocumentNames } from './document-names.ts';

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
 * The name under which an annex is stored: a hash of its root, so that not even the root, which stands in a sealed
 * field, is written down by who stores it.
 */
export function annexName(root: Uint8Array): Uint8Array {
  return hashTuple('annex name', root);
}

/** Bytes of a chunk once it is sealed; the final one may have fewer. */
export const SEALED_CHUNK = CHUNK_LENGTH + TAG_LENGTH;

/** Where the chunks of an annex lie. */
export interface AnnexLayout {
  /** How many there are. */
  readonly chunks: number;
  /** Where sealed chunk `index` begins; for `chunks`, where the ciphertext ends. */
  readonly at: (index: number) => number;
}

/** The layout of an annex whose plaintext is so long, or throws `VIEW_ANNEX`. */
export function annexLayout(length: number): AnnexLayout {
  const padded = padmeLength(length);
  const chunks = Math.ceil(padded / CHUNK_LENGTH);
  const total = padded + chunks * TAG_LENGTH;
  if (!Number.isSafeInteger(total)) throw new MunimentError('VIEW_ANNEX');
  return { chunks, at: (index) => (index === chunks ? total : index * SEALED_CHUNK) };
}

/** The key of the stream: `Expand(key, T("muniment/1 annex key", names))`. A field holds the random key, and its leaf binds that to its path. */
export function annexKey(key: Uint8Array, names: DocumentNames): Uint8Array {
  return deriveTuple(key, 'annex key', names.recordId, names.docId);
}

/** What of the plaintext a sealed chunk holds, without the zeros behind it, or throws `VIEW_ANNEX`. */
export function openChunk(
  streamKey: Uint8Array,
  annex: Pick<Annex, 'length'>,
  index: number,
  sealed: Uint8Array,
): Uint8Array {
  const final = index === annexLayout(annex.length).chunks - 1;
  let padded;
  try {
    padded = chunkOpen(streamKey, index, final, sealed);
  } catch (cause) {
    throw new MunimentError('VIEW_ANNEX', undefined, { cause });
  }
  const content = padded.subarray(0, Math.max(0, annex.length - index * CHUNK_LENGTH));
  for (let i = content.length; i < padded.length; i++)
    if (padded[i] !== 0) throw new MunimentError('VIEW_ANNEX');
  return content;
}
