/** The rule of a record's content: its statements say who owns it and who acts for the owner. spec/authority.md. */

import { MunimentError } from '../errors.ts';
import type { Credential } from '../keys/index.ts';
import type { EntryKind } from './entry-fields.ts';
import { capacityOf, isOwner, isSpent, NO_AUTHORITY, type Authority, type Capacity } from './authority.ts';
import { readAuthorityStatement, type AuthorityStatement } from './authority-statements.ts';
import { closing, erasing, reopening } from './closure.ts';
import { readCreation } from './create.ts';
import type { Entry } from './entry.ts';
import {
  endOfProxy,
  guardians,
  loss,
  named,
  proxy,
  recovery,
  succession,
  type Directory,
} from './key-rule.ts';
import type { RetentionRule } from './retention.ts';
import type { Step, WriteRule } from './rule.ts';
import { withPosition } from './runs.ts';

/** Kinds that a closed record still takes. */
const WHEN_CLOSED: readonly EntryKind[] = ['amend', 'grant', 'revoke', 'erase', 'key', 'close'];

/** How far an author's clock may be ahead of the verifier's, in milliseconds: five minutes. */
export const CLOCK_TOLERANCE = 300_000;

/** What a record's rule is made of; all of it required. */
export interface RecordRules extends Directory {
  /**
   * Whether an author may write an entry of the kinds that this rule leaves open: all but `grant` and `revoke`, which
   * are for those who act as the owner, and `key`, `close` and `erase`.
   */
  readonly mayWrite: (entry: Entry, author: Credential, capacity: Capacity | null) => boolean;
  /** When payloads may be destroyed. */
  readonly retention: RetentionRule;
  /** What time it is, in milliseconds since 1970: nothing was written later, and no term is over before. */
  readonly now: () => number;
}

/**
 * The rule of a record's content chain. It refuses, beside what `mayWrite` refuses: whatever an Id writes that the
 * owner took leave of, or that is lost; grants by others than the owner and those who act for it; statements about keys
 * by those who may not make them; erasures before their time; and whatever claims a time that has not come, or that
 * lies before the last statement.
 *
 * Its `next` throws `MunimentError` `RECORD_PAYLOAD` if the statement of a `create`, `key`, `close` or `erase` entry is
 * not shown or malformed, `RECORD_RIGHT` if something that it carries does not verify, and `RECORD_RETENTION`.
 *
 * @example
 * ```ts
 * import type { Credential } from 'muniment/keys';
 * import { recordRule, TEN_YEARS_AFTER_DEATH } from 'muniment/record';
 * import { toHex } from 'muniment/wire';
 * const known = new Map<string, Credential>(); // from the bank's directory, by Id
 * const rule = recordRule({
 *   mayWrite: ({ kind }, author) => ['create', 'insert'].includes(kind) && author.roles.includes('doctor'),
 *   retention: TEN_YEARS_AFTER_DEATH,
 *   now: Date.now,
 *   authors: (id) => {
 *     const credential = known.get(toHex(id));
 *     return credential === undefined ? null : { credential, standing: 'valid' };
 *   },
 *   known: (id) => known.get(toHex(id)) ?? null,
 * });
 * ```
 */
export function recordRule(rules: RecordRules): WriteRule<Authority> {
  return { start: NO_AUTHORITY, next: (authority, step) => next(authority, step, rules) };
}

function next(authority: Authority, step: Step, rules: RecordRules): Authority | null {
  const { entry, author } = step;
  if (entry.chain !== 'content' || isSpent(authority, author.id)) return null;
  // Asked this way round, a clock that shows no number lets nothing pass.
  if (!(entry.time <= rules.now() + CLOCK_TOLERANCE)) return null;
  if (authority.owner === null) return created(authority, step, rules);
  const { closure } = authority;
  const owns = isOwner(authority, author.id);
  const shut = closure !== null && !WHEN_CLOSED.includes(entry.kind);
  const dead = closure?.ground === 'death' && owns && entry.kind !== 'close';
  if (shut || dead) return null;
  const after = judged(authority, step, rules);
  // Before or after: who comes back as the owner was alive to do so.
  if (after === null || !(owns || isOwner(after, author.id))) return after;
  return { ...after, ownerWrote: Math.max(after.ownerWrote ?? 0, entry.time) };
}

function created(authority: Authority, step: Step, rules: RecordRules): Authority | null {
  const { entry, author, hash, payload } = step;
  if (entry.kind !== 'create') return null;
  const { owner } = readCreation(entry, shown(payload));
  const subject = named(owner, step, rules)?.subject;
  if (subject === undefined || !rules.mayWrite(entry, author, null)) return null;
  return { ...authority, owner, subject, since: hash, latest: entry.time };
}

function judged(authority: Authority, step: Step, rules: RecordRules): Authority | null {
  const { entry, author } = step;
  const capacity = capacityOf(authority, author.id, entry.time);
  switch (entry.kind) {
    case 'create':
      return null;
    case 'grant':
    case 'revoke':
      return capacity === null ? null : authority;
    case 'key':
    case 'close':
      return stated(authority, step, rules);
    case 'erase':
      return noted(erasing(authority, step, shown(step.payload), rules), entry);
    default:
      return rules.mayWrite(entry, author, capacity) ? authority : null;
  }
}

function stated(authority: Authority, step: Step, rules: RecordRules): Authority | null {
  const said = readAuthorityStatement(step.entry, shown(step.payload));
  // One that was not shown to this verifier is missed here.
  if (said.number !== authority.number) return null;
  try {
    const after = noted(afterStatement(authority, step, said, rules), step.entry);
    return after === null ? null : { ...after, number: said.number + 1 };
  } catch (cause) {
    if (!(cause instanceof MunimentError)) throw cause; // a defect of the rules that were given
    throw new MunimentError('RECORD_RIGHT', undefined, { cause });
  }
}

function afterStatement(
  authority: Authority,
  step: Step,
  said: AuthorityStatement,
  rules: RecordRules,
): Authority | null {
  switch (said.kind) {
    case 'succession':
      return succession(authority, step, said, rules);
    case 'guardians':
      return guardians(authority, step, said, rules);
    case 'recovery':
      return recovery(authority, step, said, rules);
    case 'proxy':
      return proxy(authority, step, said, rules);
    case 'end of proxy':
      return endOfProxy(authority, step, said);
    case 'loss':
      return loss(authority, step, said);
    case 'closing':
      return closing(authority, step, said);
    case 'reopening':
      return reopening(authority, step);
  }
}

// Its payload stays: without it, nobody could judge what comes after. Nor does what comes after claim to be earlier:
// a key that was good once would otherwise be good for ever.
function noted(authority: Authority | null, { seq, time }: Entry): Authority | null {
  if (authority === null || time < authority.latest) return null;
  return { ...authority, statements: withPosition(authority.statements, seq), latest: time };
}

function shown(payload: Uint8Array | null): Uint8Array {
  if (payload === null) throw new MunimentError('RECORD_PAYLOAD');
  return payload;
}
