/** The memory of first messages seen: bounded in size and time, behind a port so that a restart need not forget. spec/protocol.md, "Replay". */

import { MunimentError } from '../errors.ts';
import { toHex } from '../wire/index.ts';

/** Remembers digests of first messages. */
export interface ReplayCache {
  /**
   * Remembers a digest until `expires` (milliseconds since 1970), durably before it returns.
   *
   * @throws `MunimentError` `SESSION_REPLAY` if it is remembered already, or if there is no room
   */
  remember(digest: Uint8Array, expires: number, now: number): void;
}

/** A cache in memory, for tests and for servers that never restart within the clock window. When full it refuses instead of forgetting. */
export class MemoryReplayCache implements ReplayCache {
  readonly #seen = new Map<string, number>();
  readonly #capacity: number;

  constructor(capacity = 100_000) {
    this.#capacity = capacity;
  }

  /** See {@link ReplayCache.remember}. */
  remember(digest: Uint8Array, expires: number, now: number): void {
    // Entries stand in order of insertion, and so nearly in order of expiry: the old ones are in front.
    for (const [key, end] of this.#seen) {
      if (end >= now) break;
      this.#seen.delete(key);
    }
    const key = toHex(digest);
    if (this.#seen.has(key) || this.#seen.size >= this.#capacity) throw new MunimentError('SESSION_REPLAY');
    this.#seen.set(key, expires);
  }
}
