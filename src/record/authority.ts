/**
 * Who may act in a record: what its statements have said so far about its owner, who acts for the owner, which keys are
 * lost and whether it is closed. Bounded, never changed in place, and storable. spec/authority.md, "Authority".
 */

import { MunimentError } from '../errors.ts';
import { NAME_LIMIT, type Credential, type Holding } from '../keys/index.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { RUNS_LIMIT, type Run } from './runs.ts';

/** Most owners that a record may have had before its present one. */
export const FORMER_OWNERS_LIMIT = 256;
/** Most people who act for an owner at once. */
export const PROXIES_LIMIT = 16;
/** Most lost keys that one record knows of, those of its owners not counted: of these a loss can always be stated. */
export const LOSSES_LIMIT = 64;
/** Up to how many of them others than the administrator may state one: a thief leaves room for who finds out. */
export const OWN_LOSSES_LIMIT = 32;
const ALL_LOSSES_LIMIT = LOSSES_LIMIT + FORMER_OWNERS_LIMIT + 1;

/** Who acts for an owner: somebody the owner chose, a child's parent, whoever settles a dead owner's affairs. */
export const PROXY_ROLES = ['carer', 'parent', 'executor'] as const;
/** One of {@link PROXY_ROLES}. */
export type ProxyRole = (typeof PROXY_ROLES)[number];
/** Why a record is closed: its owner died, went to another bank, or asked for an end. */
export const CLOSING_GROUNDS = ['death', 'moved', 'ended'] as const;
/** One of {@link CLOSING_GROUNDS}. */
export type ClosingGround = (typeof CLOSING_GROUNDS)[number];

/** Somebody who acts for the owner. */
export interface Proxy {
  readonly id: Uint8Array;
  readonly role: ProxyRole;
  /** From when on, by the time of the entry that said so. */
  readonly from: number;
  /** The first millisecond at which it no longer acts. */
  readonly until: number;
}

/** A key that never acts in this record again. */
export interface Loss {
  readonly id: Uint8Array;
  /** Since when somebody else may have had it: what it wrote from then on is to be looked at. */
  readonly since: number;
}

/** That and why a record is closed. */
export interface Closure {
  readonly ground: ClosingGround;
  /** When the owner died, moved, or asked. */
  readonly at: number;
  /** When it was stated, by the time of its entry. Terms count from here: an earlier date is easily claimed. */
  readonly stated: number;
}

/** The appointment of guardians that holds. */
export interface Appointed {
  readonly digest: Uint8Array;
  readonly number: number;
  /** The Id under which the owner made it; the owner may have another by now. */
  readonly owner: Uint8Array;
}

/** What a record's statements have said so far. Every time in it is one that an author claimed. */
export interface Authority {
  /** The owner's Id; `null` before the creation. */
  readonly owner: Uint8Array | null;
  /** The owner's subject, which every one of its credentials bears; empty before the creation. */
  readonly subject: string;
  /** Ids of which the owner has taken leave. */
  readonly formerOwners: readonly Uint8Array[];
  /** Hash of the entry since which this owner and this appointment are the record's; zeros before the creation. */
  readonly since: Uint8Array;
  /** The number that the next statement of kind `key` or `close` bears. */
  readonly number: number;
  /** Where entries of kinds `key`, `close` and `erase` stand: their payloads stay. */
  readonly statements: readonly Run[];
  /** The latest time of one of these or of the creation; none after it claims an earlier one. */
  readonly latest: number;
  /** The latest time of an entry by the owner itself. */
  readonly ownerWrote: number | null;
  /** When the owner comes of age, if a parent was ever named. */
  readonly majority: number | null;
  readonly closure: Closure | null;
  readonly proxies: readonly Proxy[];
  readonly losses: readonly Loss[];
  readonly appointment: Appointed | null;
}

/** As what somebody acts: the owner, or for the owner. */
export type Capacity = 'owner' | ProxyRole;

/** What is known before a record's first entry. */
export const NO_AUTHORITY: Authority = {
  owner: null,
  subject: '',
  formerOwners: [],
  since: new Uint8Array(32),
  number: 0,
  statements: [],
  latest: 0,
  ownerWrote: null,
  majority: null,
  closure: null,
  proxies: [],
  losses: [],
  appointment: null,
};

/**
 * As what an Id acts in an entry of this time; `null` if it is neither the owner nor acts for the owner. Lost keys are
 * not asked about. An earlier time than the record has seen brings no proxy back.
 */
export function capacityOf(authority: Authority, id: Uint8Array, at: number): Capacity | null {
  if (isOwner(authority, id)) return 'owner';
  const proxy = authority.proxies.find((one) => equalBytes(one.id, id));
  const now = Math.max(at, authority.latest, authority.ownerWrote ?? 0);
  return proxy !== undefined && at >= proxy.from && now < proxy.until ? proxy.role : null;
}

/**
 * How a record stands, for guardians who are asked to bring its owner back.
 *
 * @param authority - of its whole chain, verified
 * @param known - the credential behind an Id, whatever became of it
 * @throws `MunimentError` `RECORD_RIGHT` if it has no guardians, or its owner's credential is not known
 */
