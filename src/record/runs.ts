/**
 * Positions whose payloads stay, as runs of them: bounded, whatever number there is. Where there would be too many runs,
 * the two that lie nearest are joined, and what stands between them stays as well. spec/authority.md, "The state".
 */

/** Most runs that a verifier keeps. */
export const RUNS_LIMIT = 256;

/** Positions from the first to the last, both included. */
export interface Run {
  readonly first: number;
  readonly last: number;
}

/**
 * Runs with one more position.
 *
 * @param runs - rising, at least one position between two of them
 * @param seq - after all of them
 */
export function withPosition(runs: readonly Run[], seq: number): readonly Run[] {
  const end = runs.at(-1);
  if (end !== undefined && end.last + 1 >= seq) return [...runs.slice(0, -1), { ...end, last: seq }];
  const longer = [...runs, { first: seq, last: seq }];
  return longer.length > RUNS_LIMIT ? joined(longer) : longer;
}

/** Whether a position lies in one of the runs. */
export function holdsPosition(runs: readonly Run[], seq: number): boolean {
  return runs.some(({ first, last }) => first <= seq && seq <= last);
}

// Of gaps that are as small the first: everybody joins the same.
function joined(runs: readonly Run[]): readonly Run[] {
  let at = 1;
  for (let i = 2; i < runs.length; i++) if (gap(runs, i) < gap(runs, at)) at = i;
  const [before, after] = [runs[at - 1], runs[at]];
  if (before === undefined || after === undefined) return runs;
  return [...runs.slice(0, at - 1), { first: before.first, last: after.last }, ...runs.slice(at + 1)];
}

function gap(runs: readonly Run[], at: number): number {
  return (runs[at]?.first ?? 0) - (runs[at - 1]?.last ?? 0);
}
