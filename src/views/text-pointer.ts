/** Pointers of a policy to texts in the document, from the top or from a field. spec/views.md, "Policies". */

import type { JsonNode } from '../wire/index.ts';
import type { Container, Leaf } from './leaves.ts';
import { refusePolicy } from './name.ts';
import { pointerTokens } from './pointer.ts';

/** A policy's pointer to a text, ready to follow. */
export interface TextPointer {
  /** How many tokens of the field's own path are dropped, one for each `../`; none for a pointer from the top. */
  readonly up: number;
  readonly tokens: readonly string[];
}

/** Reads a pointer of a policy, or throws `VIEW_POLICY`. */
export function compileTextPointer(source: string): TextPointer {
  const [, up = '', rest] = /^((?:\.\.\/)*)(?!\.\.\/)(\/?[^/][^]*)$/.exec(source) ?? [];
  // From the top with a slash, from the field without one.
  if (rest?.startsWith('/') !== (up === ''))
    refusePolicy('where a name stands is neither a pointer from the top nor one up from the field');
  return { up: up.length / 3, tokens: pointerTokens(up === '' ? rest : `/${rest}`) };
}

/** The text that a pointer leads to from a field; `null` if no string is there. */
export type ResolveText = (pointer: TextPointer, field: Leaf) => string | null;

/** Follows pointers in one document: each from each container once, however many fields that has. */
export function textResolver(document: JsonNode): ResolveText {
  const known = new Map<TextPointer, Map<JsonNode, string | null>>();
  return (pointer, field) => {
    const from = pointer.up === 0 ? document : (containerAbove(field, pointer.up)?.node ?? document);
    const texts = known.get(pointer) ?? new Map<JsonNode, string | null>();
    known.set(pointer, texts);
    const text = texts.get(from);
    if (text !== undefined) return text;
    const found = textAt(from, pointer.tokens);
    texts.set(from, found);
    return found;
  };
}

function containerAbove(field: Leaf, up: number): Container | null {
  let container = field.parent;
  for (let i = 1; i < up && container !== null; i++) container = container.parent;
  return container;
}

function textAt(from: JsonNode, tokens: readonly string[]): string | null {
  let node: JsonNode | undefined = from;
  for (const token of tokens) node = child(node, token);
  if (node?.kind !== 'leaf') return null;
  return textOf(node.text);
}

/** The string that a JSON leaf stands for; `null` if it is none. */
export function textOf(leaf: string): string | null {
  if (!leaf.startsWith('"')) return null;
  return leaf.includes('\\') ? (JSON.parse(leaf) as string) : leaf.slice(1, -1);
}

function child(node: JsonNode | undefined, token: string): JsonNode | undefined {
  if (node?.kind === 'object') return node.members.find((member) => member.name === token)?.node;
  if (node?.kind === 'array' && /^(?:0|[1-9][0-9]*)$/.test(token)) return node.items[Number(token)];
  return undefined;
}
