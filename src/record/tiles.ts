/** What tiles hold: hashes of a log, and its leaves in bundles (c2sp.org/tlog-tiles). spec/log.md, "Tiles". */

import { MunimentError } from '../errors.ts';
import { concatAll } from '../wire/index.ts';
import type { Log } from './log.ts';
import { TILE_HEIGHT, TILE_WIDTH, type Tile } from './tile-path.ts';

/** Longest leaf that a bundle can hold, in bytes. */
export const BUNDLED_LEAF_LIMIT = 0xffff;
const LENGTH_BYTES = 2;

/**
 * The bytes of a tile of hashes.
 *
 * @param log - the log
 * @param tile - of a level, not of leaves: those are the caller's to store
 * @returns 32 bytes a hash; `null` if the log has not grown that far, which is a server's "404"
 * @throws `RangeError` for a bundle of leaves
 */
export function hashTile(log: Log, { level, index, width }: Tile): Uint8Array | null {
  if (level === 'entries') throw new RangeError('a log keeps no leaves');
  const [start, height] = [index * TILE_WIDTH, level * TILE_HEIGHT];
  return start + width > Math.floor(log.size / 2 ** height) ? null : log.hashes(height, start, start + width);
}

/**
 * The bytes of a bundle of leaves: for each two bytes that say how long it is, and the leaf.
 *
 * @param leaves - 1 to 256, each at most {@link BUNDLED_LEAF_LIMIT} bytes
 * @throws `RangeError` for more or longer leaves
 */
export function encodeBundle(leaves: readonly Uint8Array[]): Uint8Array {
  const fits = leaves.length >= 1 && leaves.length <= TILE_WIDTH;
  if (!fits || leaves.some(({ length }) => length > BUNDLED_LEAF_LIMIT))
    throw new RangeError('no bundle holds these leaves');
  return concatAll(leaves.flatMap((leaf) => [Uint8Array.of(leaf.length >> 8, leaf.length & 0xff), leaf]));
}

/**
 * Reads a bundle of leaves. Nothing is verified: hold each leaf's hash against the tile of hashes.
 *
 * @returns copies of 1 to 256 leaves
 * @throws `MunimentError` `RECORD_TILE`
 */
export function decodeBundle(bundle: Uint8Array): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bundle.length;) {
    const [high, low] = [bundle[at], bundle[at + 1]];
    if (high === undefined || low === undefined) return refuse();
    const start = at + LENGTH_BYTES;
    at = start + high * 256 + low;
    if (at > bundle.length || leaves.length === TILE_WIDTH) return refuse();
    leaves.push(new Uint8Array(bundle.subarray(start, at)));
  }
  return leaves.length === 0 ? refuse() : leaves;
}

function refuse(): never {
  throw new MunimentError('RECORD_TILE');
}
