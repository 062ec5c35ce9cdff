/**
 * Recovery: an owner with fresh keys asks, each guardian opens its share and seals it to the fresh key, and enough of
 * them give the root back. Whether the new keys then own the record is for its chain. spec/authority.md, "Recovery".
 */

import {
  combineShares,
  equalSecrets,
  hpkeSeal,
  openOnce,
  systemRandom,
  type HpkeSealed,
  type KemId,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, toHex, tuple, TupleReader } from '../wire/index.ts';
import type { Credential } from './credential.ts';
import { rootContext, shareAad, shareCommitment, shareInfo, type Appointment } from './guardians.ts';
import type { Identity } from './identity.ts';
import { hpkeOpenWith, suite, type Decapsulator } from './ports.ts';
import { Secret } from './secret.ts';
import { signStatement, verifyStatement } from './statement.ts';
import { statementDigest } from './succession.ts';
import type { NodeSecret } from './tree.ts';

const SHARE_LENGTH = 33;
/** Longest time, in milliseconds, for which a request may be approved ahead: 30 days. */
export const RECOVERY_TERM = 2_592_000_000;

declare const verified: unique symbol;

/**
 * Where a record stands, as whoever asks or approves verified its chain: in `record`, `holdingOf` tells it. Only what
 * enters into it makes an approval void: a new owner or new guardians, and nothing that others write.
 */
export interface Holding {
  /** The credential of the present owner. */
  readonly owner: Credential;
  /** Digest of the appointment that holds. */
  readonly appointment: Uint8Array;
  /** Hash of the entry since which that owner and this appointment are the record's; 32 bytes. */
  readonly since: Uint8Array;
  /** Ids that never act in the record again. */
  readonly spent: readonly Uint8Array[];
}

/** A verified request: made by {@link verifyRecoveryRequest} alone. */
export interface RecoveryRequest {
  readonly recordId: Uint8Array;
  /** Digest of the appointment that it relies on. */
  readonly appointment: Uint8Array;
  /** The Id that is to be replaced. */
  readonly owner: Uint8Array;
  /** Hash of the entry since which the record stands as the claimant knows it. */
  readonly since: Uint8Array;
  /** The credential that asks, to whose sealing key shares are sealed. */
  readonly claimant: Credential;
  /** Until when it may be approved and used, in milliseconds since 1970. */
  readonly until: number;
  readonly digest: Uint8Array;
  readonly [verified]: true;
}

/** A guardian's verified approval: made by {@link verifyApproval} alone. */
export interface Approval extends HpkeSealed {
  /** The guardian's Id. */
  readonly guardian: Uint8Array;
  /** Digest of the request. */
  readonly request: Uint8Array;
  readonly [verified]: true;
}

/**
 * Asks the guardians for the root, as the owner under a fresh credential. Signed by its key.
 *
 * @param claimant - the owner, with a credential that began no earlier than the present one
 * @param asked - the appointment, the Id that is to be replaced, the hash of the entry since which the record stands
 *   so, and until when the request is good, in milliseconds since 1970: guardians take at most 30 days
 */
export async function requestRecovery(
  claimant: Identity,
  asked: {
    readonly appointment: Appointment;
    readonly owner: Uint8Array;
    readonly since: Uint8Array;
    readonly until: number;
  },
): Promise<Uint8Array> {
  const { appointment, owner, since, until } = asked;
  const { recordId, digest } = appointment;
  return signStatement(claimant, tuple('recovery request', recordId, digest, owner, since, until));
}

/**
 * Verifies that the claimant signed a request. That the claimant is who it says is for the guardian to make sure of by
 * other ways: a call, a visit.
 *
 * @throws `MunimentError` `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`
 */
export function verifyRecoveryRequest(signed: Uint8Array, claimant: Credential): RecoveryRequest {
  const reader = TupleReader.labelled(verifyStatement(signed, claimant), 'recovery request');
  const request = {
    recordId: reader.bytes(16),
    appointment: reader.bytes(32),
    owner: reader.bytes(32),
    since: reader.bytes(32),
    until: reader.integer(),
    claimant,
    digest: statementDigest(signed),
  };
  reader.end();
  if (equalBytes(request.owner, claimant.id)) throw new MunimentError('WIRE_TUPLE');
  // The brand exists only in types; this is the one place that gives it.
  return request as unknown as RecoveryRequest;
}

