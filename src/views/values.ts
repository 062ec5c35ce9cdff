/** Many values from one key: the salts of a class, the dummies of a manifest. spec/views.md, "Classes", "Manifest". */

import { deriveTuple, keyStream } from '../crypto/index.ts';
import type { DocumentNames } from './document-names.ts';

/** Bytes of each value. */
export const VALUE_LENGTH = 32;

/** The first values of the key stream under `Expand(key, T(label, names))`: an HMAC for all, not one for each. */
export function deriveValues(
  key: Uint8Array,
  label: string,
  { recordId, docId }: DocumentNames,
  count: number,
): Uint8Array[] {
  const stream = keyStream(deriveTuple(key, label, recordId, docId), VALUE_LENGTH * count);
  return Array.from({ length: count }, (_, i) => stream.subarray(VALUE_LENGTH * i, VALUE_LENGTH * (i + 1)));
}
