/**
 * Vectors of annexes opened from any offset. Chunks of 64 KiB would fill the file, so each is told by how it is made: its
 * content counts up from `first` modulo 251, and it is sealed under `streamKey`.
 */

import {
  chunkSeal,
  deriveTuple,
  hashTuple,
  leafHash,
  MerkleTree,
  sha256,
} from '../../../src/crypto/index.ts';
import { annexName, AnnexTree, CHUNK_LENGTH, encodeAnnex, type Annex } from '../../../src/views/index.ts';
import { concat } from '../../../src/wire/index.ts';
import type { VectorCase } from '../file.ts';
import { hex, unhex } from '../hex.ts';
import { seededRandom } from './seed.ts';

/** One piece of what a server hands out. */
export interface ServedJson {
  readonly streamKey: string;
  readonly index: number;
  readonly final: boolean;
  /** Byte i of the content is (first + i) modulo 251. */
  readonly first: number;
  readonly length: number;
  /** Zeros behind the content. */
  readonly zeros: number;
  /** What follows the zeros. */
  readonly last?: string;
  /** How many bytes of the sealed chunk are handed out, if not all. */
  readonly cut?: number;
  /** The byte of the sealed chunk whose lowest bit is flipped. */
  readonly flip?: number;
}

export type AnnexRangeCase = VectorCase &
  (
    | {
        readonly operation: 'annex proof';
        readonly leaves: readonly string[];
        readonly annexName: string;
        readonly from: number;
        readonly to: number;
        readonly proof?: string;
      }
    | {
        readonly operation: 'open annex range';
        readonly recordId: string;
        readonly docId: string;
        readonly text: string;
        readonly offset: number;
        readonly length: number;
        readonly proof: string;
        readonly served: readonly ServedJson[];
        /** SHA-256 of the bytes that come out. */
        readonly digest?: string;
      }
  );

/** The bytes that a server hands out. */
export function servedBytes(served: readonly ServedJson[]): Uint8Array {
  return concat(...served.map(servedChunk));
}

export function annexRangeCases(): AnnexRangeCase[] {
  return [...proofCases(), ...rangeCases()];
}

const names = { recordId: new Uint8Array(16).fill(1), docId: new Uint8Array(16).fill(2) };
const LENGTH = 140_000; // padded to 143,360: three chunks, the last one of 12,288 bytes, 3,360 of them zeros
const key = seededRandom('views annex range')(32);
const streamKey = hex(deriveTuple(key, 'annex key', names.recordId, names.docId));
const CHUNKS: readonly ServedJson[] = [0, 1, 2].map((index) => {
  const length = Math.min(CHUNK_LENGTH, LENGTH - index * CHUNK_LENGTH);
  const first = (index * CHUNK_LENGTH) % 251;
  return { streamKey, index, final: index === 2, first, length, zeros: index === 2 ? 3360 : 0 };
});

type ProofCase = Extract<AnnexRangeCase, { readonly operation: 'annex proof' }>;

function proofCases(): ProofCase[] {
  const random = seededRandom('views annex tree');
  const leaves = Array.from({ length: 300 }, () => random(32));
  const proving = (name: string, size: number, from: number, to: number, refused = false): ProofCase => {
    const joined = concat(...leaves.slice(0, size));
    const annex = annexName(new MerkleTree(joined).root());
    const error = { error: 'VIEW_ANNEX' } as const;
    return {
      name: `annex proof: ${name}`,
      operation: 'annex proof',
      leaves: leaves.slice(0, size).map(hex),
      annexName: hex(annex),
      from,
      to,
      ...(refused ? error : { proof: hex(AnnexTree.decode(joined, annex).proof({ from, to })) }),
    };
  };
  return [
    proving('the only chunk', 1, 0, 1),
    proving('all of seven chunks', 7, 0, 7),
    proving('the first of seven chunks', 7, 0, 1),
    proving('the last of seven chunks', 7, 6, 7),
    proving('some of seven chunks', 7, 2, 5),
    proving('no chunk', 7, 3, 3, true),
    proving('backwards', 7, 4, 3, true),
    proving('past the end', 7, 6, 8, true),
    proving('more chunks than 256', 300, 0, 257, true),
    { ...proving('another annex', 7, 2, 5, true), annexName: hex(hashTuple('annex name', leaves[0] ?? key)) },
    { ...proving('no leaves', 1, 0, 1, true), leaves: [] },
    { ...proving('a leaf of 31 bytes', 1, 0, 1, true), leaves: [hex(leaves[0] ?? key).slice(2)] },
  ];
}

