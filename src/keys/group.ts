/**
 * Groups: a speciality, an insurer, an emergency team. A group has one key pair per epoch; its keeper, a person
 * whom the administrator certified and never the bank, wraps the private key to each member. spec/keys.md, "Groups".
 */

import {
  hpkeSeal,
  kem,
  KEM_SECRET_LENGTH,
  systemRandom,
  type HpkeSealed,
  type KemId,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, toHex, tuple, TupleReader } from '../wire/index.ts';
import { hasRole, NAME_LIMIT, readKemPublicKey, type Credential } from './credential.ts';
import type { Identity } from './identity.ts';
import { hpkeOpenWith, SoftwareDecapsulator, suite, type KemPublicKey } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';
import { signStatement, verifyStatement } from './statement.ts';
import { beginsRightly, NO_PREDECESSOR, statementDigest } from './succession.ts';

/** Most members of one group. */
export const MEMBERS_LIMIT = 256;

/** A verified epoch of a group. */
export interface GroupEpoch extends KemPublicKey {
  /** Such as `speciality:cardiology`, `insurer`, `emergency`. */
  readonly name: string;
  readonly epoch: number;
  /** Digest of the epoch before this one; zeros at epoch 0. 32 bytes. */
  readonly previous: Uint8Array;
  /** The private key of the epoch before, sealed to this epoch's public key; `null` if its keeper lets no newcomer read what was sealed before. */
  readonly ladder: HpkeSealed | null;
  readonly members: readonly GroupMember[];
  /** Digest of the signed statement, by which the next epoch names it. 32 bytes. */
  readonly digest: Uint8Array;
}

/** A member and the group's secret, wrapped to the member's sealing key. */
export interface GroupMember extends HpkeSealed {
  /** The member's Id. */
  readonly id: Uint8Array;
}

/** What changes from one epoch to the next. */
export interface GroupChange {
  /** The KEM of the new key. */
  readonly kem: KemId;
  /** Credentials of exactly those who were members and remain so: the new key is wrapped to them again. */
  readonly staying: readonly Credential[];
  readonly joining: readonly Credential[];
  /** Ids of those who leave, 32 bytes each. Who has a new credential leaves under the old one and joins under the new. */
  readonly leaving: readonly Uint8Array[];
  /** The key of the epoch before, as {@link openGroup} gives it, if newcomers may read what was sealed to it and to whatever it leads to. */
  readonly history: SoftwareDecapsulator | 'no history';
}

/**
 * Founds a group: its epoch 0, a fresh key pair whose private key is wrapped to each member, signed by the keeper.
 *
 * @param keeper - holds the role `keeper:` and the group's name; to hand history on later it must be a member
 * @param group - name (at most 128 bytes), KEM, and the credentials of at most 256 members
 * @param random - randomness for the key and the wraps
 * @returns the signed statement
 * @throws `MunimentError` `KEY_CHANGE` if a member stands twice or there are too many
 */
export async function publishGroup(
  keeper: Identity,
  group: { readonly name: string; readonly kem: KemId; readonly members: readonly Credential[] },
  random: Random = systemRandom,
): Promise<Uint8Array> {
  return signEpoch(keeper, { ...group, epoch: 0, previous: NO_PREDECESSOR }, null, random);
}

