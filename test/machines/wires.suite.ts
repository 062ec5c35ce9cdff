/** The demo's main job across the three machines, under their rules, with both wires listened to. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticRecord } from '../../examples/demo/patient.ts';
import { findPlaintext, SHORTEST } from '../../examples/demo/search.ts';
import { issueCertificates, repositoryProgram } from './certificates.ts';
import { startDatabase, type Database } from './database.ts';
import { ADDRESSES, DEPLOY, Lab, MACHINES, ROOT } from './lab.ts';
import { capture, countPackets, faultIn, flowsOf, type Flow } from './wire.ts';

let lab: Lab;
let database: Database;
const at = (...names: string[]): string => path.join(lab.folder, ...names);

beforeAll(async () => {
  lab = new Lab();
  await issueCertificates(at('certificates'));
  database = await startDatabase(lab, at('certificates', 'database'));
});

afterAll(() => lab.end());

describe('the wires', () => {
  /** What must not be seen: the record's values and names, who takes part and why, and what is said to the database. */
  const SECRETS = ((): string[] => {
    const demo = path.join(ROOT, 'examples', 'demo');
    const sources = readdirSync(demo, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(path.join(demo, file), 'utf8'))
      .join('');
    const purposes = [...sources.matchAll(/purpose: '([^']+)'/g)].map(([, purpose = '']) => purpose);
    const others = ['unconscious after a road accident', 'patient-1', 'doctor-1', 'insurer-1', 'emergency-1'];
    for (const text of others)
      if (!sources.includes(`'${text}'`)) throw new Error(`the demo says no more: ${text}`);
    const record = syntheticRecord().documents.flatMap((text) => leavesOf(JSON.parse(text)));
    const statements = ['insert into', 'pg_advisory_xact_lock', 'request_id'];
    return [...new Set([...record, ...purposes, ...others, ...statements])].filter(
      (text) => text.length >= SHORTEST,
    );
  })();

  function leavesOf(value: unknown): string[] {
    if (typeof value === 'string') return [value];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, inner]) => [name, ...leavesOf(inner)]);
  }

  const found = (flows: readonly Flow[]): string[] => [
    ...new Set(
      findPlaintext(
        SECRETS,
        flows.map(({ name, bytes }) => ({ name, bytes })),
      ).map(({ value }) => value),
    ),
  ];

  it('give away what is sent in the clear, so that the search can find something', async () => {
    lab.rules();
    const listening = await capture(lab, 'server', 'front', at('clear.pcap'));
    const script = `
      import { connect, createServer } from 'node:net';
      if (process.argv[1] === 'listen') createServer((socket) => socket.on('end', () => process.exit(0)).resume()).listen(12345, () => console.log('listening'));
      else connect(12345, '${ADDRESSES.server_to_client}').end(process.argv[2]);`;
    const listener = lab.start('server', process.execPath, '--input-type=module', '-e', script, 'listen');
    await new Promise((resolve) => listener.stdout?.once('data', resolve));
    const sent = lab.run(
      'client',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      'send',
      SECRETS.join('\n'),
    );
    expect(sent).toMatchObject({ status: 0 });
    const flows = flowsOf(await listening.stop());
    expect(found(flows).sort()).toEqual([...SECRETS].sort());
    expect(SECRETS.length).toBeGreaterThan(40);
    expect(flows.map(({ bytes }) => faultIn(bytes))).toEqual(['no record at 0']);
  });

  describe('while the demo plays the main job across the machines', () => {
    let front: Flow[] = [];
    let back: Flow[] = [];
    let report: { plaintextHits: number; attacks: { name: string; refused: boolean }[]; fields: number };

    beforeAll(async () => {
      lab.rules(...MACHINES);
      const listening = [
        await capture(lab, 'server', 'front', at('front.pcap')),
        await capture(lab, 'server', 'back', at('back.pcap')),
      ];
      report = JSON.parse(await playDemo()) as typeof report;
      await Promise.all(listening.map((one) => one.stop()));
      front = flowsOf(at('front.pcap'));
      back = flowsOf(at('back.pcap'));
    });

    async function playDemo(): Promise<string> {
      const { store } = JSON.parse(readFileSync(path.join(DEPLOY, 'server', 'server.json'), 'utf8')) as {
        store: object;
      };
      const file = (name: string): string => at('certificates', 'server', name);
      const tls = {
        authority: file('authority.crt'),
        certificate: file('store.crt'),
        key: file('store.key'),
      };
      const machines = {
        server: {
          enter: lab.enter('server'),
          ...{ host: ADDRESSES.server_to_client, port: Number(ADDRESSES.server_port) },
        },
        database: {
          store: { ...store, passwordFile: database.passwords.bank, tls },
          owner: {
            ...{ host: database.socket, port: Number(ADDRESSES.database_port), database: 'bank' },
            ...{ user: 'bank_owner', password: database.ownerPassword },
          },
          folder: database.folder,
        },
      };
      writeFileSync(at('machines.json'), JSON.stringify(machines));
      const demo = ['examples/demo/main.ts', '--json', '--machines', at('machines.json')];
      const child = lab.start('client', ...repositoryProgram(...demo));
      let [out, err] = ['', ''];
      child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
      child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
      const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
      expect({ status, err }).toEqual({ status: 0, err: '' });
      return out;
    }

    it('every step holds, every attack is refused, and neither machine has written a sealed text', () => {
      expect(report.fields).toBeGreaterThan(0);
      expect(report.plaintextHits).toBe(0);
      expect(report.attacks.length).toBeGreaterThanOrEqual(30);
      expect(report.attacks.filter(({ refused }) => !refused)).toEqual([]);
    });

    it('nothing passes but the two neighbours, each on its one port', () => {
      const {
        client,
        server_to_client,
        server_port,
        server_to_database,
        database: third,
        database_port,
      } = ADDRESSES;
      const between = (from: string, to: string, port: string): string =>
        `(src ${from} and dst ${to} and tcp dst port ${port}) or (src ${to} and dst ${from} and tcp src port ${port})`;
      for (const [file, allowed] of [
        ['front.pcap', between(client, server_to_client, server_port)],
        ['back.pcap', between(server_to_database, third, database_port)],
      ] as const) {
        expect(countPackets(at(file), allowed)).toBeGreaterThan(100);
        expect(countPackets(at(file), `not arp and not (${allowed})`)).toBe(0);
      }
    });

    it("between client and server there is nothing but TLS 1.3, from each connection's first byte to its last", () => {
      expect(front.length).toBeGreaterThan(100);
      expect(front.flatMap(({ name, bytes }) => faultIn(bytes)?.concat(' of ', name) ?? [])).toEqual([]);
    });

    it('between server and database there is nothing but TLS 1.3, once it has been asked for', () => {
      const port = Number(ADDRESSES.database_port);
      expect(back.length).toBeGreaterThan(1);
      // SSLRequest of PostgreSQL's protocol, and its one byte of consent.
      const [request, consent] = [Buffer.from('0000000804d2162f', 'hex'), Buffer.from('S')];
      const faults = back.flatMap(({ name, to, bytes }) => {
        const preamble = to === port ? request : consent;
        const begun = bytes.subarray(0, preamble.length).equals(preamble);
        const fault = begun ? faultIn(bytes.subarray(preamble.length)) : 'another beginning';
        return fault === null ? [] : [`${fault} of ${name}`];
      });
      expect(faults).toEqual([]);
    });

    it('no value or name of the record, nobody, no purpose and no statement can be read', () => {
      expect(found(front)).toEqual([]);
      expect(found(back)).toEqual([]);
    });
  });
});
