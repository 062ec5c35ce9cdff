/** The bank's ledger: the log over all chains, held in memory and followed in the database, which others may change too. */

import { hashTile, Log, TILE_WIDTH, type Tile } from 'muniment/record';
import { Speaker, type Said } from './said.ts';
import { plain } from './store/bytes.ts';
import { Changes } from './store/changes.ts';
import type { Engine } from './store/engine.ts';
import type { Change } from './store/tables.ts';
import { Turn, type TurnParts } from './turn.ts';

/** Leaves that are read at once when the log is loaded. */
const LOADED = 65_536;

/** Gives turns at chains and log, one after another, in whatever process. */
export class Ledger {
  readonly #parts: TurnParts;
  readonly #changes: Changes;
  readonly #log = new Log();
  readonly #speaker: Speaker;
  /** How many of the log's leaves are known to be durable. */
  #durable = 0;

  constructor(engine: Engine, parts: TurnParts) {
    this.#parts = parts;
    this.#speaker = new Speaker({ ...parts, database: engine.reading }, this.#log);
    this.#changes = new Changes(engine, {
      begin: async (change) => {
        await engine.lock(change);
        this.#cut(this.#durable); // the leaves of a failed transaction never were
        await this.#follow(change);
        this.#durable = this.#log.size;
      },
      committed: () => {
        this.#durable = this.#log.size;
      },
    });
  }

  /** Runs `work` when its turn comes. Resolves once all of it is durable; if it throws, nothing of it has happened. */
  turn<Result>(work: (turn: Turn) => Promise<Result>): Promise<Result> {
    return this.#changes.run(async (change) => {
      const { size } = this.#log;
      try {
        return await work(new Turn(this.#parts, this.#log, change));
      } catch (error) {
        this.#cut(size);
        throw error;
      }
    });
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
    if (this.#log.size > size) this.#log.cut(size);
  }

  // What other processes have appended, and at the start all that there is.
  async #follow(change: Change): Promise<void> {
    for (let read = LOADED; read === LOADED;) {
      const rows = await change
        .selectFrom('leaves')
        .select('leaf')
        .where('position', '>=', this.#log.size)
        .orderBy('position')
        .limit(LOADED)
        .execute();
      for (const { leaf } of rows) this.#log.append(plain(leaf));
      read = rows.length;
    }
  }
}
