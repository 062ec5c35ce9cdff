/** Annexes as streams: as fast as somebody reads and no faster, and whatever ends one end of the pipe ends the other. */

import { describe, expect, it } from 'vitest';
import { MunimentError } from '../../src/errors.ts';
import { CHUNK_LENGTH, openAnnex, openAnnexRange, sealAnnex, type Annex } from '../../src/views/index.ts';
import { Cutter } from '../../src/views/annex-chunks.ts';
import { concat } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { workOf } from '../work.ts';
import { bytesOf, names, random, refused, same, sealed, sourceOf, streamOf } from './annex-fixture.ts';

const context = { ...names, mediaType: 'x/y' };
const LOST = new Error('connection lost');

/** A stream that is asked for its pieces, and tells how it fares. */
class Producer {
  asked = 0;
  cancelled: unknown = 'not yet';
  readonly stream: ReadableStream<Uint8Array>;

  constructor(next: (asked: number) => Uint8Array | Promise<Uint8Array> | null) {
    this.stream = new ReadableStream(
      {
        pull: async (controller) => {
          const piece = await next(this.asked++);
          if (piece === null) controller.close();
          else controller.enqueue(piece);
        },
        cancel: (reason) => {
          this.cancelled = reason;
        },
      },
      { highWaterMark: 0 },
    );
  }
}

const piece = new Uint8Array(CHUNK_LENGTH).fill(7);
const endless = (): Producer => new Producer(() => piece);
/** Gives a few pieces and then waits for ever. */
const stalling = (after: number): Producer =>
  new Producer((asked) => (asked < after ? piece : new Promise<Uint8Array>(() => {})));
const failing = (after: number): Producer =>
  new Producer((asked) => {
    if (asked === after) throw LOST;
    return piece;
  });

