/**
 * Exports: one file with everything that is needed to verify a record decades later, offline, with nothing but the
 * anchor's Id. spec/record.md, "Exports".
 */

import { MunimentError } from '../errors.ts';
import { hasRole, readAnchor, verifyCredential, type Credential } from '../keys/index.ts';
import {
  equalBytes,
  fromBase64url,
  jsonValue,
  readJson,
  toBase64url,
  toHex,
  type JsonValue,
} from '../wire/index.ts';
import { verifyChain, type ChainRules, type VerifiedEntry } from './chain.ts';
import { verifyCheckpoint } from './checkpoint.ts';
import { readCreation, type Creation } from './create.ts';
import {
  decodeSignedEntry,
  EMPTY_CHAIN,
  encodeSignedEntry,
  type ChainName,
  type Head,
  type SignedEntry,
} from './entry.ts';
import { PROOF_LIMIT, verifyInclusion, type TreeHead } from './log.ts';
import { verifyPayload, type PayloadDigests } from './payload.ts';
import { verifyReceipt, type Receipt } from './receipt.ts';

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

/** What an export is verified against; all of it required. */
export interface ExportRules {
  /** The Id of the anchor whom the verifier trusts. */
  readonly anchorId: Uint8Array;
  /** Who may write what, judged by the author's credential. */
  readonly mayWrite: ChainRules['mayWrite'];
  /** Digest functions of the payload types other than statements. */
  readonly digests: PayloadDigests;
  /** Told how many entries have been verified of how many, for a progress bar. */
  readonly progress?: (done: number, total: number) => void;
}

/** A verified entry with its payload and receipt. */
export interface VerifiedExportEntry {
  readonly entry: VerifiedEntry;
  /** Verified against the entry; `null` where it was erased. */
  readonly payload: Uint8Array | null;
  readonly receipt: Receipt;
}

