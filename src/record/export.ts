/**
 * Verifying an export: a record decades later, offline, with nothing but the anchor's Id and the bank's origin.
 * spec/export.md, "Verifying".
 */

import { MunimentError } from '../errors.ts';
import { hasRole, readAnchor, verifyCredential, type Credential } from '../keys/index.ts';
import { equalBytes, toHex } from '../wire/index.ts';
import { startOf, withoutRevocations, type VerifiedEntry } from './chain.ts';
import { verifyCheckpoint } from './checkpoint.ts';
import { readCreation, type Creation } from './create.ts';
import type { ChainName, Entry, Head } from './entry.ts';
import { hearRevocations, standings, type StandingAt } from './export-directory.ts';
import { parseExport, type RecordExport } from './export-file.ts';
import { checkTimes, verifyPlace, type Bank, type FindCredential } from './export-place.ts';
import type { TreeHead } from './log.ts';
import { verifyPayload, type PayloadDigests } from './payload.ts';
import { NO_WITNESSES } from './quorum.ts';
import type { Receipt } from './receipt.ts';
import { verifyRenewals, type RenewalLog, type VerifiedRenewal } from './renewal.ts';
import type { WriteRule } from './rule.ts';
import { verifyChain } from './verify-chain.ts';

/** Why an export was refused, and what of it still stands. */
export class ExportError extends MunimentError {
  /** The entry that was refused; `null` where the fault is in no single entry. */
  readonly at: { readonly chain: ChainName; readonly seq: number } | null;
  /** What was verified before; nothing of it depends on what was refused. */
  readonly good: Readonly<Record<ChainName, readonly VerifiedExportEntry[]>>;

  constructor(cause: MunimentError, at: ExportError['at'], good: ExportError['good']) {
    super(cause.code, at === null ? undefined : `at entry ${String(at.seq)} of ${at.chain}`, { cause });
    [this.at, this.good] = [at, good];
  }
}

/** What was opened of a sealed payload, verified. */
export interface OpenedPayload {
  /** As JSON text. */
  readonly text: string;
  /** Who wrote it. */
  readonly author: Credential;
}

/** Verifies what was opened against the entry that names the sealed payload, by type; throws if it is not part of it. */
export type Openings = Readonly<
  Record<string, (opened: Uint8Array, entry: Entry, authors: FindCredential) => OpenedPayload>
>;

/** What an export is verified against; all of it required. */
export interface ExportRules {
  /** The Id of the anchor whom the verifier trusts. */
  readonly anchorId: Uint8Array;
  /** The origin of the bank that the record is expected from: an anchor may have issued to several. */
  readonly origin: string;
  /** Who may write what; either chain is judged from the rule's start. */
  readonly rule: WriteRule<unknown>;
  /** Digest functions of the payload types other than statements. */
  readonly digests: PayloadDigests;
  /** Verifiers of what was opened, for the payload types that can be. */
  readonly openings: Openings;
  /** Logs that are trusted for renewals. */
  readonly renewalLogs: readonly RenewalLog[];
  /** Told how many entries have been verified of how many, for a progress bar. */
  readonly progress?: (done: number, total: number) => void;
}

