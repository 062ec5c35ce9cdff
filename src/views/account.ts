/**
 * The owner's accounting: with D the patient, and nobody else, explains every line of a manifest as a class, a
 * reader's slot or a dummy, so that nothing is hidden and nothing is missing. spec/views.md, "Accounting".
 */

import { MunimentError } from '../errors.ts';
import { equalBytes, toHex } from '../wire/index.ts';
import { hashReaders } from './classes.ts';
import { MANIFEST_LINES } from './constants.ts';
import { dummyLine, slotBlind, slotOf } from './manifest.ts';
import { publicId } from './reader.ts';
import type { VerifiedSealed } from './verify.ts';
import type { OwnerOpening } from './wrap.ts';

/** Who reads what, proven by the manifest. */
export interface Account {
  /** The policy that the author sealed under. */
  readonly policy: { readonly name: string; readonly hash: Uint8Array };
  /** For each class's line the ids of all its readers; for the public class `public`. */
  readonly readers: ReadonlyMap<number, 'public' | readonly Uint8Array[]>;
  /** The ids of the readers who hold halves only: whoever should open with a custodian alone and is not here holds whole keys. */
  readonly split: readonly Uint8Array[];
}

/**
 * Accounts for every line. Throws `VIEW_INCOMPLETE` for a line without explanation, a class that the owner has no
 * key of, or a class whose readers are not those that the deliveries name; `VIEW_COMMITMENT` for two classes with
 * the same readers, by which one field could be told in two ways.
 */
export function account(
  document: VerifiedSealed,
  owner: OwnerOpening,
  keys: ReadonlyMap<number, Uint8Array>,
): Account {
  const { sealed, manifest } = document;
  const { ownerKey, policy } = owner;
  const open = new Set(sealed.publicKeys.map(({ index }) => index));
  const readers = new Map<number, 'public' | readonly Uint8Array[]>();
  for (const { index, keyCommit, readersHash } of sealed.classes) {
    const ids = sealed.deliveries
      .filter(({ classes }) => classes.includes(index))
      .map(({ readerId }) => readerId);
    // The public counts as a reader, so that nobody else publishes a class, or unpublishes one.
    const stated = open.has(index) ? [...ids, publicId()] : ids;
    if (
      !keys.has(index) ||
      !equalBytes(hashReaders(ownerKey, manifest, keyCommit, policy, stated), readersHash)
    ) {
      throw new MunimentError('VIEW_INCOMPLETE');
    }
    readers.set(index, open.has(index) ? 'public' : ids);
  }
  manifest.classes.forEach((line, i) => {
    if (!readers.has(i) && !equalBytes(line, dummyLine(ownerKey, manifest, i)))
      throw new MunimentError('VIEW_INCOMPLETE');
  });
  accountForSlots(document, ownerKey);
  const sets = [...readers.values()].map((ids) => (ids === 'public' ? ids : ids.map(toHex).sort().join()));
  if (new Set(sets).size !== sets.length) throw new MunimentError('VIEW_COMMITMENT');
  const split = sealed.deliveries.filter(({ kind }) => kind === 'half').map(({ readerId }) => readerId);
  return { policy, readers, split };
}

function accountForSlots({ sealed, manifest }: VerifiedSealed, ownerKey: Uint8Array): void {
  const expected = new Set(
    sealed.deliveries.map((delivery) =>
      toHex(slotOf(manifest, slotBlind(ownerKey, manifest, delivery.readerId), delivery)),
    ),
  );
  if (expected.size !== sealed.deliveries.length) throw new MunimentError('VIEW_INCOMPLETE');
  manifest.slots.forEach((line, i) => {
    const dummy = equalBytes(line, dummyLine(ownerKey, manifest, MANIFEST_LINES + i));
    if (!dummy && !expected.delete(toHex(line))) throw new MunimentError('VIEW_INCOMPLETE');
  });
  if (expected.size > 0) throw new MunimentError('VIEW_INCOMPLETE');
}
