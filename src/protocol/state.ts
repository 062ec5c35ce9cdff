/** What a state of the protocol is: something that is used once, within its deadline, and whose secrets die with it. */

import { MunimentError } from '../errors.ts';
import { TRIES } from './constants.ts';

/** The two clocks that a session needs. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds on a clock that nobody sets back. */
  monotonic(): number;
}

/** How a session is bound to its transport, fixed per endpoint and never negotiated. */
export interface Binding {
  /** `tls-exporter` (RFC 9266) over TLS 1.3, or `none` where the transport is not TLS. */
  readonly kind: 'tls-exporter' | 'none';
  /** The exporter's 32 bytes; empty for `none`. */
  readonly value: Uint8Array;
}

/** One state: its secrets, its deadline, and how many bad messages it still bears. */
export class State<Stage extends string, Content extends object> {
  /** Makes states of different stages different types. */
  readonly stage: Stage;
  #content: Content | null;
  readonly #clock: Clock;
  readonly #deadline: number;
  #tries = TRIES;

  constructor(stage: Stage, content: Content, clock: Clock, deadline: number) {
    this.stage = stage;
    this.#content = content;
    this.#clock = clock;
    this.#deadline = deadline;
  }

  /** Whether the state can still be used. */
  get open(): boolean {
    return this.#content !== null && this.#clock.monotonic() <= this.#deadline;
  }

  /**
   * Runs a step on a received message. If the step succeeds the state is used up. If it throws, the message is
   * dropped under one code for every cause, and the state bears a few more before it closes.
   */
  async step<Result>(run: (content: Content, clock: Clock) => Promise<Result>): Promise<Result> {
    const content = this.#content;
    if (content === null || !this.open) {
      this.close();
      throw new MunimentError('SESSION_CLOSED');
    }
    // Taken away while the step runs, so that no two steps run on one state.
    this.#content = null;
    try {
      return await run(content, this.#clock);
    } catch (cause) {
      if (cause instanceof MunimentError && cause.code === 'SESSION_CLOSED') throw cause;
      this.#tries--;
      if (this.#tries > 0) this.#content = content;
      else eraseAll(content);
      throw new MunimentError('SESSION_MESSAGE', undefined, { cause });
    }
  }

  /** Ends the session and erases this state's secrets. */
  close(): void {
    if (this.#content !== null) eraseAll(this.#content);
    this.#content = null;
  }
}

function eraseAll(content: object): void {
  for (const value of Object.values(content) as unknown[]) {
    if (
      value !== null &&
      typeof value === 'object' &&
      'erase' in value &&
      typeof value.erase === 'function'
    ) {
      (value.erase as () => void).call(value);
    }
  }
}
