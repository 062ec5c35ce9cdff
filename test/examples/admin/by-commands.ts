/** A bank that the operator's own commands found and run: its server a process, on either engine, its clock perhaps ahead. */

import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BankFolder } from '../../../examples/admin/bank-folder.ts';
import { run } from '../../../examples/admin/program.ts';
import type { BankClient } from '../../../examples/client/bank.ts';
import { startPostgres, type OwnPostgres } from '../../../examples/demo/postgres.ts';
import { startServer, type RunningServer } from '../../../examples/demo/server-process.ts';
import type { EngineName } from '../store/engines.ts';

export const PASSPHRASE = 'of a test';

/** What a command came to. */
export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one of the operator's commands. */
export async function admin(...args: string[]): Promise<Ran> {
  let [out, err] = ['', ''];
  const status = await run(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: { MUNIMENT_PASSPHRASE: PASSPHRASE },
  });
  return { status, out, err };
}

/** A bank that was founded. */
export class FoundedBank {
  readonly root: string;
  readonly folder: BankFolder;
  readonly #postgres: OwnPostgres | null;
  #server: RunningServer | null = null;

  private constructor(root: string, postgres: OwnPostgres | null) {
    this.root = root;
    this.#postgres = postgres;
    const env = { MUNIMENT_PASSPHRASE: PASSPHRASE };
    this.folder = new BankFolder(path.join(root, 'bank'), () => Promise.resolve(PASSPHRASE), env);
  }

  static async found(engine: EngineName, ...args: string[]): Promise<FoundedBank> {
    const root = mkdtempSync(path.join(tmpdir(), 'muniment-founded-'));
    chmodSync(root, 0o755); // if root runs this, PostgreSQL runs as somebody else
    const postgres = engine === 'postgres' ? await startPostgres(path.join(root, 'postgres')) : null;
    const bank = new FoundedBank(root, postgres);
    const place = ['--folder', bank.folder.path, '--port', String(await freePort())];
    await bank.done('init', ...place, '--origin', 'bank.example/records', ...args);
    if (postgres === null) return bank;
    const { host, port, database, user, password } = postgres.bank;
    writeFileSync(bank.folder.at('server', 'bank.password'), password);
    const store = {
      engine: 'postgres',
      host,
      port,
      database,
      user,
      passwordFile: 'bank.password',
      tls: null,
    };
    bank.configure((config) => ({ ...config, store }));
    return bank;
  }

  /** Runs a command in this bank's folder that has to work, and gives what it says. */
  async ok(command: string, ...args: string[]): Promise<string> {
    return this.done(command, '--folder', this.folder.path, ...args);
  }

  /** The same of one that may not. */
  run(command: string, ...args: string[]): Promise<Ran> {
    return admin(command, '--folder', this.folder.path, ...args);
  }

  /** Runs any command that has to work. */
  async done(...args: string[]): Promise<string> {
    const { status, out, err } = await admin(...args);
    if (status !== 0) throw new Error(`${args.join(' ')}: ${err}`);
    return out;
  }

  /** The whole check, which has to find nothing. */
  check(): Promise<string> {
    return this.done('check', '--config', this.folder.at('server', 'server.json'));
  }

  /** Changes the server's configuration, which it reads when it starts. */
  configure(change: (config: Record<string, unknown>) => Record<string, unknown>): void {
    const file = this.folder.at('server', 'server.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify(change(config)));
  }

  /** Works without one of its files, which is there again afterwards. */
  async without<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
    renameSync(file, `${file}.away`);
    try {
      return await work();
    } finally {
      renameSync(`${file}.away`, file);
    }
  }

  /** Starts the server, its clock so many milliseconds ahead. */
  async start(ahead = 0): Promise<void> {
    const clock = path.join(this.root, 'clock.mjs');
    writeFileSync(clock, `const { now } = Date;\nDate.now = () => now() + ${String(ahead)};\n`);
    const enter = ['env', `NODE_OPTIONS=--import=${pathToFileURL(clock).href}`];
    const log = path.join(this.root, 'log');
    mkdirSync(log, { recursive: true });
    this.#server = await startServer(this.folder.at('server', 'server.json'), log, enter);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
  }

  /** Works as a user whose wallet was made here. */
  async as<Result>(name: string, work: (client: BankClient) => Promise<Result>): Promise<Result> {
    const wallet = this.folder.user(name);
    try {
      return await wallet.use(work);
    } finally {
      wallet.close();
    }
  }

  async end(): Promise<void> {
    await this.stop();
    await this.#postgres?.stop();
    rmSync(this.root, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
