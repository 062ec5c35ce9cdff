/** The fields of a document: its leaves, in document order. spec/views.md, "Fields". */

import { MunimentError } from '../errors.ts';
import type { JsonNode } from '../wire/index.ts';
import { DEPTH_LIMIT, FIELDS_LIMIT } from './constants.ts';
import { escapeToken } from './pointer.ts';

/** An object or array that is not empty, at its place in the document. */
export interface Container {
  readonly node: JsonNode;
  /** How many tokens lead to it. */
  readonly depth: number;
  /** The container around it; `null` for the document itself. */
  readonly parent: Container | null;
}

/** A field: where it stands, and its value as JSON text. */
export interface Leaf {
  /** Decoded tokens from the root; array positions in decimal. */
  readonly tokens: readonly string[];
  /** The same as a JSON Pointer. */
  readonly pointer: string;
  /** What it stands in; `null` if it is the whole document. */
  readonly parent: Container | null;
  readonly text: string;
}

/** All leaves of a document in order; an empty object or array is a leaf. */
export function leaves(document: JsonNode): Leaf[] {
  const found: Leaf[] = [];
  const visit = (
    node: JsonNode,
    tokens: readonly string[],
    pointer: string,
    parent: Container | null,
  ): void => {
    if (node.kind === 'leaf') {
      if (found.length === FIELDS_LIMIT) throw new MunimentError('VIEW_LIMIT');
      found.push({ tokens, pointer, parent, text: node.text });
      return;
    }
    // A tree that readJson did not make may be of any depth.
    if (tokens.length === DEPTH_LIMIT) throw new MunimentError('VIEW_LIMIT');
    const inside: Container = { node, depth: tokens.length, parent };
    const children =
      node.kind === 'object'
        ? node.members.map((member) => [member.name, member.node] as const)
        : node.items.map((item, i) => [String(i), item] as const);
    for (const [token, item] of children)
      visit(item, [...tokens, token], `${pointer}/${escapeToken(token)}`, inside);
  };
  visit(document, [], '', null);
  return found;
}
