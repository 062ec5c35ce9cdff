/** What one client may take of the server, and that it never takes what others need. */

import { initiate } from 'muniment/protocol';
import { connect as connectTcp, type Socket } from 'node:net';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { CLOCK, Connection } from '../../examples/client/connection.ts';
import { networkOf } from '../../examples/server/http/address.ts';
import { listen, type BankEvent } from '../../examples/server/events.ts';
import type { Limits } from '../../examples/server/limits.ts';
import { converseOnce, TestBank } from './http-bank.ts';

const PIECE = new Uint8Array(65_536);
const LIMITS: Partial<Limits> = {
  connectionsPerAddress: 20,
  handshakeSeconds: 10,
  headerSeconds: 10,
  headerBytes: 4096,
  messageSeconds: 20,
  messageMegabytes: 4,
  messageMegabytesPerCertificate: 2,
  requestsPerCertificate: 60,
  firstMessagesPerCertificate: 30,
  halfOpen: 12,
  halfOpenPerCertificate: 5,
};
let bank: TestBank;
const heard: BankEvent[] = [];
let endListening: () => void;
const open: (Socket | TLSSocket)[] = [];

beforeAll(async () => {
  endListening = listen(({ event }) => heard.push(event));
  bank = await TestBank.start({ limits: LIMITS });
  for (const name of ['administrator', 'other', 'third', 'fourth']) await bank.certify(name);
});

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  heard.length = 0;
});

afterAll(async () => {
  endListening();
  await bank.end();
});

function tls(name: string, localAddress = '127.0.0.3'): TLSSocket {
  const { host, port, tls: own } = bank.endpoint(name);
  const socket = connectTls({
    ...{
      host,
      port,
      cert: own.certificate,
      key: own.key,
      ca: own.authority,
      servername: 'localhost',
      localAddress,
    },
  });
  socket.on('error', () => undefined);
  socket.setMaxListeners(0);
  socket.resume(); // else it would not hear of its end
  open.push(socket);
  return socket;
}

/** What comes back until the server hangs up or has answered. */
async function answerTo(socket: TLSSocket): Promise<string> {
  const [chunk] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean];
  return Buffer.isBuffer(chunk) ? chunk.toString('latin1') : '';
}

