/**
 * Strict JSON (RFC 8259, and of I-JSON the unique member names and whole surrogates) as a tree that keeps each
 * value's own spelling: `1.00` stays `1.00`, member order and escapes stay as written; only white space between
 * tokens is dropped. spec/wire.md, "JSON".
 */

import { MunimentError } from '../errors.ts';
import { fromUtf8 } from './bytes.ts';

/** A member of an object: its decoded name, the name's spelling with its quotes, and its value. */
export interface JsonMember {
  readonly name: string;
  readonly spelling: string;
  readonly node: JsonNode;
}

/** A JSON text as a tree. A leaf is a string, number, literal, or an empty object or array. */
export type JsonNode =
  | { readonly kind: 'leaf'; readonly text: string }
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] };

/** A JSON value in plain JavaScript; objects are `Record`s without a prototype. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** Bounds that hold before any work is done. */
export interface JsonLimits {
  /** Longest text, in UTF-16 code units. */
  readonly length: number;
  /** Deepest nesting. */
  readonly depth: number;
}

/** 32 MiB of text, 128 levels. */
export const JSON_LIMITS: JsonLimits = { length: 32 * 1024 * 1024, depth: 128 };

/**
 * Reads a JSON text strictly.
 *
 * @param source - JSON text, or its UTF-8 bytes; a byte order mark is refused
 * @param limits - bounds on length and depth
 * @returns the tree; {@link writeJson} gives back the text without white space
 * @throws `MunimentError` `WIRE_JSON`, `WIRE_LIMIT`, `WIRE_UTF8`
 * @example
 * ```ts
 * import { readJson, writeJson } from 'muniment/wire';
 * writeJson(readJson('{ "dose": 1.00 }')); // '{"dose":1.00}'
 * ```
 */
export function readJson(source: string | Uint8Array, limits: JsonLimits = JSON_LIMITS): JsonNode {
  if (source.length > limits.length) throw new MunimentError('WIRE_LIMIT');
  const text = typeof source === 'string' ? source : fromUtf8(source);
  // Half a pair beside the other half's escape would decode to a whole character, and could not be sent as UTF-8.
  if (LONE_SURROGATE.test(text)) fail();
  return new Reader(text, limits.depth).document();
}

/** Writes a tree as JSON text without white space. The exact inverse of {@link readJson}. */
export function writeJson(node: JsonNode): string {
  switch (node.kind) {
    case 'leaf':
      return node.text;
    case 'array':
      return `[${node.items.map(writeJson).join(',')}]`;
    case 'object':
      return `{${node.members.map((member) => `${member.spelling}:${writeJson(member.node)}`).join(',')}}`;
  }
}

/**
 * Turns a tree into plain JavaScript values. Numbers become doubles here; who needs their digits takes the text.
 *
 * @param node - a tree from {@link readJson}
 * @returns values whose objects have no prototype, so that no member name can reach one
 */
export function jsonValue(node: JsonNode): JsonValue {
  switch (node.kind) {
    case 'leaf':
      return leafValue(node.text);
    case 'array':
      return node.items.map(jsonValue);
    case 'object': {
      const value = Object.create(null) as Record<string, JsonValue>;
      for (const member of node.members) value[member.name] = jsonValue(member.node);
      return value;
    }
  }
}

function leafValue(text: string): JsonValue {
  if (text === '{}') return Object.create(null) as Record<string, JsonValue>;
  return JSON.parse(text) as JsonValue;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

class Reader {
  readonly #text: string;
  #at = 0;
  #depthLeft: number;

  constructor(text: string, depth: number) {
    this.#text = text;
    this.#depthLeft = depth;
  }

  document(): JsonNode {
    const node = this.#value();
    this.#space();
    if (this.#at !== this.#text.length) throw new MunimentError('WIRE_JSON');
    return node;
  }

  #value(): JsonNode {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return { kind: 'leaf', text: this.#string().spelling };
      default:
        return { kind: 'leaf', text: this.#match(LITERAL) ?? this.#match(NUMBER) ?? fail() };
    }
  }

  #nested(read: () => JsonNode): JsonNode {
    if (this.#depthLeft === 0) throw new MunimentError('WIRE_LIMIT');
    this.#depthLeft--;
    this.#at++;
    const node = read();
    this.#depthLeft++;
    return node;
  }

  #object(): JsonNode {
    if (this.#skip('}')) return { kind: 'leaf', text: '{}' };
    const members: JsonMember[] = [];
    const names = new Set<string>();
    do {
      this.#space();
      const { name, spelling } = this.#string();
      if (names.has(name)) throw new MunimentError('WIRE_JSON');
      names.add(name);
      if (!this.#skip(':')) fail();
      members.push({ name, spelling, node: this.#value() });
    } while (this.#skip(','));
    if (!this.#skip('}')) fail();
    return { kind: 'object', members };
  }

  #array(): JsonNode {
    if (this.#skip(']')) return { kind: 'leaf', text: '[]' };
    const items: JsonNode[] = [];
    do items.push(this.#value());
    while (this.#skip(','));
    if (!this.#skip(']')) fail();
    return { kind: 'array', items };
  }

  #string(): { name: string; spelling: string } {
    const start = this.#at;
    if (this.#text[this.#at] !== '"') fail();
    this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        if (this.#match(ESCAPE) === undefined) fail();
      } else if (code >= 0x20) this.#at++;
      else fail(); // a control character, or NaN at the end of the text
    }
    this.#at++;
    const spelling = this.#text.slice(start, this.#at);
    const name = JSON.parse(spelling) as string;
    if (LONE_SURROGATE.test(name)) throw new MunimentError('WIRE_JSON');
    return { name, spelling };
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #skip(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

function fail(): never {
  throw new MunimentError('WIRE_JSON');
}
