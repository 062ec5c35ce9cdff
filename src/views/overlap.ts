/** What the rules of a policy have in common: reports for its author. spec/views.md, "Reports". */

import { COVERAGE_STEPS } from './constants.ts';
import { covered, share } from './coverage.ts';
import type { Pattern } from './pattern.ts';

/** A pattern of a rule. */
export interface RulePattern {
  readonly rule: number;
  readonly pattern: string;
}

/**
 * A pattern that shares fields with rules before its own, which take them: all of them (`unreachable`: it can never
 * match), or some (`overlap`).
 */
export interface PolicyReport extends RulePattern {
  readonly kind: 'unreachable' | 'overlap';
  /** For `unreachable` the earlier patterns that together take all; for `overlap` the first of each earlier rule. */
  readonly by: readonly RulePattern[];
}

/** A rule, its patterns as written and ready to match. */
export interface ReportedRule {
  readonly fields: readonly string[];
  readonly patterns: readonly Pattern[];
}

interface Placed extends RulePattern {
  readonly tokens: Pattern;
  /** Its place among all patterns of the policy. */
  readonly order: number;
}

/** Reports on each pattern, in the order of the policy. Patterns of one rule do not get into each other's way. */
export function reportRules(rules: readonly ReportedRule[]): PolicyReport[] {
  const earlier = new PatternIndex();
  let order = 0;
  return rules.flatMap(({ fields, patterns }, rule) => {
    const own = patterns.map((tokens, i) => ({ rule, pattern: fields[i] ?? '', tokens, order: order++ }));
    const reports = own.map((one) => reportOn(one, earlier));
    // What can never match takes nothing from later rules either.
    own.forEach((one, i) => {
      if (reports[i]?.kind !== 'unreachable') earlier.add(one);
    });
    return reports.filter((report) => report !== null);
  });
}

function reportOn(one: Placed, earlier: PatternIndex): PolicyReport | null {
  const sharing = earlier.near(one.tokens).filter((other) => share(one.tokens, other.tokens));
  if (sharing.length === 0) return null;
  const { rule, pattern } = one;
  const taking = takenBy(one, sharing);
  if (taking !== null) return { kind: 'unreachable', rule, pattern, by: taking.map(named) };
  const firsts = sharing.filter((other, i) => other.rule !== sharing[i - 1]?.rule);
  return { kind: 'overlap', rule, pattern, by: firsts.map(named) };
}

// The patterns that take everything only all together; the earliest, where there is a choice.
function takenBy(one: Placed, sharing: readonly Placed[]): readonly Placed[] | null {
  const budget = { left: COVERAGE_STEPS };
  const all = (others: readonly Placed[]): boolean =>
    covered(
      one.tokens,
      others.map(({ tokens }) => tokens),
      budget,
    );
  if (!all(sharing)) return null;
  let kept = sharing;
  for (const other of [...sharing].reverse()) {
    const rest = kept.filter((each) => each !== other);
    if (all(rest)) kept = rest;
    if (budget.left < 0) break; // some that are not needed may be left in
  }
  return kept;
}

function named({ rule, pattern }: RulePattern): RulePattern {
  return { rule, pattern };
}

/** Patterns by their first token: those that start with different names share nothing. */
class PatternIndex {
  readonly #all: Placed[] = [];
  readonly #byFirst = new Map<string, Placed[]>();
  readonly #wild: Placed[] = [];

  add(one: Placed): void {
    const first = one.tokens[0];
    this.#all.push(one);
    if (typeof first !== 'string') this.#wild.push(one);
    else {
      const list = this.#byFirst.get(first) ?? [];
      this.#byFirst.set(first, list);
      list.push(one);
    }
  }

  /** All that may share fields with a pattern, in the order of the policy. */
  near(tokens: Pattern): readonly Placed[] {
    const first = tokens[0];
    if (typeof first !== 'string') return this.#all;
    return [...(this.#byFirst.get(first) ?? []), ...this.#wild].sort((a, b) => a.order - b.order);
  }
}