/**
 * Approves a request: opens the guardian's share and seals it to the claimant.
 *
 * @param guardian - who approves, having made sure by other ways that the owner asks, and that the claimant's Id is the
 *   one that the owner reads out: a key of the owner's that was stolen long ago bears the same name
 * @param appointment - the one that holds by the record's chain
 * @param request - verified; the claimant's credential is the subject's current one (`currentCredential`)
 * @param terms - how the record stands by its chain; the time, in milliseconds since 1970; randomness for vectors only
 * @returns the signed approval; `null` if the identity is no guardian by this appointment
 * @throws `MunimentError` `KEY_RECOVERY` if request or appointment is not about the record as it stands, is past or
 *   good for more than 30 days, or the claimant is of another subject, spent, or older than the owner; or the share is
 *   not the one committed to; `KEY_OPEN`
 */
export async function approveRecovery(
  guardian: Identity,
  appointment: Appointment,
  request: RecoveryRequest,
  terms: { readonly holding: Holding; readonly at: number; readonly random?: Random },
): Promise<Uint8Array | null> {
  checkStands(request, terms.holding, appointment);
  checkTime(request, terms.at);
  const { id } = guardian.credential;
  const index = appointment.guardians.findIndex((one) => equalBytes(one.id, id));
  const own = appointment.guardians[index];
  if (own === undefined) return null;
  const aad = shareAad(appointment, index + 1, own.commitment);
  const share = await openShare(guardian.sealing, shareInfo(guardian.sealing.kem, id), aad, own);
  const plaintext = tuple('guardian share', share);
  try {
    checkShare(appointment, index, share);
    const { sealing } = request.claimant;
    const info = approvalInfo(sealing.kem, id, request);
    const sealed = hpkeSeal(sealing, info, approvalAad(request), plaintext, terms.random ?? systemRandom);
    const body = tuple('recovery approval', request.digest, sealed.encapsulation, sealed.ciphertext);
    return await signStatement(guardian, body);
  } finally {
    for (const secret of [share, plaintext]) secret.fill(0);
  }
}

/**
 * Checks that a request is about the record as it stands: what a guardian checks before it approves, and a verifier of
 * the record before it takes a recovery.
 *
 * @throws `MunimentError` `KEY_RECOVERY`
 */
export function checkStands(request: RecoveryRequest, holding: Holding, appointment: Appointment): void {
  const { claimant } = request;
  const fits =
    equalBytes(request.recordId, appointment.recordId) &&
    equalBytes(request.appointment, appointment.digest) &&
    equalBytes(appointment.digest, holding.appointment) &&
    equalBytes(request.owner, holding.owner.id) &&
    equalBytes(request.since, holding.since) &&
    claimant.subject === holding.owner.subject &&
    // An older key of the owner's does not come back: whoever found it would be the owner.
    claimant.notBefore >= holding.owner.notBefore &&
    !holding.spent.some((id) => equalBytes(id, claimant.id));
  if (!fits) throw new MunimentError('KEY_RECOVERY');
}

/**
 * Verifies an approval without opening it: what a verifier of the record does.
 *
 * @throws `MunimentError` `KEY_RECOVERY` if it is for another request, or nobody's who is a guardian by this
 *   appointment; `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`
 */
export function verifyApproval(
  signed: Uint8Array,
  guardian: Credential,
  about: { readonly appointment: Appointment; readonly request: RecoveryRequest },
): Approval {
  const reader = TupleReader.labelled(verifyStatement(signed, guardian), 'recovery approval');
  const [request, encapsulation, ciphertext] = [reader.bytes(32), reader.bytes(), reader.bytes()];
  reader.end();
  const fits =
    equalBytes(request, about.request.digest) &&
    equalBytes(about.request.appointment, about.appointment.digest) &&
    about.appointment.guardians.some(({ id }) => equalBytes(id, guardian.id));
  if (!fits) throw new MunimentError('KEY_RECOVERY');
  // The brand exists only in types; this is the one place that gives it.
  return { guardian: guardian.id, request, encapsulation, ciphertext } as unknown as Approval;
}

