/**
 * Full mutual TLS 1.3 handshakes on `node:tls`, both sides in this process: no socket, nothing resumed. Node gives a
 * server no way to make no tickets; these are kept on the server, which is the cheaper kind, and used by nobody.
 */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { constants, KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls';
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ED25519 = { name: 'Ed25519' };
const BANK = 'bank.example';
const DAY_MS = 86_400_000;

/** Certificates and contexts are made once; what comes back makes one connection after the other over this group. */
export async function mutualTls(group: 'X25519' | 'X25519MLKEM768'): Promise<() => Promise<void>> {
  const issue = await authority();
  const [bank, user] = [await issue(BANK), await issue('user.example')];
  const version = { minVersion: 'TLSv1.3', ecdhCurve: group } as const;
  const secureContext = createSecureContext({ ...user, ...version });
  // Not listening: it is handed its connections.
  const server = createServer({
    ...bank,
    ...version,
    requestCert: true,
    rejectUnauthorized: true,
    secureOptions: constants.SSL_OP_NO_TICKET,
  });

  const shakeHands = async (judge?: (client: TLSSocket) => void) => {
    const [near, far] = pair();
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    server.emit('connection', far);
    const client = connect({ socket: near, secureContext, servername: BANK });
    const [[peer]] = await Promise.all([accepted, once(client, 'secureConnect')]);
    if (!client.authorized || !peer.authorized) throw new Error('a side is not authenticated');
    judge?.(client);
    client.destroy();
    peer.destroy();
  };
  for (let connection = 0; connection < 2; connection += 1)
    await shakeHands((client) => judge(client, group));
  return () => shakeHands();
}

function judge(client: TLSSocket, group: string): void {
  const full = !client.isSessionReused() && client.getProtocol() === 'TLSv1.3';
  const { name } = client.getEphemeralKeyInfo() as { name?: string };
  if (!full || name !== group) throw new Error(`no full handshake over ${group}`);
}

interface Party {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** An authority, and what a party needs that it vouches for: Ed25519 throughout. */
async function authority(): Promise<(host: string) => Promise<Party>> {
  const generate = async () =>
    (await crypto.subtle.generateKey(ED25519, true, ['sign', 'verify'])) as CryptoKeyPair;
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
  const keys = await generate();
  const root = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=authority',
    keys,
    signingAlgorithm: ED25519,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
    ...validity,
  });
  return async (host) => {
    const own = await generate();
    const certificate = await X509CertificateGenerator.create({
      subject: `CN=${host}`,
      issuer: root.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ED25519,
      extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
      ...validity,
    });
    const key = KeyObject.from(own.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
    return { key, cert: certificate.toString('pem'), ca: root.toString('pem') };
  };
}

/** Two streams, each of which reads what the other writes: quicker than a socket. */
function pair(): [Duplex, Duplex] {
  const ends: [Duplex, Duplex] = [end(() => ends[1]), end(() => ends[0])];
  return ends;
}

function end(other: () => Duplex): Duplex {
  return new Duplex({
    read: () => undefined, // comes when the other end writes
    write(chunk, _encoding, done) {
      other().push(chunk);
      done();
    },
    final(done) {
      other().push(null);
      done();
    },
  });
}
