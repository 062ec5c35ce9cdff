/**
 * Policies: which field is read by whom. Rules go from field patterns to readers, the first match wins, and what
 * no rule names goes to `otherwise`, never to the public. spec/views.md, "Policies".
 */

import { hashTuple } from '../crypto/index.ts';
import { INBOX } from '../keys/index.ts';
import { POLICY_TOKENS_LIMIT, RULES_LIMIT } from './constants.ts';
import { checkList, checkName, checkPolicyName, refusePolicy } from './name.ts';
import { reportRules, type PolicyReport } from './overlap.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { compileReaders, encodeReaders, type CompiledReaders, type ReaderRule } from './reader-rule.ts';
import {
  compileRestriction,
  encodeRestriction,
  type CompiledRestriction,
  type PolicyRestriction,
} from './restriction.ts';
import { RuleFinder } from './rule-finder.ts';

/** One rule. */
export interface PolicyRule {
  /** JSON Pointers in which `*` is any one member or element and `**` any depth, zero included. */
  readonly fields: readonly string[];
  /** Who reads these fields beside the owner. */
  readonly readers: 'public' | readonly ReaderRule[];
  /**
   * The compartment of the owner's tree that these fields belong to; the inbox where none is named, and for an owner who
   * has published none of this name. A document may be for any owner, so a misspelt name is not refused:
   * {@link Policy.compartments} says which names there are.
   */
  readonly compartment?: string;
}

/** A policy as its author writes it. */
export interface PolicyDefinition {
  /** Name and version, such as `meditrack/1`. */
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  /** Who reads what no rule names. */
  readonly otherwise: readonly ReaderRule[];
  /** The compartment of what no rule names. */
  readonly otherwiseCompartment?: string;
  /** What labels in the document take away again, the most sensitive last; nothing where there are none. */
  readonly restrictions?: readonly PolicyRestriction[];
}

/** A checked policy. */
export interface Policy {
  readonly name: string;
  /** `H(T("muniment/1 policy", …))`, 32 bytes; committed to by every document sealed under it. */
  readonly hash: Uint8Array;
  readonly definition: PolicyDefinition;
  /** Which patterns are never asked, and which share fields with a rule before theirs: for the policy's author to read. */
  readonly reports: readonly PolicyReport[];
  /** Every compartment that it can put a field into, as they come in the policy; an owner publishes these. */
  readonly compartments: readonly string[];
  /** The rules ready to match; `otherwise` is the last. */
  readonly compiled: readonly CompiledRule[];
  readonly restrictions: readonly CompiledRestriction[];
  readonly finder: RuleFinder;
}

/** A rule ready to match. */
export interface CompiledRule {
  readonly patterns: readonly Pattern[];
  readonly readers: 'public' | CompiledReaders;
  readonly compartment: string;
}

/**
 * Checks a policy and makes it ready to use.
 *
 * @param definition - the rules and restrictions
 * @returns the policy; its `reports` say which patterns overlap with earlier rules, and which can never match
 * @throws `MunimentError` `VIEW_POLICY` if it is malformed, without a version, too long, or the same pattern stands in it twice
 * @example
 * ```ts
 * import { definePolicy } from 'muniment/views';
 * const { reports } = definePolicy({
 *   name: 'example/1',
 *   rules: [
 *     { fields: ['/cost/**'], readers: ['insurer'], compartment: 'financial' },
 *     { fields: ['/cost/reason'], readers: ['doctor'] },
 *   ],
 *   otherwise: [],
 * });
 * console.log(reports[0]?.kind, reports[0]?.pattern); // unreachable /cost/reason
 * ```
 */
export function definePolicy(definition: PolicyDefinition): Policy {
  const { name, rules, otherwise, otherwiseCompartment = INBOX, restrictions = [] } = definition;
  checkPolicyName(name);
  compileReaders(otherwise); // a list, so never the public
  const all = [...rules, { fields: ['/**'], readers: otherwise, compartment: otherwiseCompartment }];
  if (all.length > RULES_LIMIT || restrictions.length >= RULES_LIMIT)
    refusePolicy('the policy has too many rules or restrictions');
  const compiled = all.map((rule) => compileRule(rule));
  const restricting = restrictions.map(compileRestriction);
  const patterns = [
    ...compiled.flatMap((rule) => rule.patterns),
    ...restricting.flatMap(({ within, labels }) => [within, ...labels]),
  ];
  const fields = rules.flatMap((rule) => rule.fields);
  if (patterns.reduce((sum, { length }) => sum + length, 0) > POLICY_TOKENS_LIMIT)
    refusePolicy('the patterns of the policy have too many tokens');
  if (new Set(fields).size !== fields.length) refusePolicy('a pattern stands in the policy twice');
  return {
    name,
    hash: hashTuple('policy', name, all.map(encodeRule), restrictions.map(encodeRestriction)),
    definition,
    reports: reportRules(rules.map((rule, i) => ({ ...rule, patterns: compiled[i]?.patterns ?? [] }))),
    compartments: [...new Set([...compiled, ...restricting].map(({ compartment }) => compartment))],
    compiled,
    restrictions: restricting,
    finder: new RuleFinder(compiled.map((rule) => rule.patterns)),
  };
}

/** The patterns that a policy never gives to a reader, whatever the document: what such a reader can know to be withheld. */
export function alwaysWithheld(policy: Policy, holds: (reader: ReaderRule) => boolean): readonly string[] {
  const { rules, otherwise } = policy.definition;
  const withheld = rules.filter((rule) => rule.readers !== 'public' && !rule.readers.some(holds));
  return [...withheld.flatMap((rule) => rule.fields), ...(otherwise.some(holds) ? [] : ['/**'])];
}

function compileRule(rule: PolicyRule): CompiledRule {
  const { fields, readers, compartment = INBOX } = rule;
  checkList(fields);
  if (fields.length === 0 || fields.length > RULES_LIMIT) refusePolicy('a rule has no fields, or too many');
  checkName(compartment);
  return {
    patterns: fields.map(compilePattern),
    readers: readers === 'public' ? readers : compileReaders(readers),
    compartment,
  };
}

function encodeRule({ fields, readers, compartment = INBOX }: PolicyRule) {
  return [fields, readers === 'public' ? readers : encodeReaders(readers), compartment];
}
