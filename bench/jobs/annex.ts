/**
 * An annex sealed and opened from end to end as streams of 64 KiB pieces, as files give them. Beside it the primitives
 * alone over the same chunks, the platform's and `@noble`'s: a ChaCha20-Poly1305 and a SHA-256 each. `age-encryption` has the
 * same chunks, no hash over them, and a recipient to whom it seals the key.
 */

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { createSecretKey } from 'node:crypto';
import { forceBackend, systemRandom } from 'muniment/crypto';
import { AnnexTreeBuilder, CHUNK_LENGTH, openAnnex, openAnnexRange, sealAnnex } from 'muniment/views';
import { bareOpen, bareSeal, bareSha256 } from '../bare.ts';
import type { Contest, Row } from '../measure.ts';

const MIB = 1024 * 1024;
const CHUNKS = 64; // 4 MiB, which is its own Padmé bucket
const SEALED_CHUNK = CHUNK_LENGTH + 16;
const NO_AAD = new Uint8Array(0);

export async function* annex(): AsyncGenerator<Contest> {
  try {
    const plaintext = new Uint8Array(CHUNKS * CHUNK_LENGTH);
    for (let i = 0; i < CHUNKS; i++) plaintext.set(systemRandom(CHUNK_LENGTH), i * CHUNK_LENGTH);
    const chunks = piecesOf(plaintext, CHUNK_LENGTH);
    const key = systemRandom(32);
    const age = await ageFile(plaintext);
    yield {
      name: `seal ${plaintext.length / MIB} MiB`,
      baseline: 'bare',
      rows: {
        bare: { run: () => bareSealAll(key, chunks, () => undefined) },
        native: await judged('node', () => sealAll(plaintext), CHUNKS * SEALED_CHUNK),
        '@noble': { run: () => nobleSealAll(key, chunks) },
        portable: await judged('portable', () => sealAll(plaintext), CHUNKS * SEALED_CHUNK),
        'age-encryption': { run: () => age.seal() },
      },
    };

    const sealed: Uint8Array[] = [];
    bareSealAll(key, chunks, (chunk) => sealed.push(chunk));
    const own = await ownAnnex(plaintext);
    yield {
      name: `open ${plaintext.length / MIB} MiB`,
      baseline: 'bare',
      rows: {
        bare: { run: () => bareOpenAll(key, sealed) },
        native: await judged('node', own.open, plaintext.length),
        '@noble': { run: () => nobleOpenAll(key, sealed) },
        portable: await judged('portable', own.open, plaintext.length),
        'age-encryption': await judged(null, age.open, plaintext.length),
      },
    };

    // From within a chunk, so that seventeen chunks take part.
    const some = sealed.slice(40, 57);
    yield {
      name: `open 1 MiB of ${plaintext.length / MIB} MiB`,
      baseline: 'bare',
      rows: {
        bare: { run: () => bareOpenAll(key, some, 40) },
        native: await judged('node', own.openSome, MIB),
        '@noble': { run: () => nobleOpenAll(key, some, 40) },
        portable: await judged('portable', own.openSome, MIB),
      },
    };
  } finally {
    forceBackend(null);
  }
}

const names = { recordId: new Uint8Array(16).fill(1), docId: new Uint8Array(16).fill(2) };

interface Own {
  readonly open: () => Promise<number>;
  readonly openSome: () => Promise<number>;
}

/** Seals, reads to the end, and waits for the description; how many bytes came out. */
async function sealAll(plaintext: Uint8Array): Promise<number> {
  const sealed = sealAnnex(fileOf(plaintext), { ...names, mediaType: 'image/png' });
  const length = await drain(sealed.ciphertext);
  await sealed.annex;
  return length;
}

async function ownAnnex(plaintext: Uint8Array): Promise<Own> {
  const sealed = sealAnnex(fileOf(plaintext), { ...names, mediaType: 'image/png' });
  const stored = new Uint8Array(await new Response(sealed.ciphertext).arrayBuffer());
  const description = await sealed.annex;
  const builder = new AnnexTreeBuilder();
  builder.add(stored);
  const tree = builder.tree();
  // The storing side's work is not the reader's.
  const proofs = new Map<number, Uint8Array>();
  const source = {
    bytes: ({ from, to }: { from: number; to: number }) => fileOf(stored.subarray(from, to)),
    proof(run: { from: number; to: number }) {
      const proof = proofs.get(run.from) ?? tree.proof(run);
      proofs.set(run.from, proof);
      return proof;
    },
  };
  const range = { ...names, offset: 40 * CHUNK_LENGTH + 7, length: MIB };
  return {
    open: () => drain(openAnnex(fileOf(stored), description, names)),
    openSome: () => drain(openAnnexRange(source, description, range)),
  };
}

async function ageFile(
  plaintext: Uint8Array,
): Promise<{ seal: () => Promise<number>; open: () => Promise<number> }> {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const seal = async (): Promise<ReadableStream<Uint8Array>> => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    return encrypter.encrypt(fileOf(plaintext));
  };
  const stored = new Uint8Array(await new Response(await seal()).arrayBuffer());
  return {
    seal: async () => drain(await seal()),
    async open() {
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity);
      return drain(await decrypter.decrypt(fileOf(stored)));
    },
  };
}

function bareSealAll(
  key: Uint8Array,
  chunks: readonly Uint8Array[],
  take: (sealed: Uint8Array) => void,
): void {
  const imported = createSecretKey(key);
  for (const [i, chunk] of chunks.entries()) {
    const sealed = bareSeal(imported, NO_AAD, chunk, nonceOf(i));
    bareSha256(sealed);
    take(sealed);
  }
}

function bareOpenAll(key: Uint8Array, chunks: readonly Uint8Array[], from = 0): void {
  const imported = createSecretKey(key);
  for (const [i, chunk] of chunks.entries()) {
    bareSha256(chunk);
    bareOpen(imported, NO_AAD, chunk, nonceOf(from + i));
  }
}

function nobleSealAll(key: Uint8Array, chunks: readonly Uint8Array[]): void {
  for (const [i, chunk] of chunks.entries()) sha256(chacha20poly1305(key, nonceOf(i)).encrypt(chunk));
}

function nobleOpenAll(key: Uint8Array, chunks: readonly Uint8Array[], from = 0): void {
  for (const [i, chunk] of chunks.entries()) {
    sha256(chunk);
    chacha20poly1305(key, nonceOf(from + i)).decrypt(chunk);
  }
}

/** Distinct for each chunk, which is all that a bare call asks. */
function nonceOf(i: number): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, i);
  return nonce;
}

/** Bytes as a file gives them: in pieces of 64 KiB, when somebody reads. */
function fileOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const pieces = piecesOf(bytes, 65_536).values();
  return new ReadableStream(
    {
      pull(controller) {
        const { done, value } = pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

function piecesOf(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const part of stream) length += part.length;
  return length;
}

/** A row that gave as many bytes as it must. */
async function judged(
  backend: 'node' | 'portable' | null,
  run: () => Promise<number>,
  length: number,
): Promise<Row> {
  const before = () => forceBackend(backend);
  before();
  if ((await run()) !== length) throw new Error('a row answers wrongly');
  return { run, before };
}
