/** What must be reached, and where. The one place where a figure is promised; `npm run bench -- --check` holds it. */

import type { Attempt, Cost } from './cost.ts';
import type { Result } from './measure.ts';

export interface Target {
  readonly job: string;
  /** A contest of that job. */
  readonly contest: string;
  /** The row whose time (or size) is divided, and the row by whose; of several rows the least counts. */
  readonly ratio: readonly [row: string | readonly string[], by: string | readonly string[]];
  readonly bound: readonly ['at most' | 'at least', number];
  /** The Node major on which it is promised. */
  readonly node: number;
}

export interface Verdict extends Target {
  /** Null if the contest or one of its rows was not measured, which is a miss. */
  readonly measured: number | null;
  readonly verdict: 'holds' | 'missed' | 'other Node';
}

/** Public-key operations that the platform of Node 20 does wholly; its ML-KEM and ML-DSA halves are portable there. */
const WHOLLY_NATIVE = [
  'Ed25519 sign',
  'Ed25519 verify',
  'ES256 sign',
  'ES256 verify',
  'X25519 encapsulate',
  'X25519 decapsulate',
  'P-256 encapsulate',
  'P-256 decapsulate',
];

/** An annex beside the primitives that it is made of, each on its own ground. */
const ANNEXES: readonly Target[] = ['seal 4 MiB', 'open 4 MiB', 'open 1 MiB of 4 MiB'].flatMap((contest) =>
  (
    [
      ['bare', 'native'],
      ['@noble', 'portable'],
    ] as const
  ).map((ratio): Target => ({ job: 'annex', contest, ratio, bound: ['at least', 0.8], node: 20 })),
);

/** Whatever encrypts beside this library. Not `@sd-jwt/core`, which does not. */
const ENCRYPTING = [
  'jose per reader',
  'jose per field',
  '@hpke/core per reader',
  '@hpke/core per field',
  'hpke per reader',
  'hpke per field',
  'age-encryption',
  'sealed boxes',
];

const SEALING: readonly (readonly [contest: string, row: string, times: number, node: number])[] = [
  ['seal 20 × 40 B', 'X25519', 3.5, 20],
  ['seal 1,000 × 40 B', 'X25519', 1.2, 20],
  ['seal 200 × 1 KiB', 'X25519', 5, 20],
  ['open 20 × 40 B', 'X25519', 1.5, 20],
  ['seal 20 × 40 B', 'X-Wing', 1, 20],
  ['seal 20 × 40 B', 'X-Wing', 2, 24],
];

const SEALED_SIZES: readonly (readonly [record: string, part: number])[] = [
  ['20 × 40 B', 1.2],
  ['1,000 × 40 B', 0.6],
  ['200 × 1 KiB', 0.6],
];

/** Far below the 50 ms that a grant may take, and whatever lies in the compartment. */
const GRANTS: readonly Target[] = [
  {
    job: 'grant',
    contest: 'grant a compartment',
    ratio: ['X25519', 'bare'],
    bound: ['at most', 2],
    node: 20,
  },
  ...['X25519', 'X-Wing'].map((row): Target => {
    return {
      job: 'grant',
      contest: 'bytes written',
      ratio: [row, '10 KiB'],
      bound: ['at most', 1],
      node: 20,
    };
  }),
];

