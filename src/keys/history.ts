/**
 * Key history: which credentials an issuer gave and which were taken back, so that a signature is judged by the
 * time it was made at and not by today. spec/keys.md, "Key history".
 */

import { MunimentError } from '../errors.ts';
import { compareBytes, equalBytes, toHex } from '../wire/index.ts';
import type { Credential } from './credential.ts';
import type { Revocation } from './revocation.ts';

/** Most credentials in one history. */
export const HISTORY_CREDENTIALS_LIMIT = 65_536;
/** Most revocations in one history. */
export const HISTORY_REVOCATIONS_LIMIT = 65_536;

// A name that only this file knows: no other object passes as a history.
const lives = Symbol('lives');

/** What is known of one issuer's credentials. Opaque: {@link credentialAsOf} and {@link currentCredential} read it. */
export interface KeyHistory {
  /** @hidden */
  readonly [lives]: {
    readonly byId: ReadonlyMap<string, Life>;
    /** The newest first. */
    readonly bySubject: ReadonlyMap<string, readonly Life[]>;
  };
}

/** A credential that was not revoked at the time asked about, and how sure that is. */
export interface Standing {
  readonly credential: Credential;
  /** `doubtful`: its key may have been somebody else's by then, or its end may not have been known yet. Neither valid nor invalid. */
  readonly standing: 'valid' | 'doubtful';
}

interface Life {
  readonly credential: Credential;
  /** `Infinity` if nobody took it back. */
  readonly doubtfulFrom: number;
  readonly revokedFrom: number;
}

/**
 * Joins what was verified into a history. The same material gives the same history in whatever order it comes,
 * and twice the same counts once. Where revocations disagree the earliest doubt and the earliest end hold.
 *
 * @param issuer - who issued all of the credentials
 * @param material - verified credentials and revocations, without the issuer's own credential; revocations of credentials that are not among these do nothing
 * @throws `MunimentError` `WIRE_LIMIT` if there are too many; `KEY_CREDENTIAL` if somebody else issued or revoked one
 * @example
 * ```ts
 * import {
 *   createAnchor, createKeyHistory, credentialAsOf, enrol, revokeCredential, verifyRevocation,
 * } from 'muniment/keys';
 * const validity = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...validity });
 * const { credential } = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...validity });
 * const theft = { reason: 'compromised', doubtfulFrom: 1000, revokedAt: 2000 } as const;
 * const signed = await revokeCredential(hospital, credential, theft);
 * const revocations = [verifyRevocation(signed, hospital.credential, 3000)];
 * const history = createKeyHistory(hospital.credential, { credentials: [credential], revocations });
 * credentialAsOf(history, credential.id, 999).standing; // 'valid'
 * credentialAsOf(history, credential.id, 2999).standing; // 'doubtful'; at 3000 it throws KEY_REVOKED
 * ```
 */
export function createKeyHistory(
  issuer: Credential,
  material: { readonly credentials: readonly Credential[]; readonly revocations: readonly Revocation[] },
): KeyHistory {
  const { credentials, revocations } = material;
  if (credentials.length > HISTORY_CREDENTIALS_LIMIT) throw new MunimentError('WIRE_LIMIT');
  if (revocations.length > HISTORY_REVOCATIONS_LIMIT) throw new MunimentError('WIRE_LIMIT');
  const byId = new Map<string, Life>();
  for (const credential of credentials) {
    if (!equalBytes(credential.issuer, issuer.id)) throw new MunimentError('KEY_CREDENTIAL');
    const id = toHex(credential.id);
    byId.set(id, canonical(byId.get(id), credential));
  }
  for (const revocation of revocations) {
    const { author, credential } = revocation;
    if (!equalBytes(author, issuer.id) && !equalBytes(author, credential))
      throw new MunimentError('KEY_CREDENTIAL');
    const id = toHex(credential);
    const life = byId.get(id);
    if (life !== undefined) byId.set(id, shortened(life, revocation));
  }
  return { [lives]: { byId, bySubject: groupBySubject(byId.values()) } };
}

