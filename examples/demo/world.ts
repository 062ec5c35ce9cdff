/** The demo's world: a throw-away authority, identities, key files, and the real server in a process of its own. */

import { KEM_XWING, systemRandom, type KemId } from 'muniment/crypto';
import {
  answerChallenge,
  challengePossession,
  createAnchor,
  createIdentity,
  createKeys,
  enrol,
  exportKeys,
  issueCredential,
  requestCredential,
  type Identity,
  type IdentityKeys,
  type Profile,
  type SoftwareKeys,
} from 'muniment/keys';
import { formatNoteKey, logKeysOf, signCharter, type LogKeys, type WitnessPolicy } from 'muniment/record';
import { toHex } from 'muniment/wire';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BankClient } from '../client/bank.ts';
import type { Endpoint } from '../client/connection.ts';
import { trustIn, type Trust } from '../client/trust.ts';
import { createLogKeys, exportLogKeys } from '../server/log-keys.ts';
import type { Engine } from '../server/store/engine.ts';
import { serveWitness } from '../witness/http.ts';
import { LogWitness } from '../witness/witness.ts';
import { LOOPBACK_HOSTS } from '../admin/ca/profile.ts';
import { createAuthority, type Authority } from './authority.ts';
import type { Machines } from './machines.ts';
import { startPostgres, type OwnPostgres } from './postgres.ts';
import { startServer, type RunningServer } from './server-process.ts';

const ORIGIN = 'bank.demo.example/muniment';
const PASSPHRASE = 'demo only, thrown away in a minute';
const DAY = 86_400_000;
/** Where a server is that has no machine of its own. */
export const LOOPBACK = '127.0.0.1';

/** Everybody in the demo. */
export type Role =
  'administrator' | 'patient' | 'stranger' | 'doctor' | 'secondDoctor' | 'insurer' | 'emergency';

/** A world at work. */
export interface World {
  readonly clients: Readonly<Record<Role, BankClient>>;
  readonly trust: Trust;
  readonly endpoint: Endpoint;
  readonly specialities: readonly [string, string];
  readonly authority: Authority;
  readonly server: RunningServer;
  /** Everything that the server writes lies in here. */
  readonly serverFolder: string;
  /** The database server, if it is one of its own. */
  readonly postgres: Pick<OwnPostgres, 'owner'> | null;
  /** Where that writes, if it is on another machine. */
  readonly databaseFolder: string | null;
  /** Stops the server and removes everything. */
  end(): Promise<void>;
}

/** What a world may have otherwise than usual. */
export interface WorldOptions {
  readonly store: Engine['name'];
  /** The first doctor's keys, if they live elsewhere. */
  readonly doctor?: IdentityKeys | undefined;
  /** By which everybody else is reached; X-Wing if nothing is said. */
  readonly kem?: KemId;
  /** How many witnesses cosign, all of whom every client demands; two if nothing is said. */
  readonly witnesses?: number;
  /** The server's and the database's, if they are not this one. */
  readonly machines?: Machines | undefined;
}

