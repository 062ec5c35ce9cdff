/** Who may write what: the rule by which a chain's entries are judged, one after another. spec/record.md, "Chains". */

import type { Credential, Standing } from '../keys/index.ts';
import type { Entry } from './entry.ts';

/** An entry whose place and signature were verified, before a rule. */
export interface Step {
  readonly entry: Entry;
  readonly author: Credential;
  readonly standing: Standing['standing'];
  readonly hash: Uint8Array;
  /** Whether it is being appended, and does not stand already: then nothing that is in doubt is taken. */
  readonly appending: boolean;
  /** The statement that the entry names, held against its digest; `null` if it was not shown, or is of another payload type. */
  readonly payload: Uint8Array | null;
}

/**
 * A rule with a memory: what entries change about who may write comes in with them. It sees no entry that is not shown
 * to its verifier.
 */
export interface WriteRule<State> {
  /** What is known before a chain's first entry. */
  readonly start: State;
  /** What is known after the entry; `null`, or nothing at all, if its author had no right to write it. Never changes what it was given. */
  next(state: State, step: Step): State | null;
}

/** Whether an author may write an entry, judged by these two alone. */
export type MayWrite = (entry: Entry, author: Credential) => boolean;

/**
 * A rule without a memory: each entry is judged by itself and by its author's credential.
 *
 * @param mayWrite - whether this author may write this entry
 * @example
 * ```ts
 * import { byRole } from 'muniment/record';
 * const rule = byRole(({ kind }, author) => kind === 'annotate' && author.roles.includes('doctor'));
 * ```
 */
export function byRole(mayWrite: MayWrite): WriteRule<true> {
  return { start: true, next: (_, { entry, author }) => (mayWrite(entry, author) ? true : null) };
}
