/** What must be reached, and where. The one place where a figure is promised; `npm run bench -- --check` holds it. */

import type { Result } from './measure.ts';

export interface Target {
  readonly job: string;
  /** A contest of that job. */
  readonly contest: string;
  /** The row whose time is divided, and the row by whose time. */
  readonly ratio: readonly [row: string, by: string];
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

const TARGETS: readonly Target[] = [
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
];

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

function measuredRatio({ contest, ratio: [row, by] }: Target, results: readonly Result[]): number | null {
  const rows = results.find(({ name }) => name === contest)?.rows;
  const [above, below] = [rows?.[row]?.ratio, rows?.[by]?.ratio];
  return above === undefined || below === undefined ? null : above / below;
}
