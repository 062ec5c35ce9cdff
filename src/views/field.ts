/** One field as it is sealed, and the leaf that commits to it. spec/views.md, "Classes". */

import { hashTupleOf, sha256 } from '../crypto/index.ts';
import { encodeItems, tuple } from '../wire/index.ts';
import type { DocumentNames } from './document-names.ts';
import { deriveValues, VALUE_LENGTH } from './values.ts';

/** A field: its path with random array indices, and its value as JSON text. */
export interface SealedField {
  readonly path: string;
  readonly text: string;
}

/** Bytes of a field's salt. */
export const SALT_LENGTH = VALUE_LENGTH;
// The number of a leaf and its salt, each behind its length.
const OWN_LENGTH = 4 + 8 + 4 + SALT_LENGTH;

/** Path and value as they stand in a class's plaintext and in the field's leaf, so that they are encoded once. */
export function encodeField({ path, text }: SealedField): Uint8Array {
  return encodeItems([path, text]);
}

/** The salts of a class's fields. */
export function fieldSalts(key: Uint8Array, names: DocumentNames, count: number): Uint8Array[] {
  return deriveValues(key, 'salts', names, count);
}

/** `leaf_j` of a class, as a function of j, salt and encoded field: what all leaves begin with is written once. */
export function leafHasher(
  { recordId, docId }: DocumentNames,
  keyCommit: Uint8Array,
): (j: number, salt: Uint8Array, encoded: Uint8Array) => Uint8Array {
  const start = tuple('leaf', recordId, docId, keyCommit);
  let leaf = start;
  return (j, salt, encoded) => {
    const length = start.length + OWN_LENGTH + encoded.length;
    if (leaf.length < length) {
      leaf = new Uint8Array(2 * length);
      leaf.set(start);
    }
    leaf.set(encodeItems([j, salt]), start.length);
    leaf.set(encoded, start.length + OWN_LENGTH);
    return sha256(leaf.subarray(0, length));
  };
}

/** `leavesHash_c`. */
export function hashLeafList(leaves: readonly Uint8Array[]): Uint8Array {
  return hashTupleOf('leaves', leaves);
}