/** A verified entry with its payload and receipt. */
export interface VerifiedExportEntry {
  readonly entry: VerifiedEntry;
  /** Verified against the entry; `null` where it was erased. */
  readonly payload: Uint8Array | null;
  /** Verified against the entry; `null` where nothing was opened. */
  readonly opened: OpenedPayload | null;
  readonly receipt: Receipt;
  /** How sure the author's key was when the bank took the entry, by the revocations in the export. */
  readonly standing: 'valid' | 'doubtful';
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
  /** Oldest first. */
  readonly renewals: readonly VerifiedRenewal[];
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
 * @throws `ExportError`, a `MunimentError` that names the entry and keeps what was good: `RECORD_EXPORT` for its form, or another origin than the one expected; `KEY_CREDENTIAL`, `RECORD_CHECKPOINT`; `RECORD_RENEWAL`; `KEY_REVOKED` for an entry taken after its author's key was revoked; `RECORD_CONSISTENCY` if the bank's times run against its log, or a receipt states a head or log that contradicts this one; and what `verifyChain`, `verifyPayload`, `verifyReceipt` and `verifyInclusion` throw
 */
export async function verifyExport(text: string, rules: ExportRules): Promise<VerifiedExport> {
  const progress: Progress = { at: null, good: { content: [], access: [] } };
  try {
    return await verifyParts(text, rules, progress);
  } catch (error) {
    // Whatever else is thrown is a defect of the rules that were given.
    if (!(error instanceof MunimentError)) throw error;
    throw new ExportError(error, progress.at, progress.good);
  }
}

interface Progress {
  at: ExportError['at'];
  readonly good: Record<ChainName, VerifiedExportEntry[]>;
}

async function verifyParts(text: string, rules: ExportRules, progress: Progress): Promise<VerifiedExport> {
  const parts = parseExport(text);
  if (parts.origin !== rules.origin) throw new MunimentError('RECORD_EXPORT');
  const { credentials, anchor } = readCredentials(parts.credentials, rules.anchorId);
  const find = (id: Uint8Array): Credential | null => credentials.get(toHex(id)) ?? null;
  const bank = find(parts.bank);
  if (bank === null || !hasRole(bank, 'bank')) throw new MunimentError('RECORD_EXPORT');
  const { origin } = parts;
  const log = { origin, ed25519: bank.signing.publicKey, mlDsa44: null };
  const tree = verifyCheckpoint(parts.checkpoint, { log, witnesses: NO_WITNESSES });
  const renewals = verifyRenewals(parts, rules.renewalLogs);
  const place: Bank = { origin, credential: bank, tree };
  const heard = hearRevocations(parts.directory, { anchor, find, bank: place });
  const standing = standings(anchor, credentials.values(), heard);

  const context: Context = { parts, rules, find, bank: place, standing, progress, tagSalt: null };
  const total = parts.content.length + parts.access.length;
  let done = 0;
  const count = (): void => rules.progress?.(++done, total);
  const content = await verifyEntries('content', context, count);
  const access = await verifyEntries('access', context, count);
  const opening = content.entries[0];
  if (opening === undefined || opening.payload === null) throw new MunimentError('RECORD_EXPORT');
  checkTimes([...heard.receipts, ...[...content.entries, ...access.entries].map(({ receipt }) => receipt)]);
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
    renewals,
    missingPayloads,
    notEstablished: [
      ...doubts(missingPayloads, access.entries.length),
      'that the bank has heard of no other revocation than those in this export',
      ...renewals
        .filter((one) => one.tree === null)
        .map(({ origin: log }) => `that this export was renewed in the log ${log}, whose key was not given`),
    ],
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
  readonly find: FindCredential;
  readonly bank: Bank;
  readonly standing: StandingAt;
  readonly progress: Progress;
  tagSalt: Uint8Array | null;
}

async function verifyEntries(
  chain: ChainName,
  context: Context,
  count: () => void,
): Promise<{ entries: VerifiedExportEntry[]; head: Head }> {
  const { parts, rules, find, bank, standing, progress } = context;
  const { origin, recordId } = parts;
  const exported = parts[chain];
  const items = verifyChain(
    exported.map(({ signed, payload }) => ({ ...signed, payload })),
    // Whether a key was good is judged by the bank's time, once that is known.
    { origin, recordId, chain, authors: withoutRevocations(find), rule: rules.rule },
    startOf(rules.rule),
  );
  const entries = progress.good[chain];
  for (const one of exported) {
    progress.at = { chain, seq: entries.length };
    const { payload } = one;
    const next = await items.next();
    if (next.done === true || 'hidden' in next.value) throw new MunimentError('RECORD_EXPORT');
    const entry = next.value;
    if (payload !== null) verifyPayload(entry.entry, payload, rules.digests);
    // The salt that opens leaves stands in the very first entry of the content chain.
    context.tagSalt ??= readCreation(entry.entry, payload ?? new Uint8Array(0)).tagSalt;
    const { tagSalt } = context;
    const receipt = verifyPlace(one, entry, { bank, tagSalt, after: entries.at(-1)?.receipt });
    entries.push({
      ...{ entry, payload, receipt, standing: standing(entry.author, receipt) },
      opened: one.opened === null ? null : verifyOpened(one.opened, entry.entry, context),
    });
    count();
  }
  progress.at = null;
  const end = await items.next();
  if (end.done !== true) throw new MunimentError('RECORD_EXPORT');
  const { head } = end.value;
  for (const { receipt } of entries) checkStatedHead(receipt, entries, bank.tree);
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

function verifyOpened(opened: Uint8Array, entry: Entry, { rules, find }: Context): OpenedPayload {
  // Own members only, as with digests.
  const { openings } = rules;
  const verify = Object.hasOwn(openings, entry.payloadType) ? openings[entry.payloadType] : undefined;
  if (verify === undefined) throw new MunimentError('RECORD_PAYLOAD');
  try {
    return verify(opened, entry, find);
  } catch (cause) {
    throw new MunimentError('RECORD_PAYLOAD', undefined, { cause });
  }
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
