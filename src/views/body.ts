/** A sealed document as it travels and is stored, and the part of it that goes to one reader. spec/views.md, "Body". */

import type { HpkeSealed } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { readSignature } from '../keys/index.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { MANIFEST_LINES, SEALED_LIMIT } from './constants.ts';
import type { SealedClass } from './classes.ts';
import type { Holding, WrapKind } from './manifest.ts';

/** What a reader's wrap holds, as the server must know to hand classes out; the reader holds it against its slot. */
export type Delivery = Holding;

/** A reader's keys, sealed to it. */
export interface Wrap extends HpkeSealed {
  readonly readerId: Uint8Array;
}

/** The public class's key, which travels in clear. */
export interface PublicKeyOfClass {
  readonly index: number;
  readonly key: Uint8Array;
}

/** A sealed document, or the part of it that one reader gets. Nothing in it is verified before `verifySealed` or `open`. */
export interface SealedDocument {
  readonly manifest: Uint8Array;
  readonly signature: Uint8Array;
  readonly deliveries: readonly Delivery[];
  readonly wraps: readonly Wrap[];
  readonly classes: readonly SealedClass[];
  readonly publicKeys: readonly PublicKeyOfClass[];
}

/** Encodes a sealed document. */
export function encodeSealed(sealed: SealedDocument): Uint8Array {
  return tuple(
    'sealed body',
    sealed.manifest,
    sealed.signature,
    sealed.deliveries.map(({ readerId, kind, threshold, classes }) => [readerId, kind, threshold, classes]),
    sealed.wraps.map((wrap) => [wrap.readerId, wrap.encapsulation, wrap.ciphertext]),
    sealed.classes.map((c) => [c.index, c.readersHash, c.keyCommit, c.leavesHash, c.ciphertext]),
    sealed.publicKeys.map(({ index, key }) => [index, key]),
  );
}

/**
 * Reads a sealed document's form; nothing in it is verified by that.
 *
 * @param bytes - at most {@link SEALED_LIMIT}
 * @throws `MunimentError` `VIEW_MANIFEST`
 */
export function decodeSealed(bytes: Uint8Array): SealedDocument {
  try {
    if (bytes.length > SEALED_LIMIT) throw new MunimentError('WIRE_LIMIT');
    const reader = TupleReader.labelled(bytes, 'sealed body');
    const sealed = {
      manifest: reader.bytes(),
      signature: readSignature(reader),
      deliveries: groups(reader, readDelivery),
      wraps: groups(reader, (part) => ({
        readerId: part.bytes(32),
        encapsulation: part.bytes(),
        ciphertext: part.bytes(),
      })),
      classes: groups(reader, (part) => ({
        index: readLine(part),
        readersHash: part.bytes(32),
        keyCommit: part.bytes(32),
        leavesHash: part.bytes(32),
        ciphertext: part.bytes(),
      })),
      publicKeys: groups(reader, (part) => ({ index: readLine(part), key: part.bytes(32) })),
    };
    reader.end();
    return sealed;
  } catch (cause) {
    throw new MunimentError('VIEW_MANIFEST', undefined, { cause });
  }
}

/**
 * The part of a sealed document for somebody who opens as some of its readers: manifest, signature, their wraps and
 * classes, and whatever is public. The owner, who accounts for everything, is told of all deliveries.
 *
 * @param sealed - the whole document
 * @param readerIds - the reader ids that the asker may open as
 * @param owner - whether the asker is the record's owner
 * @param lines - lines of classes that were granted to the asker beside those of its wraps
 */
export function selectFor(
  sealed: SealedDocument,
  readerIds: readonly Uint8Array[],
  owner: boolean,
  lines: readonly number[] = [],
): SealedDocument {
  const mine = (readerId: Uint8Array): boolean => readerIds.some((id) => equalBytes(id, readerId));
  const deliveries = sealed.deliveries.filter(({ readerId }) => mine(readerId));
  const open = new Set([...sealed.publicKeys.map(({ index }) => index), ...lines]);
  for (const { classes } of deliveries) for (const index of classes) open.add(index);
  return {
    ...sealed,
    deliveries: owner ? sealed.deliveries : deliveries,
    wraps: sealed.wraps.filter(({ readerId }) => mine(readerId)),
    classes: sealed.classes.filter(({ index }) => open.has(index)),
  };
}

function groups<Group>(reader: TupleReader, read: (part: TupleReader) => Group): Group[] {
  return reader.list(MANIFEST_LINES, (item) => item.group(read));
}

function readDelivery(part: TupleReader): Delivery {
  const [readerId, kind, threshold] = [part.bytes(32), part.text(), part.integer()];
  if (!isKind(kind) || (kind === 'keys') !== (threshold === 0)) throw new MunimentError('WIRE_TUPLE');
  return { readerId, kind, threshold, classes: part.list(MANIFEST_LINES, readLine) };
}

function isKind(text: string): text is WrapKind {
  return text === 'keys' || text === 'half' || text === 'share';
}

function readLine(reader: TupleReader): number {
  const line = reader.integer();
  if (line >= MANIFEST_LINES) throw new MunimentError('WIRE_LIMIT');
  return line;
}
