/** Messages on their way in: so long at most, in so much time, and so much of them in memory at once. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import type { Limits } from '../limits.ts';
import { BodyError } from './refused.ts';

/** Of each message: always taken, so that who sends little is served whatever others send. */
const FREE = 65_536;
const MEGABYTE = 1024 * 1024;

/** What one request holds of the memory. */
interface Held {
  readonly subject: string;
  bytes: number;
  over: boolean;
}

/** The memory that messages may take. */
export class Bodies {
  readonly #all: number;
  readonly #each: number;
  readonly #time: number;
  readonly #requests = new WeakMap<FastifyRequest, Held>();
  readonly #bySubject = new Map<string, number>();
  #total = 0;

  constructor(limits: Limits) {
    this.#all = limits.messageMegabytes * MEGABYTE;
    this.#each = limits.messageMegabytesPerCertificate * MEGABYTE;
    this.#time = limits.messageSeconds * 1000;
  }

  /** How many bytes are held. */
  get held(): number {
    return this.#total;
  }

  /** Counts what a request brings under its certificate's subject, until it is answered or gone. */
  expect(request: FastifyRequest, response: FastifyReply, subject: string): void {
    const held = { subject, bytes: 0, over: false };
    this.#requests.set(request, held);
    const end = (): void => {
      request.raw.socket.off('close', end);
      held.over = true;
      this.#count(held, -held.bytes);
    };
    // An answer that waits behind another one is not told that its connection is gone.
    response.raw.once('close', end);
    request.raw.socket.once('close', end);
  }

  /**
   * Collects a request's body. A client that is too slow loses its connection.
   *
   * @throws {@link BodyError} for a body that is too long, or that there is no memory for
   */
  async collect(request: FastifyRequest, payload: Readable): Promise<Uint8Array> {
    const limit = request.routeOptions.bodyLimit;
    const held = this.#requests.get(request);
    if (held === undefined || Number(request.headers['content-length'] ?? 0) > limit)
      throw new BodyError('BODY_LENGTH');
    const timer = setTimeout(() => request.raw.socket.destroy(), this.#time);
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      // Leaving it does not destroy it, for that would end the connection without an answer.
      for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        length += chunk.length;
        if (length > limit) throw new BodyError('BODY_LENGTH');
        this.#hold(held, Math.max(length - FREE, 0));
        chunks.push(chunk);
      }
    } finally {
      clearTimeout(timer);
    }
    return new Uint8Array(Buffer.concat(chunks));
  }

  #hold(held: Held, bytes: number): void {
    const more = bytes - held.bytes;
    const own = this.#bySubject.get(held.subject) ?? 0;
    if (held.over || this.#total + more > this.#all || own + more > this.#each)
      throw new BodyError('BODY_MEMORY');
    this.#count(held, more);
  }

  #count(held: Held, more: number): void {
    const own = (this.#bySubject.get(held.subject) ?? 0) + more;
    if (own > 0) this.#bySubject.set(held.subject, own);
    else this.#bySubject.delete(held.subject);
    held.bytes += more;
    this.#total += more;
  }
}
