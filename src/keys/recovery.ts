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

declare const verified: unique symbol;

/** A verified request: made by {@link verifyRecoveryRequest} alone. */
export interface RecoveryRequest {
  readonly recordId: Uint8Array;
  /** Digest of the appointment that it relies on. */
  readonly appointment: Uint8Array;
  /** The Id that is to be replaced. */
  readonly owner: Uint8Array;
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

/** Asks the guardians for the root, as the owner under a fresh credential. Signed by its key. */
export async function requestRecovery(
  claimant: Identity,
  asked: { readonly appointment: Appointment; readonly owner: Uint8Array; readonly until: number },
): Promise<Uint8Array> {
  const { recordId, digest } = asked.appointment;
  return signStatement(claimant, tuple('recovery request', recordId, digest, asked.owner, asked.until));
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
 * @param guardian - who approves, having made sure by other ways that the owner asks
 * @param appointment - the one that holds by the record's chain
 * @param request - verified
 * @param terms - the time, in milliseconds since 1970; randomness for vectors only
 * @returns the signed approval; `null` if the identity is no guardian by this appointment
 * @throws `MunimentError` `KEY_RECOVERY` if the request is about another appointment, past, or another subject's, or
 *   the share is not the one committed to; `KEY_OPEN`
 */
export async function approveRecovery(
  guardian: Identity,
  appointment: Appointment,
  request: RecoveryRequest,
  terms: { readonly at: number; readonly random?: Random },
): Promise<Uint8Array | null> {
  checkRequest(request, appointment, terms.at);
  const { id } = guardian.credential;
  const index = appointment.guardians.findIndex((one) => equalBytes(one.id, id));
  const own = appointment.guardians[index];
  if (own === undefined) return null;
  const aad = shareAad(appointment, index + 1, own.commitment);
  const share = await openShare(guardian.sealing, shareInfo(guardian.sealing.kem, id), aad, own);
  checkShare(appointment, index, share);
  const { sealing } = request.claimant;
  const [info, bound] = [approvalInfo(sealing.kem, id, request), approvalAad(request)];
  const sealed = hpkeSeal(sealing, info, bound, tuple('guardian share', share), terms.random ?? systemRandom);
  share.fill(0);
  return signStatement(
    guardian,
    tuple('recovery approval', request.digest, sealed.encapsulation, sealed.ciphertext),
  );
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
  const shares: Uint8Array[] = [];
  const wrong: Uint8Array[] = [];
  for (const approval of approvals) {
    const index = appointment.guardians.findIndex(({ id }) => equalBytes(id, approval.guardian));
    const info = approvalInfo(claimant.sealing.kem, approval.guardian, request);
    try {
      const share = await openShare(claimant.sealing, info, approvalAad(request), approval);
      checkShare(appointment, index, share);
      shares.push(share);
    } catch (error) {
      if (!(error instanceof MunimentError)) throw error; // a card that failed is no guardian's fault either
      wrong.push(approval.guardian);
    }
  }
  if (shares.length < appointment.threshold) {
    for (const share of shares) share.fill(0);
    throw new MunimentError('KEY_RECOVERY');
  }
  const recoveryKey = combineShares(shares.slice(0, appointment.threshold));
  try {
    const plaintext = openOnce(recoveryKey, rootContext(appointment), appointment.sealedRoot);
    const reader = TupleReader.labelled(plaintext, 'recovery root');
    const root = reader.bytes(32);
    reader.end();
    return { root: new Secret('tree node', root), wrong };
  } catch (cause) {
    throw new MunimentError('KEY_RECOVERY', undefined, { cause });
  } finally {
    for (const secret of [recoveryKey, ...shares]) secret.fill(0);
  }
}

function checkRequest(request: RecoveryRequest, appointment: Appointment, at: number): void {
  const fits =
    equalBytes(request.appointment, appointment.digest) &&
    equalBytes(request.recordId, appointment.recordId) &&
    request.claimant.subject === appointment.subject &&
    at >= request.claimant.notBefore &&
    at <= request.claimant.notAfter &&
    // Asked this way round, a time that is no number is past.
    at <= request.until;
  if (!fits) throw new MunimentError('KEY_RECOVERY');
}

async function openShare(
  key: Decapsulator,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: HpkeSealed,
): Promise<Uint8Array> {
  const { plaintext } = await hpkeOpenWith(key, info, aad, sealed);
  const reader = TupleReader.labelled(plaintext, 'guardian share');
  const share = reader.bytes(SHARE_LENGTH);
  reader.end();
  return share;
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
