/**
 * Classes: all fields with one set of readers are one ciphertext under one fresh key, committed to field by field,
 * so that nobody can show two readers different contents. spec/views.md, "Classes".
 */

import {
  aeadOpen,
  aeadSeal,
  deriveTuple,
  hashTuple,
  hashTupleOf,
  KEY_LENGTH,
  keyStream,
  sha256,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import {
  compareBytes,
  encodeItems,
  equalBytes,
  concatAll,
  pad,
  tuple,
  TupleReader,
  unpad,
} from '../wire/index.ts';
import { DOCUMENT_LIMIT, FIELDS_LIMIT, PATH_LIMIT } from './constants.ts';
import type { DocumentNames } from './manifest.ts';
import type { Policy } from './policy.ts';

/** One field as it is sealed: its path with random array indices, and its value as JSON text. */
export interface SealedField {
  readonly path: string;
  readonly text: string;
}

/** A class as it travels. */
export interface SealedClass {
  /** Its line in the manifest, 0 to 15. */
  readonly index: number;
  readonly readersHash: Uint8Array;
  readonly keyCommit: Uint8Array;
  readonly leavesHash: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** `keyCommit_c`. */
export function commitKey(key: Uint8Array, names: DocumentNames): Uint8Array {
  return deriveTuple(key, 'class commit', names.recordId, names.docId);
}

/** `readersHash_c`, which only the holder of D can recompute. */
export function hashReaders(
  ownerKey: Uint8Array,
  names: DocumentNames,
  keyCommit: Uint8Array,
  policy: Pick<Policy, 'name' | 'hash'>,
  readerIds: readonly Uint8Array[],
): Uint8Array {
  const salt = deriveTuple(ownerKey, 'readers salt', names.recordId, names.docId, keyCommit);
  return hashTuple('readers', salt, policy.name, policy.hash, [...readerIds].sort(compareBytes));
}

/** Encrypts a class's fields, already in their random order, and commits to each. */
export function sealClass(
  key: Uint8Array,
  names: DocumentNames,
  readersHash: Uint8Array,
  fields: readonly SealedField[],
): Omit<SealedClass, 'index'> {
  const keyCommit = commitKey(key, names);
  const encoded = fields.map(({ path, text }) => encodeItems([path, text]));
  const leavesHash = hashLeaves(key, names, keyCommit, encoded);
  const plaintext = concatAll([tuple('fields'), ...encoded]);
  const { contentKey, aad } = contentCipher(key, names, readersHash, leavesHash);
  return { readersHash, keyCommit, leavesHash, ciphertext: aeadSeal(contentKey, aad, pad(plaintext)) };
}

/** `classCommit_c`: what stands in the manifest for a class. */
export function commitClass(sealed: Omit<SealedClass, 'index'>): Uint8Array {
  const { readersHash, keyCommit, leavesHash, ciphertext } = sealed;
  return hashTuple('class', readersHash, keyCommit, leavesHash, sha256(ciphertext), ciphertext.length);
}

/**
 * Opens a class whose commitment was checked against the manifest: the key's commitment first, before anything is
 * derived from it, then the ciphertext, then every leaf. Throws `VIEW_COMMITMENT` for every fault.
 */
export function openClass(key: Uint8Array, names: DocumentNames, sealed: SealedClass): SealedField[] {
  if (key.length !== KEY_LENGTH || !equalBytes(commitKey(key, names), sealed.keyCommit)) refuse();
  const { contentKey, aad } = contentCipher(key, names, sealed.readersHash, sealed.leavesHash);
  try {
    const { fields, encoded } = decodeFields(unpad(aeadOpen(contentKey, aad, sealed.ciphertext)));
    if (!equalBytes(hashLeaves(key, names, sealed.keyCommit, encoded), sealed.leavesHash)) refuse();
    return fields;
  } catch (cause) {
    throw new MunimentError('VIEW_COMMITMENT', undefined, { cause });
  }
}

// Path and value stand in a leaf as they do in the plaintext, so they are encoded once; and what all leaves of a class
// begin with is written once.
function hashLeaves(
  key: Uint8Array,
  names: DocumentNames,
  keyCommit: Uint8Array,
  encoded: readonly Uint8Array[],
): Uint8Array {
  const { recordId, docId } = names;
  const salts = keyStream(deriveTuple(key, 'salts', recordId, docId), SALT_LENGTH * encoded.length);
  const start = tuple('leaf', recordId, docId, keyCommit);
  const longest = encoded.reduce((most, { length }) => Math.max(most, length), 0);
  const leaf = new Uint8Array(start.length + OWN_LENGTH + longest);
  leaf.set(start);
  const leaves = encoded.map((field, j) => {
    leaf.set(encodeItems([j, salts.subarray(SALT_LENGTH * j, SALT_LENGTH * (j + 1))]), start.length);
    leaf.set(field, start.length + OWN_LENGTH);
    return sha256(leaf.subarray(0, start.length + OWN_LENGTH + field.length));
  });
  return hashTupleOf('leaves', leaves);
}

const SALT_LENGTH = 32;
// The number of a leaf and its salt, each behind its length.
const OWN_LENGTH = 4 + 8 + 4 + SALT_LENGTH;

function contentCipher(
  key: Uint8Array,
  names: DocumentNames,
  readersHash: Uint8Array,
  leavesHash: Uint8Array,
): { contentKey: Uint8Array; aad: Uint8Array } {
  const context = [names.recordId, names.docId, readersHash, leavesHash] as const;
  return { contentKey: deriveTuple(key, 'class key', ...context), aad: tuple('class aad', ...context) };
}

function decodeFields(plaintext: Uint8Array): { fields: SealedField[]; encoded: Uint8Array[] } {
  const reader = TupleReader.labelled(plaintext, 'fields');
  const fields: SealedField[] = [];
  const encoded: Uint8Array[] = [];
  while (!reader.done) {
    if (fields.length === FIELDS_LIMIT) throw new MunimentError('WIRE_LIMIT');
    const start = reader.position;
    fields.push({ path: reader.text(PATH_LIMIT), text: reader.text(4 * DOCUMENT_LIMIT) });
    encoded.push(plaintext.subarray(start, reader.position));
  }
  return { fields, encoded };
}

function refuse(): never {
  throw new MunimentError('VIEW_COMMITMENT');
}
