/** What anybody can check of a sealed document without a key: the server at its door, an auditor, every reader first. spec/views.md, "Verifying". */

import { MunimentError } from '../errors.ts';
import { verifySignature, type Credential } from '../keys/index.ts';
import { compareBytes, equalBytes } from '../wire/index.ts';
import { decodeSealed, type SealedDocument } from './body.ts';
import { commitClass, commitKey } from './classes.ts';
import { bodyHash, decodeManifest, signedBytes, type Manifest } from './manifest.ts';

/** Finds the verified credential behind an Id; `null` if it is not known. */
export type FindCredential = (id: Uint8Array) => Credential | null;

declare const verified: unique symbol;

/** A sealed document whose author, commitments and ciphertexts were verified. */
export interface VerifiedSealed {
  readonly sealed: SealedDocument;
  readonly manifest: Manifest;
  /** `H(manifest)`, 32 bytes: the document's name in chains. */
  readonly bodyHash: Uint8Array;
  readonly author: Credential;
  readonly [verified]: true;
}

/**
 * Verifies signature, class commitments and ciphertext hashes of a sealed document, or of one reader's part.
 *
 * @param sealed - a decoded sealed document
 * @param expected - the record that it must belong to, and who may have written it
 * @throws `MunimentError` `VIEW_MANIFEST` if malformed or of another record; `VIEW_AUTHOR` if its author is unknown or did not sign it; `VIEW_ORDER` if classes, deliveries, wraps or public keys are out of order or one stands twice; `VIEW_COMMITMENT` if a class is not the one committed to; `VIEW_INCOMPLETE` if a class that a delivery names is missing
 */
export function verifySealed(
  sealed: SealedDocument,
  expected: { readonly recordId: Uint8Array; readonly authors: FindCredential },
): VerifiedSealed {
  const manifest = decodeManifest(sealed.manifest);
  if (!equalBytes(manifest.recordId, expected.recordId)) throw new MunimentError('VIEW_MANIFEST');
  const hash = bodyHash(sealed.manifest);
  const author = expected.authors(manifest.author);
  if (author === null || !equalBytes(author.id, manifest.author)) throw new MunimentError('VIEW_AUTHOR');
  try {
    verifySignature(author.signing, signedBytes(hash, author.id), sealed.signature);
  } catch (cause) {
    throw new MunimentError('VIEW_AUTHOR', undefined, { cause });
  }
  checkOrder(sealed);
  checkClasses(sealed, manifest);
  checkDeliveries(sealed);
  // The brand exists only in types; this is the one place that gives it.
  return { sealed, manifest, bodyHash: hash, author } as VerifiedSealed;
}

/** The payload type of entries over sealed documents: their payload digests are {@link sealedDigest}'s. */
export const SEALED_DOCUMENT = 'sealed-document';

/**
 * The digest by which an entry names a sealed document: `bodyHash`, so that a part of it has the same one. Whatever
 * classes are there are held against the manifest; signature and wraps are not looked at.
 *
 * @param bytes - what `encodeSealed` made
 * @throws `MunimentError` `VIEW_MANIFEST`, `VIEW_ORDER`, `VIEW_COMMITMENT`, `VIEW_INCOMPLETE`
 */
export function sealedDigest(bytes: Uint8Array): Uint8Array {
  const sealed = decodeSealed(bytes);
  checkOrder(sealed);
  checkClasses(sealed, decodeManifest(sealed.manifest));
  return bodyHash(sealed.manifest);
}

// One order, so that a document has one encoding, and nothing stands twice: with two wraps for one reader the server
// could choose what that reader sees.
function checkOrder({ deliveries, wraps, classes, publicKeys }: SealedDocument): void {
  for (const ids of [deliveries, wraps].map((list) => list.map(({ readerId }) => readerId)))
    if (!ascend(ids, compareBytes)) throw new MunimentError('VIEW_ORDER');
  for (const lines of [classes, publicKeys].map((list) => list.map(({ index }) => index)))
    if (!ascend(lines, (a, b) => a - b)) throw new MunimentError('VIEW_ORDER');
  if (!deliveries.every((delivery) => ascend(delivery.classes, (a, b) => a - b)))
    throw new MunimentError('VIEW_ORDER');
}

function ascend<Item>(list: readonly Item[], compare: (a: Item, b: Item) => number): boolean {
  return list.every((item, i) => {
    const next = list[i + 1];
    return next === undefined || compare(item, next) < 0;
  });
}

function checkClasses(sealed: SealedDocument, manifest: Manifest): void {
  for (const one of sealed.classes) {
    if (!equalBytes(commitClass(one), manifest.classes[one.index] ?? EMPTY))
      throw new MunimentError('VIEW_COMMITMENT');
  }
  for (const { index, key } of sealed.publicKeys) {
    const body = sealed.classes.find((candidate) => candidate.index === index);
    if (body === undefined) throw new MunimentError('VIEW_INCOMPLETE');
    if (!equalBytes(commitKey(key, manifest), body.keyCommit)) throw new MunimentError('VIEW_COMMITMENT');
  }
}

function checkDeliveries({ deliveries, classes }: SealedDocument): void {
  const present = new Set(classes.map(({ index }) => index));
  if (!deliveries.every((delivery) => delivery.classes.every((index) => present.has(index))))
    throw new MunimentError('VIEW_INCOMPLETE');
}

const EMPTY = new Uint8Array(0);
