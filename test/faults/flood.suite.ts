/**
 * A thousand handshakes that never end, a thousand sessions that are begun and left half open, a thousand slow headers and a thousand slow bodies,
 * each in turn, against a server process of its own: an honest client is served while they hang, and the process
 * stays under the bound that docs/operating.md states.
 */

import { initiate } from 'muniment/protocol';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BankClient } from '../../examples/client/bank.ts';
import { CLOCK, type Endpoint } from '../../examples/client/connection.ts';
import { startServer, type RunningServer } from '../../examples/demo/server-process.ts';
import { createWorld, type World } from '../../examples/demo/world.ts';
import { converseOnce } from '../examples/http-bank.ts';

const MANY = 1000;
/** What the process may grow by for each of them, in bytes; and in all. */
const EACH = 256 * 1024;
const BOUND = 512 * 1024 * 1024;

let world: World;
let server: RunningServer;
let operations: number;
const open: Socket[] = [];
const endpoints: Endpoint[] = [];

beforeAll(async () => {
  world = await createWorld(['cardiology', 'dermatology'], { store: 'sqlite' });
  await world.server.stop();
  const file = path.join(path.dirname(world.serverFolder), 'server.json');
  const configuration = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  // They shall all hang until they have been looked at, whatever the machine: so this server is more patient than others.
  const limits = {
    handshakeSeconds: 600,
    headerSeconds: 600,
    messageSeconds: 600,
    idleSeconds: 600,
    silentSeconds: 600,
  };
  writeFileSync(file, JSON.stringify({ ...configuration, limits, operations: { port: 0 } }));
  server = await startServer(file, world.serverFolder);
  operations = await vi.waitFor(announced, { timeout: 30_000 });
  for (let i = 0; i < 20; i++) {
    const { certificate, key } = await world.authority.issue({
      commonName: `attacker-${String(i)}`,
      kind: 'client',
    });
    const tls = { certificate, key, authority: world.authority.certificate };
    endpoints.push({ host: '127.0.0.1', port: server.port, tls });
  }
});

afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await expect.poll(() => gauge('muniment_connections'), { timeout: 60_000 }).toBe(0);
});

afterAll(async () => {
  await server.stop();
  await world.end();
});

/** Its output goes to the file a little later than the port is known. */
function announced(): number {
  const log = readFileSync(path.join(world.serverFolder, 'server.log'), 'utf8');
  const port = [...log.matchAll(/"operations":(\d+)/g)].at(-1)?.[1];
  if (port === undefined) throw new Error('not announced');
  return Number(port);
}

async function gauge(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${String(operations)}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** From four addresses, so that no limit of one address helps. */
const addressOf = (i: number): string => `127.0.0.${String(2 + (i % 4))}`;

function keep<Kind extends Socket>(socket: Kind): Kind {
  socket.on('error', () => undefined);
  open.push(socket);
  return socket;
}

async function tls(i: number): Promise<TLSSocket> {
  const { host, port, tls: own } = endpoints[i % endpoints.length]!;
  const options = {
    host,
    port,
    cert: own.certificate,
    key: own.key,
    ca: own.authority,
    localAddress: addressOf(i),
  };
  const socket = keep(connectTls({ ...options, servername: '' }));
  await once(socket, 'secureConnect');
  return socket;
}

/** Ten at a time. */
async function many(make: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < MANY; i += 10) await Promise.all(Array.from({ length: 10 }, (_, k) => make(i + k)));
}

async function served(): Promise<void> {
  const { user, trust, endpoint } = world.clients.administrator;
  await converseOnce(new BankClient(user, trust, { ...endpoint, port: server.port }));
}

const header = (route: string, length: number): string =>
  `POST ${route} HTTP/1.1\r\nhost: bank\r\ncontent-type: application/octet-stream\r\ncontent-length: ${String(length)}\r\n\r\n`;

const FLOODS: Readonly<Record<string, (i: number) => Promise<unknown>>> = {
  'handshakes that never end': async (i) => {
    const socket = keep(connectTcp({ host: '127.0.0.1', port: server.port, localAddress: addressOf(i) }));
    await once(socket, 'connect');
    socket.write(Buffer.from('1603010200010001fc0303', 'hex')); // a record that announces more than comes
  },
  'headers that never end': async (i) => {
    (await tls(i)).write('POST /session HTTP/1.1\r\nhost: bank\r\nx-slow: ');
  },
  'bodies that never end': async (i) => {
    const socket = await tls(i);
    socket.write(header('/request', 40_000_000));
    socket.write(Buffer.alloc(60_000)); // as much as each may send without asking for room
  },
  'half-open sessions': async (i) => {
    const socket = await tls(i);
    const value = new Uint8Array(
      socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
    );
    const { user, trust } = world.clients.doctor;
    const binding = { kind: 'tls-exporter', value } as const;
    const { message } = initiate(user, trust.bank, { binding, clock: CLOCK });
    socket.write(header('/session', message.length));
    socket.write(message);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (!answer.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error('not begun');
  },
};

describe.each(Object.entries(FLOODS))('a thousand %s', (name, begin) => {
  it('take memory under the bound, and an honest client is served while they hang', async () => {
    await served();
    const before = await gauge('process_resident_memory_bytes');
    await many(begin);
    await served();
    expect(open.filter(({ destroyed, readyState }) => !destroyed && readyState === 'open')).toHaveLength(
      MANY,
    );
    const [after, waiting] = [
      await gauge('process_resident_memory_bytes'),
      await gauge('muniment_sessions_half_open'),
    ];
    const grown = Math.round((after - before) / 1024);
    console.log(
      `${name}: ${String(Math.round(after / 1024 ** 2))} MiB resident, ${String(Math.round(grown / MANY))} KiB more for each, ${String(waiting)} sessions half open then`,
    );
    expect(after - before).toBeLessThan(EACH * MANY);
    expect(after).toBeLessThan(BOUND);
  });
});
