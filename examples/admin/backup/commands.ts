/** `npm run admin -- backup` and `restore`. docs/administration.md, "Backup and restore". */

import { Command } from 'commander';
import { counted } from '../../server/counted.ts';
import { backUp } from './backup.ts';
import { restore, type RestoreOptions } from './restore.ts';

/** The command `backup`. */
export function backupCommand(say: (line: string) => void): Command {
  return new Command('backup')
    .description('copy all that the bank stores, at one moment, while it serves; its keys are not among it')
    .requiredOption('--config <file>', "the server's configuration")
    .requiredOption('--out <dir>', 'new folder')
    .action(async ({ config, out }: { config: string; out: string }) => {
      const { log, file, checkpoint } = await backUp(config, out);
      say(
        `${out}: a log of ${counted(log.size, 'leaf', 'leaves')}, ${file.length} bytes, SHA-256 ${file.sha256}`,
      );
      say(checkpoint === null ? 'no signed checkpoint was at hand' : 'with the newest signed checkpoint');
      say('keys and configuration are not in it: back them up apart, where nobody reads them');
    });
}

/** The command `restore`. */
export function restoreCommand(say: (line: string) => void): Command {
  return new Command('restore')
    .description('bring a backup back into a store that is empty, and prove that nothing is missing')
    .requiredOption('--from <dir>', "the backup's folder")
    .requiredOption('--config <file>', "the server's configuration")
    .option('--checkpoint <file...>', 'checkpoints that witnesses or clients hold: the newest there are', [])
    .option('--accept-loss', 'let the bank go on although others may have seen more', false)
    .action((options: RestoreOptions) => restore(options, say));
}
