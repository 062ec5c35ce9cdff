/**
 * Restrictions: labels that stand in a document and can only make its policy stricter. spec/views.md, "Restrictions".
 */

import { RULES_LIMIT } from './constants.ts';
import type { Container, Leaf } from './leaves.ts';
import { checkList, checkName, refusePolicy } from './name.ts';
import { compilePattern, matches, type Pattern } from './pattern.ts';
import {
  compileReaders,
  encodeReaders,
  nameReaders,
  type CompiledReaders,
  type ReaderRule,
} from './reader-rule.ts';
import { textOf, type ResolveText } from './text-pointer.ts';

/** Takes readers away from all fields of a container in which a label stands. */
export interface PolicyRestriction {
  /** A pattern of containers (objects and arrays); the empty text is the document itself. */
  readonly within: string;
  /** Patterns of the places, from the container on, at which its labels stand. */
  readonly labels: readonly string[];
  /** The texts that restrict. */
  readonly values: readonly string[];
  /** Of the readers that a rule gives, only these are kept. */
  readonly readers: readonly ReaderRule[];
  /** The compartment of the owner's tree that the container's fields then belong to. */
  readonly compartment: string;
}

/** A restriction ready to apply. */
export interface CompiledRestriction {
  readonly within: Pattern;
  readonly labels: readonly Pattern[];
  readonly values: ReadonlySet<string>;
  readonly readers: CompiledReaders;
  readonly compartment: string;
}

/** Checks a restriction, or throws `VIEW_POLICY`. */
export function compileRestriction(restriction: PolicyRestriction): CompiledRestriction {
  const { within, labels, values, readers, compartment } = restriction;
  for (const list of [labels, values]) {
    checkList(list);
    if (list.length === 0 || list.length > RULES_LIMIT || new Set(list).size !== list.length)
      refusePolicy('a restriction has no labels or values, too many, or one twice');
  }
  [...values, compartment].forEach(checkName);
  return {
    within: within === '' ? [] : compilePattern(within),
    labels: labels.map(compilePattern),
    values: new Set(values),
    readers: compileReaders(readers),
    compartment,
  };
}

/** The restriction as it is hashed. */
export function encodeRestriction(
  restriction: PolicyRestriction,
): readonly (string | readonly string[] | readonly (readonly string[])[])[] {
  const { within, labels, values, readers, compartment } = restriction;
  return [within, labels, values, encodeReaders(readers), compartment];
}

/**
 * Finds the labels of a document, and says for each field which restrictions apply to it: their indices, ascending.
 * Labels are looked for once among all fields, and joined once for each container.
 */
export function restrictionsIn(
  restrictions: readonly CompiledRestriction[],
  fields: readonly Leaf[],
): (field: Leaf) => readonly number[] {
  if (restrictions.length === 0) return () => NONE;
  const labelled = labelledContainers(restrictions, fields);
  if (labelled.size === 0) return () => NONE;
  const known = new Map<Container, readonly number[]>();
  const within = (container: Container | null): readonly number[] => {
    if (container === null) return NONE;
    const before = known.get(container);
    if (before !== undefined) return before;
    const above = within(container.parent);
    const own = labelled.get(container);
    const joined =
      own === undefined ? above : [...new Set([...above, ...own])].sort((first, second) => first - second);
    known.set(container, joined);
    return joined;
  };
  return (field) => within(field.parent);
}

const NONE: readonly number[] = [];

function labelledContainers(
  restrictions: readonly CompiledRestriction[],
  fields: readonly Leaf[],
): ReadonlyMap<Container, ReadonlySet<number>> {
  const labelled = new Map<Container, Set<number>>();
  const byValue = indicesByValue(restrictions);
  for (const field of fields) {
    const text = textOf(field.text);
    if (text === null) continue;
    for (const index of byValue.get(text) ?? NONE) {
      for (const container of containersLabelled(restrictions[index], field)) {
        const indices = labelled.get(container) ?? new Set<number>();
        labelled.set(container, indices.add(index));
      }
    }
  }
  return labelled;
}

// Few fields of a document have the text of a label, so patterns are matched for few of them.
function indicesByValue(
  restrictions: readonly CompiledRestriction[],
): ReadonlyMap<string, readonly number[]> {
  const byValue = new Map<string, number[]>();
  restrictions.forEach(({ values }, index) => {
    for (const value of values) {
      const indices = byValue.get(value) ?? [];
      byValue.set(value, indices);
      indices.push(index);
    }
  });
  return byValue;
}

function containersLabelled(restriction: CompiledRestriction | undefined, label: Leaf): Container[] {
  const found: Container[] = [];
  for (let container = label.parent; container !== null; container = container.parent) {
    const { depth } = container;
    if (
      restriction !== undefined &&
      matches(restriction.within, label.tokens, 0, depth) &&
      restriction.labels.some((pattern) => matches(pattern, label.tokens, depth))
    )
      found.push(container);
  }
  return found;
}

/** What is left of a field's readers and where it then belongs: never a reader more than the rule gave. */
export function restrict(
  given: { readonly readers: 'public' | readonly string[]; readonly compartment: string },
  restrictions: readonly CompiledRestriction[],
  at: { readonly field: Leaf; readonly resolve: ResolveText },
): { readonly readers: 'public' | readonly string[]; readonly compartment: string } {
  return restrictions.reduce(({ readers }, restriction) => {
    const kept = nameReaders(restriction.readers, at.field, at.resolve);
    // Nobody was named for what everybody reads, so nobody is left.
    const left = readers === 'public' ? [] : readers.filter((name) => kept.includes(name));
    return { readers: left, compartment: restriction.compartment };
  }, given);
}
