/**
 * Looks for leaked plaintext: whether any of many texts stands in any of many files, as it is or in a usual encoding.
 *
 * Each text becomes a few patterns, at most thirteen. The patterns are sorted, those that begin with the same eight bytes form
 * a group, and one pass over each file looks up the eight bytes under a sliding window: first in a bitmap, which turns
 * nearly all of them away, then in a hash table of the groups, then by bisection inside the group.
 *
 * It leaves out: text in other character sets or letter case, base64 broken into lines, percent and XML escapes, encodings
 * of encodings, compressed data, and text that runs over from one file into the next.
 */

/** Texts shorter than this, in UTF-16 code units (`text.length`), are ignored: they turn up by chance. */
export const SHORTEST = 8;
/** A search gives up collecting after this many hits, so that a file full of plaintext does not exhaust the memory. */
export const MOST_HITS = 1_000_000;

/** How a text was written where it was found. */
export type Spelling = 'plain' | 'json-escaped' | 'base64' | 'base64url' | 'hex';

/** A file to search, or anything else that is bytes under a name. */
export interface SearchedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One place where a text stands. */
export interface Hit {
  /** The text that was looked for. */
  readonly value: string;
  /** The name of the file. */
  readonly file: string;
  /** In bytes from the start of the file. For base64: of the first character that depends on the text alone. */
  readonly offset: number;
  readonly spelling: Spelling;
}

/**
 * Finds every place where one of the texts stands in one of the files. The places may overlap.
 *
 * A base64 character at the edge of a text also depends on what stands beside it and is not compared. So two texts
 * that differ only in the last few bits of their last character can both be reported where one stands.
 *
 * @param values - texts; doubles and those shorter than {@link SHORTEST} are left out
 * @param files - read once and one at a time, so they need not all be in memory
 * @returns the hits by file and offset, no more than {@link MOST_HITS}
 * @example
 * ```ts
 * findPlaintext(['penicillin'], [{ name: 'bank.db', bytes: readFileSync('bank.db') }]); // [] if all is well
 * ```
 */
export function findPlaintext(values: Iterable<string>, files: Iterable<SearchedFile>): Hit[] {
  const index = buildIndex(searchable(values));
  const hits: Hit[] = [];
  for (const { name, bytes } of files) {
    scan(index, bytes, ({ value, spelling }, offset) => {
      if (hits.length < MOST_HITS) hits.push({ value, file: name, offset, spelling });
    });
    if (hits.length === MOST_HITS) break;
  }
  return hits;
}

/**
 * Leaves out the texts that also stand, in any spelling, where nothing secret is: in the program, say, or in the files of a run
 * without data. Finding one of those elsewhere would prove nothing; what is left is the list to give to {@link findPlaintext}.
 *
 * @param values - texts; doubles and those shorter than {@link SHORTEST} are left out too
 * @param controlFiles - read once and one at a time
 * @returns the remaining texts in their order
 */
export function subtractControl(values: Iterable<string>, controlFiles: Iterable<SearchedFile>): string[] {
  const remaining = searchable(values);
  const index = buildIndex(remaining);
  for (const { bytes } of controlFiles) scan(index, bytes, ({ value }) => remaining.delete(value));
  return [...remaining];
}

function searchable(values: Iterable<string>): Set<string> {
  const long = new Set<string>();
  for (const value of values) if (value.length >= SHORTEST) long.add(value);
  return long;
}

/** What a pattern stands for. */
interface Meaning {
  readonly value: string;
  readonly spelling: Spelling;
}

/** How many bytes the window has. No pattern is shorter: base64 of eight bytes keeps ten characters at every alignment. */
const WINDOW = 8;

/** 2^23 bits are one mebibyte, which stays in the processor's cache, and about 3 % full with 20,000 texts. */
const BITMAP_BITS = 23;

