/**
 * Revocations in an export: entries of the bank's directory, each with its place in the log, so that what is signed is
 * judged by when the bank heard that its key had been taken back. spec/export.md, "Revocations".
 */

import { MunimentError } from '../errors.ts';
import {
  createKeyHistory,
  credentialAsOf,
  verifyRenunciation,
  verifyRevocation,
  type Credential,
  type Revocation,
} from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import { startOf, verifyEntry, withoutRevocations } from './chain.ts';
import type { ExportedDirectory, ExportedEntry } from './export-file.ts';
import { verifyPlace, type Bank, type FindCredential } from './export-place.ts';
import { readStatement } from './payload.ts';
import type { Entry } from './entry.ts';
import type { Receipt } from './receipt.ts';
import { byRole } from './rule.ts';

/** The kind of the statement by which an issuer takes a key back. */
export const REVOCATION = 'revocation';
/** The kind of the statement by which its own holder gives a key up. */
export const RENUNCIATION = 'renunciation';

/** What was heard, and the receipts that say when. */
export interface Heard {
  readonly revocations: readonly Revocation[];
  readonly receipts: readonly Receipt[];
}

/** Verifies each of the directory's entries by itself; of the chain between them nothing is known. */
export function hearRevocations(
  directory: ExportedDirectory | null,
  trust: { readonly anchor: Credential; readonly find: FindCredential; readonly bank: Bank },
): Heard {
  const [revocations, receipts]: [Revocation[], Receipt[]] = [[], []];
  if (directory === null) return { revocations, receipts };
  const { anchor, find, bank } = trust;
  const { recordId, tagSalt } = directory;
  const rule = byRole(({ kind }) => kind === 'revoke'); // what counts is who signed the statement
  const authors = withoutRevocations(find);
  const rules = { ...{ origin: bank.origin, recordId, authors, rule }, chain: 'content' } as const;
  for (const exported of directory.entries) {
    const { seq, prev } = exported.signed.entry;
    const at = { ...startOf(rule), head: { size: seq, hash: prev } };
    const { entry: verified } = verifyEntry(exported.signed, rules, at);
    const receipt = verifyPlace(exported, verified, { bank, tagSalt, after: receipts.at(-1) });
    revocations.push(readRevocation(verified.entry, exported, { anchor, find, heardAt: receipt.time }));
    receipts.push(receipt);
  }
  return { revocations, receipts };
}

/** How sure an author's key was when the bank took the entry. */
export type StandingAt = (author: Credential, time: number) => 'valid' | 'doubtful';

/** Judges authors by what was heard. What it returns throws `KEY_REVOKED`, and `KEY_CREDENTIAL` outside of the validity. */
export function standings(
  anchor: Credential,
  credentials: Iterable<Credential>,
  { revocations }: Heard,
): StandingAt {
  const issued = [...credentials].filter(({ id }) => !equalBytes(id, anchor.id));
  const history = createKeyHistory(anchor, { credentials: issued, revocations });
  return (author, time) =>
    equalBytes(author.id, anchor.id) ? 'valid' : credentialAsOf(history, author.id, time).standing;
}

// Whoever issued it takes it back, or whose it is gives it up; the statement's kind says which of them signed.
function readRevocation(
  entry: Entry,
  { payload }: ExportedEntry,
  { anchor, find, heardAt }: { anchor: Credential; find: FindCredential; heardAt: number },
): Revocation {
  if (payload === null) throw new MunimentError('RECORD_PAYLOAD');
  const author = find(entry.author);
  const byIssuer = equalBytes(entry.author, anchor.id);
  if (byIssuer) return verifyRevocation(readStatement(entry, payload, REVOCATION), anchor, heardAt);
  if (author === null) throw new MunimentError('RECORD_AUTHOR');
  return verifyRenunciation(readStatement(entry, payload, RENUNCIATION), author, heardAt);
}
