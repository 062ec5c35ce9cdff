/**
 * The end of a grant: the owner's word in the record's chain, by which the bank hands out nothing more under it. What the
 * grantee holds it holds; to shut it out of what is to come is what a rotation does. Shared with the client.
 */

import { readStatement, type Entry } from 'muniment/record';
import { tuple, TupleReader } from 'muniment/wire';

/** The kind of the statement. */
export const GRANT_END = 'end of grant';

/**
 * Encodes its content.
 *
 * @param grant - `entryHash` of the grant's entry, 32 bytes
 */
export function encodeGrantEnd(grant: Uint8Array): Uint8Array {
  return tuple('bank grant end', grant);
}

/** Which grant an entry of kind `revoke` ends. Throws `RECORD_PAYLOAD`, `WIRE_TUPLE`. */
export function readGrantEnd(entry: Entry, payload: Uint8Array): Uint8Array {
  const reader = TupleReader.labelled(readStatement(entry, payload, GRANT_END), 'bank grant end');
  const grant = reader.bytes(32);
  reader.end();
  return grant;
}
