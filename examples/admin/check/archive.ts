/** The archive: each request is its author's signed word, stored as it says, and what came of it was settled once. */

import { MunimentError } from 'muniment';
import { verifyEvidence } from 'muniment/envelope';
import type { Credential } from 'muniment/keys';
import { decodeSignedEntry, verifyPayload } from 'muniment/record';
import { sealedDigest } from 'muniment/views';
import { equalBytes, fromBase64url } from 'muniment/wire';
import { createHash } from 'node:crypto';
import { keepAnnounced } from './annexes.ts';
import { readEvidence, readRequest, type Evidence, type RequestText } from './asked.ts';
import { codeOf, type Context } from './context.ts';
import { checkOutcome } from './outcomes.ts';
import { SEALED } from './rights.ts';
import { bankOf } from './trust.ts';

const EVER = { notBefore: 0, notAfter: Infinity };

/** A request, and what came of it: `null` if it was not executed. */
export interface RequestRow {
  readonly number: number;
  readonly issuer: Uint8Array;
  readonly subject: string;
  readonly id: Uint8Array;
  readonly session: Uint8Array;
  readonly author: Uint8Array;
  readonly digest: Uint8Array;
  readonly evidence: Uint8Array;
  readonly type: string;
  readonly reply: string | null;
  /** How often it was asked again. */
  readonly repeated: number;
}

/** Checks every archived request. */
export async function checkRequests(context: Context): Promise<void> {
  const { source, findings } = context;
  const rows = source.rows<RequestRow>(
    `SELECT r.*, o.reply, (SELECT count(*) FROM repeats p WHERE p.request = r.number) AS repeated
     FROM requests r LEFT JOIN outcomes o ON o.request = r.number ORDER BY r.number`,
  );
  let last = 0;
  for await (const row of rows) {
    findings.count('requests');
    const name = `number=${String(row.number)}`;
    // PostgreSQL leaves a number out where a transaction failed.
    if (source.engine === 'sqlite' && row.number !== last + 1)
      findings.add('requests', `number=${String(last + 1)}`, 'MISSING', 'a number is left out');
    last = row.number;
    const request = checkRequest(context, row, name);
    if (request === null) continue;
    keepAnnounced(context, row, request);
    await checkOutcome(context, row, request);
    if (row.reply === null) await checkPending(context, row, request);
  }
}

function checkRequest(context: Context, row: RequestRow, name: string): RequestText | null {
  const { findings } = context;
  const read = verifyRequest(context, row, { table: 'requests', name });
  if (read === null) return null;
  const { evidence, author, request } = read;
  const { data, digests } = evidence;
  const columns = {
    issuer: equalBytes(row.issuer, author.issuer),
    subject: row.subject === author.subject,
    id: equalBytes(row.id, fromBase64url(request.id)),
    session: equalBytes(row.session, evidence.session),
    author: equalBytes(row.author, evidence.from),
    digest: equalBytes(row.digest, digests.data),
    type: row.type === request.type,
  };
  for (const [column, fits] of Object.entries(columns))
    if (!fits) findings.add('requests', name, 'COLUMN', `${column} is not what the evidence says`);
  if (data === '') findings.add('requests', name, 'FORM', 'nothing was asked');
  return request;
}

/** Checks every request that was asked again in a later session. */
export async function checkRepeats(context: Context): Promise<void> {
  const { source, findings } = context;
  interface RepeatRow {
    readonly session: Uint8Array;
    readonly request: number;
    readonly evidence: Uint8Array;
    readonly digest: Uint8Array | null;
    readonly author: Uint8Array | null;
  }
  const rows = source.rows<RepeatRow>(
    `SELECT p.session, p.request, p.evidence, r.digest, r.author
     FROM repeats p LEFT JOIN requests r ON r.number = p.request ORDER BY p.request`,
  );
  for await (const row of rows) {
    findings.count('repeated requests');
    const name = `session=${Buffer.from(row.session).toString('hex')}`;
    const read = verifyRequest(context, row, { table: 'repeats', name });
    if (read === null) continue;
    const { session, digests, from } = read.evidence;
    if (!equalBytes(session, row.session))
      findings.add('repeats', name, 'COLUMN', 'session is not what the evidence says');
    const first = row.author === null ? null : context.people.find(row.author);
    const same =
      row.digest !== null &&
      equalBytes(row.digest, digests.data) &&
      first?.subject === context.people.find(from)?.subject;
    if (!same) findings.add('repeats', name, 'COLUMN', 'request is not that which was asked before');
  }
}

function verifyRequest(
  { trust, people, findings }: Context,
  row: { readonly evidence: Uint8Array },
  { table, name }: { readonly table: string; readonly name: string },
): { evidence: Evidence; author: Credential; request: RequestText } | null {
  try {
    const evidence = readEvidence(row.evidence);
    const author = people.find(evidence.from);
    if (author === null) throw new MunimentError('ENVELOPE_SIGNATURE');
    const time = EVER; // it was held against the clock when it came
    const to = bankOf(trust, evidence.to).id;
    const expected = { type: 'request', author, to, answers: null, time } as const;
    verifyEvidence(row.evidence, expected);
    return { evidence, author, request: readRequest(evidence.data) };
  } catch (error) {
    findings.add(table, name, codeOf(error), "the evidence is not its author's signed request");
    return null;
  }
}

// What a request brought along is kept until it is executed.
async function checkPending(
  { source, findings }: Context,
  { number }: RequestRow,
  request: RequestText,
): Promise<void> {
  const wanted = wantedOf(request);
  const name = (position: number): string => `request=${String(number)} position=${String(position)}`;
  let next = 0;
  const rows = source.rows<{ position: number; bytes: Uint8Array }>(
    'SELECT position, bytes FROM pending WHERE request = ? ORDER BY position',
    number,
  );
  for await (const { position, bytes } of rows) {
    findings.count('pending documents');
    if (wanted[position]?.(bytes) !== true)
      findings.add('pending', name(position), 'DIGEST', 'its request names another document');
    if (position === next) next++;
  }
  for (let missing = next; missing < wanted.length; missing++)
    findings.add('pending', name(missing), 'MISSING', 'its request was not executed yet');
}

type Fits = (bytes: Uint8Array) => boolean;

// Payloads first, then attachments, each by the digest that the request names.
function wantedOf({ type, entries, entry }: RequestText): Fits[] {
  if ((type === 'break-glass' || type === 'erase') && entry !== undefined) return [payloadOf(entry)];
  if (type !== 'append' || entries === undefined) return [];
  return [
    ...entries.map((one) => payloadOf(one.entry)),
    ...entries.flatMap(({ attachments }) =>
      attachments.map(
        (digest) => (bytes: Uint8Array) =>
          equalBytes(createHash('sha256').update(bytes).digest(), fromBase64url(digest)),
      ),
    ),
  ];
}

function payloadOf(text: string): Fits {
  return (bytes) => {
    try {
      verifyPayload(decodeSignedEntry(fromBase64url(text)).entry, bytes, { [SEALED]: sealedDigest });
      return true;
    } catch {
      return false;
    }
  };
}
