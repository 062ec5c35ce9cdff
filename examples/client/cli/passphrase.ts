/** Where a secret text comes from: a file, the environment, or a person who is not shown what they type. */

import { CliError } from './error.ts';
import { readText } from './files.ts';

/** The environment's variable for the passphrase of key files. */
export const PASSPHRASE_VARIABLE = 'MUNIMENT_PASSPHRASE';
/** The environment's variable for a token's PIN. */
export const PIN_VARIABLE = 'MUNIMENT_PIN';

/** Obtains a passphrase; one for new keys is asked for twice. */
export type AskPassphrase = (isNew: boolean) => Promise<string>;
/** Obtains a PIN. */
export type AskPin = () => Promise<string>;

/** Asks in that order, and once in a command. */
export function passphraseFrom(file: string | undefined, env: NodeJS.ProcessEnv): AskPassphrase {
  let known: Promise<string> | null = null;
  return (isNew) => (known ??= obtain(PASSPHRASE, file, env, isNew));
}

/** The same for a PIN, which has no file: who steals the file would need nothing but the token. */
export function pinFrom(env: NodeJS.ProcessEnv): AskPin {
  let known: Promise<string> | null = null;
  return () => (known ??= obtain(PIN, undefined, env, false));
}

/** Opens what is in a file. Throws `CliError` with the file's name if it is under another passphrase. */
export async function unsealed<Result>(file: string, open: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await open();
  } catch (cause) {
    if (!isUnopened(cause)) throw cause;
    throw new CliError(`the passphrase does not open ${file}`, { cause });
  }
}

function isUnopened(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === 'KEY_PASSPHRASE' || code.startsWith('ERR_OSSL_'); // OpenSSL's own, of a key in PEM
}

interface Wanted {
  readonly name: string;
  readonly question: string;
  readonly variable: string;
  readonly remedy: string;
}

const PASSPHRASE: Wanted = {
  name: 'passphrase',
  question: 'Passphrase: ',
  variable: PASSPHRASE_VARIABLE,
  remedy: `give --passphrase-file FILE or set ${PASSPHRASE_VARIABLE}`,
};
const PIN: Wanted = {
  name: 'PIN',
  question: 'PIN of the token: ',
  variable: PIN_VARIABLE,
  remedy: `set ${PIN_VARIABLE}`,
};

async function obtain(
  wanted: Wanted,
  file: string | undefined,
  env: NodeJS.ProcessEnv,
  isNew: boolean,
): Promise<string> {
  const text = await find(wanted, file, env, isNew);
  if (text === '') throw new CliError(`the ${wanted.name} is empty`);
  return text;
}

async function find(
  { name, question, variable, remedy }: Wanted,
  file: string | undefined,
  env: NodeJS.ProcessEnv,
  isNew: boolean,
): Promise<string> {
  if (file !== undefined) return readText(file).replace(/\r?\n$/, '');
  const given = env[variable];
  if (given !== undefined) return given;
  if (!process.stdin.isTTY) throw new CliError(`no ${name}: ${remedy}`);
  const text = await prompt(question);
  if (isNew && (await prompt('Once more:  ')) !== text) throw new CliError('the two passphrases differ');
  return text;
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