interface Index {
  /** All patterns, sorted and joined. */
  readonly bytes: Uint8Array;
  /** Where each pattern begins in `bytes`, and one more for the end of the last one. */
  readonly offsets: Int32Array;
  readonly meanings: readonly Meaning[];
  /** For each pattern the number of the longest other one that it begins with, or -1. */
  readonly parents: Int32Array;
  /** The first pattern of each group, and one more for the end of the last group. */
  readonly starts: Int32Array;
  /** The eight bytes that each group begins with, as two little-endian words. */
  readonly lows: Int32Array;
  readonly highs: Int32Array;
  /** One bit for each hash that some group has. */
  readonly bitmap: Int32Array;
  /** Open addressing with linear probing: the number of a group plus one, or 0. */
  readonly slots: Int32Array;
  /** How far to shift a hash to get the number of its slot. */
  readonly slotShift: number;
}

function buildIndex(values: Iterable<string>): Index {
  const patterns: [string, Meaning][] = [];
  for (const value of values) {
    for (const [bytes, spelling] of spell(value)) patterns.push([bytes, { value, spelling }]);
  }
  patterns.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const sorted = patterns.map(([bytes]) => bytes);
  const starts = groupStarts(sorted);
  const groups = starts.length - 1;
  const slotBits = Math.max(1, Math.ceil(Math.log2(4 * groups + 1)));
  const index = {
    ...join(sorted),
    meanings: patterns.map(([, meaning]) => meaning),
    parents: longestPrefixes(sorted),
    starts,
    lows: new Int32Array(groups),
    highs: new Int32Array(groups),
    bitmap: new Int32Array(2 ** BITMAP_BITS / 32),
    slots: new Int32Array(2 ** slotBits),
    slotShift: 32 - slotBits,
  };
  for (let group = 0; group < groups; group++) addGroup(index, group);
  return index;
}

/**
 * The patterns of a text, each with its spelling; where two spellings agree, the one named first. A pattern's bytes are held
 * as a string of characters up to U+00FF, which is quick to sort.
 */
function spell(value: string): Map<string, Spelling> {
  const bytes = Buffer.from(value, 'utf8');
  const patterns = new Map<string, Spelling>();
  const add = (pattern: string, spelling: Spelling) => {
    if (!patterns.has(pattern)) patterns.set(pattern, spelling);
  };
  add(bytes.toString('latin1'), 'plain');
  for (const escaped of jsonEscapes(value))
    add(Buffer.from(escaped, 'utf8').toString('latin1'), 'json-escaped');
  for (const alignment of [0, 1, 2]) {
    const base64 = base64Core(bytes, alignment);
    add(base64, 'base64');
    add(base64.replaceAll('+', '-').replaceAll('/', '_'), 'base64url');
  }
  const hex = bytes.toString('hex');
  add(hex, 'hex');
  add(hex.toUpperCase(), 'hex');
  return patterns;
}

