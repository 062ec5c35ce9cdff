/** The database of deploy/three-machines: who gets in, from the server's machine, and what the bank's server takes for its database. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueCertificates, repositoryProgram, runProgram } from './certificates.ts';
import { startDatabase, type Database } from './database.ts';
import { ADDRESSES, Lab, MACHINES } from './lab.ts';

let lab: Lab;
let database: Database;
const at = (...names: string[]): string => path.join(lab.folder, ...names);

beforeAll(async () => {
  lab = new Lab();
  await Promise.all(['certificates', 'others'].map((folder) => issueCertificates(at(folder))));
  database = await startDatabase(lab, at('certificates', 'database'));
  lab.rules(...MACHINES);
});

afterAll(() => lab.end());

describe('the database', () => {
  const QUERY = 'SELECT version, current_user FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

  // psql on the server's machine: whoever has broken into it.
  function psql(overrides: Readonly<Record<string, string>>): { status: number | null; said: string } {
    const own: Record<string, string> = {
      ...{ host: ADDRESSES.database, port: ADDRESSES.database_port, dbname: 'bank', user: 'bank' },
      ...{ password: database.bankPassword, sslmode: 'verify-full' },
      sslrootcert: at('certificates', 'server', 'authority.crt'),
      sslcert: at('certificates', 'server', 'store.crt'),
      sslkey: at('certificates', 'server', 'store.key'),
      ...overrides,
    };
    const address = Object.entries(own).map(([name, value]) => `${name}=${value}`);
    const { status, stdout, stderr } = lab.run('server', 'psql', '-XAtc', QUERY, address.join(' '));
    return { status, said: stdout + stderr };
  }

  const certificate = (...names: string[]): Record<string, string> => ({
    sslcert: `${at(...names)}.crt`,
    sslkey: `${at(...names)}.key`,
  });

  it('lets the server in, over TLS 1.3', () => {
    expect(psql({})).toEqual({ status: 0, said: 'TLSv1.3|bank\n' });
  });

  it.each([
    ['without TLS', () => ({ sslmode: 'disable' }), 'no encryption'],
    ['over TLS 1.2', () => ({ ssl_max_protocol_version: 'TLSv1.2' }), 'protocol version'],
    ['without a certificate', () => ({ sslcert: 'none' }), 'requires a valid client certificate'],
    [
      "with a server's certificate",
      () => certificate('certificates', 'server', 'server'),
      'unsupported certificate',
    ],
    ["with another authority's certificate", () => certificate('others', 'server', 'store'), 'unknown ca'],
    ['with a wrong password', () => ({ password: 'wrong' }), 'password authentication failed'],
    [
      'as the owner of the tables',
      () => ({ user: 'bank_owner', password: database.ownerPassword }),
      'no pg_hba.conf entry',
    ],
    ['as its superuser', () => ({ user: 'postgres' }), 'no pg_hba.conf entry'],
  ])('refuses it %s', (_, overrides, why) => {
    const { status, said } = psql(overrides());
    expect(status).toBe(2);
    expect(said).toContain(why);
  });

  it("refuses a user's certificate, whatever the password", async () => {
    expect(psql(certificate('certificates', 'client', 'administrator')).status).toBe(2);
    // What the other side is told is the same as for a wrong password.
    const why = 'provided user name (bank) and authenticated user name (administrator) do not match';
    await expect.poll(() => database.log()).toContain(why);
  });

  it('refuses a certificate that was revoked', async () => {
    const authority = (...args: string[]): Promise<string> =>
      runProgram(
        repositoryProgram('examples/admin/main.ts', 'ca', '--folder', at('others', 'authority'), ...args),
      );
    const issued = JSON.parse(await authority('list', '--json')) as {
      serial: string;
      kind: string;
      subject: string;
    }[];
    const { serial = '' } = issued.find(({ kind, subject }) => kind === 'client' && subject === 'bank') ?? {};
    await authority('revoke', serial);
    await authority('crl', '--out', at('others', 'database', 'authority.crl'));
    const others = {
      sslrootcert: at('others', 'server', 'authority.crt'),
      ...certificate('others', 'server', 'store'),
    };
    const files = (...names: string[]): Record<string, string> =>
      Object.fromEntries(names.map((name) => [name, at('others', 'database', name)]));
    const all = files('database.crt', 'database.key', 'authority.crt', 'authority.crl');
    // Under the list from before the certificate is good, which shows that it is the list that takes it back.
    database.reload({ ...all, 'authority.crl': at('others', 'server', 'authority.crl') });
    await expect.poll(() => psql(others).said).toBe('TLSv1.3|bank\n');
    database.reload(all);
    await expect.poll(() => psql(others).said).toContain('certificate revoked');
    database.reload({});
    await expect.poll(() => psql({}).status).toBe(0);
  });

  describe("as the bank's server sees it", () => {
    // The server's own code, on its machine.
    function ask(authority = 'certificates'): object {
      const read = (...names: string[]): string => readFileSync(at(...names), 'utf8');
      const address = {
        ...{
          host: ADDRESSES.database,
          port: Number(ADDRESSES.database_port),
          database: 'bank',
          user: 'bank',
        },
        password: database.bankPassword,
        ssl: {
          ca: read(authority, 'server', 'authority.crt'),
          cert: read('certificates', 'server', 'store.crt'),
          key: read('certificates', 'server', 'store.key'),
        },
      };
      const { stdout, stderr } = lab.run(
        'server',
        ...repositoryProgram('test/machines/ask.ts', JSON.stringify(address)),
      );
      expect(stderr).toBe('');
      return JSON.parse(stdout) as object;
    }

    afterAll(() => {
      database.reload({});
    });

    it('is the right one', () => {
      expect(ask()).toEqual({ version: 'TLSv1.3', user: 'bank' });
    });

    it('is refused if another authority vouches for it', () => {
      expect(ask('others')).toMatchObject({ code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    });

    it.each([
      [
        'with the certificate of another machine of the same authority',
        () => ({
          'database.crt': at('certificates', 'server', 'server.crt'),
          'database.key': at('certificates', 'server', 'server.key'),
        }),
        {},
        { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
      ],
      [
        'over TLS 1.2',
        () => ({}),
        { ssl_min_protocol_version: 'TLSv1.2', ssl_max_protocol_version: 'TLSv1.2' },
        { code: 'EPROTO', message: expect.stringContaining('alert protocol version') as string },
      ],
      ['without TLS', () => ({}), { ssl: 'off' }, { message: 'The server does not support SSL connections' }],
    ])('is refused %s', async (_, files, settings, refusal) => {
      database.reload(files(), settings);
      await expect.poll(() => ask(), { timeout: 60_000 }).toMatchObject(refusal);
    });
  });
});
