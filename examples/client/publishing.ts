/** What users state in the bank's directory: who is who, groups and compartments, and which keys have ended. */

import { systemRandom } from 'muniment/crypto';
import {
  publishCompartments,
  publishGroup,
  publishNextEpoch,
  renounceCredential,
  revokeCredential,
  rotate,
  type Compartments,
  type Credential,
  type GroupChange,
  type GroupEpoch,
  type NodeSecret,
  type RevocationTerms,
} from 'muniment/keys';
import { CREATE, directoryId, encodeCreation } from 'muniment/record';
import type { BankClient } from './bank.ts';
import { append, statement, type RecordName } from './writing.ts';

/** The administrator opens the bank's directory; once in a bank's life. */
export async function openDirectory(
  client: BankClient,
  tagSalt: Uint8Array = systemRandom(32),
): Promise<RecordName> {
  const record = { recordId: directoryId(client.trust.origin), tagSalt };
  const creation = encodeCreation({ owner: client.user.credential.id, tagSalt: record.tagSalt });
  await append(client, record, [statement('create', CREATE, creation)]);
  return record;
}

/** The administrator registers users; each registration is an entry of its own. */
export async function register(
  client: BankClient,
  directory: RecordName,
  users: readonly Credential[],
): Promise<void> {
  await append(
    client,
    directory,
    users.map((user) => statement('register', 'credential', user.encoded)),
  );
}

/**
 * The administrator gives a user another credential and takes the one before back, in one step. What the old one signed
 * stays its subject's; a group takes the new one in with its next epoch. A record does not go over to it: `goOnUnder` and `recover` do that.
 */
export async function rekey(
  client: BankClient,
  directory: RecordName,
  user: { readonly before: Credential; readonly after: Credential },
  terms: RevocationTerms,
): Promise<void> {
  const signed = await revokeCredential(client.user, user.before, terms);
  await append(client, directory, [
    statement('register', 'credential', user.after.encoded),
    statement('revoke', 'revocation', signed),
  ]);
}

/** The administrator takes a user's credential back. */
export async function revoke(
  client: BankClient,
  directory: RecordName,
  user: Credential,
  terms: RevocationTerms,
): Promise<void> {
  const signed = await revokeCredential(client.user, user, terms);
  await append(client, directory, [statement('revoke', 'revocation', signed)]);
}

/** A user gives up the own credential: the last thing that its key does. */
export async function renounce(client: BankClient, directory: RecordName): Promise<void> {
  const signed = await renounceCredential(client.user);
  await append(client, directory, [statement('revoke', 'renunciation', signed)]);
}

/** A keeper founds a group. */
export async function publishGroupOf(
  client: BankClient,
  directory: RecordName,
  group: Parameters<typeof publishGroup>[1],
): Promise<void> {
  const signed = await publishGroup(client.user, group);
  await append(client, directory, [statement('key', 'group', signed)]);
}

/** A keeper publishes a group's next epoch. */
export async function publishNextEpochOf(
  client: BankClient,
  directory: RecordName,
  previous: GroupEpoch,
  change: GroupChange,
): Promise<void> {
  const signed = await publishNextEpoch(client.user, previous, change);
  await append(client, directory, [statement('key', 'group', signed)]);
}

/** An owner publishes the compartments of its record, and keeps the root. */
export async function publishCompartmentsOf(
  client: BankClient,
  directory: RecordName,
  owned: { readonly root: NodeSecret; readonly recordId: Uint8Array; readonly names: readonly string[] },
): Promise<void> {
  const signed = await publishCompartments(client.user, owned.root, owned);
  await append(client, directory, [statement('key', 'compartments', signed)]);
}

/**
 * An owner rotates compartments: what is written from now on does not open for whom they were granted to before. A
 * former reader keeps what it could read until now.
 */
export async function rotateCompartmentsOf(
  client: BankClient,
  directory: RecordName,
  owned: {
    readonly root: NodeSecret;
    readonly compartments: Compartments;
    readonly names: readonly string[];
  },
): Promise<void> {
  const { root, compartments, names } = owned;
  const signed = await rotate(client.user, root, compartments, { names, added: [] });
  await append(client, directory, [statement('key', 'compartments', signed)]);
}
