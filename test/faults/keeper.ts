/** Keeps a process running, as systemd would with `Restart=always`: what ends is started again, and fails, until it can. */

import { pause } from './postgres.ts';

/** A process that may end by itself. */
export interface Kept {
  readonly exited: Promise<unknown>;
  kill(): Promise<void>;
}

const AGAIN = 300;

/** The keeper of one process. */
export class Keeper {
  readonly #start: () => Promise<Kept>;
  readonly #running: Promise<void>;
  #process: Kept | null = null;
  #ending = false;
  /** How often it was started. */
  starts = 0;

  /** @param start - starts it; resolves at once, or rejects if it cannot be */
  constructor(start: () => Promise<Kept>) {
    this.#start = start;
    this.#running = this.#keep();
  }

  /** Ends it for good. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#process?.kill();
    await this.#running;
  }

  async #keep(): Promise<void> {
    while (!this.#ending) {
      this.starts++;
      try {
        this.#process = await this.#start();
        await this.#process.exited;
      } catch {
        // It cannot start yet.
      }
      await pause(AGAIN);
    }
  }
}
