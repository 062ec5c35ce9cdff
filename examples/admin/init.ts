/** `npm run admin -- init`: a bank that is ready to run, from nothing. docs/administration.md, "From nothing to a bank". */

import { Command, InvalidArgumentError } from 'commander';
import { mkdirSync, rmSync } from 'node:fs';
import { refuseExisting } from '../client/cli/files.ts';
import { bankConfig } from '../client/cli/founding.ts';
import { init, join, type Say } from '../client/cli/issuing.ts';
import { dayOf, foundAuthority } from './ca/authority.ts';
import { LOOPBACK_HOSTS } from './ca/profile.ts';
import type { BankFolder } from './bank-folder.ts';
import { DEFAULT_FOLDER, type AdminSurroundings, type FindSurroundings } from './surroundings.ts';

interface InitOptions {
  readonly folder: string;
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly days: number;
}

/** TLS certificates are renewed more often than anything else. */
const TLS_DAYS = 90;
const ROOT_DAYS = 3650;

/** The command `init`. */
export function initCommand(surroundings: FindSurroundings): Command {
  return new Command('init')
    .description(
      'make a bank: authority, administrator, keys of bank and log, charter, certificates, configuration',
    )
    .option('--folder <dir>', 'new folder', DEFAULT_FOLDER)
    .requiredOption('--origin <name>', "the bank's name for ever, such as bank.example/records")
    .option('--host <name>', 'where the server listens and users find it', '127.0.0.1')
    .option('--port <n>', 'its port', port, 12345)
    .option('--days <n>', "validity of the bank's credential", positive, 3650)
    .action(async (options: InitOptions) => {
      const { folder, passphrase, say } = surroundings(options.folder);
      refuseExisting(folder.path);
      mkdirSync(folder.path, { recursive: true, mode: 0o700 });
      try {
        await foundBank(folder, options, passphrase, say);
      } catch (error) {
        rmSync(folder.path, { recursive: true, force: true }); // nothing of it was of use to anybody yet
        throw error;
      }
    });
}

async function foundBank(
  folder: BankFolder,
  { origin, host, port: number, days }: InitOptions,
  passphrase: AdminSurroundings['passphrase'],
  say: Say,
): Promise<void> {
  const quiet = (): void => undefined;
  await foundAuthority(
    folder.at('authority'),
    { name: `${origin} authority`.slice(0, 64), days: ROOT_DAYS },
    passphrase,
  );
  // As good as the certificates that it is about: before these end somebody has to come anyway.
  const { pem: revocations, until } = await folder.authority().publish(TLS_DAYS);
  const administrator = folder.administrator();
  try {
    await init(administrator, 'administrator', days, quiet);
    const hosts = [...new Set([host, ...LOOPBACK_HOSTS])];
    const wishes = [
      { file: 'server', subject: 'bank', kind: 'server', hosts, days: TLS_DAYS },
      { file: 'administrator', subject: 'administrator', kind: 'client', hosts: [], days: TLS_DAYS },
    ] as const;
    await folder.withTls(wishes, async (tls) => {
      await bankConfig(
        administrator,
        { out: folder.at('server'), tls, origin, host, port: number, days, revocations },
        quiet,
      );
      const settings = folder.at('server', 'settings.json');
      await join(administrator, { credential: undefined, settings, tls, anchorId: folder.anchorId() }, quiet);
    });
  } finally {
    administrator.close();
  }
  say(`${folder.path}: the bank ${origin} is ready`);
  say(`start it with: npm run server -- --config ${folder.at('server', 'server.json')}`);
  say(
    `anchor id ${Buffer.from(folder.anchorId()).toString('hex')}: give it to everybody by a way that nobody can alter`,
  );
  const list = folder.at('server', 'authority.crl');
  say(
    `${list} is good until ${dayOf(until)}, and nobody gets in after that: from a timer, every day, \`ca --folder ${folder.at('authority')} crl --out ${list}\``,
  );
  say('keep authority/ and administrator/ off the server: whoever has them and the passphrase is the bank');
}

function port(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= 65535))
    throw new InvalidArgumentError('a port is 1 to 65535');
  return value;
}

/** A whole number of days. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 to 99999');
  return Number(text);
}
