/** The fields of a document: its leaves, in document order. spec/views.md, "Fields". */

import { MunimentError } from '../errors.ts';
import type { JsonNode } from '../wire/index.ts';
import { FIELDS_LIMIT } from './constants.ts';
import { escapeToken } from './pointer.ts';

/** A field: where it stands, and its value as JSON text. */
export interface Leaf {
  /** Decoded tokens from the root; array positions in decimal. */
  readonly tokens: readonly string[];
  /** The same as a JSON Pointer. */
  readonly pointer: string;
  /** The containers on the way down, outermost first, the leaf itself left out. */
  readonly ancestors: readonly JsonNode[];
  readonly text: string;
}

/** All leaves of a document in order; an empty object or array is a leaf. */
export function leaves(document: JsonNode): Leaf[] {
  const found: Leaf[] = [];
  const visit = (
    node: JsonNode,
    tokens: readonly string[],
    pointer: string,
    ancestors: readonly JsonNode[],
  ): void => {
    if (node.kind === 'leaf') {
      if (found.length === FIELDS_LIMIT) throw new MunimentError('VIEW_LIMIT');
      found.push({ tokens, pointer, ancestors, text: node.text });
      return;
    }
    const inside = [...ancestors, node];
    const children =
      node.kind === 'object'
        ? node.members.map((member) => [member.name, member.node] as const)
        : node.items.map((item, i) => [String(i), item] as const);
    for (const [token, item] of children)
      visit(item, [...tokens, token], `${pointer}/${escapeToken(token)}`, inside);
  };
  visit(document, [], '', []);
  return found;
}
