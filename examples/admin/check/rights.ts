/** Who may write what, as docs/storage.md and the demo's rules have it: written a second time, so that a slip in the server's does not judge itself. */

import type { Credential } from 'muniment/keys';
import type { Entry } from 'muniment/record';

/** The payload type of sealed documents. */
export const SEALED = 'sealed-document';
const STATED = 'statement';

/** Whether an author may write an entry into the directory. */
export function mayWriteDirectory({ chain, kind, payloadType }: Entry, author: Credential): boolean {
  if (chain !== 'content' || payloadType !== STATED) return false;
  const is = (role: string): boolean => author.roles.includes(role);
  const keeps = author.roles.some((role) => role.startsWith('keeper:'));
  if (kind === 'create' || kind === 'register') return is('administrator');
  if (kind === 'key') return is('patient') || keeps;
  return kind === 'revoke'; // what it states is signed by whom it needs
}

const DOCUMENT_KINDS: readonly string[] = ['insert', 'annotate', 'amend'];

/** Kinds of entries of which the record's statements say whose they are: statements.ts. */
const STATED_KINDS: readonly string[] = ['grant', 'revoke', 'key', 'close', 'erase'];

/** Whether an author may write an entry into a record, as far as the two tell. */
export function mayWriteRecord({ chain, kind, payloadType }: Entry, author: Credential): boolean {
  const is = (role: string): boolean => author.roles.includes(role);
  if (payloadType !== (DOCUMENT_KINDS.includes(kind) ? SEALED : STATED)) return false;
  if (chain === 'access') return is('bank') && ['access', 'release'].includes(kind);
  if (STATED_KINDS.includes(kind)) return true;
  if (kind === 'create') return is('doctor');
  if (DOCUMENT_KINDS.includes(kind)) return is('doctor') || isSpecialist(author);
  return kind === 'emergency' && is('emergency');
}

/** Whether somebody is a specialist in something. */
export function isSpecialist({ roles }: Credential): boolean {
  return roles.some((role) => role.startsWith('specialist:'));
}

/** Whether a document may lie in these parts of a record: a specialist who is no doctor adds to one of BEHC's nine alone. */
export function mayAddTo(parts: readonly string[], { roles }: Credential): boolean {
  return (
    roles.includes('doctor') || (parts.length > 0 && parts.every((part) => part === 'specialistDocuments'))
  );
}
