/** What anybody can check of a sealed document without a key: the server at its door, an auditor, every reader first. spec/views.md, "Verifying". */

import { MunimentError } from '../errors.ts';
import { verifySignature, type Credential } from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import type { SealedDocument } from './body.ts';
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
 * @throws {@link MunimentError} `VIEW_MANIFEST` if malformed or of another record; `VIEW_AUTHOR` if its author is unknown or did not sign it; `VIEW_COMMITMENT` if a class is not the one committed to; `VIEW_INCOMPLETE` if a class that a delivery names is missing
 */
export function verifySealed(
  sealed: SealedDocument,
  expected: { readonly recordId: Uint8Array; readonly authors: FindCredential },
): VerifiedSealed {
  const manifest = decodeManifest(sealed.manifest);
  if (!equalBytes(manifest.recordId, expected.recordId)) throw new MunimentError('VIEW_MANIFEST');
  const hash = bodyHash(sealed.manifest);
  const author = expected.authors(manifest.author);
  if (author === null) throw new MunimentError('VIEW_AUTHOR');
  try {
    verifySignature(author.signing, signedBytes(hash, author.id), sealed.signature);
  } catch (cause) {
    throw new MunimentError('VIEW_AUTHOR', undefined, { cause });
  }
  checkClasses(sealed, manifest);
  // The brand exists only in types; this is the one place that gives it.
  return { sealed, manifest, bodyHash: hash, author } as VerifiedSealed;
}

function checkClasses(sealed: SealedDocument, manifest: Manifest): void {
  const present = new Set(sealed.classes.map(({ index }) => index));
  if (present.size !== sealed.classes.length) throw new MunimentError('VIEW_COMMITMENT');
  for (const { index, ...body } of sealed.classes) {
    if (!equalBytes(commitClass(body), manifest.classes[index] ?? EMPTY))
      throw new MunimentError('VIEW_COMMITMENT');
  }
  for (const { index, key } of sealed.publicKeys) {
    const body = sealed.classes.find((candidate) => candidate.index === index);
    if (body === undefined) throw new MunimentError('VIEW_INCOMPLETE');
    if (!equalBytes(commitKey(key, manifest), body.keyCommit)) throw new MunimentError('VIEW_COMMITMENT');
  }
}

const EMPTY = new Uint8Array(0);
