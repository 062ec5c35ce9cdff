/**
 * Payloads: bytes of any type, named in entries by a digest. This room knows statements only; digest functions of
 * other types (a sealed document's) are handed in, so that a record needs no views and views no record.
 * spec/record.md, "Payloads".
 */

import { sha256, systemRandom, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { NAME_LIMIT } from '../keys/index.ts';
import { copyBytes, equalBytes, tuple, TupleReader } from '../wire/index.ts';
import type { Entry } from './entry.ts';

/** The payload type of statements. */
export const STATEMENT = 'statement';

/** Computes a payload's digest by type; throws if the bytes are malformed. */
export type PayloadDigests = Readonly<Record<string, (payload: Uint8Array) => Uint8Array>>;

/** A statement: what it is about, and its bytes. */
export interface Statement {
  readonly kind: string;
  readonly content: Uint8Array;
}

/** Encodes a statement under a fresh salt, so that its digest in the log tells nothing: `T("muniment/1 statement", kind, salt, bytes)`. */
export function encodeStatement(statement: Statement, random: Random = systemRandom): Uint8Array {
  return tuple('statement', statement.kind, random(32), statement.content);
}

/** The digest of an encoded statement. */
export function statementDigest(payload: Uint8Array): Uint8Array {
  return sha256(payload);
}

/**
 * Checks a payload against its entry and returns a copy of it: the only way from a stored payload to its content.
 *
 * @param entry - a verified entry
 * @param payload - what was stored beside it
 * @param digests - digest functions of the types other than statements: `sealedDigest` of sealed documents
 * @throws `MunimentError` `RECORD_PAYLOAD` if the digest is another, or there is no function for the entry's type
 */
export function verifyPayload(entry: Entry, payload: Uint8Array, digests: PayloadDigests = {}): Uint8Array {
  // Own members only: `constructor` would digest every payload to itself.
  const known = Object.hasOwn(digests, entry.payloadType) ? digests[entry.payloadType] : undefined;
  const digest = entry.payloadType === STATEMENT ? statementDigest : known;
  if (digest === undefined) throw new MunimentError('RECORD_PAYLOAD');
  try {
    const own = copyBytes(payload); // what is returned is what was digested
    if (!equalBytes(digest(own), entry.payloadDigest)) throw new MunimentError('RECORD_PAYLOAD');
    return own;
  } catch (cause) {
    throw new MunimentError('RECORD_PAYLOAD', undefined, { cause });
  }
}

/**
 * Reads a statement of any kind; that it is the one its entry names is for {@link verifyPayload}.
 *
 * @throws `MunimentError` `RECORD_PAYLOAD`
 */
export function decodeStatement(payload: Uint8Array): Statement {
  try {
    const reader = TupleReader.labelled(payload, 'statement');
    const [kind, , content] = [reader.text(NAME_LIMIT), reader.bytes(32), reader.bytes()];
    reader.end();
    return { kind, content };
  } catch (cause) {
    throw new MunimentError('RECORD_PAYLOAD', undefined, { cause });
  }
}

/**
 * Checks a statement against its entry and reads it.
 *
 * @param kind - the kind that the statement must be of
 * @throws `MunimentError` `RECORD_PAYLOAD`
 */
export function readStatement(entry: Entry, payload: Uint8Array, kind: string): Uint8Array {
  if (entry.payloadType !== STATEMENT) throw new MunimentError('RECORD_PAYLOAD');
  const stated = decodeStatement(verifyPayload(entry, payload));
  if (stated.kind !== kind) throw new MunimentError('RECORD_PAYLOAD');
  return stated.content;
}
