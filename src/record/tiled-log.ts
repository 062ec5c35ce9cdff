/**
 * A log read from its tiles: whoever has a verified checkpoint makes every proof from files that anybody may serve.
 * Every tile is verified against the checkpoint before anything is taken from it. spec/log.md, "Tiles".
 */

import { HASH_LENGTH, leafHash, RootFolder } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { concatAll, equalBytes } from '../wire/index.ts';
import type { TreeHead } from './log.ts';
import { formatTilePath, TILE_HEIGHT, TILE_WIDTH, type Tile } from './tile-path.ts';
import { decodeBundle } from './tiles.ts';
import { consistencyRanges, foldRoots, inclusionRanges, nodesOf, type Node, type Range } from './tree.ts';

/** Fetches a file of a log by its path below the log's URL; `null` if there is none. What it throws, the reader throws. */
export type FetchTile = (path: string) => Promise<Uint8Array | null>;

/** How many verified tiles a reader keeps: 2 MiB. */
const KEPT = 256;

/**
 * Opens a log for reading from its tiles. It fetches and verifies the tiles at the log's end, at most one a level.
 *
 * @param head - size and root of a verified checkpoint
 * @param fetch - how to get a tile by its path
 * @throws `MunimentError` `RECORD_TILE` if tiles are not there or are not those under the root
 * @example
 * ```ts
 * import { formatTilePath, hashTile, Log, openTiles, parseTilePath } from 'muniment/record';
 * const log = new Log(); // the bank's side
 * for (let i = 0; i < 600; i++) log.append(Uint8Array.of(i >> 8, i));
 * const fetch = (path: string) => Promise.resolve(hashTile(log, parseTilePath(path)));
 * const reader = await openTiles({ size: log.size, root: log.root() }, fetch); // a verified checkpoint's
 * console.log((await reader.inclusion(17)).length); // 10
 * ```
 */
export async function openTiles(head: TreeHead, fetch: FetchTile): Promise<TiledLog> {
  const { size, root } = head;
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('a log has a whole number of leaves');
  const ends: Uint8Array[] = [];
  const roots: Uint8Array[] = [];
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const hashes = Math.floor(size / TILE_WIDTH ** level);
    const width = hashes % TILE_WIDTH;
    const tile = { level, index: (hashes - width) / TILE_WIDTH, width };
    const end = width === 0 ? new Uint8Array(0) : await fetchHashes(tile, fetch);
    ends.push(end);
    // The last tiles of all levels, the highest first, are the whole tree: its root vouches for them together.
    roots.unshift(...nodesOf({ start: 0, end: width }).map((node) => rootWithin(end, node)));
  }
  if (!equalBytes(foldRoots(roots), root)) return refuse();
  return new TiledLog(head, fetch, ends);
}

/** A log behind tiles, at the size of a verified checkpoint. */
export class TiledLog {
  readonly #fetch: FetchTile;
  readonly #ends: readonly Uint8Array[];
  readonly #kept = new Map<string, Uint8Array>();
  readonly size: number;

