/**
 * The form of an export: a record as one JSON file, with everything that is needed to verify it. Nothing in it is
 * believed here. spec/export.md.
 */

import { MunimentError } from '../errors.ts';
import { HISTORY_CREDENTIALS_LIMIT, HISTORY_REVOCATIONS_LIMIT } from '../keys/index.ts';
import { fromBase64url, jsonValue, readJson, toBase64url, type JsonValue } from '../wire/index.ts';
import { decodeSignedEntry, encodeSignedEntry, type SignedEntry } from './entry.ts';
import { PROOF_LIMIT } from './log.ts';

/** Longest export, in characters. */
export const EXPORT_LIMIT = 256 * 1024 * 1024;
const FORMAT = 'muniment export 3';
/** Most charters of one export. */
export const CHARTERS_LIMIT = 64;
/** Most digests of one payload. */
const DIGESTS_LIMIT = 8;
/** Most renewals of one export. */
export const RENEWALS_LIMIT = 256;

/** One entry with all that goes with it. */
export interface ExportedEntry {
  readonly signed: SignedEntry;
  /** The payload's bytes; `null` where they were erased or withheld. */
  readonly payload: Uint8Array | null;
  /** Digests of a payload that was taken out after the export had been renewed; else none. */
  readonly digests: readonly PayloadDigest[];
  /** What the exporter chose to show of a sealed payload, in the form that its type's verifier takes; `null` for nothing. */
  readonly opened: Uint8Array | null;
  /** The bank's signed receipt. */
  readonly receipt: Uint8Array;
  /** The inclusion proof of the entry's leaf under the export's checkpoint. */
  readonly proof: readonly Uint8Array[];
}

/** A payload's digest, so that renewals which cover the payload can be verified without it. */
export interface PayloadDigest {
  /** As a renewal's. */
  readonly algorithm: string;
  readonly digest: Uint8Array;
}

/** What the bank's directory said about keys that were taken back. */
export interface ExportedDirectory {
  readonly recordId: Uint8Array;
  readonly tagSalt: Uint8Array;
  /** Its entries of the kind `revoke`, in their order; what stands between them is left out. */
  readonly entries: readonly ExportedEntry[];
}

/** The place of an export's digest in some log, newer than the export. */
export interface Renewal {
  /** The digest's algorithm: `SHA-512`. */
  readonly algorithm: string;
  /** The log's origin. */
  readonly origin: string;
  /** Where its leaf stands. */
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  /** That log's checkpoint, which the proof is under. */
  readonly checkpoint: string;
}

/** The parts of an export. */
export interface RecordExport {
  readonly origin: string;
  readonly recordId: Uint8Array;
  /** The anchor's signed charters for this origin, oldest first; at least one. */
  readonly charters: readonly Uint8Array[];
  /** Signed credentials: the anchor's first, then those of everybody who signed. */
  readonly credentials: readonly Uint8Array[];
  readonly content: readonly ExportedEntry[];
  readonly access: readonly ExportedEntry[];
  /** Revocations heard by the bank; `null` where the exporter brings none. */
  readonly directory: ExportedDirectory | null;
  readonly checkpoint: string;
  /** Oldest first; each covers everything before it. */
  readonly renewals: readonly Renewal[];
}

/**
 * Writes an export as JSON text. Nothing is verified: what was left out or is wrong, `verifyExport` finds.
 *
 * @param parts - of the credentials, everybody's who signed or is named by a statement: authors, bank, anchor, owner,
 *   guardians, proxies; proofs all under the one checkpoint
 */
export function exportRecord(parts: RecordExport): string {
  const entries = (list: readonly ExportedEntry[]): object[] =>
    list.map(({ signed, payload, digests, opened, receipt, proof }) => ({
      entry: toBase64url(encodeSignedEntry(signed)),
      payload: payload === null ? null : toBase64url(payload),
      digests: digests.map(({ algorithm, digest }) => ({ algorithm, digest: toBase64url(digest) })),
      opened: opened === null ? null : toBase64url(opened),
      receipt: toBase64url(receipt),
      proof: proof.map(toBase64url),
    }));
  return JSON.stringify({
    format: FORMAT,
    origin: parts.origin,
    recordId: toBase64url(parts.recordId),
    charters: parts.charters.map(toBase64url),
    credentials: parts.credentials.map(toBase64url),
    content: entries(parts.content),
    access: entries(parts.access),
    directory: parts.directory && {
      recordId: toBase64url(parts.directory.recordId),
      tagSalt: toBase64url(parts.directory.tagSalt),
      entries: entries(parts.directory.entries),
    },
    checkpoint: parts.checkpoint,
    renewals: parts.renewals.map((renewal) => ({ ...renewal, proof: renewal.proof.map(toBase64url) })),
  });
}