/**
 * Publishes the next epoch of a group, with a fresh key pair. Who leaves keeps the keys of the epochs it was in, and
 * whatever was sealed to them; what is sealed to the new epoch it cannot open.
 *
 * @param keeper - holds the role `keeper:` and the group's name
 * @param previous - the newest epoch, verified
 * @param change - who stays, joins and leaves, and whether the ladder down to the epoch before is made
 * @param random - randomness for the key, the ladder and the wraps
 * @returns the signed statement
 * @throws `MunimentError` `KEY_CHANGE` if who joins is a member, who leaves is none, who stays was none or somebody is
 *   left out, there are too many members, or the key given is not that of the epoch before
 * @example
 * ```ts
 * import { KEM_XWING } from 'muniment/crypto';
 * import { createAnchor, enrol, openGroup, publishGroup, publishNextEpoch, verifyGroup } from 'muniment/keys';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const keeper = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['keeper:emergency'], ...valid });
 * const nurse = await enrol(hospital, { subject: 'Nurse', roles: ['nurse'], ...valid });
 * const founding = { name: 'emergency', kem: KEM_XWING, members: [keeper.credential] };
 * const first = verifyGroup(await publishGroup(keeper, founding), keeper.credential);
 * const history = await openGroup(keeper, first);
 * if (history === null) throw new Error('the keeper is no member');
 * const [staying, joining] = [[keeper.credential], [nurse.credential]];
 * const change = { kem: KEM_XWING, staying, joining, leaving: [], history };
 * const second = verifyGroup(await publishNextEpoch(keeper, first, change), keeper.credential);
 * second.epoch; // 1: the nurse reads what is sealed from now on, and down the ladder what was sealed before
 * ```
 */
export async function publishNextEpoch(
  keeper: Identity,
  previous: GroupEpoch,
  change: GroupChange,
  random: Random = systemRandom,
): Promise<Uint8Array> {
  checkChange(previous, change);
  const group = {
    name: previous.name,
    epoch: previous.epoch + 1,
    kem: change.kem,
    previous: previous.digest,
    members: [...change.staying, ...change.joining],
  };
  const rung = change.history === 'no history' ? null : { epoch: previous, key: change.history };
  return signEpoch(keeper, group, rung, random);
}

/**
 * Verifies an epoch of a group: signed by a keeper whose credential names this group. Whether it is the newest, and
 * follows the one before, is for {@link verifyGroupHistory} and `checkSeen` to tell.
 *
 * @throws `MunimentError` `KEY_CREDENTIAL` if the signer keeps another group; `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`, `KEY_ALGORITHM`
 */
export function verifyGroup(signed: Uint8Array, keeper: Credential): GroupEpoch {
  const reader = TupleReader.labelled(verifyStatement(signed, keeper), 'group');
  const group = {
    name: reader.text(NAME_LIMIT),
    epoch: reader.integer(),
    ...readKemPublicKey(reader),
    previous: reader.bytes(32),
    ladder: reader.group((part) =>
      part.done ? null : { encapsulation: part.bytes(), ciphertext: part.bytes() },
    ),
    members: reader.list(MEMBERS_LIMIT, (item) =>
      item.group((part) => ({ id: part.bytes(32), encapsulation: part.bytes(), ciphertext: part.bytes() })),
    ),
    digest: statementDigest(signed),
  };
  reader.end();
  const founded = group.epoch > 0 || group.ladder === null;
  const distinct = new Set(group.members.map(({ id }) => toHex(id))).size === group.members.length;
  if (!beginsRightly(group) || !founded || !distinct) throw new MunimentError('WIRE_TUPLE');
  if (!hasRole(keeper, `keeper:${group.name}`)) throw new MunimentError('KEY_CREDENTIAL');
  return group;
}

/**
 * The group's key, opened by a member; `null` if the identity is no member of this epoch.
 *
 * @throws `MunimentError` `KEY_OPEN` if the member's wrap is broken or leads to another key
 */
export async function openGroup(member: Identity, group: GroupEpoch): Promise<SoftwareDecapsulator | null> {
  const wrap = group.members.find((candidate) => equalBytes(candidate.id, member.credential.id));
  if (wrap === undefined) return null;
  const opened = await hpkeOpenWith(member.sealing, wrapInfo(member.credential), wrapAad(group), wrap);
  return readGroupKey(group, 'group key', opened.plaintext);
}

/** The key of the epoch before, reached from the key of the one after; `null` if there is no ladder. Throws `KEY_OPEN`. */
export async function descendLadder(
  from: { readonly group: GroupEpoch; readonly key: SoftwareDecapsulator },
  to: GroupEpoch,
): Promise<SoftwareDecapsulator | null> {
  const { group, key } = from;
  if (group.ladder === null) return null;
  const opened = await hpkeOpenWith(key, ladderInfo(group), ladderAad(to, group), group.ladder);
  return readGroupKey(to, 'group ladder key', opened.plaintext);
}

