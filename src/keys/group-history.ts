/**
 * The epochs of a group, one after the other: each names the one before, so that there is one history, and a member
 * reaches the keys of all epochs it may read. spec/keys.md, "Groups".
 */

import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import type { Credential } from './credential.ts';
import { descendLadder, openGroup, verifyGroup, type GroupEpoch } from './group.ts';
import type { Identity } from './identity.ts';
import type { SoftwareDecapsulator } from './ports.ts';
import { statementAuthor } from './statement.ts';
import { checkFollows, checkRun, checkSeen, type Seen } from './succession.ts';

declare const verified: unique symbol;

/** Epochs of one group that follow each other, oldest first; at least one. */
export interface GroupHistory {
  readonly epochs: readonly GroupEpoch[];
  /** The last of them. */
  readonly newest: GroupEpoch;
  /** What to remember of this group from now on. */
  readonly seen: Seen;
  readonly [verified]: true;
}

/** An epoch with its private key. */
export interface OpenedEpoch {
  readonly group: GroupEpoch;
  readonly key: SoftwareDecapsulator;
}

/**
 * Verifies an epoch that claims to be the next after one that was verified.
 *
 * @throws `MunimentError` `KEY_SUCCESSION` if it is not; and what {@link verifyGroup} throws
 */
export function verifyNextEpoch(signed: Uint8Array, keeper: Credential, previous: GroupEpoch): GroupEpoch {
  const group = verifyGroup(signed, keeper);
  checkNext(previous, group);
  return group;
}

/**
 * Verifies epochs of a group, of which each must be the successor of the one before.
 *
 * @param signed - the statements, oldest first: from epoch 0, from the one seen or from any before it, or from its successor
 * @param keepers - the credentials of the group's keepers, of whom one signed each epoch: more than one where its keeper
 *   was given a new credential. Whose time as a keeper is over is not given here
 * @param seen - what a history or `checkSeen` gave to remember; `null` if nothing of this group was ever seen
 * @throws `MunimentError` `KEY_SUCCESSION` for a gap, a fork, another group, an older end than the one seen, a
 *   beginning that does not tie in, or no epoch at all; `KEY_SIGNATURE` if none of the keepers signed; and what {@link verifyGroup} throws
 * @example
 * ```ts
 * import { KEM_XWING } from 'muniment/crypto';
 * import { createAnchor, publishGroup, verifyGroupHistory } from 'muniment/keys';
 * const keeper = await createAnchor({ subject: 'K', roles: ['keeper:insurer'], notBefore: 0, notAfter: 4e12 });
 * const signed = await publishGroup(keeper, { name: 'insurer', kem: KEM_XWING, members: [keeper.credential] });
 * const { seen } = verifyGroupHistory([signed], [keeper.credential], null);
 * verifyGroupHistory([signed], [keeper.credential], seen).newest.epoch; // 0, and no other from now on
 * ```
 */
export function verifyGroupHistory(
  signed: readonly Uint8Array[],
  keepers: readonly Credential[],
  seen: Seen | null,
): GroupHistory {
  const epochs: GroupEpoch[] = [];
  for (const statement of signed) {
    const group = verifyGroup(statement, keeperOf(statement, keepers));
    const previous = epochs.at(-1);
    if (previous !== undefined) checkNext(previous, group);
    epochs.push(group);
  }
  const newest = checkRun(epochs, seen);
  // The brand exists only in types; this is the one place that gives it.
  return { epochs, newest, seen: checkSeen(newest, null) } as unknown as GroupHistory;
}

/**
 * Opens every epoch that a member can reach: those that hold a wrap of its own, and from each of these down the ladder
 * for as long as there is one.
 *
 * @param member - the identity; who was never a member reaches none
 * @param history - verified
 * @returns the epochs with their keys, oldest first
 * @throws `MunimentError` `KEY_OPEN` if a wrap or a ladder that it needs is broken
 */
export async function openGroupHistory(member: Identity, history: GroupHistory): Promise<OpenedEpoch[]> {
  const opened: OpenedEpoch[] = [];
  let above: OpenedEpoch | null = null;
  for (const group of [...history.epochs].reverse()) {
    const key: SoftwareDecapsulator | null =
      (await openGroup(member, group)) ?? (above === null ? null : await descendLadder(above, group));
    above = key === null ? null : { group, key };
    if (above !== null) opened.unshift(above);
  }
  return opened;
}

function keeperOf(signed: Uint8Array, keepers: readonly Credential[]): Credential {
  const author = statementAuthor(signed);
  const keeper = keepers.find(({ id }) => equalBytes(id, author));
  if (keeper === undefined) throw new MunimentError('KEY_SIGNATURE');
  return keeper;
}

function checkNext(previous: GroupEpoch, next: GroupEpoch): void {
  if (next.name !== previous.name) throw new MunimentError('KEY_SUCCESSION');
  checkFollows(previous, next);
}
