/** People come, get other keys and go in the play; groups and parts get new epochs. */

import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { createRoot, openGroupHistory } from 'muniment/keys';
import { lookUp } from '../../../examples/client/people.ts';
import {
  publishCompartmentsOf,
  publishNextEpochOf,
  register,
  rekey,
  renounce,
  revoke,
  rotateCompartmentsOf,
} from '../../../examples/client/publishing.ts';
import { CAST, GROUPS, publishParts } from './cast.ts';
import { nameOf } from './looking.ts';
import { same, type Stage } from './stage.ts';
import { holds, type Actor, type Key, type ModelRecord } from './world.ts';

/** Somebody registers a newcomer. */
export async function registerNewcomer(stage: Stage, key: Key): Promise<void> {
  const { at, world, random } = stage;
  const [, name, roles] = random.of(CAST);
  const subject = stage.newSubject(name);
  const identity = await at.enrol(subject, roles, stage.clock.now());
  const refusal = refusalOfAdministrator(key);
  const done = await stage.attempt(`register: ${nameOf(key)}`, refusal, async () => {
    await register(stage.clientOf(key), at.directory, [identity.credential]);
    return true;
  });
  if (done !== null) stage.enter(world.join(subject, roles), at.clientOf(identity));
}

/** The administrator gives somebody another key, with the one before taken back in the same step or not. */
export async function giveKey(stage: Stage, actor: Actor, how: 'instead' | 'beside'): Promise<void> {
  const { at, world } = stage;
  const before = actor.keys.at(-1);
  if (before === undefined) throw new RangeError('somebody without a key');
  const identity = await at.enrol(actor.subject, actor.roles, stage.clock.now());
  const [after, old] = [identity.credential, stage.credentialOf(before)];
  await stage.attempt(`another key ${how} the old: ${nameOf(before)}`, null, async () => {
    if (how === 'beside') await register(at.administrator, at.directory, [after]);
    else await rekey(at.administrator, at.directory, { before: old, after }, superseded(stage));
  });
  if (how === 'instead') before.stands = false;
  stage.enter(world.renew(actor), at.clientOf(identity));
}

/** The administrator takes a key back. */
export async function revokeKey(stage: Stage, key: Key): Promise<void> {
  const { at, clock } = stage;
  const terms = { reason: 'ceased', revokedAt: clock.now() } as const;
  await stage.attempt(`revoke: ${nameOf(key)}`, null, () =>
    revoke(at.administrator, at.directory, stage.credentialOf(key), terms),
  );
  key.stands = false;
}

/** Somebody gives up the own key. */
export async function renounceKey(stage: Stage, key: Key): Promise<void> {
  const refusal = key.stands ? null : 'SESSION_PEER';
  await stage.attempt(`renounce: ${nameOf(key)}`, refusal, () =>
    renounce(stage.clientOf(key), stage.at.directory),
  );
  key.stands = false;
}

/** Somebody says who is in a group from now on. */
export async function beginEpoch(stage: Stage, key: Key, name: string): Promise<void> {
  const { at, world, random } = stage;
  const client = stage.clientOf(key);
  const epochs = world.groups.get(name) ?? [];
  const members = epochs.at(-1)?.members ?? new Set<Key>();
  const leaving = [...members].filter((member) => !member.stands || random.next() < 0.15);
  const staying = [...members].filter((member) => !leaving.includes(member));
  const joining = world.keys((one) => holds(one, name) && !members.has(one) && random.next() < 0.5);
  const may = holds(key, `keeper:${name}`);
  const refusal = !key.stands
    ? 'SESSION_PEER'
    : may
      ? null
      : publishes(key)
        ? 'KEY_CREDENTIAL'
        : 'RECORD_RIGHT';
  const withHistory = world.reaches(key, name, epochs.length - 1) && random.next() < 0.6;
  const done = await stage.attempt(`begin an epoch: ${nameOf(key)}, of ${name}`, refusal, async () => {
    const history = (await lookUp(client, { groups: [name] })).histories.get(name);
    if (history === undefined) throw new RangeError(`no group ${name}`);
    const opened = withHistory ? (await openGroupHistory(client.user, history)).at(-1) : undefined;
    await publishNextEpochOf(client, at.directory, history.newest, {
      kem: KEM_X25519,
      staying: staying.map((one) => stage.credentialOf(one)),
      joining: joining.map((one) => stage.credentialOf(one)),
      leaving: leaving.map((one) => stage.credentialOf(one).id),
      history: opened?.key ?? 'no history',
    });
    return true;
  });
  if (done !== null) epochs.push({ members: new Set([...staying, ...joining]), ladder: withHistory });
}

