/** `npm run admin -- key …`: the keys that a bank lives by. docs/administration.md, "The bank's keys". */

import { Argument, Command } from 'commander';
import { passphraseFrom } from '../../client/cli/passphrase.ts';
import { counted } from '../../server/counted.ts';
import { plainly } from '../../client/cli/show.ts';
import { positive } from '../init.ts';
import { DEFAULT_FOLDER, type AdminSurroundings, type FindSurroundings } from '../surroundings.ts';
import { changePassphrase } from './passphrase.ts';
import { renewBank } from './renewal.ts';
import { showKeys, WARNING_DAYS, type PartyRow } from './showing.ts';

/** The command `key`, with its own below it. */
export function keyCommand(surroundings: FindSurroundings): Command {
  const key = new Command('key')
    .description('the keys of anchor, bank and log')
    .option('--folder <dir>', "the bank's folder", DEFAULT_FOLDER);
  const within = (): AdminSurroundings => surroundings(key.opts<{ folder: string }>().folder);
  key
    .command('show')
    .description('whose keys there are, and until when: public halves alone')
    .option('--json', 'one JSON array', false)
    .action(({ json }: { json: boolean }) => {
      const { folder, say } = within();
      const rows = showKeys(folder, Date.now());
      if (json) say(JSON.stringify(rows));
      else for (const line of rows.flatMap(linesOf)) say(line);
    });
  key
    .command('renew')
    .description("a next credential and charter for the bank's keys, before the one that they have ends")
    .addArgument(new Argument('<whose>').choices(['bank']))
    .option('--days <n>', 'validity', positive, 3650)
    .action(async (_: string, { days }: { days: number }) => {
      const { folder, say } = within();
      const { id, notAfter } = await renewBank(folder, days);
      say(`the bank's keys are ${Buffer.from(id).toString('hex')}, until ${day(notAfter)}`);
      say(`now start the server again, and give ${folder.at('server', 'settings.json')} to every user`);
      say('from then on whoever has the old settings is refused: `client settings FILE` takes the new ones');
    });
  key
    .command('passphrase')
    .description('another passphrase for the keys of the administrator and of the authority')
    .requiredOption('--new-passphrase-file <file>', 'the passphrase that is to be')
    .action(async ({ newPassphraseFile }: { newPassphraseFile: string }) => {
      const { folder, passphrase, say } = within();
      const next = await passphraseFrom(newPassphraseFile, {})(true);
      const changed = await changePassphrase(folder, await passphrase(false), next);
      say(`sealed anew: ${changed.length === 0 ? 'nothing, all is under it already' : changed.join(', ')}`);
      say('copies of before still open under the passphrase of before');
    });
  return key;
}

function linesOf({ party, id, subject, from, until, daysLeft, keys }: PartyRow): string[] {
  const term = from === null || until === null ? '' : `, ${from.slice(0, 10)} to ${until.slice(0, 10)}`;
  const lines = [`${party}  ${plainly(subject)}${id === null ? '' : `  ${id}`}${term}`];
  for (const { use, algorithm, digest } of keys) lines.push(`  ${algorithm}  ${digest}  ${shortened(use)}`);
  if (party !== 'former bank' && daysLeft !== null && daysLeft < WARNING_DAYS)
    lines.push(
      daysLeft < 0
        ? `  WARNING: the credential of the ${party} has ended`
        : `  WARNING: the credential of the ${party} ends in ${counted(daysLeft, 'day')}`,
    );
  return lines;
}

// A key of ML-DSA-44 takes some 1,750 characters, and tells a person no more than its digest.
function shortened(use: string): string {
  return use.replace(/(\+[0-9a-f]{8}\+.{16}).{100,}$/, '$1… (whole with --json)');
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