function rangeCases(): AnnexRangeCase[] {
  const tree = treeOf(CHUNKS);
  const [a, b, c] = CHUNKS as [ServedJson, ServedJson, ServedJson];
  const middle = hex(tree.proof({ from: 1, to: 2 }));
  const hashes = (middle.match(/.{64}/g) ?? []) as string[];
  const other = hex(deriveTuple(seededRandom('another annex')(32), 'annex key', names.recordId, names.docId));
  const described = describe(CHUNKS);
  const opening = (
    name: string,
    range: { readonly offset: number; readonly length: number },
    served: readonly ServedJson[],
    changes: Partial<Record<'recordId' | 'docId' | 'text' | 'proof', string>> = {},
    refused = true,
  ): AnnexRangeCase => {
    const { offset, length } = range;
    const content = Uint8Array.from({ length: LENGTH }, (_, i) => i % 251).subarray(offset, offset + length);
    return {
      name: `open annex range: ${name}`,
      operation: 'open annex range',
      recordId: hex(names.recordId),
      docId: hex(names.docId),
      text: encodeAnnex(described),
      offset,
      length,
      proof: middle,
      served,
      ...changes,
      ...(refused ? { error: 'VIEW_ANNEX' as const } : { digest: hex(sha256(content)) }),
    };
  };
  const inside = { offset: 70_000, length: 60_000 }; // all of it in chunk 1
  const across = { offset: 60_000, length: 75_000 };
  const last = { offset: LENGTH - 1, length: 1 };
  const good = (name: string, ...rest: [typeof inside, ServedJson[], string]): AnnexRangeCase =>
    opening(name, rest[0], rest[1], { proof: rest[2] }, false);
  const proofOf = (from: number, to: number): string => hex(tree.proof({ from, to }));
  const wrongly = (name: string, spoiled: readonly ServedJson[]): AnnexRangeCase =>
    opening(name, { offset: 0, length: LENGTH }, spoiled, {
      text: encodeAnnex(describe(spoiled)),
      proof: hex(treeOf(spoiled).proof({ from: 0, to: 3 })),
    });
  return [
    good('within one chunk', inside, [b], middle),
    good('over both seams', across, [a, b, c], proofOf(0, 3)),
    good('all of it', { offset: 0, length: LENGTH }, [a, b, c], proofOf(0, 3)),
    good('the last byte', last, [c], proofOf(2, 3)),
    opening('nothing comes', inside, []),
    opening('a chunk dropped', across, [a, c], { proof: proofOf(0, 3) }),
    opening('chunks moved', across, [b, a, c], { proof: proofOf(0, 3) }),
    opening('a chunk repeated', across, [a, a, c], { proof: proofOf(0, 3) }),
    opening('cut off', inside, [{ ...b, cut: CHUNK_LENGTH + 15 }]),
    opening('followed by more', inside, [b, { ...c, cut: 1 }]),
    opening('the chunk before', inside, [a]),
    opening('changed', inside, [{ ...b, flip: 100 }]),
    opening('its tag changed', inside, [{ ...b, flip: CHUNK_LENGTH }]),
    opening('a chunk of another annex', inside, [{ ...b, streamKey: other }]),
    opening('other content under its own key', inside, [{ ...b, first: b.first + 1 }]),
    opening('another record', inside, [b], { recordId: '00'.repeat(16) }),
    opening('another document', inside, [b], { docId: '00'.repeat(16) }),
    opening('another root', inside, [b], { text: encodeAnnex({ ...described, root: key }) }),
    opening('another length', inside, [b], { text: encodeAnnex({ ...described, length: 1_000_000 }) }),
    opening('no proof', inside, [b], { proof: '' }),
    opening('a proof too short', inside, [b], { proof: middle.slice(0, -64) }),
    opening('a proof too long', inside, [b], { proof: middle + middle.slice(0, 64) }),
    opening('a proof without its last byte', inside, [b], { proof: middle.slice(0, -2) }),
    opening('a proof reordered', inside, [b], { proof: [hashes[1], hashes[0], hashes[2]].join('') }),
    opening('the proof of another chunk', inside, [b], { proof: proofOf(2, 3) }),
    opening('past the end', { offset: LENGTH - 1, length: 2 }, [c], { proof: proofOf(2, 3) }),
    opening('behind the end', { offset: LENGTH, length: 1 }, [c], { proof: proofOf(2, 3) }),
    opening('no byte', { offset: 0, length: 0 }, [a], { proof: proofOf(0, 1) }),
    wrongly('the final chunk not sealed as such', [a, b, { ...c, final: false }]),
    wrongly('another chunk sealed as the final one', [a, { ...b, final: true }, c]),
    wrongly('padding that is not zero', [a, b, { ...c, zeros: 3359, last: '01' }]),
  ];
}

function describe(chunks: readonly ServedJson[]): Annex {
  const root = new MerkleTree(leavesOf(chunks)).root();
  return { key, length: LENGTH, mediaType: 'application/dicom', root };
}

function treeOf(chunks: readonly ServedJson[]): AnnexTree {
  return new AnnexTree(new MerkleTree(leavesOf(chunks)));
}

function leavesOf(chunks: readonly ServedJson[]): Uint8Array {
  return concat(...chunks.map((one) => leafHash(servedChunk(one))));
}

function servedChunk(one: ServedJson): Uint8Array {
  const content = Uint8Array.from({ length: one.length }, (_, i) => (one.first + i) % 251);
  const padded = concat(content, new Uint8Array(one.zeros), unhex(one.last ?? ''));
  const chunk = chunkSeal(unhex(one.streamKey), one.index, one.final, padded);
  if (one.flip !== undefined) chunk[one.flip] = (chunk[one.flip] ?? 0) ^ 1;
  return chunk.subarray(0, one.cut);
}
