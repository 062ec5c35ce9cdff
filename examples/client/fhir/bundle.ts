/** A FHIR Bundle file as a list of entries: strict JSON, at most one byte order mark, every resource typed. */

import type { JsonLimits, JsonNode } from 'muniment/wire';
import { JSON_LIMITS, readJson } from 'muniment/wire';
import { FhirImportError } from './error.ts';
import { itemsOf, member, textOf } from './tree.ts';

/** One entry that holds a resource. */
export interface BundleEntry {
  /** Its index in `Bundle.entry`. */
  readonly position: number;
  /** The whole entry: fullUrl, resource, request and whatever else it has. */
  readonly node: JsonNode;
  readonly resource: JsonNode;
  /** The resource's type, letters only. */
  readonly type: string;
}

/** A bundle's entries, and how many more there were that hold no resource. */
export interface Bundle {
  readonly entries: readonly BundleEntry[];
  readonly skipped: number;
}

/** A document wraps the entry two levels deeper than the bundle did, and must remain readable by the same reader. */
const BUNDLE_LIMITS: JsonLimits = { ...JSON_LIMITS, depth: JSON_LIMITS.depth - 8 };

const TYPE_NAME = /^[A-Za-z]{1,40}$/;
const LISTED_TYPES = 5;

/** Reads a bundle that holds at least one Patient. */
export function parseBundle(file: Uint8Array): Bundle {
  const bundle = readFile(file);
  const resourceType = member(bundle, 'resourceType');
  if (resourceType === undefined) throw new FhirImportError('not a FHIR Bundle (there is no resourceType)');
  if (textOf(resourceType) !== 'Bundle') {
    throw new FhirImportError('not a FHIR Bundle (resourceType is not Bundle)');
  }
  const nodes = itemsOf(member(bundle, 'entry'));
  const entries = nodes.flatMap((node, position) => entryOf(node, position) ?? []);
  if (!entries.some(({ type }) => type === 'Patient')) {
    throw new FhirImportError(`the bundle holds no Patient (${inventory(entries)})`);
  }
  return { entries, skipped: nodes.length - entries.length };
}

function readFile(file: Uint8Array): JsonNode {
  const marked = file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf;
  try {
    return readJson(marked ? file.subarray(3) : file, BUNDLE_LIMITS);
  } catch (cause) {
    throw new FhirImportError(reason(cause), { cause });
  }
}

function reason(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'WIRE_LIMIT') return 'larger or more deeply nested than an import may be';
  return code === 'WIRE_UTF8' ? 'not JSON (not UTF-8)' : 'not JSON';
}

function entryOf(node: JsonNode, position: number): BundleEntry | undefined {
  const resource = member(node, 'resource');
  if (resource === undefined) return undefined;
  const type = textOf(member(resource, 'resourceType'));
  // The type becomes a member name and part of error texts: nothing but letters gets that far.
  if (type === undefined || !TYPE_NAME.test(type)) {
    throw new FhirImportError(`entry ${position} of the bundle is not a FHIR resource`);
  }
  return { position, node, resource, type };
}

function inventory(entries: readonly BundleEntry[]): string {
  if (entries.length === 0) return 'it holds no resource at all';
  const counts = new Map<string, number>();
  for (const { type } of entries) counts.set(type, (counts.get(type) ?? 0) + 1);
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  const listed = byCount.slice(0, LISTED_TYPES).map(([type, count]) => `${count} ${type}`);
  const more = byCount.length - listed.length;
  return `only ${listed.join(', ')}${more > 0 ? ` and ${more} other types` : ''}`;
}
