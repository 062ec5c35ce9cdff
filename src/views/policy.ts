/**
 * Policies: which field is read by whom. Rules go from field patterns to readers, the first match wins, and what
 * no rule names goes to `otherwise`, never to the public. spec/views.md, "Policies".
 */

import { hashTuple } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { NAME_LIMIT } from '../keys/index.ts';
import { utf8, type JsonNode } from '../wire/index.ts';
import { INBOX } from '../keys/index.ts';
import { RULES_LIMIT } from './constants.ts';
import { leaves, type Leaf } from './leaves.ts';
import { compilePattern, matches, type Pattern } from './pattern.ts';
import { pointerTokens, resolvePointer } from './pointer.ts';

/** A reader by name, or named `<kind>:<value>` after a text found at a JSON Pointer: absolute, or relative with `../`. */
export type ReaderRule = string | Readonly<Record<string, string>>;

/** One rule. */
export interface PolicyRule {
  /** JSON Pointers in which `*` is any one member or element and `**` any depth, zero included. */
  readonly fields: readonly string[];
  /** Who reads these fields beside the owner. */
  readonly readers: 'public' | readonly ReaderRule[];
  /** The compartment of the owner's tree that these fields belong to; the inbox where none is named. */
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
}

/** A checked policy. */
export interface Policy {
  readonly name: string;
  /** `H(T("muniment/1 policy", …))`, 32 bytes; committed to by every document sealed under it. */
  readonly hash: Uint8Array;
  readonly definition: PolicyDefinition;
  /** The rules ready to match; `otherwise` is the last. */
  readonly compiled: readonly CompiledRule[];
}

/** A rule ready to match. */
export interface CompiledRule {
  readonly patterns: readonly Pattern[];
  readonly readers: 'public' | readonly ReaderRule[];
  readonly compartment: string;
}

/** What a policy says about one field. */
export interface Explained {
  /** The field's JSON Pointer in the document. */
  readonly pointer: string;
  /** Which rule took it; `null` for `otherwise`. */
  readonly rule: number | null;
  /** Names of its readers beside the owner, sorted. */
  readonly readers: 'public' | readonly string[];
  readonly compartment: string;
  readonly leaf: Leaf;
}

/**
 * Checks a policy and makes it ready to use.
 *
 * @param definition - the rules
 * @throws `MunimentError` `VIEW_POLICY` if it is malformed, or two rules share a pattern so that the second could never match
 * @example
 * ```ts
 * import { definePolicy } from 'muniment/views';
 * definePolicy({
 *   name: 'example/1',
 *   rules: [{ fields: ['/cost'], readers: ['insurer'], compartment: 'financial' }],
 *   otherwise: [],
 * });
 * ```
 */
export function definePolicy(definition: PolicyDefinition): Policy {
  const { name, rules, otherwise, otherwiseCompartment = INBOX } = definition;
  const all = [...rules, { fields: ['/**'], readers: otherwise, compartment: otherwiseCompartment }];
  checkName(name);
  if (all.length > RULES_LIMIT || new Set(rules.flatMap((rule) => rule.fields)).size !== countFields(rules))
    refuse();
  const compiled = all.map((rule) => compileRule(rule));
  const encoded = all.map((rule) => [rule.fields, encodeReaders(rule.readers), rule.compartment ?? INBOX]);
  return { name, hash: hashTuple('policy', name, encoded), definition, compiled };
}

/**
 * Says for every field of a document which rule takes it and who will read it.
 *
 * @param policy - from {@link definePolicy}
 * @param document - the document
 * @throws `MunimentError` `VIEW_LIMIT` for too many fields
 */
export function explain(policy: Policy, document: JsonNode): Explained[] {
  return leaves(document).map((leaf) => {
    const at = policy.compiled.findIndex((rule) =>
      rule.patterns.some((pattern) => matches(pattern, leaf.tokens)),
    );
    const rule = policy.compiled[at] ?? refuse(); // cannot be: the last rule matches everything
    return {
      pointer: leaf.pointer,
      rule: at < policy.definition.rules.length ? at : null,
      readers: rule.readers === 'public' ? 'public' : nameReaders(rule.readers, document, leaf.tokens),
      compartment: rule.compartment,
      leaf,
    };
  });
}

/** The patterns that a policy never gives to a reader, whatever the document: what such a reader can know to be withheld. */
export function alwaysWithheld(policy: Policy, holds: (reader: ReaderRule) => boolean): readonly string[] {
  const { rules, otherwise } = policy.definition;
  const withheld = rules.filter((rule) => rule.readers !== 'public' && !rule.readers.some(holds));
  return [...withheld.flatMap((rule) => rule.fields), ...(otherwise.some(holds) ? [] : ['/**'])];
}

function compileRule(rule: PolicyRule): CompiledRule {
  const { fields, readers, compartment = INBOX } = rule;
  if (fields.length === 0 || fields.length > RULES_LIMIT) refuse();
  checkName(compartment);
  if (readers !== 'public') readers.forEach(checkReader);
  return { patterns: fields.map(compilePattern), readers, compartment };
}

function checkReader(reader: ReaderRule): void {
  const names = typeof reader === 'string' ? [reader] : Object.entries(reader).flat();
  names.forEach(checkName);
  if (typeof reader === 'string') {
    if (reader === 'public') refuse(); // the public is no reader among others
    return;
  }
  const pointers = Object.values(reader);
  if (pointers.length !== 1 || !pointers.every((pointer) => /^(?:\/|(?:\.\.\/)+)[^/]/.test(pointer)))
    refuse();
  for (const pointer of pointers) pointerTokens(pointer.replace(/^(?:\.\.\/)+/, '/'));
}

function checkName(name: string): void {
  if (name === '' || utf8(name).length > NAME_LIMIT) refuse();
}

function countFields(rules: readonly PolicyRule[]): number {
  return rules.reduce((sum, rule) => sum + rule.fields.length, 0);
}

function encodeReaders(readers: 'public' | readonly ReaderRule[]): string | readonly (readonly string[])[] {
  if (readers === 'public') return readers;
  return readers.map((reader) => (typeof reader === 'string' ? [reader] : Object.entries(reader).flat()));
}

function nameReaders(rules: readonly ReaderRule[], document: JsonNode, field: readonly string[]): string[] {
  const names = rules.flatMap((rule) => {
    if (typeof rule === 'string') return [rule];
    return Object.entries(rule).flatMap(([kind, pointer]) => {
      const value = resolvePointer(document, pointer, field);
      return value === null ? [] : [`${kind}:${value}`]; // no text there: nobody by that rule
    });
  });
  return [...new Set(names)].sort();
}

function refuse(): never {
  throw new MunimentError('VIEW_POLICY');
}
