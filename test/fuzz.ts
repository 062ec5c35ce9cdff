/**
 * Mutated inputs for decoders: samples that are good, changed in one to four places, the way an attacker or a bad disk
 * changes them. A decoder under fuzz either answers or throws the library's own error under a code that it documents,
 * in bounded time and memory.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { cpuUsage, memoryUsage } from 'node:process';
import fc from 'fast-check';
import { expect } from 'vitest';
import { MunimentError, type ErrorCode } from '../src/errors.ts';
import { concat } from '../src/wire/index.ts';
import { PROPERTY, SLOW } from './property.ts';

/** Inputs for each decoder: 100,000 in the slow suite. */
export const FUZZ_RUNS = SLOW ? 100_000 : 400;

/** Longest run that one decoder may take in the slow suite. */
export const FUZZ_TIMEOUT = SLOW ? 1_800_000 : 120_000;

/** No decoder may keep the processor for longer than this over one input. Generous: what is looked for is a blow-up. */
const SLOWEST_MS = 500;
/** Nor may memory grow by more than this while they run. */
const MOST_MEMORY = 256 * 1024 * 1024;

const byte = fc.integer({ min: 0, max: 255 });
const at = fc.nat(0xffff);

/** One change, as a function from bytes to bytes; places are taken modulo the length. */
const change: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(at, byte).map(([place, value]) => replaced(place, value)) },
  { weight: 3, arbitrary: fc.tuple(at, fc.nat(7)).map(([place, bit]) => toggled(place, 1 << bit)) },
  // Lengths and counts are what parsers trust: make them a little or much too large or too small.
  { weight: 2, arbitrary: fc.tuple(at, fc.integer({ min: -2, max: 2 })).map(([p, d]) => moved(p, d)) },
  { weight: 1, arbitrary: at.map((place) => spliced(place, 4, Uint8Array.of(0xff, 0xff, 0xff, 0xff))) },
  { weight: 1, arbitrary: at.map((place) => cut(place)) },
  { weight: 2, arbitrary: fc.tuple(at, fc.nat(8)).map(([place, n]) => spliced(place, n, NOTHING)) },
  {
    weight: 2,
    arbitrary: fc.tuple(at, fc.uint8Array({ maxLength: 12 })).map(([place, more]) => spliced(place, 0, more)),
  },
  { weight: 1, arbitrary: fc.tuple(at, fc.nat(64)).map(([place, n]) => repeated(place, n)) },
);

const NOTHING = new Uint8Array(0);

/** Mutants of bytes. */
export function mutants(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([sample, changes]) => changes.reduce((bytes, apply) => apply(bytes), sample));
}

/** Mutants of text: its bytes changed, and read as whatever text they then are; or pieces of its grammar put in. */
export function textMutants(samples: readonly string[], pieces: readonly string[]): fc.Arbitrary<string> {
  const bytes = mutants(samples.map((sample) => Buffer.from(sample))).map((mutant) =>
    Buffer.from(mutant).toString('utf8'),
  );
  const pieced = fc
    .tuple(fc.constantFrom(...samples), at, fc.nat(24), fc.constantFrom(...pieces))
    .map(([text, place, drop, piece]) => {
      const start = place % (text.length + 1);
      return text.slice(0, start) + piece + text.slice(start + drop);
    });
  return fc.oneof({ weight: 3, arbitrary: bytes }, { weight: 2, arbitrary: pieced });
}

/**
 * Runs a decoder over mutants. Returns how often each code, or `ok`, came out.
 *
 * @param inputs - what it is given
 * @param codes - the codes under which it may refuse
 * @param decode - the decoder, and whatever must hold of what it accepts
 */
export async function fuzz<Input>(
  inputs: fc.Arbitrary<Input>,
  codes: readonly ErrorCode[],
  decode: (input: Input) => unknown,
): Promise<Record<string, number>> {
  const tally: Record<string, number> = {};
  const before = memoryUsage();
  let slowest = 0;
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => {
      const { outcome, cost } = await weighed(() => decode(input));
      // Whose time it was, the decoder's or the collector's, shows when it is done again.
      slowest = Math.max(slowest, cost < SLOWEST_MS ? cost : (await weighed(() => decode(input))).cost);
      tally[outcome] = (tally[outcome] ?? 0) + 1;
      expect(['ok', ...codes]).toContain(outcome);
      if (++runs % 1024 === 0 && grownSince(before) >= MOST_MEMORY) {
        collectGarbage(); // what is left after it is what the decoder holds on to
        expect(grownSince(before)).toBeLessThan(MOST_MEMORY);
      }
    }),
    { ...(PROPERTY as fc.Parameters<[Input]>), numRuns: FUZZ_RUNS },
  );
  expect(slowest).toBeLessThan(SLOWEST_MS);
  // A fuzzer all of whose mutants are still good, or none of whose is refused where it should be, tests nothing.
  expect(Object.keys(tally).some((outcome) => outcome !== 'ok')).toBe(true);
  return tally;
}

/** What came out, and the processor's time that it took, in milliseconds. */
async function weighed(decode: () => unknown): Promise<{ outcome: string; cost: number }> {
  const start = cpuUsage();
  const outcome = await outcomeOf(decode);
  const { user, system } = cpuUsage(start);
  return { outcome, cost: (user + system) / 1000 };
}

// Node hands out its collector only under a flag, which may be set while it runs.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

// Whatever is thrown that is not the library's own error fails the test as itself.
async function outcomeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'ok';
  } catch (error) {
    if (error instanceof MunimentError) return error.code;
    throw error;
  }
}

function grownSince(before: NodeJS.MemoryUsage): number {
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers;
}

function replaced(place: number, value: number) {
  return (bytes: Uint8Array) => with1(bytes, place, () => value);
}

function toggled(place: number, mask: number) {
  return (bytes: Uint8Array) => with1(bytes, place, (old) => old ^ mask);
}

function moved(place: number, delta: number) {
  return (bytes: Uint8Array) => with1(bytes, place, (old) => old + delta);
}

function with1(bytes: Uint8Array, place: number, value: (old: number) => number): Uint8Array {
  const copy = new Uint8Array(bytes);
  const index = place % bytes.length;
  copy[index] = value(copy[index] ?? 0); // of an empty input nothing is changed
  return copy;
}

function cut(place: number) {
  return (bytes: Uint8Array) => bytes.slice(0, place % (bytes.length + 1));
}

function spliced(place: number, drop: number, more: Uint8Array) {
  return (bytes: Uint8Array) => {
    const start = place % (bytes.length + 1);
    return concat(bytes.subarray(0, start), more, bytes.subarray(start + drop));
  };
}

function repeated(place: number, length: number) {
  return (bytes: Uint8Array) => {
    const start = place % (bytes.length + 1);
    return concat(bytes.subarray(0, start + length), bytes.subarray(start));
  };
}
