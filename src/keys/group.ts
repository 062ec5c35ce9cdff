/**
 * Groups: a speciality, an insurer, an emergency team. A group has one key pair per epoch; its keeper, a person
 * whom the administrator certified and never the bank, wraps the private key to each member. spec/keys.md, "Groups".
 */

import { hpkeSeal, kem, KEM_SECRET_LENGTH, systemRandom, type KemId, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { hasRole, NAME_LIMIT, readKemPublicKey, type Credential } from './credential.ts';
import type { Identity } from './identity.ts';
import { hpkeOpenWith, SoftwareDecapsulator, suite, type Decapsulator, type KemPublicKey } from './ports.ts';
import { Secret } from './secret.ts';
import { signStatement, verifyStatement } from './statement.ts';

/** Most members of one group. */
export const MEMBERS_LIMIT = 256;

/** A verified epoch of a group. */
export interface GroupEpoch extends KemPublicKey {
  /** Such as `speciality:cardiology`, `insurer`, `emergency`. */
  readonly name: string;
  readonly epoch: number;
  readonly members: readonly GroupMember[];
}

/** A member and the group's secret, wrapped to the member's sealing key. */
export interface GroupMember {
  /** The member's Id. */
  readonly id: Uint8Array;
  readonly encapsulation: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/**
 * Starts an epoch of a group: a fresh key pair, its private key wrapped to each member, signed by the keeper.
 *
 * @param keeper - holds the role `keeper:` and the group's name
 * @param group - name, epoch from 0, KEM, and the members' credentials
 * @param random - randomness for the key and the wraps
 */
export async function publishGroup(
  keeper: Identity,
  group: {
    readonly name: string;
    readonly epoch: number;
    readonly kem: KemId;
    readonly members: readonly Credential[];
  },
  random: Random = systemRandom,
): Promise<Uint8Array> {
  const secretKey = kem(group.kem).generateSecretKey(random);
  const { publicKey } = kem(group.kem).secretKey(secretKey);
  const aad = wrapAad({ ...group, publicKey });
  const members = group.members.map((member) => {
    const sealed = hpkeSeal(member.sealing, wrapInfo(member), aad, tuple('group key', secretKey), random);
    return [member.id, sealed.encapsulation, sealed.ciphertext];
  });
  return signStatement(keeper, tuple('group', group.name, group.epoch, group.kem, publicKey, members));
}

/**
 * Verifies an epoch of a group: signed by a keeper whose credential names this group.
 *
 * @throws `MunimentError` `KEY_CREDENTIAL` if the signer keeps another group; `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`, `KEY_ALGORITHM`
 */
export function verifyGroup(signed: Uint8Array, keeper: Credential): GroupEpoch {
  const reader = TupleReader.labelled(verifyStatement(signed, keeper), 'group');
  const group = {
    name: reader.text(NAME_LIMIT),
    epoch: reader.integer(),
    ...readKemPublicKey(reader),
    members: reader.list(MEMBERS_LIMIT, (item) =>
      item.group((part) => ({ id: part.bytes(32), encapsulation: part.bytes(), ciphertext: part.bytes() })),
    ),
  };
  reader.end();
  if (!hasRole(keeper, `keeper:${group.name}`)) throw new MunimentError('KEY_CREDENTIAL');
  return group;
}

/**
 * The group's key, opened by a member; `null` if the identity is no member of this epoch.
 *
 * @throws `MunimentError` `KEY_OPEN` if the member's wrap is broken or leads to another key
 */
export async function openGroup(member: Identity, group: GroupEpoch): Promise<Decapsulator | null> {
  const wrap = group.members.find((candidate) => equalBytes(candidate.id, member.credential.id));
  if (wrap === undefined) return null;
  const opened = await hpkeOpenWith(member.sealing, wrapInfo(member.credential), wrapAad(group), wrap);
  const key = readGroupKey(group, opened.plaintext);
  if (!equalBytes(key.publicKey, group.publicKey)) throw new MunimentError('KEY_OPEN');
  return key;
}

function readGroupKey(group: GroupEpoch, plaintext: Uint8Array): SoftwareDecapsulator {
  try {
    const reader = TupleReader.labelled(plaintext, 'group key');
    const secretKey = reader.bytes(KEM_SECRET_LENGTH);
    reader.end();
    return new SoftwareDecapsulator(group.kem, new Secret('kem key', secretKey));
  } catch (cause) {
    throw new MunimentError('KEY_OPEN', undefined, { cause });
  }
}

function wrapInfo(member: Credential): Uint8Array {
  return tuple('group wrap', suite(member.sealing.kem), member.id);
}

function wrapAad(group: Pick<GroupEpoch, 'name' | 'epoch' | 'kem' | 'publicKey'>): Uint8Array {
  return tuple('group wrap aad', group.name, group.epoch, group.kem, group.publicKey);
}
