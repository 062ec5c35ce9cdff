/**
 * Literal references between the entries of one bundle, https://hl7.org/fhir/R4/bundle.html#references. References by
 * query ("Practitioner?identifier=…"), by identifier alone, and into `contained` resources lead to no entry.
 */

import type { JsonNode } from 'muniment/wire';
import type { BundleEntry } from './bundle.ts';
import { itemsOf, member, textOf } from './tree.ts';

/** Finds the entries that a resource, or a part of one, refers to. */
export class ReferenceIndex {
  readonly #byUrl = new Map<string, BundleEntry>();
  readonly #byId = new Map<string, BundleEntry>();

  constructor(entries: readonly BundleEntry[]) {
    for (const entry of entries) {
      const url = textOf(member(entry.node, 'fullUrl'));
      const id = textOf(member(entry.resource, 'id'));
      if (url !== undefined) addFirst(this.#byUrl, unversioned(url), entry);
      if (id !== undefined) addFirst(this.#byId, `${entry.type}/${id}`, entry);
    }
  }

  /** The entries that `reference` members anywhere in a node name, in the order of the text. */
  targets(node: JsonNode | undefined, from: BundleEntry): BundleEntry[] {
    return [...referencesIn(node)].flatMap((reference) => this.#resolve(reference, from) ?? []);
  }

  #resolve(reference: string, from: BundleEntry): BundleEntry | undefined {
    const plain = unversioned(reference);
    if (plain === '') return undefined; // into `contained`
    // A relative reference means the server that its own entry came from, if that is known, before any other.
    const server = SERVER.exec(textOf(member(from.node, 'fullUrl')) ?? '')?.[1] ?? '';
    return this.#byUrl.get(plain) ?? this.#byUrl.get(server + plain) ?? this.#byId.get(plain);
  }
}

const SERVER = /^(https?:\/\/.+\/)[A-Za-z]+\/[^/]+(?:\/_history\/[^/]+)?$/;
const VERSION = /(?:\/_history\/[^/#]+)?(?:#.*)?$/s;

function unversioned(reference: string): string {
  return reference.replace(VERSION, '');
}

function addFirst(map: Map<string, BundleEntry>, key: string, entry: BundleEntry): void {
  if (!map.has(key)) map.set(key, entry);
}

function* referencesIn(node: JsonNode | undefined): Generator<string> {
  for (const item of itemsOf(node)) yield* referencesIn(item);
  if (node?.kind !== 'object') return;
  for (const { name, node: value } of node.members) {
    const text = name === 'reference' ? textOf(value) : undefined;
    if (text === undefined) yield* referencesIn(value);
    else yield text;
  }
}
