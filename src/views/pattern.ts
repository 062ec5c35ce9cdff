/** Field patterns: JSON Pointers with `*` and `**`. spec/views.md, "Policies". */

import { DEPTH_LIMIT } from './constants.ts';
import { refusePolicy } from './name.ts';
import { pointerTokens } from './pointer.ts';

/** One token of a pattern; `*` and `**` are wildcards, since no escaped member name looks like them. */
export type PatternToken = string | typeof ANY | typeof DEEP;
/** A pattern's tokens. */
export type Pattern = readonly PatternToken[];

/** Any one token. */
export const ANY = Symbol('*');
/** Any number of tokens. */
export const DEEP = Symbol('**');
const DEEP_LIMIT = 4;

/** Reads a pattern, or throws `VIEW_POLICY`. */
export function compilePattern(source: string): Pattern {
  const given: unknown = source;
  if (typeof given !== 'string' || !source.startsWith('/'))
    refusePolicy('a field pattern does not begin with a slash');
  const pattern = source
    .slice(1)
    .split('/')
    .map((token) => (token === '**' ? DEEP : token === '*' ? ANY : (pointerTokens(`/${token}`)[0] ?? '')));
  // Longer than a document is deep, it could take nothing.
  if (pattern.length > DEPTH_LIMIT || pattern.filter((token) => token === DEEP).length > DEEP_LIMIT)
    refusePolicy('a field pattern is deeper than documents are, or has more than four **');
  return pattern;
}

/** Whether a pattern takes the decoded tokens from `from` to before `to`. */
export function matches(pattern: Pattern, tokens: readonly string[], from = 0, to = tokens.length): boolean {
  let p = 0;
  let t = from;
  // The last `**` passed, and how far it reaches for now. No earlier one need reach further: what follows it is found.
  let deep = -1;
  let reach = from;
  while (t < to) {
    const token = pattern[p];
    if (token === DEEP) {
      if (p === pattern.length - 1) return true;
      deep = p++;
      reach = t;
    } else if (token === ANY || token === tokens[t]) {
      p++;
      t++;
    } else if (deep >= 0) {
      p = deep + 1;
      t = ++reach;
    } else return false;
  }
  while (pattern[p] === DEEP) p++;
  return p === pattern.length;
}
