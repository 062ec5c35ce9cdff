/** A small bank to be broken: its authority and users, four records with two writers each, and its server's process. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { createRoot, enrol, type Credential, type Identity } from 'muniment/keys';
import { definePolicy } from 'muniment/views';
import { BankClient } from '../../examples/client/bank.ts';
import type { Endpoint } from '../../examples/client/connection.ts';
import { groupNames, lookUp } from '../../examples/client/people.ts';
import {
  openDirectory,
  publishCompartmentsOf,
  publishGroupOf,
  register,
} from '../../examples/client/publishing.ts';
import { createRecord, sealDraft, type RecordName, type Writing } from '../../examples/client/writing.ts';
import { createWorld, type World } from '../../examples/demo/world.ts';
import { meditrackPolicy } from '../../examples/policies/index.ts';
import { freePort, type Account } from './postgres.ts';
import { bundleServer, ServerProcess } from './server.ts';

const DAY = 86_400_000;
const SUITE = { kem: KEM_X25519 };

/** Clients that write at once. */
export const WRITERS = 8;
const RECORDS = 4;

/** A record and who owns it. */
export interface Subject {
  readonly owner: BankClient;
  readonly record: RecordName;
}

/** Who writes into a record, and a document that is ready to be written into it again and again. */
export interface Author {
  readonly client: BankClient;
  readonly owner: BankClient;
  readonly record: RecordName;
  readonly document: Writing;
}

/** The bank. */
export interface TestBank {
  readonly world: World;
  readonly directory: RecordName;
  readonly subjects: readonly Subject[];
  readonly writers: readonly Author[];
  /** Everybody who may have written. */
  readonly credentials: readonly Credential[];
  readonly administrator: BankClient;
  /** Registers one more person. A server must run. */
  join(subject: string, roles: readonly string[]): Promise<BankClient>;
  readonly configuration: string;
  readonly port: number;
  readonly dataFolder: string;
  /** Starts a server process on the bank's port; its data may be in use by no other. */
  start(env?: Readonly<Record<string, string>>): ServerProcess;
  /** A configuration of its own for one more process. */
  configure(name: string, changes: Readonly<Record<string, unknown>>): string;
  /** Starts a process on another configuration. */
  startOn(configuration: string, env?: Readonly<Record<string, string>>): ServerProcess;
  end(): Promise<void>;
}

/**
 * Makes one; no server runs when it resolves.
 *
 * @param database - where PostgreSQL is; `null` for SQLite
 * @param dataFolder - where to keep what the bank keeps, if not in a folder of its own
 */
export async function createBank(
  database: (Account & { readonly password: string }) | null,
  dataFolder?: string,
): Promise<TestBank> {
  const world = await createWorld(['cardiology', 'dermatology'], {
    store: 'sqlite',
    kem: KEM_X25519,
    witnesses: 0,
  });
  await world.server.stop();
  const folder = path.dirname(world.serverFolder);
  const own = path.join(world.serverFolder, 'data');
  rmSync(own, { recursive: true });
  const port = await freePort();
  const written = JSON.parse(readFileSync(path.join(folder, 'server.json'), 'utf8')) as object;
  const configure = (name: string, changes: Readonly<Record<string, unknown>>): string => {
    const file = path.join(folder, `${name}.json`);
    const base = { ...written, port, dataFolder: dataFolder ?? own, store: storeIn(database) };
    writeFileSync(file, JSON.stringify({ ...base, ...changes }));
    return file;
  };
  writeFileSync(path.join(folder, 'store.password'), database?.password ?? '');
  const configuration = configure('server', {});
  mkdirSync(dataFolder ?? own, { recursive: true });
  const bundle = await bundleServer();
  const startOn = (file: string, env?: Readonly<Record<string, string>>): ServerProcess =>
    new ServerProcess(bundle, file, path.join(world.serverFolder, 'server.log'), env);
  const server = startOn(configuration);
  await server.ready;
  const people = await populate(world, port);
  await server.stop();
  return {
    ...{ world, configuration, port, configure, startOn, ...people },
    dataFolder: dataFolder ?? own,
    start: (env) => startOn(configuration, env),
    end: async () => {
      await world.end();
      rmSync(bundle, { force: true });
    },
  };
}

