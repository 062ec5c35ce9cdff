/** JSON Pointers (RFC 6901). spec/views.md, "Paths". */

import { MunimentError } from '../errors.ts';
import type { JsonNode } from '../wire/index.ts';

/** Escapes a member name as a pointer token. */
export function escapeToken(name: string): string {
  return name.includes('~') || name.includes('/') ? name.replaceAll('~', '~0').replaceAll('/', '~1') : name;
}

/** The decoded tokens of a pointer, or throws `VIEW_POLICY`. */
export function pointerTokens(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) throw new MunimentError('VIEW_POLICY');
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * The text that a policy's pointer leads to from a field: absolute from the root, or one token of the field's own
 * path dropped for each `../`. `null` if there is no string there.
 */
export function resolvePointer(document: JsonNode, pointer: string, field: readonly string[]): string | null {
  let base: readonly string[] = [];
  let rest = pointer;
  if (!pointer.startsWith('/')) {
    const up = /^(?:\.\.\/)+/.exec(pointer)?.[0] ?? '';
    base = field.slice(0, Math.max(0, field.length - up.length / 3));
    rest = `/${pointer.slice(up.length)}`;
  }
  let node: JsonNode | undefined = document;
  for (const token of [...base, ...pointerTokens(rest)]) node = child(node, token);
  if (node?.kind !== 'leaf' || !node.text.startsWith('"')) return null;
  return JSON.parse(node.text) as string;
}

function child(node: JsonNode | undefined, token: string): JsonNode | undefined {
  if (node?.kind === 'object') return node.members.find((member) => member.name === token)?.node;
  if (node?.kind === 'array' && /^(?:0|[1-9][0-9]*)$/.test(token)) return node.items[Number(token)];
  return undefined;
}
