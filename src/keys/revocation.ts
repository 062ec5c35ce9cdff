/**
 * Revocations: an issuer takes a credential back before its end, or the subject itself renounces it. Either only
 * takes away; and of the time before a verifier heard of it, it takes certainty at most, never validity.
 * spec/keys.md, "Revocations".
 */

import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { ID_LENGTH, NAME_LIMIT, SELF_ISSUED, type Credential } from './credential.ts';
import type { Identity } from './identity.ts';
import { signStatement, verifyStatement } from './statement.ts';

/** Why an issuer takes a credential back; a closed list. */
export const REVOCATION_REASONS = ['superseded', 'ceased', 'compromised'] as const;
/** One of {@link REVOCATION_REASONS}. */
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** What an issuer says when it takes a credential back. Times are milliseconds since 1970. */
export type RevocationTerms =
  | {
      /** A successor took its place, or its subject no longer has the role. Nothing that was signed before is in doubt. */
      readonly reason: 'superseded' | 'ceased';
      /** The first millisecond at which it is valid no more. */
      readonly revokedAt: number;
    }
  | {
      /** Somebody else may have its keys. */
      readonly reason: 'compromised';
      readonly revokedAt: number;
      /** Since when: what was signed from here on is doubtful. At most `revokedAt`. */
      readonly doubtfulFrom: number;
    };

declare const verified: unique symbol;

/** A verified revocation or renunciation: made by {@link verifyRevocation} and {@link verifyRenunciation} alone. */
export interface Revocation {
  /** The Id of the credential that is taken back. */
  readonly credential: Uint8Array;
  /** The Id of who said so: the issuer, or the credential's own subject. */
  readonly author: Uint8Array;
  readonly reason: RevocationReason | 'renounced';
  /** From here on what its key signs is doubtful. */
  readonly doubtfulFrom: number;
  /** From here on it is not valid: when the author says so, but not before it was heard. */
  readonly revokedFrom: number;
  readonly [verified]: true;
}

/**
 * Takes a credential back, as its issuer.
 *
 * @param issuer - the identity that issued it
 * @param credential - what is taken back; it may have ended, and may have been taken back before
 * @param terms - why, from when on, and for stolen keys since when there is doubt
 * @returns a signed statement, for everybody
 * @throws `MunimentError` `KEY_CREDENTIAL` if somebody else issued it; `RangeError` if doubt would begin after the end
 * @example
 * ```ts
 * import { createAnchor, enrol, revokeCredential, verifyRevocation } from 'muniment/keys';
 * const validity = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...validity });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...validity });
 * const theft = { reason: 'compromised', doubtfulFrom: 1_700_000_000_000, revokedAt: 1_700_000_600_000 } as const;
 * const signed = await revokeCredential(hospital, doctor.credential, theft);
 * verifyRevocation(signed, hospital.credential, Date.now()).reason; // 'compromised'
 * ```
 */
export async function revokeCredential(
  issuer: Identity,
  credential: Credential,
  terms: RevocationTerms,
): Promise<Uint8Array> {
  if (!equalBytes(credential.issuer, issuer.credential.id)) throw new MunimentError('KEY_CREDENTIAL');
  const { reason, revokedAt } = terms;
  // Whoever calls without types would otherwise sign what no verifier takes, and believe the key revoked.
  if (!REVOCATION_REASONS.includes(reason)) throw new RangeError('no reason for a revocation');
  const doubtfulFrom = reason === 'compromised' ? terms.doubtfulFrom : revokedAt;
  for (const time of [revokedAt, doubtfulFrom]) checkTime(time);
  if (doubtfulFrom > revokedAt) throw new RangeError('doubt begins when the key is revoked, or before');
  return signStatement(issuer, tuple('revocation', credential.id, reason, revokedAt, doubtfulFrom));
}

/**
 * Verifies a revocation by an issuer.
 *
 * @param signed - what {@link revokeCredential} made
 * @param issuer - the issuer's credential, already trusted
 * @param heardAt - when the verifier, or the log that it goes by, first had the statement, in milliseconds since 1970
 * @throws `MunimentError` `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`; `KEY_CREDENTIAL` if it is about the issuer's own credential
 */
