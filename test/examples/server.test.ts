/** The reference bank as its operator and its users meet it: starting, refusing, archiving, stopping, coming back. */

import Database from 'better-sqlite3';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { KEM_XWING, systemRandom } from 'muniment/crypto';
import { verifyEvidence } from 'muniment/envelope';
import {
  createIdentity,
  createRoot,
  enrol,
  importKeys,
  openRoot,
  publishCompartments,
  renounceCredential,
  revokeCredential,
  signStatement,
  type GroupChange,
  type Identity,
} from 'muniment/keys';
import {
  accept,
  converse,
  initiate,
  MemoryReplayCache,
  clockWindow,
  respond,
  serve,
  splitMessages,
  type Binding,
} from 'muniment/protocol';
import { encodeSignedEntry, signEntry, verifyExport, type Head, type SignedEntry } from 'muniment/record';
import { definePolicy } from 'muniment/views';
import { toBase64url, tuple } from 'muniment/wire';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeView } from '../../examples/client/cli/show.ts';
import { BankClient, Refused } from '../../examples/client/bank.ts';
import { CLOCK, ConnectionError, type Connection, type Endpoint } from '../../examples/client/connection.ts';
import { fetchExport } from '../../examples/client/exporting.ts';
import { groupNames, lookUp, person, type People } from '../../examples/client/people.ts';
import { statedHead } from '../../examples/client/newest.ts';
import { readRecord } from '../../examples/client/reading.ts';
import {
  openDirectory,
  publishCompartmentsOf,
  publishGroupOf,
  publishNextEpochOf,
  register,
  renounce,
  revoke,
  rotateCompartmentsOf,
} from '../../examples/client/publishing.ts';
import {
  append,
  createRecord,
  sealDraft,
  statement,
  type RecordName,
  type Writing,
} from '../../examples/client/writing.ts';
import { createAuthority } from '../../examples/demo/authority.ts';
import { startServer, type RunningServer } from '../../examples/demo/server-process.ts';
import { createWorld, type World } from '../../examples/demo/world.ts';
import { meditrackPolicy } from '../../examples/policies/index.ts';
import { parseReply, parseRequest, writeText } from '../../examples/server/api.ts';
import { DIGESTS, OPENINGS, ruleFor } from '../../examples/server/rights.ts';
import { archive } from '../../examples/server/archive.ts';
import { Changes, PLAIN } from '../../examples/server/store/changes.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { openSqlite } from '../../examples/server/store/sqlite.ts';

const SECRET = 'a remark that only its readers may see';

let world: World;
let server: RunningServer;
let directory: RecordName;
let record: RecordName;

const configuration = (): string => path.join(path.dirname(world.serverFolder), 'server.json');
const dataFolder = (): string => path.join(world.serverFolder, 'data');

beforeAll(async () => {
  world = await createWorld(['cardiology', 'dermatology'], { store: 'sqlite' });
  ({ server } = world);
  const { administrator, ...users } = world.clients;
  directory = await openDirectory(administrator);
  const credentials = Object.values(users).map(({ user }) => user.credential);
  await register(administrator, directory, credentials);
  for (const keeper of [users.doctor, users.insurer, users.emergency]) {
    const { credential } = keeper.user;
    const group = { name: groupNames(credential)[0]!, kem: KEM_XWING, members: [credential] };
    await publishGroupOf(keeper, directory, group);
  }
  const names = ['personal', 'urgent', 'medical', 'financial'];
  await publishCompartmentsOf(users.patient, directory, {
    root: createRoot(),
    recordId: systemRandom(16),
    names,
  });
  record = await createRecord(users.doctor, 'patient-1');
});

afterAll(async () => {
  await server.stop();
  await world.end();
});

/** Where the clients find the server, which may have been started again on another port. */
function clientOf(role: keyof World['clients']): BankClient {
  const { user, trust, endpoint, memory } = world.clients[role];
  return new BankClient(user, trust, { ...endpoint, port: server.port }, memory);
}

async function restart(): Promise<void> {
  server = await startServer(configuration(), world.serverFolder);
}

