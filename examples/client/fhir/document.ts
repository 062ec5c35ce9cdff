/**
 * The documents of a record: `{ "speciality": …, "<part>": { "<ResourceType>": [ item, … ] }, …, "other": … }`, where
 * an item is `{ "position": …, "entry": <bundle entry>, "annexes": [ { "pointer", "encoding", "annex" }, … ] }`. Where
 * the whole resource became an annex, its security labels stay behind as `"meta": { "security": … }`, so that they
 * still say who reads the annex's key.
 */

import type { JsonNode } from 'muniment/wire';
import { readJson, utf8, writeJson } from 'muniment/wire';
import { PARTS } from '../../policies/behc.ts';
import type { CutAnnex, FhirAnnex } from './annexes.ts';
import { cutAnnexes } from './annexes.ts';
import type { BundleEntry } from './bundle.ts';
import type { Section } from './sort.ts';
import { sectionOf } from './sort.ts';
import { specialityOf } from './speciality.ts';
import { array, leaf, member, object } from './tree.ts';

/** One document to be sealed. Its annexes are sealed first, and their descriptors then go into its text. */
export interface FhirDocument {
  readonly type: 'consultation' | 'background';
  readonly speciality: string | null;
  readonly annexes: readonly FhirAnnex[];
  /**
   * The document's JSON text.
   *
   * @param descriptors - for each of `annexes`, in that order, a JSON object that tells how to find and open it
   */
  toJson(descriptors: readonly string[]): string;
}

/** No background document is larger, in bytes of UTF-8, unless it is a single resource that is. */
export const BACKGROUND_LIMIT = 512 * 1024;

// What a document's text has around an item, at most: names of part and type, and an annex's pointer and descriptor.
const ITEM_OVERHEAD = 128;
const ANNEX_OVERHEAD = 2048;

interface Item {
  readonly section: Section;
  readonly type: string;
  readonly position: number;
  readonly entry: JsonNode;
  readonly annexes: readonly CutAnnex[];
  /** The security labels of a resource that was cut as a whole. */
  readonly labels: JsonNode | undefined;
}

/** The document of one Encounter and what refers to it. */
export function consultationDocument(encounter: BundleEntry, entries: readonly BundleEntry[]): FhirDocument {
  const items = entries.map((entry) => itemOf(entry, false));
  return documentOf('consultation', specialityOf(encounter.resource), items);
}

/** The documents of what belongs to no Encounter, filled one after the other. */
export function backgroundDocuments(entries: readonly BundleEntry[]): FhirDocument[] {
  const batches: Item[][] = [];
  let room = 0;
  for (const item of entries.map((entry) => itemOf(entry, true))) {
    const size = sizeOf(item);
    if (size > room || batches.length === 0) {
      batches.push([]);
      room = BACKGROUND_LIMIT - ITEM_OVERHEAD;
    }
    batches.at(-1)?.push(item);
    room -= size;
  }
  return batches.map((items) => documentOf('background', null, items));
}

function itemOf(entry: BundleEntry, background: boolean): Item {
  const { node, annexes } = cutAnnexes(entry.node, entry.type);
  const { type, position } = entry;
  const whole = annexes.some(({ pointer }) => pointer === '/resource');
  const labels = whole ? member(member(entry.resource, 'meta'), 'security') : undefined;
  return { section: sectionOf(entry, background), type, position, entry: node, annexes, labels };
}

function sizeOf({ entry, annexes, labels }: Item): number {
  const texts = [entry, ...(labels === undefined ? [] : [labels])].map(writeJson).join('');
  return utf8(texts).length + ITEM_OVERHEAD + annexes.length * ANNEX_OVERHEAD;
}

function documentOf(
  type: FhirDocument['type'],
  speciality: string | null,
  items: readonly Item[],
): FhirDocument {
  const sorted = [...PARTS, 'other' as const].flatMap((section) => byType(items, section));
  const annexes = sorted.flatMap((item) => item.annexes);
  return {
    type,
    speciality,
    annexes: annexes.map(({ mediaType, bytes }) => ({ mediaType, bytes })),
    toJson(descriptors) {
      if (descriptors.length !== annexes.length) throw new RangeError('one descriptor for each annex');
      const nodes = new Map(annexes.map((annex, index) => [annex, descriptorNode(descriptors[index])]));
      return writeJson(documentNode(speciality, sorted, nodes));
    },
  };
}

/** A part's items, those of one type together, in the order in which the types first appear. */
function byType(items: readonly Item[], section: Section): Item[] {
  const ofSection = items.filter((item) => item.section === section);
  const types = new Set(ofSection.map(({ type }) => type));
  return [...types].flatMap((type) => ofSection.filter((item) => item.type === type));
}

function descriptorNode(descriptor = ''): JsonNode {
  const node = readJson(descriptor);
  if (node.kind !== 'object') throw new TypeError('an annex descriptor is a JSON object with members');
  return node;
}

function documentNode(
  speciality: string | null,
  items: readonly Item[],
  descriptors: ReadonlyMap<CutAnnex, JsonNode>,
): JsonNode {
  const sections = new Map<Section, Map<string, JsonNode[]>>();
  for (const item of items) {
    const types = sections.get(item.section) ?? new Map<string, JsonNode[]>();
    const nodes = types.get(item.type) ?? [];
    nodes.push(itemNode(item, descriptors));
    sections.set(item.section, types.set(item.type, nodes));
  }
  const parts = Array.from(sections, ([section, types]) => {
    const lists = Array.from(types, ([type, nodes]) => [type, array(nodes)] as const);
    return [section, object(lists)] as const;
  });
  return object([['speciality', leaf(speciality)], ...parts]);
}

function itemNode(item: Item, descriptors: ReadonlyMap<CutAnnex, JsonNode>): JsonNode {
  const annexes = item.annexes.map((annex) =>
    object([
      ['pointer', leaf(annex.pointer)],
      ['encoding', leaf(annex.encoding)],
      ['annex', descriptors.get(annex) ?? leaf(null)],
    ]),
  );
  return object([
    ['position', leaf(item.position)],
    ['entry', item.entry],
    ...(item.labels === undefined ? [] : [['meta', object([['security', item.labels]])] as const]),
    ...(annexes.length > 0 ? [['annexes', array(annexes)] as const] : []),
  ]);
}
