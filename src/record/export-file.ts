/**
 * The form of an export: a record as one JSON file, with everything that is needed to verify it. Nothing in it is
 * believed here. spec/record.md, "Exports".
 */

import { MunimentError } from '../errors.ts';
import { fromBase64url, jsonValue, readJson, toBase64url, type JsonValue } from '../wire/index.ts';
import { decodeSignedEntry, encodeSignedEntry, type SignedEntry } from './entry.ts';
import { PROOF_LIMIT } from './log.ts';

/** Longest export, in characters. */
export const EXPORT_LIMIT = 256 * 1024 * 1024;
const FORMAT = 'muniment export 1';
const CREDENTIALS_LIMIT = 100_000;

/** One entry with all that goes with it. */
export interface ExportedEntry {
  readonly signed: SignedEntry;
  /** The payload's bytes; `null` where they were erased. */
  readonly payload: Uint8Array | null;
  /** The bank's signed receipt. */
  readonly receipt: Uint8Array;
  /** The inclusion proof of the entry's leaf under the export's checkpoint. */
  readonly proof: readonly Uint8Array[];
}

/** The parts of an export. */
export interface RecordExport {
  readonly origin: string;
  readonly recordId: Uint8Array;
  /** The bank's Id. */
  readonly bank: Uint8Array;
  /** Signed credentials: the anchor's first, then those of everybody who signed. */
  readonly credentials: readonly Uint8Array[];
  readonly content: readonly ExportedEntry[];
  readonly access: readonly ExportedEntry[];
  readonly checkpoint: string;
}

/** Writes an export as JSON text. */
export function exportRecord(parts: RecordExport): string {
  const entries = (list: readonly ExportedEntry[]): object[] =>
    list.map(({ signed, payload, receipt, proof }) => ({
      entry: toBase64url(encodeSignedEntry(signed)),
      payload: payload === null ? null : toBase64url(payload),
      receipt: toBase64url(receipt),
      proof: proof.map(toBase64url),
    }));
  return JSON.stringify({
    format: FORMAT,
    origin: parts.origin,
    recordId: toBase64url(parts.recordId),
    bank: toBase64url(parts.bank),
    credentials: parts.credentials.map(toBase64url),
    content: entries(parts.content),
    access: entries(parts.access),
    checkpoint: parts.checkpoint,
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
      bank: bytes(value['bank']),
      credentials: list(value['credentials'], CREDENTIALS_LIMIT).map(bytes),
      content: list(value['content']).map(readExported),
      access: list(value['access']).map(readExported),
      checkpoint: string(value['checkpoint']),
    };
  } catch (cause) {
    throw new MunimentError('RECORD_EXPORT', undefined, { cause });
  }
}

function readExported(value: JsonValue): ExportedEntry {
  const { entry, payload, receipt, proof } = record(value, ENTRY_MEMBERS);
  return {
    signed: decodeSignedEntry(bytes(entry)),
    payload: payload === null ? null : bytes(payload),
    receipt: bytes(receipt),
    proof: list(proof, PROOF_LIMIT).map(bytes),
  };
}

const MEMBERS = ['format', 'origin', 'recordId', 'bank', 'credentials', 'content', 'access', 'checkpoint'];
const ENTRY_MEMBERS = ['entry', 'payload', 'receipt', 'proof'];

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