/**
 * The root, from enough approvals.
 *
 * @param claimant - who asked
 * @param about - appointment and request
 * @param approvals - verified; more than needed may be given, and wrong ones are passed over
 * @returns the root, and the Ids of guardians whose share was not the one that the owner gave them
 * @throws `MunimentError` `KEY_RECOVERY` if fewer than needed are right, one guardian's stands twice, or one is for another request
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import * as keys from 'muniment/keys';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await keys.createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const enrol = (subject: string) => keys.enrol(hospital, { subject, roles: ['patient'], ...valid });
 * const [owner, eva, bob] = [await enrol('Ana'), await enrol('Eva'), await enrol('Bob')];
 * const terms = { recordId: systemRandom(16), threshold: 2, guardians: [eva.credential, bob.credential], previous: null };
 * const signed = await keys.appointGuardians(owner, keys.createRoot(), terms);
 * const appointment = keys.verifyAppointment(signed, owner.credential);
 * // In an app `holdingOf` of `muniment/record` tells how the record stands, by its verified chain.
 * const since = systemRandom(32);
 * const holding = { owner: owner.credential, appointment: appointment.digest, since, spent: [] };
 *
 * const fresh = await enrol('Ana');
 * const asked = { appointment, owner: owner.credential.id, since, until: Date.now() + keys.RECOVERY_TERM / 2 };
 * const request = keys.verifyRecoveryRequest(await keys.requestRecovery(fresh, asked), fresh.credential);
 * const approvals: keys.Approval[] = [];
 * for (const guardian of [eva, bob]) {
 *   const approval = await keys.approveRecovery(guardian, appointment, request, { holding, at: Date.now() });
 *   if (approval !== null)
 *     approvals.push(keys.verifyApproval(approval, guardian.credential, { appointment, request }));
 * }
 * const { wrong } = await keys.recoverRoot(fresh, { appointment, request }, approvals);
 * console.log(wrong.length); // 0
 * ```
 */
export async function recoverRoot(
  claimant: Identity,
  about: { readonly appointment: Appointment; readonly request: RecoveryRequest },
  approvals: readonly Approval[],
): Promise<{ readonly root: NodeSecret; readonly wrong: readonly Uint8Array[] }> {
  const { appointment, request } = about;
  if (new Set(approvals.map(({ guardian }) => toHex(guardian))).size !== approvals.length)
    throw new MunimentError('KEY_RECOVERY');
  // What was approved for another request is no guardian's fault.
  if (!approvals.every((approval) => equalBytes(approval.request, request.digest)))
    throw new MunimentError('KEY_RECOVERY');
  const [opened, right, wrong]: [Uint8Array[], Uint8Array[], Uint8Array[]] = [[], [], []];
  try {
    for (const approval of approvals) {
      const index = appointment.guardians.findIndex(({ id }) => equalBytes(id, approval.guardian));
      const info = approvalInfo(claimant.sealing.kem, approval.guardian, request);
      try {
        const share = await openShare(claimant.sealing, info, approvalAad(request), approval);
        opened.push(share);
        checkShare(appointment, index, share);
        right.push(share);
      } catch (error) {
        if (!(error instanceof MunimentError)) throw error; // a card that failed is no guardian's fault either
        wrong.push(approval.guardian);
      }
    }
    return { root: openRoot(appointment, right), wrong };
  } finally {
    for (const share of opened) share.fill(0);
  }
}

function openRoot(appointment: Appointment, shares: readonly Uint8Array[]): NodeSecret {
  if (shares.length < appointment.threshold) throw new MunimentError('KEY_RECOVERY');
  const recoveryKey = combineShares(shares.slice(0, appointment.threshold));
  const secrets = [recoveryKey];
  try {
    const plaintext = openOnce(recoveryKey, rootContext(appointment), appointment.sealedRoot);
    secrets.push(plaintext);
    const reader = TupleReader.labelled(plaintext, 'recovery root');
    const root = reader.bytes(32);
    reader.end();
    return new Secret('tree node', root);
  } catch (cause) {
    throw new MunimentError('KEY_RECOVERY', undefined, { cause });
  } finally {
    for (const secret of secrets) secret.fill(0);
  }
}

function checkTime({ claimant, until }: RecoveryRequest, at: number): void {
  // Asked this way round, a time that is no number is past.
  const fits =
    at >= claimant.notBefore && at <= claimant.notAfter && at <= until && until <= at + RECOVERY_TERM;
  if (!fits) throw new MunimentError('KEY_RECOVERY');
}

async function openShare(
  key: Decapsulator,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: HpkeSealed,
): Promise<Uint8Array> {
  const { plaintext } = await hpkeOpenWith(key, info, aad, sealed);
  try {
    const reader = TupleReader.labelled(plaintext, 'guardian share');
    const share = reader.bytes(SHARE_LENGTH);
    reader.end();
    return share;
  } finally {
    plaintext.fill(0);
  }
}

function checkShare(appointment: Appointment, index: number, share: Uint8Array): void {
  const committed = appointment.guardians[index]?.commitment ?? new Uint8Array(0);
  const right = share[0] === index + 1 && equalSecrets(shareCommitment(appointment, share), committed);
  if (!right) throw new MunimentError('KEY_RECOVERY');
}

function approvalInfo(kemId: KemId, guardian: Uint8Array, { claimant }: RecoveryRequest): Uint8Array {
  return tuple('recovery wrap', suite(kemId), guardian, claimant.id);
}

function approvalAad({ digest }: RecoveryRequest): Uint8Array {
  return tuple('recovery wrap aad', digest);
}
