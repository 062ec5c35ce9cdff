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
import { equalBytes, toHex } from '../wire/index.ts';
import { startOf, verifyEntry, withoutRevocations } from './chain.ts';
import { directoryId } from './directory.ts';
import type { ExportedDirectory, ExportedEntry } from './export-file.ts';
import { verifyPlace, type FindCredential, type Log, type Placed } from './export-place.ts';
import { decodeStatement, readStatement } from './payload.ts';
import type { Entry } from './entry.ts';
import type { Receipt } from './receipt.ts';
import { byRole } from './rule.ts';

/** The kind of the statement by which an issuer takes a key back. */
export const REVOCATION = 'revocation';
/** The kind of the statement by which its own holder gives a key up. */
export const RENUNCIATION = 'renunciation';

/** What was heard, and the receipts that say when: one for each, in the order of the log. */
export interface Heard {
  readonly revocations: readonly Revocation[];
  readonly receipts: readonly Receipt[];
}

/** Verifies each of the directory's entries by itself; of the chain between them nothing is known. */
export function hearRevocations(
  directory: ExportedDirectory | null,
  trust: { readonly anchor: Credential; readonly find: FindCredential; readonly log: Log },
): Heard {
  const [revocations, places]: [Revocation[], Placed[]] = [[], []];
  if (directory === null) return { revocations, receipts: [] };
  const { anchor, find, log } = trust;
  const { recordId, tagSalt } = directory;
  // Elsewhere anybody could file what its signer kept in a drawer.
  if (!equalBytes(recordId, directoryId(log.origin))) throw new MunimentError('RECORD_EXPORT');
  const rule = byRole(({ kind }) => kind === 'revoke'); // what counts is who signed the statement
  const authors = withoutRevocations(find);
  const rules = { ...{ origin: log.origin, recordId, authors, rule }, chain: 'content' } as const;
  for (const exported of directory.entries) {
    const { seq, prev } = exported.signed.entry;
    const at = { ...startOf(rule), head: { size: seq, hash: prev } };
    const { entry: verified } = verifyEntry(exported.signed, rules, at);
    const place = verifyPlace(exported, verified, { log, tagSalt, after: places.at(-1) });
    revocations.push(readRevocation(verified.entry, exported, { anchor, find, heardAt: place.receipt.time }));
    places.push(place);
  }
  return { revocations, receipts: places.map(({ receipt }) => receipt) };
}

/** How sure an author's key was when the bank took the entry. */
export type StandingAt = (author: Credential, taken: Receipt) => 'valid' | 'doubtful';

/** Judges authors by what was heard. What it returns throws `KEY_REVOKED`, and `KEY_CREDENTIAL` outside of the validity. */
export function standings(
  anchor: Credential,
  credentials: Iterable<Credential>,
  { revocations, receipts }: Heard,
): StandingAt {
  const issued = [...credentials].filter(({ id }) => !equalBytes(id, anchor.id));
  const lives = createKeyHistory(anchor, { credentials: issued, revocations: [] });
  const heardOf = new Map<string, { readonly revocation: Revocation; readonly heardAt: number }[]>();
  for (const [i, revocation] of revocations.entries()) {
    const id = toHex(revocation.credential);
    const one = { revocation, heardAt: receipts[i]?.leafIndex ?? 0 };
    const others = heardOf.get(id);
    if (others === undefined) heardOf.set(id, [one]);
    else others.push(one);
  }
  return (author, { time, leafIndex }) => {
    if (equalBytes(author.id, anchor.id)) return 'valid';
    // The log's order decides: what came into it later casts doubt at most, whatever the clock said.
    const own = (heardOf.get(toHex(author.id)) ?? []).map(({ revocation, heardAt }) =>
      heardAt < leafIndex ? revocation : { ...revocation, revokedFrom: Infinity },
    );
    if (own.length === 0) return credentialAsOf(lives, author.id, time).standing;
    const history = createKeyHistory(anchor, { credentials: [author], revocations: own });
    return credentialAsOf(history, author.id, time).standing;
  };
}

// Whoever issued it takes it back, whoever filed that; or whose it is gives it up. The statement's kind says which.
function readRevocation(
  entry: Entry,
  { payload }: ExportedEntry,
  { anchor, find, heardAt }: { anchor: Credential; find: FindCredential; heardAt: number },
): Revocation {
  if (payload === null) throw new MunimentError('RECORD_PAYLOAD');
  if (decodeStatement(payload).kind === REVOCATION)
    return verifyRevocation(readStatement(entry, payload, REVOCATION), anchor, heardAt);
  const author = find(entry.author);
  if (author === null) throw new MunimentError('RECORD_AUTHOR');
  return verifyRenunciation(readStatement(entry, payload, RENUNCIATION), author, heardAt);
}
