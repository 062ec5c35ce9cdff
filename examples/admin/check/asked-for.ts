/** The request that brought an entry: it is archived, its receipt names it, it brought this very entry, and what came beside it. */

import type { Receipt } from 'muniment/record';
import { concatAll, equalBytes, fromBase64url, toBase64url } from 'muniment/wire';
import type { Asked } from './asked.ts';
import type { Entered } from './chains.ts';
import type { Context } from './context.ts';
import { keepNamed } from './named.ts';

/** Checks an entry against the archive, and keeps what it names. */
export async function checkAskedFor(
  context: Context,
  entered: Entered,
  receipt: Receipt | null,
): Promise<void> {
  const { findings, asked: archive } = context;
  const { row, name } = entered;
  const wrong = (check: string, detail: string): void => {
    findings.add('entries', name, check, detail);
  };
  keepNamed(context, entered);
  const asked = await archive.find(row.session);
  if (asked === null) {
    wrong('REQUEST', 'no archived request of its session brought it');
    return;
  }
  const named =
    receipt === null ||
    (equalBytes(receipt.request.data, asked.digests.data) &&
      equalBytes(receipt.request.signature, asked.digests.signature));
  if (!named) wrong('REQUEST', 'its receipt names another request than its session');
  const brought = broughtBy(asked, entered);
  if (brought === null) wrong('REQUEST', 'its session asked for something else');
  else {
    if (!equalBytes(row.attachments, brought.attachments))
      wrong('COLUMN', 'attachments is not what the request says');
    if (!equalBytes(row.annexes, brought.annexes)) wrong('COLUMN', 'annexes is not what the request says');
  }
  await checkOutcome(context, entered, asked.number);
}

// An emergency is executed in two steps, and its outcome comes with the second.
async function checkOutcome(
  { source, findings }: Context,
  { signed }: Entered,
  number: number,
): Promise<void> {
  if (signed.entry.kind === 'emergency') return;
  const found = await source.row('SELECT request FROM outcomes WHERE request = ?', number);
  if (found === undefined)
    findings.add('outcomes', `request=${String(number)}`, 'MISSING', 'the request was executed');
}

const NOTHING = { attachments: new Uint8Array(0), annexes: new Uint8Array(0) };

function broughtBy(
  { request }: Asked,
  { row }: Entered,
): { attachments: Uint8Array; annexes: Uint8Array } | null {
  if (request.recordId === undefined || !equalBytes(bytesOf(request.recordId), row.record)) return null;
  if (row.chain === 'access') return request.type === 'append' ? null : NOTHING;
  const text = toBase64url(row.entry);
  if (request.entry !== undefined) return request.entry === text ? NOTHING : null;
  const item = request.entries?.find(({ entry }) => entry === text);
  if (item === undefined) return null;
  return {
    attachments: concatAll(item.attachments.map(bytesOf)),
    annexes: concatAll(item.annexes.map(bytesOf)),
  };
}

function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64url(text);
  } catch {
    return NOTHING.annexes;
  }
}
