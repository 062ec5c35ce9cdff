/** A bundle in workerd: one worker, asked once over a socket of the loopback interface. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Report } from './self-check.ts';

/** The date whose behaviour the worker asks for: as of the workerd in the lock file. */
const COMPATIBILITY_DATE = '2026-11-01';

// An error is answered as text, since workerd shows no stack to the outside.
const WORKER = `import { run } from 'program';
export default {
  async fetch() {
    try {
      return Response.json(await run());
    } catch (error) {
      return new Response(String(error?.stack ?? error), { status: 500 });
    }
  },
};
`;

const config = (flags: readonly string[]): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    compatibilityDate = "${COMPATIBILITY_DATE}",
    compatibilityFlags = ${JSON.stringify(flags)},
    modules = [
      (name = "worker", esModule = embed "worker.js"),
      (name = "program", esModule = embed "program.js"),
    ],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;

/**
 * Runs a bundle in workerd.
 *
 * @param workerd - path of the program
 * @param bundle - text of a module that exports `run`
 * @param flags - compatibility flags, beside those that the date sets
 */
export async function runInWorkerd(
  workerd: string,
  bundle: string,
  flags: readonly string[],
): Promise<Report> {
  const folder = await mkdtemp(path.join(tmpdir(), 'muniment-workerd-'));
  const files = { 'config.capnp': config(flags), 'worker.js': WORKER, 'program.js': bundle };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const child = spawn(workerd, ['serve', '--control-fd=3', path.join(folder, 'config.capnp')], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  try {
    const port = await portFrom(child.stdio[3] as Readable);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Report;
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

// workerd says on the control descriptor, in one line of JSON, where it listens.
async function portFrom(control: Readable): Promise<number> {
  let said = '';
  for await (const chunk of control) {
    said += String(chunk);
    const port = /"event":"listen".*"port":(\d+)/.exec(said)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('workerd ended before it listened');
}
