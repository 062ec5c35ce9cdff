/**
 * Runs the packed library's self-check on every runtime, and browser keys and the verifier's page in Chromium; then writes the table of
 * docs/runtimes.md, or with `--check` compares it. Called by run.sh.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkBrowserKeys } from './browser-keys.ts';
import { ENGINES } from './engines.ts';
import { packProgram } from './pack.ts';
import { checkTable, writeTable, type Column } from './table.ts';
import { Tally } from './tally.ts';
import { checkVerifier } from './verifier.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const tally = new Tally();
const folder = await mkdtemp(path.join(tmpdir(), 'muniment-runtimes-'));
try {
  const program = await packProgram(folder);
  const columns: Column[] = [];
  for (const engine of ENGINES)
    await tally.check(engine.label, async () => {
      const run = await engine.run(program);
      const { checks, failures } = run.report;
      if (failures.length > 0) throw new Error(summary(failures));
      if (checks === 0) throw new Error('nothing was checked');
      console.log(`     ${engine.name} ${run.version}: ${checks} answers`);
      columns.push([engine.name, run]);
    });
  await checkBrowserKeys(program.browserKeys, tally);
  await checkVerifier(tally);
  await tally.check('docs/runtimes.md', async () => {
    if (columns.length < ENGINES.length) throw new Error('not every runtime has a column');
    await (values.check ? checkTable(columns) : writeTable(columns));
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = tally.close() ? 0 : 1;

// Each wrong answer in one line, and no more lines than somebody reads.
function summary(failures: readonly string[]): string {
  const lines = failures.slice(0, 20).map((failure) => failure.slice(0, 200));
  return [`${failures.length} wrong answers`, ...lines].join('\n');
}
