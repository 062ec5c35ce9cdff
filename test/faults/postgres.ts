/** A PostgreSQL server of Debian's, in this test's hands: started, killed with all of its processes, stopped, started again. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migratePostgres, type PostgresAddress } from '../../examples/server/store/postgres.ts';

/** How long it may take to stop, in milliseconds. */
const STOP_PATIENCE = 30_000;
const CONNECT_PATIENCE = 10_000;
const PASSWORD = randomBytes(16).toString('hex');

/** How somebody connects. */
export type Account = PostgresAddress & {
  readonly host: string;
  readonly port: number;
  readonly user: string;
};

/** One PostgreSQL server. */
export class PostgresServer {
  readonly port: number;
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();

  private constructor(folder: string, port: number, env: Readonly<Record<string, string>>) {
    [this.folder, this.port, this.#env] = [folder, port, env];
  }

  /**
   * Makes an empty one with the bank's tables, and starts it.
   *
   * @param folder - does not exist yet, or is empty; who is PostgreSQL's user must get there
   * @param env - added to the environment of its processes
   */
  static async create(folder: string, env: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const server = new PostgresServer(folder, await freePort(), env);
    own(folder);
    const passwords = `${folder}.password`;
    writeFileSync(passwords, PASSWORD);
    own(passwords);
    run('initdb', [
      '-D',
      folder,
      '-U',
      'postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwords}`,
      '--locale=C',
      '-E',
      'UTF8',
      '--wal-segsize=1',
      '--no-sync',
    ]);
    appendFileSync(path.join(folder, 'postgresql.conf'), CONFIGURATION);
    await server.start();
    await server.query(`CREATE ROLE bank LOGIN PASSWORD '${PASSWORD}'`);
    await server.query(`CREATE ROLE copier LOGIN REPLICATION PASSWORD '${PASSWORD}'`);
    await migratePostgres(server.account('postgres'), 'bank');
    return server;
  }

  /** Makes a standby of another, which takes every commit before that one acknowledges it, and starts it. */
  static async createStandby(primary: PostgresServer, folder: string): Promise<PostgresServer> {
    const standby = new PostgresServer(folder, await freePort(), {});
    own(folder);
    const from = `host=127.0.0.1 port=${String(primary.port)} user=copier password=${PASSWORD}`;
    run('pg_basebackup', [
      '-D',
      folder,
      '-d',
      `${from} application_name=standby`,
      '-R',
      '-X',
      'stream',
      '--no-sync',
    ]);
    await standby.start();
    await primary.query(`ALTER SYSTEM SET synchronous_standby_names = 'standby'`);
    await primary.query('SELECT pg_reload_conf()');
    const synchronous = `SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`;
    while ((await primary.query(synchronous)).length === 0) await pause(50);
    return standby;
  }

  /** As the bank's server connects, or as who owns the tables. */
  account(user: 'bank' | 'postgres'): Account & { readonly password: string; readonly database: string } {
    return { host: '127.0.0.1', port: this.port, user, password: PASSWORD, database: 'postgres' };
  }

  /** Starts it; resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn(binary('postgres'), ['-D', this.folder, '-p', String(this.port), '-k', ''], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...this.#env },
      ...identity(),
    });
    this.#child = child;
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString('utf8')).slice(-4096)));
    const reap = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', reap);
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => {
        process.removeListener('exit', reap);
        resolve();
      });
    });
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`PostgreSQL ended: ${output.trim().split('\n').slice(-3).join(' | ')}`);
      if (await this.answers()) return;
      await pause(20);
    }
  }

  /** Whether it takes questions now. */
  async answers(): Promise<boolean> {
    try {
      await this.query('SELECT 1');
      return true;
    } catch {
      return false;
    }
  }

  /** Whether its first process runs. */
  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when its first process has ended. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** Ends all of its processes as a power cut would. */
  async kill(): Promise<void> {
    const children = childrenOf(this.#pid);
    this.#child?.kill('SIGKILL');
    for (const pid of children) signal(pid, 'SIGKILL');
    await this.#exited;
    while (children.some((pid) => isThere(pid))) await pause(5);
    rmSync(path.join(this.folder, 'postmaster.pid'), { force: true });
  }

  /** Kills one of the processes that serve connections, after which PostgreSQL ends all others and recovers. */
  killBackend(choose: (pids: readonly number[]) => number): void {
    const backends = childrenOf(this.#pid).filter((pid) => commandOf(pid).startsWith('postgres: bank '));
    if (backends.length > 0) signal(choose(backends), 'SIGKILL');
  }

  /** Halts all of its processes where they are, or lets them go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of [this.#pid, ...childrenOf(this.#pid)]) signal(pid, name);
  }

  /** Stops it: connections are closed at once, and everything is written. One that does not stop is killed. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGINT');
    const timer = setTimeout(() => void this.kill(), STOP_PATIENCE);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Makes a standby the primary. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote(true)');
  }

  /** Asks as the owner of the tables. */
  async query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ ...this.account('postgres'), connectionTimeoutMillis: CONNECT_PATIENCE });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  get #pid(): number {
    return this.#child?.pid ?? 0;
  }
}

/** Lends an empty one, which is removed afterwards. */
export async function withPostgres(
  work: (postgres: PostgresServer, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-faults-'));
  chmodSync(folder, 0o755); // if root runs this, PostgreSQL runs as somebody else
  const postgres = await PostgresServer.create(path.join(folder, 'data'));
  try {
    await work(postgres, folder);
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

// Nothing here weakens what a commit promises. Backends that were killed are cleared away at once. Before it recovers,
// PostgreSQL flushes what it finds: all of its disk in one go, and not each of a thousand files, which takes minutes where
// others use the disk too.
const CONFIGURATION = `
listen_addresses = '127.0.0.1'
max_connections = 60
shared_buffers = 32MB
max_wal_size = 64MB
wal_keep_size = 32MB
max_wal_senders = 4
log_min_messages = fatal
restart_after_crash = on
recovery_init_sync_method = syncfs
`;

/** A port that nobody has. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const at = server.address();
      server.close(() => {
        if (typeof at === 'object' && at !== null) resolve(at.port);
      });
    });
  });
}

/** Waits. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function binary(name: string): string {
  const versions = '/usr/lib/postgresql';
  const newest = readdirSync(versions)
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => b - a)[0];
  if (newest === undefined) throw new Error('PostgreSQL is not installed: npm run test:faults installs it');
  return path.join(versions, String(newest), 'bin', name);
}

// PostgreSQL does not run as root: then it is the user that Debian made for it.
function identity(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const of = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: of('-u'), gid: of('-g') };
}

function own(name: string): void {
  if (!name.endsWith('.password')) mkdirSync(name, { recursive: true, mode: 0o700 });
  const { uid, gid } = identity();
  if (uid !== undefined && gid !== undefined) chownSync(name, uid, gid);
}

function run(name: string, args: readonly string[]): void {
  execFileSync(binary(name), args, { stdio: ['ignore', 'ignore', 'inherit'], ...identity() });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}

function isThere(pid: number): boolean {
  try {
    const [, state = 'Z'] = /\) (.)/.exec(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')) ?? [];
    return state !== 'Z';
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // gone meanwhile
  }
}