/** With and without `\u` escapes for what is not ASCII, and with the digits of these escapes in either case. */
function jsonEscapes(value: string): string[] {
  const minimal = JSON.stringify(value).slice(1, -1);
  const ascii = minimal.replace(/[\u0080-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  // The alternative takes escapes whole, or the second backslash of "\\u00e9" would begin one.
  const capitals = (text: string) =>
    text.replace(/\\(?:u([0-9a-f]{4})|.)/g, (escape, digits: string | undefined) => {
      return digits === undefined ? escape : `\\u${digits.toUpperCase()}`;
    });
  return [minimal, capitals(minimal), ascii, capitals(ascii)];
}

/** The characters that depend on these bytes alone when `alignment` bytes of a group of three stand before them. */
function base64Core(bytes: Uint8Array, alignment: number): string {
  const aligned = Buffer.concat([new Uint8Array(alignment), bytes]).toString('base64');
  return aligned.slice(Math.ceil((8 * alignment) / 6), Math.floor((8 * (alignment + bytes.length)) / 6));
}

function groupStarts(sorted: readonly string[]): Int32Array {
  const starts: number[] = [];
  for (const [number, bytes] of sorted.entries()) {
    if (sorted[number - 1]?.slice(0, WINDOW) !== bytes.slice(0, WINDOW)) starts.push(number);
  }
  return Int32Array.from([...starts, sorted.length]);
}

/** Not by way of one string: that could not be longer than 512 MiB. */
function join(sorted: readonly string[]): { bytes: Uint8Array; offsets: Int32Array } {
  const offsets = new Int32Array(sorted.length + 1);
  let end = 0;
  for (const [number, bytes] of sorted.entries()) offsets[number + 1] = end += bytes.length;
  const joined = Buffer.alloc(end);
  for (const [number, bytes] of sorted.entries()) joined.write(bytes, offsets[number] ?? 0, 'latin1');
  return { bytes: joined, offsets };
}

/** In sorted order, everything that a pattern begins with is on the stack when its turn comes. */
function longestPrefixes(sorted: readonly string[]): Int32Array {
  const parents = new Int32Array(sorted.length);
  const stack: number[] = [];
  for (const [number, bytes] of sorted.entries()) {
    while (stack.length > 0 && !bytes.startsWith(sorted[stack.at(-1) ?? 0] ?? '')) stack.pop();
    parents[number] = stack.at(-1) ?? -1;
    stack.push(number);
  }
  return parents;
}

function addGroup(index: Index, group: number): void {
  const { bytes, offsets, starts, lows, highs, bitmap, slots, slotShift } = index;
  const view = new DataView(bytes.buffer, bytes.byteOffset + (offsets[starts[group] ?? 0] ?? 0), WINDOW);
  const low = view.getInt32(0, true);
  const high = view.getInt32(4, true);
  lows[group] = low;
  highs[group] = high;
  const hash = hashWindow(low, high);
  const bit = hash >>> (32 - BITMAP_BITS);
  bitmap[bit >>> 5] = (bitmap[bit >>> 5] ?? 0) | (1 << (bit & 31));
  let slot = hash >>> slotShift;
  while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
  slots[slot] = group + 1;
}

/** Multiplication carries upwards only, so the high bits are the ones to use. */
function hashWindow(low: number, high: number): number {
  const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}

type Found = (meaning: Meaning, offset: number) => void;

/** Calls `found` for every pattern at every offset where it stands. */
function scan(index: Index, text: Uint8Array, found: Found): void {
  const { bitmap } = index;
  let low = 0;
  let high = 0;
  for (let end = 0; end < text.length; end++) {
    low = (low >>> 8) | (high << 24);
    high = (high >>> 8) | ((text[end] ?? 0) << 24);
    const hash = hashWindow(low, high);
    const bit = hash >>> (32 - BITMAP_BITS);
    if (((bitmap[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0 || end < WINDOW - 1) continue;
    const group = findGroup(index, low, high, hash);
    if (group !== -1) matchGroup(index, group, text, end - (WINDOW - 1), found);
  }
}

function findGroup(
  { slots, slotShift, lows, highs }: Index,
  low: number,
  high: number,
  hash: number,
): number {
  for (let slot = hash >>> slotShift; ; slot = (slot + 1) & (slots.length - 1)) {
    const group = (slots[slot] ?? 0) - 1;
    if (group === -1 || (lows[group] === low && highs[group] === high)) return group;
  }
}

/**
 * Whatever sorts between a prefix of the text and the text begins with that prefix. So all the patterns that stand here are
 * the last one that does not sort after the text, or prefixes of it. That keeps the search short where thousands begin alike.
 */
function matchGroup(index: Index, group: number, text: Uint8Array, offset: number, found: Found): void {
  const { bytes, offsets, meanings, parents, starts } = index;
  const first = starts[group] ?? 0;
  let from = first;
  let to = starts[group + 1] ?? 0;
  // How much of the text the patterns before `from` and at `to` begin with; every one between begins with the lesser part.
  let fromShares = WINDOW;
  let toShares = WINDOW;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const begin = offsets[middle] ?? 0;
    const length = (offsets[middle + 1] ?? 0) - begin;
    let shares = Math.min(fromShares, toShares);
    while (shares < length && bytes[begin + shares] === text[offset + shares]) shares++;
    if (shares === length || (bytes[begin + shares] ?? 0) < (text[offset + shares] ?? -1)) {
      from = middle + 1;
      fromShares = shares;
    } else {
      to = middle;
      toShares = shares;
    }
  }
  if (from === first) return;
  for (let number = from - 1; number !== -1; number = parents[number] ?? -1) {
    const length = (offsets[number + 1] ?? 0) - (offsets[number] ?? 0);
    const meaning = meanings[number];
    if (length <= fromShares && meaning !== undefined) found(meaning, offset);
  }
}