  /** For {@link openTiles}, which has verified the ends: the last tile of each level, if it is not full. */
  constructor({ size }: TreeHead, fetch: FetchTile, ends: readonly Uint8Array[]) {
    [this.size, this.#fetch, this.#ends] = [size, fetch, ends];
  }

  /**
   * The root over the first `size` leaves.
   *
   * @throws `MunimentError` `RECORD_TILE`; `RangeError` for a size past the checkpoint's
   */
  async root(size: number): Promise<Uint8Array> {
    this.#check(size, 0);
    return this.#rangeRoot({ start: 0, end: size });
  }

  /**
   * The proof that leaf `index` is among the first `size`; by default, under the checkpoint.
   *
   * @throws `MunimentError` `RECORD_TILE`; `RangeError` outside the checkpoint
   */
  async inclusion(index: number, size = this.size): Promise<Uint8Array[]> {
    this.#check(size, index);
    this.#check(size, index + 1);
    return this.#roots(inclusionRanges(index, size));
  }

  /**
   * The proof that the first `older` leaves are a prefix of the first `newer`; by default, of the checkpoint's.
   *
   * @throws `MunimentError` `RECORD_TILE`; `RangeError` outside the checkpoint
   */
  async consistency(older: number, newer = this.size): Promise<Uint8Array[]> {
    this.#check(newer, older);
    return this.#roots(consistencyRanges(older, newer));
  }

  /**
   * The leaves `index · 256` to `index · 256 + 255`, as far as the checkpoint goes.
   *
   * @throws `MunimentError` `RECORD_TILE`; `RangeError` outside the checkpoint
   */
  async leaves(index: number): Promise<Uint8Array[]> {
    this.#check(this.size, index * TILE_WIDTH + 1);
    const hashes = await this.#tile(0, index);
    const width = hashes.length / HASH_LENGTH;
    const bundle = await fetchTile({ level: 'entries', index, width }, this.#fetch);
    const leaves = decodeBundle(bundle.bytes);
    if (leaves.length !== bundle.width) return refuse();
    const own = leaves.slice(0, width);
    if (!equalBytes(concatAll(own.map(leafHash)), hashes)) return refuse();
    return own;
  }

  async #roots(ranges: readonly Range[]): Promise<Uint8Array[]> {
    const roots: Uint8Array[] = [];
    for (const range of ranges) roots.push(await this.#rangeRoot(range));
    return roots;
  }

  async #rangeRoot(range: Range): Promise<Uint8Array> {
    const roots: Uint8Array[] = [];
    for (const node of nodesOf(range)) roots.push(await this.#node(node));
    return foldRoots(roots);
  }

  async #node({ height, index }: Node): Promise<Uint8Array> {
    const level = Math.floor(height / TILE_HEIGHT);
    const within = height % TILE_HEIGHT;
    const nodes = TILE_WIDTH / 2 ** within; // how many of this height a tile spans
    const tile = await this.#tile(level, Math.floor(index / nodes));
    return rootWithin(tile, { height: within, index: index % nodes });
  }

  // A full tile's root stands in the tile above, up to the ends, which were verified first.
  async #tile(level: number, index: number): Promise<Uint8Array> {
    const full = Math.floor(this.size / TILE_WIDTH ** (level + 1));
    if (index >= full) return this.#ends[level] ?? refuse();
    const path = formatTilePath({ level, index, width: TILE_WIDTH });
    const kept = this.#kept.get(path);
    if (kept !== undefined) return kept;
    const expected = await this.#node({ height: (level + 1) * TILE_HEIGHT, index });
    const hashes = await fetchHashes({ level, index, width: TILE_WIDTH }, this.#fetch);
    if (!equalBytes(rootWithin(hashes, { height: TILE_HEIGHT, index: 0 }), expected)) return refuse();
    this.#keep(path, hashes);
    return hashes;
  }

  #keep(path: string, hashes: Uint8Array): void {
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(path, hashes);
  }

  #check(size: number, least: number): void {
    const counts = [size, least].every((value) => Number.isSafeInteger(value) && value >= 0);
    if (!counts || least > size || size > this.size) throw new RangeError('outside the checkpoint');
  }
}

// A log may have put the full tile in a partial one's place: its beginning is the same.
async function fetchTile(tile: Tile, fetch: FetchTile): Promise<{ bytes: Uint8Array; width: number }> {
  for (const width of new Set([tile.width, TILE_WIDTH])) {
    const bytes = await fetch(formatTilePath({ ...tile, width }));
    if (bytes !== null) return { bytes, width };
  }
  return refuse();
}

async function fetchHashes(tile: Tile, fetch: FetchTile): Promise<Uint8Array> {
  const { bytes, width } = await fetchTile(tile, fetch);
  if (bytes.length !== width * HASH_LENGTH) return refuse();
  return new Uint8Array(bytes.subarray(0, tile.width * HASH_LENGTH));
}

// The root of a perfect subtree whose leaves are hashes of this tile.
function rootWithin(hashes: Uint8Array, { height, index }: Node): Uint8Array {
  const folder = new RootFolder();
  for (let i = index * 2 ** height; i < (index + 1) * 2 ** height; i++)
    folder.add(hashes.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH));
  return folder.root().slice(); // the root of one hash is that hash
}

function refuse(): never {
  throw new MunimentError('RECORD_TILE');
}
