/**
 * Who owns a record, who acts for its owner, which keys are lost and whether it is closed: what its statements say, and
 * what of all that stands in it they allow. spec/authority.md.
 */

import { MunimentError } from 'muniment';
import { verifyAppointment, type Credential } from 'muniment/keys';
import {
  encodeAuthority,
  NO_AUTHORITY,
  readAuthorityStatement,
  recordRule,
  STATEMENT,
  TEN_YEARS_AFTER_DEATH,
  type Authority,
  type Entry,
} from 'muniment/record';
import { concat } from 'muniment/wire';
import type { Entered } from './chains.ts';
import { codeOf, type Context } from './context.ts';

/** What a record's statements have said so far, and whom they have made its guardians. */
export interface Stated {
  readonly authority: Authority;
  readonly guardians: readonly Uint8Array[];
}

/** Before the first of them. */
export const NOTHING_STATED: Stated = { authority: NO_AUTHORITY, guardians: [] };

/**
 * What a record's statements have said once an entry stands, by the format's own rule; keeps it if the entry has changed
 * it. `null` if the record was not even created: then nothing that hangs on it can have been taken.
 */
export function followStatements(
  { people, findings, scratch }: Context,
  { row, signed: { entry }, hash, name }: Entered,
  payload: Uint8Array | null,
  before: Stated | null,
): Stated | null {
  const { record, seq, leaf } = row;
  const author = people.find(entry.author, leaf);
  if (author === null) return before; // said already
  const rule = recordRule({
    mayWrite: () => true, // who may write of the other kinds was judged where the entry stands
    retention: TEN_YEARS_AFTER_DEATH,
    now: () => row.time ?? entry.time,
    authors: (id) => people.standing(id, { leaf, time: row.time ?? entry.time }),
    known: (id) => people.find(id, leaf),
  });
  const stated = entry.payloadType === STATEMENT ? payload : null;
  const step = { entry, author, standing: 'valid', hash, appending: true, payload: stated } as const;
  try {
    const authority = before === null ? null : rule.next(before.authority, step);
    if (before === null || authority === null) throw new MunimentError('RECORD_RIGHT');
    if (authority === before.authority) return before;
    const guardians = guardiansAfter(before, authority, { entry, payload, author });
    const noted = { authority: encodeAuthority(authority), guardians: concat(...guardians) };
    scratch.add('authorities', { record, seq, ...noted, leaf });
    return { authority, guardians };
  } catch (error) {
    if (payload === null && entry.kind === 'create') return null; // said already, that it is gone
    findings.add('entries', name, codeOf(error), 'what was said before in its record does not allow it');
    return before;
  }
}

function guardiansAfter(
  before: Stated,
  { appointment }: Authority,
  said: { readonly entry: Entry; readonly payload: Uint8Array | null; readonly author: Credential },
): readonly Uint8Array[] {
  if (appointment === before.authority.appointment || said.payload === null) return before.guardians;
  const statement = readAuthorityStatement(said.entry, said.payload);
  if (statement.kind !== 'guardians') return before.guardians;
  return verifyAppointment(statement.appointment, said.author).guardians.map(({ id }) => id);
}
