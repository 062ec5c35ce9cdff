/** Revoked client certificates, with the real authority: who is let in, whose connection ends, and what is not taken. */

import { copyFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Revocations } from '../../examples/server/revocations.ts';
import { createAuthority } from '../../examples/demo/authority.ts';
import { converseOnce, TestBank } from './http-bank.ts';

const DAY = 86_400_000;
let bank: TestBank;

beforeAll(async () => {
  bank = await TestBank.start();
  await bank.certify('administrator');
});

afterAll(() => bank.end());

const crl = (): string => bank.at('authority', 'authority.crl');

/** Connects and waits for an answer, since TLS 1.3 tells a client of no refusal. The connection stays open. */
async function visit(name: string, session?: Buffer): Promise<{ socket: TLSSocket; ticket: Buffer }> {
  const { host, port, tls } = bank.endpoint(name);
  const socket = connect({
    ...{ host, port, cert: tls.certificate, key: tls.key, ca: tls.authority, servername: 'localhost' },
    ...(session && { session }),
  });
  let ticket = Buffer.alloc(0);
  socket.on('session', (given) => (ticket = given));
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nhost: bank\r\n\r\n');
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('close', () => reject(new Error('hung up')));
  });
  return { socket, ticket };
}

async function isLetIn(name: string, session?: Buffer): Promise<boolean> {
  try {
    (await visit(name, session)).socket.destroy();
    return true;
  } catch {
    return false;
  }
}

async function ready(): Promise<{
  status: number;
  checks: Record<string, { ok: boolean; note: string | null }>;
}> {
  const response = await fetch(`http://127.0.0.1:${String(bank.ports.operations)}/readyz`);
  const { checks } = (await response.json()) as {
    checks: Record<string, { ok: boolean; note: string | null }>;
  };
  return { status: response.status, checks };
}

describe('a client whose certificate is revoked', () => {
  it('loses the connection that it has, gets no other, not by a ticket either; others go on', async () => {
    const serial = await bank.certify('thief');
    const honest = await visit('administrator');
    const thief = await visit('thief');
    const resumed = await visit('thief', thief.ticket);
    expect(resumed.socket.isSessionReused()).toBe(true);
    await bank.ca('revoke', serial, '--reason', 'keyCompromise');
    await bank.ca('crl');
    const closed = Promise.all([once(thief.socket, 'close'), once(resumed.socket, 'close')]);
    await bank.listeners.look();
    await closed;
    expect(honest.socket.destroyed).toBe(false);
    expect(bank.logged.join('')).toMatch(/"event":"revocations","until":"[^"]+","closed":2/);
    expect(await isLetIn('thief')).toBe(false);
    expect(await isLetIn('thief', thief.ticket)).toBe(false);
    expect(await isLetIn('administrator')).toBe(true);
    await converseOnce(bank.clientOf(bank.administrator));
    honest.socket.destroy();
  });
});

describe('a file that is not good', () => {
  /** Puts something else in the file's place, lets the server look, and puts the good list back. */
  async function complaintOf(content: string): Promise<string[]> {
    copyFileSync(crl(), bank.at('kept.crl'));
    const before = bank.logged.length;
    writeFileSync(crl(), content);
    await bank.listeners.look();
    await bank.listeners.look();
    const lines = bank.logged.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>);
    copyFileSync(bank.at('kept.crl'), crl());
    await bank.listeners.look();
    return lines.filter(({ event }) => event === 'revocations not taken').map(({ code }) => String(code));
  }

  it('is not taken, and the log says so once; the list before goes on', async () => {
    const other = await TestBank.start();
    const foreign = other.read('authority', 'authority.crl');
    await other.end();
    const good = bank.read('authority', 'authority.crl');
    expect(await complaintOf('')).toEqual(['CRL_AUTHORITY']);
    expect(await complaintOf('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n')).toEqual([
      'CRL_FORM',
    ]);
    expect(await complaintOf(good.slice(0, good.length / 2))).toHaveLength(1);
    expect(await complaintOf(foreign)).toEqual(['CRL_AUTHORITY']);
    const flipped = good.replace(
      /(.)(.{20})\n-----END/,
      (_, one: string, rest: string) => `${one === 'A' ? 'B' : 'A'}${rest}\n-----END`,
    );
    expect(await complaintOf(flipped)).toEqual(['CRL_AUTHORITY']);
    expect(await isLetIn('thief')).toBe(false);
    expect(await isLetIn('administrator')).toBe(true);
  });

  it('is not taken if it is older than the one in use: nobody is let in again by it', async () => {
    const older = bank.read('authority', 'authority.crl');
    await bank.ca('crl');
    await bank.listeners.look();
    expect(await complaintOf(older)).toEqual(['CRL_OLDER']);
  });

  it('keeps a server from starting', async () => {
    const { certificate } = await createAuthority('another authority');
    await expect(new Revocations(crl(), certificate).look(Date.now())).rejects.toMatchObject({
      code: 'CRL_AUTHORITY',
    });
    await expect(new Revocations(bank.at('none'), certificate).look(Date.now())).rejects.toMatchObject({
      code: 'CRL_FILE',
    });
  });
});

describe('a list that ends', () => {
  it('is warned of two days ahead; when it has ended the server is not ready, until there is a newer one', async () => {
    await bank.ca('crl', '--days', '7');
    await bank.listeners.look();
    expect(await ready()).toMatchObject({ status: 200, checks: { revocations: { ok: true, note: null } } });
    bank.clock.ahead = 5.5 * DAY;
    await bank.listeners.look();
    expect(await ready()).toMatchObject({
      status: 200,
      checks: { revocations: { ok: true, note: /^warning: ends 2/ } },
    });
    const open = await visit('administrator');
    const closed = once(open.socket, 'close');
    bank.clock.ahead = 7.5 * DAY;
    await bank.listeners.look();
    await closed; // who was let in before may be revoked by now
    expect(await ready()).toMatchObject({
      status: 503,
      checks: { revocations: { ok: false, note: /^ended 2/ } },
    });
    const events = bank.logged.map((line) => (JSON.parse(line) as { event?: string }).event ?? '');
    expect(events.filter((event) => event.startsWith('revocations end'))).toEqual([
      'revocations end soon',
      'revocations ended: nobody is let in',
    ]);
    await bank.ca('crl', '--days', '30');
    await bank.listeners.look();
    expect(await ready()).toMatchObject({ status: 200 });
    bank.clock.ahead = 0;
  });
});
