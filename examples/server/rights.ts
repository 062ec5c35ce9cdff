/** Who may write what, and who may ask: the rules that the bank enforces and every verifier judges again. */

import { hasRole, type Credential } from 'muniment/keys';
import { MunimentError } from 'muniment';
import {
  capacityOf,
  readAuthorityStatement,
  recordRule,
  STATEMENT,
  TEN_YEARS_AFTER_DEATH,
  withoutRevocations,
  type Authority,
  type FindCredential,
  type MayWrite,
  type Openings,
  type RecordRules,
  type VerifiedExport,
  type WriteRule,
} from 'muniment/record';
import { SEALED_DOCUMENT, sealedDigest, verifyDisclosure } from 'muniment/views';
import { equalBytes } from 'muniment/wire';

/** Digest functions of the payload types beside statements. */
export const DIGESTS = { [SEALED_DOCUMENT]: sealedDigest };
/** What may be opened in an export: single fields of a sealed document, with their author's signature. */
export const OPENINGS: Openings = {
  [SEALED_DOCUMENT]: (opened, { recordId, payloadDigest }, authors) => {
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

/** When this bank destroys payloads. */
export const RETENTION = TEN_YEARS_AFTER_DEATH;

/** Whose credentials are known to whoever judges a record, and what time it is there. */
export type Judging = Pick<RecordRules, 'authors' | 'known' | 'now'>;

/**
 * Rights in a record, as far as entry and author tell. Doctors and specialists add and nobody changes; an emergency is the
 * clinician's own word; accesses and releases are the bank's. To which parts a specialist added is for the bank to see: it
 * takes the document, and not its entry alone.
 */
export const mayWriteRecord: MayWrite = ({ kind, chain, payloadType }, author) => {
  // Documents come in under the kinds that add, and nothing else does.
  const isDocument = ['insert', 'annotate', 'amend'].includes(kind);
  if (payloadType !== (isDocument ? SEALED_DOCUMENT : STATEMENT)) return false;
  if (chain === 'access') return hasRole(author, 'bank') && (kind === 'access' || kind === 'release');
  if (isDocument) return mayAdd(author);
  switch (kind) {
    case 'create':
      return hasRole(author, 'doctor');
    case 'emergency':
      return hasRole(author, 'emergency');
    // Who owns the record, who acts for its owner, and so who grants, closes and erases: that the record's statements say.
    case 'grant':
    case 'revoke':
    case 'key':
    case 'close':
    case 'erase':
      return true;
    default:
      return false;
  }
};

/** The rule of a record's two chains: these rights, and what the record's own statements have said. */
export function ruleOfRecord(judging: Judging): WriteRule<Authority> {
  const content = recordRule({ ...judging, mayWrite: mayWriteRecord, retention: RETENTION });
  return {
    start: content.start,
    next(authority, step) {
      if (!mayWriteRecord(step.entry, step.author)) return null;
      return step.entry.chain === 'access' ? authority : content.next(authority, step);
    },
  };
}

/** That rule for whoever has nothing but an export: its credentials, and the own clock. */
export function ruleFor(find: FindCredential): WriteRule<Authority> {
  return ruleOfRecord({ authors: withoutRevocations(find), known: find, now: Date.now });
}

/** Under which Ids its owner has owned a verified export's record: the last owns it now. */
export function ownersIn({ creation, content }: Pick<VerifiedExport, 'creation' | 'content'>): Uint8Array[] {
  const owners = [creation.owner];
  for (const { entry, payload } of content) {
    if (entry.entry.kind !== 'key' || payload === null) continue;
    const said = readAuthorityStatement(entry.entry, payload);
    if (said.kind === 'succession') owners.push(said.owner);
    if (said.kind === 'recovery') owners.push(entry.author.id);
  }
  return owners;
}

/** How a record stands: what its statements have said so far, and who is its guardian by the appointment that holds. */
export interface Standing {
  readonly authority: Authority;
  readonly guardians: readonly Uint8Array[];
}

/** Whether an Id never acts in this record again: the owner took leave of it, or it is lost. */
export function isSpent({ formerOwners, losses }: Authority, id: Uint8Array): boolean {
  return [...formerOwners, ...losses.map((loss) => loss.id)].some((one) => equalBytes(one, id));
}

/** What somebody may ask a record for: all of it, what opens for them by their keys, or the proof that it is whole. */
export type Scope = 'whole' | 'part' | 'evidence';

/**
 * Who may ask for a record at all, and for what. Another patient may not, nor the administrator, nor whoever comes with
 * a key that is spent: `null`. Guardians, and the owner's next key before it is the owner's, verify the chain before they
 * say anything in it.
 */
export function scopeOf(user: Credential, { authority, guardians }: Standing, now: number): Scope | null {
  const { id, subject } = user;
  if (isSpent(authority, id)) return null;
  const capacity = capacityOf(authority, id, now);
  if (capacity === 'owner') return 'whole';
  const treats = isSpecialist(user) || ['doctor', 'insurer', 'emergency'].some((role) => hasRole(user, role));
  if (capacity !== null || treats) return 'part';
  const verifies = hasRole(user, 'auditor') || guardians.some((one) => equalBytes(one, id));
  return verifies || subject === authority.subject ? 'evidence' : null;
}
