/**
 * Guardians: k of n people who together bring an owner's root back when its keys are lost. The owner shares a fresh
 * recovery key among them (Shamir), each share sealed to its guardian, and seals the root under it; all of that is one
 * signed statement, so that a guardian stores nothing but its own key. Bringing the root back: `recovery.ts`.
 * spec/authority.md, "Guardians".
 */

import {
  deriveTuple,
  hpkeSeal,
  sealOnce,
  splitSecret,
  systemRandom,
  type HpkeSealed,
  type KemId,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, toHex, tuple, TupleReader } from '../wire/index.ts';
import type { Credential } from './credential.ts';
import type { Identity } from './identity.ts';
import { suite } from './ports.ts';
import { exposeSecret } from './secret.ts';
import { signStatement, verifyStatement } from './statement.ts';
import { beginsRightly, NO_PREDECESSOR, statementDigest } from './succession.ts';
import type { NodeSecret } from './tree.ts';

/** Most guardians of one owner. */
export const GUARDIANS_LIMIT = 16;
/** Fewest guardians who may bring a root back: one alone never does. */
export const GUARDIANS_FEWEST = 2;
const RECOVERY_KEY_LENGTH = 32;
/** Label of the statement; the entry that brings it has one of its own, `guardians`. */
const APPOINTMENT = 'guardian appointment';
const NOTHING = new Uint8Array(0);

declare const verified: unique symbol;

/** A verified appointment: made by {@link verifyAppointment} alone. */
export interface Appointment {
  /** 16 bytes. */
  readonly recordId: Uint8Array;
  /** The Id of the owner who appointed. */
  readonly owner: Uint8Array;
  /** The owner's subject, which whoever asks for the root has to share. */
  readonly subject: string;
  /** 0 for a record's first appointment, one more for each that replaces it. */
  readonly number: number;
  /** Digest of the appointment before this one; zeros in the first. 32 bytes. */
  readonly previous: Uint8Array;
  /** How many guardians it takes. */
  readonly threshold: number;
  /** The root under the recovery key. */
  readonly sealedRoot: Uint8Array;
  readonly guardians: readonly Guardian[];
  /** Digest of the signed statement. 32 bytes. */
  readonly digest: Uint8Array;
  readonly [verified]: true;
}

/** A guardian and its share, sealed to its sealing key. The place of the share is the place in the list, from 1. */
export interface Guardian extends HpkeSealed {
  /** The guardian's Id. */
  readonly id: Uint8Array;
  /** Tells the right share from a wrong one, and nothing of it. 32 bytes. */
  readonly commitment: Uint8Array;
}

/**
 * Appoints guardians: draws a recovery key, shares it, and signs shares and sealed root as one statement. Nobody need
 * be asked for it or be there. A later appointment replaces an earlier one in the record; it takes nothing from
 * guardians of before who agree to open what was sealed to them.
 *
 * @param owner - the record's owner
 * @param root - the record's root
 * @param terms - the record's id (16 bytes), how many it takes (2 to all), the credentials of 2 to 16 guardians, and
 *   the appointment that this one replaces, `null` for the first
 * @param random - for vectors only
 * @returns the signed statement
 * @throws `MunimentError` `KEY_CHANGE` if there are too few or too many, a subject stands twice or is the owner's, or
 *   the appointment before is another record's
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { appointGuardians, createAnchor, createRoot, enrol, verifyAppointment } from 'muniment/keys';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const owner = await enrol(hospital, { subject: 'Ana', roles: ['patient'], ...valid });
 * const sister = await enrol(hospital, { subject: 'Eva', roles: ['patient'], ...valid });
 * const friend = await enrol(hospital, { subject: 'Bob', roles: ['patient'], ...valid });
 * const guardians = [sister.credential, friend.credential];
 * const terms = { recordId: systemRandom(16), threshold: 2, guardians, previous: null };
 * const signed = await appointGuardians(owner, createRoot(), terms);
 * verifyAppointment(signed, owner.credential).threshold; // 2
 * ```
 */
