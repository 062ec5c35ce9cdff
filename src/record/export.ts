/**
 * Verifying an export: a record decades later, offline, with nothing but the anchor's Id and the bank's origin.
 * spec/export.md, "Verifying".
 */

import { ERROR_CODES, MunimentError } from '../errors.ts';
import { readAnchor, verifyCredential, type Credential } from '../keys/index.ts';
import { toHex } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import { readCreation, type Creation } from './create.ts';
import type { Head } from './entry.ts';
import { readCharters } from './export-charters.ts';
import { hearRevocations, standings } from './export-directory.ts';
import { doubtsOf } from './export-doubts.ts';
import {
  ExportEntries,
  type Openings,
  type VerifiedChains,
  type VerifiedExportEntry,
} from './export-entries.ts';
import { parseExport } from './export-file.ts';
import { countPayloads, type PayloadCounts } from './export-payloads.ts';
import { checkStatedLogs, type FindCredential, type Log } from './export-place.ts';
import { establish, type EstablishedTree } from './export-state.ts';
import type { PayloadDigests } from './payload.ts';
import type { WitnessPolicy } from './quorum.ts';
import { verifyRenewals, type RenewalLog, type VerifiedRenewal } from './renewal.ts';
import type { WriteRule } from './rule.ts';

/** Why an export was refused, and what of it still stands. */
export class ExportError extends MunimentError {
  /** The entry that was refused; `null` where the fault is in no single entry. */
  readonly at: { readonly chain: ChainName; readonly seq: number } | null;
  /** What was verified before; nothing of it depends on what was refused. */
  readonly good: VerifiedChains;

  constructor(cause: MunimentError, at: ExportError['at'], good: ExportError['good']) {
    const place = at === null ? '' : `at entry ${String(at.seq)} of ${at.chain}: `;
    super(cause.code, `${place}${ERROR_CODES[cause.code][1]}`, { cause });
    [this.at, this.good] = [at, good];
  }
}

/** What an export is verified against; all of it but `progress` required. */
export interface ExportRules {
  /** The Id of the anchor whom the verifier trusts. */
  readonly anchorId: Uint8Array;
  /** The origin of the bank that the record is expected from: an anchor may have issued to several. */
  readonly origin: string;
  /** Who must have cosigned the checkpoint. With `NO_WITNESSES` the log alone is believed. */
  readonly witnesses: WitnessPolicy;
  /**
   * Who may write what, or what makes that of the credentials in the export: owners, guardians and proxies that a
   * statement names are among them. Either chain is judged from the rule's start. `recordRule` refuses whatever stands in the access
   * chain: an export that has one takes a rule that asks it about `content` alone, as the example of `verifyExport` does.
   */
  readonly rule: WriteRule<unknown> | ((find: FindCredential) => WriteRule<unknown>);
  /** Digest functions of the payload types other than statements. */
  readonly digests: PayloadDigests;
  /** Verifiers of what was opened, for the payload types that can be. */
  readonly openings: Openings;
  /** Logs that are trusted for renewals. */
  readonly renewalLogs: readonly RenewalLog[];
  /** Told how many entries have been verified of how many, for a progress bar. */
  readonly progress?: (done: number, total: number) => void;
}

/** What was established from an export. */
export interface VerifiedExport {
  readonly origin: string;
  readonly recordId: Uint8Array;
  readonly creation: Creation;
  readonly anchor: Credential;
  /** The bank of the last charter. */
  readonly bank: Credential;
  /** Every credential in the export by its Id in hexadecimal. */
  readonly credentials: ReadonlyMap<string, Credential>;
  readonly content: readonly VerifiedExportEntry[];
  readonly access: readonly VerifiedExportEntry[];
  readonly heads: Readonly<Record<ChainName, Head>>;
  /** The log that all proofs are under, who cosigned it, and since when it stands. */
  readonly tree: EstablishedTree;
  /** Oldest first. */
  readonly renewals: readonly VerifiedRenewal[];
  /** How many payloads are in the export, how many were erased by the record's own word, and how many withheld. */
  readonly payloads: Readonly<Record<ChainName, PayloadCounts>>;
  /** What an export alone cannot show, in words. */
  readonly notEstablished: readonly string[];
}

