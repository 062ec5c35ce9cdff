/** The bank's server as the operating system sees it: a process that starts, is killed, or ends by itself. */

import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');
const START_DEADLINE = 60_000;

/** Folder of the server in one file, inside the package so that its dependencies are found. */
export const BUNDLES = path.join(ROOT, 'test/.faults');

/** Makes one file of the server: it is started hundreds of times, and starts in a quarter of the time. */
export async function bundleServer(): Promise<string> {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  const outfile = path.join(BUNDLES, `server-${String(process.pid)}.mjs`);
  await build({
    entryPoints: [path.join(ROOT, 'examples/server/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['muniment-source'],
    external: Object.keys({ ...dependencies, ...devDependencies }),
  });
  return outfile;
}

/** One server process. */
export class ServerProcess {
  readonly #child: ChildProcess;
  /** Resolves when it listens; rejects if it ended before. */
  readonly ready: Promise<void>;
  /** Its exit status, `null` if it was killed. */
  readonly exited: Promise<number | null>;
  #running = true;
  #output = '';

  /**
   * Starts it.
   *
   * @param log - takes what it prints
   * @param env - added to the environment
   */
  constructor(
    bundle: string,
    configuration: string,
    log: string,
    env: Readonly<Record<string, string>> = {},
  ) {
    const child = spawn(process.execPath, [bundle, '--config', configuration], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    const file = createWriteStream(log, { flags: 'a' });
    const reap = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', reap);
    this.exited = new Promise((resolve) => {
      child.once('exit', (status) => {
        this.#running = false;
        process.removeListener('exit', reap);
        file.end();
        resolve(status);
      });
    });
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(reap, START_DEADLINE);
      const take = (chunk: Buffer): void => {
        if (!file.writableEnded) file.write(chunk);
        this.#output = (this.#output + chunk.toString('utf8')).slice(-4096);
        if (!this.#output.includes('"event":"listening"')) return;
        clearTimeout(timer);
        resolve();
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      void this.exited.then((status) => {
        clearTimeout(timer);
        reject(new Error(`the server ended with ${String(status)}: ${this.lastLine}`));
      });
    });
    this.ready.catch(() => undefined); // whoever waits is told
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#running;
  }

  /** The last line that it printed. */
  get lastLine(): string {
    return this.#output.trim().split('\n').at(-1) ?? '';
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** Ends it cleanly. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.exited;
  }
}