export async function appointGuardians(
  owner: Identity,
  root: NodeSecret,
  terms: {
    readonly recordId: Uint8Array;
    readonly threshold: number;
    readonly guardians: readonly Credential[];
    readonly previous: Appointment | null;
  },
  random: Random = systemRandom,
): Promise<Uint8Array> {
  const { recordId, threshold, guardians, previous } = terms;
  const { id, subject } = owner.credential;
  const subjects = new Set([subject, ...guardians.map((guardian) => guardian.subject)]);
  const fits =
    isSharing(threshold, guardians.length) &&
    subjects.size === guardians.length + 1 &&
    (previous === null || equalBytes(previous.recordId, recordId));
  if (!fits) throw new MunimentError('KEY_CHANGE');
  const number = previous === null ? 0 : previous.number + 1;
  const sharing = { recordId, owner: id, number, threshold };
  const recoveryKey = random(RECOVERY_KEY_LENGTH);
  const shares = splitSecret(recoveryKey, { threshold, shares: guardians.length }, random);
  const [exposed, texts] = [exposeSecret(root), shares.map((share) => tuple('guardian share', share))];
  const plaintext = tuple('recovery root', exposed);
  try {
    const sealedRoot = sealOnce(recoveryKey, rootContext(sharing), plaintext, random);
    const items = guardians.map((guardian, i) => {
      const [share, text] = [shares[i] ?? NOTHING, texts[i] ?? NOTHING];
      const commitment = shareCommitment(sharing, share);
      const aad = shareAad(sharing, i + 1, commitment);
      const sealed = hpkeSeal(
        guardian.sealing,
        shareInfo(guardian.sealing.kem, guardian.id),
        aad,
        text,
        random,
      );
      return [guardian.id, commitment, sealed.encapsulation, sealed.ciphertext];
    });
    const before = previous?.digest ?? NO_PREDECESSOR;
    const body = tuple(APPOINTMENT, recordId, id, number, before, threshold, sealedRoot, items);
    return await signStatement(owner, body);
  } finally {
    for (const secret of [recoveryKey, exposed, plaintext, ...shares, ...texts]) secret.fill(0);
  }
}

/**
 * Verifies an appointment. Whether it is the one that holds is for the record's chain to tell.
 *
 * @throws `MunimentError` `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`
 */
export function verifyAppointment(signed: Uint8Array, owner: Credential): Appointment {
  const reader = TupleReader.labelled(verifyStatement(signed, owner), APPOINTMENT);
  const statement = {
    recordId: reader.bytes(16),
    owner: reader.bytes(32),
    subject: owner.subject,
    number: reader.integer(),
    previous: reader.bytes(32),
    threshold: reader.integer(),
    sealedRoot: reader.bytes(),
    guardians: reader.list(GUARDIANS_LIMIT, (item) =>
      item.group((part) => ({
        id: part.bytes(32),
        commitment: part.bytes(32),
        encapsulation: part.bytes(),
        ciphertext: part.bytes(),
      })),
    ),
    digest: statementDigest(signed),
  };
  reader.end();
  const ids = new Set([owner.id, ...statement.guardians.map((guardian) => guardian.id)].map(toHex));
  const wellFormed =
    equalBytes(statement.owner, owner.id) &&
    isSharing(statement.threshold, statement.guardians.length) &&
    ids.size === statement.guardians.length + 1 &&
    beginsRightly(statement);
  if (!wellFormed) throw new MunimentError('WIRE_TUPLE');
  // The brand exists only in types; this is the one place that gives it.
  return statement as unknown as Appointment;
}

/** What every share of one appointment is bound to. */
export type Sharing = Pick<Appointment, 'recordId' | 'owner' | 'number' | 'threshold'>;

/** Under what the root is sealed, beside the recovery key. */
export function rootContext({ recordId, owner, number }: Sharing): Uint8Array {
  return tuple('recovery root context', recordId, owner, number);
}

/** The share is as random as a key, so that what derives from it tells nothing of it. */
export function shareCommitment({ recordId, owner, number }: Sharing, share: Uint8Array): Uint8Array {
  return deriveTuple(share.subarray(1), 'guardian share commitment', recordId, owner, number, share[0] ?? 0);
}

/** HPKE's info for a guardian's share. */
export function shareInfo(kemId: KemId, guardian: Uint8Array): Uint8Array {
  return tuple('guardian wrap', suite(kemId), guardian);
}

/** Binds owner and record: nobody gets a share opened by copying it into an appointment of its own. */
export function shareAad(sharing: Sharing, place: number, commitment: Uint8Array): Uint8Array {
  const { recordId, owner, number, threshold } = sharing;
  return tuple('guardian wrap aad', recordId, owner, number, threshold, place, commitment);
}

function isSharing(threshold: number, guardians: number): boolean {
  return (
    Number.isSafeInteger(threshold) &&
    threshold >= GUARDIANS_FEWEST &&
    threshold <= guardians &&
    guardians <= GUARDIANS_LIMIT
  );
}