async function signEpoch(
  keeper: Identity,
  group: Pick<GroupEpoch, 'name' | 'epoch' | 'kem' | 'previous'> & {
    readonly members: readonly Credential[];
  },
  rung: { readonly epoch: GroupEpoch; readonly key: SoftwareDecapsulator } | null,
  random: Random,
): Promise<Uint8Array> {
  const distinct = new Set(group.members.map(({ id }) => toHex(id))).size === group.members.length;
  if (!distinct || group.members.length > MEMBERS_LIMIT) throw new MunimentError('KEY_CHANGE');
  const { name, epoch, previous } = group;
  const secretKey = kem(group.kem).generateSecretKey(random);
  const { publicKey } = kem(group.kem).secretKey(secretKey);
  const key = { name, epoch, kem: group.kem, publicKey };
  const ladder = rung === null ? [] : sealLadder(rung, key, random);
  const members = group.members.map((member) => {
    const plaintext = tuple('group key', secretKey);
    const sealed = hpkeSeal(member.sealing, wrapInfo(member), wrapAad(key), plaintext, random);
    return [member.id, sealed.encapsulation, sealed.ciphertext];
  });
  return signStatement(keeper, tuple('group', name, epoch, group.kem, publicKey, previous, ladder, members));
}

function checkChange(previous: GroupEpoch, { staying, joining, leaving, history }: GroupChange): void {
  const before = new Set(previous.members.map(({ id }) => toHex(id)));
  const remaining = [...staying.map(({ id }) => id), ...leaving].map(toHex);
  // Whoever was a member stays or leaves, and nobody does both: nobody is dropped, or kept, by being forgotten.
  const accounted =
    remaining.length === before.size &&
    new Set(remaining).size === before.size &&
    remaining.every((id) => before.has(id));
  const fresh = joining.every(({ id }) => !before.has(toHex(id)));
  const itsKey =
    history === 'no history' ||
    (history.kem === previous.kem && equalBytes(history.publicKey, previous.publicKey));
  if (!accounted || !fresh || !itsKey) throw new MunimentError('KEY_CHANGE');
}

type EpochKey = Pick<GroupEpoch, 'name' | 'epoch' | 'kem' | 'publicKey'>;

function sealLadder(
  rung: { readonly epoch: GroupEpoch; readonly key: SoftwareDecapsulator },
  to: EpochKey,
  random: Random,
): [Uint8Array, Uint8Array] {
  const plaintext = tuple('group ladder key', exposeSecret(rung.key.secret));
  const sealed = hpkeSeal(to, ladderInfo(to), ladderAad(rung.epoch, to), plaintext, random);
  return [sealed.encapsulation, sealed.ciphertext];
}

function readGroupKey(
  group: EpochKey,
  label: 'group key' | 'group ladder key',
  plaintext: Uint8Array,
): SoftwareDecapsulator {
  try {
    const reader = TupleReader.labelled(plaintext, label);
    const secretKey = reader.bytes(KEM_SECRET_LENGTH);
    reader.end();
    const key = new SoftwareDecapsulator(group.kem, new Secret('kem key', secretKey));
    if (!equalBytes(key.publicKey, group.publicKey)) throw new MunimentError('KEY_OPEN');
    return key;
  } catch (cause) {
    throw new MunimentError('KEY_OPEN', undefined, { cause });
  }
}

function wrapInfo(member: Credential): Uint8Array {
  return tuple('group wrap', suite(member.sealing.kem), member.id);
}

function wrapAad(group: EpochKey): Uint8Array {
  return tuple('group wrap aad', group.name, group.epoch, group.kem, group.publicKey);
}

function ladderInfo(from: Pick<EpochKey, 'name' | 'kem'>): Uint8Array {
  return tuple('group ladder', suite(from.kem), from.name);
}

function ladderAad(to: EpochKey, from: EpochKey): Uint8Array {
  const rung = [to.epoch, to.kem, to.publicKey, from.epoch, from.kem, from.publicKey] as const;
  return tuple('group ladder aad', from.name, ...rung);
}
