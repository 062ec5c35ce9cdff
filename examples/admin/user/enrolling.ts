/** A user's keys, credential and TLS certificate, made here in a wallet to hand over, and registered with the running bank. */

import type { Credential } from 'muniment/keys';
import { directoryId } from 'muniment/record';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Refused } from '../../client/bank.ts';
import { CliError } from '../../client/cli/error.ts';
import { openDirectoryOf, registerUsers } from '../../client/cli/founding.ts';
import { answer, challenge, issue, join, request } from '../../client/cli/issuing.ts';
import { plainly } from '../../client/cli/show.ts';
import type { Wallet } from '../../client/cli/wallet.ts';
import { statedHead } from '../../client/newest.ts';
import { lookUp } from '../../client/people.ts';
import type { BankFolder } from '../bank-folder.ts';

const quiet = (): void => undefined;
/** TLS certificates are renewed more often than credentials. */
const TLS_DAYS = 90;

/** What a credential is to say. */
export interface Terms {
  readonly roles: string[];
  readonly days: number;
}

/** Enrols somebody who is not known to the bank. */
export async function addUser(folder: BankFolder, subject: string, terms: Terms): Promise<void> {
  const administrator = folder.administrator();
  try {
    await openDirectoryOnce(administrator);
    if ((await newestOf(administrator, subject)) !== null)
      throw new CliError(`${plainly(subject)} is registered: \`user renew\` gives the next credential`);
    await enrol(folder, administrator, { ...terms, subject, name: subject });
  } finally {
    administrator.close();
  }
}

/**
 * Gives a user the next credential, over keys of its own: from then on everybody seals to these. The one before goes on until it
 * ends or is revoked. What the wallet before has remembered of the bank goes along, if it lies here. A patient's record goes on
 * under it by `renew` of the client alone.
 *
 * @returns the name of the new wallet in `users/`, and the credential that goes on
 */
export async function renewUser(
  folder: BankFolder,
  subject: string,
  { roles, days }: { readonly roles: string[] | null; readonly days: number },
): Promise<{ readonly name: string; readonly before: Credential; readonly roles: readonly string[] }> {
  const administrator = folder.administrator();
  try {
    const before = await newestOf(administrator, subject);
    if (before === null) throw new CliError(`${plainly(subject)} is not registered`);
    const { name, last } = freeName(folder, subject);
    const terms = { subject, name, roles: roles ?? [...before.roles], days };
    await enrol(folder, administrator, terms);
    if (last !== null) copyMemory(folder, last, name);
    return { name, before, roles: terms.roles };
  } finally {
    administrator.close();
  }
}

async function enrol(
  folder: BankFolder,
  administrator: Wallet,
  { subject, name, roles, days }: Terms & { readonly subject: string; readonly name: string },
): Promise<void> {
  const user = folder.user(name);
  user.refuseKeys();
  folder.makeUser(name);
  const papers = mkdtempSync(folder.at('papers-'));
  const at = (file: string): string => path.join(papers, file);
  let sent = false;
  try {
    await request(user, { subject, roles, out: at('request') }, null, quiet);
    await challenge(administrator, at('request'), at('challenge'), quiet);
    await answer(user, at('challenge'), at('answer'), quiet);
    const files = { request: at('request'), answer: at('answer'), out: at('credential') };
    await issue(administrator, files, { roles, days }, quiet);
    const wish = { file: subject, subject, kind: 'client', hosts: [], days: TLS_DAYS } as const;
    await folder.withTls([wish], async (tls) => {
      const given = { credential: at('credential'), settings: folder.at('server', 'settings.json') };
      await join(user, { ...given, tls, anchorId: folder.anchorId() }, quiet);
    });
    sent = true;
    await registerUsers(administrator, [at('credential')], quiet);
  } catch (error) {
    // Once the bank may have heard of these keys, nobody else's take their place; what it has refused it has not taken.
    if (!sent || error instanceof Refused)
      for (const made of [user.folder, `${user.folder}.passphrase`])
        rmSync(made, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(papers, { recursive: true, force: true });
    user.close();
  }
}

async function openDirectoryOnce(administrator: Wallet): Promise<void> {
  const { size } = await administrator.use((client) => statedHead(client, directoryId(client.trust.origin)));
  if (size === 0) await openDirectoryOf(administrator, quiet);
}

async function newestOf(administrator: Wallet, subject: string): Promise<Credential | null> {
  const { credentials } = await administrator.use((client) => lookUp(client, { subjects: [subject] }));
  return credentials.find((one) => one.subject === subject) ?? null;
}

// The first of NAME, NAME-2, NAME-3 … that is free, and the last of the user's own that is not.
function freeName(
  folder: BankFolder,
  subject: string,
): { readonly name: string; readonly last: string | null } {
  let last: string | null = null;
  for (let number = 1; ; number++) {
    const name = number === 1 ? subject : `${subject}-${String(number)}`;
    if (!existsSync(folder.at('users', name)) && !existsSync(folder.at('users', `${name}.passphrase`)))
      return { name, last };
    if (isOf(folder, name, subject)) last = name;
  }
}

function isOf(folder: BankFolder, name: string, subject: string): boolean {
  try {
    return folder.user(name).credential().subject === subject;
  } catch {
    return false; // no wallet, or one that never joined
  }
}

function copyMemory(folder: BankFolder, from: string, to: string): void {
  for (const file of ['memory.json', 'receipts']) {
    const before = folder.at('users', from, file);
    if (existsSync(before)) copyFileSync(before, folder.at('users', to, file));
  }
}