/** Resolves when the kernel has taken it; rejects when there is no connection any more. */
function written(socket: TLSSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

const post = (route: string, length: number, more = ''): string =>
  `POST ${route} HTTP/1.1\r\nhost: bank\r\ncontent-type: application/octet-stream\r\ncontent-length: ${String(length)}\r\n${more}\r\n`;

describe('connections', () => {
  it('of one address are so many at most, in their handshake or not; another address is served', async () => {
    const hanging = Array.from({ length: 30 }, () => {
      const socket = connectTcp({ host: '127.0.0.1', port: bank.ports.port, localAddress: '127.0.0.2' });
      socket.on('error', () => undefined);
      socket.resume(); // else it would not hear of its end
      open.push(socket);
      return socket;
    });
    const closed = new Set<Socket>();
    for (const socket of hanging) socket.once('close', () => closed.add(socket));
    await expect.poll(() => closed.size, { timeout: 30_000 }).toBe(10);
    const refused = { kind: 'connection refused', reason: 'address' };
    expect(heard.filter((event) => isDeepStrictEqual(event, refused))).toHaveLength(10);
    await converseOnce(bank.clientOf(bank.administrator));
    // And those of the first address end when their time for the handshake is over.
    await expect.poll(() => closed.size, { timeout: 60_000 }).toBe(30);
    const again = tls('other', '127.0.0.2');
    await once(again, 'secureConnect');
  });

  it('are counted by network where one client has a network', () => {
    expect(networkOf('203.0.113.7')).toBe('203.0.113.7');
    expect(networkOf('::ffff:203.0.113.7')).toBe('203.0.113.7');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8::9')).toBe('2001:db8:0:0::/64');
    expect(networkOf('2001:db8:1:2::')).toBe(networkOf('2001:db8:1:2:ffff::1'));
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
    expect(networkOf(undefined)).toBe('');
  });
});

async function heldBytes(): Promise<number> {
  const metrics = await fetch(`http://127.0.0.1:${String(bank.ports.operations)}/metrics`);
  return Number(/^muniment_message_bytes (\d+)$/m.exec(await metrics.text())?.[1]);
}

describe('who is slow', () => {
  it('with its header, or with its body, loses the connection', async () => {
    const header = tls('other');
    header.write('POST /session HTTP/1.1\r\nhost: b');
    const body = tls('other');
    body.write(`${post('/session', 1000)}half`);
    await Promise.all([once(header, 'close'), once(body, 'close')]);
  });

  it('to hear that it is refused is waited for, though not for ever, and not all that it sends is read', async () => {
    const socket = tls('other');
    const unread = (length: number): string =>
      post('/request', length).replace('application/octet-stream', 'text/plain');
    // Nothing breaks that is sent after the answer; when all of it was sent the connection serves again.
    socket.write(unread(10 * PIECE.length));
    expect(await answerTo(socket)).toMatch(/^HTTP\/1\.1 400 [^]*SESSION_MESSAGE$/);
    for (let i = 0; i < 10; i++) await written(socket, PIECE);
    socket.write(unread(1_000_000_000));
    expect(await answerTo(socket)).toMatch(/^HTTP\/1\.1 400 [^]*SESSION_MESSAGE$/);
    let taken = 0;
    const send = async (): Promise<never> => {
      for (; ; taken += PIECE.length) await written(socket, PIECE);
    };
    await expect(send()).rejects.toThrow();
    // What the server reads on, and what two kernels and two runtimes hold for it.
    expect(taken).toBeLessThan(100_000_000);
  });

  it('takes no memory that others need', async () => {
    // Three certificates, each with as much as it may hold, fill the whole; a small message needs none of it.
    const megabytes = (count: number): Buffer => Buffer.alloc(count * 1024 * 1024 + 65_536 - 10);
    const first = tls('other');
    first.write(post('/request', 5_000_000));
    first.write(megabytes(2));
    await expect.poll(heldBytes, { timeout: 15_000 }).toBe(2 * 1024 * 1024 - 10);
    const more = tls('other');
    more.write(post('/request', 5_000_000));
    more.write(megabytes(1));
    expect(await answerTo(more)).toMatch(/^HTTP\/1\.1 400 [^]*SESSION_MESSAGE$/);
    const second = tls('third');
    second.write(post('/request', 5_000_000));
    second.write(megabytes(2));
    await expect.poll(heldBytes, { timeout: 15_000 }).toBe(4 * 1024 * 1024 - 20);
    const full = tls('fourth');
    full.write(post('/request', 5_000_000));
    full.write(megabytes(1));
    expect(await answerTo(full)).toMatch(/^HTTP\/1\.1 400 [^]*SESSION_MESSAGE$/);
    await converseOnce(bank.clientOf(bank.administrator));
    expect(bank.logged.join('')).toContain('BODY_MEMORY');
    await Promise.all([first, second].map((socket) => once(socket, 'close')));
    // When they are gone their memory is free again.
    await expect.poll(heldBytes, { timeout: 30_000 }).toBe(0);
    const after = tls('fourth');
    after.write(post('/request', 1_100_000));
    after.write(Buffer.alloc(1_100_000));
    expect(await answerTo(after)).toMatch(/^HTTP\/1\.1 400 /);
    expect(bank.logged.at(-1)).not.toContain('BODY_MEMORY');
  });
});

describe('who says too much', () => {
  it('is refused for a header or a body beyond its limit, unread', async () => {
    const header = tls('other');
    header.write(post('/session', 0, `x-long: ${'x'.repeat(5000)}\r\n`));
    expect(await answerTo(header)).toMatch(/^HTTP\/1\.1 431 /);
    const body = tls('other');
    body.write(post('/session', 40_000));
    expect(await answerTo(body)).toMatch(/^HTTP\/1\.1 400 [^]*SESSION_MESSAGE$/);
    // Of a type that nobody reads, and so nobody counts.
    for (const type of ['text/plain', 'application/json']) {
      const other = tls('other');
      other.write(post('/request', 40_000_000).replace('application/octet-stream', type));
      expect(await answerTo(other)).toMatch(/^HTTP\/1\.1 400 [^]*SESSION_MESSAGE$/);
    }
  });
});

describe('who begins too much', () => {
  it('fills its own places for half-open sessions, and not the others’', async () => {
    const user = bank.administrator;
    const begin = async (name: string): Promise<boolean> => {
      const connection = await Connection.open(bank.endpoint(name));
      const { message } = initiate(user, bank.trust.bank, { binding: connection.binding(), clock: CLOCK });
      held.push(connection);
      return connection.post('/session', message).then(
        () => true,
        () => false,
      );
    };
    const held: Connection[] = [];
    const begun = [];
    for (let i = 0; i < 8; i++) begun.push(await begin('other'));
    expect(begun).toEqual([true, true, true, true, true, false, false, false]);
    await converseOnce(bank.clientOf(user));
    await Promise.all(held.map((connection) => connection.close()));
    // Whoever hangs up gives the places back.
    await expect.poll(() => begin('other'), { timeout: 30_000 }).toBe(true);
    await held.at(-1)!.close();
  });

  it('is told to wait, by its certificate; another certificate is served', async () => {
    const socket = tls('third');
    const ask = async (): Promise<string> => {
      socket.write(post('/session', 3) + 'abc');
      return answerTo(socket);
    };
    const answers = [];
    for (let i = 0; i < 62; i++) answers.push((await ask()).slice(9, 12));
    const limited = answers.indexOf('429');
    expect(limited).toBeGreaterThanOrEqual(28); // what this certificate asked for before counts too
    expect(limited).toBeLessThanOrEqual(30);
    expect(answers.slice(limited).every((status) => status === '429')).toBe(true);
    expect(await ask()).toMatch(/retry-after: \d+\r\n[^]*SESSION_MESSAGE$/);
    expect(heard).toContainEqual({ kind: 'rate exceeded', of: 'first messages' });
    expect(heard).toContainEqual({ kind: 'rate exceeded', of: 'certificate' });
    await converseOnce(bank.clientOf(bank.administrator));
  });
});
