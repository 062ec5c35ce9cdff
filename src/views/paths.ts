/**
 * Sealed paths: JSON Pointers in which an array index is a random 64-bit number, so that order holds and gaps tell
 * next to nothing; and the skeleton, by which the owner gets the document's own member order back.
 * spec/views.md, "Paths".
 */

import { MunimentError } from '../errors.ts';
import type { Random } from '../crypto/index.ts';
import { readJson, toHex, writeJson, type JsonNode } from '../wire/index.ts';
import { DEPTH_LIMIT, DOCUMENT_LIMIT } from './constants.ts';
import type { SealedField } from './field.ts';
import { escapeToken, unescapeToken } from './pointer.ts';

/** The path of the skeleton, which is no JSON Pointer and so no field's path. */
export const SKELETON = 'skeleton';
// No member name escapes to this: RFC 6901 knows `~0` and `~1` only.
const INDEX = /^~n[0-9a-f]{16}$/;
const LEAF = '0';

/** The sealed path of every leaf, in document order, and the skeleton: the document with `0` for each leaf. */
export function sealPaths(document: JsonNode, random: Random): { paths: string[]; skeleton: string } {
  const paths: string[] = [];
  const visit = (node: JsonNode, path: string): JsonNode => {
    switch (node.kind) {
      case 'leaf':
        paths.push(path);
        return { kind: 'leaf', text: LEAF };
      case 'object':
        return {
          kind: 'object',
          members: node.members.map((member) => ({
            ...member,
            node: visit(member.node, `${path}/${escapeToken(member.name)}`),
          })),
        };
      case 'array': {
        const indices = drawIndices(node.items.length, random);
        return {
          kind: 'array',
          items: node.items.map((item, i) => visit(item, `${path}/${indices[i] ?? ''}`)),
        };
      }
    }
  };
  return { skeleton: writeJson(visit(document, '')), paths };
}

function drawIndices(count: number, random: Random): string[] {
  for (;;) {
    const indices = drawNumbers(count, random).sort();
    if (new Set(indices).size === count) return indices;
  }
}

function drawNumbers(count: number, random: Random): string[] {
  const numbers: string[] = [];
  while (numbers.length < count) {
    const draws = random(8 * Math.min(count - numbers.length, DRAWS));
    for (let at = 0; at < draws.length; at += 8) numbers.push(`~n${toHex(draws.subarray(at, at + 8))}`);
  }
  return numbers;
}

// The platform gives no more than 65,536 bytes at a time.
const DRAWS = 8192;

/**
 * Puts opened fields together again: with the skeleton the document as it was written; without it a partial one,
 * array elements in order and members by name. Throws `VIEW_EQUIVOCATION` if the fields are not one document.
 */
export function assemble(fields: readonly SealedField[]): { document: JsonNode; complete: boolean } {
  const root: Branch = new Map();
  const plant = planter(root);
  let skeleton: string | null = null;
  for (const { path, text } of fields) {
    if (path === SKELETON) {
      if (skeleton !== null) refuse();
      skeleton = readText(text);
    } else plant(path, text);
  }
  const top = root.get('');
  if (skeleton === null) return { document: top === undefined ? EMPTY : grow(top), complete: false };
  const template = read(skeleton);
  return { document: fill(template, top ?? refuse()), complete: true };
}

const EMPTY: JsonNode = { kind: 'leaf', text: '{}' };

// A document without fields has no top; otherwise the top stands under the empty token before a path's first slash.
type Branch = Map<string, Branch | JsonNode>;

// Most fields have siblings, and find their parent by its path at once.
function planter(root: Branch): (path: string, text: string) => void {
  const parents = new Map([['', root]]);
  return (path, text) => {
    const above = path.slice(0, path.lastIndexOf('/') + 1);
    const parent = parents.get(above) ?? descend(root, above);
    parents.set(above, parent);
    const last = path.slice(above.length);
    // Every path starts at the top.
    if ((above === '' && last !== '') || parent.has(last)) refuse();
    parent.set(last, readLeaf(text));
  };
}

function descend(root: Branch, above: string): Branch {
  const tokens = above.split('/').slice(0, -1);
  // One with more levels than a document has could overflow the stack.
  if (tokens[0] !== '' || tokens.length > DEPTH_LIMIT) refuse();
  return tokens.reduce((branch, token) => {
    const next = branch.get(token) ?? new Map<string, Branch | JsonNode>();
    if (!(next instanceof Map)) refuse();
    branch.set(token, next);
    return next;
  }, root);
}

function grow(branch: Branch | JsonNode): JsonNode {
  if (!(branch instanceof Map)) return branch;
  const tokens = [...branch.keys()].sort();
  const child = (token: string): JsonNode => grow(branch.get(token) ?? refuse());
  if (isArray(tokens)) return { kind: 'array', items: tokens.map(child) };
  return {
    kind: 'object',
    members: tokens.map((token) => {
      const name = unescapeToken(token);
      if (escapeToken(name) !== token) refuse(); // or one name could stand twice, in two spellings
      return { name, spelling: JSON.stringify(name), node: child(token) };
    }),
  };
}

function fill(template: JsonNode, branch: Branch | JsonNode): JsonNode {
  if (template.kind === 'leaf') return branch instanceof Map ? refuse() : branch;
  if (!(branch instanceof Map)) refuse();
  if (template.kind === 'object') {
    if (branch.size !== template.members.length) refuse();
    const members = template.members.map((member) => ({
      ...member,
      node: fill(member.node, branch.get(escapeToken(member.name)) ?? refuse()),
    }));
    return { kind: 'object', members };
  }
  const tokens = [...branch.keys()].sort();
  if (!isArray(tokens) || tokens.length !== template.items.length) refuse();
  return {
    kind: 'array',
    items: template.items.map((item, i) => fill(item, branch.get(tokens[i] ?? '') ?? refuse())),
  };
}

function isArray(tokens: readonly string[]): boolean {
  const indices = tokens.filter((token) => INDEX.test(token)).length;
  if (indices !== 0 && indices !== tokens.length) refuse();
  return indices !== 0;
}

// Texts without escapes and plain numbers, which most leaves are: a pattern knows them sooner than a reader of JSON.
const PLAIN = /^(?:"[ !#-[\]-\ud7ff\ue000-\uffff]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)$/;
const SHORT = 4096;

function readLeaf(text: string): JsonNode {
  if (text.length <= SHORT && PLAIN.test(text)) return { kind: 'leaf', text };
  const node = read(text);
  if (node.kind !== 'leaf' || node.text !== text) refuse();
  return node;
}

function readText(text: string): string {
  const { text: own } = readLeaf(text) as { text: string };
  return own.startsWith('"') ? (JSON.parse(own) as string) : refuse();
}

function read(text: string): JsonNode {
  try {
    return readJson(text, { length: 2 * DOCUMENT_LIMIT, depth: DEPTH_LIMIT });
  } catch (cause) {
    throw new MunimentError('VIEW_EQUIVOCATION', undefined, { cause });
  }
}

function refuse(): never {
  throw new MunimentError('VIEW_EQUIVOCATION');
}
