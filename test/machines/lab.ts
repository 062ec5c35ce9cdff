/**
 * The three machines of `deploy/three-machines` as network namespaces, with what the world around them could be at its
 * worst: each has a way to a network outside, each speaks IPv6, and the server's kernel forwards. So nothing but the
 * rules stands in anybody's way.
 */

import { execFileSync, spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The repository. */
export const ROOT = path.resolve(import.meta.dirname, '..', '..');
/** What is installed on the machines. */
export const DEPLOY = path.join(ROOT, 'deploy', 'three-machines');

/** One of the three. */
export type Machine = 'client' | 'server' | 'database';
/** All of them. */
export const MACHINES: readonly Machine[] = ['client', 'server', 'database'];

/** Somebody on the network outside, who would answer. */
export const OUTSIDE = { ipv4: '198.51.100.200', ipv6: 'fd00:9::200' };

/** The machines on the network outside. */
export const UPLINK: Readonly<Record<Machine, string>> = {
  client: '198.51.100.1',
  server: '198.51.100.2',
  database: '198.51.100.3',
};

/** The machines among themselves; the server on the network of the clients. */
export const IPV6: Readonly<Record<Machine, string>> = {
  client: 'fd00:1::10',
  server: 'fd00:1::100',
  database: 'fd00:2::1',
};

/** The addresses and ports that rules and `check` go by. */
export const ADDRESSES = Object.fromEntries(
  readFileSync(path.join(DEPLOY, 'three-machines.nft'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, value] = /^define (\w+) = ([\d.]+)/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value]];
    }),
) as Readonly<
  Record<
    'client' | 'server_to_client' | 'server_to_database' | 'database' | 'server_port' | 'database_port',
    string
  >
>;

/** Three machines and the networks between them. */
export class Lab {
  /** Everybody may enter it: PostgreSQL does not run as root. */
  readonly folder = mkdtempSync(path.join(tmpdir(), 'muniment-machines-'));
  readonly #prefix = `muniment-${String(process.pid)}-`;
  readonly #processes = new Set<ChildProcess>();

  constructor() {
    chmodSync(this.folder, 0o755);
    for (const name of [...MACHINES, 'outside']) ip('netns', 'add', this.#prefix + name);
    this.#wire('client', 'server', 'front');
    this.#wire('server', 'database', 'back');
    this.#in('outside', 'ip link add wide type bridge');
    for (const name of MACHINES) {
      this.#wire(name, 'outside', `up-${name}`);
      this.#in('outside', `ip link set up-${name} master wide`);
    }
    const { client, server_to_client: front, server_to_database: back, database } = ADDRESSES;
    this.#address('client', 'front', `${client}/24`, `${IPV6.client}/64`);
    this.#address('server', 'front', `${front}/24`, `${IPV6.server}/64`);
    this.#address('server', 'back', `${back}/24`, 'fd00:2::254/64');
    this.#address('database', 'back', `${database}/24`, `${IPV6.database}/64`);
    this.#address('outside', 'wide', `${OUTSIDE.ipv4}/24`, `${OUTSIDE.ipv6}/64`);
    for (const [i, name] of MACHINES.entries()) {
      this.#address(name, `up-${name}`, `${UPLINK[name]}/24`, `fd00:9::${String(i + 1)}/64`);
      this.#in(name, `ip route add default via ${OUTSIDE.ipv4}`);
    }
    this.#in('server', 'sysctl -q -w net.ipv4.ip_forward=1');
    this.#in('client', `ip route add 192.168.1.0/24 via ${front}`);
    this.#in('database', `ip route add 192.168.0.0/24 via ${back}`);
    for (const name of MACHINES) this.#settle(name);
  }

  /** A command that runs another one on a machine. */
  enter(machine: Machine | 'outside'): string[] {
    return ['ip', 'netns', 'exec', this.#prefix + machine];
  }

  /** Runs a command on a machine to its end. */
  run(machine: Machine | 'outside', ...command: string[]): SpawnSyncReturns<string> {
    const [first = '', ...args] = [...this.enter(machine), ...command];
    return spawnSync(first, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 });
  }

  /** Starts a command on a machine; it ends with the lab. */
  start(machine: Machine | 'outside', ...command: string[]): ChildProcess {
    const [first = '', ...args] = [...this.enter(machine), ...command];
    const child = spawn(first, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    return child;
  }

  /** Loads the very rules that are installed there, on these machines and on no other. */
  rules(...machines: readonly Machine[]): void {
    for (const name of MACHINES) {
      if (machines.includes(name)) this.#in(name, `nft -I ${DEPLOY} -f ${DEPLOY}/${name}/nftables.conf`);
      else this.#in(name, 'nft flush ruleset');
    }
  }

  /** Stops everything and removes it. */
  async end(): Promise<void> {
    const running = [...this.#processes].map((child) => ({ child, exited: once(child, 'exit') }));
    for (const { child } of running) child.kill('SIGINT');
    await Promise.all(running.map(({ exited }) => exited));
    for (const name of [...MACHINES, 'outside']) spawnSync('ip', ['netns', 'del', this.#prefix + name]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #wire(from: Machine, to: Machine | 'outside', name: string): void {
    const [near, far] = [this.#prefix + from, this.#prefix + to];
    ip('link', 'add', name, 'netns', near, 'type', 'veth', 'peer', 'name', name, 'netns', far);
  }

  #address(machine: Machine | 'outside', link: string, ipv4: string, ipv6: string): void {
    this.#in(machine, `ip address add ${ipv4} dev ${link}`);
    this.#in(machine, `ip address add ${ipv6} dev ${link} nodad`);
    for (const one of ['lo', link]) this.#in(machine, `ip link set ${one} up`);
    if (machine === 'outside') for (const name of MACHINES) this.#in(machine, `ip link set up-${name} up`);
  }

  // The kernel says up to a second later that a link is up, and `check` tries those that are.
  #settle(machine: Machine): void {
    const links = ['/sys/class/net/front', '/sys/class/net/back', `/sys/class/net/up-${machine}`];
    const all = `for link in ${links.join(' ')}; do [ ! -e "$link" ] || until grep -qx up "$link/operstate"; do sleep 0.05; done; done`;
    if (this.run(machine, 'timeout', '30', 'sh', '-c', all).status !== 0)
      throw new Error(`${machine}: its links do not come up`);
  }

  #in(machine: Machine | 'outside', command: string): void {
    const { status, stderr } = this.run(machine, ...command.split(' '));
    if (status !== 0) throw new Error(`${machine}: ${command}: ${stderr}`);
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
