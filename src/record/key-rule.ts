/** Which statements about keys hold: a new Id of the owner, guardians, recovery, who acts for the owner, losses. spec/authority.md, "Statements". */

import {
  hasRole,
  verifyApproval,
  verifyAppointment,
  verifyRecoveryRequest,
  type Credential,
} from '../keys/index.ts';
import { equalBytes, toHex } from '../wire/index.ts';
import {
  FORMER_OWNERS_LIMIT,
  isOwner,
  isSpent,
  LOSSES_LIMIT,
  PROXIES_LIMIT,
  type Authority,
  type Proxy,
} from './authority.ts';
import type { AuthoritySaid } from './authority-statements.ts';
import type { ChainRules } from './chain.ts';
import type { Step } from './rule.ts';

/** Whose credentials are known. */
export interface Directory {
  /** As in `ChainRules`: the credential behind an Id as it stood when the entry was written, `null` if it did not. */
  readonly authors: ChainRules<unknown>['authors'];
  /** The credential behind an Id, whatever became of it: an appointment outlives the key that signed it. */
  readonly known: (id: Uint8Array) => Credential | null;
}

type Said<Kind extends AuthoritySaid['kind']> = Extract<AuthoritySaid, { readonly kind: Kind }>;

/** The owner takes leave of its Id for another of its own. */
export function succession(
  authority: Authority,
  { entry, author }: Step,
  { owner }: Said<'succession'>,
  { authors }: Directory,
): Authority | null {
  if (!isOwner(authority, author.id)) return null;
  const next = authors(owner, entry)?.credential;
  return next === undefined ? null : ownedBy(authority, next);
}

/** The owner names who brings it back. */
export function guardians(
  authority: Authority,
  { entry, author }: Step,
  said: Said<'guardians'>,
  { authors }: Directory,
): Authority | null {
  if (!isOwner(authority, author.id)) return null;
  const next = verifyAppointment(said.appointment, author);
  const { appointment: before } = authority;
  const follows =
    before === null
      ? next.number === 0
      : next.number === before.number + 1 && equalBytes(next.previous, before.digest);
  if (!follows || !equalBytes(next.recordId, entry.recordId)) return null;
  const subjects = new Set([authority.subject]);
  for (const { id } of next.guardians) {
    const guardian = authors(id, entry)?.credential;
    if (guardian === undefined || isSpent(authority, id) || !isIndependent(guardian)) return null;
    subjects.add(guardian.subject);
  }
  // As many people as guardians, and none of them the owner.
  if (subjects.size !== next.guardians.length + 1) return null;
  return { ...authority, appointment: { digest: next.digest, number: next.number, owner: author.id } };
}

/** The owner is back under a fresh Id, by the word of enough guardians. */
export function recovery(
  authority: Authority,
  { entry, author }: Step,
  said: Said<'recovery'>,
  { authors, known }: Directory,
): Authority | null {
  const { appointment: held, owner } = authority;
  const appointer = held === null ? null : known(held.owner);
  if (held === null || appointer === null || owner === null) return null;
  const appointment = verifyAppointment(said.appointment, appointer);
  const request = verifyRecoveryRequest(said.request, author);
  const fits =
    equalBytes(appointment.digest, held.digest) &&
    equalBytes(request.recordId, entry.recordId) &&
    equalBytes(request.owner, owner) &&
    entry.time <= request.until;
  if (!fits) return null;
  // That the request is about this appointment, each approval's verification demands.
  const approved = new Set<string>();
  for (const { guardian, signed } of said.approvals) {
    const credential = authors(guardian, entry)?.credential;
    if (credential === undefined || isSpent(authority, guardian)) return null;
    verifyApproval(signed, credential, { appointment, request });
    approved.add(toHex(guardian));
  }
  if (approved.size !== said.approvals.length || approved.size < appointment.threshold) return null;
  return ownedBy(authority, author);
}

/** Somebody acts for the owner: a carer by the owner's word, a parent or executor by the administrator's. */
export function proxy(
  authority: Authority,
  { entry, author }: Step,
  said: Said<'proxy'>,
  { authors }: Directory,
): Authority | null {
  const { role, until } = said;
  const named = authors(said.proxy, entry)?.credential;
  const may =
    named !== undefined &&
    until > entry.time &&
    named.subject !== authority.subject &&
    !isSpent(authority, named.id) &&
    isIndependent(named) &&
    mayName(authority, author, said);
  const others = authority.proxies.filter(({ id }) => !equalBytes(id, said.proxy));
  const same = authority.proxies.find(({ id }) => equalBytes(id, said.proxy));
  if (!may || others.length >= PROXIES_LIMIT || (same !== undefined && same.role !== role)) return null;
  const proxies: Proxy[] = [...others, { id: named.id, role, from: entry.time, until }];
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

/** A key never acts again in this record. Said of the owner's and its proxies' by any of them, of any by the administrator. */
export function loss(
  authority: Authority,
  { entry, author }: Step,
  { lost, since }: Said<'loss'>,
): Authority | null {
  const within = (id: Uint8Array): boolean =>
    isOwner(authority, id) || authority.proxies.some((one) => equalBytes(one.id, id));
  const acts = (id: Uint8Array): boolean =>
    isOwner(authority, id) ||
    authority.proxies.some(
      (one) => equalBytes(one.id, id) && entry.time >= one.from && entry.time < one.until,
    );
  // One proxy says nothing about another: it would be rid of whoever disagrees with it.
  const own = equalBytes(author.id, lost) || isOwner(authority, author.id) || isOwner(authority, lost);
  if (!isAdministrator(author) && !(within(lost) && acts(author.id) && own)) return null;
  const known = authority.losses.find(({ id }) => equalBytes(id, lost));
  const losses = authority.losses.filter((one) => one !== known);
  if (since > entry.time || losses.length >= LOSSES_LIMIT) return null;
  const earliest = Math.min(since, known?.since ?? since);
  return { ...authority, losses: [...losses, { id: lost, since: earliest }] };
}

/** Whether a credential is the administrator's. */
export function isAdministrator(credential: Credential): boolean {
  return hasRole(credential, 'administrator');
}

// Whoever issues keys, or keeps the record, is nobody's guardian and acts for nobody: that would be all power in one hand.
function isIndependent(credential: Credential): boolean {
  return !isAdministrator(credential) && !hasRole(credential, 'bank');
}

function mayName(authority: Authority, author: Credential, { role, until }: Said<'proxy'>): boolean {
  const { closure, majority, ownerWrote } = authority;
  switch (role) {
    case 'carer':
      return isOwner(authority, author.id);
    case 'parent':
      // The first sets the date, which no later one moves.
      return (
        isAdministrator(author) &&
        closure?.ground !== 'death' &&
        (majority === null ? ownerWrote === null : until === majority)
      );
    case 'executor':
      return isAdministrator(author) && closure?.ground === 'death';
  }
}

function ownedBy(authority: Authority, next: Credential): Authority | null {
  const { owner, subject, formerOwners } = authority;
  const fits =
    owner !== null &&
    next.subject === subject &&
    !equalBytes(next.id, owner) &&
    !isSpent(authority, next.id) &&
    formerOwners.length < FORMER_OWNERS_LIMIT;
  return fits ? { ...authority, owner: next.id, formerOwners: [...formerOwners, owner] } : null;
}
