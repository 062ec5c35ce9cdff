/** `npm run admin -- store migrate`: makes the bank's tables in a PostgreSQL database, or brings them up to date. docs/storage.md. */

import { Command, InvalidArgumentError } from 'commander';
import { readFileSync } from 'node:fs';
import { isThisMachine } from '../server/config.ts';
import { migratePostgres, type PostgresAddress } from '../server/store/postgres.ts';

interface MigrateOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly owner: string;
  readonly passwordFile: string;
  readonly server: string;
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** The command `store`. */
export function storeCommand(say: (line: string) => void): Command {
  const store = new Command('store').description("the bank's database");
  store
    .command('migrate')
    .description(
      "make the bank's tables in PostgreSQL, or bring them up to date (SQLite does so when the bank starts)",
    )
    .option('--host <name>', 'of the database server', '127.0.0.1')
    .option('--port <n>', 'its port', port, 5432)
    .requiredOption('--database <name>', 'which exists')
    .requiredOption('--owner <role>', 'who will own the tables')
    .requiredOption('--password-file <file>', "the owner's password")
    .requiredOption('--server <role>', "the bank server's role, which exists and is another")
    .option(
      '--authority <file>',
      "of the database server's certificate; on another machine this and the next two are needed",
    )
    .option('--certificate <file>', "the owner's, for TLS")
    .option('--key <file>', 'of that certificate')
    .action(async (options: MigrateOptions) => {
      const { host, port: number, database, owner, passwordFile, server } = options;
      if (owner === server) throw new RangeError('a server that owns the tables can change what is written');
      const password = readFileSync(passwordFile, 'utf8').trimEnd();
      const address = { host, port: number, database, user: owner, password, ...tlsOf(options) };
      await migratePostgres(address, server);
      say(`${database}: the tables are ready, and ${server} may read and add`);
    });
  return store;
}

function tlsOf({ host, authority, certificate, key }: MigrateOptions): Pick<PostgresAddress, 'ssl'> {
  const isNamed = [authority, certificate, key].some((file) => file !== undefined);
  if (!isNamed && isThisMachine(host)) return {};
  if (authority === undefined || certificate === undefined || key === undefined)
    throw new RangeError(
      isNamed
        ? '--authority, --certificate and --key belong together'
        : 'a database server on another machine needs --authority, --certificate and --key',
    );
  const read = (file: string): string => readFileSync(file, 'utf8');
  return { ssl: { ca: read(authority), cert: read(certificate), key: read(key) } };
}

function port(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= 65535))
    throw new InvalidArgumentError('a port is 1 to 65535');
  return value;
}
