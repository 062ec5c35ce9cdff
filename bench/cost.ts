/**
 * What one call costs at its worst: for input that somebody chose to hurt, where a median over millions of calls says
 * nothing. Time is the least of a few calls: what the work takes, and not what the scheduler gave to somebody else.
 */

import { setFlagsFromString, GCProfiler } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Cost {
  readonly milliseconds: number;
  /** The most that the heap and what lies beside it grew while the call ran, garbage included. */
  readonly mebibytes: number;
}

/** One attempt to make something cost too much. */
export interface Attempt {
  readonly name: string;
  readonly cost: Cost;
}

/** Makes its attempts one by one; throws where one has another outcome than it must. */
export type Trial = () => Iterable<Attempt>;

const CALLS = 5;
/** What takes longer is lost anyhow. */
const PATIENCE_MS = 500;
const MEBIBYTE = 1_048_576;

// Asked for here and not on the command line, so that nobody has to remember it.
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Twice, because array buffers are freed behind a collection's back, and the next one waits for that. */
function collect(): void {
  gc();
  gc();
}

export function cost(call: () => void): Cost {
  const times: number[] = [];
  gc(); // or the first call pays for what was left before
  const deadline = performance.now() + PATIENCE_MS;
  do {
    const start = performance.now();
    call();
    times.push(performance.now() - start);
  } while (times.length < CALLS && performance.now() < deadline);
  return { milliseconds: Math.min(...times), mebibytes: growth(call) / MEBIBYTE };
}

/**
 * Between two collections the heap only grows. So it is largest at one of their beginnings, of which V8 keeps count,
 * or at the end.
 */
function growth(call: () => void): number {
  collect();
  const profiler = new GCProfiler();
  const before = used();
  profiler.start();
  call();
  const end = used();
  const peaks = profiler
    .stop()
    .statistics.map(
      ({ beforeGC: { heapStatistics } }) => heapStatistics.usedHeapSize + heapStatistics.externalMemory,
    );
  return Math.max(end, ...peaks) - before;
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage(); // `external` has the array buffers in it
  return heapUsed + external;
}
