/** Takes up each new list of revocations while the server runs, and ends the connections of those who are on it. */

import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from 'muniment/protocol';
import { Server } from 'node:tls';
import { WARNING } from '../health.ts';
import { codeOf } from '../refusal.ts';
import type { Revocations } from '../revocations.ts';
import { secureContext, type App, type ServerTls } from './app.ts';

/** How often the file is looked at, in milliseconds. A file's time stamp says less than its content, so that is read. */
const LOOK = 5000;

/** Looks at the file again and again, and whenever it is asked to. */
export class Revoking {
  readonly #server: App;
  readonly #tls: ServerTls;
  readonly #revocations: Revocations;
  readonly #logger: FastifyBaseLogger;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #said: 'good' | 'ends soon' | 'ended' = 'good';
  #queue: Promise<void> = Promise.resolve();

  constructor(
    server: App,
    parts: {
      readonly tls: ServerTls;
      readonly revocations: Revocations;
      readonly logger: FastifyBaseLogger;
      readonly clock: Clock;
    },
  ) {
    [this.#server, this.#tls, this.#revocations] = [server, parts.tls, parts.revocations];
    [this.#logger, this.#clock] = [parts.logger, parts.clock];
    this.#timer = setInterval(() => void this.look(), LOOK).unref();
    this.#warn();
  }

  /** Looks now; resolves when what is new counts. */
  look(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#look());
    return this.#queue;
  }

  /** Ends it. */
  end(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      if (await this.#revocations.look(this.#clock.now())) this.#takeUp();
    } catch (error) {
      // What was good before goes on until it ends.
      this.#logger.error({ event: 'revocations not taken', code: codeOf(error) });
    }
    this.#warn();
  }

  #takeUp(): void {
    // Under a new context the session tickets of the old one are worth nothing: nobody comes back by those.
    const { server } = this.#server.app;
    if (!(server instanceof Server)) throw new Error('not a TLS server');
    server.setSecureContext(secureContext(this.#tls, this.#revocations));
    const closed = this.#server.connections.closeRevoked();
    const until = new Date(this.#revocations.lists.until).toISOString();
    this.#logger.info({ event: 'revocations', until, closed });
    this.#said = 'good';
  }

  #warn(): void {
    const { until: end } = this.#revocations.lists;
    const left = end - this.#clock.now();
    const state = left < 0 ? 'ended' : left < WARNING.list ? 'ends soon' : 'good';
    if (state === this.#said) return;
    this.#said = state;
    const until = new Date(end).toISOString();
    if (state === 'ended') {
      const closed = this.#server.connections.closeAll();
      this.#logger.error({ event: 'revocations ended: nobody is let in', until, closed });
    }
    if (state === 'ends soon') this.#logger.warn({ event: 'revocations end soon', until });
  }
}
