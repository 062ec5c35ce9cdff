/**
 * Times operations that do the same work against each other. Not tinybench and not mitata: both run one operation
 * to its end and then the next, so that a machine that slows down in between (its clock, its neighbours, its
 * heat) shows up as a difference between the operations. Here every round times each operation once, in a
 * rotating order, and a ratio is the median of the rounds' own ratios: what slows a whole round falls out of it.
 */

/** What is set against each other: times or sizes. */
export type Contest = TimedContest | CountedContest;

/** Operations that do the same work, one of them the yardstick. */
export interface TimedContest {
  readonly name: string;
  /** The row by whose time the others' is divided. */
  readonly baseline: string;
  readonly rows: Readonly<Record<string, Row>>;
  /** For how long each row is timed, in milliseconds, over all rounds: more where a difference of few per cent is looked for. */
  readonly rowTime?: number | undefined;
}

/** One way to do the work. */
export interface Row {
  /** Once; a promise is awaited, and the awaiting is timed, because every caller pays it. */
  readonly run: () => unknown;
  /** How many operations one run is; one if nothing is said. What is timed is one operation. */
  readonly each?: number | undefined;
  /** What tells the time, in milliseconds; the wall's clock if nothing is said. */
  readonly clock?: (() => number) | undefined;
  /** Before each timed stretch, untimed: whatever the rows set against each other, like the backend. */
  readonly before?: (() => void) | undefined;
  /** In how many rounds at most, the first ones, and without a warm-up: for what takes seconds. */
  readonly rounds?: number | undefined;
}

/** What the rows came to: bytes, or microseconds that were counted elsewhere. */
export interface CountedContest {
  readonly name: string;
  readonly baseline: string;
  readonly unit: 'bytes' | 'microseconds';
  readonly counts: Readonly<Record<string, number>>;
}

/** Yields its contests one by one: set up before the yield, clear away after it (or in `finally`). */
export type Job = () => Iterable<Contest> | AsyncIterable<Contest>;

export interface Result {
  readonly name: string;
  readonly baseline: string;
  readonly rounds: number;
  readonly rows: Readonly<Record<string, Timing>>;
  /** Of the rows; microseconds if nothing is said. */
  readonly unit?: CountedContest['unit'];
}

/** Microseconds a call, over the rounds. Or bytes, which are what they are. */
export interface Timing {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
  /** Of the baseline's time; below one is faster. */
  readonly ratio: number;
}

const WARM_UP_MS = 300;
/** How long one row is timed in one round: long beside the clock's grain, short beside a scheduler's turn, so that most stretches are whole. */
const STRETCH_MS = 2;
/** So that many rows have as many rounds as few; if nothing is said. */
const ROW_MS = 700;
const ATTEMPTS = 4;
/** What takes longer is interrupted each time on a busy machine, and is not worth another attempt. */
const SCHEDULERS_TURN_MS = 20;
const ROUNDS = { least: 9, most: 301 };

interface Runner {
  readonly title: string;
  readonly row: Row;
  /** How many calls fill a stretch. */
  readonly calls: number;
  /** One a round. */
  readonly times: number[];
}

export async function measure({ name, baseline, rows, rowTime = ROW_MS }: TimedContest): Promise<Result> {
  const runners: Runner[] = [];
  for (const [title, row] of Object.entries(rows)) {
    runners.push({ title, row, calls: row.rounds === undefined ? await warmUp(row) : 1, times: [] });
  }
  const yardstick = runners.find(({ title }) => title === baseline)?.times;
  if (yardstick === undefined) throw new RangeError(`${name}: no row ${baseline} to compare with`);

  const deadline = performance.now() + rowTime * runners.length;
  let round = 0;
  while (round < ROUNDS.least || (round < ROUNDS.most && performance.now() < deadline)) {
    for (const { row, calls, times } of order(runners, round))
      if (round < (row.rounds ?? ROUNDS.most)) times.push(await time(row, calls));
    round += 1;
  }

  const timings = runners.map(({ title, times }) => [title, timing(times, yardstick)] as const);
  return { name, baseline, rounds: round, rows: Object.fromEntries(timings) };
}

/** Counts as a result like others. */
export function count({ name, baseline, unit, counts }: CountedContest): Result {
  const yardstick = counts[baseline];
  if (yardstick === undefined) throw new RangeError(`${name}: no row ${baseline} to compare with`);
  const rows = Object.entries(counts).map(([title, size]) => [
    title,
    { median: size, p25: size, p75: size, ratio: size / yardstick },
  ]);
  return { name, baseline, rounds: 1, rows: Object.fromEntries(rows) as Result['rows'], unit };
}

/** Runs a row until it is compiled and its caches are filled; returns how many calls fill a stretch. */
async function warmUp(row: Row): Promise<number> {
  const deadline = performance.now() + WARM_UP_MS;
  let calls = 1;
  do {
    const fitting = Math.round((STRETCH_MS * 1000) / ((await time(row, calls)) * (row.each ?? 1)));
    calls = Math.max(1, Math.min(fitting, 2 * calls));
  } while (performance.now() < deadline);
  return calls;
}

/** Another one first each time and every other time backwards, so that no row always follows the same one. */
function order<Item>(items: readonly Item[], round: number): Item[] {
  const first = (round >> 1) % items.length;
  const rotated = [...items.slice(first), ...items.slice(0, first)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}

/** Microseconds a call, of a stretch during which the system gave the processor to nobody else, if one of a few is so lucky. */
async function time(row: Row, calls: number): Promise<number> {
  const { run, before, each: operations = 1, clock = () => performance.now() } = row;
  let each = NaN;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    before?.();
    await run(); // untimed: the processor's caches are still full of the row before
    const interruptions = process.resourceUsage().involuntaryContextSwitches;
    const start = clock();
    for (let call = 0; call < calls; call += 1) {
      const result = run();
      if (result instanceof Promise) await result;
    }
    const elapsed = clock() - start;
    each = (elapsed * 1000) / (calls * operations);
    const interrupted = process.resourceUsage().involuntaryContextSwitches !== interruptions;
    if (!interrupted || elapsed > SCHEDULERS_TURN_MS) break;
  }
  return each;
}

function timing(times: readonly number[], yardstick: readonly number[]): Timing {
  const ratios = times.map((value, round) => value / (yardstick[round] ?? NaN));
  return {
    median: quantile(times, 0.5),
    p25: quantile(times, 0.25),
    p75: quantile(times, 0.75),
    ratio: quantile(ratios, 0.5),
  };
}

/** The nearest value with at least this part of all values at or below it. */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}
