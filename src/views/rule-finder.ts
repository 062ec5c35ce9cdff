/** Which rule of a policy takes a field: the first with a pattern that matches. spec/views.md, "Policies". */

import { refusePolicy } from './name.ts';
import { matches, type Pattern } from './pattern.ts';

interface Ruled {
  readonly rule: number;
  readonly pattern: Pattern;
}

/** Finds the rule of a field. Patterns that start with another member name than the field does are not tried. */
export class RuleFinder {
  readonly #byFirst = new Map<string, Ruled[]>();
  readonly #wild: Ruled[] = [];

  /** Takes each rule's patterns, the rules in their order; some pattern must match everything. */
  constructor(rules: readonly (readonly Pattern[])[]) {
    rules.forEach((patterns, rule) => {
      for (const pattern of patterns) {
        const first = pattern[0];
        const list = typeof first === 'string' ? this.#startingWith(first) : this.#wild;
        list.push({ rule, pattern });
      }
    });
  }

  #startingWith(first: string): Ruled[] {
    const list = this.#byFirst.get(first) ?? [];
    this.#byFirst.set(first, list);
    return list;
  }

  /** The index of the first rule that takes a field. */
  find(field: readonly string[]): number {
    const own = firstTaking(this.#byFirst.get(field[0] ?? '') ?? [], field, Infinity);
    const rule = firstTaking(this.#wild, field, own);
    return rule === Infinity ? refusePolicy('no rule takes this field') : rule;
  }
}

// The first of these that takes a field, where it comes before another that does.
function firstTaking(ruled: readonly Ruled[], field: readonly string[], before: number): number {
  for (const { rule, pattern } of ruled) {
    if (rule >= before) break;
    if (matches(pattern, field)) return rule;
  }
  return before;
}
