/** What a run prints: versions, a table a job, a line a target. */

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Attempt } from './cost.ts';
import type { Result, Timing } from './measure.ts';
import type { TrialVerdict, Verdict } from './targets.ts';

/** Everything that a figure depends on: machine, platform, and every package as it is installed. */
export function versions(): Record<string, string> {
  const cores = cpus();
  return {
    node: process.versions.node,
    openssl: process.versions.openssl,
    cpu: `${cores[0]?.model ?? 'unknown'} (${cores.length})`,
    ...installed('.'), // muniment itself among the peers
    ...installed('..'),
  };
}

/** The dependencies that a folder's package.json names, each with the version that is there. */
function installed(folder: string): Record<string, string> {
  const read = (path: string) =>
    JSON.parse(readFileSync(new URL(`${folder}/${path}`, import.meta.url), 'utf8')) as {
      version: string;
      dependencies: Record<string, string>;
    };
  const names = Object.keys(read('package.json').dependencies);
  return Object.fromEntries(names.map((name) => [name, read(`node_modules/${name}/package.json`).version]));
}

/** Markdown: contests that have rows in common share a table. */
export function tables(job: string, results: readonly Result[]): string {
  const groups: Result[][] = [];
  for (const result of results) {
    const group = groups.find((others) => others.some(({ rows }) => haveCommon(rows, result.rows)));
    if (group === undefined) groups.push([result]);
    else group.push(result);
  }
  return groups.map((group) => table(job, group)).join('\n\n');
}

function haveCommon(rows: Result['rows'], others: Result['rows']): boolean {
  return Object.keys(rows).some((title) => title in others);
}

/** A line a contest; in a cell the ratio to the baseline, the median, and half the quartiles' distance. */
function table(job: string, results: readonly Result[]): string {
  const columns = [...new Set(results.flatMap(({ rows }) => Object.keys(rows)))];
  const lines = results.map(({ name, rows, unit }) => [
    name,
    ...columns.map((column) => {
      if (rows[column] === undefined) return '';
      return unit === undefined ? cell(rows[column]) : countCell(rows[column], unit);
    }),
  ]);
  const all = [[job, ...columns], ...lines];
  const widths = [job, ...columns].map((_, at) => Math.max(...all.map((line) => (line[at] ?? '').length)));
  const padded = all.map((line) => line.map((text, at) => text.padEnd(widths[at] ?? 0)));
  padded.splice(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  );
  return padded.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cell({ ratio, median, p25, p75 }: Timing): string {
  const spread = Math.round((50 * (p75 - p25)) / median);
  return `${significant(ratio)} · ${duration(median)} ±${spread}%`;
}

function countCell({ ratio, median }: Timing, unit: NonNullable<Result['unit']>): string {
  const count = unit === 'bytes' ? `${Math.round(median).toLocaleString('en')} B` : duration(median);
  return `${significant(ratio)} · ${count}`;
}

function duration(microseconds: number): string {
  if (microseconds < 1000) return `${significant(microseconds)} µs`;
  const milliseconds = microseconds / 1000;
  return milliseconds < 1000 ? `${significant(milliseconds)} ms` : `${significant(milliseconds / 1000)} s`;
}

/** Three digits that say something; never an exponent. */
function significant(value: number): string {
  return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.max(value, 0.01)))));
}

export function targetLine({ job, contest, ratio, bound, node, measured, verdict }: Verdict): string {
  const found = measured === null ? 'not measured' : significant(measured);
  const [row, by] = ratio.map((rows) => (typeof rows === 'string' ? rows : `least of ${rows.length} peers`));
  const asked = `${row} / ${by} ${bound.join(' ')} on Node ${node}`;
  return `${verdict.padEnd(10)}  ${job}: ${contest}: ${found} (${asked})`;
}

/** A line for the trial, and one more for each attempt beyond the bound. */
export function trialLines({
  job,
  bound,
  attempts,
  slowest,
  largest,
  beyond,
  verdict,
}: TrialVerdict): string[] {
  const line = (text: string) => `${verdict.padEnd(10)}  ${job}: ${text}`;
  const worst = `slowest ${attemptText(slowest)}; largest ${attemptText(largest)}`;
  const asked = `each at most ${bound.milliseconds} ms and ${bound.mebibytes} MiB`;
  return [
    line(`${attempts} attacks: ${worst} (${asked})`),
    ...beyond.map((attempt) => line(attemptText(attempt))),
  ];
}

function attemptText(attempt: Attempt | undefined): string {
  if (attempt === undefined) return 'none';
  const { name, cost } = attempt;
  return `${name}: ${significant(cost.milliseconds)} ms, ${significant(cost.mebibytes)} MiB`;
}
