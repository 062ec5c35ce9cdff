/** Taking a user's credentials and TLS certificates back. */

import type { Credential, RevocationTerms } from 'muniment/keys';
import { directoryId } from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import { existsSync } from 'node:fs';
import type { BankClient } from '../../client/bank.ts';
import { CliError, UsageError } from '../../client/cli/error.ts';
import { plainly } from '../../client/cli/show.ts';
import { lookUp } from '../../client/people.ts';
import { revoke } from '../../client/publishing.ts';
import type { BankFolder } from '../bank-folder.ts';
import { validOf } from './listing.ts';

/** What is taken back, and why. */
export interface RevokeOptions {
  readonly reason: RevocationTerms['reason'];
  readonly since?: number | undefined;
  /** The Id of the one credential that is; all that are valid if absent. */
  readonly credential?: Uint8Array | undefined;
  /** Whether all of several are meant. */
  readonly all: boolean;
}

/** What was taken back. */
export interface Revoked {
  readonly credentials: number;
  readonly certificates: number;
  /** Whether older credentials may stand, since there was no database to name them. */
  readonly newestOnly: boolean;
}

/** Takes back all valid credentials of a subject, and its TLS certificates; or one credential, and no certificate. */
export async function revokeUser(
  folder: BankFolder,
  subject: string,
  { reason, since, credential: only, all }: RevokeOptions,
): Promise<Revoked> {
  const terms = termsOf(reason, since);
  const administrator = folder.administrator();
  try {
    const { origin, directorySalt: tagSalt } = administrator.settings();
    const found = await administrator.use(async (client) => {
      const doomed = await chosen(client, folder, subject, only);
      // One may be the key that came in the place of a lost one.
      if (doomed.credentials.length > 1 && !all) {
        const ids = doomed.credentials.map(({ id }) => toHex(id)).join(', ');
        throw new CliError(
          `${plainly(subject)} has several credentials: --credential with one of ${ids}, or --all`,
        );
      }
      for (const one of doomed.credentials)
        await revoke(client, { recordId: directoryId(origin), tagSalt }, one, terms);
      return doomed;
    });
    // The certificates are the subject's, whichever of its credentials it shows.
    const certificates = only === undefined ? revokeCertificates(folder, subject, reason) : 0;
    return { credentials: found.credentials.length, certificates, newestOnly: found.newestOnly };
  } finally {
    administrator.close();
  }
}

function termsOf(reason: RevocationTerms['reason'], since: number | undefined): RevocationTerms {
  if ((reason === 'compromised') !== (since !== undefined))
    throw new UsageError('--since goes with --reason compromised, and it with --since');
  const revokedAt = Date.now();
  return reason === 'compromised'
    ? { reason, revokedAt, doubtfulFrom: since ?? revokedAt }
    : { reason, revokedAt };
}

async function chosen(
  client: BankClient,
  folder: BankFolder,
  subject: string,
  only: Uint8Array | undefined,
): Promise<{ readonly credentials: readonly Credential[]; readonly newestOnly: boolean }> {
  const wanted = only === undefined ? { subjects: [subject] } : { ids: [only] };
  const { credentials: known } = await lookUp(client, wanted);
  const own = known.filter((one) => one.subject === subject);
  if (only !== undefined) {
    const named = own.filter(({ id }) => equalBytes(id, only));
    if (named.length === 0) throw new CliError(`${plainly(subject)} has no such credential`);
    return { credentials: named, newestOnly: false };
  }
  if (own.length === 0) throw new CliError(`${plainly(subject)} is not registered`);
  // By a subject the bank hands out the newest only.
  if (!existsSync(folder.at('server', 'server.json'))) return { credentials: own, newestOnly: true };
  const valid = await validOf(folder, subject);
  if (valid.length === 0) throw new CliError(`${plainly(subject)} has no valid credential`);
  return { credentials: valid, newestOnly: false };
}

function revokeCertificates(folder: BankFolder, subject: string, reason: RevocationTerms['reason']): number {
  const authority = folder.authority();
  const own = authority
    .list()
    .filter((one) => one.kind === 'client' && one.subject === subject && one.revocation === null);
  for (const { serial } of own)
    authority.revoke(serial, reason === 'compromised' ? 'keyCompromise' : 'privilegeWithdrawn');
  return own.length;
}
