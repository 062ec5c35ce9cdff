/** From nothing to a bank with a document, and back from its backup, by the very commands that docs/administration.md gives. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function commands(section: string): string {
  const docs = readFileSync(`${ROOT}docs/administration.md`, 'utf8');
  const [, after = ''] = docs.split(`## ${section}\n`);
  return /```sh\n([\s\S]*?)```/.exec(after)?.[1] ?? 'false';
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

it('leads from nothing to a bank that serves a document and is as it was signed, and back to it from a backup', async () => {
  const all = commands('From nothing to a bank') + commands('Backup and restore');
  const script = `set -e\ntrap 'kill $SERVER 2>/dev/null || true' EXIT\n${all}`;
  const env = { ...process.env, PORT: String(await freePort()) };
  const shell = spawn('bash', ['-c', script], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  shell.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  shell.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [status] = (await once(shell, 'close')) as [number];
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out).toContain('the bank bank.example/records is ready');
  expect(out).toMatch(/valid {4}until \S+ {2}doctor-1 {2}doctor, .* {2}[0-9a-f]{64}\n/);
  expect(out).toMatch(/valid {4}until \S+ {2}patient-1 {2}patient {2}[0-9a-f]{64}\n/);
  expect(out).toContain('added 1 document;');
  expect(out).toMatch(/patient-1: 2 entries, 1 document open for you, 3 fields\n/);
  expect(out).toContain('  /patient/bloodType: "B-"\n');
  expect(out).toContain('doctor-1 is registered anew as doctor, ');
  expect(out).toMatch(/moved of \S+, stated \S+ {2}no term {2}1 payload to erase, 0 erased\n/);
  expect(out).toMatch(/^bank {2}bank {2}[0-9a-f]{64}, \S+ to \S+\n/m);
  expect(out.match(/all of it holds\n/g)).toHaveLength(3); // as it was, in its backup, and restored
  expect(out).toMatch(/the server may be started\n$/);
});
