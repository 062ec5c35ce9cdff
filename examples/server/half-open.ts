/** Conversations between message 1 and message 3: in memory only, tied to their connection and gone with it. */

import { MunimentError } from 'muniment';
import { DEADLINES, type Clock, type Responded } from 'muniment/protocol';
import type { Limits } from './limits.ts';
import type { Connection } from './sessions.ts';

interface Waiting {
  readonly state: Responded;
  readonly connection: Connection;
  readonly since: number;
}

/** Those that wait, so many at most. */
export class HalfOpen {
  readonly #limits: Pick<Limits, 'halfOpen' | 'halfOpenPerCertificate'>;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();
  /** Places taken, those included whose message 1 is still being judged. */
  readonly #places = new Map<string, number>();
  #taken = 0;

  constructor(limits: Pick<Limits, 'halfOpen' | 'halfOpenPerCertificate'>, clock: Clock) {
    [this.#limits, this.#clock] = [limits, clock];
    // What is late is erased although nobody calls; it keeps no process alive.
    setInterval(() => {
      this.#sweep();
    }, DEADLINES.third).unref();
  }

  /** How many there are. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Lets a conversation begin if there is room for it: whoever fills their own places leaves the others'. */
  async begin(
    connection: Connection,
    respond: () => Promise<{ readonly handle: string; readonly state: Responded }>,
  ): Promise<void> {
    this.#sweep();
    const { subject } = connection;
    const places = this.#places.get(subject) ?? 0;
    if (this.#taken >= this.#limits.halfOpen || places >= this.#limits.halfOpenPerCertificate)
      throw new MunimentError('SESSION_MESSAGE');
    this.#places.set(subject, places + 1);
    this.#taken++;
    try {
      const { handle, state } = await respond();
      this.#waiting.set(handle, { state, connection, since: this.#clock.monotonic() });
    } catch (error) {
      this.#leave(subject);
      throw error;
    }
  }

  /** The state under a handle, if it was begun on this connection; else throws `SESSION_MESSAGE`. */
  find(handle: string, connection: Connection): Responded {
    const waiting = this.#waiting.get(handle);
    if (waiting?.connection !== connection) throw new MunimentError('SESSION_MESSAGE');
    return waiting.state;
  }

  /** Ends the waiting of one, whose state is used up. */
  end(handle: string): void {
    const waiting = this.#waiting.get(handle);
    if (waiting === undefined) return;
    waiting.state.close();
    this.#waiting.delete(handle);
    this.#leave(waiting.connection.subject);
  }

  /** Forgets the conversations of a connection that is gone. */
  lost(connection: Connection): void {
    for (const [handle, waiting] of this.#waiting) if (waiting.connection === connection) this.end(handle);
  }

  #leave(subject: string): void {
    const places = (this.#places.get(subject) ?? 0) - 1;
    if (places > 0) this.#places.set(subject, places);
    else this.#places.delete(subject);
    this.#taken--;
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [handle, { since }] of this.#waiting) {
      if (now - since <= DEADLINES.third) break; // the oldest stand first
      this.end(handle);
    }
  }
}
