/** The form of a fraud file. Nothing in it is believed here. spec/evidence.md, "Fraud proofs". */

import { MunimentError } from '../errors.ts';
import { fromBase64url, jsonValue, readJson, toBase64url } from '../wire/index.ts';
import { PROOF_LIMIT } from './log.ts';

/** Longest fraud file, in characters. */
export const FRAUD_LIMIT = 4 * 1024 * 1024;
const FORMAT = 'muniment fraud 1';

/** What each kind of fraud file carries beside the bank's papers. Lists hold hashes of an inclusion proof. */
export const FRAUD_EVIDENCE = {
  'two places': ['first', 'second'],
  'two roots': ['first', 'second'],
  'two leaves': ['first', 'firstLeaf', 'firstProof', 'second', 'secondLeaf', 'secondProof', 'index'],
  'other leaf': ['receipt', 'creation', 'creationPayload', 'creationReceipt', 'tree', 'leaf', 'proof'],
  'cut tail': ['first', 'second'],
  'out of order': ['first', 'second'],
  'after revocation': ['receipt', 'entry', 'author', 'revocation', 'revocationPayload', 'revocationReceipt'],
  'bad entry': ['receipt', 'entry', 'author'],
} as const;
/** One of the kinds in {@link FRAUD_EVIDENCE}. */
export type FraudKind = keyof typeof FRAUD_EVIDENCE;

/** One piece: bytes, a checkpoint's text, a leaf index, or an inclusion proof. */
export type Piece = Uint8Array | string | number | readonly Uint8Array[];

/** A fraud file's parts. */
export interface FraudFile {
  readonly kind: FraudKind;
  /** Signed credential of the anchor. */
  readonly anchor: Uint8Array;
  /** Signed credential of the bank. */
  readonly bank: Uint8Array;
  readonly charter: Uint8Array;
  readonly evidence: Readonly<Record<string, Piece>>;
}

/** Writes a fraud file in its one form. */
export function writeFraud({ kind, anchor, bank, charter, evidence }: FraudFile): string {
  return JSON.stringify({
    format: FORMAT,
    kind,
    anchor: toBase64url(anchor),
    bank: toBase64url(bank),
    charter: toBase64url(charter),
    evidence: Object.fromEntries(FRAUD_EVIDENCE[kind].map((name) => [name, writePiece(evidence[name])])),
  });
}

/** Reads a fraud file's form: only the one text that {@link writeFraud} gives for it. Throws whatever the reading throws. */
export function readFraud(text: string): FraudFile {
  const value = members(jsonValue(readJson(text, { length: FRAUD_LIMIT, depth: 4 })));
  const kind = (Object.keys(FRAUD_EVIDENCE) as FraudKind[]).find((one) => one === value['kind']);
  if (kind === undefined) return refuse();
  const evidence = members(value['evidence']);
  const file: FraudFile = {
    kind,
    anchor: bytes(value['anchor']),
    bank: bytes(value['bank']),
    charter: bytes(value['charter']),
    evidence: Object.fromEntries(FRAUD_EVIDENCE[kind].map((name) => [name, readPiece(evidence[name])])),
  };
  // Other members, another order, spaces, escapes: a second spelling of the same proof is none.
  return writeFraud(file) === text ? file : refuse();
}

/** The refusal of whatever proves nothing. */
export function refuse(): never {
  throw new MunimentError('RECORD_FRAUD');
}

function writePiece(piece: Piece | undefined): string | number | string[] {
  if (piece === undefined) return refuse();
  if (piece instanceof Uint8Array) return toBase64url(piece);
  return typeof piece === 'object' ? piece.map(toBase64url) : piece;
}

function readPiece(value: unknown): Piece {
  if (Array.isArray(value)) return value.length <= PROOF_LIMIT ? value.map(bytes) : refuse();
  if (typeof value === 'number') return value;
  // A checkpoint is a text of lines; nothing else holds a newline.
  return typeof value === 'string' && value.includes('\n') ? value : bytes(value);
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object') return refuse();
  return value as Readonly<Record<string, unknown>>; // an object; an array lacks the names that are asked for
}

function bytes(value: unknown): Uint8Array {
  return typeof value === 'string' ? fromBase64url(value) : refuse();
}
