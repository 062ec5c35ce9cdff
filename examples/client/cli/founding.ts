/** Commands that found a bank and fill its directory. */

import { KEM_XWING, systemRandom } from 'muniment/crypto';
import {
  createRoot,
  enrol,
  exportKeys,
  INBOX,
  openGroup,
  verifyCredential,
  type Credential,
  type GroupChange,
  type GroupEpoch,
} from 'muniment/keys';
import { directoryId, logKeysOf, signCharter } from 'muniment/record';
import { equalBytes, toBase64url, toHex } from 'muniment/wire';
import path from 'node:path';
import { behcPolicy, fhirPolicy, meditrackPolicy } from '../../policies/index.ts';
import { definePolicy } from 'muniment/views';
import { createLogKeys, exportLogKeys } from '../../server/log-keys.ts';
import type { BankClient } from '../bank.ts';
import { lookUp, person } from '../people.ts';
import {
  openDirectory,
  publishCompartmentsOf,
  publishGroupOf,
  publishNextEpochOf,
  register,
} from '../publishing.ts';
import { type RecordName } from '../writing.ts';
import { CliError } from './error.ts';
import { readBytes, readText, refuseExisting, writeFolder } from './files.ts';
import { validFor, type Say } from './issuing.ts';
import { plainly } from './show.ts';
import type { Wallet } from './wallet.ts';

/** The policies by the names that commands know them by. */
export const POLICIES = { meditrack: meditrackPolicy, behc: behcPolicy, fhir: fhirPolicy } as const;
/** One of them. */
export type PolicyName = keyof typeof POLICIES;

const REVOCATIONS = 'authority.crl';

/** `bank-config`: the bank's identity and all that its server needs, in one folder. */
export async function bankConfig(
  wallet: Wallet,
  bank: {
    readonly out: string;
    readonly tls: string;
    readonly origin: string;
    readonly host: string;
    readonly port: number;
    readonly days: number;
    /** The list of revoked TLS certificates, in PEM; none where the authority keeps none. */
    readonly revocations?: string;
  },
  say: Say,
): Promise<void> {
  const { out, tls, origin, host, port, days, revocations } = bank;
  refuseExisting(out);
  const administrator = await wallet.administrator();
  const anchor = administrator.credential;
  const identity = await enrol(administrator, { subject: 'bank', roles: ['bank'], ...validFor(days) });
  const logKeys = createLogKeys();
  const log = logKeysOf({ origin, ...logKeys });
  const charter = await signCharter(administrator, { origin, bank: identity.credential.id, log });
  const passphrase = toBase64url(systemRandom(32));
  const authority = readText(path.join(tls, 'authority.crt'));
  const configuration = {
    origin,
    host,
    port,
    dataFolder: 'data',
    tls: {
      ...{ certificate: 'server.crt', key: 'server.key', clientAuthority: 'authority.crt' },
      ...(revocations !== undefined && { revocations: REVOCATIONS }),
    },
    identity: { keys: 'bank.keys', credential: 'bank.credential', passphraseFile: 'passphrase' },
    log: { keys: 'log.keys', charter: 'charter' },
    anchor: { credential: 'anchor.credential', id: toHex(anchor.id) },
  };
  const settings = {
    format: 'muniment settings 2',
    origin,
    host,
    port,
    directorySalt: toBase64url(systemRandom(32)),
    anchor: toBase64url(anchor.encoded),
    bank: toBase64url(identity.credential.encoded),
    charter: toBase64url(charter),
    witnesses: { keys: [], threshold: 0 }, // nobody watches a bank that has just been founded
    authority,
  };
  writeFolder(out, {
    'server.json': `${JSON.stringify(configuration, null, 2)}\n`,
    'settings.json': `${JSON.stringify(settings, null, 2)}\n`,
    'server.crt': readBytes(path.join(tls, 'server.crt')),
    'server.key': readBytes(path.join(tls, 'server.key')),
    'authority.crt': authority,
    ...(revocations !== undefined && { [REVOCATIONS]: revocations }),
    'bank.keys': await exportKeys(identity, passphrase),
    'bank.credential': identity.credential.encoded,
    'log.keys': await exportLogKeys(logKeys, passphrase),
    charter,
    'anchor.credential': anchor.encoded,
    passphrase: `${passphrase}\n`,
  });
  say(`${out}: start it with: npm run server -- --config ${path.join(out, 'server.json')}`);
  say(`give ${path.join(out, 'settings.json')} to every user; the rest of ${out} is the server's alone`);
}

