/** The memory of first messages seen: bounded in size and time, behind a port so that a restart need not forget. spec/protocol.md, "Replay". */

import { MunimentError } from '../errors.ts';
import { toHex } from '../wire/index.ts';
import { CLOCK_WINDOW } from './constants.ts';

/** A first message, as a replay cache knows it. */
export interface FirstMessage {
  /** `H(enc1 ‖ c1)`, 32 bytes. */
  readonly digest: Uint8Array;
  /** Its own time, in milliseconds since 1970. */
  readonly time: number;
}

/**
 * Remembers first messages. It may forget those whose time lies more than {@link CLOCK_WINDOW} before `now`, which
 * the clock refuses; and it remembers the newest time that it forgot, its _floor_: should the clock be set back,
 * nothing at or below the floor is taken again. One that outlives a restart is in the reference server's
 * `examples/server/store/replay.ts`.
 */
export interface ReplayCache {
  /**
   * Remembers a first message, durably before it returns.
   *
   * @throws `MunimentError` `SESSION_REPLAY` if it is remembered already, at or below the floor, or if there is no room
   */
  remember(message: FirstMessage, now: number): void | Promise<void>;
}

/** A cache in memory. When full it refuses instead of forgetting. */
export class MemoryReplayCache implements ReplayCache {
  readonly #seen = new Map<string, number>();
  readonly #capacity: number;
  #floor: number;

  /**
   * @param options - `capacity`: most messages remembered at once. `floor`: everything up to this time counts as seen.
   * 0 on the first start of all; after a restart, which loses this memory, the time of the start and one
   * {@link CLOCK_WINDOW}.
   * @throws `RangeError` for a capacity that is no integer from 1, or a floor that is no number from 0
   */
  constructor(options: { readonly capacity: number; readonly floor: number }) {
    const { capacity, floor } = options;
    // Asked this way round, what is no number does not pass; and it would remember nothing.
    if (!(Number.isSafeInteger(capacity) && capacity >= 1 && floor >= 0))
      throw new RangeError('capacity is an integer from 1, floor a time from 0');
    this.#capacity = capacity;
    this.#floor = floor;
  }

  /** See {@link ReplayCache.remember}. */
  remember({ digest, time }: FirstMessage, now: number): void {
    // They stand in the order in which they came, which is nearly that of their times: the old ones are in front. Of
    // a message from when the clock was ahead they may stand behind, where they are looked for when there is no room.
    const full = this.#seen.size >= this.#capacity;
    for (const [key, old] of this.#seen) {
      if (old < now - CLOCK_WINDOW) {
        this.#seen.delete(key);
        this.#floor = Math.max(this.#floor, old);
      } else if (!full) break;
    }
    const key = toHex(digest);
    if (time <= this.#floor || this.#seen.has(key) || this.#seen.size >= this.#capacity)
      throw new MunimentError('SESSION_REPLAY');
    this.#seen.set(key, time);
  }
}
