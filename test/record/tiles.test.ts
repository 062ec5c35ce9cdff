/** Tiles: their paths, what they hold, and a log read from them alone, whoever serves them. */

import { describe, expect, it } from 'vitest';
import { emptyRoot, leafHash, rootFromInclusion, rootsFromConsistency } from '../../src/crypto/index.ts';
import {
  BUNDLED_LEAF_LIMIT,
  decodeBundle,
  encodeBundle,
  formatTilePath,
  hashTile,
  Log,
  openTiles,
  parseTilePath,
  tilesOf,
  TILE_WIDTH,
  type FetchTile,
  type Tile,
  type TreeHead,
} from '../../src/record/index.ts';
import { fuzz, FUZZ_TIMEOUT, mutants, textMutants } from '../fuzz.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';

const PATHS: readonly [string, Tile][] = [
  ['tile/0/000', { level: 0, index: 0, width: 256 }],
  ['tile/0/000.p/1', { level: 0, index: 0, width: 1 }],
  ['tile/63/999.p/255', { level: 63, index: 999, width: 255 }],
  ['tile/1/x001/000', { level: 1, index: 1000, width: 256 }],
  ['tile/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
  ['tile/entries/x001/x234/067.p/17', { level: 'entries', index: 1_234_067, width: 17 }],
  [
    'tile/entries/x009/x007/x199/x254/x740/991',
    { level: 'entries', index: Number.MAX_SAFE_INTEGER, width: 256 },
  ],
];

describe('a path', () => {
  it('is written and read in one spelling', () => {
    for (const [path, tile] of PATHS) {
      expect(formatTilePath(tile)).toBe(path);
      expect(parseTilePath(path)).toEqual(tile);
    }
  });

  it('is refused in any other', () => {
    for (const bad of [
      '',
      '/tile/0/000',
      'tile/0/000/',
      'tile/00/000',
      'tile/64/000',
      'tile/-1/000',
      'tile/x/000',
      'tile/Entries/000',
      'tile/0/0',
      'tile/0/00',
      'tile/0/0000',
      'tile/0/x000/001',
      'tile/0/x001',
      'tile/0/001/067',
      'tile/0/x001/x234/x067',
      'tile/0/000.p/0',
      'tile/0/000.p/01',
      'tile/0/000.p/256',
      'tile/0/000.p/',
      'tile/0/000.p/1/2',
      'tile/0/000.p',
      'tile/0/../000',
      'tile/0/000?x',
      'tile/0/000\n',
      'tile/0/٠٠٠',
      'tile/0/x009/x007/x199/x254/x740/992',
      'tile/0/x999/x999/x999/x999/x999/x999/x999/999',
    ])
      expect(
        refusal(() => parseTilePath(bad)),
        bad,
      ).toBe('RECORD_TILE');
    for (const tile of [
      { level: 64 },
      { level: -1 },
      { level: 0.5 },
      { index: -1 },
      { index: 2 ** 53 },
      { width: 0 },
      { width: 257 },
      { width: 1.5 },
    ])
      expect(() => formatTilePath({ level: 0, index: 0, width: 1, ...tile })).toThrow(RangeError);
  });

  it(
    'that is read under fuzz is written the same',
    async () => {
      const pieces = ['/', 'x', '.p/', '000', 'x001/', 'entries', '256', '..'];
      const samples = PATHS.map(([path]) => path);
      await fuzz(textMutants(samples, pieces), ['RECORD_TILE'], (path) => {
        expect(formatTilePath(parseTilePath(path))).toBe(path);
      });
    },
    FUZZ_TIMEOUT,
  );
});

describe('the tiles of a log', () => {
  it('are those of C2SP’s examples', () => {
    const count = (size: number): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const { level, width } of tilesOf(size)) {
        const name = `${level}${width < TILE_WIDTH ? ` of ${width}` : ''}`;
        counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    };
    expect(count(70_000)).toEqual({
      ...{ entries: 273, 'entries of 112': 1, '0': 273, '0 of 112': 1, '1': 1, '1 of 17': 1, '2 of 1': 1 },
    });
    expect(count(256)).toEqual({ entries: 1, '0': 1, '1 of 1': 1 });
    expect([...tilesOf(0)]).toEqual([]);
  });

  it('since a size are those that were not there, or have grown', () => {
    const paths = (size: number, since?: number): string[] => [...tilesOf(size, since)].map(formatTilePath);
    for (const [since, size] of [
      [0, 0],
      [0, 5],
      [5, 5],
      [5, 300],
      [255, 256],
      [256, 257],
      [511, 70_000],
      [65_535, 65_536],
    ] as const) {
      const before = new Set(paths(since));
      expect(paths(size, since)).toEqual(paths(size).filter((path) => !before.has(path)));
    }
    for (const [size, since] of [
      [1, 2],
      [0.5, 0],
      [1, -1],
      [2 ** 53, 0],
    ] as const)
      expect(() => [...tilesOf(size, since)]).toThrow(RangeError);
  });
});

