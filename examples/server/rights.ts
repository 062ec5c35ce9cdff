/** Who may write what, and who may ask: the rules that the bank enforces and every verifier judges again. */

import { hasRole, type Credential } from 'muniment/keys';
import { MunimentError } from 'muniment';
import type { Entry, MayWrite, Openings } from 'muniment/record';
import { STATEMENT } from 'muniment/record';
import { sealedDigest, verifyDisclosure } from 'muniment/views';
import { equalBytes } from 'muniment/wire';

/** The payload type of sealed documents in entries. */
export const SEALED = 'sealed-document';
/** Digest functions of the payload types beside statements. */
export const DIGESTS = { [SEALED]: sealedDigest };
/** What may be opened in an export: single fields of a sealed document, with their author's signature. */
export const OPENINGS: Openings = {
  [SEALED]: (opened, { recordId, payloadDigest }, authors) => {
    const { text, author, bodyHash } = verifyDisclosure(opened, { recordId, authors });
    if (!equalBytes(bodyHash, payloadDigest)) throw new MunimentError('RECORD_PAYLOAD');
    return { text, author };
  },
};

/** Rights in the directory: the administrator registers and revokes, owners and keepers publish keys, everybody renounces. */
export const mayWriteDirectory: MayWrite = ({ kind, chain }, author) => {
  if (chain !== 'content') return false;
  if (kind === 'create' || kind === 'register') return hasRole(author, 'administrator');
  if (kind === 'revoke') return true; // the statement inside is signed by the issuer, or by whose key it ends
  return (
    kind === 'key' && (hasRole(author, 'patient') || author.roles.some((role) => role.startsWith('keeper:')))
  );
};

/** The parts of a record that specialists add to: of BEHC's nine parts one. */
export const SPECIALIST_PARTS: readonly string[] = ['specialistDocuments'];

/** Whether somebody is a specialist in something: in nursing as `specialist:nursing`, and so on. */
export function isSpecialist({ roles }: Credential): boolean {
  return roles.some((role) => role.startsWith('specialist:'));
}

/** Whether somebody adds to records. A specialist who is no doctor adds to {@link SPECIALIST_PARTS} alone. */
export function mayAdd(user: Credential): boolean {
  return hasRole(user, 'doctor') || isSpecialist(user);
}

/**
 * Rights in a patient's record. Doctors and specialists add and nobody changes; the owner grants, and takes grants back;
 * an emergency is the clinician's own word; accesses and releases are the bank's. To which parts a specialist added is
 * for the bank to see: it takes the document, and not its entry alone.
 *
 * @param ownerId - the record's owner
 */
export function mayWriteRecord(ownerId: Uint8Array): MayWrite {
  return ({ kind, chain, payloadType }: Entry, author: Credential) => {
    // Documents come in under the kinds that add, and nothing else does.
    if (['insert', 'annotate', 'amend'].includes(kind) !== (payloadType === SEALED)) return false;
    if (payloadType !== SEALED && payloadType !== STATEMENT) return false;
    if (chain === 'access') return hasRole(author, 'bank') && (kind === 'access' || kind === 'release');
    switch (kind) {
      case 'create':
        return hasRole(author, 'doctor');
      case 'insert':
      case 'annotate':
      case 'amend':
        return mayAdd(author);
      case 'grant':
      case 'revoke':
        return equalBytes(author.id, ownerId);
      case 'emergency':
        return hasRole(author, 'emergency');
      // Of a death, and of what may be erased when: the record's statements are judged beside this. Whoever was declared
      // dead by mistake opens the record again.
      case 'close':
        return hasRole(author, 'administrator') || equalBytes(author.id, ownerId);
      case 'erase':
        return hasRole(author, 'administrator');
      default:
        return false;
    }
  };
}

/** Rights in a closed record: it is opened again, or erased in time. */
export function mayWriteClosed(ownerId: Uint8Array): MayWrite {
  const mayWrite = mayWriteRecord(ownerId);
  return (entry, author) =>
    (entry.chain === 'access' || ['close', 'erase'].includes(entry.kind)) && mayWrite(entry, author);
}

/** What somebody may ask a record for: all of it, what opens for them by their keys, or the proof that it is whole. */
export type Scope = 'whole' | 'part' | 'evidence';

/** Who may ask for a record at all, and for what. Another patient may not, nor the administrator: `null`. */
export function scopeOf(user: Credential, ownerId: Uint8Array): Scope | null {
  if (equalBytes(user.id, ownerId)) return 'whole';
  if (isSpecialist(user) || ['doctor', 'insurer', 'emergency'].some((role) => hasRole(user, role)))
    return 'part';
  return hasRole(user, 'auditor') ? 'evidence' : null;
}
