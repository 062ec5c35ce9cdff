/**
 * Whether two patterns share a field, and whether some patterns together take all fields of another: decided on the
 * patterns themselves. spec/views.md, "Reports".
 */

import { ANY, DEEP, type Pattern, type PatternToken } from './pattern.ts';

/** Whether some pointer is taken by both; at most the product of their lengths in steps. */
export function share(a: Pattern, b: Pattern): boolean {
  if (apart(a.at(-1), b.at(-1))) return false;
  // Before the first DEEP of either, tokens stand against each other one by one; most pairs end here.
  let from = 0;
  for (; from < a.length && from < b.length && a[from] !== DEEP && b[from] !== DEEP; from++)
    if (apart(a[from], b[from])) return false;
  return shareRest(a.slice(from), b.slice(from));
}

function shareRest(a: Pattern, b: Pattern): boolean {
  // How far in b one can be with the first i tokens of a: a DEEP of either takes tokens of the other, or ends.
  let here = new Uint8Array(b.length + 1);
  here[0] = 1;
  for (let i = 0; i <= a.length; i++) {
    const next = new Uint8Array(b.length + 1);
    for (let j = 0; j <= b.length; j++) {
      if (here[j] === 0) continue;
      if (i === a.length && j === b.length) return true;
      if (a[i] === DEEP || b[j] === DEEP) {
        next[j] = 1;
        if (j < b.length) here[j + 1] = 1;
      } else if (i < a.length && j < b.length && !apart(a[i], b[j])) next[j + 1] = 1;
    }
    here = next;
  }
  return false;
}

function apart(a: PatternToken | undefined, b: PatternToken | undefined): boolean {
  return typeof a === 'string' && typeof b === 'string' && a !== b;
}

/** Steps that one question may still take; with none left the answer is no. */
export interface StepBudget {
  left: number;
}

/**
 * Whether each pointer that a pattern takes is taken by one of the others.
 *
 * Enough are those pointers that have, wherever the pattern leaves the token open, one that no pattern spells: what
 * takes such a pointer has a wildcard at these places, and takes all others. So the pattern is walked with its own
 * tokens and that fresh one, beside the set of places where the others then are.
 */
export function covered(pattern: Pattern, others: readonly Pattern[], budget: StepBudget): boolean {
  const seen = new Set<string>();
  const todo: { at: number; places: Places }[] = [{ at: 0, places: start(others) }];
  for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
    const { at, places } = one;
    // Whatever is done with a state, looking at it has gone through all the others.
    budget.left -= 1 + places.reduce((sum, list) => sum + 1 + list.length, 0);
    if (budget.left < 0) return false;
    const key = `${at}:${places.map((list) => list.join()).join(';')}`;
    if (seen.has(key) || takesAll(others, places)) continue;
    seen.add(key);
    if (places.every((list) => list.length === 0)) return false;
    const token = pattern[at];
    if (token === undefined) {
      if (!others.some(({ length }, i) => places[i]?.includes(length))) return false;
    } else if (token === DEEP) {
      todo.push({ at, places: step(others, places, ANY) }, { at: at + 1, places });
    } else todo.push({ at: at + 1, places: step(others, places, token) });
  }
  return true;
}

/** For each pattern the places in it, ascending, that the tokens so far lead to. */
type Places = readonly (readonly number[])[];

function start(patterns: readonly Pattern[]): Places {
  return patterns.map((pattern) => settle(pattern, [0]));
}

// ANY stands for the fresh token here.
function step(patterns: readonly Pattern[], places: Places, token: string | typeof ANY): Places {
  return patterns.map((pattern, i) =>
    settle(
      pattern,
      (places[i] ?? []).flatMap((place) => {
        const own = pattern[place];
        if (own === DEEP) return [place];
        return own === ANY || own === token ? [place + 1] : [];
      }),
    ),
  );
}

// A DEEP may also end at once. What is before the last DEEP reached takes nothing that this one does not take too.
function settle(pattern: Pattern, places: readonly number[]): readonly number[] {
  const all = new Set(places);
  for (const place of all) if (pattern[place] === DEEP) all.add(place + 1);
  const last = Math.max(-1, ...[...all].filter((place) => pattern[place] === DEEP));
  return [...all].filter((place) => place >= last).sort((a, b) => a - b);
}

function takesAll(patterns: readonly Pattern[], places: Places): boolean {
  return patterns.some(
    (pattern, i) => pattern.at(-1) === DEEP && places[i]?.includes(pattern.length - 1) === true,
  );
}
