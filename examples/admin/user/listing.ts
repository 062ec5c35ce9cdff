/** Who is registered, by what the database says. */

import { verifyCredential, type Credential } from 'muniment/keys';
import { toHex } from 'muniment/wire';
import type { BankFolder } from '../bank-folder.ts';
import { openSource, readTrust } from '../check/config.ts';

/** A registered user's credential, and how it stands. */
export interface UserRow {
  readonly subject: string;
  readonly id: string;
  readonly roles: readonly string[];
  readonly until: string;
  readonly state: 'valid' | 'expired' | 'revoked';
}

/** Lists all credentials, by subject, a subject's oldest first. */
export async function listUsers(folder: BankFolder): Promise<UserRow[]> {
  const found = await registered(folder, null);
  return found.map(({ credential, revoked }) => {
    const { id, subject, roles, notAfter } = credential;
    const state = revoked ? 'revoked' : notAfter < Date.now() ? 'expired' : 'valid';
    return { subject, id: toHex(id), roles, until: new Date(notAfter).toISOString().slice(0, 10), state };
  });
}

/** Those of a subject's credentials that nobody has taken back, and that have not ended. */
export async function validOf(folder: BankFolder, subject: string): Promise<Credential[]> {
  const found = await registered(folder, subject);
  return found
    .filter(({ credential, revoked }) => !revoked && credential.notAfter >= Date.now())
    .map(({ credential }) => credential);
}

async function registered(
  folder: BankFolder,
  subject: string | null,
): Promise<{ readonly credential: Credential; readonly revoked: boolean }[]> {
  const config = folder.at('server', 'server.json');
  const { anchor } = readTrust(config);
  const source = await openSource(config);
  try {
    const found = [];
    const rows = source.rows<{ credential: Uint8Array; revoked: number }>(
      `SELECT credential, (SELECT count(*) FROM revocations r WHERE r.credential = u.id) AS revoked
       FROM users u ${subject === null ? '' : 'WHERE subject = ?'} ORDER BY subject, number`,
      ...(subject === null ? [] : [subject]),
    );
    for await (const { credential, revoked } of rows)
      found.push({ credential: verifyCredential(credential, anchor, 'ever'), revoked: revoked > 0 });
    return found;
  } finally {
    await source.close();
  }
}