/** Makes a world for two specialities. */
export async function createWorld(
  specialities: readonly [string, string],
  options: WorldOptions,
): Promise<World> {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-demo-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    return await populate(folder, specialities, options);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function populate(
  folder: string,
  specialities: readonly [string, string],
  { store, doctor, kem = KEM_XWING, witnesses: howMany = 2, machines }: WorldOptions,
): Promise<World> {
  const validity = { notBefore: Date.now() - DAY, notAfter: Date.now() + 30 * DAY };
  const administrator = await createAnchor(
    { subject: 'administrator', roles: ['administrator'], ...validity },
    { kem },
  );
  const make = (subject: string, ...roles: string[]): Promise<Identity & SoftwareKeys> =>
    enrol(administrator, { subject, roles, ...validity }, { kem });
  const makeDoctor = (subject: string, ...roles: string[]): Promise<Identity> =>
    doctor === undefined
      ? make(subject, ...roles)
      : enrolKeys(administrator, doctor, { subject, roles, ...validity });
  const [first, second] = specialities.map((name) => `speciality:${name}`) as [string, string];
  const bank = await make('bank', 'bank');
  const identities: Record<Role, Identity> = {
    administrator,
    patient: await make('patient-1', 'patient'),
    stranger: await make('patient-2', 'patient'),
    doctor: await makeDoctor('doctor-1', 'doctor', first, `keeper:${first}`),
    secondDoctor: await make('doctor-2', 'doctor', second, `keeper:${second}`),
    insurer: await make('insurer-1', 'insurer', 'keeper:insurer'),
    emergency: await make('emergency-1', 'emergency', 'keeper:emergency'),
  };

  const authority = await createAuthority('Demo authority');
  const serverFolder = path.join(folder, 'server');
  mkdirSync(serverFolder, { mode: 0o700 });
  const own =
    store === 'postgres' && machines === undefined ? await startPostgresIn(folder, serverFolder) : null;
  const logKeys = createLogKeys();
  const log = logKeysOf({ origin: ORIGIN, ...logKeys });
  const charter = await signCharter(administrator, { origin: ORIGIN, bank: bank.credential.id, log });
  const witnesses = await startWitnesses(folder, log, howMany);
  const configuration = await writeServerFiles(folder, serverFolder, {
    ...{ bank, administrator, authority, charter, postgres: own, machines },
    witnesses: witnesses.listed,
    logKeys: await exportLogKeys(logKeys, PASSPHRASE),
  });
  const server = await startServer(configuration, serverFolder, machines?.server.enter);

  const trust = trustIn({
    origin: ORIGIN,
    anchor: administrator.credential,
    bank: bank.credential,
    charter,
    witnesses: witnesses.policy,
  });
  const endpointOf = async (subject: string): Promise<Endpoint> => {
    const { certificate, key } = await authority.issue({ commonName: subject, kind: 'client' });
    return {
      host: machines?.server.host ?? LOOPBACK,
      port: server.port,
      tls: { certificate, key, authority: authority.certificate },
    };
  };
  const clients = {} as Record<Role, BankClient>;
  for (const [role, identity] of Object.entries(identities) as [Role, Identity][]) {
    clients[role] = new BankClient(identity, trust, await endpointOf(identity.credential.subject));
  }
  return {
    clients,
    trust,
    endpoint: clients.doctor.endpoint,
    specialities,
    authority,
    server,
    serverFolder,
    postgres: machines?.database ?? own,
    databaseFolder: machines?.database.folder ?? null,
    end: async () => {
      await server.stop();
      await own?.stop();
      witnesses.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Witnesses {
  /** As the server's configuration names them. */
  readonly listed: readonly { readonly url: string; readonly key: string }[];
  readonly policy: WitnessPolicy;
  close(): void;
}

// All of all: whoever is shown a history has the word of each that nobody is shown another one.
async function startWitnesses(folder: string, log: LogKeys, howMany: number): Promise<Witnesses> {
  const keys = Array.from({ length: howMany }, () => createKeys().signer);
  const witnesses = keys.map((signer, i) => {
    const file = path.join(folder, `witness-${String(i + 1)}.json`);
    const named = { name: `witness-${String(i + 1)}.demo.example`, signer };
    return new LogWitness(named, log, { file, now: Date.now });
  });
  const listening = await Promise.all(witnesses.map((witness) => serveWitness(witness)));
  return {
    listed: witnesses.map(({ key }, i) => ({ url: listening[i]?.url ?? '', key: formatNoteKey(key) })),
    policy: { witnesses: witnesses.map(({ key }) => key), threshold: witnesses.length },
    close: () => {
      for (const one of listening) one.close();
    },
  };
}

// The steps of issuing, for keys that are there already: the holder proves that it has them.
async function enrolKeys(administrator: Identity, keys: IdentityKeys, profile: Profile): Promise<Identity> {
  const { credential: issuer } = administrator;
  const request = await requestCredential(keys, profile);
  const { challenge, expected } = challengePossession(request, issuer);
  const answer = await answerChallenge(keys, request, challenge, issuer);
  const { roles, notBefore, notAfter } = profile;
  const terms = { roles, notBefore, notAfter, serial: systemRandom(16) };
  return createIdentity(keys, await issueCredential(administrator, request, { expected, answer }, terms));
}

async function writeServerFiles(
  folder: string,
  serverFolder: string,
  parts: {
    readonly bank: Identity & SoftwareKeys;
    readonly administrator: Identity;
    readonly authority: Authority;
    readonly charter: Uint8Array;
    readonly logKeys: string;
    readonly postgres: OwnPostgres | null;
    readonly witnesses: Witnesses['listed'];
    readonly machines: Machines | undefined;
  },
): Promise<string> {
  const { bank, administrator, authority, charter, logKeys, witnesses, postgres, machines } = parts;
  const { host, port } = machines?.server ?? { host: LOOPBACK, port: 0 };
  const { certificate, key } = await authority.issue({
    ...{ commonName: 'bank', kind: 'server' },
    hosts: [...new Set([...LOOPBACK_HOSTS, host])],
  });
  const files: Record<string, string | Uint8Array> = {
    'server.crt': certificate,
    'server.key': key,
    'authority.crt': authority.certificate,
    'bank.keys': await exportKeys(bank, PASSPHRASE),
    'bank.credential': bank.credential.encoded,
    'anchor.credential': administrator.credential.encoded,
    'log.keys': logKeys,
    charter,
    passphrase: PASSPHRASE,
    'store.password': postgres?.bank.password ?? '',
  };
  for (const [name, content] of Object.entries(files))
    writeFileSync(path.join(folder, name), content, { mode: 0o600 });
  const configuration = path.join(folder, 'server.json');
  writeFileSync(
    configuration,
    JSON.stringify({
      origin: ORIGIN,
      host,
      port,
      dataFolder: path.join(serverFolder, 'data'),
      store: machines?.database.store ?? (postgres === null ? { engine: 'sqlite' } : addressIn(postgres)),
      tls: { certificate: 'server.crt', key: 'server.key', clientAuthority: 'authority.crt' },
      identity: { keys: 'bank.keys', credential: 'bank.credential', passphraseFile: 'passphrase' },
      log: { keys: 'log.keys', charter: 'charter' },
      witnesses,
      anchor: { credential: 'anchor.credential', id: toHex(administrator.credential.id) },
    }),
  );
  return configuration;
}

// In the server's folder, so that what it writes is searched too; as root PostgreSQL is somebody else, who must get there.
function startPostgresIn(folder: string, serverFolder: string): Promise<OwnPostgres> {
  for (const above of [folder, serverFolder]) chmodSync(above, 0o711);
  return startPostgres(path.join(serverFolder, 'postgres'));
}

function addressIn({ bank: { host, port, database, user } }: OwnPostgres): object {
  return { engine: 'postgres', host, port, database, user, passwordFile: 'store.password', tls: null };
}
