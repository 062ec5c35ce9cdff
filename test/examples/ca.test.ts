/** The bank's certificate authority as its operator uses it, judged by TLS, by OpenSSL and by path validation. */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { PemConverter, X509Crl } from '@peculiar/x509';
import { execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../examples/admin/program.ts';
import { AuthorityFolder } from '../../examples/admin/ca/folder.ts';
import { verifyPath } from '../../examples/admin/path/verify.ts';
import { describeOpenSsl } from '../openssl.ts';
import { SLOW } from '../property.ts';

const PASSPHRASE = 'correct horse battery staple';
const SERIAL = /^[4-7][0-9a-f]{31}$/;

let folder: string;

const at = (...names: string[]): string => path.join(folder, ...names);
const read = (...names: string[]): string => readFileSync(at(...names), 'utf8');
const derOf = (pem: string): Uint8Array => new Uint8Array(PemConverter.decodeFirst(pem));

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process. */
async function ca(args: readonly string[], passphrase = PASSPHRASE, authority = 'authority'): Promise<Ran> {
  let [out, err] = ['', ''];
  const status = await run(['ca', '--folder', at(authority), ...args], {
    out: (line) => (out += line),
    err: (line) => (err += line),
    env: { MUNIMENT_PASSPHRASE: passphrase },
  });
  return { status, out, err };
}

/** The same, and it must succeed. */
async function done(...args: string[]): Promise<string> {
  const { status, out, err } = await ca(args);
  expect({ command: args[0], status, err }).toEqual({ command: args[0], status: 0, err: '' });
  return out;
}

/** One line that says this, with this exit status, and nothing else. */
function refusal(message: RegExp, status = 1): unknown {
  return { status, out: '', err: expect.stringMatching(new RegExp(`^${message.source}.*\n$`)) };
}

interface Row {
  readonly serial: string;
  readonly kind: string;
  readonly subject: string;
  readonly hosts: readonly string[];
  readonly until: string;
  readonly state: string;
}

async function list(): Promise<Row[]> {
  return JSON.parse(await done('list', '--json')) as Row[];
}

/** Issues a certificate for a client and gives its serial number; its files have the subject's name. */
async function client(subject: string, ...more: string[]): Promise<string> {
  await done('issue', 'client', subject, '--out', at(subject), ...more);
  return new X509Certificate(read(`${subject}.crt`)).serialNumber.toLowerCase();
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'muniment-ca-test-'));
  await done('init', '--name', 'Bank authority');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('init', () => {
  test('makes a root and a key that only the passphrase opens', async () => {
    const root = new X509Certificate(read('authority', 'authority.crt'));
    expect(root.subject).toBe('CN=Bank authority');
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    const pem = read('authority', 'authority.key');
    expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    const key = createPrivateKey({ key: pem, passphrase: PASSPHRASE });
    expect(createPublicKey(key).equals(root.publicKey)).toBe(true);
    expect(() => createPrivateKey({ key: pem, passphrase: 'wrong' })).toThrow();
    expect(statSync(at('authority', 'authority.key')).mode & 0o077).toBe(0);
    expect(await ca(['crl'], 'wrong')).toEqual(refusal(/muniment-admin: the passphrase does not open/));
  });

  test('replaces nothing', async () => {
    const before = read('authority', 'authority.key');
    expect(await ca(['init', '--name', 'x'])).toEqual(refusal(/muniment-admin: .* is there already/));
    expect(read('authority', 'authority.key')).toBe(before);
  });

  test('works as a process of its own, with its passphrase in a file', async () => {
    const main = fileURLToPath(new URL('../../examples/admin/main.ts', import.meta.url));
    writeFileSync(at('passphrase'), `${PASSPHRASE}\n`);
    const options = ['--passphrase-file', at('passphrase'), 'ca', '--folder', at('spawned')];
    const child = spawn(
      process.execPath,
      [
        '-C',
        'muniment-source',
        '--import',
        import.meta.resolve('tsx'),
        main,
        ...options,
        'init',
        '--name',
        'x',
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const printed = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect(printed).toEqual([expect.stringMatching(/^.*: authority x, until/), '', [0, null]]);
    expect(createPrivateKey({ key: read('spawned', 'authority.key'), passphrase: PASSPHRASE }).type).toBe(
      'private',
    );
  });
});

describe('issue', () => {
  test('a server, with its names and addresses', async () => {
    await done('issue', 'server', 'bank', '--host', 'bank.example', '10.0.0.1', '::1', '--out', at('names'));
    const certificate = new X509Certificate(read('names.crt'));
    expect(certificate.subjectAltName).toBe(
      'DNS:bank.example, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkPrivateKey(createPrivateKey(read('names.key')))).toBe(true);
    expect(statSync(at('names.key')).mode & 0o077).toBe(0);
  });

  test.each(['p256', 'ed25519'])('a client with a key of %s that is made here', async (type) => {
    const serial = await client(`made-${type}`, '--key-type', type);
    const certificate = new X509Certificate(read(`made-${type}.crt`));
    expect(serial).toMatch(SERIAL);
    expect(certificate.subject).toBe(`CN=made-${type}`);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.checkPrivateKey(createPrivateKey(read(`made-${type}.key`)))).toBe(true);
    expect(await list()).toContainEqual(expect.objectContaining({ serial, kind: 'client', state: 'valid' }));
  });

  test.each([
    [/muniment-admin: common name is empty or too long/, ['client', '']],
    [/muniment-admin: common name is empty or too long/, ['client', 'x'.repeat(65)]],
    [/muniment-admin: common name has a control character/, ['client', 'x\0y']],
    [/muniment-admin: host is neither/, ['server', 'x', '--host', 'a b']],
    [/muniment-admin: host is neither/, ['server', 'x', '--host', '*.example']],
    [/muniment-admin: the authority ends on \d{4}-\d\d-\d\d/, ['client', 'x', '--days', '3651']],
    [/muniment-admin: .* is not a certificate request in PEM/, ['client', 'x', '--csr', 'package.json']],
    [/muniment-admin: .* cannot be read/, ['client', 'x', '--csr', 'absent']],
  ])('refuses with %s', async (message, args) => {
    const before = await list();
    expect(await ca(['issue', ...args, '--out', at('refused')])).toEqual(refusal(message));
    expect(await list()).toEqual(before);
    expect(existsSync(at('refused.crt')) || existsSync(at('refused.key'))).toBe(false);
  });

  test.each([
    [/muniment-admin: --host is for servers only/, ['client', 'x', '--host', 'a']],
    [
      /muniment-admin: --key-type is for keys that are made here/,
      ['client', 'x', '--csr', 'x', '--key-type', 'p256'],
    ],
    [/error: .*Allowed choices are server, client/, ['robot', 'x']],
    [/error: .*a whole number/, ['client', 'x', '--days', '0']],
    [/error: .*Allowed choices are p256, ed25519/, ['client', 'x', '--key-type', 'rsa']],
  ])('is told how it is written: %s', async (message, args) => {
    expect(await ca(['issue', ...args, '--out', at('refused')])).toEqual(refusal(message, 2));
  });

  test('replaces no file, and issues nothing then', async () => {
    await client('twice');
    const before = await list();
    expect(await ca(['issue', 'client', 'twice', '--out', at('twice')])).toEqual(
      refusal(/muniment-admin: .*twice.crt is there already/),
    );
    rmSync(at('twice.crt'));
    expect(await ca(['issue', 'client', 'twice', '--out', at('twice')])).toEqual(
      refusal(/muniment-admin: .*twice.key is there already/),
    );
    expect(await list()).toEqual(before);
  });

  test('without an authority, or with the key of another one', async () => {
    expect(await ca(['list'], PASSPHRASE, 'nowhere')).toEqual(
      refusal(/muniment-admin: there is no authority in .*: `ca init` makes one/),
    );
    expect((await ca(['init', '--name', 'Bank authority'], PASSPHRASE, 'mixed')).status).toBe(0);
    writeFileSync(at('mixed', 'authority.key'), read('authority', 'authority.key'));
    expect(await ca(['crl'], PASSPHRASE, 'mixed')).toEqual(
      refusal(/muniment-admin: authority.key is not the key of authority.crt/),
    );
    expect(readdirSync(at('mixed')).sort()).toEqual(['authority.crt', 'authority.key']);
  });
});

describe('renew', () => {
  test('the same names and key, another serial number and end', async () => {
    const old = await client('renewed', '--days', '1');
    const before = new X509Certificate(read('renewed.crt'));
    await done('renew', old, '--out', at('renewed'), '--days', '30');
    const after = new X509Certificate(read('renewed.crt'));
    expect(after.subject).toBe(before.subject);
    expect(after.publicKey.equals(before.publicKey)).toBe(true);
    expect(after.serialNumber).not.toBe(before.serialNumber);
    // It begins five minutes in the past.
    expect(Date.parse(after.validTo) - Date.parse(after.validFrom)).toBe(30 * 86_400_000 + 300_000);
    expect((await list()).filter(({ subject }) => subject === 'renewed')).toHaveLength(2);
  });

  test('a server keeps its names', async () => {
    await done('issue', 'server', 'moved', '--host', 'a.example', '::2', '--out', at('moved'));
    const before = new X509Certificate(read('moved.crt'));
    await done('renew', before.serialNumber, '--out', at('moved-again'));
    const after = new X509Certificate(read('moved-again.crt'));
    expect(after.subjectAltName).toBe(before.subjectAltName);
    expect(after.keyUsage).toEqual(before.keyUsage);
  });

  test('nothing that is unknown or was revoked', async () => {
    const revoked = await client('gone');
    await done('revoke', revoked);
    for (const [serial, message] of [
      [revoked, /muniment-admin: the certificate [0-9a-f]{32} was revoked: issue a new one/],
      ['0'.repeat(32), /muniment-admin: no certificate 0{32} was issued/],
    ] as const)
      expect(await ca(['renew', serial, '--out', at('nothing')])).toEqual(refusal(message));
    expect(await ca(['renew', '../x', '--out', at('nothing')])).toEqual(
      refusal(/error: .*32 hexadecimal/, 2),
    );
    expect(existsSync(at('nothing.crt'))).toBe(false);
  });
});

describe('revoke and crl', () => {
  test('a list names what was revoked, when and why; its number grows', async () => {
    const [lost, left, kept] = [await client('lost'), await client('left'), await client('kept')];
    await done('crl', '--out', at('first.crl'));
    const before = Date.now() - 1000; // a list states whole seconds
    const out = await done('revoke', lost, '--reason', 'keyCompromise');
    const after = Date.now();
    expect(out).toBe(`revoked ${lost}, lost: now run \`ca crl\`\n`);
    await done('revoke', left.toUpperCase());
    await done('crl', '--days', '2', '--out', at('second.crl'));
    const [first, second] = [new X509Crl(read('first.crl')), new X509Crl(read('second.crl'))];
    expect(first.findRevoked(lost)).toBeNull();
    expect(second.findRevoked(lost)?.reason).toBe(1);
    expect(second.findRevoked(left)?.reason).toBeUndefined();
    expect(second.findRevoked(kept)).toBeNull();
    const revoked = second.findRevoked(lost)!.revocationDate.getTime();
    expect(revoked).toBeGreaterThan(before);
    expect(revoked).toBeLessThanOrEqual(after);
    expect(second.nextUpdate!.getTime() - second.thisUpdate.getTime()).toBe(2 * 86_400_000 + 300_000);
    expect(numberOf(second)).toBe(numberOf(first) + 1);
    expect(read('second.crl')).toBe(read('authority', 'authority.crl'));
    expect(await list()).toContainEqual(
      expect.objectContaining({ serial: lost, state: expect.stringMatching(/^revoked .* keyCompromise$/) }),
    );
  });

  test('says for how long a list is good, and when that is less long than before', async () => {
    const [first, second] = [await done('crl', '--days', '90'), await done('crl')];
    const until = / good for 90 days, until (\S+)T\S+\n$/.exec(first)![1]!;
    expect(second).toMatch(/ good for 7 days, until \S+\n/);
    expect(second).toContain(`\nthe list before was good until ${until}, this one ends sooner: `);
    expect(await done('crl', '--days', '8')).not.toContain('sooner');
    expect(await done('crl', '--days', '1')).toContain(' good for 1 day, ');
    writeFileSync(at('authority', 'authority.crl'), ''); // damaged: the next one takes its place
    expect(await done('crl')).not.toContain('sooner');
  });

  test('a revocation stands', async () => {
    const serial = await client('once');
    await done('revoke', serial, '--reason', 'superseded');
    expect(await ca(['revoke', serial, '--reason', 'keyCompromise'])).toEqual(
      refusal(/muniment-admin: the certificate [0-9a-f]{32} was revoked on/),
    );
    expect((await list()).find((row) => row.serial === serial)?.state).toMatch(/superseded$/);
    expect(await ca(['revoke', serial, '--reason', 'certificateHold'])).toEqual(
      refusal(/error: .*Allowed choices are unspecified/, 2),
    );
  });

  test('commands at the same time undo nothing of each other', async () => {
    const names = ['a', 'b', 'c', 'd'].map((name) => `together-${name}`);
    const serials = await Promise.all(names.map((name) => client(name)));
    await done('crl');
    const before = numberOf(new X509Crl(read('authority', 'authority.crl')));
    await Promise.all(
      serials.map(async (serial) => {
        await done('revoke', serial);
        await done('crl');
      }),
    );
    const newest = new X509Crl(read('authority', 'authority.crl'));
    expect(numberOf(newest)).toBe(before + serials.length);
    for (const serial of serials) expect(newest.findRevoked(serial)).not.toBeNull();
  });

  test('what a killed command left behind is not read', async () => {
    await done('revoke', await client('left-behind'));
    await done('crl');
    const before = await list();
    writeFileSync(at('authority', 'issued', `${'4'.repeat(32)}.crt.0.tmp`), '-----BEGIN');
    writeFileSync(at('authority', 'revoked', `${'4'.repeat(32)}.json.0.tmp`), '{');
    writeFileSync(at('authority', 'crl', '9999999999.crl.0.tmp'), '');
    expect(await list()).toEqual(before);
    await done('crl');
  });

  test('killed at any moment, commands leave an authority that works and knows all it gave out', async () => {
    const [admin, folderOf] = ['program.ts', 'ca/folder.ts'].map(
      (file) => new URL(`../../examples/admin/${file}`, import.meta.url).href,
    );
    expect((await ca(['init', '--name', 'x'], PASSPHRASE, 'killed')).status).toBe(0);
    const loop = `
      import { run } from ${JSON.stringify(admin)};
      import { AuthorityFolder } from ${JSON.stringify(folderOf)};
      const print = { out() {}, err: (line) => process.stderr.write(line), env: process.env };
      const folder = ${JSON.stringify(at('killed'))};
      const ca = (...args) => run(['ca', '--folder', folder, ...args], print);
      for (let at = 0; ; at++) {
        const out = ${JSON.stringify(at('given'))} + '/' + process.pid + '-' + at;
        await ca('issue', 'client', 'x', '--out', out);
        await ca('revoke', new AuthorityFolder(folder).serials().find((serial) =>
          !new AuthorityFolder(folder).revocations().has(serial)));
        await ca('crl');
        console.log('once more');
      }`;
    const kills = SLOW ? 20 : 1;
    for (let kill = 0; kill < kills; kill++) {
      const child = spawn(
        process.execPath,
        ['-C', 'muniment-source', '--import', import.meta.resolve('tsx'), '--input-type=module', '-e', loop],
        { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, MUNIMENT_PASSPHRASE: PASSPHRASE } },
      );
      await once(child.stdout, 'data');
      await setTimeout(Math.random() * 1500);
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    const listed = await ca(['list', '--json'], PASSPHRASE, 'killed');
    expect(listed.err).toBe('');
    const rows = JSON.parse(listed.out) as Row[];
    expect(rows.length).toBeGreaterThan(0);
    const given = readdirSync(at('given')).filter((name) => name.endsWith('.crt'));
    for (const name of given) {
      const { serialNumber } = new X509Certificate(read('given', name));
      expect(rows.map(({ serial }) => serial)).toContain(serialNumber.toLowerCase());
    }
    expect(await ca(['crl'], PASSPHRASE, 'killed')).toMatchObject({ status: 0, err: '' });
    const newest = new X509Crl(read('killed', 'authority.crl'));
    for (const { serial, state } of rows) expect(newest.findRevoked(serial) === null).toBe(state === 'valid');
  });

  test('what cannot be kept is not given, and what is damaged is said', async () => {
    expect((await ca(['init', '--name', 'x'], PASSPHRASE, 'broken')).status).toBe(0);
    writeFileSync(at('broken', 'issued'), '');
    const issued = await ca(['issue', 'client', 'x', '--out', at('lost-x')], PASSPHRASE, 'broken');
    expect(issued).toEqual(refusal(/muniment-admin: /));
    expect(existsSync(at('lost-x.crt')) || existsSync(at('lost-x.key'))).toBe(false);
    writeFileSync(at('broken', 'authority.crt'), 'x');
    expect(await ca(['list'], PASSPHRASE, 'broken')).toEqual(
      refusal(/muniment-admin: authority.crt of the authority is damaged/),
    );
  });

  test('a number is used once', async () => {
    await done('crl');
    const kept = new AuthorityFolder(at('authority'));
    const number = kept.newestCrl();
    expect(kept.addCrl(number, 'another')).toBe(false);
    expect(kept.showCrl()).toBe(read('authority', 'authority.crl'));
  });
});

function numberOf(crl: X509Crl): number {
  const value = Buffer.from(crl.getExtension('2.5.29.20')!.value);
  expect(value[0]).toBe(2); // INTEGER
  return value.readUIntBE(2, value[1]!);
}

describeOpenSsl('docs/administration.md', () => {
  test('its example runs as it stands', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const page = readFileSync(`${root}docs/administration.md`, 'utf8');
    const scripts = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script = '']) => script);
    const script = scripts.find((one) => one.includes('keyCompromise'))!;
    const printed = execFileSync('bash', ['-euc', script], {
      encoding: 'utf8',
      cwd: root,
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(printed).toMatch(/revoked \S+ keyCompromise {2}doctor-1\n/);
    expect(printed).toMatch(/doctor-2.crt: OK\n$/);
  });
});

