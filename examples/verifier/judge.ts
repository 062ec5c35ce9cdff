/**
 * What the page says about an export: everything as text, so that nothing but text crosses from what judges to what
 * shows. Runs in the page's worker, and anywhere else.
 */

import { MunimentError } from 'muniment';
import { readUnverifiedCredential } from 'muniment/keys';
import {
  decodeSignedEntry,
  readCreation,
  ExportError,
  verifyExport,
  type ChainName,
  type EstablishedTree,
  type VerifiedExport,
  type VerifiedExportEntry,
} from 'muniment/record';
import { equalBytes, fromBase64url, jsonValue, readJson, toHex, type JsonValue } from 'muniment/wire';
import { DIGESTS, OPENINGS, ownersIn, ruleFor } from '../server/rights.ts';
import { readPolicy, readRenewalLogs } from './policy.ts';

/** Whom the reader trusts, as typed; empty where nothing was. */
export interface Typed {
  readonly anchorId: string;
  readonly origin: string;
  readonly ownerId: string;
  /** The policy for the bank's log, as `readPolicy` reads it. */
  readonly witnesses: string;
  /** Logs that are trusted for renewals, as `readRenewalLogs` reads them. */
  readonly renewalLogs: string;
}

/** A value that was held against the file, and who gave it. */
export interface Basis {
  readonly name: string;
  readonly value: string;
  /** `nobody`: nothing was demanded. */
  readonly from: 'typed' | 'file' | 'nobody';
}

/** One entry as it is shown. */
export interface Row {
  readonly seq: number;
  readonly kind: string;
  readonly author: string;
  readonly roles: string;
  readonly claimed: string;
  readonly taken: string;
  /** The bank that signed the receipt. */
  readonly by: string;
  readonly payload: string;
  /** What was opened of it, as JSON text. */
  readonly opened: string;
  readonly key: string;
}

/** What the page shows. */
export interface Report {
  readonly verdict: 'verified' | 'refused';
  readonly basis: readonly Basis[];
  /** Why it was refused; empty if it was not. */
  readonly reason: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly chains: Readonly<Record<ChainName, readonly Row[]>>;
  readonly notEstablished: readonly string[];
}

/** Judges an export. Never throws for what a file can hold. */
export async function judgeExport(
  text: string,
  typed: Typed,
  progress: (done: number, total: number) => void,
): Promise<Report> {
  const nothing = { facts: [], chains: { content: [], access: [] }, notEstablished: [] };
  let basis: readonly Basis[] = [];
  try {
    const claims = readClaims(text);
    basis = basisOf(typed, claims);
    const [witnesses, renewalLogs] = [readPolicy(typed.witnesses), readRenewalLogs(typed.renewalLogs)];
    const [anchorId, ownerId] = [idOf(typed.anchorId, claims.anchorId), idOf(typed.ownerId, claims.ownerId)];
    const verified = await verifyExport(text, {
      anchorId,
      origin: typed.origin === '' ? claims.origin : typed.origin,
      witnesses,
      rule: ruleFor,
      digests: DIGESTS,
      openings: OPENINGS,
      renewalLogs,
      progress,
    });
    if (!ownersIn(verified).some((id) => equalBytes(id, ownerId)))
      return { verdict: 'refused', basis, reason: 'the record is of another owner', ...nothing };
    return { verdict: 'verified', basis, reason: '', ...describe(verified) };
  } catch (error) {
    if (!(error instanceof MunimentError || error instanceof RangeError)) throw error;
    const good = error instanceof ExportError ? error.good : { content: [], access: [] };
    const chains = { content: good.content.map(rowOf), access: good.access.map(rowOf) };
    return { verdict: 'refused', basis, reason: error.message, ...nothing, chains };
  }
}

/** What the file says of itself; nobody has vouched for it. */
interface Claims {
  readonly anchorId: Uint8Array;
  readonly origin: string;
  readonly ownerId: Uint8Array;
}

function readClaims(text: string): Claims {
  const { origin, credentials, content } = record(jsonValue(readJson(text, { length: 2 ** 28, depth: 8 })));
  const [first, opening] = [list(credentials)[0], record(list(content)[0])];
  const { entry } = decodeSignedEntry(bytes(opening['entry']));
  return {
    anchorId: readUnverifiedCredential(bytes(first)).id,
    origin: string(origin),
    ownerId: readCreation(entry, bytes(opening['payload'])).owner,
  };
}

