/** Who is who: credentials, groups and compartments as the bank's directory hands them out, each verified here. */

import { MunimentError } from 'muniment';
import {
  createKeyHistory,
  currentCredential,
  openGroupHistory,
  checkSeen,
  verifyCompartmentsHistory,
  verifyCredential,
  verifyGroupHistory,
  verifyRenunciation,
  verifyRevocation,
  type Compartments,
  type Credential,
  type GroupEpoch,
  type GroupHistory,
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
  /** By the owner's subject, the newest list: what to seal to, once the record's chain has said that its signer is the owner. */
  readonly compartments: ReadonlyMap<string, Compartments>;
  /** By the owner's subject, every list, oldest first. */
  readonly lists: ReadonlyMap<string, readonly Compartments[]>;
  /** By name, the newest epoch: what to seal to. */
  readonly groups: ReadonlyMap<string, GroupEpoch>;
  /** By name, every epoch. */
  readonly histories: ReadonlyMap<string, GroupHistory>;
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
  const histories = new Map<string, GroupHistory>();
  for (const name of new Set(reply.groups.map((one) => one.name))) {
    const epochs = reply.groups.filter((one) => one.name === name);
    const [statements, keepers] = [
      epochs.map((one) => at(one.statement)),
      epochs.map((one) => find(one.keeper)),
    ];
    histories.set(name, readGroup(client, name, statements, keepers));
  }
  const published = reply.compartments.map((one) => ({
    owner: find(one.owner),
    statement: at(one.statement),
  }));
  const lists = new Map<string, readonly Compartments[]>();
  for (const subject of new Set(published.map(({ owner }) => owner.subject))) {
    const own = published.filter(({ owner }) => owner.subject === subject);
    lists.set(subject, readCompartments(client, own));
  }
  return {
    credentials,
    history: createKeyHistory(anchor, { credentials: issued, revocations }),
    compartments: new Map(Array.from(lists, ([subject, all]) => [subject, all.at(-1) ?? missing()])),
    lists,
    groups: new Map(Array.from(histories, ([name, { newest }]) => [name, newest])),
    histories,
  };
}

/** Finds a subject's credential, valid now: to seal or grant to. Throws `KEY_CREDENTIAL`, `KEY_REVOKED`. */
export function person(people: People, subject: string): Credential {
  return currentCredential(people.history, subject, CLOCK.now());
}

/**
 * To what a record is sealed: its list of parts, if whoever owns the record by its own chain has signed it. Throws
 * `KEY_SUCCESSION` for another's: a bank and an administrator together can show one, but no chain that says so.
 */
export function partsOf(people: People, recordId: Uint8Array, owner: Credential): Compartments {
  const found = people.compartments.get(owner.subject) ?? missing();
  if (!equalBytes(found.recordId, recordId) || !equalBytes(found.owner, owner.id))
    throw new MunimentError('KEY_SUCCESSION');
  return found;
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

/** As whom a user opens: itself, and each epoch of a group that it reaches. */
export async function ownReaders(
  client: BankClient,
  histories: Iterable<GroupHistory>,
): Promise<OpeningReader[]> {
  const { user } = client;
  const readers: OpeningReader[] = [{ reader: partyReader(user.credential), key: user.sealing }];
  for (const history of histories)
    for (const { group, key } of await openGroupHistory(user, history))
      readers.push({ reader: groupReader(group), key });
  return readers;
}

// An older list, or another than the one seen, would have this client seal to whom the owner has shut out. They go on
// when the owner goes on under another key, and are remembered by the first. That the last is the owner's, the record's
// chain says.
function readCompartments(
  { memory }: BankClient,
  signed: readonly { readonly owner: Credential; readonly statement: Uint8Array }[],
): readonly Compartments[] {
  const [owners, statements] = [signed.map(({ owner }) => owner), signed.map(({ statement }) => statement)];
  const key = `compartments ${toHex((owners[0] ?? missing()).id)}`;
  const lists = verifyCompartmentsHistory(statements, owners, memory.seen.get(key) ?? null);
  memory.seen.set(key, checkSeen(lists.at(-1) ?? missing(), null));
  return lists;
}

// An older epoch shown again, or another than the one seen, would let those read who have left.
function readGroup(
  { memory }: BankClient,
  name: string,
  statements: readonly Uint8Array[],
  keepers: readonly Credential[],
): GroupHistory {
  const key = `group ${name}`;
  const history = verifyGroupHistory(statements, keepers, memory.seen.get(key) ?? null);
  if (history.newest.name !== name) missing();
  memory.seen.set(key, history.seen);
  return history;
}

function readCredential(encoded: Uint8Array, anchor: Credential): Credential {
  return equalBytes(encoded, anchor.encoded) ? anchor : verifyCredential(encoded, anchor, 'ever');
}

function missing(): never {
  throw new MunimentError('KEY_CREDENTIAL');
}
