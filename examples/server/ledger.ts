/** The bank's ledger: the log over all chains, held in memory and followed in the database, which others may change too. */

import { leafHash } from 'muniment/crypto';
import { hashTile, Log, TILE_WIDTH, type Tile } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import { Speaker, type Said } from './said.ts';
import { plain } from './store/bytes.ts';
import { Changes } from './store/changes.ts';
import type { Engine } from './store/engine.ts';
import type { Change } from './store/tables.ts';
import { Turn, type Last, type TurnParts } from './turn.ts';

/** Leaves that are read at once when the log is loaded. */
const LOADED = 65_536;

/** Gives turns at chains and log, one after another, in whatever process. */
export class Ledger {
  readonly #parts: TurnParts;
  readonly #changes: Changes;
  readonly #log = new Log();
  readonly #last: Last = { time: 0 };
  readonly #speaker: Speaker;
  /** How many of the log's leaves are known to be durable. */
  #durable = 0;

  constructor(engine: Engine, parts: TurnParts) {
    this.#parts = parts;
    this.#speaker = new Speaker({ ...parts, database: engine.reading }, this.#log);
    this.#changes = new Changes(engine, {
      of: 'ledger',
      lock: (change) => engine.lock(change),
      begin: async (change) => {
        this.#cut(this.#durable); // the leaves of a failed transaction never were
        await this.#follow(change);
        this.#durable = this.#log.size;
      },
      committed: () => {
        this.#durable = this.#log.size;
        parts.settled(true);
      },
    });
  }

  /** Runs `work` when its turn comes. Resolves once all of it is durable; if it throws, nothing of it has happened. */
  turn<Result>(work: (turn: Turn) => Promise<Result>): Promise<Result> {
    return this.#changes.run(async (change) => {
      const [{ size }, { time }] = [this.#log, this.#last];
      try {
        return await work(new Turn(this.#parts, { log: this.#log, last: this.#last }, change));
      } catch (error) {
        this.#cut(size);
        this.#last.time = time;
        throw error;
      }
    });
  }

  /** Reads what other processes have written, and at the start everything. Returns the log's size. */
  catchUp(): Promise<number> {
    return this.turn((turn) => Promise.resolve(turn.size));
  }

  /** What the bank says of the log as it is durable now, or was when it had a size. */
  said(size = this.#durable): Said {
    return this.#speaker.of(size);
  }

  /** How many leaves are known to be durable. */
  get size(): number {
    return this.#durable;
  }

  /** The bytes of a tile of hashes of that many leaves, or `null` past their end. */
  tile(tile: Tile & { readonly level: number }): Uint8Array | null {
    const end = (tile.index * TILE_WIDTH + tile.width) * TILE_WIDTH ** tile.level;
    return end > this.#durable ? null : hashTile(this.#log, tile);
  }

  /** The proof that a durable size of the log extends an older one. */
  consistency(older: number, newer: number): Uint8Array[] {
    return this.#log.consistency(older, newer);
  }

  #cut(size: number): void {
    if (this.#log.size <= size) return;
    this.#log.cut(size);
    this.#parts.settled(false);
  }

  // What other processes have appended, and at the start all that there is. It begins with the last that was durable: a
  // database that does not have it any more is an older one, and whoever went on from it would sign a second history.
  async #follow(change: Change): Promise<void> {
    for (let read = LOADED; read === LOADED;) {
      const from = Math.max(this.#log.size - 1, 0);
      const rows = await change
        .selectFrom('leaves')
        .select(['position', 'leaf', 'time'])
        .where('position', '>=', from)
        .orderBy('position')
        .limit(LOADED)
        .execute();
      this.#last.time = rows.at(-1)?.time ?? 0;
      const known = this.#log.size === 0 ? [] : rows.splice(0, 1);
      if (this.#log.size > 0 && !known.some(({ leaf }) => this.#isLast(plain(leaf))))
        throw new LostLeavesError();
      for (const { position, leaf } of rows) {
        if (position !== this.#log.size) throw new LostLeavesError();
        this.#log.append(plain(leaf));
      }
      read = rows.length + known.length;
    }
  }

  #isLast(leaf: Uint8Array): boolean {
    const last = this.#log.size - 1;
    const tile = { level: 0, index: Math.floor(last / TILE_WIDTH), width: (last % TILE_WIDTH) + 1 };
    const [hash, hashes] = [leafHash(leaf), hashTile(this.#log, tile)];
    return hashes !== null && equalBytes(hash, hashes.subarray(-hash.length));
  }
}

/** Thrown where the database has less than it had, or has a gap: nothing is built upon it. */
class LostLeavesError extends Error {
  override readonly name = 'LostLeavesError';
  readonly code = 'LEAVES_LOST';

  constructor() {
    super('the database lacks leaves of the log that it had');
  }
}
