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
  #running = false;
  readonly #clock: Clock;
  readonly #deadline: number;
  #tries = TRIES;

  constructor(stage: Stage, content: Content, clock: Clock, deadline: number) {
    this.stage = stage;
    this.#content = content;
    this.#clock = clock;
    this.#deadline = deadline;
  }

  /** Whether the state can still be used, or is in use. */
  get open(): boolean {
    const live = this.#running || this.#content !== null;
    return live && !this.#closed && this.#clock.monotonic() <= this.#deadline;
  }

  /**
   * Runs a step. If it succeeds the state is used up. If it fails, the cause shows to nobody but this side, and:
   *
   * - what fails in `open` could have come from anybody: it is dropped, and the state bears a few more such failures;
   * - what fails in `conclude` came from the peer, since it opened: the session is over at once.
   */
  async step<Opened, Result>(
    open: (content: Content, clock: Clock) => Opened | Promise<Opened>,
    conclude: (opened: Opened, content: Content, clock: Clock) => Result | Promise<Result>,
  ): Promise<Result> {
    const content = this.#take();
    let opened = false;
    try {
      const message = await open(content, this.#clock);
      opened = true;
      // A session that was closed meanwhile derives no more keys.
      const result = this.#closed ? null : await conclude(message, content, this.#clock);
      if (!this.#closed) return result as Result;
      discard(result);
    } catch (cause) {
      this.#tries--;
      if (!opened && this.#tries > 0 && !this.#closed) this.#content = content;
      else eraseAll(content);
      throw new MunimentError('SESSION_MESSAGE', undefined, { cause });
    } finally {
      this.#running = false;
    }
    eraseAll(content);
    throw new MunimentError('SESSION_CLOSED');
  }

  /** Runs a step that makes a message: if it fails, nothing has left, and it may be tried again. */
  make<Result>(run: (content: Content, clock: Clock) => Promise<Result>): Promise<Result> {
    return this.step(run, (made) => made);
  }

  // Taken away while a step runs, so that no two steps run on one state.
  #take(): Content {
    const content = this.#content;
    if (content !== null && !this.open) this.close();
    if (content === null || this.#closed) throw new MunimentError('SESSION_CLOSED');
    this.#content = null;
    this.#running = true;
    return content;
  }

  /** Ends the session and erases this state's secrets: when the peer is lost, or nobody waits any more. */
  close(): void {
    if (this.#content !== null) eraseAll(this.#content);
    this.#content = null;
    this.#closed = true;
  }
}

/** Closes what a step made that nobody gets: the next state, alone or beside a message. */
function discard(result: unknown): void {
  if (result instanceof State) result.close();
  else if (typeof result === 'object' && result !== null && 'state' in result) discard(result.state);
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
