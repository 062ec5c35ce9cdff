/**
 * An owner's lists of compartments, one after the other: each names the one before, so that there is one history, which
 * goes on under another Id of the owner. spec/keys.md, "Compartments".
 */

import { MunimentError } from '../errors.ts';
import { equalBytes, toHex } from '../wire/index.ts';
import { ROOT, verifyCompartments, type Compartment, type Compartments } from './compartments.ts';
import type { Credential } from './credential.ts';
import { statementAuthor } from './statement.ts';
import { checkFollows, checkRun, type Seen } from './succession.ts';

/**
 * Verifies a list that claims to be the next after one that was verified: of the same record, with every compartment of
 * that one, each at the same epoch with the same key or at the next with another, and new ones at epoch 0.
 *
 * @param owner - who owns the record by now: whoever signed the one before, or the Id that its chain names since
 * @throws `MunimentError` `KEY_SUCCESSION` if it is not; and what {@link verifyCompartments} throws
 */
export function verifyNextCompartments(
  signed: Uint8Array,
  owner: Credential,
  previous: Compartments,
): Compartments {
  const next = verifyCompartments(signed, owner);
  checkNext(previous, next);
  return next;
}

/**
 * Verifies lists of one record, of which each must be the successor of the one before.
 *
 * @param signed - the statements, oldest first: from number 0, from the one seen or from any before it, or from its successor
 * @param owners - the credentials of the record's owner, of which one signed each list: more than one where the owner
 *   goes on under another Id. That the last is the present owner, the record's chain says
 * @param seen - what `checkSeen` gave to remember; `null` if no list of this record was ever seen
 * @returns the lists, oldest first; the last is the one to seal to
 * @throws `MunimentError` `KEY_SUCCESSION` for a gap, a fork, a key that changed in its epoch, an Id that signs again after
 *   the next one did, an older end than the one seen, a beginning that does not tie in, or no list at all;
 *   `KEY_SIGNATURE` if none of the owners signed; and what {@link verifyCompartments} throws
 */
export function verifyCompartmentsHistory(
  signed: readonly Uint8Array[],
  owners: readonly Credential[],
  seen: Seen | null,
): readonly Compartments[] {
  const lists: Compartments[] = [];
  const left = new Set<string>();
  for (const statement of signed) {
    const next = verifyCompartments(statement, signerOf(statement, owners));
    const previous = lists.at(-1);
    if (previous !== undefined) {
      checkNext(previous, next);
      if (!equalBytes(previous.owner, next.owner)) left.add(toHex(previous.owner));
    }
    if (left.has(toHex(next.owner))) throw new MunimentError('KEY_SUCCESSION');
    lists.push(next);
  }
  checkRun(lists, seen);
  return lists;
}

function signerOf(signed: Uint8Array, owners: readonly Credential[]): Credential {
  const author = statementAuthor(signed);
  const signer = owners.find(({ id }) => equalBytes(id, author));
  if (signer === undefined) throw new MunimentError('KEY_SIGNATURE');
  return signer;
}

function checkNext(previous: Compartments, next: Compartments): void {
  checkFollows(previous, next);
  const now = new Map(next.list.map((one) => [one.name, one]));
  const before = new Set(previous.list.map(({ name }) => name));
  const fits =
    equalBytes(next.recordId, previous.recordId) &&
    // A compartment that could vanish could come back at epoch 0.
    previous.list.every((one) => {
      const same = now.get(one.name);
      return same !== undefined && goesOn(one, same);
    }) &&
    next.list.every(({ name, epoch }) => epoch === 0 || before.has(name));
  if (!fits) throw new MunimentError('KEY_SUCCESSION');
}

function goesOn(before: Compartment, now: Compartment): boolean {
  const same = now.kem === before.kem && equalBytes(now.publicKey, before.publicKey);
  if (now.epoch === before.epoch) return same;
  // One that could leap could leap to the last epoch there is, and then never go on.
  return now.epoch === before.epoch + 1 && !same && before.name !== ROOT;
}