function basisOf(typed: Typed, claims: Claims): Basis[] {
  const one = (name: string, given: string, claimed: string): Basis =>
    given === '' ? { name, value: claimed, from: 'file' } : { name, value: given, from: 'typed' };
  const demanded = (name: string, given: string): Basis =>
    given === '' ? { name, value: 'none', from: 'nobody' } : { name, value: given, from: 'typed' };
  return [
    one('anchor’s Id', typed.anchorId, toHex(claims.anchorId)),
    one('bank’s origin', typed.origin, claims.origin),
    one('owner’s Id', typed.ownerId, toHex(claims.ownerId)),
    demanded('witnesses of the log', typed.witnesses),
    demanded('logs of renewals', typed.renewalLogs),
  ];
}

function idOf(typed: string, claimed: Uint8Array): Uint8Array {
  if (typed === '') return claimed;
  if (!/^[0-9a-f]{64}$/i.test(typed)) throw new RangeError('an Id is 64 hexadecimal digits');
  return Uint8Array.from(typed.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function describe(verified: VerifiedExport): Pick<Report, 'facts' | 'chains' | 'notEstablished'> {
  const { anchor, bank, content, access, heads, tree, payloads } = verified;
  return {
    facts: [
      ['record', toHex(verified.recordId)],
      ['bank', `${bank.subject} at ${verified.origin}`],
      ['anchor', `${anchor.subject}, ${toHex(anchor.id)}`],
      ['entries', `${String(content.length)}, the last ${toHex(heads.content.hash)}`],
      ['accesses', `${String(access.length)}, the last ${toHex(heads.access.hash)}`],
      ['log', `${String(tree.size)} leaves, root ${toHex(tree.root)}`],
      ['log cosigned', cosigned(tree)],
      ...verified.renewals.flatMap(({ algorithm, origin, tree: renewed }) =>
        renewed === null ? [] : [[`renewed under ${algorithm}`, `${origin}: ${cosigned(renewed)}`] as const],
      ),
      ...(['given', 'erased', 'withheld'] as const).map(
        (state) => [`payloads ${state}`, String(payloads.content[state] + payloads.access[state])] as const,
      ),
    ],
    chains: { content: content.map(rowOf), access: access.map(rowOf) },
    notEstablished: verified.notEstablished,
  };
}

function cosigned({ cosignatures, since }: EstablishedTree): string {
  if (since === null) return 'no witness was demanded';
  const by = cosignatures.map(({ name, time }) => `${name} at ${timeOf(time)}`);
  return `by ${by.join(', by ')}; it stands since ${timeOf(since)} at the latest`;
}

function payloadOf({ entry: { entry }, payload, erasedBy }: VerifiedExportEntry): string {
  const tombstone = erasedBy && `erased by entry ${String(erasedBy.seq)} on the ground ${erasedBy.ground}`;
  if (payload === null) return tombstone ?? 'withheld from this file';
  const given = `${entry.payloadType}, ${String(payload.length)} bytes`;
  return tombstone === null ? given : `${given}, though ${tombstone}`;
}

function rowOf(one: VerifiedExportEntry): Row {
  const { entry, author } = one.entry;
  const { opened, receipt, standing, bank } = one;
  return {
    seq: entry.seq,
    kind: entry.kind,
    author: author.subject,
    roles: author.roles.join(', '),
    claimed: timeOf(entry.time),
    taken: timeOf(receipt.time),
    by: bank.subject,
    payload: payloadOf(one),
    opened: opened === null ? '' : `${opened.text} (by ${opened.author.subject})`,
    key: standing,
  };
}

// Integers of 8 bytes go past the last date that there is.
function timeOf(time: number): string {
  return time <= 8.64e15 ? new Date(time).toISOString() : `${String(time)} ms since 1970`;
}

function record(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return refuse();
  return value as Readonly<Record<string, JsonValue>>; // not null, not an array: an object
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : refuse();
}

function string(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : refuse();
}

function bytes(value: JsonValue | undefined): Uint8Array {
  return fromBase64url(string(value));
}

function refuse(): never {
  throw new MunimentError('RECORD_EXPORT');
}
