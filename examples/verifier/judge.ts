/**
 * What the page says about an export: everything as text, so that nothing but text crosses from what judges to what
 * shows. Runs in the page's worker, and anywhere else.
 */

import { MunimentError } from 'muniment';
import { readUnverifiedCredential } from 'muniment/keys';
import {
  byRole,
  decodeSignedEntry,
  readCreation,
  ExportError,
  NO_WITNESSES,
  verifyExport,
  type ChainName,
  type VerifiedExport,
  type VerifiedExportEntry,
} from 'muniment/record';
import { equalBytes, fromBase64url, jsonValue, readJson, toHex, type JsonValue } from 'muniment/wire';
import { DIGESTS, mayWriteRecord, OPENINGS } from '../server/rights.ts';

/** Whom the reader trusts, as typed; empty where nothing was. */
export interface Typed {
  readonly anchorId: string;
  readonly origin: string;
  readonly ownerId: string;
}

/** A value that was held against the file, and whether somebody else than the file gave it. */
export interface Basis {
  readonly name: string;
  readonly value: string;
  readonly given: boolean;
}

/** One entry as it is shown. */
export interface Row {
  readonly seq: number;
  readonly kind: string;
  readonly author: string;
  readonly roles: string;
  readonly claimed: string;
  readonly taken: string;
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
    const [anchorId, ownerId] = [idOf(typed.anchorId, claims.anchorId), idOf(typed.ownerId, claims.ownerId)];
    const verified = await verifyExport(text, {
      anchorId,
      origin: typed.origin === '' ? claims.origin : typed.origin,
      witnesses: NO_WITNESSES,
      rule: byRole(mayWriteRecord(ownerId)),
      digests: DIGESTS,
      openings: OPENINGS,
      renewalLogs: [],
      progress,
    });
    if (!equalBytes(verified.creation.owner, ownerId))
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
    given === '' ? { name, value: claimed, given: false } : { name, value: given, given: true };
  return [
    one('anchor’s Id', typed.anchorId, toHex(claims.anchorId)),
    one('bank’s origin', typed.origin, claims.origin),
    one('owner’s Id', typed.ownerId, toHex(claims.ownerId)),
  ];
}

function idOf(typed: string, claimed: Uint8Array): Uint8Array {
  if (typed === '') return claimed;
  if (!/^[0-9a-f]{64}$/i.test(typed)) throw new RangeError('an Id is 64 hexadecimal digits');
  return Uint8Array.from(typed.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function describe(verified: VerifiedExport): Pick<Report, 'facts' | 'chains' | 'notEstablished'> {
  const { anchor, bank, content, access, heads, tree, missingPayloads } = verified;
  return {
    facts: [
      ['record', toHex(verified.recordId)],
      ['bank', `${bank.subject} at ${verified.origin}`],
      ['anchor', `${anchor.subject}, ${toHex(anchor.id)}`],
      ['entries', `${String(content.length)}, the last ${toHex(heads.content.hash)}`],
      ['accesses', `${String(access.length)}, the last ${toHex(heads.access.hash)}`],
      ['log', `${String(tree.size)} leaves, root ${toHex(tree.root)}`],
      ...verified.renewals
        .filter(({ tree: renewed }) => renewed !== null)
        .map(({ algorithm, origin }) => [`renewed under ${algorithm}`, origin] as const),
      ['payloads not in the file', String(missingPayloads.content + missingPayloads.access)],
    ],
    chains: { content: content.map(rowOf), access: access.map(rowOf) },
    notEstablished: verified.notEstablished,
  };
}

function rowOf({ entry: { entry, author }, payload, opened, receipt, standing }: VerifiedExportEntry): Row {
  return {
    seq: entry.seq,
    kind: entry.kind,
    author: author.subject,
    roles: author.roles.join(', '),
    claimed: timeOf(entry.time),
    taken: timeOf(receipt.time),
    payload: payload === null ? 'not in this file' : `${entry.payloadType}, ${String(payload.length)} bytes`,
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
