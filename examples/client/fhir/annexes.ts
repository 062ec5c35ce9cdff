/**
 * The large content of a resource, cut out so that it can be sealed as an annex, and put back. What is cut leaves a
 * `null` behind at a JSON Pointer within the bundle entry.
 */

import type { JsonNode } from 'muniment/wire';
import { fromBase64url, fromUtf8, readJson, toBase64url, utf8, writeJson } from 'muniment/wire';
import { isString, itemsOf, leaf, nodeAt, replaceAt, textOf } from './tree.ts';

/** What is to be sealed as an annex. */
export interface FhirAnnex {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/**
 * How an annex's bytes stand for the JSON value that was cut: `base64` as the one base64 spelling of the bytes, `text`
 * as a string spelled just so between its quotes (base64 with line breaks or escapes), `json` as the JSON text itself.
 */
export const ANNEX_ENCODINGS = ['base64', 'text', 'json'] as const;
/** One of {@link ANNEX_ENCODINGS}. */
export type AnnexEncoding = (typeof ANNEX_ENCODINGS)[number];

/** An annex, and where and how it goes back. */
export interface CutAnnex extends FhirAnnex {
  readonly pointer: string;
  readonly encoding: AnnexEncoding;
}

/** Takes the annexes out of a bundle entry. */
export function cutAnnexes(entry: JsonNode, type: string): { node: JsonNode; annexes: readonly CutAnnex[] } {
  const cuts = cutsIn(entry, type);
  const node = cuts.reduce((rest, { path }) => replaceAt(rest, path, leaf(null)), entry);
  return { node, annexes: cuts.map(({ path, annex }) => ({ pointer: `/${path.join('/')}`, ...annex })) };
}

/** The JSON value that an annex stands for. */
export function annexValue(encoding: AnnexEncoding, bytes: Uint8Array): JsonNode {
  switch (encoding) {
    case 'base64':
      return leaf(toBase64(bytes));
    case 'text':
      return readJson(`"${fromUtf8(bytes)}"`);
    case 'json':
      return readJson(bytes);
  }
}

interface Cut {
  readonly path: readonly string[];
  readonly annex: FhirAnnex & { readonly encoding: AnnexEncoding };
}

function cutsIn(entry: JsonNode, type: string): Cut[] {
  const resource = nodeAt(entry, ['resource']);
  if (type === 'ImagingStudy' && resource !== undefined) {
    const bytes = utf8(writeJson(resource));
    return [{ path: ['resource'], annex: { mediaType: 'application/fhir+json', bytes, encoding: 'json' } }];
  }
  return attachmentsIn(entry, type).flatMap((attachment) => {
    const data = nodeAt(entry, [...attachment, 'data']);
    if (!isString(data) || data.text === '""') return [];
    const annex = dataAnnex(data.text.slice(1, -1), textOf(nodeAt(entry, [...attachment, 'contentType'])));
    return [{ path: [...attachment, 'data'], annex }];
  });
}

/** The paths of what has `data` and `contentType`. */
function attachmentsIn(entry: JsonNode, type: string): string[][] {
  switch (type) {
    case 'Binary':
      return [['resource']];
    case 'Media':
      return [['resource', 'content']];
    case 'DocumentReference': {
      const contents = itemsOf(nodeAt(entry, ['resource', 'content']));
      return contents.map((_, index) => ['resource', 'content', String(index), 'attachment']);
    }
    default:
      return [];
  }
}

function dataAnnex(spelling: string, contentType = ''): Cut['annex'] {
  const bytes = fromBase64(spelling);
  if (bytes === undefined) return { mediaType: 'text/plain', bytes: utf8(spelling), encoding: 'text' };
  const mediaType = MEDIA_TYPE.exec(contentType)?.[0] ?? 'application/octet-stream';
  return { mediaType, bytes, encoding: 'base64' };
}

/** The type and subtype only: parameters are not worth what they could carry. */
const MEDIA_TYPE = /^[A-Za-z0-9.+-]{1,60}\/[A-Za-z0-9.+-]{1,60}(?=$|;)/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The bytes, or undefined unless this is the very text that encoding them gives. */
function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  try {
    return fromBase64url(text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'));
  } catch {
    return undefined; // unused bits that are not zero
  }
}

function toBase64(bytes: Uint8Array): string {
  const digits = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return digits.padEnd(Math.ceil(digits.length / 4) * 4, '=');
}
