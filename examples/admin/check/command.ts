/** `npm run admin -- check`: the whole bank, derived again from what is stored. docs/administration.md, "Checking". */

import { Command } from 'commander';
import { CliError } from '../../client/cli/error.ts';
import { plainly } from '../../client/cli/show.ts';
import { counted } from '../../server/counted.ts';
import { checkBank } from './check.ts';
import { openBackup } from '../backup/manifest.ts';
import { openSource, readTrust } from './config.ts';
import type { Checked } from './findings.ts';
import { readOutside } from './outside.ts';

interface CheckOptions {
  readonly config: string;
  readonly backup?: string;
  readonly checkpoint: string[];
  readonly receipts: string[];
  readonly json: boolean;
}

/** The command `check`. */
export function checkCommand(say: (line: string) => void): Command {
  return new Command('check')
    .description(
      'derive the whole bank again from what is stored, while it runs or not, and name what is wrong',
    )
    .requiredOption('--config <file>', "the server's configuration")
    .option('--backup <dir>', 'a backup of that bank, instead of the bank')
    .option('--checkpoint <file...>', 'checkpoints that witnesses or clients hold', [])
    .option('--receipts <path...>', 'wallets of clients, or files of receipts, one a line', [])
    .option('--json', 'one JSON object', false)
    .action(async ({ config, backup, json, checkpoint, receipts }: CheckOptions) => {
      const outside = readOutside(checkpoint, receipts);
      const trust = readTrust(config);
      const source = backup === undefined ? await openSource(config) : await openBackup(backup);
      let checked: Checked;
      try {
        checked = await checkBank(source, trust, outside);
      } finally {
        await source.close();
      }
      if (json) say(JSON.stringify(checked));
      else tell(checked, say);
      if (checked.wrong > 0)
        throw new CliError(`the bank is not as it was signed: ${counted(checked.wrong, 'thing')} wrong`);
    });
}

/** Tells a person what was checked, and what is wrong. */
export function tell({ counts, findings, wrong }: Checked, say: (line: string) => void): void {
  for (const [what, count] of Object.entries(counts)) say(`${String(count).padStart(9)}  ${what}`);
  for (const { table, row, check, detail } of findings)
    say(`WRONG  ${table}  ${plainly(row)}  ${check}: ${detail}`);
  if (wrong > findings.length) say(`and ${wrong - findings.length} more`);
  if (wrong === 0) say('all of it holds');
}