/**
 * Judges the credential of an Id at a time: that of a signature, of an entry, of a message.
 *
 * @param history - what is known
 * @param id - the Id that a signature names, 32 bytes
 * @param at - the time it is judged at, in milliseconds since 1970
 * @returns the credential, and whether it was valid then or doubtful; whoever is about to act, and not to look back, takes `valid` alone
 * @throws `MunimentError` `KEY_CREDENTIAL` if it is not known or outside its validity; `KEY_REVOKED` if it was revoked by then
 */
export function credentialAsOf(history: KeyHistory, id: Uint8Array, at: number): Standing {
  return judge(history[lives].byId.get(toHex(id)), at);
}

/**
 * The credential to use for a subject at a time: to seal or grant to. That is the one that began last; if it has
 * ended, or was revoked, the one before it does not come back.
 *
 * @param history - what is known
 * @param subject - the subject's name, which the issuer gives to one party
 * @param at - the time, in milliseconds since 1970
 * @throws `MunimentError` `KEY_CREDENTIAL` if there is none or it is outside its validity; `KEY_REVOKED` if it is revoked or doubtful
 * @example
 * ```ts
 * import { createAnchor, createKeyHistory, currentCredential, enrol } from 'muniment/keys';
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], notBefore: 0, notAfter: 4e12 });
 * const profile = { subject: 'Dr. Ruiz', roles: ['doctor'], notAfter: 4e12 };
 * const first = await enrol(hospital, { ...profile, notBefore: 0 });
 * const second = await enrol(hospital, { ...profile, notBefore: 1000 });
 * const credentials = [first.credential, second.credential];
 * const history = createKeyHistory(hospital.credential, { credentials, revocations: [] });
 * currentCredential(history, 'Dr. Ruiz', 1000) === second.credential; // true
 * ```
 */
export function currentCredential(history: KeyHistory, subject: string, at: number): Credential {
  const own = history[lives].bySubject.get(subject) ?? [];
  const begun = own.find(({ credential }) => credential.notBefore <= at);
  const { credential, standing } = judge(begun, at);
  if (standing === 'doubtful') throw new MunimentError('KEY_REVOKED');
  return credential;
}

// A body signed twice, under an algorithm that draws randomness, is one credential in two spellings: either does,
// as long as everybody takes the same.
function canonical(known: Life | undefined, credential: Credential): Life {
  const keep = known !== undefined && compareBytes(known.credential.encoded, credential.encoded) <= 0;
  return keep ? known : { credential, doubtfulFrom: Infinity, revokedFrom: Infinity };
}

function shortened(life: Life, { doubtfulFrom, revokedFrom }: Revocation): Life {
  return {
    credential: life.credential,
    doubtfulFrom: Math.min(life.doubtfulFrom, doubtfulFrom),
    revokedFrom: Math.min(life.revokedFrom, revokedFrom),
  };
}

function groupBySubject(all: Iterable<Life>): Map<string, Life[]> {
  const bySubject = new Map<string, Life[]>();
  for (const life of all) {
    const { subject } = life.credential;
    const own = bySubject.get(subject) ?? [];
    own.push(life);
    bySubject.set(subject, own);
  }
  for (const own of bySubject.values()) own.sort(newestFirst);
  return bySubject;
}

// Two that began in the same millisecond are ordered by Id: an arbitrary order, and everybody's.
function newestFirst({ credential: a }: Life, { credential: b }: Life): number {
  return b.notBefore - a.notBefore || compareBytes(b.id, a.id);
}

function judge(life: Life | undefined, at: number): Standing {
  if (life === undefined) throw new MunimentError('KEY_CREDENTIAL');
  const { credential, doubtfulFrom, revokedFrom } = life;
  const { notBefore, notAfter } = credential;
  // Asked this way round, a time that is no number lies outside.
  if (!(at >= notBefore && at <= notAfter)) throw new MunimentError('KEY_CREDENTIAL');
  if (at >= revokedFrom) throw new MunimentError('KEY_REVOKED');
  return { credential, standing: at >= doubtfulFrom ? 'doubtful' : 'valid' };
}
