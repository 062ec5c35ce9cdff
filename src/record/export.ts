/**
 * Verifying an export: a record decades later, offline, with nothing but the anchor's Id and the bank's origin.
 * spec/record.md, "Exports".
 */

import { MunimentError } from '../errors.ts';
import { hasRole, readAnchor, verifyCredential, type Credential } from '../keys/index.ts';
import { equalBytes, toHex } from '../wire/index.ts';
import { verifyChain, type ChainRules, type VerifiedEntry } from './chain.ts';
import { verifyCheckpoint } from './checkpoint.ts';
import { readCreation, type Creation } from './create.ts';
import { EMPTY_CHAIN, type ChainName, type Head } from './entry.ts';
import { parseExport, type RecordExport } from './export-file.ts';
import { verifyInclusion, type TreeHead } from './log.ts';
import { verifyPayload, type PayloadDigests } from './payload.ts';
import { verifyReceipt, type Receipt } from './receipt.ts';

/** What an export is verified against; all of it required. */
export interface ExportRules {
  /** The Id of the anchor whom the verifier trusts. */
  readonly anchorId: Uint8Array;
  /** The origin of the bank that the record is expected from: an anchor may have issued to several. */
  readonly origin: string;
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
  /** How many payloads are not in the export, and so were not held against their entries. */
  readonly missingPayloads: Readonly<Record<ChainName, number>>;
  /** What an export alone cannot show, in words. */
  readonly notEstablished: readonly string[];
}

/**
 * Verifies a whole export offline: every credential, link, author, right, payload, receipt and place in the log.
 *
 * @param text - an export
 * @param rules - whom to trust, who may write what, how to digest payloads
 * @returns what was established, and what could not be
 * @throws `MunimentError` `RECORD_EXPORT` for its form, or another origin than the one expected; `KEY_CREDENTIAL`, `RECORD_CHECKPOINT`, `RECORD_CONSISTENCY` if a receipt states a head or log that contradicts this one; and what `verifyChain`, `verifyPayload`, `verifyReceipt` and `verifyInclusion` throw
 */
export async function verifyExport(text: string, rules: ExportRules): Promise<VerifiedExport> {
  const parts = parseExport(text);
  if (parts.origin !== rules.origin) throw new MunimentError('RECORD_EXPORT');
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
  const missingPayloads = { content: countMissing(content.entries), access: countMissing(access.entries) };
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
    missingPayloads,
    notEstablished: doubts(missingPayloads, access.entries.length),
  };
}

function countMissing(entries: readonly VerifiedExportEntry[]): number {
  return entries.filter(({ payload }) => payload === null).length;
}

function doubts({ content, access }: VerifiedExport['missingPayloads'], accesses: number): string[] {
  const missing = `that ${String(content)} payloads of the record and ${String(access)} of its accesses were what their entries say: they are not in this export, so they were not held against them`;
  return [
    'that no witness has seen another history: this checkpoint carries no cosignatures',
    'that the bank has shown nobody a longer chain than this export holds',
    // The bank alone writes the access chain, and may have left off its end, or all of it.
    accesses === 0
      ? 'that nobody has read the record: the access chain of this export is empty'
      : `that nobody has read the record after access ${String(accesses)}, where the access chain of this export ends`,
    ...(content + access > 0 ? [missing] : []),
  ];
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
    checkReceipt(receipt, entry, { bank, after: entries.at(-1)?.receipt });
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

function checkReceipt(
  receipt: Receipt,
  { entry, author }: VerifiedEntry,
  { bank, after }: { readonly bank: Credential; readonly after: Receipt | undefined },
): void {
  const covers = ({ notBefore, notAfter }: Credential): boolean =>
    receipt.time >= notBefore && receipt.time <= notAfter;
  const fits =
    equalBytes(receipt.recordId, entry.recordId) &&
    receipt.chain === entry.chain &&
    receipt.seq === entry.seq &&
    equalBytes(receipt.prev, entry.prev) &&
    receipt.outcome === 'accepted' &&
    // The author's own claim of time is no more than that; the bank's stands in the log.
    covers(author) &&
    covers(bank) &&
    // One log for all: what follows in the chain follows in the log.
    (after === undefined || receipt.leafIndex > after.leafIndex) &&
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
