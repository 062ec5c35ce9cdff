/** The memory of first messages in the bank's database, so that neither a restart nor another process opens the window again. */

import { sql } from 'kysely';
import { MunimentError } from 'muniment';
import { clockWindow, type FirstMessage, type ReplayCache } from 'muniment/protocol';
import type { Changes } from './changes.ts';
import type { Engine } from './engine.ts';
import type { Change } from './tables.ts';

/** Most messages remembered at once; several processes together may remember some more. */
const CAPACITY = 100_000;
/** How often what the clock refuses anyway is forgotten, in milliseconds. */
const SWEEP = 1000;

/** See `ReplayCache`. */
export class StoredReplayCache implements ReplayCache {
  readonly #changes: Changes;
  readonly #floor: ReturnType<typeof sql<number>>;
  #count = CAPACITY;
  #swept = -Infinity;

  /** @param changes - in which each message is durable before it counts */
  constructor(engine: Engine, changes: Changes) {
    this.#changes = changes;
    // Where others write at the same time, the floor does not rise between this look at it and the end.
    const shared = engine.name === 'postgres' ? sql`FOR SHARE` : sql``;
    this.#floor = sql<number>`(SELECT time FROM replay_floor ${shared})`;
  }

  /** Remembers a first message, or throws `SESSION_REPLAY`. */
  remember({ digest, time }: FirstMessage, now: number): Promise<void> {
    return this.#changes.run(async (change) => {
      const due = now >= this.#swept + SWEEP || now < this.#swept || this.#count >= CAPACITY;
      if (due) await this.#sweep(change, now);
      if (this.#count >= CAPACITY) throw new MunimentError('SESSION_REPLAY');
      const { numAffectedRows } = await sql`
        INSERT INTO first_messages (digest, time)
        SELECT ${digest}, ${time} WHERE ${time} > ${this.#floor} ON CONFLICT DO NOTHING`.execute(change);
      if (numAffectedRows !== 1n) throw new MunimentError('SESSION_REPLAY');
      this.#count++;
    });
  }

  async #sweep(change: Change, now: number): Promise<void> {
    const { notBefore } = clockWindow(now);
    await sql`
      UPDATE replay_floor SET time = old.newest
      FROM (SELECT max(time) AS newest FROM first_messages WHERE time < ${notBefore}) AS old
      WHERE old.newest > replay_floor.time`.execute(change);
    await change.deleteFrom('first_messages').where('time', '<', notBefore).execute();
    const { count } = await change
      .selectFrom('first_messages')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    [this.#count, this.#swept] = [count, now];
  }
}