/**
 * Verifies a whole export offline: every credential, link, author, right, payload, receipt and place in the log.
 *
 * @param text - an export
 * @param rules - whom to trust, who may write what, how to digest payloads
 * @returns what was established, and what could not be
 * @throws `ExportError`, a `MunimentError` that names the entry and keeps what was good: `RECORD_EXPORT` for its form, or another origin than the one expected; `KEY_CREDENTIAL`, `RECORD_CHARTER`, `RECORD_CHECKPOINT`, `RECORD_WITNESS`; `RECORD_RENEWAL`; `KEY_REVOKED` for an entry taken after its author's key was revoked; `RECORD_CONSISTENCY` if the bank's times run against its log, or a receipt states a head or log that contradicts this one or another receipt; and what `verifyChain`, `verifyPayload`, `verifyReceipt` and `verifyInclusion` throw; `RangeError` for a witness policy that cannot be met
 * @example
 * ```ts
 * import { createAnchor, hasRole } from 'muniment/keys';
 * import { MunimentError } from 'muniment';
 * import { NO_WITNESSES, recordRule, TEN_YEARS_AFTER_DEATH, verifyExport, withoutRevocations, type Authority, type FindCredential, type WriteRule } from 'muniment/record';
 * // docs/developers.md makes an export that verifies; this one is none.
 * const text = '{"format":"something else"}';
 * const { credential: anchor } = await createAnchor({ subject: 'Hospital', roles: ['administrator'], notBefore: 0, notAfter: 4e12 });
 * const rule = (find: FindCredential): WriteRule<Authority> => {
 *   const content = recordRule({
 *     mayWrite: ({ kind }, author) => kind === 'create' && hasRole(author, 'doctor'),
 *     retention: TEN_YEARS_AFTER_DEATH, now: Date.now, authors: withoutRevocations(find), known: find,
 *   });
 *   return {
 *     start: content.start,
 *     next: (state, step) => {
 *       if (step.entry.chain === 'content') return content.next(state, step);
 *       return step.entry.kind === 'access' && hasRole(step.author, 'bank') ? state : null;
 *     },
 *   };
 * };
 * const bank = { anchorId: anchor.id, origin: 'bank.example/records', witnesses: NO_WITNESSES };
 * try {
 *   const { notEstablished } = await verifyExport(text, { ...bank, rule, digests: {}, openings: {}, renewalLogs: [] });
 *   console.log(notEstablished.join('\n'));
 * } catch (error) {
 *   if (error instanceof MunimentError) console.log(error.code); // RECORD_EXPORT
 * }
 * ```
 */
export async function verifyExport(text: string, rules: ExportRules): Promise<VerifiedExport> {
  const entries = new ExportEntries();
  try {
    return await verifyParts(text, rules, entries);
  } catch (error) {
    // Whatever else is thrown is a defect of the rules that were given.
    if (!(error instanceof MunimentError)) throw error;
    throw new ExportError(error, entries.at, entries.settled());
  }
}

async function verifyParts(
  text: string,
  rules: ExportRules,
  entries: ExportEntries,
): Promise<VerifiedExport> {
  const parts = parseExport(text);
  const { origin, recordId } = parts;
  if (origin !== rules.origin) throw new MunimentError('RECORD_EXPORT');
  const { credentials, anchor } = readCredentials(parts.credentials, rules.anchorId);
  const find = (id: Uint8Array): Credential | null => credentials.get(toHex(id)) ?? null;
  const { log: keys, bank, banks } = readCharters(parts.charters, { origin, anchor, find });
  const tree = establish(parts.checkpoint, { log: keys, witnesses: rules.witnesses });
  const renewals = verifyRenewals(parts, rules.renewalLogs);
  const log: Log = { origin, banks, tree };
  const heard = hearRevocations(parts.directory, { anchor, find, log });
  const standing = standings(anchor, credentials.values(), heard);

  const total = parts.content.length + parts.access.length;
  let done = 0;
  const count = (): void => rules.progress?.(++done, total);
  const { digests, openings } = rules;
  const rule = typeof rules.rule === 'function' ? rules.rule(find) : rules.rule;
  const against = { rule, digests, openings, find, log, standing, count };
  const heads = {
    content: await entries.verify('content', parts, against),
    access: await entries.verify('access', parts, against),
  };
  const { content, access } = entries.settled();
  const opening = content[0];
  if (opening === undefined || opening.payload === null) throw new MunimentError('RECORD_EXPORT');
  const told = [...heard.receipts, ...[...content, ...access].map(({ receipt }) => receipt)];
  checkStatedLogs(told, tree);
  const payloads = { content: countPayloads(content), access: countPayloads(access) };
  const creation = readCreation(opening.entry.entry, opening.payload);
  return {
    ...{
      origin,
      recordId,
      creation,
      anchor,
      bank,
      credentials,
      content,
      access,
      heads,
      tree,
      renewals,
      payloads,
    },
    notEstablished: doubtsOf({ witnesses: rules.witnesses, payloads, accesses: access.length, renewals }),
  };
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
