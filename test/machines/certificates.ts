/** The certificates of the machines, made as an administrator makes them. */

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { DEPLOY, ROOT } from './lab.ts';

const PASSPHRASE = 'of the tests';

/** Runs `certificates`: an authority of its own, and a folder for each machine. */
export async function issueCertificates(folder: string): Promise<void> {
  await runProgram([path.join(DEPLOY, 'certificates'), folder]);
}

/** Runs a command to its end, and gives what it said. Rejects if it failed. */
export async function runProgram([program = '', ...args]: readonly string[]): Promise<string> {
  const env = { ...process.env, MUNIMENT_PASSPHRASE: PASSPHRASE };
  return (await promisify(execFile)(program, args, { cwd: ROOT, env })).stdout;
}

/** A program of this repository, as `npm run` runs it. */
export function repositoryProgram(...args: readonly string[]): string[] {
  return [process.execPath, '-C', 'muniment-source', '--import', 'tsx', ...args];
}