describe('a bundle', () => {
  const leaves = [Uint8Array.of(), Uint8Array.of(1, 2), new Uint8Array(BUNDLED_LEAF_LIMIT).fill(3)];

  it('holds leaves behind their lengths', () => {
    expect(Buffer.from(encodeBundle(leaves.slice(0, 2))).toString('hex')).toBe('000000020102');
    expect(decodeBundle(encodeBundle(leaves))).toEqual(leaves);
    const full = Array.from({ length: 256 }, (_, i) => Uint8Array.of(i));
    expect(decodeBundle(encodeBundle(full))).toEqual(full);
    expect(() => encodeBundle([...full, ...full])).toThrow(RangeError);
    expect(() => encodeBundle([])).toThrow(RangeError);
    expect(() => encodeBundle([new Uint8Array(BUNDLED_LEAF_LIMIT + 1)])).toThrow(RangeError);
  });

  it('is refused cut off, empty or overfull', () => {
    const bundle = encodeBundle(leaves.slice(0, 2));
    for (const bad of [[], [0], [0, 1], [0, 2, 1], [...bundle, 0], Array<number>(514).fill(0)])
      expect(refusal(() => decodeBundle(Uint8Array.from(bad)))).toBe('RECORD_TILE');
  });

  it(
    'that is read under fuzz is written the same',
    async () => {
      await fuzz(
        mutants([encodeBundle(leaves.slice(0, 2)), new Uint8Array(512)]),
        ['RECORD_TILE'],
        (bytes) => {
          expect(Buffer.from(encodeBundle(decodeBundle(bytes)))).toEqual(Buffer.from(bytes));
        },
      );
    },
    FUZZ_TIMEOUT,
  );
});

/** A log of so many leaves, and a server of its tiles as of one of its sizes. */
const SIZE = 66_500;
const leaf = (i: number): Uint8Array => Uint8Array.of(i >> 16, i >> 8, i);
const log = new Log();
for (let i = 0; i < SIZE; i++) log.append(leaf(i));
const headAt = (size: number): TreeHead => ({ size, root: log.root(size) });
const serve = (tile: Tile): Uint8Array | null =>
  tile.level === 'entries'
    ? encodeBundle(Array.from({ length: tile.width }, (_, i) => leaf(tile.index * 256 + i)))
    : hashTile(log, tile);
const server =
  (asked: string[] = []): FetchTile =>
  (path) => {
    asked.push(path);
    return Promise.resolve(serve(parseTilePath(path)));
  };

describe('a server of tiles', () => {
  it('has those that the log has grown to, and hashes alone', () => {
    for (const tile of tilesOf(SIZE))
      if (tile.level !== 'entries') expect(hashTile(log, tile)).not.toBeNull();
    expect(hashTile(log, { level: 0, index: 259, width: 196 })).toHaveLength(196 * 32);
    expect(hashTile(log, { level: 0, index: 259, width: 197 })).toBeNull();
    expect(hashTile(log, { level: 2, index: 0, width: 2 })).toBeNull();
    expect(hashTile(log, { level: 63, index: 0, width: 1 })).toBeNull();
    expect(() => hashTile(log, { level: 'entries', index: 0, width: 1 })).toThrow(RangeError);
  });
});

