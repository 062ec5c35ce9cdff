/** From nothing to a bank with two users, by the very commands that docs/administration.md gives. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function commands(): string {
  const docs = readFileSync(`${ROOT}docs/administration.md`, 'utf8');
  return /## From nothing to a bank\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(docs)?.[1] ?? '';
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

it('leads from nothing to a bank that serves two users and is as it was signed', async () => {
  const script = `set -e\ntrap 'kill $SERVER 2>/dev/null || true' EXIT\n${commands()}`;
  const env = { ...process.env, PORT: String(await freePort()) };
  const shell = spawn('bash', ['-c', script], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  shell.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  shell.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [status] = (await once(shell, 'close')) as [number];
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out).toContain('the bank bank.example/records is ready');
  expect(out).toMatch(/valid {4}until \S+ {2}doctor-1 {2}doctor, /);
  expect(out).toMatch(/valid {4}until \S+ {2}patient-1 {2}patient\n/);
  expect(out).toContain('all of it holds');
});
