/** Who is who: credentials, groups and compartments as the bank's directory hands them out, each verified here. */

import { MunimentError } from 'muniment';
import {
  createKeyHistory,
  currentCredential,
  openGroup,
  verifyCompartments,
  verifyCredential,
  verifyGroup,
  verifyRenunciation,
  verifyRevocation,
  type Compartments,
  type Credential,
  type GroupEpoch,
  type KeyHistory,
} from 'muniment/keys';
import { groupReader, partyReader, type OpeningReader } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import type { BankClient } from './bank.ts';
import { CLOCK } from './connection.ts';

/** What was found, verified under the anchor. */
export interface People {
  readonly credentials: readonly Credential[];
  /** Which of these are good, and which were revoked. */
  readonly history: KeyHistory;
  /** By the owner's subject. */
  readonly compartments: ReadonlyMap<string, Compartments>;
  /** By name, the newest epoch. */
  readonly groups: ReadonlyMap<string, GroupEpoch>;
}

/** What is looked for. */
export interface Wanted {
  readonly subjects?: readonly string[];
  readonly ids?: readonly Uint8Array[];
  readonly groups?: readonly string[];
}

/** Looks people and groups up. What is not found is left out; what is found is verified or refused. */
export async function lookUp(client: BankClient, wanted: Wanted): Promise<People> {
  const { subjects = [], ids = [], groups = [] } = wanted;
  const { reply, documents } = await client.ask<'lookup'>({
    type: 'lookup',
    subjects: [...subjects],
    ids: [...ids],
    groups: [...groups],
  });
  const { anchor } = client.trust;
  const at = (position: number): Uint8Array => documents[position] ?? missing();
  const credentials = reply.credentials.map((position) => readCredential(at(position), anchor));
  const find = (id: Uint8Array): Credential => credentials.find((one) => equalBytes(one.id, id)) ?? missing();
  const revocations = reply.revocations.map(({ author, statement }) =>
    equalBytes(author, anchor.id)
      ? verifyRevocation(at(statement), anchor, CLOCK.now())
      : verifyRenunciation(at(statement), find(author), CLOCK.now()),
  );
  const issued = credentials.filter((one) => one !== anchor);
  return {
    credentials,
    history: createKeyHistory(anchor, { credentials: issued, revocations }),
    compartments: new Map(
      reply.compartments.map(({ owner, statement }) => {
        const { subject } = find(owner);
        return [subject, verifyCompartments(at(statement), find(owner))];
      }),
    ),
    groups: new Map(
      reply.groups.map(({ name, keeper, statement }) => {
        const group = verifyGroup(at(statement), find(keeper));
        // An older epoch shown again would let those read who have left.
        if (group.epoch < (client.memory.epochs.get(name) ?? 0))
          throw new MunimentError('RECORD_CONSISTENCY');
        client.memory.epochs.set(name, group.epoch);
        return group.name === name ? [name, group] : missing();
      }),
    ),
  };
}

/** Finds a subject's credential, valid now: to seal or grant to. Throws `KEY_CREDENTIAL`, `KEY_REVOKED`. */
export function person(people: People, subject: string): Credential {
  return currentCredential(people.history, subject, CLOCK.now());
}

/** Credentials by Id, for verifying authors. */
export function byId(credentials: Iterable<Credential>): (id: Uint8Array) => Credential | null {
  const known = new Map([...credentials].map((one) => [toHex(one.id), one]));
  return (id) => known.get(toHex(id)) ?? null;
}

/** The groups that a credential's roles place it in: specialities, insurers, the emergency team. */
export function groupNames(credential: Credential): string[] {
  return credential.roles.filter(
    (role) => role === 'insurer' || role === 'emergency' || role.startsWith('speciality:'),
  );
}

/** As whom a user opens: itself, and each group that it is a member of. */
export async function ownReaders(client: BankClient, groups: Iterable<GroupEpoch>): Promise<OpeningReader[]> {
  const { user } = client;
  const readers: OpeningReader[] = [{ reader: partyReader(user.credential), key: user.sealing }];
  for (const group of groups) {
    const key = await openGroup(user, group);
    if (key !== null) readers.push({ reader: groupReader(group), key });
  }
  return readers;
}

function readCredential(encoded: Uint8Array, anchor: Credential): Credential {
  return equalBytes(encoded, anchor.encoded) ? anchor : verifyCredential(encoded, anchor, 'ever');
}

function missing(): never {
  throw new MunimentError('KEY_CREDENTIAL');
}
