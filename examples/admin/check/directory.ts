/** The directory's statements: each is what its kind demands, and what it says is what the bank's tables must say. */

import { MunimentError } from 'muniment';
import {
  verifyCompartments,
  verifyCompartmentsHistory,
  verifyCredential,
  verifyGroup,
  verifyGroupHistory,
  verifyNextCompartments,
  verifyNextEpoch,
  verifyRenunciation,
  verifyRevocation,
  type Credential,
} from 'muniment/keys';
import { decodeStatement, readStatement } from 'muniment/record';
import type { Entered } from './chains.ts';
import { codeOf, type Context } from './context.ts';

/** Checks a directory entry's statement, and keeps the rows that it makes. */
export function checkDirectoryEntry(context: Context, entered: Entered, payload: Uint8Array): void {
  const { findings, people } = context;
  const { signed, row, name } = entered;
  const author = people.find(signed.entry.author, row.leaf);
  if (author === null) return; // said already: nobody may write there who is not known
  try {
    derive(context, entered, author, payload);
    findings.count('directory statements');
  } catch (error) {
    findings.add('entries', name, codeOf(error), 'what it states does not hold in the directory');
  }
}

function derive(context: Context, entered: Entered, author: Credential, payload: Uint8Array): void {
  const { entry } = entered.signed;
  switch (entry.kind) {
    case 'register':
      register(context, entered, readStatement(entry, payload, 'credential'));
      return;
    case 'revoke':
      revoke(context, entered, author, payload);
      return;
    case 'key':
      // Who is a patient may keep a group too: what is published, the statement says.
      if (decodeStatement(payload).kind === 'compartments')
        publishCompartments(context, entered, author, readStatement(entry, payload, 'compartments'));
      else publishGroup(context, entered, author, readStatement(entry, payload, 'group'));
      return;
    default:
      throw new MunimentError('RECORD_RIGHT');
  }
}

// Another credential of a subject begins later than the one before.
function register({ trust, scratch, people }: Context, { row }: Entered, encoded: Uint8Array): void {
  const { id, subject, notBefore } = verifyCredential(encoded, trust.anchor, 'ever');
  const before = people.credentialsOf(subject);
  const last = before.at(-1);
  if (last !== undefined && notBefore <= last.notBefore) throw new MunimentError('KEY_SUCCESSION');
  const user = { id, subject, credential: encoded, number: before.length, leaf: row.leaf };
  if (people.isOwn(subject) || people.find(id) !== null || !scratch.add('users', user))
    throw new MunimentError('KEY_CREDENTIAL');
}

function revoke(
  { trust, scratch, people }: Context,
  { row, signed: { entry } }: Entered,
  author: Credential,
  payload: Uint8Array,
): void {
  const heard = row.time ?? entry.time;
  const byIssuer = author.roles.includes('administrator');
  const statement = readStatement(entry, payload, byIssuer ? 'revocation' : 'renunciation');
  const { credential } = byIssuer
    ? verifyRevocation(statement, trust.anchor, heard)
    : verifyRenunciation(statement, author, heard);
  if (people.find(credential, row.leaf) === null) throw new MunimentError('KEY_CREDENTIAL');
  const signer = byIssuer ? trust.anchor.id : author.id;
  // The same statement once more was heard before.
  scratch.add('revocations', { credential, author: signer, statement, heard, seq: row.seq, leaf: row.leaf });
}

/** Of a record's id, that make its public number. */
const NUMBER_BYTES = 6;

// Whether it was the record's owner who published is told once all chains are read: owners.ts.
function publishCompartments(
  { scratch, people }: Context,
  { row }: Entered,
  author: Credential,
  statement: Uint8Array,
): void {
  const { recordId, number } = verifyCompartments(statement, author);
  const last = scratch.row<{ owner: Uint8Array; statement: Uint8Array }>(
    'SELECT owner, statement FROM compartments WHERE record = ? ORDER BY number DESC LIMIT 1',
    recordId,
  );
  if (last === undefined) verifyCompartmentsHistory([statement], [author], null);
  else {
    const signer = people.find(last.owner);
    if (signer?.subject !== author.subject) throw new MunimentError('RECORD_RIGHT');
    verifyNextCompartments(statement, author, verifyCompartments(last.statement, signer));
  }
  // No two records share a public number, which is how their ids begin; and each key keeps to one.
  const filled = (byte: number): Uint8Array => recordId.map((one, i) => (i < NUMBER_BYTES ? one : byte));
  const other = scratch.row(
    `SELECT 1 FROM compartments
     WHERE (record >= ? AND record <= ? OR owner = ?) AND record <> ? LIMIT 1`,
    filled(0),
    filled(0xff),
    author.id,
    recordId,
  );
  if (other !== undefined) throw new MunimentError('RECORD_RIGHT');
  scratch.add('compartments', { owner: author.id, number, record: recordId, statement, leaf: row.leaf });
}

function publishGroup(
  { scratch, people }: Context,
  { row }: Entered,
  author: Credential,
  statement: Uint8Array,
): void {
  const { name, epoch } = verifyGroup(statement, author);
  const last = scratch.row<{ statement: Uint8Array; keeper: Uint8Array }>(
    'SELECT statement, keeper FROM groups WHERE name = ? ORDER BY epoch DESC LIMIT 1',
    name,
  );
  if (last === undefined) verifyGroupHistory([statement], [author], null);
  else {
    const keeper = people.find(last.keeper);
    if (keeper === null) throw new MunimentError('RECORD_RIGHT');
    verifyNextEpoch(statement, author, verifyGroup(last.statement, keeper));
  }
  scratch.add('groups', { name, epoch, keeper: author.id, statement, leaf: row.leaf });
}
