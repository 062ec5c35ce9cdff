/** Closings, reopenings and tombstones: judged by all that stands before them in their record. spec/authority.md. */

import { MunimentError } from 'muniment';
import {
  recordRule,
  STATEMENT,
  TEN_YEARS_AFTER_DEATH,
  withoutRevocations,
  type Authority,
} from 'muniment/record';
import type { Entered } from './chains.ts';
import { codeOf, type Context } from './context.ts';

/**
 * What a record's statements have said once an entry stands, by the format's own rule. `null` from where that cannot be
 * followed: then nothing that hangs on it can have been taken.
 */
export function followStatements(
  { people, findings }: Context,
  { row, signed: { entry }, hash, name }: Entered,
  payload: Uint8Array | null,
  before: Authority | null,
): Authority | null {
  const author = people.find(entry.author, row.leaf);
  if (author === null) return null; // said already
  const known = (id: Uint8Array) => people.find(id, row.leaf);
  const rule = recordRule({
    mayWrite: () => true, // who may write of the other kinds was judged where the entry stands
    retention: TEN_YEARS_AFTER_DEATH,
    now: () => row.time ?? entry.time,
    authors: withoutRevocations(known), // as was whether the author's key stood
    known,
  });
  const stated = entry.payloadType === STATEMENT ? payload : null;
  const decisive = entry.kind === 'close' || entry.kind === 'erase';
  try {
    const step = { entry, author, standing: 'valid', hash, appending: false, payload: stated } as const;
    const after = before === null ? null : rule.next(before, step);
    if (after === null && decisive) throw new MunimentError('RECORD_RIGHT');
    return after;
  } catch (error) {
    if (!decisive) return null;
    findings.add('entries', name, codeOf(error), 'what was said before in its record does not allow it');
    return before;
  }
}
