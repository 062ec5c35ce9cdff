/** Whose credentials are needed to judge a statement about keys, beside its author's. Shared with the client. */

import { verifyAppointment, type Credential } from 'muniment/keys';
import { readAuthorityStatement, readCreation, type Entry } from 'muniment/record';

/**
 * The Ids that a statement names: an owner, guardians, whoever acts for the owner. None for entries of other kinds.
 *
 * @param author - of the entry; an appointment inside is verified under its key
 * @throws `MunimentError` for a statement that cannot be read
 */
export function namedIn(entry: Entry, payload: Uint8Array, author: Credential): readonly Uint8Array[] {
  if (entry.kind === 'create') return [readCreation(entry, payload).owner];
  if (entry.kind !== 'key') return [];
  const said = readAuthorityStatement(entry, payload);
  switch (said.kind) {
    case 'succession':
      return [said.owner];
    case 'guardians':
      return verifyAppointment(said.appointment, author).guardians.map(({ id }) => id);
    case 'recovery':
      return said.approvals.map(({ guardian }) => guardian);
    case 'proxy':
      return [said.proxy];
    default:
      return [];
  }
}
