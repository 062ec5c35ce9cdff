import 'reflect-metadata';
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect, createServer, type SecureContextOptions, type Server } from 'node:tls';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  X509Certificate as Certificate,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
} from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AUTHORITY_DAYS,
  type Authority,
  createAuthority,
  encryptKey,
  type IssuedCertificate,
  LEAF_DAYS,
} from '../../examples/demo/authority.ts';

const DAY = 86_400_000;

let authority: Authority;
let other: Authority;
let bank: IssuedCertificate;
let server: Server;
/** How many clients any server has let in. */
let admitted = 0;

beforeAll(async () => {
  authority = await createAuthority('Demo authority');
  other = await createAuthority('Demo authority');
  bank = await authority.issue({ commonName: 'bank', kind: 'server' });
  server = await listen(bank);
});

afterAll(() => server.close());

/** A server that tells each client the common name it knows it by. */
async function listen(own: IssuedCertificate): Promise<Server> {
  const listening = createServer({
    cert: own.certificate,
    key: own.key,
    ca: authority.certificate,
    minVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: true,
  });
  listening.on('tlsClientError', () => undefined);
  listening.on('secureConnection', (socket) => {
    admitted++;
    socket.on('error', () => undefined);
    socket.end(JSON.stringify(socket.getPeerCertificate().subject));
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return listening;
}

interface Attempt extends SecureContextOptions {
  readonly to?: Server;
  readonly servername?: string;
}

/** What the server says; a rejection if the client refuses the server, or hears that it is refused. */
async function attempt({ to = server, servername = 'localhost', ...context }: Attempt): Promise<unknown> {
  const { port } = to.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, servername, ca: authority.certificate, ...context });
  try {
    const answer = await text(socket);
    // Node's server hangs up without a word where it refuses a certificate that it has received.
    if (answer === '') throw new Error('hung up');
    return JSON.parse(answer);
  } finally {
    socket.destroy();
  }
}

/** The server's side of a refusal: the client has no answer because it was not let in. */
async function expectNotAdmitted(own: IssuedCertificate): Promise<void> {
  const before = admitted;
  await expect(attempt({ cert: own.certificate, key: own.key })).rejects.toThrow(/hung up|ECONNRESET/);
  expect(admitted).toBe(before);
}