/** `open-directory`. */
export async function openDirectoryOf(wallet: Wallet, say: Say): Promise<void> {
  await wallet.use((client) => openDirectory(client, wallet.settings().directorySalt));
  say("the bank's directory is open");
}

/** `register`. */
export async function registerUsers(wallet: Wallet, files: readonly string[], say: Say): Promise<void> {
  await wallet.use(async (client) => {
    const users = files.map((file) => verifyCredential(readBytes(file), client.trust.anchor, Date.now()));
    await register(client, directoryOf(wallet), users);
    for (const { subject } of users) say(`registered ${plainly(subject)}`);
  });
}

/** `publish-group`: founds a group, or begins its next epoch, with exactly these members. */
export async function publishMembers(
  wallet: Wallet,
  name: string,
  { members, history }: { readonly members: readonly string[]; readonly history: boolean },
  say: Say,
): Promise<void> {
  await wallet.use(async (client) => {
    if (!client.user.credential.roles.includes(`keeper:${name}`))
      throw new CliError(`that takes the role keeper:${plainly(name)}`);
    const people = await lookUp(client, { subjects: members, groups: [name] });
    const credentials = members.map((subject) => {
      if (!people.credentials.some((one) => one.subject === subject))
        throw new CliError(`${plainly(subject)} is not registered`);
      return person(people, subject);
    });
    const directory = directoryOf(wallet);
    const newest = people.groups.get(name);
    if (newest === undefined)
      await publishGroupOf(client, directory, { name, kem: KEM_XWING, members: credentials });
    else
      await publishNextEpochOf(
        client,
        directory,
        newest,
        await changeTo(client, newest, credentials, history),
      );
    const epoch = newest === undefined ? 0 : newest.epoch + 1;
    say(`published ${plainly(name)}, epoch ${epoch}: ${members.map(plainly).join(', ')}`);
  });
}

// Whoever has a new credential leaves under the old one and joins under the new.
async function changeTo(
  { user }: BankClient,
  newest: GroupEpoch,
  members: readonly Credential[],
  history: boolean,
): Promise<GroupChange> {
  const was = (id: Uint8Array): boolean => newest.members.some((one) => equalBytes(one.id, id));
  const stays = (id: Uint8Array): boolean => members.some((one) => equalBytes(one.id, id));
  const key = history ? await openGroup(user, newest) : 'no history';
  if (key === null) throw new CliError('who is no member has no history to hand on');
  return {
    kem: KEM_XWING,
    staying: members.filter(({ id }) => was(id)),
    joining: members.filter(({ id }) => !was(id)),
    leaving: newest.members.map(({ id }) => id).filter((id) => !stays(id)),
    history: key,
  };
}

/** `publish-compartments`: the keys to which a patient's record will be sealed, and the record's id. */
export async function publishOwnCompartments(wallet: Wallet, policy: PolicyName, say: Say): Promise<void> {
  // Every owner has an inbox without asking for it.
  const names = definePolicy(POLICIES[policy]).compartments.filter((name) => name !== INBOX);
  const recordId = systemRandom(16);
  await wallet.use((client) =>
    publishCompartmentsOf(client, directoryOf(wallet), { root: createRoot(), recordId, names }),
  );
  say(`record ${toHex(recordId)} will have the parts ${names.join(', ')}`);
  say('its root is sealed to your own key, and comes back from the bank whenever you need it');
}

/** The directory, whose salt is in the settings. */
export function directoryOf(wallet: Wallet): RecordName {
  const { origin, directorySalt: tagSalt } = wallet.settings();
  return { recordId: directoryId(origin), tagSalt };
}
