/** The real server in a process of its own. */

import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const START_DEADLINE = 120_000;
const STOP_DEADLINE = 10_000;

/** The server process. */
export interface RunningServer {
  readonly port: number;
  /** Stops it cleanly with SIGTERM, and resolves to its exit status. */
  stop(): Promise<number | null>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

/**
 * Starts the real server; its output goes into its folder, as do its temporary files.
 *
 * @param enter - a command that runs another one on the server's machine; nothing where the server is to run here
 */
export async function startServer(
  configuration: string,
  folder: string,
  enter: readonly string[] = [],
): Promise<RunningServer> {
  const main = fileURLToPath(new URL('../server/main.ts', import.meta.url));
  const log = path.join(folder, 'server.log');
  const temporary = path.join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const node = [
    '-C',
    'muniment-source',
    '--import',
    import.meta.resolve('tsx'),
    main,
    '--config',
    configuration,
  ];
  const [command, ...args] = [...enter, process.execPath, ...node] as [string, ...string[]];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const output = createWriteStream(log, { flags: 'a' });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  // A server must not outlive the demo that started it, however that ends.
  const reap = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', reap);
  void exited.then(() => process.removeListener('exit', reap));
  const port = await announcedPort(child, exited, log);
  return {
    port,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE);
      const status = await exited;
      clearTimeout(timer);
      return status;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function announcedPort(child: ChildProcess, exited: Promise<number | null>, log: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error('the server did not start in time'));
    }, START_DEADLINE);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const port = /"event":"listening","port":(\d+)/.exec(text)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
    void exited.then(() => {
      clearTimeout(timer);
      const last = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
      reject(new Error(`the server ended at once: ${last}`));
    });
  });
}
