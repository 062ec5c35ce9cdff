/** PostgreSQL on machine 3 of a lab, under the very configuration that is installed there; only its folders are elsewhere. */

import { execFileSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryProgram } from './certificates.ts';
import { ADDRESSES, DEPLOY, type Lab } from './lab.ts';

/** What Debian's package calls its programs' folders by. */
const VERSIONS = '/usr/lib/postgresql';
const AS_POSTGRES = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'];

/** A running database server. */
export interface Database {
  /** Everything that it writes. */
  readonly folder: string;
  /** The folder of its socket. */
  readonly socket: string;
  /** Files, each of one line. */
  readonly passwords: { readonly owner: string; readonly bank: string };
  readonly ownerPassword: string;
  readonly bankPassword: string;
  /** What it has said so far. */
  log(): string;
  /** Gives it other files or settings while it runs, and those that it began with again. */
  reload(files: Readonly<Record<string, string>>, settings?: Readonly<Record<string, string>>): void;
}

/**
 * Makes the cluster, the roles and the tables as the README says, and starts the server.
 *
 * @param certificates - the folder that `certificates` made for the database
 */
export async function startDatabase(lab: Lab, certificates: string): Promise<Database> {
  const programs = path.join(VERSIONS, readdirSync(VERSIONS).sort().at(-1) ?? '', 'bin');
  const at = (name: string): string => path.join(lab.folder, 'machine-3', name);
  mkdirSync(at('etc'), { recursive: true });
  mkdirSync(at('socket'));
  const usual = ['database.crt', 'database.key', 'authority.crt', 'authority.crl'];
  const install = (from: string, name: string): void => {
    copyFileSync(from, at(`etc/${name}`));
    chmodSync(at(`etc/${name}`), 0o600);
    execFileSync('chown', ['-R', 'postgres:postgres', at('')]);
  };
  for (const name of usual) install(path.join(certificates, name), name);
  const configure = (settings: Readonly<Record<string, string>>): void => {
    const own: Record<string, string> = {
      hba_file: path.join(DEPLOY, 'database', 'pg_hba.conf'),
      unix_socket_directories: at('socket'),
      ssl_cert_file: at('etc/database.crt'),
      ssl_key_file: at('etc/database.key'),
      ssl_ca_file: at('etc/authority.crt'),
      ssl_crl_file: at('etc/authority.crl'),
      ...settings,
    };
    const lines = Object.entries(own).map(([name, value]) => `${name} = '${value}'\n`);
    const installed = path.join(DEPLOY, 'database', 'postgresql.conf');
    writeFileSync(at('etc/postgresql.conf'), `include '${installed}'\n${lines.join('')}`, { mode: 0o644 });
  };
  configure({});
  execFileSync('chown', ['-R', 'postgres:postgres', at('')]);

  const run = (...command: string[]): void => {
    const { status, stderr } = lab.run('database', ...command);
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  };
  run(...AS_POSTGRES, path.join(programs, 'initdb'), '-D', at('data'), '--encoding=UTF8', '--locale=C');
  const program = [
    path.join(programs, 'postgres'),
    '-D',
    at('data'),
    '-c',
    `config_file=${at('etc/postgresql.conf')}`,
  ];
  const server = lab.start('database', ...AS_POSTGRES, ...program);
  const log = await ready(server);

  const [ownerPassword, bankPassword] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const passwords = { owner: at('owner.password'), bank: at('bank.password') };
  writeFileSync(passwords.owner, `${ownerPassword}\n`, { mode: 0o600 });
  writeFileSync(passwords.bank, `${bankPassword}\n`, { mode: 0o600 });
  execFileSync('chown', ['postgres:postgres', ...Object.values(passwords)]);
  const variables = ['-v', `owner_file=${passwords.owner}`, '-v', `bank_file=${passwords.bank}`];
  const psql = ['psql', '-h', at('socket'), '-p', ADDRESSES.database_port, '-v', 'ON_ERROR_STOP=1', '-q'];
  run(...AS_POSTGRES, ...psql, ...variables, '-f', path.join(DEPLOY, 'database', 'roles.sql'), 'postgres');
  const owner = ['--database', 'bank', '--owner', 'bank_owner', '--password-file', passwords.owner];
  const migrate = ['store', 'migrate', '--host', at('socket'), '--port', ADDRESSES.database_port, ...owner];
  run(...repositoryProgram('examples/admin/main.ts', ...migrate, '--server', 'bank'));
  return {
    ...{ folder: at('data'), socket: at('socket'), passwords, ownerPassword, bankPassword },
    log,
    reload: (files, settings = {}) => {
      for (const name of usual) install(files[name] ?? path.join(certificates, name), name);
      configure(settings);
      server.kill('SIGHUP');
    },
  };
}

async function ready(server: ChildProcess): Promise<() => string> {
  let said = '';
  const started = new Promise<void>((resolve) => {
    server.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (said.includes('ready to accept connections')) resolve();
    });
  });
  const ended = once(server, 'exit').then(() => {
    throw new Error(`PostgreSQL ended at once: ${said}`);
  });
  await Promise.race([started, ended]);
  ended.catch(() => undefined);
  return () => said;
}
