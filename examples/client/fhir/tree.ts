/** Reading and rebuilding the JSON tree of muniment/wire, as far as the FHIR import needs it. */

import type { JsonNode } from 'muniment/wire';

/** The member of an object; undefined for anything else. */
export function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.find((each) => each.name === name)?.node : undefined;
}

/** The items of an array; none for anything else. */
export function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : [];
}

/** The text of a string; undefined for anything else. */
export function textOf(node: JsonNode | undefined): string | undefined {
  return isString(node) ? (JSON.parse(node.text) as string) : undefined;
}

/** Whether a node is a JSON string. */
export function isString(node: JsonNode | undefined): node is { kind: 'leaf'; text: string } {
  return node?.kind === 'leaf' && node.text.startsWith('"');
}

/** The node that a path of member names and indices leads to. */
export function nodeAt(node: JsonNode | undefined, path: readonly string[]): JsonNode | undefined {
  return path.reduce<JsonNode | undefined>(
    (at, token) => member(at, token) ?? itemsOf(at).find((_, index) => String(index) === token),
    node,
  );
}

/** The same tree with another node at the end of a path; the path has to exist. */
export function replaceAt(node: JsonNode, path: readonly string[], replacement: JsonNode): JsonNode {
  const [token, ...rest] = path;
  if (token === undefined) return replacement;
  switch (node.kind) {
    case 'object': {
      const members = node.members.map((each) =>
        each.name === token ? { ...each, node: replaceAt(each.node, rest, replacement) } : each,
      );
      return { kind: 'object', members };
    }
    case 'array': {
      const items = node.items.map((item, index) =>
        String(index) === token ? replaceAt(item, rest, replacement) : item,
      );
      return { kind: 'array', items };
    }
    case 'leaf':
      throw new RangeError('the path leads nowhere');
  }
}

/** A string, number or null. */
export function leaf(value: string | number | null): JsonNode {
  return { kind: 'leaf', text: JSON.stringify(value) };
}

/** An object of at least one member. */
export function object(members: Iterable<readonly [string, JsonNode]>): JsonNode {
  return {
    kind: 'object',
    members: Array.from(members, ([name, node]) => ({ name, spelling: JSON.stringify(name), node })),
  };
}

/** An array of at least one item. */
export function array(items: readonly JsonNode[]): JsonNode {
  return { kind: 'array', items };
}