/** A few turns of every queue: whatever was going to happen has happened. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

const opened = {
  openAnnex: (stream: ReadableStream<Uint8Array>, annex: Annex) => openAnnex(stream, annex, names),
  openAnnexRange(stream: ReadableStream<Uint8Array>, annex: Annex) {
    const source = { bytes: () => stream, proof: () => proof };
    return openAnnexRange(source, annex, { ...names, offset: 0, length: annex.length });
  },
};
const content = random(6 * CHUNK_LENGTH);
const whole = await sealed(content);
const proof = whole.tree.proof({ from: 0, to: whole.tree.chunks });
const openings = Object.entries(opened);

describe('backpressure', () => {
  it('nothing is read before somebody reads, and then one chunk ahead', async () => {
    const producer = endless();
    const reader = sealAnnex(producer.stream, context).ciphertext.getReader();
    await settle();
    expect(producer.asked).toBe(0);
    for (let i = 1; i <= 5; i++) {
      expect((await reader.read()).value).toHaveLength(CHUNK_LENGTH + 16);
      await settle();
      expect(producer.asked).toBe(i + 1);
    }
    await reader.cancel();
  });

  it.each(openings)('%s takes what it needs and no more', async (_, open) => {
    const { ciphertext, annex } = whole;
    const size = CHUNK_LENGTH + 16;
    const producer = new Producer((asked) => ciphertext.subarray(asked * size, (asked + 1) * size));
    const reader = open(producer.stream, annex).getReader();
    await settle();
    expect(producer.asked).toBe(0);
    for (let i = 1; i <= 5; i++) {
      await reader.read();
      await settle();
      expect(producer.asked).toBe(i);
    }
    await reader.cancel();
  });

  it('a huge piece is sealed as somebody reads, chunk by chunk', async () => {
    const huge = new Uint8Array(64 * CHUNK_LENGTH).fill(1);
    const { ciphertext, annex } = sealAnnex(streamOf(huge), context);
    const reader = ciphertext.getReader();
    const parts = [(await reader.read()).value!];
    await settle();
    huge.fill(2); // whatever was sealed ahead would still be ones
    for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value);
    const back = await bytesOf(openAnnex(streamOf(concat(...parts)), await annex, names));
    expect(back.lastIndexOf(1)).toBe(CHUNK_LENGTH - 1);
    expect(back.indexOf(2)).toBe(CHUNK_LENGTH);
  });

  it('a whole pipe holds a few chunks at any time', async () => {
    const length = 200 * CHUNK_LENGTH;
    const seed = random(32);
    const seal = (stream: ReadableStream<Uint8Array>): ReturnType<typeof sealAnnex> =>
      sealAnnex(stream, context, () => seed); // the same annex twice: its description comes at its end
    const first = seal(new Producer((asked) => (asked < 200 ? piece : null)).stream);
    await bytesOf(first.ciphertext);
    let consumed = 0;
    let inFlight = 0;
    const producer = new Producer((asked) => {
      inFlight = Math.max(inFlight, asked - consumed);
      return asked < 200 ? piece : null;
    });
    const plaintext = openAnnex(seal(producer.stream).ciphertext, await first.annex, names);
    for await (const part of plaintext) {
      await new Promise((resolve) => setImmediate(resolve)); // a slow consumer
      consumed += part.length / CHUNK_LENGTH;
    }
    expect(consumed * CHUNK_LENGTH).toBe(length);
    expect(inFlight).toBeLessThanOrEqual(3);
  });
});

describe('the plaintext’s source', () => {
  it('fails: so does the ciphertext, and the description never comes', async () => {
    for (const after of [0, 3]) {
      const { ciphertext, annex } = sealAnnex(failing(after).stream, context);
      await expect(bytesOf(ciphertext)).rejects.toBe(LOST);
      await expect(annex).rejects.toMatchObject({ code: 'VIEW_ANNEX', cause: LOST });
    }
  });

  it('may fail while nobody waits for the description', async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listen);
    await expect(bytesOf(sealAnnex(failing(1).stream, context).ciphertext)).rejects.toBe(LOST);
    await settle();
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });

  it('is cancelled with the ciphertext: before, between and during reads', async () => {
    const reason = new Error('enough');
    for (const reads of [0, 2]) {
      const producer = endless();
      const { ciphertext, annex } = sealAnnex(producer.stream, context);
      const reader = ciphertext.getReader();
      for (let i = 0; i < reads; i++) await reader.read();
      await reader.cancel(reason);
      expect(producer.cancelled).toBe(reason);
      await expect(annex).rejects.toMatchObject({ code: 'VIEW_ANNEX', cause: reason });
    }
    const producer = stalling(1);
    const { ciphertext, annex } = sealAnnex(producer.stream, context);
    const reader = ciphertext.getReader();
    const pending = reader.read();
    await settle();
    await reader.cancel(reason);
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(producer.cancelled).toBe(reason);
    // The plaintext seems to have ended then. It has not, and nothing describes what there was of it.
    await expect(annex).rejects.toMatchObject({ code: 'VIEW_ANNEX', cause: reason });
  });

  it.each([['text'], [new ArrayBuffer(8)], [Uint16Array.of(1)], [7], [undefined]])(
    'gives bytes, and not %o',
    async (wrong) => {
      const producer = new Producer(() => Promise.resolve(wrong as unknown as Uint8Array));
      const { ciphertext, annex } = sealAnnex(producer.stream, context);
      await expect(bytesOf(ciphertext)).rejects.toThrow(TypeError);
      await expect(annex).rejects.toMatchObject({ code: 'VIEW_ANNEX' });
    },
  );

  it('must be free', () => {
    const { stream } = endless();
    stream.getReader();
    expect(() => sealAnnex(stream, context)).toThrow(TypeError);
    expect(() => openAnnex(stream, whole.annex, names)).toThrow(TypeError);
  });
});

describe.each(openings)('the ciphertext’s source of %s', (_, open) => {
  it('fails: so does the plaintext, with the same error', async () => {
    await expect(bytesOf(open(failing(0).stream, whole.annex))).rejects.toBe(LOST);
    const cut = whole.ciphertext.subarray(0, 100_000);
    const producer = new Producer((asked) => {
      if (asked === 1) throw LOST;
      return cut;
    });
    await expect(bytesOf(open(producer.stream, whole.annex))).rejects.toBe(LOST);
  });

  it('is cancelled where the annex is refused', async () => {
    const producer = new Producer((asked) => (asked === 0 ? flipped(whole.ciphertext, 70_000) : piece));
    expect((await refused(open(producer.stream, whole.annex))).code).toBe('VIEW_ANNEX');
    expect(producer.cancelled).toBeInstanceOf(MunimentError);
  });

  it('is cancelled with the plaintext', async () => {
    const producer = new Producer(() => whole.ciphertext.subarray(0, 100_000));
    const reader = open(producer.stream, whole.annex).getReader();
    await reader.read();
    await reader.cancel('enough');
    expect(producer.cancelled).toBe('enough');
  });
});

describe('a source of ranges', () => {
  const range = { ...names, offset: 0, length: content.length };

  it('fails: what it throws comes out as it is', async () => {
    const fail = (): never => {
      throw LOST;
    };
    const good = sourceOf(whole);
    for (const source of [
      { ...good, proof: fail },
      { ...good, bytes: fail },
      { ...good, proof: () => Promise.reject(LOST) },
      { ...good, bytes: () => Promise.reject(LOST) },
    ])
      await expect(bytesOf(openAnnexRange(source, whole.annex, range))).rejects.toBe(LOST);
  });

  it('that answers only after the reader has gone is told so', async () => {
    const producer = endless();
    let answer: (stream: ReadableStream<Uint8Array>) => void;
    const bytes = (): Promise<ReadableStream<Uint8Array>> => new Promise((resolve) => (answer = resolve));
    const reader = openAnnexRange({ bytes, proof: () => proof }, whole.annex, range).getReader();
    const pending = reader.read();
    await settle();
    await reader.cancel('gone');
    answer!(producer.stream);
    await settle();
    expect(producer.cancelled).toBe('gone');
    expect(producer.asked).toBe(0);
    expect((await pending).done).toBe(true);
  });
});

describe('pieces', () => {
  it('may be Buffers of a pool; what comes out is a plain Uint8Array with its own memory', async () => {
    const parts = Array.from({ length: 300 }, (_, i) => Buffer.from(String(i)));
    const producer = new Producer((asked) => parts[asked] ?? null);
    const { ciphertext, annex } = sealAnnex(producer.stream, context);
    const stored: Buffer[] = [];
    for await (const chunk of ciphertext) {
      expect(Object.getPrototypeOf(chunk)).toBe(Uint8Array.prototype);
      expect(chunk.buffer.byteLength).toBe(chunk.length);
      stored.push(Buffer.from(chunk));
    }
    const back = openAnnex(streamOf(Buffer.concat(stored)), await annex, names);
    for await (const chunk of back) {
      expect(Object.getPrototypeOf(chunk)).toBe(Uint8Array.prototype);
      expect(Buffer.from(chunk).toString()).toBe(parts.join(''));
    }
  });

  it('are copied once at most, however small they are, and not at all where they are huge', () => {
    const cut = (length: number, size: number) =>
      workOf(() => {
        const cutter = new Cutter(CHUNK_LENGTH);
        const bytes = new Uint8Array(size);
        for (let at = 0; at < length; at += size) {
          cutter.feed(bytes);
          while (cutter.next(CHUNK_LENGTH, 1) !== null);
        }
      });
    const small = cut(4 * CHUNK_LENGTH, 1);
    // What the counting itself costs is there too, some hundreds.
    expect(small.walked - 4 * CHUNK_LENGTH).toBeLessThan(1000);
    expect(cut(8 * CHUNK_LENGTH, 1).blocks - small.blocks).toBeLessThan(1.1 * small.blocks);
    // The last chunk is held back, and so copied: it may be the final one.
    expect(cut(64 * CHUNK_LENGTH, 64 * CHUNK_LENGTH).walked).toBeLessThan(CHUNK_LENGTH + 1000);
  });

  it('of no length at all are none', async () => {
    const empty = new Uint8Array(0);
    const producer = new Producer((asked) => (asked > 9 ? null : asked % 3 === 1 ? piece : empty));
    const { ciphertext, annex } = sealAnnex(producer.stream, context);
    const stored = await bytesOf(ciphertext);
    expect(
      same(await bytesOf(openAnnex(streamOf(stored), await annex, names)), concat(piece, piece, piece)),
    ).toBe(true);
  });
});
