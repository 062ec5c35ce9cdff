/** Scripts that run in a process of their own, so that its memory is all their own. */

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '..');
const COMPILER = path.join(ROOT, 'node_modules/typescript/bin/tsc');

/**
 * Runs a script of this folder in a process that does nothing else, and returns what it printed.
 *
 * @param script - its path below test, without .ts; compiled, because a loader of TypeScript takes memory too
 * @param args - for the script
 * @param flags - for Node
 */
export async function runAlone(
  script: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<string> {
  // Inside the package, so that its dependencies are found.
  const folder = path.join(ROOT, 'test/.alone', path.basename(script));
  const options = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--noCheck'];
  const folders = [
    '--ignoreConfig',
    '--rootDir',
    ROOT,
    '--outDir',
    folder,
    '--rewriteRelativeImportExtensions',
  ];
  try {
    await run(process.execPath, [COMPILER, path.join(ROOT, 'test', `${script}.ts`), ...options, ...folders]);
    const compiled = path.join(folder, 'test', `${script}.js`);
    const { stdout } = await run(process.execPath, [...flags, compiled, ...args], {
      env: {}, // nothing of the test runner's
    });
    return stdout.trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
