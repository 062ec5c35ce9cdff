/** In which parts of a record a sealed document lies, as far as that is seen without a key. */

import { ROOT, type Compartments } from 'muniment/keys';
import { compartmentReader, type SealedDocument } from 'muniment/views';
import { toHex } from 'muniment/wire';

/** All lists of a record's compartments. */
export type Lists = readonly { readonly verified: Compartments }[];

/** The readers that are the root of an owner's keys: to it every document is sealed. */
export function rootsOf(lists: Lists): readonly Uint8Array[] {
  const roots = lists.flatMap(({ verified }) => verified.list).filter(({ name }) => name === ROOT);
  return roots.map((root) => compartmentReader(root).id);
}

/**
 * The parts that a document is sealed to, in whatever epoch: for each there is a wrap that names its reader. What an
 * author sealed to the owner alone, against its policy, is not seen here; the owner sees it when it opens the document.
 */
export function partsOf(lists: Lists, { wraps }: SealedDocument): ReadonlySet<string> {
  const names = new Map<string, string>();
  for (const { verified } of lists)
    for (const one of verified.list) names.set(toHex(compartmentReader(one).id), one.name);
  const found = wraps.map(({ readerId }) => names.get(toHex(readerId)) ?? ROOT);
  return new Set(found.filter((name) => name !== ROOT));
}
