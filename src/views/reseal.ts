/** Resealing: a document sealed anew, under new content keys and for other readers. spec/views.md, "Rewrapping and resealing". */

import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import type { SealedDocument } from './body.ts';
import type { View } from './open.ts';
import { seal, type SealOptions } from './seal.ts';

/**
 * Seals a document that its owner has opened anew: new keys, the policy and readers that are given, as a document that
 * supersedes it. Its author is whoever reseals; the old document's signature, and disclosures from it, go on speaking
 * for who wrote it first.
 *
 * What somebody could open of the old document they still can, as long as its ciphertexts are anywhere: to end that,
 * destroy those. Annexes are bound to the old document's id and are to be sealed anew by the caller, and their fields with them.
 *
 * @param view - the owner's, which alone is complete
 * @param options - as for `seal`; the type is the old document's
 * @returns the new document
 * @throws `MunimentError` `VIEW_INCOMPLETE` if the view is not the owner's; `VIEW_MANIFEST` if the compartments are another record's; whatever `seal` throws
 */
export async function reseal(
  view: View,
  options: Omit<SealOptions, 'supersedes' | 'type'>,
): Promise<SealedDocument> {
  if (!view.complete) throw new MunimentError('VIEW_INCOMPLETE');
  if (!equalBytes(options.owner.recordId, view.recordId)) throw new MunimentError('VIEW_MANIFEST');
  return seal(view.text, { ...options, type: view.type, supersedes: view.bodyHash });
}
