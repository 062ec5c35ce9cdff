/** Who may write what, as docs/storage.md and the demo's rules have it: written a second time, so that a slip in the server's does not judge itself. */

import type { Credential } from 'muniment/keys';
import type { Entry } from 'muniment/record';
import { equalBytes } from 'muniment/wire';

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

/** Whether an author may write an entry into a record of this owner. */
export function mayWriteRecord(
  { chain, kind, payloadType }: Entry,
  author: Credential,
  owner: Uint8Array | null,
): boolean {
  const is = (role: string): boolean => author.roles.includes(role);
  if (payloadType !== (DOCUMENT_KINDS.includes(kind) ? SEALED : STATED)) return false;
  if (chain === 'access') return is('bank') && ['access', 'release'].includes(kind);
  if (kind === 'create' || DOCUMENT_KINDS.includes(kind)) return is('doctor');
  if (kind === 'grant') return owner !== null && equalBytes(author.id, owner);
  return kind === 'emergency' && is('emergency');
}
