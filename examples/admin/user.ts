/** `npm run admin -- user …`: enrols users with a running bank, revokes them, and says who there is. docs/administration.md, "Users". */

import { Argument, Command, Option } from 'commander';
import { REVOCATION_REASONS, verifyCredential, type RevocationTerms } from 'muniment/keys';
import { directoryId } from 'muniment/record';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CliError, UsageError } from '../client/cli/error.ts';
import { openDirectoryOf, registerUsers } from '../client/cli/founding.ts';
import { answer, challenge, issue, join, request } from '../client/cli/issuing.ts';
import { plainly } from '../client/cli/show.ts';
import type { Wallet } from '../client/cli/wallet.ts';
import { statedHead } from '../client/newest.ts';
import { lookUp, person } from '../client/people.ts';
import { revoke } from '../client/publishing.ts';
import type { BankFolder } from './bank-folder.ts';
import { openSource, readTrust } from './check/config.ts';
import { positive } from './init.ts';
import { DEFAULT_FOLDER, type AdminSurroundings, type FindSurroundings } from './surroundings.ts';

const quiet = (): void => undefined;
/** TLS certificates are renewed more often than credentials. */
const TLS_DAYS = 90;

/** The command `user`, with its own below it. */
export function userCommand(surroundings: FindSurroundings): Command {
  const user = new Command('user')
    .description('who uses the bank, which runs meanwhile')
    .option('--folder <dir>', "the bank's folder", DEFAULT_FOLDER);
  const within = (): AdminSurroundings => surroundings(user.opts<{ folder: string }>().folder);
  user
    .command('add')
    .description('make keys, credential and TLS certificate of a user, in a wallet, and register it')
    .addArgument(new Argument('<name>').argParser(name))
    .requiredOption('--role <role...>', 'such as patient, doctor, speciality:cardiology')
    .option('--days <n>', 'validity of the credential', positive, 365)
    .action(async (subject: string, { role, days }: { role: string[]; days: number }) => {
      const { folder, say } = within();
      await addUser(folder, subject, { roles: role, days });
      say(`${plainly(subject)} is registered as ${role.map(plainly).join(', ')}`);
      say(
        `hand over ${folder.at('users', subject)}, and ${subject}.passphrase by another way; then delete both here`,
      );
    });
  user
    .command('revoke')
    .description("take a user's credential and TLS certificates back, for good")
    .argument('<name>')
    .addOption(new Option('--reason <why>').choices(REVOCATION_REASONS).default('ceased'))
    .option('--since <time>', 'of stolen keys: since when, as in 2026-03-14T09:00:00Z', time)
    .action(async (subject: string, { reason, since }: RevokeOptions) => {
      const { folder, say } = within();
      const certificates = await revokeUser(folder, subject, { reason, since });
      say(
        `revoked ${plainly(subject)}, and ${certificates} TLS certificates; now run \`ca crl\`, and give the list to the server`,
      );
    });
  user
    .command('list')
    .description('who is registered, and how each stands, by what the database says')
    .option('--json', 'one JSON array', false)
    .action(async ({ json }: { json: boolean }) => {
      const { folder, say } = within();
      const rows = await listUsers(folder);
      if (json) say(JSON.stringify(rows));
      else
        for (const row of rows)
          say(
            `${row.state.padEnd(7)}  until ${row.until}  ${plainly(row.subject)}  ${row.roles.map(plainly).join(', ')}`,
          );
    });
  return user;
}

async function addUser(
  folder: BankFolder,
  subject: string,
  { roles, days }: { readonly roles: string[]; readonly days: number },
): Promise<void> {
  const [administrator, user] = [folder.administrator(), folder.user(subject)];
  user.refuseKeys();
  folder.makeUser(subject);
  const papers = mkdtempSync(folder.at('papers-'));
  const at = (file: string): string => path.join(papers, file);
  let sent = false;
  try {
    // The bank is asked first: whoever is known to it already gets no second identity.
    await openDirectoryOnce(administrator);
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
    // Once the bank may have heard of these keys, nobody else's take their place.
    if (!sent)
      for (const made of [user.folder, `${user.folder}.passphrase`])
        rmSync(made, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(papers, { recursive: true, force: true });
    for (const wallet of [administrator, user]) wallet.close();
  }
}

async function openDirectoryOnce(administrator: Wallet): Promise<void> {
  const { size } = await administrator.use((client) => statedHead(client, directoryId(client.trust.origin)));
  if (size === 0) await openDirectoryOf(administrator, quiet);
}

interface RevokeOptions {
  readonly reason: RevocationTerms['reason'];
  readonly since?: number | undefined;
}

async function revokeUser(
  folder: BankFolder,
  subject: string,
  { reason, since }: RevokeOptions,
): Promise<number> {
  if ((reason === 'compromised') !== (since !== undefined))
    throw new UsageError('--since goes with --reason compromised, and it with --since');
  const revokedAt = Date.now();
  const terms =
    reason === 'compromised'
      ? { reason, revokedAt, doubtfulFrom: since ?? revokedAt }
      : { reason, revokedAt };
  const administrator = folder.administrator();
  try {
    const { origin, directorySalt: tagSalt } = administrator.settings();
    await administrator.use(async (client) => {
      const people = await lookUp(client, { subjects: [subject] });
      if (people.credentials.length === 0) throw new CliError(`${plainly(subject)} is not registered`);
      await revoke(client, { recordId: directoryId(origin), tagSalt }, person(people, subject), terms);
    });
  } finally {
    administrator.close();
  }
  const authority = folder.authority();
  const own = authority
    .list()
    .filter((one) => one.kind === 'client' && one.subject === subject && one.revocation === null);
  for (const { serial } of own)
    authority.revoke(serial, reason === 'compromised' ? 'keyCompromise' : 'privilegeWithdrawn');
  return own.length;
}

/** A registered user, and how it stands. */
interface UserRow {
  readonly subject: string;
  readonly id: string;
  readonly roles: readonly string[];
  readonly until: string;
  readonly state: 'valid' | 'expired' | 'revoked';
}

async function listUsers(folder: BankFolder): Promise<UserRow[]> {
  const config = folder.at('server', 'server.json');
  const { anchor } = readTrust(config);
  const source = await openSource(config);
  try {
    const found: UserRow[] = [];
    const rows = source.rows<{ credential: Uint8Array; revoked: number }>(
      `SELECT credential, (SELECT count(*) FROM revocations r WHERE r.credential = u.id) AS revoked
       FROM users u ORDER BY subject`,
    );
    for await (const { credential, revoked } of rows) {
      const { id, subject, roles, notAfter } = verifyCredential(credential, anchor, 'ever');
      const state = revoked > 0 ? 'revoked' : notAfter < Date.now() ? 'expired' : 'valid';
      const until = new Date(notAfter).toISOString().slice(0, 10);
      found.push({ subject, id: Buffer.from(id).toString('hex'), roles, until, state });
    }
    return found;
  } finally {
    await source.close();
  }
}

function name(text: string): string {
  if (!/^\w[\w.-]{0,63}$/.test(text)) throw new UsageError('a name is of letters, digits, dots and hyphens');
  return text;
}

function time(text: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value)) throw new UsageError('a time is as in 2026-03-14T09:00:00Z');
  return value;
}