describe('TLS 1.3 with certificates on both sides', () => {
  test('a client of the authority gets in under its common name', async () => {
    const client = await authority.issue({ commonName: 'Dr. Ana Pérez', kind: 'client' });
    const subject = await attempt({ cert: client.certificate, key: client.key });
    expect(subject).toEqual({ CN: 'Dr. Ana Pérez' });
  });

  test('the server answers to its addresses as well as to its name', async () => {
    const client = await authority.issue({ commonName: 'client', kind: 'client' });
    const own = { cert: client.certificate, key: client.key };
    await expect(attempt({ ...own, servername: '' })).resolves.toEqual({ CN: 'client' });
    await expect(attempt({ ...own, servername: 'elsewhere.example' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('a client without a certificate is refused', async () => {
    const before = admitted;
    await expect(attempt({})).rejects.toMatchObject({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
    expect(admitted).toBe(before);
  });

  test('a client of another authority with the same name is refused', async () => {
    await expectNotAdmitted(await other.issue({ commonName: 'client', kind: 'client' }));
  });

  test('a server certificate is refused as a client certificate', async () => {
    await expectNotAdmitted(bank);
  });

  test('a client certificate is refused as a server certificate', async () => {
    const client = await authority.issue({ commonName: 'localhost', kind: 'client' });
    const imposter = await listen(client);
    const own = { cert: client.certificate, key: client.key };
    await expect(attempt({ ...own, to: imposter })).rejects.toMatchObject({ code: 'INVALID_PURPOSE' });
    imposter.close();
  });

  test('a server of another authority is refused by the client', async () => {
    const imposter = await listen(await other.issue({ commonName: 'bank', kind: 'server' }));
    await expect(attempt({ to: imposter })).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    imposter.close();
  });

  test('an encrypted key works with its passphrase', async () => {
    const client = await authority.issue({ commonName: 'client', kind: 'client' });
    const key = encryptKey(client.key, 'correct horse');
    const subject = await attempt({ cert: client.certificate, key, passphrase: 'correct horse' });
    expect(subject).toEqual({ CN: 'client' });
  });
});

describe('names', () => {
  test.each([
    'x,CN=admin',
    'x+CN=admin',
    'x/CN=admin',
    'x\\,CN=admin',
    '#0c0561646d696e',
    'x=1;"y"<z>',
    ' x ',
    '𝔛 é',
    'x'.repeat(64),
  ])('%j stays one common name', async (commonName) => {
    const client = await authority.issue({ commonName, kind: 'client' });
    const subject = await attempt({ cert: client.certificate, key: client.key });
    expect(subject).toEqual({ CN: commonName });
  });

  test.each(['', 'x'.repeat(65), 'x\0admin', 'x\nCN=admin'])('%j is refused', async (commonName) => {
    await expect(authority.issue({ commonName, kind: 'client' })).rejects.toThrow(RangeError);
    await expect(createAuthority(commonName)).rejects.toThrow(RangeError);
  });
});

describe('certificates', () => {
  test('say what RFC 5280 wants of an authority', () => {
    const certificate = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(true);
    expect(certificate.subject).toBe('CN=Demo authority');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    const parsed = new Certificate(authority.certificate);
    expect(parsed.getExtension(BasicConstraintsExtension)).toMatchObject({
      critical: true,
      ca: true,
      pathLength: 0,
    });
    expect(parsed.getExtension(KeyUsagesExtension)).toMatchObject({
      critical: true,
      usages: KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
    });
    expect(parsed.signatureAlgorithm).toMatchObject({ name: 'ECDSA', hash: { name: 'SHA-256' } });
  });

  test('say what RFC 5280 wants of a server', () => {
    const certificate = new X509Certificate(bank.certificate);
    const issuer = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(other.certificate))).toBe(false);
    expect(certificate.checkPrivateKey(createPrivateKey(bank.key))).toBe(true);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
  });

  test('link to the key of the authority', () => {
    const leaf = new Certificate(bank.certificate);
    const ca = new Certificate(authority.certificate);
    expect(leaf.getExtension(BasicConstraintsExtension)).toMatchObject({ critical: true, ca: false });
    expect(leaf.getExtension(KeyUsagesExtension)).toMatchObject({
      critical: true,
      usages: KeyUsageFlags.digitalSignature,
    });
    const own = leaf.getExtension(SubjectKeyIdentifierExtension)?.keyId;
    const issuer = ca.getExtension(SubjectKeyIdentifierExtension)?.keyId;
    expect(own).toMatch(/^[0-9a-f]{40}$/);
    expect(issuer).toMatch(/^[0-9a-f]{40}$/);
    expect(issuer).not.toBe(own);
    expect(leaf.getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(issuer);
  });

  test('name the hosts they were asked to name', async () => {
    const hosts = ['bank.example', '192.0.2.7'];
    const { certificate } = await authority.issue({ commonName: 'bank', kind: 'server', hosts });
    expect(new X509Certificate(certificate).subjectAltName).toBe('DNS:bank.example, IP Address:192.0.2.7');
    await expect(authority.issue({ commonName: 'client', kind: 'client', hosts })).rejects.toThrow(TypeError);
  });

  test('are valid from a little while ago for as long as asked', async () => {
    const lifetime = (pem: string) => {
      const { validFrom, validTo } = new X509Certificate(pem);
      return { age: Date.now() - Date.parse(validFrom), days: (Date.parse(validTo) - Date.now()) / DAY };
    };
    const week = await authority.issue({ commonName: 'client', kind: 'client', days: 7 });
    for (const [pem, days] of [
      [authority.certificate, AUTHORITY_DAYS],
      [bank.certificate, LEAF_DAYS],
      [week.certificate, 7],
    ] as const) {
      const { age, days: actual } = lifetime(pem);
      expect(age).toBeGreaterThan(299_000);
      expect(actual).toBeCloseTo(days, 1);
    }
    for (const days of [0, -1, NaN, AUTHORITY_DAYS + 1]) {
      await expect(authority.issue({ commonName: 'client', kind: 'client', days })).rejects.toThrow(
        RangeError,
      );
    }
  });

  test('have different positive serial numbers of 16 bytes', async () => {
    const issued = await Promise.all(
      Array.from({ length: 20 }, () => authority.issue({ commonName: 'client', kind: 'client' })),
    );
    const serials = issued.map(({ certificate }) => new X509Certificate(certificate).serialNumber);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(new Set(serials).size).toBe(serials.length);
  });
});

describe('encryptKey', () => {
  test('opens with its passphrase and with no other', async () => {
    const passphrase = randomUUID();
    const pem = encryptKey(bank.key, passphrase);
    expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    const opened = createPrivateKey({ key: pem, passphrase });
    expect(opened.export({ type: 'pkcs8', format: 'pem' })).toBe(bank.key);
    expect(() => createPrivateKey({ key: pem, passphrase: `${passphrase}.` })).toThrow();
    expect(() => createPrivateKey(pem)).toThrow();
  });

  test('refuses an empty passphrase', () => {
    expect(() => encryptKey(bank.key, '')).toThrow(RangeError);
  });
});
