/** How a policy names readers: by text, or after a text in the document. spec/views.md, "Policies". */

import type { Leaf } from './leaves.ts';
import { checkName, refusePolicy } from './name.ts';
import { compileTextPointer, type ResolveText, type TextPointer } from './text-pointer.ts';

/** A reader by name, or named `<kind>:<value>` after a text found at a JSON Pointer: absolute, or relative with `../`. */
export type ReaderRule = string | Readonly<Record<string, string>>;

/** Readers ready to name. */
export interface CompiledReaders {
  /** Those named by text, sorted, each once. */
  readonly fixed: readonly string[];
  /** Those named after a text in the document. */
  readonly placed: readonly { readonly kind: string; readonly pointer: TextPointer }[];
}

/** Checks a list of readers, or throws `VIEW_POLICY`. */
export function compileReaders(rules: readonly ReaderRule[]): CompiledReaders {
  const list: unknown = rules;
  // A text, `public` above all, where a list has to stand.
  if (!Array.isArray(list)) refusePolicy('readers are a list; only in a rule they may be the public');
  const fixed = rules.filter((rule) => typeof rule === 'string');
  fixed.forEach(checkName);
  if (fixed.includes('public')) refusePolicy('the public is no reader among others');
  const placed = rules.filter((rule) => typeof rule !== 'string').map(compilePlaced);
  return { fixed: [...new Set(fixed)].sort(), placed };
}

const NO_READER = 'a reader is a name, or an object of one kind and where its name stands';

function compilePlaced(rule: Readonly<Record<string, string>>): CompiledReaders['placed'][number] {
  const given: unknown = rule;
  if (typeof given !== 'object' || given === null) refusePolicy(NO_READER);
  const [pair, ...others] = Object.entries(rule);
  if (pair === undefined || others.length > 0) refusePolicy(NO_READER);
  pair.forEach(checkName);
  const [kind, pointer] = pair;
  // `a:b` and `c` would be nobody else than `a` and `b:c`.
  if (kind.includes(':')) refusePolicy('a reader after a text in the document is of a kind with a colon');
  return { kind, pointer: compileTextPointer(pointer) };
}

/** The names of a field's readers, sorted, each once. Where there is no text, there is nobody by that rule. */
export function nameReaders(readers: CompiledReaders, field: Leaf, resolve: ResolveText): readonly string[] {
  const { fixed, placed } = readers;
  if (placed.length === 0) return fixed;
  const found = placed.flatMap(({ kind, pointer }) => {
    const value = resolve(pointer, field);
    return value === null ? [] : [`${kind}:${value}`];
  });
  return [...new Set([...fixed, ...found])].sort();
}

/** The readers as they are hashed: `[name]` and `[kind, pointer]`. */
export function encodeReaders(rules: readonly ReaderRule[]): readonly (readonly string[])[] {
  return rules.map((rule) => (typeof rule === 'string' ? [rule] : Object.entries(rule).flat()));
}
