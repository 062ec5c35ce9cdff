/** `npm run admin -- …`: the commands of who operates a bank. docs/administration.md. */

import { Command, CommanderError } from 'commander';
import { explain, statusOf } from '../client/cli/error.ts';
import { PASSPHRASE_VARIABLE, passphraseFrom } from '../client/cli/passphrase.ts';
import type { Surroundings } from '../client/cli/program.ts';
import { backupCommand, restoreCommand } from './backup/commands.ts';
import { BankFolder } from './bank-folder.ts';
import { caCommand, type CaSurroundings } from './ca/commands.ts';
import { checkCommand } from './check/command.ts';
import { initCommand } from './init.ts';
import { keyCommand } from './key/command.ts';
import { retentionCommand } from './retention/command.ts';
import { storeCommand } from './store.ts';
import type { AdminSurroundings } from './surroundings.ts';
import { userCommand } from './user/command.ts';

/** Runs one command and resolves to its exit status: 0, 1, or 2 for one that was not written as it must be. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    await createProgram(surroundings).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has said why
    // What is out of range here is always something that the command was given.
    surroundings.err(`muniment-admin: ${error instanceof RangeError ? error.message : explain(error)}\n`);
    return statusOf(error);
  }
}

function createProgram({ out, err, env }: Surroundings): Command {
  const program = new Command('muniment-admin')
    .description('what the operator of a bank does')
    .option('--passphrase-file <file>', `else ${PASSPHRASE_VARIABLE}, else asked for`)
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err });
  const surroundings = (): CaSurroundings => ({
    say: (line) => out(`${line}\n`),
    passphrase: passphraseFrom(program.opts<{ passphraseFile?: string }>().passphraseFile, env),
  });
  const inFolder = (folder: string): AdminSurroundings => {
    const { say, passphrase } = surroundings();
    return { say, passphrase, folder: new BankFolder(folder, passphrase, env) };
  };
  const inBank = (folder: string): AdminSurroundings => {
    const found = inFolder(folder);
    found.folder.refuseOther();
    return found;
  };
  for (const command of [
    caCommand(surroundings),
    initCommand(inFolder),
    userCommand(inBank),
    keyCommand(inBank),
    retentionCommand(inBank),
  ])
    program.addCommand(inheriting(program, command));
  const say = (line: string): void => {
    out(`${line}\n`);
  };
  for (const command of [storeCommand(say), checkCommand(say), backupCommand(say), restoreCommand(say)])
    program.addCommand(inheriting(program, command));
  return program;
}

/** Commands that were made apart do not inherit where errors go, nor that they end no process. */
function inheriting(parent: Command, command: Command): Command {
  command.copyInheritedSettings(parent);
  for (const below of command.commands) inheriting(command, below);
  return command;
}
