/** Which closings, reopenings and erasures hold. spec/authority.md, "Closing" and "Erasure". */

import { MunimentError } from '../errors.ts';
import { capacityOf, isOwner, type Authority } from './authority.ts';
import { readErasure } from './erasure.ts';
import { isAdministrator, type Said } from './key-rule.ts';
import type { RetentionRule } from './retention.ts';
import type { Step } from './rule.ts';
import { holdsPosition } from './runs.ts';

/** The administrator closes a record. With a death nobody acts for the living any more. */
export function closing(
  authority: Authority,
  { entry, author }: Step,
  { ground, at }: Said<'closing'>,
): Authority | null {
  const { closure, ownerWrote, proxies } = authority;
  const died = ground === 'death';
  // A record that moved is still closed for a death, from which its retention counts; nothing else closes twice.
  const may =
    isAdministrator(author) &&
    at <= entry.time &&
    (closure === null || (died && closure.ground !== 'death')) &&
    // The dead do not write: whoever did so later was alive.
    !(died && ownerWrote !== null && at < ownerWrote);
  return may
    ? { ...authority, closure: { ground, at, stated: entry.time }, proxies: died ? [] : proxies }
    : null;
}

/** The owner, or the administrator, says that a closing was wrong. Executors go with it. */
export function reopening(authority: Authority, { author }: Step): Authority | null {
  if (authority.closure === null || !(isOwner(authority, author.id) || isAdministrator(author))) return null;
  return {
    ...authority,
    closure: null,
    proxies: authority.proxies.filter(({ role }) => role !== 'executor'),
  };
}

/**
 * The administrator or an executor has payloads destroyed.
 *
 * @param now - what time it is for the verifier
 * @throws `MunimentError` `RECORD_RETENTION` if it is too early by the entry's time or the verifier's, or another rule
 *   was followed; `RECORD_PAYLOAD`
 */
export function erasing(
  authority: Authority,
  { entry, author }: Step,
  payload: Uint8Array,
  { retention, now }: { readonly retention: RetentionRule; readonly now: () => number },
): Authority | null {
  const may = isAdministrator(author) || capacityOf(authority, author.id, entry.time) === 'executor';
  if (!may) return null;
  const { chain, erased, ground, ruleVersion } = readErasure(entry, payload);
  if (chain === 'content' && erased.some(({ seq }) => holdsPosition(authority.statements, seq))) return null;
  const { closure } = authority;
  const earliest = retention.earliest(ground, closure?.ground === 'death' ? closure : null);
  // Asked this way round, a term that is no number is never over.
  if (ruleVersion !== retention.version || earliest === null || !(Math.min(entry.time, now()) >= earliest))
    throw new MunimentError('RECORD_RETENTION');
  return authority;
}
