/** The log as anybody may read it: its newest checkpoint, and the tiles under it (c2sp.org/tlog-tiles). */

import type { Clock } from 'muniment/protocol';
import { encodeBundle, parseTilePath, TILE_WIDTH, type Tile } from 'muniment/record';
import type { Bank } from './bank.ts';
import { plain } from './store/bytes.ts';
import type { Database } from './store/tables.ts';

/** For how long a checkpoint is shown again, in milliseconds: whoever asks in between makes no work. */
export const CHECKPOINT_AGE = 1000;

/** What is published of a bank's log: leaves that tell outsiders nothing, and hashes over them. */
export class PublicLog {
  readonly #bank: Pick<Bank, 'checkpoint' | 'ledger'>;
  readonly #reading: Database;
  readonly #clock: Clock;
  #shown: { readonly until: number; readonly checkpoint: Promise<string> } | null = null;

  constructor(bank: Pick<Bank, 'checkpoint' | 'ledger'>, reading: Database, clock: Clock) {
    [this.#bank, this.#reading, this.#clock] = [bank, reading, clock];
  }

  /** The newest checkpoint, or one that was the newest less than a second ago. */
  checkpoint(): Promise<string> {
    const now = this.#clock.monotonic();
    if (this.#shown === null || now >= this.#shown.until) {
      const checkpoint = this.#bank.checkpoint();
      this.#shown = { until: now + CHECKPOINT_AGE, checkpoint };
      checkpoint.catch(() => {
        this.#shown = null; // whoever asks next tries again
      });
    }
    return this.#shown.checkpoint;
  }

  /**
   * The bytes of a tile or of a bundle of leaves; `null` if the log has not grown that far.
   *
   * @param path - `tile/…`
   * @throws `MunimentError` `RECORD_TILE` for another spelling
   */
  async tile(path: string): Promise<Uint8Array | null> {
    const tile = parseTilePath(path);
    const found = await this.#find(tile);
    if (found !== null) return found;
    // Another process of this bank may have shown a checkpoint of what this one has not read yet.
    await this.checkpoint();
    return this.#find(tile);
  }

  async #find({ level, index, width }: Tile): Promise<Uint8Array | null> {
    if (level !== 'entries') return this.#bank.ledger.tile({ level, index, width });
    const start = index * TILE_WIDTH;
    if (start + width > this.#bank.ledger.size) return null;
    const rows = await this.#reading
      .selectFrom('leaves')
      .select('leaf')
      .where('position', '>=', start)
      .orderBy('position')
      .limit(width)
      .execute();
    return encodeBundle(rows.map(({ leaf }) => plain(leaf)));
  }
}