export function holdingOf(authority: Authority, known: (id: Uint8Array) => Credential | null): Holding {
  const { owner, appointment, since } = authority;
  const credential = owner === null ? null : known(owner);
  if (credential === null)
    throw new MunimentError('RECORD_RIGHT', 'the record has no owner whose credential is known');
  if (appointment === null) throw new MunimentError('RECORD_RIGHT', 'the record has no guardians');
  return { owner: credential, appointment: appointment.digest, since, spent: spentIds(authority) };
}

/** Whether an Id is the present owner's. */
export function isOwner({ owner }: Authority, id: Uint8Array): boolean {
  return owner !== null && equalBytes(owner, id);
}

/** Whether an Id never acts in this record again: the owner took leave of it, or it is lost. */
export function isSpent({ formerOwners, losses }: Authority, id: Uint8Array): boolean {
  return formerOwners.some((one) => equalBytes(one, id)) || losses.some((one) => equalBytes(one.id, id));
}

function spentIds({ formerOwners, losses }: Authority): Uint8Array[] {
  return [...formerOwners, ...losses.map((loss) => loss.id)];
}

/** Encodes what a verifier keeps to go on from: `T("muniment/1 authority", …)`. */
export function encodeAuthority(a: Authority): Uint8Array {
  const { closure, appointment } = a;
  return tuple(
    'authority',
    optional(a.owner),
    a.subject,
    a.formerOwners,
    a.since,
    a.number,
    a.statements.map(({ first, last }) => [first, last]),
    a.latest,
    optional(a.ownerWrote),
    optional(a.majority),
    closure === null ? [] : [closure.ground, closure.at, closure.stated],
    a.proxies.map(({ id, role, from, until }) => [id, role, from, until]),
    a.losses.map(({ id, since }) => [id, since]),
    appointment === null ? [] : [appointment.digest, appointment.number, appointment.owner],
  );
}

/**
 * Reads what {@link encodeAuthority} wrote. It is as trustworthy as where it was kept: nothing in it is signed.
 *
 * @throws `MunimentError` `WIRE_TUPLE`, `WIRE_LIMIT`, `WIRE_UTF8`
 * @example
 * ```ts
 * import { decodeAuthority, encodeAuthority, NO_AUTHORITY } from 'muniment/record';
 * decodeAuthority(encodeAuthority(NO_AUTHORITY)).owner; // null
 * ```
 */
export function decodeAuthority(bytes: Uint8Array): Authority {
  const reader = TupleReader.labelled(bytes, 'authority');
  const integer = (part: TupleReader): number => part.integer();
  const id = (part: TupleReader): Uint8Array => part.bytes(32);
  const authority: Authority = {
    owner: readOptional(reader, id),
    subject: reader.text(NAME_LIMIT),
    formerOwners: reader.list(FORMER_OWNERS_LIMIT, id),
    since: reader.bytes(32),
    number: reader.integer(),
    statements: reader.list(RUNS_LIMIT, (item) =>
      item.group((part) => ({ first: part.integer(), last: part.integer() })),
    ),
    latest: reader.integer(),
    ownerWrote: readOptional(reader, integer),
    majority: readOptional(reader, integer),
    closure: readOptional(reader, (part) => ({
      ground: readOneOf(part, CLOSING_GROUNDS),
      at: part.integer(),
      stated: part.integer(),
    })),
    proxies: reader.list(PROXIES_LIMIT, (item) =>
      item.group((part) => ({
        id: part.bytes(32),
        role: readOneOf(part, PROXY_ROLES),
        from: part.integer(),
        until: part.integer(),
      })),
    ),
    losses: reader.list(ALL_LOSSES_LIMIT, (item) =>
      item.group((part) => ({ id: part.bytes(32), since: part.integer() })),
    ),
    appointment: readOptional(reader, (part) => ({
      digest: part.bytes(32),
      number: part.integer(),
      owner: part.bytes(32),
    })),
  };
  reader.end();
  const rising = authority.statements.every(
    ({ first, last }, i, all) => first <= last && first > (i === 0 ? -1 : (all[i - 1]?.last ?? 0) + 1),
  );
  if (!rising || (authority.owner === null) !== (authority.subject === ''))
    throw new MunimentError('WIRE_TUPLE');
  return authority;
}

/** Reads a text that must be one of a closed list. */
export function readOneOf<Value extends string>(reader: TupleReader, known: readonly Value[]): Value {
  const text = reader.text(NAME_LIMIT);
  const found = known.find((value) => value === text);
  if (found === undefined) throw new MunimentError('WIRE_TUPLE');
  return found;
}

function optional<Item extends Uint8Array | number>(item: Item | null): readonly Item[] {
  return item === null ? [] : [item];
}

// A group that may be empty: nothing in it, or all of it.
function readOptional<Item>(reader: TupleReader, read: (part: TupleReader) => Item): Item | null {
  return reader.group((part) => (part.done ? null : read(part)));
}