/** What was established from an export. */
export interface VerifiedExport {
  readonly origin: string;
  readonly recordId: Uint8Array;
  readonly creation: Creation;
  readonly anchor: Credential;
  readonly bank: Credential;
  /** Every credential in the export by its Id in hexadecimal. */
  readonly credentials: ReadonlyMap<string, Credential>;
  readonly content: readonly VerifiedExportEntry[];
  readonly access: readonly VerifiedExportEntry[];
  readonly heads: Readonly<Record<ChainName, Head>>;
  readonly tree: TreeHead;
  /** What an export alone cannot show, in words. */
  readonly notEstablished: readonly string[];
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

/**
 * Verifies a whole export offline: every credential, link, author, right, payload, receipt and place in the log.
 *
 * @param text - an export
 * @param rules - whom to trust, who may write what, how to digest payloads
 * @returns what was established, and what could not be
 * @throws `MunimentError` `RECORD_EXPORT` for its form; `KEY_CREDENTIAL`, `RECORD_CHECKPOINT`, `RECORD_CONSISTENCY` if a receipt states a head or log that contradicts this one; and what `verifyChain`, `verifyPayload`, `verifyReceipt` and `verifyInclusion` throw
 */
export async function verifyExport(text: string, rules: ExportRules): Promise<VerifiedExport> {
  const parts = parseExport(text);
  const { credentials, anchor } = readCredentials(parts.credentials, rules.anchorId);
  const find = (id: Uint8Array): Credential | null => credentials.get(toHex(id)) ?? null;
  const bank = find(parts.bank);
  if (bank === null || !hasRole(bank, 'bank')) throw new MunimentError('RECORD_EXPORT');
  const tree = verifyCheckpoint(parts.checkpoint, { origin: parts.origin, key: bank.signing });

  const context: Context = { parts, rules, find, bank, tree, tagSalt: null };
  const total = parts.content.length + parts.access.length;
  let done = 0;
  const count = (): void => rules.progress?.(++done, total);
  const content = await verifyEntries('content', context, count);
  const access = await verifyEntries('access', context, count);
  const opening = content.entries[0];
  if (opening === undefined || opening.payload === null) throw new MunimentError('RECORD_EXPORT');
  return {
    origin: parts.origin,
    recordId: parts.recordId,
    creation: readCreation(opening.entry.entry, opening.payload),
    anchor,
    bank,
    credentials,
    content: content.entries,
    access: access.entries,
    heads: { content: content.head, access: access.head },
    tree,
    notEstablished: [
      'that no witness has seen another history: this checkpoint carries no cosignatures',
      'that the bank has shown nobody a longer chain than this export holds',
    ],
  };
}

interface Context {
  readonly parts: RecordExport;
  readonly rules: ExportRules;
  readonly find: ChainRules['authors'];
  readonly bank: Credential;
  readonly tree: TreeHead;
  tagSalt: Uint8Array | null;
}

async function verifyEntries(
  chain: ChainName,
  context: Context,
  count: () => void,
): Promise<{ entries: VerifiedExportEntry[]; head: Head }> {
  const { parts, rules, find, bank, tree } = context;
  const { origin, recordId } = parts;
  const exported = parts[chain];
  const items = verifyChain(
    exported.map(({ signed }) => signed),
    { origin, recordId, chain, authors: find, mayWrite: rules.mayWrite },
    EMPTY_CHAIN,
  );
  const entries: VerifiedExportEntry[] = [];
  for (const { payload, receipt: signedReceipt, proof } of exported) {
    const next = await items.next();
    if (next.done === true || 'hidden' in next.value) throw new MunimentError('RECORD_EXPORT');
    const entry = next.value;
    if (payload !== null) verifyPayload(entry.entry, payload, rules.digests);
    // The salt that opens leaves stands in the very first entry of the content chain.
    context.tagSalt ??= readCreation(entry.entry, payload ?? new Uint8Array(0)).tagSalt;
    const receipt = verifyReceipt(signedReceipt, bank, { origin, entryHash: entry.hash });
    checkReceipt(receipt, entry);
    const { seq } = entry.entry;
    const leaf = {
      recordId,
      tagSalt: context.tagSalt,
      chain,
      seq,
      time: receipt.time,
      entryHash: entry.hash,
    };
    verifyInclusion(leaf, { index: receipt.leafIndex, proof }, tree);
    entries.push({ entry, payload, receipt });
    count();
  }
  const end = await items.next();
  if (end.done !== true) throw new MunimentError('RECORD_EXPORT');
  const head = end.value;
  for (const { receipt } of entries) checkStatedHead(receipt, entries, tree);
  return { entries, head };
}

// A receipt that states a longer chain or log than this one, or another of the same length, shows that something was
// left out or told in two ways.
function checkStatedHead(
  { head, tree: stated }: Receipt,
  entries: readonly VerifiedExportEntry[],
  tree: TreeHead,
): void {
  const last = entries[head.size - 1];
  const agrees =
    last !== undefined &&
    equalBytes(last.entry.hash, head.hash) &&
    (stated.size < tree.size || (stated.size === tree.size && equalBytes(stated.root, tree.root)));
  if (!agrees) throw new MunimentError('RECORD_CONSISTENCY');
}

function checkReceipt(receipt: Receipt, { entry }: VerifiedEntry): void {
  const fits =
    equalBytes(receipt.recordId, entry.recordId) &&
    receipt.chain === entry.chain &&
    receipt.seq === entry.seq &&
    equalBytes(receipt.prev, entry.prev) &&
    receipt.leafIndex < receipt.tree.size &&
    receipt.seq < receipt.head.size;
  if (!fits) throw new MunimentError('RECORD_RECEIPT');
}

function readCredentials(
  encoded: readonly Uint8Array[],
  anchorId: Uint8Array,
): { credentials: ReadonlyMap<string, Credential>; anchor: Credential } {
  const [first, ...others] = encoded;
  if (first === undefined) throw new MunimentError('RECORD_EXPORT');
  const anchor = readAnchor(first, anchorId);
  const credentials = new Map([[toHex(anchor.id), anchor]]);
  for (const one of others) {
    // Whether it was valid when its holder wrote is judged entry by entry.
    const credential = verifyCredential(one, anchor, 'ever');
    credentials.set(toHex(credential.id), credential);
  }
  return { credentials, anchor };
}

function parseExport(text: string): RecordExport {
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
