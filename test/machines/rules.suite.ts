/** The rules of deploy/three-machines, each file by itself and all together, with `check` run on each machine. */

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADDRESSES, DEPLOY, IPV6, Lab, MACHINES, OUTSIDE, UPLINK, type Machine } from './lab.ts';
import { FORBIDDEN, OPEN } from './paths.ts';
import { capture, countPackets } from './wire.ts';

let lab: Lab;
const at = (...names: string[]): string => path.join(lab.folder, ...names);

beforeAll(() => {
  lab = new Lab();
});

afterAll(() => lab.end());

describe('the rules', () => {
  interface Path {
    readonly verdict: string;
    readonly to: string;
  }

  // What `check` says, run on a machine.
  function check(machine: Machine): { status: number | null; paths: Path[] } {
    const addresses = ['--addresses', path.join(DEPLOY, 'three-machines.nft')];
    const outside = ['--outside', OUTSIDE.ipv4, '--outside6', OUTSIDE.ipv6];
    const { status, stdout } = lab.run(
      machine,
      path.join(DEPLOY, 'check'),
      machine,
      ...addresses,
      ...outside,
    );
    const lines = stdout.trim().split('\n').slice(0, -1);
    const paths = lines.map((line) => {
      const [, verdict = '', to = ''] = /^(\S+ \w+) (.+): (?:open|closed|unknown)/.exec(line) ?? [];
      return { verdict, to };
    });
    const tried = paths.map(({ to }) => to);
    expect(tried.sort(), stdout).toEqual([...OPEN[machine], ...FORBIDDEN[machine]].sort());
    return { status, paths };
  }

  const failed = (paths: readonly Path[]): string[] =>
    paths.filter(({ verdict }) => !verdict.startsWith('ok ')).map(({ to }) => to);

  it.each(MACHINES)('are needed: without them check finds every path from the %s open', (machine) => {
    lab.rules();
    const { status, paths } = check(machine);
    expect(status).toBe(1);
    expect(paths.filter(({ verdict }) => verdict === 'ok closed')).toEqual([]);
    expect(paths.filter(({ verdict }) => verdict === 'FAIL open')).toEqual([]);
  });

  it.each(MACHINES)('let the %s out to its neighbour only', (machine) => {
    lab.rules(...MACHINES);
    const { status, paths } = check(machine);
    expect({ status, failed: failed(paths) }).toEqual({ status: 0, failed: [] });
    const open = paths.filter(({ verdict }) => verdict === 'ok open').map(({ to }) => to);
    expect(open).toEqual(OPEN[machine]);
  });

  it.each(MACHINES)('of the %s hold it by themselves, whatever the others let in', (machine) => {
    lab.rules(machine);
    expect(failed(check(machine).paths)).toEqual([]);
  });

  // A datagram is gone once it is out; whoever is outside has no rules; to a multicast address a machine answers itself.
  it.each(MACHINES)('keep the %s out that has none itself', (machine) => {
    lab.rules(...MACHINES.filter((other) => other !== machine));
    const inside = failed(check(machine).paths).filter(
      (to) =>
        !to.startsWith('udp ') &&
        !to.includes(OUTSIDE.ipv4) &&
        !to.includes(OUTSIDE.ipv6) &&
        !to.includes('%'),
    );
    expect(inside).toEqual([]);
  });

  const silent = (machine: Machine | 'outside', to: string, port: string): boolean =>
    lab.run(machine, 'timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${to}/${port}`).status === 124;

  // Another machine on the same network, which has found the open port.
  it.each([
    ['client', 'front', '192.168.0.77', ADDRESSES.server_to_client, ADDRESSES.server_port],
    ['server', 'back', '192.168.1.77', ADDRESSES.database, ADDRESSES.database_port],
  ] as const)('let nobody in who is not the %s', (machine, wire, address, to, port) => {
    const other = ['ip', 'address', 'add', `${address}/24`, 'dev', wire];
    const under = (source: string): string[] => ['ip', 'route', 'replace', to, 'dev', wire, 'src', source];
    expect(lab.run(machine, ...other).status).toBe(0);
    expect(lab.run(machine, ...under(address)).status).toBe(0);
    lab.rules(...MACHINES.filter((one) => one !== machine));
    expect(silent(machine, to, port)).toBe(true);
    lab.rules();
    expect(silent(machine, to, port)).toBe(false);
    lab.rules(...MACHINES.filter((one) => one !== machine));
    expect(lab.run(machine, 'ip', 'route', 'delete', to, 'dev', wire).status).toBe(0);
    expect(lab.run(machine, 'ip', 'address', 'delete', `${address}/24`, 'dev', wire).status).toBe(0);
    expect(silent(machine, to, port)).toBe(false);
  });

  it.each([
    ['client', 'server', IPV6.server],
    ['server', 'database', IPV6.database],
    ['server', 'client', IPV6.client],
  ] as const)('let the %s not speak IPv6 to the %s', (from, to, address) => {
    lab.rules(to);
    expect(silent(from, address, ADDRESSES.server_port)).toBe(true);
    lab.rules(from);
    expect(silent(from, address, ADDRESSES.server_port)).toBe(true);
    lab.rules();
    expect(silent(from, address, ADDRESSES.server_port)).toBe(false);
  });

  // Its address could be stolen by whoever sits on another network of the database's machine.
  it("answer the server's address on its own wire only", async () => {
    const { server_to_database: server, database: third, database_port: port } = ADDRESSES;
    for (const command of [
      `address add ${server}/32 dev wide`,
      `route add ${third} via ${UPLINK.database} src ${server}`,
    ])
      expect(lab.run('outside', 'ip', ...command.split(' ')).status).toBe(0);
    const answers = async (file: string): Promise<number> => {
      const listening = await capture(lab, 'database', 'back', at(file));
      expect(silent('outside', third, port)).toBe(true);
      await listening.stop();
      return countPackets(at(file), `src ${third} and tcp src port ${port}`);
    };
    lab.rules(...MACHINES);
    expect(await answers('stolen.pcap')).toBe(0);
    lab.rules('client', 'server');
    expect(await answers('answered.pcap')).toBeGreaterThan(0);
  });
});
