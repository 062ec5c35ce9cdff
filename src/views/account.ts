/**
 * Accounting: with D the owner, and whoever the owner gives D to, explains every line of a manifest as a class, a
 * reader's slot or a dummy, so that nothing is hidden and nothing is missing. spec/views.md, "Accounting".
 */

import { MunimentError } from '../errors.ts';
import { exposeSecret, NAME_LIMIT, Secret } from '../keys/index.ts';
import { equalBytes, toHex, tuple, TupleReader } from '../wire/index.ts';
import { hashReaders } from './classes.ts';
import { dummyLines, slotBlind, slotOf, type Holding, type WrapKind } from './manifest.ts';
import { publicId } from './reader.ts';
import type { VerifiedSealed } from './verify.ts';
import type { OwnerOpening } from './wrap.ts';

/** Who reads what, proven by the manifest. */
export interface Account {
  /** The policy that the author sealed under. */
  readonly policy: { readonly name: string; readonly hash: Uint8Array };
  /** For each class's line the ids of all its readers; for the public class `public`. */
  readonly readers: ReadonlyMap<number, 'public' | readonly Uint8Array[]>;
  /** The ids of the readers who hold halves only: whoever should open with custodians alone and is not here holds whole keys. */
  readonly halved: readonly Uint8Array[];
  /** The ids of those who hold shares of the other halves. */
  readonly custodians: readonly Uint8Array[];
  /** How many of them it takes; 0 if nothing is halved. */
  readonly threshold: number;
}

/**
 * Accounts for every line of a whole document without opening anything: what an auditor does with what the owner
 * handed out by {@link encodeOpening}. An opening that is not this document's explains no dummy.
 *
 * @param document - a verified document, whole or as its owner gets it
 * @param opening - its opening
 * @throws `MunimentError` `VIEW_INCOMPLETE` for a line without explanation, a class that is missing or whose readers are not those that the deliveries name, or halves that too few custodians hold shares of; `VIEW_EQUIVOCATION` for two classes with the same readers, by which one field could be told in two ways
 */
export function account(document: VerifiedSealed, opening: OwnerOpening): Account {
  const { sealed, manifest } = document;
  const { policy } = opening;
  const ownerKey = exposeSecret(opening.ownerKey);
  const open = new Set(sealed.publicKeys.map(({ index }) => index));
  const readers = new Map<number, 'public' | readonly Uint8Array[]>();
  for (const { index, keyCommit, readersHash } of sealed.classes) {
    const ids = sealed.deliveries
      .filter(({ classes }) => classes.includes(index))
      .map(({ readerId }) => readerId);
    // The public counts as a reader, so that nobody else publishes a class, or unpublishes one.
    const stated = open.has(index) ? [...ids, publicId()] : ids;
    if (!equalBytes(hashReaders(ownerKey, manifest, keyCommit, policy, stated), readersHash))
      throw new MunimentError('VIEW_INCOMPLETE');
    readers.set(index, open.has(index) ? 'public' : ids);
  }
  const dummies = dummyLines(ownerKey, manifest);
  manifest.classes.forEach((line, i) => {
    if (!readers.has(i) && !isLine(dummies.classes, i, line)) throw new MunimentError('VIEW_INCOMPLETE');
  });
  accountForSlots(document, ownerKey, dummies.slots);
  const sets = [...readers.values()].map((ids) => (ids === 'public' ? ids : ids.map(toHex).sort().join()));
  if (new Set(sets).size !== sets.length) throw new MunimentError('VIEW_EQUIVOCATION');
  return { policy, readers, ...accountForCustody(sealed.deliveries) };
}

/**
 * An opening as bytes, for an auditor: D, and the policy that the document states. It opens no field, and tells who
 * reads which class of this one document.
 */
export function encodeOpening(opening: OwnerOpening): Uint8Array {
  const { ownerKey, policy } = opening;
  return tuple('opening', exposeSecret(ownerKey), policy.name, policy.hash);
}

/** Reads what {@link encodeOpening} wrote, or throws `VIEW_MANIFEST`. */
export function decodeOpening(bytes: Uint8Array): OwnerOpening {
  try {
    const reader = TupleReader.labelled(bytes, 'opening');
    const [ownerKey, name, hash] = [reader.bytes(32), reader.text(NAME_LIMIT), reader.bytes(32)];
    reader.end();
    return { ownerKey: new Secret('document opening', ownerKey), policy: { name, hash } };
  } catch (cause) {
    throw new MunimentError('VIEW_MANIFEST', undefined, { cause });
  }
}

function accountForSlots(
  { sealed, manifest }: VerifiedSealed,
  ownerKey: Uint8Array,
  dummies: readonly Uint8Array[],
): void {
  const expected = new Set(
    sealed.deliveries.map((delivery) =>
      toHex(slotOf(manifest, slotBlind(ownerKey, manifest, delivery.readerId), delivery)),
    ),
  );
  if (expected.size !== sealed.deliveries.length) throw new MunimentError('VIEW_INCOMPLETE');
  manifest.slots.forEach((line, i) => {
    if (!isLine(dummies, i, line) && !expected.delete(toHex(line)))
      throw new MunimentError('VIEW_INCOMPLETE');
  });
  if (expected.size > 0) throw new MunimentError('VIEW_INCOMPLETE');
}

function isLine(dummies: readonly Uint8Array[], i: number, line: Uint8Array): boolean {
  const dummy = dummies[i];
  return dummy !== undefined && equalBytes(line, dummy);
}

// Whoever holds half of a class must find as many custodians of it as it takes, and all say the same of that.
function accountForCustody(
  deliveries: readonly Holding[],
): Pick<Account, 'halved' | 'custodians' | 'threshold'> {
  const of = (kind: WrapKind): Holding[] => deliveries.filter((delivery) => delivery.kind === kind);
  const [halves, shares] = [of('half'), of('share')];
  const threshold = halves[0]?.threshold ?? 0;
  const agreed = [...halves, ...shares].every((holding) => holding.threshold === threshold);
  const openable = halves.every(({ classes }) =>
    classes.every((line) => shares.filter((holding) => holding.classes.includes(line)).length >= threshold),
  );
  if (!agreed || !openable) throw new MunimentError('VIEW_INCOMPLETE');
  const ids = (list: readonly Holding[]): Uint8Array[] => list.map(({ readerId }) => readerId);
  return { halved: ids(halves), custodians: ids(shares), threshold };
}