/** A sealed document. */
async function sealed(client: BankClient): Promise<Writing> {
  const people = await lookUp(client, {
    subjects: ['patient-1'],
    groups: ['speciality:cardiology', 'insurer', 'emergency'],
  });
  const audience = {
    policy: definePolicy(meditrackPolicy),
    owner: people.compartments.get('patient-1')!,
    groups: people.groups,
    custodian: world.trust.bank,
  };
  const text = JSON.stringify({ patient: { bloodType: SECRET } });
  return sealDraft(client, audience, { type: 'record', annexes: [], toJson: () => text });
}

const headOf = (client: BankClient): Promise<Head> => statedHead(client, record.recordId);

/** A writing as an entry over a head. */
function signed(client: BankClient, writing: Writing, head: Head): Promise<SignedEntry> {
  return signEntry(client.user, head, {
    origin: client.trust.origin,
    recordId: record.recordId,
    chain: 'content',
    kind: writing.kind,
    time: Date.now(),
    payloadType: writing.payloadType,
    payloadDigest: writing.digest,
    seen: client.seen,
  });
}

/** The text of a request that appends one entry. */
function appendText(client: BankClient, entry: SignedEntry, id = systemRandom(16)): string {
  const entries = [{ entry: encodeSignedEntry(entry), attachments: [], annexes: [] }];
  const seenSize = client.seen?.size ?? 0;
  return writeText({ id, type: 'append', recordId: record.recordId, entries, seenSize });
}

/** Sends a text as it is, in a session of its own. */
async function send(client: BankClient, text: string, documents: Uint8Array[]): ReturnType<typeof parse> {
  const connection = await client.connect();
  try {
    const parties = { user: client.user, gateway: client.trust.bank };
    return await parse(connection.converse(parties, text, documents));
  } finally {
    await connection.close();
  }
}

async function parse(
  conversation: ReturnType<Connection['converse']>,
): Promise<ReturnType<typeof parseReply<'append'>>> {
  return parseReply('append', (await conversation).reply.data);
}

/** The code of the bank's signed refusal. */
async function refusalOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
  throw new Error('expected a refusal');
}

function query<Row>(sql: string, ...values: unknown[]): Row[] {
  const database = new Database(path.join(dataFolder(), 'bank.sqlite'), { readonly: true });
  try {
    return database.prepare(sql).all(...values) as Row[];
  } finally {
    database.close();
  }
}

describe('starting', () => {
  /** Starts the server on a configuration that cannot work, and gives its one line. */
  async function failure(file: string): Promise<string> {
    const main = fileURLToPath(new URL('../../examples/server/main.ts', import.meta.url));
    const args = ['-C', 'muniment-source', '--import', import.meta.resolve('tsx'), main, '--config', file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number];
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/^muniment-server: [^\n]+\n$/);
    return err.slice('muniment-server: '.length, -1);
  }

  function altered(name: string, alter: (config: Record<string, unknown>) => void): string {
    const config = JSON.parse(readFileSync(configuration(), 'utf8')) as Record<string, unknown>;
    config['dataFolder'] = path.join(path.dirname(configuration()), `data of ${name}`);
    alter(config);
    const file = path.join(path.dirname(configuration()), `${name}.json`);
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  it('ends with one line where the configuration is not JSON, or not one', async () => {
    const broken = path.join(path.dirname(configuration()), 'broken.json');
    writeFileSync(broken, '{"origin":');
    const wrong = altered('wrong', (config) => {
      config['port'] = 'all of them';
    });
    const inTheClear = altered('in the clear', (config) => {
      const role = { database: 'bank', user: 'bank', passwordFile: 'passphrase' };
      config['store'] = { engine: 'postgres', host: 'db.example', port: 5432, ...role, tls: null };
    });
    const files = [broken, `${broken}.not`, wrong, inTheClear];
    const lines = await Promise.all(files.map((file) => failure(file)));
    expect(lines[0]).toMatch(/cannot be read as JSON$/);
    expect(lines[1]).toMatch(/cannot be read as JSON$/);
    expect(lines[2]).toMatch(/is wrong at "port"/);
    expect(lines[3]).toMatch(
      /is wrong at "store.tls": needed unless the database server is on this machine$/,
    );
  });

  it('ends with one line where port, data folder or passphrase cannot be had', async () => {
    const taken = altered('taken', (config) => {
      config['port'] = server.port;
    });
    const unwritable = altered('unwritable', (config) => {
      config['dataFolder'] = path.join(configuration(), 'below a file');
    });
    const passphrase = altered('passphrase', (config) => {
      const identity = config['identity'] as Record<string, string>;
      identity['passphraseFile'] = path.basename(configuration());
    });
    const lines = await Promise.all([failure(taken), failure(unwritable), failure(passphrase)]);
    expect(lines[0]).toMatch(/the port is taken/);
    expect(lines[1]).toMatch(/the data folder or a file cannot be used: ENOTDIR/);
    expect(lines[2]).toMatch(/^KEY_PASSPHRASE: /);
  });
});

