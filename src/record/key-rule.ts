/** Which statements about keys hold: a new Id of the owner, guardians, recovery, who acts for the owner, losses. spec/authority.md, "Statements". */

import {
  checkStands,
  hasRole,
  RECOVERY_TERM,
  verifyApproval,
  verifyAppointment,
  verifyRecoveryRequest,
  type Credential,
} from '../keys/index.ts';
import { equalBytes, toHex } from '../wire/index.ts';
import {
  capacityOf,
  FORMER_OWNERS_LIMIT,
  holdingOf,
  isOwner,
  isSpent,
  LOSSES_LIMIT,
  OWN_LOSSES_LIMIT,
  PROXIES_LIMIT,
  type Authority,
  type Proxy,
} from './authority.ts';
import type { AuthoritySaid } from './authority-statements.ts';
import type { ChainRules } from './chain.ts';
import { yearsAfter } from './retention.ts';
import type { Step } from './rule.ts';

/** Nobody is a child for longer, in any country. */
const MINORITY_YEARS = 21;

/** Whose credentials are known. */
export interface Directory {
  /** As in `ChainRules`: the credential behind an Id as it stood when the entry was written, `null` if it did not. */
  readonly authors: ChainRules<unknown>['authors'];
  /** The credential behind an Id, whatever became of it: an appointment outlives the key that signed it. */
  readonly known: (id: Uint8Array) => Credential | null;
}

/** What a statement of one kind says. */
export type Said<Kind extends AuthoritySaid['kind']> = Extract<AuthoritySaid, { readonly kind: Kind }>;

/** The owner takes leave of its Id for another of its own. */
export function succession(
  authority: Authority,
  step: Step,
  { owner }: Said<'succession'>,
  directory: Directory,
): Authority | null {
  if (!isOwner(authority, step.author.id)) return null;
  const next = named(owner, step, directory);
  return next === null ? null : ownedBy(authority, step, next);
}

/** The owner names who brings it back. */
export function guardians(
  authority: Authority,
  step: Step,
  said: Said<'guardians'>,
  directory: Directory,
): Authority | null {
  const { entry, author, hash } = step;
  if (!isOwner(authority, author.id)) return null;
  const next = verifyAppointment(said.appointment, author);
  const { appointment: before } = authority;
  const follows =
    before === null
      ? next.number === 0
      : next.number === before.number + 1 && equalBytes(next.previous, before.digest);
  if (!follows || !equalBytes(next.recordId, entry.recordId)) return null;
  const all = [author];
  for (const { id } of next.guardians) {
    const guardian = named(id, step, directory);
    if (guardian === null || isSpent(authority, id) || !isIndependent(guardian)) return null;
    all.push(guardian);
  }
  if (!areDifferentPeople(all)) return null;
  const appointment = { digest: next.digest, number: next.number, owner: author.id };
  return { ...authority, appointment, since: hash };
}

/** The owner is back under a fresh Id, by the word of enough guardians. */
export function recovery(
  authority: Authority,
  step: Step,
  said: Said<'recovery'>,
  directory: Directory,
): Authority | null {
  const { entry, author } = step;
  const { appointment: held } = authority;
  const appointer = held === null ? null : directory.known(held.owner);
  if (appointer === null) return null;
  const appointment = verifyAppointment(said.appointment, appointer);
  const request = verifyRecoveryRequest(said.request, author);
  checkStands(request, holdingOf(authority, directory.known), appointment);
  if (!(entry.time <= request.until && request.until <= entry.time + RECOVERY_TERM)) return null;
  const approved = new Set<string>();
  for (const { guardian, signed } of said.approvals) {
    const credential = named(guardian, step, directory);
    if (credential === null || isSpent(authority, guardian)) return null;
    verifyApproval(signed, credential, { appointment, request });
    approved.add(toHex(guardian));
  }
  if (approved.size !== said.approvals.length || approved.size < appointment.threshold) return null;
  return ownedBy(authority, step, author);
}

/** Somebody acts for the owner: a carer by the owner's word, a parent or executor by the administrator's. */
export function proxy(
  authority: Authority,
  step: Step,
  said: Said<'proxy'>,
  directory: Directory,
): Authority | null {
  const { entry } = step;
  const { role, until } = said;
  const next = named(said.proxy, step, directory);
  const may =
    next !== null &&
    until > entry.time &&
    next.subject !== authority.subject &&
    !isSpent(authority, next.id) &&
    isIndependent(next) &&
    mayName(authority, step, said);
  // Whoever's time is over holds no place any more.
  const acting = authority.proxies.filter((one) => one.until > entry.time);
  const others = acting.filter(({ id }) => !equalBytes(id, said.proxy));
  const same = acting.find(({ id }) => equalBytes(id, said.proxy));
  if (!may || others.length >= PROXIES_LIMIT || (same !== undefined && same.role !== role)) return null;
  const proxies: Proxy[] = [...others, { id: next.id, role, from: entry.time, until }];
  return { ...authority, proxies, majority: role === 'parent' ? until : authority.majority };
}

