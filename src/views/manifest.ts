/**
 * The manifest: what an author signs of a sealed document. Commitments to classes and slots of readers, shuffled
 * among dummies, so that neither their number nor their existence shows. spec/views.md, "Manifest".
 */

import { deriveTuple, hashTuple, sha256 } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { tuple, TupleReader } from '../wire/index.ts';
import { ID_LENGTH, MANIFEST_LINES, TYPE_LIMIT } from './constants.ts';
import type { DocumentNames } from './document-names.ts';
import { deriveValues } from './values.ts';

/** A manifest's content. */
export interface Manifest extends DocumentNames {
  /** The author's Id. */
  readonly author: Uint8Array;
  /** When the author says to have written it, in milliseconds since 1970. */
  readonly time: number;
  /** What kind of document this is, for people and programs; public. */
  readonly type: string;
  /** `bodyHash` of the document that this one supersedes; zeros if none. */
  readonly supersedes: Uint8Array;
  /** 16 lines, each a class commitment or a dummy. */
  readonly classes: readonly Uint8Array[];
  /** 16 lines, each a reader's slot or a dummy. */
  readonly slots: readonly Uint8Array[];
}

/** `supersedes` of a document that supersedes none. */
export const SUPERSEDES_NONE = new Uint8Array(32);

/** Encodes a manifest. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const { recordId, docId, author, time, type, supersedes, classes, slots } = manifest;
  return tuple('manifest', recordId, docId, author, time, type, supersedes, classes, slots);
}

/** Reads a manifest, or throws `VIEW_MANIFEST`. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  try {
    const reader = TupleReader.labelled(bytes, 'manifest');
    const manifest = {
      recordId: reader.bytes(ID_LENGTH),
      docId: reader.bytes(ID_LENGTH),
      author: reader.bytes(32),
      time: reader.integer(),
      type: reader.text(TYPE_LIMIT),
      supersedes: reader.bytes(32),
      classes: reader.list(MANIFEST_LINES, (line) => line.bytes(32)),
      slots: reader.list(MANIFEST_LINES, (line) => line.bytes(32)),
    };
    reader.end();
    const full = manifest.classes.length === MANIFEST_LINES && manifest.slots.length === MANIFEST_LINES;
    if (!full) throw new MunimentError('VIEW_MANIFEST');
    return manifest;
  } catch (cause) {
    throw new MunimentError('VIEW_MANIFEST', undefined, { cause });
  }
}

/** `bodyHash = H(manifest)`. */
export function bodyHash(manifest: Uint8Array): Uint8Array {
  return sha256(manifest);
}

/** What the author signs: `T("muniment/1 sealed document", bodyHash, author Id)`. */
export function signedBytes(hash: Uint8Array, author: Uint8Array): Uint8Array {
  return tuple('sealed document', hash, author);
}

/** The blinding value of a reader's slot, derived from D so that the owner can recompute every slot. */
export function slotBlind(ownerKey: Uint8Array, names: DocumentNames, readerId: Uint8Array): Uint8Array {
  return deriveTuple(ownerKey, 'blind', names.recordId, names.docId, readerId);
}

/**
 * What a wrap holds of the classes' keys: all of each; the half of those who break the glass; or a custodian's share
 * of the other half.
 */
export type WrapKind = 'keys' | 'half' | 'share';

/** What one reader holds of which classes. Slots bind it, deliveries state it. */
export interface Holding {
  readonly readerId: Uint8Array;
  readonly kind: WrapKind;
  /** How many custodians' shares it takes beside a half to open: 0 for whole keys, else at least 1. */
  readonly threshold: number;
  /** The lines of its classes, ascending. */
  readonly classes: readonly number[];
}

/** `slot_a`: which reader opens which classes, and whether alone, blinded. */
export function slotOf(names: DocumentNames, blind: Uint8Array, holding: Holding): Uint8Array {
  const { readerId, kind, threshold, classes } = holding;
  return hashTuple('slot', names.recordId, names.docId, readerId, blind, kind, threshold, classes);
}

/** What stands in the lines that nothing needs, those of both lists from one key stream. */
export function dummyLines(
  ownerKey: Uint8Array,
  names: DocumentNames,
): { readonly classes: Uint8Array[]; readonly slots: Uint8Array[] } {
  const dummies = deriveValues(ownerKey, 'dummies', names, 2 * MANIFEST_LINES);
  return { classes: dummies.slice(0, MANIFEST_LINES), slots: dummies.slice(MANIFEST_LINES) };
}