describe('a log behind tiles', () => {
  const SIZES = [1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, SIZE];

  it('gives the proofs of the log itself, for every kind of size', async () => {
    for (const size of SIZES) {
      const head = headAt(size);
      const reader = await openTiles(head, server());
      for (const index of [0, 1, 254, 255, 256, 300, size >> 1, size - 2, size - 1]) {
        if (index < 0 || index >= size) continue;
        const proof = await reader.inclusion(index);
        expect(proof).toEqual(log.inclusion(index, size));
        expect(rootFromInclusion(leafHash(leaf(index)), index, size, proof)).toEqual(head.root);
        if (index === 0) continue;
        const consistency = await reader.consistency(index);
        expect(consistency).toEqual(log.consistency(index, size));
        const older = log.root(index);
        expect(await reader.root(index)).toEqual(older);
        expect(rootsFromConsistency(index, size, older, consistency)).toEqual({ older, newer: head.root });
      }
      expect(await reader.consistency(0)).toEqual([]);
      expect(await reader.consistency(size)).toEqual([]);
      expect(await reader.root(size)).toEqual(head.root);
      expect(await reader.root(0)).toEqual(emptyRoot());
    }
  });

  it('proves about its own past, too', async () => {
    const reader = await openTiles(headAt(SIZE), server());
    for (const [older, newer] of [
      [3, 300],
      [256, 65_536],
      [700, 66_000],
    ] as const) {
      expect(await reader.consistency(older, newer)).toEqual(log.consistency(older, newer));
      expect(await reader.inclusion(older, newer)).toEqual(log.inclusion(older, newer));
    }
  });

  it('hands out leaves that are those of the log', async () => {
    const reader = await openTiles(headAt(700), server());
    for (const [index, length] of [
      [0, 256],
      [1, 256],
      [2, 188],
    ] as const)
      expect(await reader.leaves(index)).toEqual(Array.from({ length }, (_, i) => leaf(index * 256 + i)));
    for (const index of [3, -1, 0.5]) await expect(reader.leaves(index)).rejects.toThrow(RangeError);
  });

  it('fetches the ends at once and the others once', async () => {
    const asked: string[] = [];
    const reader = await openTiles(headAt(SIZE), server(asked));
    expect(asked).toEqual(['tile/0/259.p/196', 'tile/1/001.p/3', 'tile/2/000.p/1']);
    await reader.inclusion(17);
    expect(asked.slice(3)).toEqual(['tile/1/000', 'tile/0/000']);
    await reader.inclusion(200);
    expect(asked).toHaveLength(5);
  });

  it('takes the full tile where the log has put it in the partial one’s place', async () => {
    const whole: FetchTile = (path) => {
      const tile = parseTilePath(path);
      return Promise.resolve(tile.width < TILE_WIDTH && tile.index === 2 ? null : serve(tile));
    };
    const reader = await openTiles(headAt(700), whole);
    expect(await reader.inclusion(699)).toEqual(log.inclusion(699, 700));
    expect(await reader.leaves(2)).toHaveLength(188);
  });

  it('is a log without leaves, without any tile', async () => {
    const reader = await openTiles(headAt(0), () => Promise.reject(new Error('asked')));
    expect(await reader.root(0)).toEqual(emptyRoot());
    await expect(openTiles({ size: 0, root: log.root(1) }, server())).rejects.toThrow('RECORD_TILE');
  });

  it('refuses every tile in which one bit is wrong, wherever it is used', async () => {
    const reading = async (fetch: FetchTile): Promise<void> => {
      const reader = await openTiles(headAt(SIZE), fetch);
      await reader.inclusion(300);
      await reader.leaves(1);
    };
    const asked: string[] = [];
    await reading(server(asked));
    expect(asked).toHaveLength(6);
    for (const target of asked) {
      const spoil =
        (change: (bytes: Uint8Array) => Uint8Array | null): FetchTile =>
        (path) => {
          const bytes = serve(parseTilePath(path))!;
          return Promise.resolve(path === target ? change(bytes) : bytes);
        };
      await reading(spoil((bytes) => bytes));
      const changes: ((bytes: Uint8Array) => Uint8Array | null)[] = [
        (bytes) => flipped(bytes, 0),
        (bytes) => flipped(bytes, bytes.length - 1),
        (bytes) => bytes.slice(0, -1),
        (bytes) => bytes.slice(0, -32),
        (bytes) => new Uint8Array([...bytes, ...bytes]),
        () => new Uint8Array(0),
      ];
      // Of the tile that is full there is no other; a partial one is asked for in full, and there is none yet.
      for (const change of changes)
        expect(await refusalOf(() => reading(spoil(change))), target).toBe('RECORD_TILE');
      if (!target.includes('.p/'))
        expect(await refusalOf(() => reading(spoil(() => null))), target).toBe('RECORD_TILE');
    }
  });

  it('refuses another log’s tiles, and passes on what fetching threw', async () => {
    const other = { size: SIZE, root: flipped(log.root(), 0) };
    expect(await refusalOf(() => openTiles(other, server()))).toBe('RECORD_TILE');
    expect(await refusalOf(() => openTiles(headAt(SIZE), () => Promise.resolve(null)))).toBe('RECORD_TILE');
    await expect(openTiles(headAt(SIZE), () => Promise.reject(new Error('offline')))).rejects.toThrow(
      'offline',
    );
  });

  it('answers nothing past the checkpoint', async () => {
    const reader = await openTiles(headAt(700), server());
    expect(reader.size).toBe(700);
    await expect(reader.root(701)).rejects.toThrow(RangeError);
    await expect(reader.inclusion(700)).rejects.toThrow(RangeError);
    await expect(reader.inclusion(-1)).rejects.toThrow(RangeError);
    await expect(reader.inclusion(0.5)).rejects.toThrow(RangeError);
    await expect(reader.consistency(3, 2)).rejects.toThrow(RangeError);
    await expect(reader.consistency(1, 701)).rejects.toThrow(RangeError);
    await expect(openTiles({ size: -1, root: emptyRoot() }, server())).rejects.toThrow(RangeError);
  });

  it('lets nobody change what it keeps', async () => {
    const reader = await openTiles(headAt(700), (path) =>
      Promise.resolve(Buffer.from(serve(parseTilePath(path))!)),
    );
    for (const hash of await reader.inclusion(0)) hash.fill(0);
    expect(await reader.inclusion(0)).toEqual(log.inclusion(0, 700));
  });
});