const TARGETS: readonly Target[] = [
  ...GRANTS,
  ...ANNEXES,
  ...WHOLLY_NATIVE.map((contest): Target => ({
    job: 'crypto',
    contest,
    ratio: ['native', 'bare'],
    bound: ['at most', 1.15],
    node: 20,
  })),
  ...['X-Wing encapsulate', 'X-Wing decapsulate'].map((contest): Target => ({
    job: 'crypto',
    contest,
    ratio: ['portable', 'native'],
    bound: ['at least', 5],
    node: 24,
  })),
  ...['sign 1 KiB', 'verify 1 KiB'].map((contest): Target => ({
    job: 'envelope',
    contest,
    ratio: ['native', 'bare'],
    bound: ['at most', 1.25],
    node: 20,
  })),
  {
    job: 'envelope',
    contest: 'decode 48 MiB',
    ratio: ['1 × 48 MiB', '8 × 6 MiB'],
    bound: ['at most', 1.5],
    node: 20,
  },
  {
    job: 'record',
    contest: 'verify 10,000 entries',
    ratio: ['one by one', 'bare'],
    bound: ['at most', 1.15],
    node: 20,
  },
  {
    job: 'record',
    contest: 'verify 10,000 entries',
    ratio: ['bare', 'chain'], // on two cores
    bound: ['at least', 1.7],
    node: 20,
  },
  {
    job: 'record',
    contest: 'append an entry',
    ratio: ['muniment', 'bare'],
    bound: ['at most', 1.3],
    node: 20,
  },
  ...['read', 'head', 'find', 'append', 'break the glass'].flatMap((question) =>
    (
      [
        ["another's", 'absent'],
        ['absent', "another's"],
      ] as const
    ).map((ratio): Target => ({
      job: 'refusals',
      contest: `refuse to ${question}`,
      ratio,
      bound: ['at most', 1.05],
      node: 20,
    })),
  ),
  ...['SQLite', 'PostgreSQL'].flatMap((row) =>
    ['conversation', "both sides' processors"].map((contest): Target => ({
      job: 'server',
      contest,
      ratio: [row, 'bare calls'],
      bound: ['at most', 2],
      node: 20,
    })),
  ),
  {
    job: 'session',
    contest: 'session',
    ratio: ['mutual TLS', 'X25519'],
    bound: ['at least', 2],
    node: 20,
  },
  {
    job: 'session',
    contest: 'session',
    ratio: ['X-Wing', 'mutual TLS'],
    bound: ['at most', 1],
    node: 24,
  },
  ...SEALING.map(([contest, row, times, node]): Target => ({
    job: 'views',
    contest,
    ratio: [ENCRYPTING, row],
    bound: ['at least', times],
    node,
  })),
  ...SEALED_SIZES.map(([record, part]): Target => ({
    job: 'views',
    contest: `${record} as text`,
    ratio: ['X25519', ENCRYPTING],
    bound: ['at most', part],
    node: 20,
  })),
];

/** What each attempt of a job's trial may cost, on any Node. */
const BOUNDS: ReadonlyMap<string, Cost> = new Map([['envelope', { milliseconds: 20, mebibytes: 16 }]]);

/** A whole trial: its worst attempts, and those beyond the bound. */
export interface TrialVerdict {
  readonly job: string;
  readonly bound: Cost;
  readonly attempts: number;
  readonly slowest: Attempt | undefined;
  readonly largest: Attempt | undefined;
  readonly beyond: readonly Attempt[];
  readonly verdict: 'holds' | 'missed';
}

export function targetsOf(job: string): Target[] {
  return TARGETS.filter((target) => target.job === job);
}

/** Judges the targets of one job by what it measured. */
export function judge(targets: readonly Target[], results: readonly Result[], nodeMajor: number): Verdict[] {
  return targets.map((target) => {
    const measured = measuredRatio(target, results);
    if (target.node !== nodeMajor) return { ...target, measured, verdict: 'other Node' };
    const [direction, bound] = target.bound;
    const holds = measured !== null && (direction === 'at most' ? measured <= bound : measured >= bound);
    return { ...target, measured, verdict: holds ? 'holds' : 'missed' };
  });
}

/** Judges a job's trial; one without attempts has shown nothing. */
export function judgeTrial(job: string, attempts: readonly Attempt[], bound = boundOf(job)): TrialVerdict {
  const beyond = attempts.filter(
    ({ cost }) => !(cost.milliseconds <= bound.milliseconds && cost.mebibytes <= bound.mebibytes),
  );
  return {
    job,
    bound,
    attempts: attempts.length,
    slowest: dearest(attempts, 'milliseconds'),
    largest: dearest(attempts, 'mebibytes'),
    beyond,
    verdict: attempts.length > 0 && beyond.length === 0 ? 'holds' : 'missed',
  };
}

function boundOf(job: string): Cost {
  const bound = BOUNDS.get(job);
  if (bound === undefined) throw new RangeError(`no bound for the trial of ${job}`);
  return bound;
}

function dearest(attempts: readonly Attempt[], unit: keyof Cost): Attempt | undefined {
  return [...attempts].sort((a, b) => b.cost[unit] - a.cost[unit])[0];
}

function measuredRatio({ contest, ratio }: Target, results: readonly Result[]): number | null {
  const rows = results.find(({ name }) => name === contest)?.rows;
  const [above, below] = ratio.map((titles) => {
    const ratios = [titles].flat().map((title) => rows?.[title]?.ratio ?? NaN);
    return Math.min(...ratios); // NaN if one of them was not measured
  });
  const measured = (above ?? NaN) / (below ?? NaN);
  return Number.isNaN(measured) ? null : measured;
}
