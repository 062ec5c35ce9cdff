/**
 * Run in a process of its own, so that its memory is all its own: seals an annex of so many bytes, opens it from end to end
 * and 1 MiB from its middle, and prints what that took. Neither plaintext nor ciphertext is ever kept: the one is
 * generated, the other sealed again where it is needed. Usage: node --expose-gc annex-huge.ts BYTES
 */

import {
  AnnexTreeBuilder,
  CHUNK_LENGTH,
  openAnnex,
  openAnnexRange,
  sealAnnex,
  type Annex,
  type AnnexTree,
} from '../../src/views/index.ts';
import { annexKey, annexLayout } from '../../src/views/annex.ts';
import { chunkSeal } from '../../src/crypto/index.ts';

const MIB = 1024 * 1024;
const PIECE = 100_000; // no multiple of anything here
const length = Number(process.argv[2]);
const names = { recordId: new Uint8Array(16).fill(1), docId: new Uint8Array(16).fill(2) };
/** After so many bytes the collector runs. */
const COLLECTED = 4 * MIB;
const KEY = new Uint8Array(32).fill(3);

/** Bytes of the content from an offset on: each differs from its neighbours, and no two chunks are equal. */
function contentAt(offset: number, size: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4) + 2);
  const first = Math.floor(offset / 4);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(first + i, 0x9e3779b1);
  return new Uint8Array(words.buffer, offset % 4, size);
}

function generated(): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        const size = Math.min(PIECE, length - at);
        if (size > 0) controller.enqueue(contentAt(at, size));
        else controller.close();
        at += size;
      },
    },
    { highWaterMark: 0 },
  );
}

// The same annex each time: what of it is needed again is made again.
const seal = (): ReturnType<typeof sealAnnex> =>
  sealAnnex(generated(), { ...names, mediaType: 'application/octet-stream' }, () => KEY);

async function sealed(): Promise<{ annex: Annex; tree: AnnexTree; bytes: number }> {
  const builder = new AnnexTreeBuilder();
  const { ciphertext, annex } = seal();
  let bytes = 0;
  for await (const chunk of ciphertext) {
    builder.add(chunk);
    bytes += chunk.length;
    collected(chunk);
  }
  return { annex: await annex, tree: builder.tree(), bytes };
}

let uncollected = 0;

// Dead buffers are nobody's: without this they lie about until the collector comes, whenever that is.
function collected(chunk: Uint8Array): void {
  uncollected += chunk.length;
  if (uncollected < COLLECTED) return;
  uncollected = 0;
  if (gc === undefined) throw new Error('needs --expose-gc');
  gc();
}

/** How many bytes came out, all of them the right ones. */
async function compared(stream: ReadableStream<Uint8Array>, offset: number): Promise<number> {
  let at = offset;
  for await (const part of stream) {
    if (Buffer.compare(part, contentAt(at, part.length)) !== 0)
      throw new Error(`other bytes at ${String(at)}`);
    at += part.length;
    collected(part);
  }
  return at - offset;
}

async function openedRange(annex: Annex, tree: AnnexTree): Promise<{ opened: number; read: number }> {
  const { chunks, at } = annexLayout(length);
  const streamKey = annexKey(annex.key, names);
  let read = 0;
  const source = {
    bytes({ from, to }: { from: number; to: number }): ReadableStream<Uint8Array> {
      let index = from / at(1);
      return new ReadableStream({
        pull(controller) {
          const size = Math.min(CHUNK_LENGTH, length - index * CHUNK_LENGTH);
          const chunk = chunkSeal(
            streamKey,
            index,
            index === chunks - 1,
            contentAt(index * CHUNK_LENGTH, size),
          );
          controller.enqueue(chunk);
          read += chunk.length;
          if (at(++index) >= to) controller.close();
        },
      });
    },
    proof(run: { from: number; to: number }): Uint8Array {
      const proof = tree.proof(run);
      read += proof.length;
      return proof;
    },
  };
  const offset = Math.floor(length / 2) + 12_345;
  const range = openAnnexRange(source, annex, { ...names, offset, length: MIB });
  return { opened: await compared(range, offset), read };
}

const started = Date.now();
const { annex, tree, bytes } = await sealed();
const sealing = Date.now() - started;
const opened = await compared(openAnnex(seal().ciphertext, annex, names), 0);
const range = await openedRange(annex, tree);
console.log(
  JSON.stringify({
    sealed: annex.length,
    ciphertext: bytes,
    opened,
    range,
    megabytesResident: Math.ceil(process.resourceUsage().maxRSS / 1024),
    seconds: { sealing: sealing / 1000, all: (Date.now() - started) / 1000 },
  }),
);
