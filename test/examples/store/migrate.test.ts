/** `store migrate`, the operator's command, on a real PostgreSQL. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../../examples/admin/program.ts';
import { startPostgres, type OwnPostgres } from '../../../examples/demo/postgres.ts';

let folder: string;
let server: OwnPostgres;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'muniment-migrate-'));
  chmodSync(folder, 0o711);
  server = await startPostgres(path.join(folder, 'postgres'));
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function migrate(
  password: string,
  role: string,
  ...more: readonly string[]
): Promise<{ status: number; out: string; err: string }> {
  const file = path.join(folder, 'password');
  writeFileSync(file, `${password}\n`);
  const { user, port, database } = server.owner;
  let [out, err] = ['', ''];
  const where = ['--port', String(port), '--database', database, '--owner', user, '--password-file', file];
  const status = await run(['store', 'migrate', ...where, '--server', role, ...more], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {},
  });
  return { status, out, err };
}

it('may be run again, and says what is ready', async () => {
  const ready = 'postgres: the tables are ready, and bank may read and add\n';
  expect(await migrate(server.owner.password, 'bank')).toEqual({ status: 0, out: ready, err: '' });
});

it('refuses a server that owns the tables, a wrong password and a role that is not there, in one line', async () => {
  for (const [password, role] of [
    [server.owner.password, server.owner.user],
    ['wrong', 'bank'],
    [server.owner.password, 'nobody'],
  ] as const) {
    const { status, out, err } = await migrate(password, role);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/^muniment-admin: [^\n]+\n$/);
    expect(err).not.toContain(password === 'wrong' ? 'wrong' : server.owner.password);
  }
});

it('goes to another machine over TLS or not at all', async () => {
  for (const [more, why] of [
    [['--host', 'db.example'], 'needs --authority, --certificate and --key'],
    [['--host', 'db.example', '--authority', 'authority.crt'], 'belong together'],
  ] as const) {
    const { status, err } = await migrate(server.owner.password, 'bank', ...more);
    expect(status).toBe(1);
    expect(err).toContain(why);
  }
});