/** Reads an export's form, or throws `RECORD_EXPORT`. */
export function parseExport(text: string): RecordExport {
  try {
    const value = record(jsonValue(readJson(text, { length: EXPORT_LIMIT, depth: 8 })), MEMBERS);
    if (value['format'] !== FORMAT) throw new MunimentError('RECORD_EXPORT');
    return {
      origin: string(value['origin']),
      recordId: bytes(value['recordId']),
      charters: list(value['charters'], CHARTERS_LIMIT).map(bytes),
      credentials: list(value['credentials'], HISTORY_CREDENTIALS_LIMIT).map(bytes),
      content: list(value['content']).map(readExported),
      access: list(value['access']).map(readExported),
      directory: value['directory'] === null ? null : readDirectory(value['directory']),
      checkpoint: string(value['checkpoint']),
      renewals: list(value['renewals'], RENEWALS_LIMIT).map(readRenewal),
    };
  } catch (cause) {
    throw new MunimentError('RECORD_EXPORT', undefined, { cause });
  }
}

function readDirectory(value: JsonValue | undefined): ExportedDirectory {
  const { recordId, tagSalt, entries } = record(value, ['recordId', 'tagSalt', 'entries']);
  return {
    recordId: bytes(recordId),
    tagSalt: bytes(tagSalt),
    entries: list(entries, HISTORY_REVOCATIONS_LIMIT).map(readExported),
  };
}

function readRenewal(value: JsonValue): Renewal {
  const { algorithm, origin, index, proof, checkpoint } = record(value, RENEWAL_MEMBERS);
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0)
    throw new MunimentError('RECORD_EXPORT');
  return {
    algorithm: string(algorithm),
    origin: string(origin),
    index,
    proof: list(proof, PROOF_LIMIT).map(bytes),
    checkpoint: string(checkpoint),
  };
}

function readExported(value: JsonValue): ExportedEntry {
  const { entry, payload, digests, opened, receipt, proof } = record(value, ENTRY_MEMBERS);
  const known = list(digests, DIGESTS_LIMIT).map(readDigest);
  // A payload that is there is digested, and nothing is digested in two ways.
  const once = new Set(known.map(({ algorithm }) => algorithm)).size === known.length;
  if (!once || (payload !== null && known.length > 0)) throw new MunimentError('RECORD_EXPORT');
  return {
    signed: decodeSignedEntry(bytes(entry)),
    payload: payload === null ? null : bytes(payload),
    digests: known,
    opened: opened === null ? null : bytes(opened),
    receipt: bytes(receipt),
    proof: list(proof, PROOF_LIMIT).map(bytes),
  };
}

function readDigest(value: JsonValue): PayloadDigest {
  const { algorithm, digest } = record(value, ['algorithm', 'digest']);
  return { algorithm: string(algorithm), digest: bytes(digest) };
}

const MEMBERS = [
  ...['format', 'origin', 'recordId', 'charters', 'credentials', 'content', 'access'],
  ...['directory', 'checkpoint', 'renewals'],
];
const ENTRY_MEMBERS = ['entry', 'payload', 'digests', 'opened', 'receipt', 'proof'];
const RENEWAL_MEMBERS = ['algorithm', 'origin', 'index', 'proof', 'checkpoint'];

function record(
  value: JsonValue | undefined,
  members: readonly string[],
): Readonly<Record<string, JsonValue>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new MunimentError('RECORD_EXPORT');
  // What is missing is refused where it is read.
  if (!Object.keys(value).every((name) => members.includes(name))) throw new MunimentError('RECORD_EXPORT');
  return value as Readonly<Record<string, JsonValue>>; // not null, not an array: an object
}

function list(value: JsonValue | undefined, limit = Number.MAX_SAFE_INTEGER): readonly JsonValue[] {
  if (!Array.isArray(value) || value.length > limit) throw new MunimentError('RECORD_EXPORT');
  return value as readonly JsonValue[];
}

function string(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw new MunimentError('RECORD_EXPORT');
  return value;
}

function bytes(value: JsonValue | undefined): Uint8Array {
  return fromBase64url(string(value));
}
