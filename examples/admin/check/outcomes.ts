/** Outcomes and replies: what was answered is the bank's signed word, agrees with what is kept of it, and says of chains and log what they say. */

import { MunimentError } from 'muniment';
import { verifyEvidence } from 'muniment/envelope';
import { equalBytes, toBase64url, toHex } from 'muniment/wire';
import { z } from 'zod';
import type { RequestRow } from './archive.ts';
import { readEvidence, type RequestText } from './asked.ts';
import { codeOf, type Context } from './context.ts';
import { rowName } from './findings.ts';
import { checkSaid } from './said.ts';
import { bankOf } from './trust.ts';

const refusalForm = z.strictObject({
  refused: z.string(),
  head: z.strictObject({ size: z.int().min(0), hash: z.string() }).nullable(),
});

/** Checks a request's outcome: its form, what it says, and that it is what a signed reply says. */
export async function checkOutcome(context: Context, row: RequestRow, request: RequestText): Promise<void> {
  const { findings } = context;
  const { number, reply } = row;
  const name = `request=${String(number)}`;
  const answers = await answersTo(context, row);
  if (reply === null) {
    if (answers.texts.length > 0)
      findings.add('outcomes', name, 'MISSING', 'a signed reply says that the request was executed');
    return;
  }
  findings.count('outcomes');
  const entries = enteredBy(request);
  const fits = isRefusal(reply) || (entries === null ? reply === '' : await isTaken(context, reply, entries));
  if (!fits) findings.add('outcomes', name, 'FORM', 'it is no outcome of such a request');
  // Of what was done, the reply says more; of what was refused, the same.
  const agrees = isRefusal(reply) ? (text: string) => text === reply : (text: string) => !isRefusal(text);
  if (answers.all && !answers.texts.some(agrees))
    findings.add('outcomes', name, 'REPLY', 'no signed reply says so');
}

const takenForm = z.strictObject({ leaves: z.array(z.int().min(0)) });

// Of requests whose outcome is where their entries stand.
function enteredBy({ type, entries, entry }: RequestText): readonly (string | undefined)[] | null {
  if (type === 'erase') return [entry];
  return type === 'append' ? (entries ?? []).map((one) => one.entry) : null;
}

// What was asked to be entered stands at the leaves that are named.
async function isTaken(
  { source }: Context,
  reply: string,
  entries: readonly (string | undefined)[],
): Promise<boolean> {
  const taken = parsed(takenForm, reply);
  if (taken?.leaves.length !== entries.length) return false;
  for (const [i, leaf] of taken.leaves.entries()) {
    const row = await source.row<{ entry: Uint8Array }>('SELECT entry FROM entries WHERE leaf = ?', leaf);
    if (row === undefined || toBase64url(row.entry) !== entries[i]) return false;
  }
  return true;
}

/** Checks what names no request: outcomes, and documents that wait for one. */
export async function checkStrayOutcomes({ source, findings }: Context): Promise<void> {
  for (const table of ['outcomes', 'pending']) {
    const rows = source.rows<{ request: number }>(
      `SELECT t.request FROM ${table} t LEFT JOIN requests r ON r.number = t.request WHERE r.number IS NULL`,
    );
    for await (const { request } of rows)
      findings.add(table, `request=${String(request)}`, 'EXTRA', 'there is no such request');
  }
  const kept = source.rows<{ request: number; position: number }>(
    'SELECT p.request, p.position FROM pending p JOIN outcomes o ON o.request = p.request',
  );
  for await (const { request, position } of kept)
    findings.add('pending', rowName({ request, position }), 'EXTRA', 'its request was executed');
}

/** Checks every signed reply. */
export async function checkReplies(context: Context): Promise<void> {
  const { source, findings } = context;
  const rows = source.rows<{ session: Uint8Array; evidence: Uint8Array }>(
    'SELECT session, evidence FROM replies',
  );
  for await (const row of rows) {
    findings.count('replies');
    const where = { table: 'replies', row: `session=${toHex(row.session)}` };
    try {
      await checkReply(context, row, where);
    } catch (error) {
      findings.add(where.table, where.row, codeOf(error), "the evidence is not the bank's signed reply");
    }
  }
}

async function checkReply(
  context: Context,
  row: { readonly session: Uint8Array; readonly evidence: Uint8Array },
  where: { readonly table: string; readonly row: string },
): Promise<void> {
  const { trust, asked: archive, findings } = context;
  const evidence = readEvidence(row.evidence);
  if (!equalBytes(evidence.session, row.session))
    findings.add(where.table, where.row, 'COLUMN', 'session is not what the evidence says');
  const asked = await archive.find(row.session);
  const bank = bankOf(trust, evidence.from);
  if (asked === null) {
    // What is refused at the door is not archived: without the request, whose digests it signs, a reply cannot be verified.
    if (!isRefusal(evidence.data) || !equalBytes(evidence.from, bank.id))
      throw new MunimentError('ENVELOPE_SIGNATURE');
    findings.count('refusals of requests that are not archived');
    return;
  }
  const time = { notBefore: 0, notAfter: Infinity };
  const expected = { type: 'reply', author: bank, to: asked.from, answers: asked.digests, time } as const;
  const { data } = verifyEvidence(row.evidence, expected);
  if (!isRefusal(data)) await checkSaid(context, data, asked.request, where);
}

// The replies in all of a request's sessions; whether each session has one, which it has not if the server died before.
async function answersTo(
  { source }: Context,
  { number, session, repeated }: RequestRow,
): Promise<{ texts: string[]; all: boolean }> {
  const sessions = [session];
  const repeats = 'SELECT session FROM repeats WHERE request = ?';
  if (repeated > 0)
    for await (const repeat of source.rows<{ session: Uint8Array }>(repeats, number))
      sessions.push(repeat.session);
  const texts = [];
  for (const one of sessions) {
    const row = await source.row<{ evidence: Uint8Array }>(
      'SELECT evidence FROM replies WHERE session = ?',
      one,
    );
    if (row !== undefined) texts.push(textOf(row.evidence));
  }
  return { texts, all: texts.length === sessions.length };
}

function textOf(evidence: Uint8Array): string {
  try {
    return readEvidence(evidence).data;
  } catch {
    return ''; // the reply's own check says so
  }
}

/** Every refusal is as long as the longest. */
const REFUSAL_LENGTH = 192;

function isRefusal(text: string): boolean {
  return parsed(refusalForm, text, REFUSAL_LENGTH) !== null;
}

function parsed<Schema extends z.ZodType>(schema: Schema, text: string, length = 0): z.output<Schema> | null {
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success && JSON.stringify(result.data).padEnd(length) === text ? result.data : null;
  } catch {
    return null;
  }
}
