/** `npm run admin -- user …`: enrols users with a running bank, renews and revokes them, and says who there is. docs/administration.md, "Users". */

import { Argument, Command, Option } from 'commander';
import { REVOCATION_REASONS } from 'muniment/keys';
import { toHex } from 'muniment/wire';
import { hexId } from '../../client/cli/arguments.ts';
import { UsageError } from '../../client/cli/error.ts';
import { counted } from '../../server/counted.ts';
import { plainly } from '../../client/cli/show.ts';
import { positive } from '../init.ts';
import { DEFAULT_FOLDER, type AdminSurroundings, type FindSurroundings } from '../surroundings.ts';
import { addUser, renewUser } from './enrolling.ts';
import { listUsers } from './listing.ts';
import { revokeUser, type RevokeOptions } from './revoking.ts';

/** The command `user`, with its own below it. */
export function userCommand(surroundings: FindSurroundings): Command {
  const user = new Command('user')
    .description('who uses the bank, which runs meanwhile')
    .option('--folder <dir>', "the bank's folder", DEFAULT_FOLDER);
  const within = (): AdminSurroundings => surroundings(user.opts<{ folder: string }>().folder);
  addCommand(user, within);
  renewCommand(user, within);
  revokeCommand(user, within);
  user
    .command('list')
    .description('all credentials that are registered, and how each stands, by what the database says')
    .option('--json', 'one JSON array', false)
    .action(async ({ json }: { json: boolean }) => {
      const { folder, say } = within();
      const rows = await listUsers(folder);
      if (json) say(JSON.stringify(rows));
      else
        for (const { state, until, subject, roles, id } of rows)
          say(
            `${state.padEnd(7)}  until ${until}  ${plainly(subject)}  ${roles.map(plainly).join(', ')}  ${id}`,
          );
    });
  return user;
}

function addCommand(user: Command, within: () => AdminSurroundings): void {
  user
    .command('add')
    .description('make keys, credential and TLS certificate of a user, in a wallet, and register it')
    .addArgument(new Argument('<name>').argParser(name))
    .requiredOption(
      '--role <role...>',
      'such as patient, doctor, speciality:cardiology, keeper:speciality:cardiology',
    )
    .option('--days <n>', 'validity of the credential', positive, 365)
    .action(async (subject: string, { role, days }: { role: string[]; days: number }) => {
      const { folder, say } = within();
      await addUser(folder, subject, { roles: role, days });
      say(`${plainly(subject)} is registered as ${role.map(plainly).join(', ')}`);
      say(
        `hand over ${folder.at('users', subject)}, and ${subject}.passphrase by another way; then delete both here`,
      );
    });
}

function renewCommand(user: Command, within: () => AdminSurroundings): void {
  user
    .command('renew')
    .description('the next credential of a user, over new keys, in a new wallet with a new TLS certificate')
    .addArgument(new Argument('<name>').argParser(name))
    .option('--role <role...>', 'instead of those of the credential before')
    .option('--days <n>', 'validity of the credential', positive, 365)
    .action(async (subject: string, { role, days }: { role?: string[]; days: number }) => {
      const { folder, say } = within();
      const { name: wallet, before, roles } = await renewUser(folder, subject, { roles: role ?? null, days });
      say(`${plainly(subject)} is registered anew as ${roles.map(plainly).join(', ')}`);
      say(
        `hand over ${folder.at('users', wallet)}, and ${wallet}.passphrase by another way; then delete both here`,
      );
      if (roles.includes('patient'))
        say('a patient with a record runs `client renew --from OLD-WALLET` first, or is locked out of it');
      if (roles.some((one) => one.startsWith('keeper:')))
        say(
          'who keeps a group begins its next epoch with `publish-group --history`, from the old wallet, first',
        );
      say(
        `the credential before goes on until you take it back: user revoke ${plainly(subject)} --credential ${toHex(before.id)}`,
      );
    });
}

function revokeCommand(user: Command, within: () => AdminSurroundings): void {
  user
    .command('revoke')
    .description("take a user's credentials and TLS certificates back, for good")
    .argument('<name>')
    .addOption(new Option('--reason <why>').choices(REVOCATION_REASONS).default('ceased'))
    .option('--since <time>', 'of stolen keys: since when, as in 2026-03-14T09:00:00Z', time)
    .option('--credential <id>', 'only this credential, and no TLS certificate; see list', hexId)
    .option('--all', 'all valid credentials, of a user who has several', false)
    .action(async (subject: string, options: RevokeOptions) => {
      const { folder, say } = within();
      const { credentials, certificates, newestOnly } = await revokeUser(folder, subject, options);
      say(
        `revoked ${counted(credentials, 'credential')} of ${plainly(subject)}, and ${counted(certificates, 'TLS certificate')}`,
      );
      if (newestOnly)
        say('without the database only the newest credential is known: name older ones by --credential');
      if (certificates > 0)
        say(`now run \`ca --folder ${folder.at('authority')} crl\`, and give the list to the server`);
    });
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