/** An owner shuts former readers out of some parts, as to what is to come. */
export async function rotateParts(stage: Stage, record: ModelRecord): Promise<void> {
  const { random, at } = stage;
  const { owner } = record;
  const names = [...record.parts.keys()].filter(() => random.next() < 0.4);
  const refusal = owner.stands ? null : 'SESSION_PEER';
  const client = stage.clientOf(owner);
  const done = await stage.attempt(`rotate parts: ${nameOf(owner)}`, refusal, async () => {
    await rotateCompartmentsOf(client, at.directory, { ...(await stage.rootOf(client)), names });
    return true;
  });
  if (done === null) return;
  record.parts = new Map(
    Array.from(record.parts, ([name, epoch]) => [name, names.includes(name) ? epoch + 1 : epoch]),
  );
}

/** Somebody publishes the parts of an own record. */
export async function publish(stage: Stage, key: Key): Promise<void> {
  const taken = stage.world.records.some(({ owner }) => owner === key);
  if (key.stands && holds(key, 'patient') && !taken) {
    await stage.attempt(`publish parts: ${nameOf(key)}`, null, () => publishParts(stage, key));
    return;
  }
  const refusal = !key.stands
    ? 'SESSION_PEER'
    : holds(key, 'patient')
      ? 'RECORD_EXISTS'
      : publishes(key)
        ? 'RECORD_PAYLOAD'
        : 'RECORD_RIGHT';
  await stage.attempt(`publish parts: ${nameOf(key)}`, refusal, () =>
    publishCompartmentsOf(stage.clientOf(key), stage.at.directory, {
      root: createRoot(),
      recordId: systemRandom(16),
      names: [],
    }),
  );
}

/** Somebody looks up a person, and every group. */
export async function lookAround(stage: Stage, key: Key, actor: Actor): Promise<void> {
  const refusal = key.stands ? null : 'SESSION_PEER';
  const people = await stage.attempt(`look up people: ${nameOf(key)}`, refusal, () =>
    lookUp(stage.clientOf(key), { subjects: [actor.subject], groups: GROUPS }),
  );
  if (people === null) return;
  const newest = actor.keys.at(-1);
  const found = people.credentials.some(({ id }) => stage.keyOf(id) === newest);
  same(`newest key of ${actor.subject} is found`, found, true);
  for (const name of GROUPS)
    same(`newest epoch of ${name}`, people.groups.get(name)?.epoch, stage.world.newest(name));
  const record = stage.world.records.find(({ owner }) => owner.subject === actor.subject);
  const list = people.compartments.get(actor.subject)?.list.filter(({ name }) => name !== '') ?? [];
  const sorted = (parts: Iterable<readonly [string, number]>): unknown => [...parts].sort();
  same(
    `parts of ${actor.subject}`,
    sorted(list.map(({ name, epoch }) => [name, epoch])),
    sorted(record?.parts ?? []),
  );
}

function refusalOfAdministrator(key: Key): string | null {
  if (!key.stands) return 'SESSION_PEER';
  return holds(key, 'administrator') ? null : 'RECORD_RIGHT';
}

// Owners their parts, keepers their groups.
function publishes(key: Key): boolean {
  return holds(key, 'patient') || holds(key, 'keeper:');
}

function superseded({ clock }: Stage) {
  return { reason: 'superseded', revokedAt: clock.now() } as const;
}
