/** What a grant says: of which record, how much, to what purpose, for how long, and whether it may go further. spec/views.md, "Grants". */

import { MunimentError } from '../errors.ts';
import { NAME_LIMIT } from '../keys/index.ts';
import { equalBytes, tuple, TupleReader, type TupleItem } from '../wire/index.ts';
import { ID_LENGTH, MANIFEST_LINES } from './constants.ts';

/** Longest purpose or reason, in bytes. */
export const REASON_LIMIT = 512;
/** Most grants in one line of passing on, the owner's included. */
export const PASSING_LIMIT = 8;
/** `parent` of a grant that was not passed on. */
export const PARENT_NONE = new Uint8Array(32);

/** How much is handed over: one compartment of the owner's tree, some classes of one document, or some of its fields. */
export type GrantScope =
  | { readonly kind: 'compartment'; readonly name: string; readonly epoch: number }
  | { readonly kind: 'classes'; readonly bodyHash: Uint8Array; readonly lines: readonly number[] }
  | {
      readonly kind: 'fields';
      readonly bodyHash: Uint8Array;
      /** The classes that the fields are in. */
      readonly lines: readonly number[];
      /** `H(T("muniment/1 disclosed", disclosure))`: exactly these fields. */
      readonly digest: Uint8Array;
    };

/** What grantor and grantee agree on beside the scope, which what is handed over states itself. */
export interface GrantTerms {
  /** 16 bytes. */
  readonly recordId: Uint8Array;
  /** Why, in words: at most 512 bytes. */
  readonly purpose: string;
  /** From when and until when, in milliseconds since 1970, both included. */
  readonly from: number;
  readonly until: number;
  /** Whether the grantee may hand it on. */
  readonly mayPassOn: boolean;
}

/** Everything that the associated data of a grant's wrap holds. */
export interface StatedTerms extends GrantTerms {
  readonly scope: GrantScope;
  /** The grantor's Id. */
  readonly grantor: Uint8Array;
  /** The digest of the statement that this grant passes on, or zeros. */
  readonly parent: Uint8Array;
}

/** Encodes terms as a wrap's associated data. */
export function encodeTerms(terms: StatedTerms): Uint8Array {
  const { recordId, grantor, scope, purpose, from, until, mayPassOn, parent } = terms;
  const may = mayPassOn ? 1 : 0;
  return tuple('grant aad', recordId, grantor, scopeItems(scope), purpose, from, until, may, parent);
}

/** Reads what {@link encodeTerms} wrote; throws whatever the tuple reader throws. */
export function decodeTerms(bytes: Uint8Array): StatedTerms {
  const reader = TupleReader.labelled(bytes, 'grant aad');
  const [recordId, grantor] = [reader.bytes(ID_LENGTH), reader.bytes(32)];
  const [scope, purpose] = [reader.group(readScope), reader.text(REASON_LIMIT)];
  const [from, until, may, parent] = [reader.integer(), reader.integer(), reader.integer(), reader.bytes(32)];
  reader.end();
  if (may > 1 || from > until) throw new MunimentError('WIRE_TUPLE');
  return { recordId, grantor, scope, purpose, from, until, mayPassOn: may === 1, parent };
}

/**
 * Throws `VIEW_GRANT` unless these terms pass on no more than those: the same record and purpose, nothing beside the
 * scope, no time outside, and leave to pass on only where that was given.
 */
export function checkWithin(terms: StatedTerms, given: StatedTerms): void {
  const fits =
    given.mayPassOn &&
    equalBytes(terms.recordId, given.recordId) &&
    terms.purpose === given.purpose &&
    terms.from >= given.from &&
    terms.until <= given.until &&
    covers(given.scope, terms.scope);
  if (!fits) throw new MunimentError('VIEW_GRANT');
}

function covers(given: GrantScope, scope: GrantScope): boolean {
  if (given.kind === 'compartment')
    return scope.kind === 'compartment' && scope.name === given.name && scope.epoch === given.epoch;
  if (scope.kind === 'compartment' || !equalBytes(scope.bodyHash, given.bodyHash)) return false;
  if (given.kind === 'fields') return scope.kind === 'fields' && equalBytes(scope.digest, given.digest);
  return scope.lines.every((line) => given.lines.includes(line));
}

function scopeItems(scope: GrantScope): readonly TupleItem[] {
  switch (scope.kind) {
    case 'compartment':
      return ['compartment', scope.name, scope.epoch];
    case 'classes':
      return ['classes', scope.bodyHash, scope.lines];
    case 'fields':
      return ['fields', scope.bodyHash, scope.lines, scope.digest];
  }
}

// At least one, ascending, each once: a scope has one spelling.
function readLines(part: TupleReader): number[] {
  const lines = part.list(MANIFEST_LINES, (line) => line.integer());
  const ascend = lines.every(
    (line, i) => line < MANIFEST_LINES && (i === 0 || line > (lines[i - 1] ?? line)),
  );
  if (!ascend || lines.length === 0) throw new MunimentError('WIRE_TUPLE');
  return lines;
}

function readScope(part: TupleReader): GrantScope {
  const kind = part.text();
  switch (kind) {
    case 'compartment':
      return { kind, name: part.text(NAME_LIMIT), epoch: part.integer() };
    case 'classes':
      return { kind, bodyHash: part.bytes(32), lines: readLines(part) };
    case 'fields':
      return { kind, bodyHash: part.bytes(32), lines: readLines(part), digest: part.bytes(32) };
    default:
      throw new MunimentError('WIRE_TUPLE');
  }
}
