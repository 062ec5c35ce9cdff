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

/** Refuses a binding that would bind nothing, or pretend not to. */
export function checkBindingShape({ kind, value }: Binding): void {
  if (value.length !== (kind === 'none' ? 0 : 32))
    throw new RangeError('the value of a tls-exporter binding is 32 bytes, that of none is empty');
}

/** One state: its secrets, its deadline, and how many bad messages it still bears. */
export class State<Stage extends string, Content extends object> {
  /** Makes states of different stages different types. */
  readonly stage: Stage;
  #content: Content | null;
  #closed = false;
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
    if (content === null) throw new MunimentError('SESSION_CLOSED');
    if (!this.open) {
      this.close();
      throw new MunimentError('SESSION_CLOSED');
    }
    // Taken away while the step runs, so that no two steps run on one state.
    this.#content = null;
    try {
      const result = await run(content, this.#clock);
      if (!this.#closed) return result;
    } catch (cause) {
      this.#tries--;
      if (this.#tries > 0 && !this.#closed) this.#content = content;
      else eraseAll(content);
      throw new MunimentError('SESSION_MESSAGE', undefined, { cause });
    }
    // Closed while the step ran: its result, whose secrets are these, goes nowhere.
    eraseAll(content);
    throw new MunimentError('SESSION_CLOSED');
  }

  /** Ends the session and erases this state's secrets. */
  close(): void {
    if (this.#content !== null) eraseAll(this.#content);
    this.#content = null;
    this.#closed = true;
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
