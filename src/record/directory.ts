/** The bank's directory: the record in which it keeps who is who. spec/evidence.md, "The directory". */

import { hashTuple } from '../crypto/index.ts';

/** The directory's record id, 16 bytes. It follows from the origin, so that nobody can pass another record off as it. */
export function directoryId(origin: string): Uint8Array {
  return hashTuple('bank directory', origin).slice(0, 16);
}
