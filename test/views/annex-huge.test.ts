/** Annexes in constant memory: 4 GiB of them in the slow suite, 64 MiB otherwise, in a process that does nothing else. */

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { SLOW } from '../property.ts';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');
// Inside the package, so that its dependencies are found. Compiled, because a loader of TypeScript takes memory too.
const FOLDER = path.join(ROOT, 'test/.annex-huge');
const COMPILER = path.join(ROOT, 'node_modules/typescript/bin/tsc');
const MIB = 1024 * 1024;
const LENGTH = SLOW ? 4096 * MIB : 64 * MIB;

afterAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
});

it(`${LENGTH / MIB} MiB seal and open within 96 MiB; 1 MiB from the middle reads less than 1.2 MiB`, async () => {
  const options = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--noCheck'];
  const folders = [
    '--ignoreConfig',
    '--rootDir',
    ROOT,
    '--outDir',
    FOLDER,
    '--rewriteRelativeImportExtensions',
  ];
  await run(process.execPath, [
    COMPILER,
    path.join(import.meta.dirname, 'annex-huge.ts'),
    ...options,
    ...folders,
  ]);
  // Node keeps up to 64 MiB of dead buffers before it looks for them; with a small nursery it looks earlier.
  const script = path.join(FOLDER, 'test/views/annex-huge.js');
  const { stdout } = await run(process.execPath, ['--max-semi-space-size=1', script, String(LENGTH)], {
    env: {}, // nothing of the test runner's
  });
  console.info(`annex-huge: ${stdout.trim()}`);
  const { megabytesResident, ciphertext, range, ...lengths } = JSON.parse(stdout) as Report;
  expect(lengths).toMatchObject({ sealed: LENGTH, opened: LENGTH });
  expect(ciphertext).toBe(LENGTH + (LENGTH / 65_536) * 16);
  expect(megabytesResident).toBeLessThanOrEqual(96);
  expect(range.opened).toBe(MIB);
  expect(range.read).toBeLessThan(1.2 * MIB);
}, 3_600_000);

interface Report {
  readonly sealed: number;
  readonly ciphertext: number;
  readonly opened: number;
  readonly range: { readonly opened: number; readonly read: number };
  readonly megabytesResident: number;
}
