/** `npm run admin -- store migrate`: makes the bank's tables in a PostgreSQL database, or brings them up to date. docs/storage.md. */

import { Command, InvalidArgumentError } from 'commander';
import { readFileSync } from 'node:fs';
import { migratePostgres } from '../server/store/postgres.ts';

interface MigrateOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly owner: string;
  readonly passwordFile: string;
  readonly server: string;
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
    .action(async ({ host, port: number, database, owner, passwordFile, server }: MigrateOptions) => {
      if (owner === server) throw new RangeError('a server that owns the tables can change what is written');
      const password = readFileSync(passwordFile, 'utf8').trimEnd();
      await migratePostgres({ host, port: number, database, user: owner, password }, server);
      say(`${database}: the tables are ready, and ${server} may read and add`);
    });
  return store;
}

function port(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= 65535))
    throw new InvalidArgumentError('a port is 1 to 65535');
  return value;
}
