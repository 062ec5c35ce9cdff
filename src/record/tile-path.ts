/** Where the tiles of a log lie: paths as c2sp.org/tlog-tiles has them. spec/log.md, "Tiles". */

import { MunimentError } from '../errors.ts';

/** How many hashes or leaves a full tile holds. */
export const TILE_WIDTH = 256;
/** Each level of tiles spans eight levels of the tree. */
export const TILE_HEIGHT = 8;
/** Longest path of a tile, in characters. */
export const TILE_PATH_LIMIT = 48;

/** One tile: hashes of a level, or a bundle of leaves. */
export interface Tile {
  /** 0 to 63: hashes of the tree's height 8·level; or the leaves themselves. */
  readonly level: number | 'entries';
  /** Which one of its level. */
  readonly index: number;
  /** 1 to 256; a full tile has 256. */
  readonly width: number;
}

const PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;
const LEVELS = 64;

/**
 * The path of a tile below the log's URL: `tile/0/x001/x234/067.p/17`.
 *
 * @throws `RangeError` for a level, index or width that no tile has
 */
export function formatTilePath({ level, index, width }: Tile): string {
  if (!isTile({ level, index, width })) throw new RangeError('there is no such tile');
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.replaceAll(/...(?=.)/g, 'x$&/');
  return `tile/${String(level)}/${groups}${width === TILE_WIDTH ? '' : `.p/${String(width)}`}`;
}

/**
 * Reads a tile's path, in the one spelling that {@link formatTilePath} gives it: without slashes at the ends, further
 * zeros, and widths of full tiles.
 *
 * @throws `MunimentError` `RECORD_TILE`
 * @example
 * ```ts
 * import { parseTilePath } from 'muniment/record';
 * console.log(parseTilePath('tile/0/x001/x234/067.p/17').index); // 1234067
 * ```
 */
export function parseTilePath(path: string): Tile {
  if (path.length > TILE_PATH_LIMIT) return refuse();
  const [, level = '', groups = '', width] = PATH.exec(path) ?? refuse();
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  if (!isTile(tile) || formatTilePath(tile) !== path) return refuse();
  return tile;
}

/**
 * The tiles and bundles of a log, of all levels: what a log publishes as files.
 *
 * @param size - the log's size
 * @param since - a size whose tiles are there already: what it had whole is left out
 * @returns yields them level by level, the bundles of leaves first
 * @throws `RangeError` for sizes that no log has
 */
export function* tilesOf(size: number, since = 0): Generator<Tile, void> {
  if (![size, since].every(Number.isSafeInteger) || since < 0 || since > size)
    throw new RangeError('a log does not shrink');
  for (const level of ['entries', ...Array(LEVELS).keys()] as const) {
    const span = level === 'entries' ? 1 : TILE_WIDTH ** level;
    const [before, hashes] = [Math.floor(since / span), Math.floor(size / span)];
    if (hashes === 0) return;
    if (before === hashes) continue;
    for (let start = before - (before % TILE_WIDTH); start < hashes; start += TILE_WIDTH) {
      yield { level, index: start / TILE_WIDTH, width: Math.min(TILE_WIDTH, hashes - start) };
    }
  }
}

function isTile({ level, index, width }: Tile): boolean {
  return (
    (level === 'entries' || (Number.isInteger(level) && level >= 0 && level < LEVELS)) &&
    Number.isSafeInteger(index) &&
    index >= 0 &&
    Number.isInteger(width) &&
    width >= 1 &&
    width <= TILE_WIDTH
  );
}

function refuse(): never {
  throw new MunimentError('RECORD_TILE');
}
