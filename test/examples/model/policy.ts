/** What a policy says of each leaf of a document: spec/views.md read once more, in a few lines that share nothing with the library's. */

import type { PolicyDefinition } from 'muniment/views';

/** JSON without empty objects and arrays. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A leaf, and who reads it beside the owner. */
export interface JudgedLeaf {
  readonly tokens: readonly string[];
  readonly readers: 'public' | readonly string[];
  readonly compartment: string;
  /** Whether a label took it out of its rule. */
  readonly restricted: boolean;
}

type Tokens = readonly string[];
type Readers = PolicyDefinition['otherwise'];

/** Judges every leaf, in the order of the document. */
export function judgeLeaves(policy: PolicyDefinition, document: Json): JudgedLeaf[] {
  const nodes = nodesOf(document, []);
  const labelled = (policy.restrictions ?? []).map((restriction) => {
    const { within, labels, values } = restriction;
    const applies = ({ tokens }: Node): boolean =>
      fits(split(within), tokens) &&
      nodes.some(
        ({ tokens: place, value }) =>
          typeof value === 'string' &&
          values.includes(value) &&
          isBelow(place, tokens) &&
          labels.some((label) => fits(split(label), place.slice(tokens.length))),
      );
    const containers = nodes.filter((node) => !isLeaf(node.value) && applies(node));
    return { restriction, containers };
  });
  return nodes
    .filter(({ value }) => isLeaf(value))
    .map(({ tokens }) => {
      const rule = policy.rules.find(({ fields }) => fields.some((pattern) => fits(split(pattern), tokens)));
      const given = rule?.readers ?? policy.otherwise;
      let readers = given === 'public' ? given : namesOf(given, document, tokens);
      let compartment = (rule === undefined ? policy.otherwiseCompartment : rule.compartment) ?? 'inbox';
      const over = labelled.filter(({ containers }) => containers.some((one) => isBelow(tokens, one.tokens)));
      for (const { restriction } of over) {
        const kept = namesOf(restriction.readers, document, tokens);
        readers = readers === 'public' ? [] : readers.filter((name) => kept.includes(name));
        ({ compartment } = restriction);
      }
      return { tokens, readers, compartment, restricted: over.length > 0 };
    });
}

/** What a reader who is not the owner is shown: the chosen leaves, members by name, array elements moved up; `null` for nothing. */
export function cutText(document: Json, chosen: (tokens: Tokens) => boolean, at: Tokens = []): string | null {
  if (isLeaf(document)) return chosen(at) ? JSON.stringify(document) : null;
  const shown = entriesOf(document)
    .map(([name, value]) => [name, cutText(value, chosen, [...at, name])] as const)
    .filter(([, text]) => text !== null);
  if (shown.length === 0) return null;
  if (Array.isArray(document)) return `[${shown.map(([, text]) => text).join()}]`;
  const members = shown
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${JSON.stringify(name)}:${text ?? ''}`);
  return `{${members.join()}}`;
}

interface Node {
  readonly tokens: Tokens;
  readonly value: Json;
}

function nodesOf(value: Json, tokens: Tokens): Node[] {
  const below = isLeaf(value)
    ? []
    : entriesOf(value).flatMap(([name, child]) => nodesOf(child, [...tokens, name]));
  return [{ tokens, value }, ...below];
}

function isLeaf(value: Json): value is string | number | boolean | null {
  return value === null || typeof value !== 'object';
}

function entriesOf(value: Json): [string, Json][] {
  return Object.entries(value as Readonly<Record<string, Json>>);
}

function isBelow(tokens: Tokens, above: Tokens): boolean {
  return tokens.length > above.length && above.every((token, i) => tokens[i] === token);
}

function split(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function fits([first, ...rest]: Tokens, tokens: Tokens): boolean {
  if (first === undefined) return tokens.length === 0;
  if (first === '**') return [...tokens, ''].some((_, i) => fits(rest, tokens.slice(i)));
  const [token, ...others] = tokens;
  return token !== undefined && (first === '*' || first === token) && fits(rest, others);
}

function namesOf(readers: Readers, document: Json, field: Tokens): string[] {
  return readers.flatMap((reader) => {
    if (typeof reader === 'string') return [reader];
    return Object.entries(reader).flatMap(([kind, pointer]) => {
      const ups = pointer.split('../').length - 1;
      const tokens =
        ups === 0
          ? split(pointer)
          : [...field.slice(0, field.length - ups), ...split(`/${pointer.slice(3 * ups)}`)];
      const text = tokens.reduce<Json | undefined>(
        (value, token) =>
          value === undefined || isLeaf(value) ? undefined : new Map(entriesOf(value)).get(token),
        document,
      );
      return typeof text === 'string' ? [`${kind}:${text}`] : [];
    });
  });
}
