/** Where a passphrase comes from: a file, the environment, or a person who is not shown what they type. */

import { CliError } from './error.ts';
import { readText } from './files.ts';

/** The environment's variable. */
export const PASSPHRASE_VARIABLE = 'MUNIMENT_PASSPHRASE';

/** Obtains a passphrase; one for new keys is asked for twice. */
export type AskPassphrase = (isNew: boolean) => Promise<string>;

/** Asks in that order, and once in a command. */
export function passphraseFrom(file: string | undefined, env: NodeJS.ProcessEnv): AskPassphrase {
  let known: Promise<string> | null = null;
  return (isNew) => (known ??= obtain(file, env, isNew));
}

async function obtain(file: string | undefined, env: NodeJS.ProcessEnv, isNew: boolean): Promise<string> {
  const passphrase = await find(file, env, isNew);
  if (passphrase === '') throw new CliError('the passphrase is empty');
  return passphrase;
}

async function find(file: string | undefined, env: NodeJS.ProcessEnv, isNew: boolean): Promise<string> {
  if (file !== undefined) return readText(file).replace(/\r?\n$/, '');
  const given = env[PASSPHRASE_VARIABLE];
  if (given !== undefined) return given;
  if (!process.stdin.isTTY) {
    throw new CliError(`no passphrase: give --passphrase-file FILE or set ${PASSPHRASE_VARIABLE}`);
  }
  const passphrase = await prompt('Passphrase: ');
  if (isNew && (await prompt('Once more:  ')) !== passphrase)
    throw new CliError('the two passphrases differ');
  return passphrase;
}

const ENTER = ['\r', '\n', '\u0004'];
const INTERRUPT = '\u0003';
const ERASE = ['\u0008', '\u007f'];

// Raw mode: nothing of what is typed is shown, not even its length.
async function prompt(question: string): Promise<string> {
  const { stdin } = process;
  process.stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  try {
    return await new Promise((resolve, reject) => {
      let typed: string[] = [];
      stdin.on('data', (chunk: string) => {
        for (const character of chunk) {
          if (character === INTERRUPT) reject(new CliError('interrupted'));
          else if (ENTER.includes(character)) resolve(typed.join(''));
          else if (ERASE.includes(character)) typed = typed.slice(0, -1);
          else typed.push(character);
        }
      });
    });
  } finally {
    stdin.removeAllListeners('data');
    stdin.setRawMode(false);
    stdin.pause();
    process.stderr.write('\n');
  }
}
