/**
 * Succession: statements of which each replaces the one before it and names it by digest, so that whoever remembers
 * one is shown neither an older one nor another history. spec/keys.md, "Succession".
 */

import { hashTuple } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';

/** `previous` of the first of a succession: 32 zeros. */
export const NO_PREDECESSOR = new Uint8Array(32);

/** A verified statement of a succession: an epoch of a group, or an owner's list of compartments. */
export type Successive = {
  /** Digest of the statement before it; zeros in the first. 32 bytes. */
  readonly previous: Uint8Array;
  /** Digest of the signed statement itself, 32 bytes. */
  readonly digest: Uint8Array;
} & ({ readonly epoch: number } | { readonly number: number });

/** What to remember of a succession: the newest that was ever seen. */
export interface Seen {
  readonly number: number;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

/** The digest by which a successor names a signed statement. */
export function statementDigest(signed: Uint8Array): Uint8Array {
  return hashTuple('statement digest', signed);
}

/**
 * Checks, before anything is sealed to it, that a group's epoch or a list of compartments is the newest that this
 * writer ever saw: the very one, or its direct successor.
 *
 * @param current - verified
 * @param seen - what was remembered of this group or owner; `null` if nothing ever was
 * @returns what to remember from now on
 * @throws `MunimentError` `KEY_SUCCESSION` if it is older than the one seen, contradicts it, or is further ahead than
 *   its successor: then verify all that came in between
 * @example
 * ```ts
 * import { KEM_XWING } from 'muniment/crypto';
 * import { checkSeen, createAnchor, publishGroup, verifyGroup } from 'muniment/keys';
 * const keeper = await createAnchor({ subject: 'K', roles: ['keeper:insurer'], notBefore: 0, notAfter: 4e12 });
 * const group = { name: 'insurer', kem: KEM_XWING, members: [keeper.credential] };
 * const epoch = verifyGroup(await publishGroup(keeper, group), keeper.credential);
 * const seen = checkSeen(epoch, null); // to keep, and to check whatever comes later against
 * ```
 */
export function checkSeen(current: Successive, seen: Seen | null): Seen {
  const number = numberOf(current);
  if (seen !== null) {
    const same = number === seen.number && equalBytes(current.digest, seen.digest);
    const next = number === seen.number + 1 && equalBytes(current.previous, seen.digest);
    if (!same && !next) throw new MunimentError('KEY_SUCCESSION');
  }
  return { number, digest: current.digest };
}

/** Throws `KEY_SUCCESSION` unless one directly follows the other. */
export function checkFollows(previous: Successive, next: Successive): void {
  const follows = numberOf(next) === numberOf(previous) + 1 && equalBytes(next.previous, previous.digest);
  if (!follows) throw new MunimentError('KEY_SUCCESSION');
}

/**
 * The last of a run, in which each follows the one before. Throws `KEY_SUCCESSION` unless the run ties in with what was
 * seen: it holds the one seen, or begins with that one's successor; with nothing seen, it begins with the very first.
 */
export function checkRun<Item extends Successive>(run: readonly Item[], seen: Seen | null): Item {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) throw new MunimentError('KEY_SUCCESSION');
  const start = numberOf(first);
  if (seen === null) {
    if (start !== 0) throw new MunimentError('KEY_SUCCESSION');
    return last;
  }
  const digest = start === seen.number + 1 ? first.previous : run[seen.number - start]?.digest;
  if (digest === undefined || !equalBytes(digest, seen.digest)) throw new MunimentError('KEY_SUCCESSION');
  return last;
}

/** Whether the first, and only the first, is without a predecessor. */
export function beginsRightly(item: Successive): boolean {
  return (numberOf(item) === 0) === equalBytes(item.previous, NO_PREDECESSOR);
}

function numberOf(item: Successive): number {
  return 'epoch' in item ? item.epoch : item.number;
}