describe('who is let in', () => {
  const endpoint = (tls: Endpoint['tls']): Endpoint => ({ host: '127.0.0.1', port: server.port, tls });

  it("nobody without a certificate, or with another authority's", async () => {
    const { authority } = world.endpoint.tls;
    const other = await createAuthority('another authority');
    const { certificate, key } = await other.issue({ commonName: 'doctor-1', kind: 'client' });
    const { user, trust } = world.clients.doctor;
    for (const tls of [
      { certificate: '', key: '', authority },
      { certificate, key, authority },
    ]) {
      const client = new BankClient(user, trust, endpoint(tls));
      await expect(client.ask<'head'>({ type: 'head', recordId: record.recordId })).rejects.toThrow(
        ConnectionError,
      );
    }
  });

  it('not who is certified but not registered, and it learns so only after message 3', async () => {
    const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
    const profile = { subject: 'doctor-3', roles: ['doctor'], ...validity };
    const user = await enrol(world.clients.administrator.user, profile);
    const { certificate, key } = await world.authority.issue({ commonName: 'doctor-3', kind: 'client' });
    const tls = { certificate, key, authority: world.authority.certificate };
    const client = new BankClient(user, world.trust, endpoint(tls));
    const connection = await client.connect();
    const options = { binding: connection.binding(), clock: CLOCK };
    const { message } = initiate(user, world.trust.bank, options);
    const second = await connection.post('/session', message);
    await connection.close();
    const known = clientOf('doctor');
    const same = await known.connect();
    const first = initiate(known.user, world.trust.bank, { binding: same.binding(), clock: CLOCK });
    expect(second.length).toBe((await same.post('/session', first.message)).length);
    await same.close();
    expect(await refusalOf(client.ask<'head'>({ type: 'head', recordId: record.recordId }))).toBe(
      'SESSION_PEER',
    );
  });

  it('every failure before authentication has one and the same answer', async () => {
    const client = clientOf('doctor');
    const binding: Binding = { kind: 'tls-exporter', value: systemRandom(32) };
    const first = initiate(client.user, client.trust.bank, { binding, clock: CLOCK }).message;
    expect(await postRaw(client.endpoint, '/session', first)).toMatchObject({ status: 200 });
    const toAnother = initiate(client.user, world.clients.patient.user.credential, { binding, clock: CLOCK });
    const asked: [string, Uint8Array][] = [
      ['/session', new Uint8Array(0)],
      ['/session', systemRandom(5000)],
      ['/session', first], // replayed
      ['/session', toAnother.message],
      ['/session', first.map((byte, i) => (i === 3000 ? byte ^ 1 : byte))],
      ['/session', systemRandom(40_000)], // longer than a first message may be
      ['/request', new Uint8Array(0)],
      ['/request', systemRandom(5000)],
      ['/request', first],
    ];
    const answers = [];
    for (const [route, body] of asked) answers.push(await postRaw(client.endpoint, route, body));
    expect(answers[0]).toMatchObject({ status: 400, body: 'SESSION_MESSAGE' });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('a first message seen before a restart is not taken after it', async () => {
    const client = clientOf('doctor');
    const options = { binding: { kind: 'tls-exporter', value: systemRandom(32) }, clock: CLOCK } as const;
    const { message } = initiate(client.user, client.trust.bank, options);
    expect(await postRaw(client.endpoint, '/session', message)).toMatchObject({ status: 200 });
    await server.kill();
    await restart();
    const { endpoint: there } = clientOf('doctor');
    expect(await postRaw(there, '/session', message)).toMatchObject({ status: 400, body: 'SESSION_MESSAGE' });
    const another = initiate(client.user, client.trust.bank, options).message;
    expect(await postRaw(there, '/session', another)).toMatchObject({ status: 200 });
  });

  async function postRaw(to: Endpoint, route: string, body: Uint8Array): Promise<unknown> {
    const { certificate: cert, key, authority: ca } = to.tls;
    const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length };
    const { host, port } = to;
    const asking = httpsRequest({
      host,
      port,
      cert,
      key,
      ca,
      path: route,
      method: 'POST',
      headers,
      agent: false,
    });
    asking.end(body);
    const [response] = await once(asking, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const { date, ...others } = response.headers;
    expect(date).toBeDefined();
    return { status: response.statusCode, headers: others, body: Buffer.concat(chunks).toString() };
  }
});

describe('requests', () => {
  it('are in the archive, with evidence, when they are answered', async () => {
    const client = clientOf('doctor');
    const view = await readRecord(client, record.recordId, { purpose: 'of the test', releases: null });
    const [stored] = query<{ evidence: Uint8Array; reply: string | null }>(
      "SELECT evidence, reply FROM requests JOIN outcomes ON request = number WHERE type = 'read' ORDER BY number DESC LIMIT 1",
    );
    const { data } = verifyEvidence(new Uint8Array(stored!.evidence), {
      type: 'request',
      author: client.user.credential,
      to: client.trust.bank.id,
      answers: null,
      time: clockWindow(CLOCK.now()),
    });
    expect(parseRequest(data)).toMatchObject({
      type: 'read',
      recordId: view.recordId,
      purpose: 'of the test',
    });
  });

  it('asked twice happen once and are answered alike; another one under their id is refused', async () => {
    const client = clientOf('doctor');
    const writing = await sealed(client);
    const before = await headOf(client);
    const id = systemRandom(16);
    const text = appendText(client, await signed(client, writing, before), id);
    const once = await send(client, text, [writing.payload]);
    const twice = await send(client, text, [writing.payload]);
    expect(once).toHaveProperty('receipts');
    expect(twice).toEqual(once);
    expect((await headOf(client)).size).toBe(before.size + 1);
    const other = appendText(client, await signed(client, writing, await headOf(client)), id);
    expect(await send(client, other, [writing.payload])).toEqual({ refused: 'REQUEST_REUSED', head: null });
    expect((await headOf(client)).size).toBe(before.size + 1);
  });

  it('that are signed over an old head are refused with the new one, and signed again', async () => {
    const client = clientOf('doctor');
    const writing = await sealed(client);
    const old = await headOf(client);
    await append(client, record, [writing]);
    const stale = appendText(client, await signed(client, writing, old));
    const head = await headOf(client);
    expect(await send(client, stale, [writing.payload])).toEqual({ refused: 'RECORD_STALE', head });
  });

  it('of two writers at once all happen', async () => {
    const [first, second] = [clientOf('doctor'), clientOf('secondDoctor')];
    const before = (await headOf(first)).size;
    const writings = [await sealed(first), await sealed(first)];
    const others = [await sealed(second), await sealed(second)];
    const write = async (client: BankClient, list: Writing[]): Promise<void> => {
      for (const writing of list) await append(client, record, [writing]);
    };
    await Promise.all([write(first, writings), write(second, others)]);
    const view = await readRecord(clientOf('patient'), record.recordId, { purpose: 'own', releases: null });
    expect(view.chain).toHaveLength(before + 4);
    const authors = view.documents.slice(-4).map((document) => document.view.author.subject);
    expect(authors.sort()).toEqual(['doctor-1', 'doctor-1', 'doctor-2', 'doctor-2']);
  });

  it('that rotate a compartment or a group follow what stands there, or are refused', async () => {
    const client = clientOf('patient');
    const find = async (): Promise<People> =>
      lookUp(client, { subjects: ['patient-1'], groups: ['speciality:cardiology'] });
    const { compartments, groups } = await find();
    const [list, group] = [compartments.get('patient-1')!, groups.get('speciality:cardiology')!];
    const root = await openRoot(client.user, list);
    await rotateCompartmentsOf(client, directory, { root, compartments: list, names: ['medical'] });
    const keeper = clientOf('doctor');
    const staying = [keeper.user.credential];
    const change: GroupChange = { kem: KEM_XWING, staying, joining: [], leaving: [], history: 'no history' };
    await publishNextEpochOf(keeper, directory, group, change);
    const after = await find();
    expect(after.compartments.get('patient-1')).toMatchObject({ number: list.number + 1 });
    expect(after.groups.get('speciality:cardiology')).toMatchObject({ epoch: group.epoch + 1 });
    expect(after.histories.get('speciality:cardiology')?.epochs.length).toBe(group.epoch + 2);
    // In the same place once more, and behind a gap.
    const again = { root, compartments: list, names: ['urgent'] };
    expect(await refusalOf(rotateCompartmentsOf(client, directory, again))).toBe('RECORD_EXISTS');
    expect(await refusalOf(publishNextEpochOf(keeper, directory, group, change))).toBe('RECORD_EXISTS');
    const apart = { ...again, compartments: { ...list, number: list.number + 1 } };
    expect(await refusalOf(rotateCompartmentsOf(client, directory, apart))).toBe('KEY_SUCCESSION');
    const ahead = { ...group, epoch: group.epoch + 3 };
    expect(await refusalOf(publishNextEpochOf(keeper, directory, ahead, change))).toBe('KEY_SUCCESSION');
    // A client that has seen more than the bank now shows does not believe it.
    const seen = client.memory.seen;
    for (const [of, one] of [...seen]) seen.set(of, { ...one, number: one.number + 1 });
    for (const wanted of [{ subjects: ['patient-1'] }, { groups: ['speciality:cardiology'] }])
      await expect(lookUp(client, wanted)).rejects.toMatchObject({ code: 'KEY_SUCCESSION' });
    for (const [of, one] of [...seen]) seen.set(of, { ...one, number: one.number - 1 });
  });

  it('that contradict themselves are refused, and do not keep the server from starting', async () => {
    const client = clientOf('patient');
    const own = (await lookUp(client, { subjects: ['patient-1'] })).compartments.get('patient-1')!;
    const another = { root: createRoot(), recordId: systemRandom(16), names: ['personal'] };
    await expect(publishCompartments(client.user, another.root, another)).resolves.toBeDefined();
    expect(await refusalOf(publishCompartmentsOf(client, directory, another))).toMatch(
      /^RECORD_EXISTS|FORBIDDEN/,
    );
    const keeper = clientOf('doctor');
    const group = {
      name: 'speciality:cardiology',
      kem: KEM_XWING,
      members: [keeper.user.credential],
    };
    expect(await refusalOf(publishGroupOf(keeper, directory, group))).toBe('RECORD_EXISTS');
    const stranger = await enrol(world.clients.administrator.user, {
      subject: 'twice',
      roles: ['patient'],
      notBefore: Date.now() - 60_000,
      notAfter: Date.now() + 3_600_000,
    });
    const both = [stranger.credential, stranger.credential];
    expect(await refusalOf(register(clientOf('administrator'), directory, both))).toMatch(/^[A-Z_]+$/);
    expect((await lookUp(client, { subjects: ['twice'] })).credentials).toEqual([]);
    expect((await lookUp(client, { subjects: ['patient-1'] })).compartments.get('patient-1')).toEqual(own);
    expect(
      query('SELECT number FROM requests LEFT JOIN outcomes ON request = number WHERE reply IS NULL'),
    ).toEqual([]);
  });
});

describe('revocation', () => {
  const theft = () =>
    ({ reason: 'compromised', doubtfulFrom: Date.now() - 1000, revokedAt: Date.now() }) as const;

  /** A doctor who is registered, and has written into the record. */
  async function join(subject: string): Promise<BankClient> {
    const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
    const administrator = clientOf('administrator');
    const user = await enrol(administrator.user, { subject, roles: ['doctor'], ...validity });
    await register(administrator, directory, [user.credential]);
    const { certificate, key } = await world.authority.issue({ commonName: subject, kind: 'client' });
    const tls = { certificate, key, authority: world.authority.certificate };
    const client = new BankClient(user, world.trust, {
      ...world.clients.doctor.endpoint,
      port: server.port,
      tls,
    });
    await append(client, record, [await sealed(client)]);
    return client;
  }

  it('ends sessions and writing at once, begun or not; what was written before stays', async () => {
    const client = await join('doctor-4');
    const annex = { name: systemRandom(32), size: 16 };
    const may = { type: 'upload' as const, recordId: record.recordId, annexes: [annex] };
    const { capability } = (await client.ask<'upload'>(may)).reply;
    const right = { name: annex.name, capability };
    const writing = await sealed(client);
    const head = await headOf(client);
    const text = appendText(client, await signed(client, writing, head));
    const connection = await client.connect();
    const paths = ['/session', '/request'];
    const interrupted = converse(
      async (message) => {
        const next = paths.shift()!;
        if (next === '/request')
          await revoke(clientOf('administrator'), directory, client.user.credential, theft());
        return connection.post(next, message);
      },
      { user: client.user, gateway: client.trust.bank },
      { binding: connection.binding(), clock: CLOCK, data: text, documents: [writing.payload] },
    );
    expect(await parse(interrupted)).toEqual({ refused: 'KEY_REVOKED', head: null });
    await connection.close();
    expect(await refusalOf(headOf(client))).toBe('SESSION_PEER');
    expect(await refusalOf(append(client, record, [writing]))).toBe('SESSION_PEER');
    expect(await refusalOf(client.ask<'upload'>(may))).toBe('SESSION_PEER');
    const sending = await client.connect();
    await expect(sending.sendAnnex(right, 0, new Uint8Array(16))).rejects.toMatchObject({
      code: 'VIEW_ANNEX',
    });
    await sending.close();
    expect(await headOf(clientOf('doctor'))).toEqual(head);
    const view = await readRecord(clientOf('patient'), record.recordId, { purpose: 'own', releases: null });
    expect(view.documents.at(-1)!.view.author.subject).toBe('doctor-4');
    expect(view.broken).toEqual([]);
  });

  it('is told to whoever looks the subject up, so that nobody seals to it', async () => {
    const client = await join('doctor-5');
    const before = await lookUp(clientOf('patient'), { subjects: ['doctor-5', 'doctor-1'] });
    expect(person(before, 'doctor-5').id).toEqual(client.user.credential.id);
    await renounce(client, directory);
    expect(await refusalOf(headOf(client))).toBe('SESSION_PEER');
    const after = await lookUp(clientOf('patient'), { subjects: ['doctor-5', 'doctor-1'] });
    expect(() => person(after, 'doctor-5')).toThrow(/^KEY_REVOKED/);
    expect(person(after, 'doctor-1').subject).toBe('doctor-1');
  });

  it('is the issuer’s, or of one’s own key', async () => {
    const [doctor, administrator] = [clientOf('doctor'), clientOf('administrator')];
    const { credential } = clientOf('secondDoctor').user;
    const asIssuer = await revokeCredential(administrator.user, credential, theft());
    const own = await renounceCredential(clientOf('secondDoctor').user);
    const posed = await signStatement(doctor.user, tuple('revocation', credential.id, 'ceased', 0, 0));
    const posedOwn = await signStatement(doctor.user, tuple('renunciation', credential.id));
    for (const [client, kind, content, code] of [
      [doctor, 'revocation', asIssuer, 'RECORD_PAYLOAD'], // the administrator's to bring
      [doctor, 'renunciation', own, 'KEY_SIGNATURE'],
      [doctor, 'renunciation', posedOwn, 'WIRE_TUPLE'],
      [doctor, 'renunciation', posed, 'WIRE_TUPLE'],
      [administrator, 'revocation', posed, 'KEY_SIGNATURE'],
      [administrator, 'revocation', own, 'KEY_SIGNATURE'],
      [administrator, 'renunciation', own, 'RECORD_PAYLOAD'],
    ] as const)
      expect(await refusalOf(append(client, directory, [statement('revoke', kind, content)]))).toBe(code);
    const unknown = await enrol(administrator.user, {
      subject: 'nobody',
      roles: ['doctor'],
      notBefore: 0,
      notAfter: Date.now() + 3_600_000,
    });
    expect(await refusalOf(revoke(administrator, directory, unknown.credential, theft()))).toBe('FORBIDDEN');
    expect((await headOf(clientOf('secondDoctor'))).size).toBeGreaterThan(0);
  });

  it('is in an export, with its place in the log, and says which entries are in doubt', async () => {
    const client = await join('doctor-7');
    const stolen = {
      reason: 'compromised',
      doubtfulFrom: Date.now() - 60_000,
      revokedAt: Date.now(),
    } as const;
    await revoke(clientOf('administrator'), directory, client.user.credential, stolen);
    const patient = clientOf('patient');
    const text = await fetchExport(patient, record.recordId);
    const json = JSON.parse(text) as { charters: string[]; directory: { entries: object[] } };
    expect(json.charters).toEqual([toBase64url(world.trust.charter)]);
    expect(json.directory.entries).not.toEqual([]);
    const standing = async (exported: string): Promise<string> => {
      const { content } = await verifyExport(exported, {
        ...{ anchorId: world.trust.anchor.id, origin: world.trust.origin, witnesses: world.trust.witnesses },
        rule: ruleFor,
        ...{ digests: DIGESTS, openings: OPENINGS, renewalLogs: [] },
      });
      const { standing: found, entry } = content.at(-1)!;
      expect(entry.author.subject).toBe('doctor-7');
      return found;
    };
    expect(await standing(text)).toBe('doubtful');
    expect(await standing(JSON.stringify({ ...json, directory: null }))).toBe('valid');
    const view = await readRecord(patient, record.recordId, { purpose: 'in doubt', releases: null });
    const [creation] = view.chain;
    const last = view.documents.at(-1)!;
    expect([creation, last.entry]).toMatchObject([{ standing: 'valid' }, { standing: 'doubtful' }]);
    expect(last.entry.author.subject).toBe('doctor-7');
    const shown = describeView(view).split('\n');
    const doubted = shown.filter((line) => line.includes('IN DOUBT'));
    expect(doubted).toHaveLength(view.documents.filter(({ entry }) => entry.standing === 'doubtful').length);
  });

  it('comes before what was archived and not executed, for order decides; and it outlives a restart', async () => {
    const client = await join('doctor-6');
    const writing = await sealed(client);
    const before = await headOf(client);
    const text = appendText(client, await signed(client, writing, before));
    const { credential } = client.user;
    const terms = theft();
    await revoke(clientOf('administrator'), directory, credential, terms);
    // The same statement again is no error, and was heard when it was heard first.
    await revoke(clientOf('administrator'), directory, credential, terms);
    await server.kill();
    const engine = await openSqlite(dataFolder());
    await archiveOnly(engine, client, text, [writing.payload]);
    await engine.close();
    await restart();
    expect(await headOf(clientOf('doctor'))).toEqual(before);
    const [last] = query<{ reply: string }>(
      'SELECT reply FROM outcomes JOIN requests ON request = number WHERE author = ? ORDER BY number DESC',
      credential.id,
    );
    expect(JSON.parse(last!.reply)).toEqual({ refused: 'KEY_REVOKED', head: null });
    const { user, trust, endpoint } = client;
    const again = new BankClient(user, trust, { ...endpoint, port: server.port });
    expect(await refusalOf(headOf(again))).toBe('SESSION_PEER');
  });
});

describe('stopping', () => {
  it('on SIGTERM is clean: exit status 0, everything in the one database file, which opens', async () => {
    expect(await server.stop()).toBe(0);
    const wal = path.join(dataFolder(), 'bank.sqlite-wal');
    expect(existsSync(wal) ? statSync(wal).size : 0).toBe(0);
    expect(query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    await restart();
    expect((await headOf(clientOf('doctor'))).size).toBeGreaterThan(5);
  });

  it('between archive and execution loses nothing: it is completed at the next start, once', async () => {
    const client = clientOf('doctor');
    const writing = await sealed(client);
    const before = await headOf(client);
    const text = appendText(client, await signed(client, writing, before));
    await server.kill();
    const engine = await openSqlite(dataFolder());
    await archiveOnly(engine, client, text, [writing.payload]);
    await engine.close();
    await restart();
    await vi.waitFor(() => {
      const log = readFileSync(path.join(world.serverFolder, 'server.log'), 'utf8');
      expect(log).toMatch(/"event":"listening","port":\d+,"recovered":1/);
    });
    expect((await headOf(clientOf('doctor'))).size).toBe(before.size + 1);
    // Asked again, for the answer was lost: the receipts come, and nothing is written twice.
    expect(await send(clientOf('doctor'), text, [writing.payload])).toHaveProperty('receipts');
    expect((await headOf(clientOf('doctor'))).size).toBe(before.size + 1);
    await server.kill();
    await restart();
    expect((await headOf(clientOf('doctor'))).size).toBe(before.size + 1);
  });

  it('leaves no field of any record in the log', () => {
    const log = readFileSync(path.join(world.serverFolder, 'server.log'), 'utf8');
    expect(log).toContain('"event":"request"');
    expect(log).not.toContain(SECRET);
    expect(log).not.toContain(toBase64url(Buffer.from(SECRET)).slice(4, -4));
    for (const word of ['patient-1', 'bloodType', 'of the test']) expect(log).not.toContain(word);
  });
});

/** Plays the bank up to the archive, and dies. */
async function archiveOnly(
  engine: Engine,
  client: BankClient,
  text: string,
  documents: Uint8Array[],
): Promise<void> {
  const bank = await bankIdentity();
  const binding: Binding = { kind: 'tls-exporter', value: systemRandom(32) };
  const options = {
    binding,
    clock: CLOCK,
    replay: new MemoryReplayCache({ capacity: 100_000, floor: 0 }),
    validate: () => client.user.credential,
  };
  let state: Awaited<ReturnType<typeof respond>>['state'] | null = null;
  const receive = async (message: Uint8Array): Promise<Uint8Array> => {
    if (state === null) {
      const response = await respond(bank, message, options);
      ({ state } = response);
      return response.message;
    }
    const { third, request } = splitMessages(message);
    const service = await serve(await accept(state, third, binding), request, binding);
    if (!service.accepted) throw new Error('not accepted');
    const { request: envelope, documents: received, sessionId, evidence } = service;
    const incoming = {
      envelope,
      request: parseRequest(envelope.data),
      documents: received,
      sessionId,
      evidence,
    };
    await new Changes(engine, PLAIN).run((change) => archive(change, incoming));
    throw new Error('power cut');
  };
  const parties = { user: client.user, gateway: client.trust.bank };
  const question = { binding, clock: CLOCK, data: text, documents };
  await expect(converse(receive, parties, question)).rejects.toThrow('power cut');
}

async function bankIdentity(): Promise<Identity> {
  const at = (name: string): string => readFileSync(path.join(path.dirname(configuration()), name), 'utf8');
  return createIdentity(await importKeys(at('bank.keys'), at('passphrase')), world.trust.bank);
}