describe('path validation', () => {
  test('accepts a client and refuses it once it is on the list', async () => {
    const serial = await client('judged');
    await done('crl');
    const path = [derOf(read('judged.crt'))];
    const anchor = derOf(read('authority', 'authority.crt'));
    const judge = (purpose: 'client' | 'server') =>
      verifyPath(path, {
        anchor,
        at: new Date(),
        crls: [derOf(read('authority', 'authority.crl'))],
        purpose,
      });
    const { certificate, authorities } = await judge('client');
    expect(certificate.subjectName.getField('CN')).toEqual(['judged']);
    expect(authorities.map(({ subject }) => subject)).toEqual(['CN=Bank authority']);
    await expect(judge('server')).rejects.toMatchObject({ code: 'PATH_USAGE' });
    await done('revoke', serial);
    await done('crl');
    await expect(judge('client')).rejects.toMatchObject({ code: 'PATH_REVOKED' });
  });
});

describe('TLS 1.3', () => {
  let server: Server;

  const context = () => ({
    cert: read('tls.crt'),
    key: read('tls.key'),
    ca: read('authority', 'authority.crt'),
    crl: read('authority', 'authority.crl'),
  });

  beforeAll(async () => {
    await done('issue', 'server', 'bank', '--out', at('tls'));
    await done('crl');
    server = createServer({
      ...context(),
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.on('tlsClientError', () => undefined);
    server.on('secureConnection', (socket) => {
      socket.on('error', () => undefined);
      socket.end(String(socket.getPeerCertificate().subject.CN));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });

  afterAll(() => server.close());

  interface Visit {
    readonly answer: string;
    readonly ticket: Buffer | null;
    readonly isResumed: boolean;
  }

  /** What the server says, and the ticket that it gives; a rejection if it hangs up. */
  async function visit(name: string, session?: Buffer): Promise<Visit> {
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      servername: 'localhost',
      ca: read('authority', 'authority.crt'),
      cert: read(`${name}.crt`),
      key: read(`${name}.key`),
      ...(session && { session }),
    });
    let ticket: Buffer | null = null;
    let isResumed = false;
    socket.on('secureConnect', () => (isResumed = socket.isSessionReused()));
    socket.on('session', (given) => (ticket = given));
    const answer = await text(socket).finally(() => socket.destroy());
    if (answer === '') throw new Error('hung up');
    return { answer, ticket, isResumed };
  }

  test.each(['p256', 'ed25519'])('lets a client with a key of %s in', async (type) => {
    await client(`tls-${type}`, '--key-type', type);
    expect((await visit(`tls-${type}`)).answer).toBe(`tls-${type}`);
  });

  test('a client that was revoked is refused from the next list on, with a ticket of before too', async () => {
    const serial = await client('thief');
    const { answer, ticket } = await visit('thief');
    expect(answer).toBe('thief');
    expect(await visit('thief', ticket!)).toMatchObject({ answer: 'thief', isResumed: true });
    await done('revoke', serial, '--reason', 'keyCompromise');
    await done('crl');
    server.setSecureContext(context());
    await expect(visit('thief')).rejects.toThrow(/hung up|ECONNRESET/);
    await expect(visit('thief', ticket!)).rejects.toThrow(/hung up|ECONNRESET/);
    await client('honest');
    expect((await visit('honest')).answer).toBe('honest');
  });
});

describeOpenSsl('openssl', () => {
  const openssl = (...args: string[]): string =>
    execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const verify = (name: string, purpose: string): string =>
    openssl(
      ...['verify', '-x509_strict', '-crl_check_all', '-purpose', purpose],
      ...['-CAfile', at('authority', 'authority.crt'), '-CRLfile', at('authority', 'authority.crl')],
      at(`${name}.crt`),
    );

  test('agrees on who is valid and who is revoked', async () => {
    await done('issue', 'server', 'bank', '--out', at('judged-server'));
    const serial = await client('judged-client');
    await done('crl');
    expect(verify('judged-server', 'sslserver')).toMatch(/: OK\n$/);
    expect(verify('judged-client', 'sslclient')).toMatch(/: OK\n$/);
    expect(() => verify('judged-client', 'sslserver')).toThrow(/unsuitable certificate purpose/);
    await done('revoke', serial);
    await done('crl');
    expect(() => verify('judged-client', 'sslclient')).toThrow(/certificate revoked/);
    expect(verify('judged-server', 'sslserver')).toMatch(/: OK\n$/);
  });

  test('verifies the list and opens the key', async () => {
    await done('crl');
    const list = openssl(
      ...['crl', '-noout', '-text', '-in', at('authority', 'authority.crl')],
      ...['-CAfile', at('authority', 'authority.crt')],
    );
    expect(list).toContain('X509v3 CRL Number');
    const text = openssl(
      ...['pkey', '-noout', '-text', '-passin', `pass:${PASSPHRASE}`],
      ...['-in', at('authority', 'authority.key')],
    );
    expect(text).toContain('prime256v1');
  });

  test.each([
    ['p256', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['ed25519', ['-newkey', 'ed25519']],
  ])('asks with a key of %s; of the request only the key is taken', async (type, key) => {
    const name = `asks-${type}`;
    openssl(
      'req',
      '-new',
      ...key,
      '-nodes',
      '-subj',
      '/CN=admin',
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.csr`),
    );
    await done('issue', 'client', name, '--csr', at(`${name}.csr`), '--out', at(name));
    const certificate = new X509Certificate(read(`${name}.crt`));
    expect(certificate.subject).toBe(`CN=${name}`);
    expect(certificate.checkPrivateKey(createPrivateKey(read(`${name}.key`)))).toBe(true);
    // And renewed for a key that another request brings.
    openssl(
      'req',
      '-new',
      '-newkey',
      'ed25519',
      '-nodes',
      '-subj',
      '/',
      '-keyout',
      at('next.key'),
      '-out',
      at('next.csr'),
    );
    await done('renew', certificate.serialNumber, '--csr', at('next.csr'), '--out', at('next'));
    expect(new X509Certificate(read('next.crt')).checkPrivateKey(createPrivateKey(read('next.key')))).toBe(
      true,
    );
  });

  test('asks in vain with an RSA key, and with a request that it did not sign', async () => {
    openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=x',
      '-keyout',
      at('rsa.key'),
      '-out',
      at('rsa.csr'),
    );
    expect(await ca(['issue', 'client', 'x', '--csr', at('rsa.csr'), '--out', at('rsa')])).toEqual(
      refusal(/muniment-admin: .* neither of P-256 nor of Ed25519/),
    );
    openssl(
      'req',
      '-new',
      '-newkey',
      'ed25519',
      '-nodes',
      '-subj',
      '/CN=x',
      '-keyout',
      at('x.key'),
      '-out',
      at('x.csr'),
    );
    const request = Buffer.from(derOf(read('x.csr')));
    request[request.length - 1]! ^= 1;
    writeFileSync(at('forged.csr'), PemConverter.encode(request, 'CERTIFICATE REQUEST'));
    expect(await ca(['issue', 'client', 'x', '--csr', at('forged.csr'), '--out', at('x')])).toEqual(
      refusal(/muniment-admin: .* is not signed with the key that it asks for/),
    );
  });
});
