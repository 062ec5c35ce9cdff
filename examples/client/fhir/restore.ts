/** The way back: an opened document's text to the resources it was made from. */

import type { JsonMember, JsonNode } from 'muniment/wire';
import { jsonValue, readJson, writeJson } from 'muniment/wire';
import type { AnnexEncoding } from './annexes.ts';
import { ANNEX_ENCODINGS, annexValue } from './annexes.ts';
import { FhirImportError } from './error.ts';
import { itemsOf, member, nodeAt, replaceAt, textOf } from './tree.ts';

/** An annex that a resource lacks. */
export interface RestoredAnnex {
  /** Where it belongs: a JSON Pointer within the bundle entry. */
  readonly pointer: string;
  readonly encoding: AnnexEncoding;
  /** The JSON text that was handed to `toJson` for it. */
  readonly descriptor: string;
}

/** One resource of a document. */
export interface RestoredItem {
  /** The index in `Bundle.entry`. */
  readonly position: number;
  readonly annexes: readonly RestoredAnnex[];
  /**
   * The resource's JSON text, exactly as in the file but for white space between tokens.
   *
   * @param annexBytes - the content of each of `annexes`, in that order
   */
  resource(annexBytes: readonly Uint8Array[]): string;
}

/**
 * Reads a whole document, as its owner opens it, back into resources.
 *
 * @param text - what `toJson` made
 * @returns the document's items, in its order
 * @throws {@link FhirImportError} if the text is JSON but no such document, or an annex does not fit its place
 */
export function restoreDocument(text: string): RestoredItem[] {
  const sections = membersOf(readJson(text)).filter(({ name }) => name !== 'speciality');
  const lists = sections.flatMap(({ node }) => membersOf(node));
  return lists.flatMap(({ node }) => itemsOf(node).map(restoreItem));
}

function restoreItem(item: JsonNode): RestoredItem {
  const position = positionOf(item);
  const entry = member(item, 'entry') ?? fail();
  const annexes = itemsOf(member(item, 'annexes')).map(restoreAnnex);
  return {
    position,
    annexes,
    resource(annexBytes) {
      if (annexBytes.length !== annexes.length) throw new RangeError('the bytes of every annex');
      const whole = annexes.reduce((node, annex, index) => paste(node, annex, annexBytes[index]), entry);
      return writeJson(member(whole, 'resource') ?? fail());
    },
  };
}

function positionOf(item: JsonNode): number {
  const node = member(item, 'position');
  const value = node?.kind === 'leaf' ? jsonValue(node) : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fail();
}

function restoreAnnex(node: JsonNode): RestoredAnnex {
  const pointer = textOf(member(node, 'pointer')) ?? fail();
  const named = textOf(member(node, 'encoding'));
  const encoding = ANNEX_ENCODINGS.find((each) => each === named) ?? fail();
  return { pointer, encoding, descriptor: writeJson(member(node, 'annex') ?? fail()) };
}

function paste(
  entry: JsonNode,
  { pointer, encoding }: RestoredAnnex,
  bytes: Uint8Array = new Uint8Array(),
): JsonNode {
  const [root, ...path] = pointer.split('/'); // as written by annexes.ts: no name in it needs an escape
  const place = nodeAt(entry, path);
  // Only the hole that the annex left may be filled: nothing that stands in the document is written over.
  if (root !== '' || place?.kind !== 'leaf' || place.text !== 'null') return fail();
  return replaceAt(entry, path, annexValue(encoding, bytes));
}

function membersOf(node: JsonNode): readonly JsonMember[] {
  return node.kind === 'object' ? node.members : fail();
}

function fail(): never {
  throw new FhirImportError('not a document of the FHIR import');
}
