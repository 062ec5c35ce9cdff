/** Field patterns: JSON Pointers with `*` and `**`. spec/views.md, "Patterns". */

import { MunimentError } from '../errors.ts';
import { pointerTokens } from './pointer.ts';

/** A pattern's tokens; `*` and `**` are wildcards, since no escaped member name looks like them. */
export type Pattern = readonly (string | typeof ANY | typeof DEEP)[];

const ANY = Symbol('*');
const DEEP = Symbol('**');
const DEEP_LIMIT = 4;

/** Reads a pattern, or throws `VIEW_POLICY`. */
export function compilePattern(source: string): Pattern {
  if (!source.startsWith('/')) throw new MunimentError('VIEW_POLICY');
  const pattern = source
    .slice(1)
    .split('/')
    .map((token) => (token === '**' ? DEEP : token === '*' ? ANY : (pointerTokens(`/${token}`)[0] ?? '')));
  if (pattern.filter((token) => token === DEEP).length > DEEP_LIMIT) throw new MunimentError('VIEW_POLICY');
  return pattern;
}

/** Whether a pattern takes a field, given by its decoded tokens. */
export function matches(pattern: Pattern, field: readonly string[]): boolean {
  return matchFrom(pattern, 0, field, 0);
}

function matchFrom(pattern: Pattern, p: number, field: readonly string[], f: number): boolean {
  for (; p < pattern.length; p++, f++) {
    const token = pattern[p];
    if (token === DEEP) {
      if (p === pattern.length - 1) return true;
      for (let skip = f; skip <= field.length; skip++)
        if (matchFrom(pattern, p + 1, field, skip)) return true;
      return false;
    }
    if (f >= field.length || (token !== ANY && token !== field[f])) return false;
  }
  return f === field.length;
}
