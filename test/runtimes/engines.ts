/** The runtimes: where the program of each lies, how it says its version, and how it runs the self-check. */

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { runInChromium } from './chromium.ts';
import type { Program } from './pack.ts';
import type { Report } from './self-check.ts';
import { runInWorkerd } from './workerd.ts';

/** What a runtime reported, under the version that it gave itself. */
export interface Run {
  readonly version: string;
  readonly report: Report;
}

/** A runtime. */
export interface Engine {
  /** The product, without its version. */
  readonly name: string;
  /** Tells it from the others. */
  readonly label: string;
  /** Runs the self-check in it. */
  run(program: Program): Promise<Run>;
}

const execute = promisify(execFile);
const installed = (...parts: string[]): string =>
  path.join(import.meta.dirname, 'engines', 'node_modules', ...parts);

// Deno gets no permission: the library needs none.
const DENO = ['run', '--no-config', '--no-lock', '--no-remote', '--no-prompt', '--node-modules-dir=manual'];

/** All of them, in the order of the table. */
export const ENGINES: readonly Engine[] = [
  program('Node', 'Node 20', installed('node20', 'bin', 'node')),
  program('Node', 'Node 22', installed('node22', 'bin', 'node')),
  program('Node', 'Node 24', installed('node24', 'bin', 'node')),
  program('Node', 'Node 26', installed('node26', 'bin', 'node')),
  program('Bun', 'Bun', installed('@oven', 'bun-linux-x64', 'bin', 'bun')),
  program('Deno', 'Deno', installed('@deno', 'linux-x64-glibc', 'deno'), DENO),
  { name: 'Chromium', label: 'Chromium', run: ({ bundle }) => runInChromium(bundle) },
  worker('workerd', []),
  // As workers were before August 2026, and still are if they ask: there is no `process`, as in a browser.
  worker('workerd without Node’s API', ['no_nodejs_compat', 'no_nodejs_compat_v2']),
];

// A runtime that is a program, and runs the library as it was installed, with nothing bundled.
function program(name: string, label: string, executable: string, args: readonly string[] = []): Engine {
  return {
    name,
    label,
    async run({ main }) {
      const version = await versionOf(executable);
      const { stdout } = await execute(executable, [...args, main], { maxBuffer: 16 * 1024 * 1024 });
      return { version, report: JSON.parse(stdout) as Report };
    },
  };
}

function worker(name: string, flags: readonly string[]): Engine {
  const workerd = installed('@cloudflare', 'workerd-linux-64', 'bin', 'workerd');
  return {
    name,
    label: name,
    run: async ({ bundle }) => ({
      version: await versionOf(workerd),
      report: await runInWorkerd(workerd, bundle, flags),
    }),
  };
}

async function versionOf(executable: string): Promise<string> {
  const { stdout } = await execute(executable, ['--version']);
  const version = /\d+(?:[.-]\d+)+/.exec(stdout)?.[0];
  if (version === undefined) throw new Error(`${executable} --version says no version`);
  return version;
}