/** Somebody no longer acts for the owner. */
export function endOfProxy(
  authority: Authority,
  { author }: Step,
  said: Said<'end of proxy'>,
): Authority | null {
  const ended = authority.proxies.find(({ id }) => equalBytes(id, said.proxy));
  if (ended === undefined) return null;
  const byOther = ended.role === 'carer' ? isOwner(authority, author.id) : isAdministrator(author);
  if (!byOther && !equalBytes(ended.id, author.id)) return null;
  return { ...authority, proxies: authority.proxies.filter((one) => one !== ended) };
}

/**
 * A key never acts again in this record. Everybody says so of its own, the owner of its proxies', the administrator of
 * any. No proxy says it of the owner's: it would be rid of whom it acts for, and go on acting.
 */
export function loss(
  authority: Authority,
  { entry, author }: Step,
  { lost, since }: Said<'loss'>,
): Authority | null {
  const isLost = ({ id }: { readonly id: Uint8Array }): boolean => equalBytes(id, lost);
  const own = isLost(author) && capacityOf(authority, lost, entry.time) !== null;
  const proxys = isOwner(authority, author.id) && authority.proxies.some(isLost);
  const byAdministrator = isAdministrator(author);
  if (since > entry.time || !(own || proxys || byAdministrator)) return null;
  const known = authority.losses.find(isLost);
  const losses = authority.losses.filter((one) => one !== known);
  const isOwners = (id: Uint8Array): boolean =>
    isOwner(authority, id) || authority.formerOwners.some((one) => equalBytes(one, id));
  const counted = losses.filter(({ id }) => !isOwners(id)).length;
  if (!isOwners(lost) && counted >= (byAdministrator ? LOSSES_LIMIT : OWN_LOSSES_LIMIT)) return null;
  const earliest = Math.min(since, known?.since ?? since);
  const proxies = authority.proxies.filter((one) => !isLost(one));
  return { ...authority, proxies, losses: [...losses, { id: lost, since: earliest }] };
}

/** Whether a credential is the administrator's. */
export function isAdministrator(credential: Credential): boolean {
  return hasRole(credential, 'administrator');
}

// Whoever issues keys, or keeps the record, is nobody's guardian and acts for nobody: that would be all power in one hand.
function isIndependent(credential: Credential): boolean {
  return !isAdministrator(credential) && !hasRole(credential, 'bank');
}

// One person with two credentials has one key in both, or two names: neither counts twice.
function areDifferentPeople(all: readonly Credential[]): boolean {
  const distinct = (of: (one: Credential) => string): boolean => new Set(all.map(of)).size === all.length;
  return (
    distinct(({ subject }) => subject) &&
    distinct(({ signing }) => toHex(signing.publicKey)) &&
    distinct(({ sealing }) => toHex(sealing.publicKey))
  );
}

/** Whom a statement names. Nobody is taken whose key is in doubt; who stands in a chain already stays. */
export function named(id: Uint8Array, { entry, appending }: Step, { authors }: Directory): Credential | null {
  const found = authors(id, entry);
  if (found === null || !equalBytes(found.credential.id, id)) return null;
  const { notBefore, notAfter } = found.credential;
  if (!(entry.time >= notBefore && entry.time <= notAfter)) return null;
  return appending && found.standing === 'doubtful' ? null : found.credential;
}

function mayName(authority: Authority, { entry, author }: Step, { role, until }: Said<'proxy'>): boolean {
  const { closure, majority, ownerWrote } = authority;
  switch (role) {
    case 'carer':
      return isOwner(authority, author.id);
    case 'parent':
      // The first sets the date, which no later one moves.
      return (
        isAdministrator(author) &&
        closure?.ground !== 'death' &&
        until <= yearsAfter(entry.time, MINORITY_YEARS) &&
        (majority === null ? ownerWrote === null : until === majority)
      );
    case 'executor':
      return isAdministrator(author) && closure?.ground === 'death';
  }
}

function ownedBy(authority: Authority, { hash }: Step, next: Credential): Authority | null {
  const { owner, subject, formerOwners } = authority;
  const fits =
    owner !== null &&
    next.subject === subject &&
    !equalBytes(next.id, owner) &&
    !isSpent(authority, next.id) &&
    formerOwners.length < FORMER_OWNERS_LIMIT;
  return fits ? { ...authority, owner: next.id, formerOwners: [...formerOwners, owner], since: hash } : null;
}
