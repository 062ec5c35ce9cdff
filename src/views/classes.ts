/**
 * Classes: all fields with one set of readers are one ciphertext under one fresh key, committed to field by field,
 * so that nobody can show two readers different contents. spec/views.md, "Classes".
 */

import { aeadOpen, aeadSeal, deriveTuple, hashTuple, KEY_LENGTH, sha256 } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { compareBytes, equalBytes, concatAll, pad, tuple, TupleReader, unpad } from '../wire/index.ts';
import { DOCUMENT_LIMIT, FIELDS_LIMIT, PATH_LIMIT } from './constants.ts';
import { encodeField, fieldSalts, hashLeafList, leafHasher, type SealedField } from './field.ts';
import type { DocumentNames } from './document-names.ts';
import type { Policy } from './policy.ts';

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
  { keyCommit, readersHash }: Pick<SealedClass, 'keyCommit' | 'readersHash'>,
  fields: readonly SealedField[],
): Omit<SealedClass, 'index'> {
  const encoded = fields.map(encodeField);
  const leavesHash = hashLeafList(leavesOf(key, names, keyCommit, encoded).leaves);
  const plaintext = concatAll([tuple('fields'), ...encoded]);
  const { contentKey, aad } = contentCipher(key, names, readersHash, leavesHash);
  return { readersHash, keyCommit, leavesHash, ciphertext: aeadSeal(contentKey, aad, pad(plaintext)) };
}

/** What a class's commitment is over. */
export interface StatedClass {
  readonly readersHash: Uint8Array;
  readonly keyCommit: Uint8Array;
  readonly leavesHash: Uint8Array;
  /** `H(ciphertext)`, and its length in bytes. */
  readonly ciphertextHash: Uint8Array;
  readonly length: number;
}

/** `classCommit_c`: what stands in the manifest for a class. */
export function commitClass(sealed: Omit<SealedClass, 'index'>): Uint8Array {
  // No rest of an object where there are many: V8 makes one slowly, and among what stays.
  const { readersHash, keyCommit, leavesHash, ciphertext } = sealed;
  const ciphertextHash = sha256(ciphertext);
  return commitStated({ readersHash, keyCommit, leavesHash, ciphertextHash, length: ciphertext.length });
}

/** The same, of a class whose ciphertext is not there. */
export function commitStated(stated: StatedClass): Uint8Array {
  const { readersHash, keyCommit, leavesHash, ciphertextHash, length } = stated;
  return hashTuple('class', readersHash, keyCommit, leavesHash, ciphertextHash, length);
}

/** A class opened: its fields, and what each is committed to by. */
export interface OpenedClass {
  readonly fields: readonly SealedField[];
  readonly leaves: readonly Uint8Array[];
  readonly salts: readonly Uint8Array[];
}

/**
 * Opens a class whose commitment was checked against the manifest: the key's commitment first, before anything is
 * derived from it, then the ciphertext, then every leaf. Throws `VIEW_COMMITMENT` for every fault.
 */
export function openClass(key: Uint8Array, names: DocumentNames, sealed: SealedClass): OpenedClass {
  if (key.length !== KEY_LENGTH || !equalBytes(commitKey(key, names), sealed.keyCommit)) refuse();
  const { contentKey, aad } = contentCipher(key, names, sealed.readersHash, sealed.leavesHash);
  try {
    const { fields, encoded } = decodeFields(unpad(aeadOpen(contentKey, aad, sealed.ciphertext)));
    const { leaves, salts } = leavesOf(key, names, sealed.keyCommit, encoded);
    if (!equalBytes(hashLeafList(leaves), sealed.leavesHash)) refuse();
    return { fields, leaves, salts };
  } catch (cause) {
    throw new MunimentError('VIEW_COMMITMENT', undefined, { cause });
  }
}

function leavesOf(
  key: Uint8Array,
  names: DocumentNames,
  keyCommit: Uint8Array,
  encoded: readonly Uint8Array[],
): { readonly leaves: readonly Uint8Array[]; readonly salts: readonly Uint8Array[] } {
  const salts = fieldSalts(key, names, encoded.length);
  const hashLeaf = leafHasher(names, keyCommit);
  return { salts, leaves: encoded.map((field, j) => hashLeaf(j, salts[j] ?? EMPTY, field)) };
}

const EMPTY = new Uint8Array(0);

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