export function verifyRevocation(signed: Uint8Array, issuer: Credential, heardAt: number): Revocation {
  checkTime(heardAt);
  const reader = TupleReader.labelled(verifyStatement(signed, issuer), 'revocation');
  const credential = reader.bytes(ID_LENGTH);
  const reason = readReason(reader.text(NAME_LIMIT));
  const [revokedAt, doubtfulFrom] = [reader.integer(), reader.integer()];
  reader.end();
  const inOrder = reason === 'compromised' ? doubtfulFrom <= revokedAt : doubtfulFrom === revokedAt;
  if (!inOrder) throw new MunimentError('WIRE_TUPLE');
  if (equalBytes(credential, issuer.id)) throw new MunimentError('KEY_CREDENTIAL');
  // What was signed before anybody heard may have been relied on in good faith, and a date can be put back.
  const revokedFrom = Math.max(revokedAt, heardAt);
  return vouchedFor({ credential, author: issuer.id, reason, doubtfulFrom, revokedFrom });
}

/**
 * Gives up one's own credential, with the very key that is given up. It names no time, since nobody could believe
 * one: it counts from when it is heard. So it can be signed on the day of issuance and kept in a drawer, for the
 * day on which the card is lost.
 *
 * @param subject - the identity whose credential ends
 * @returns a signed statement: whoever publishes it ends the credential
 * @throws `MunimentError` `KEY_CREDENTIAL` if the credential is self-issued: an anchor ends where it is pinned
 * @example
 * ```ts
 * import { createAnchor, enrol, renounceCredential, verifyRenunciation } from 'muniment/keys';
 * const validity = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...validity });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...validity });
 * const kept = await renounceCredential(doctor); // on paper, in a drawer
 * verifyRenunciation(kept, doctor.credential, Date.now()).reason; // 'renounced'
 * ```
 */
export async function renounceCredential(subject: Identity): Promise<Uint8Array> {
  checkIssued(subject.credential);
  return signStatement(subject, tuple('renunciation', subject.credential.id));
}

/**
 * Verifies a renunciation by a credential's own subject.
 *
 * @param signed - what {@link renounceCredential} made
 * @param subject - the credential that it is about, and under which it must be signed
 * @param heardAt - when the verifier, or the log that it goes by, first had the statement, in milliseconds since 1970
 * @throws `MunimentError` `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`; `KEY_CREDENTIAL` if the credential is self-issued
 */
export function verifyRenunciation(signed: Uint8Array, subject: Credential, heardAt: number): Revocation {
  checkTime(heardAt);
  const reader = TupleReader.labelled(verifyStatement(signed, subject), 'renunciation');
  const credential = reader.bytes(ID_LENGTH);
  reader.end();
  if (!equalBytes(credential, subject.id)) throw new MunimentError('WIRE_TUPLE');
  checkIssued(subject);
  const times = { doubtfulFrom: heardAt, revokedFrom: heardAt };
  return vouchedFor({ credential, author: subject.id, reason: 'renounced', ...times });
}

// Trust in an anchor was given elsewhere, and is taken away there.
function checkIssued({ issuer }: Credential): void {
  if (equalBytes(issuer, SELF_ISSUED)) throw new MunimentError('KEY_CREDENTIAL');
}

function readReason(text: string): RevocationReason {
  return REVOCATION_REASONS.find((reason) => reason === text) ?? refuse();
}

function refuse(): never {
  throw new MunimentError('WIRE_TUPLE');
}

// A time that is no number would compare as "not yet" with every other, and take nothing back.
function checkTime(time: number): void {
  if (!Number.isSafeInteger(time) || time < 0)
    throw new RangeError('a time is a whole number of milliseconds since 1970');
}

function vouchedFor(revocation: Omit<Revocation, typeof verified>): Revocation {
  // The brand exists only in types; this is the one place that gives it, after the author's signature was checked.
  return revocation as Revocation;
}
