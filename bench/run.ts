/**
 * `npm run bench [-- NAME…] [--json] [--check]`: the named jobs (all, if none is named) in turn, in this one process.
 * `--json` prints one JSON document instead of tables; `--check` also judges the targets, makes the trials, and exits 1 if
 * one is missed.
 */

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Trial } from './cost.ts';
import { count, measure, type Job, type Result } from './measure.ts';
import { tables, targetLine, trialLines, versions } from './report.ts';
import { judge, judgeTrial, targetsOf, type TrialVerdict, type Verdict } from './targets.ts';

interface Loaded {
  readonly job: Job;
  /** Part of `--check` alone. */
  readonly trial?: Trial;
}

/** Loaded when run, because a job's peers may not be installed before. */
const JOBS: ReadonlyMap<string, () => Promise<Loaded>> = new Map<string, () => Promise<Loaded>>([
  ['annex', async () => ({ job: (await import('./jobs/annex.ts')).annex })],
  ['crypto', async () => ({ job: (await import('./jobs/crypto.ts')).crypto })],
  [
    'envelope',
    async () => {
      const { envelope, envelopeTrial } = await import('./jobs/envelope.ts');
      return { job: envelope, trial: envelopeTrial };
    },
  ],
  ['grant', async () => ({ job: (await import('./jobs/grant.ts')).grants })],
  ['record', async () => ({ job: (await import('./jobs/record.ts')).record })],
  ['refusals', async () => ({ job: (await import('./jobs/refusals.ts')).refusals })],
  ['server', async () => ({ job: (await import('./jobs/server.ts')).server })],
  ['session', async () => ({ job: (await import('./jobs/session.ts')).session })],
  ['views', async () => ({ job: (await import('./jobs/views.ts')).views })],
]);

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

interface Arguments {
  readonly names: readonly string[];
  readonly json: boolean;
  readonly check: boolean;
}

await main();

async function main(): Promise<void> {
  const asked = parse();
  if (asked === null) return;
  installPeers();

  const used = versions();
  if (!asked.json) console.log(Object.entries(used).flat().join(' '));
  const jobs: { name: string; contests: Result[] }[] = [];
  const targets: Verdict[] = [];
  const trials: TrialVerdict[] = [];
  for (const name of asked.names) {
    const { job, trial } = await load(name);
    const contests = await runJob(name, job);
    jobs.push({ name, contests });
    targets.push(...judge(targetsOf(name), contests, Number.parseInt(process.versions.node)));
    if (!asked.json) console.log(`\n${tables(name, contests)}`);
    if (trial && asked.check) trials.push(judgeTrial(name, [...trial()]));
  }

  if (asked.json) console.log(JSON.stringify({ versions: used, jobs, targets, trials }, null, 2));
  if (!asked.check) return;
  if (!asked.json) console.log(`\n${[...targets.map(targetLine), ...trials.flatMap(trialLines)].join('\n')}`);
  if ([...targets, ...trials].some(({ verdict }) => verdict === 'missed')) process.exitCode = 1;
}

/** The command line, or null after saying what is wrong with it. */
function parse(): Arguments | null {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
      },
    });
    const unknown = positionals.filter((name) => !JOBS.has(name));
    if (unknown.length > 0) throw new RangeError(`no job named ${unknown.join(', ')}`);
    return { names: positionals.length > 0 ? [...new Set(positionals)] : [...JOBS.keys()], ...values };
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    console.error(`usage: npm run bench [-- NAME… --json --check]; jobs: ${[...JOBS.keys()].join(', ')}`);
    process.exitCode = 2;
    return null;
  }
}

/** Peers come when a benchmark is asked for: nothing else in the repository may need them. */
function installPeers(): void {
  const changed = (file: string) => statSync(FOLDER + file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // npm writes the second file when it has installed everything that the first one names.
  if (changed('package-lock.json') <= changed('node_modules/.package-lock.json')) return;
  console.error('bench: installing the peers');
  // Its own output would spoil --json.
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: FOLDER, stdio: ['ignore', 2, 2] });
}

function load(name: string): Promise<Loaded> {
  const found = JOBS.get(name);
  if (found === undefined) throw new RangeError(`no job named ${name}`);
  return found();
}

async function runJob(name: string, job: Job): Promise<Result[]> {
  const results: Result[] = [];
  for await (const contest of job()) {
    console.error(`bench: ${name}: ${contest.name}`);
    results.push('counts' in contest ? count(contest) : await measure(contest));
  }
  return results;
}
