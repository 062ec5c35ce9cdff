/** The statement in a record's first entry: whose record it is, and the salt that blinds its leaves in the log. spec/record.md, "Creation". */

import { MunimentError } from '../errors.ts';
import { tuple, TupleReader } from '../wire/index.ts';
import type { Entry } from './entry.ts';
import { readStatement } from './payload.ts';

/** The kind of the first entry's statement. */
export const CREATE = 'create';

/** What the first entry states. */
export interface Creation {
  /** The owner's Id. */
  readonly owner: Uint8Array;
  /** 32 random bytes, known to the record's readers. */
  readonly tagSalt: Uint8Array;
}

/** Encodes the content of a creation's statement. */
export function encodeCreation({ owner, tagSalt }: Creation): Uint8Array {
  return tuple('creation', owner, tagSalt);
}

/**
 * Reads the creation from a record's verified first entry and its payload.
 *
 * @throws `MunimentError` `RECORD_PAYLOAD`
 */
export function readCreation(entry: Entry, payload: Uint8Array): Creation {
  const first = entry.kind === 'create' && entry.chain === 'content' && entry.seq === 0;
  if (!first) throw new MunimentError('RECORD_PAYLOAD');
  try {
    const reader = TupleReader.labelled(readStatement(entry, payload, CREATE), 'creation');
    const creation = { owner: reader.bytes(32), tagSalt: reader.bytes(32) };
    reader.end();
    return creation;
  } catch (cause) {
    throw new MunimentError('RECORD_PAYLOAD', undefined, { cause });
  }
}