function storeIn(database: Account | null): object {
  if (database === null) return { engine: 'sqlite' };
  const { host, port, user } = database;
  const address = { host, port, user, database: 'postgres', passwordFile: 'store.password', tls: null };
  return { engine: 'postgres', ...address };
}

type Population = Pick<
  TestBank,
  'directory' | 'subjects' | 'writers' | 'credentials' | 'administrator' | 'join'
>;

async function populate(world: World, port: number): Promise<Population> {
  const { trust } = world;
  const validity = { notBefore: Date.now() - DAY, notAfter: Date.now() + 30 * DAY };
  const issuer = world.clients.administrator.user;
  const at = async (user: Identity): Promise<BankClient> => {
    const { subject } = user.credential;
    const { certificate, key } = await world.authority.issue({ commonName: subject, kind: 'client' });
    const tls = { certificate, key, authority: world.authority.certificate };
    return new BankClient(user, trust, { host: '127.0.0.1', port, tls } satisfies Endpoint);
  };
  const enrolled = async (subject: string, roles: readonly string[]): Promise<BankClient> =>
    at(await enrol(issuer, { subject, roles: [...roles], ...validity }, SUITE));
  const make = async (name: string, roles: readonly string[], count: number): Promise<BankClient[]> => {
    const made: BankClient[] = [];
    for (let i = 0; i < count; i++) made.push(await enrolled(`${name}-${String(i)}`, roles));
    return made;
  };
  const [owners, clients] = [
    await make('owner', ['patient'], RECORDS),
    await make('writer', ['doctor'], WRITERS),
  ];
  const administrator = await at(issuer);
  const keepers = [
    await at(world.clients.doctor.user),
    await at(world.clients.insurer.user),
    await at(world.clients.emergency.user),
  ];
  const users = [...owners, ...clients, ...keepers];
  const directory = await openDirectory(administrator);
  const credentials = users.map(({ user }) => user.credential);
  await register(administrator, directory, credentials);
  for (const keeper of keepers) {
    const { credential } = keeper.user;
    const group = { name: groupNames(credential)[0] ?? '', kem: KEM_X25519, members: [credential] };
    await publishGroupOf(keeper, directory, group);
  }
  const subjects: Subject[] = [];
  for (const [i, owner] of owners.entries())
    subjects.push(await open(owner, clients[i] ?? nobody(), directory));
  const writers: Author[] = [];
  for (const [i, client] of clients.entries())
    writers.push(await prepare(client, subjects[i % RECORDS] ?? nobody()));
  const join = async (subject: string, roles: readonly string[]): Promise<BankClient> => {
    const client = await enrolled(subject, roles);
    await register(administrator, directory, [client.user.credential]);
    return client;
  };
  const everybody = [...credentials, trust.bank, trust.anchor];
  return { directory, subjects, writers, credentials: everybody, administrator, join };
}

async function open(owner: BankClient, writer: BankClient, directory: RecordName): Promise<Subject> {
  const names = ['personal', 'urgent', 'medical', 'financial'];
  await publishCompartmentsOf(owner, directory, { root: createRoot(), recordId: systemRandom(16), names });
  return { owner, record: await createRecord(writer, owner.user.credential.subject) };
}

/** Seals a document that a client may write into a record. */
export async function prepare(client: BankClient, { owner, record }: Subject): Promise<Author> {
  const { subject } = owner.user.credential;
  const groups = ['speciality:cardiology', 'insurer', 'emergency'];
  const people = await lookUp(client, { subjects: [subject], groups });
  const audience = {
    policy: definePolicy(meditrackPolicy),
    owner: people.compartments.get(subject) ?? nobody(),
    groups: people.groups,
    custodian: client.trust.bank,
  };
  const text = JSON.stringify({ patient: { bloodType: 'A+' } });
  const document = await sealDraft(client, audience, { type: 'record', annexes: [], toJson: () => text });
  return { client, owner, record, document };
}

function nobody(): never {
  throw new RangeError('nobody of that name');
}
