/** Keys in a SoftHSM token at work: in the client's wallet, and with the doctor of the whole demo. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../examples/client/cli/program.ts';
import { ES256, KEM_MLKEM768_P256, KEM_P256 } from '../../src/crypto/index.ts';
import { readUnverifiedCredential } from '../../src/keys/index.ts';
import { MODULE, PIN, SoftHsm, type Listed } from './softhsm.ts';

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

const hsm = new SoftHsm();
for (const label of ['client', 'demo']) hsm.init(label);
const at = (...names: string[]): string => path.join(hsm.folder, ...names);
const inToken = (label: string): string[] => ['--pkcs11', MODULE, '--token', label];

afterAll(() => {
  hsm.remove();
});

describe('a wallet whose keys are in a token', () => {
  let anchorId: string;

  async function as(who: string, env: Record<string, string>, ...args: string[]): Promise<Ran> {
    let [out, err] = ['', ''];
    const status = await run(['--wallet', at(who), ...args], {
      out: (text) => (out += text),
      err: (text) => (err += text),
      env: { MUNIMENT_PASSPHRASE: 'of the tests', ...env },
    });
    expect(out + err).not.toContain(PIN);
    return { status, out, err };
  }

  async function done(who: string, ...args: string[]): Promise<string> {
    const { status, out, err } = await as(who, { MUNIMENT_PIN: PIN }, ...args);
    expect({ command: args[0], status, err }).toEqual({ command: args[0], status: 0, err: '' });
    return out;
  }

  const request = (who: string, ...more: string[]): string[] => {
    const claim = ['--subject', who, '--role', 'doctor', '--out', at(`${who}.request`)];
    return ['request', ...claim, ...inToken('client'), ...more];
  };

  beforeAll(async () => {
    await done('administrator', 'init');
    anchorId = readFileSync(at('administrator', 'anchor-id'), 'utf8').trim();
    await done('administrator', 'authority', '--out', at('tls'), 'administrator', 'split', 'pure');
    const bank = ['--out', at('bank'), '--tls', at('tls'), '--origin', 'bank.example/test', '--port', '1'];
    await done('administrator', 'bank-config', ...bank);
  });

  it.each([
    ['split', KEM_MLKEM768_P256, []],
    ['pure', KEM_P256, ['--kem', 'p256']],
  ])('proves that it holds them, and joins: %s', async (who, kemId, more) => {
    const asked = await done(who, ...request(who, ...more));
    expect(asked).toContain('made keys in the token client;');
    await done('administrator', 'challenge', at(`${who}.request`), '--out', at('challenge'));
    await done(who, 'answer', at('challenge'), '--out', at('answer'));
    const files = [at(`${who}.request`), at('answer')];
    await done('administrator', 'issue', ...files, '--role', 'doctor', '--out', at('credential'));
    const trust = ['--settings', at('bank', 'settings.json'), '--tls', at('tls'), '--anchor-id', anchorId];
    await done(who, 'join', '--credential', at('credential'), ...trust);
    expect(await done(who, 'status')).toContain(`${who}, doctor`);

    const { signing, handshake, sealing } = readUnverifiedCredential(
      new Uint8Array(readFileSync(at(who, 'credential'))),
    );
    expect([signing.algorithm, handshake.kem, sealing.kem]).toEqual([ES256, kemId, kemId]);
    expect(existsSync(at(who, 'keys.json'))).toBe(false);
  });

  it('makes no keys over others, in the wallet or in the token', async () => {
    const pin = { MUNIMENT_PIN: PIN };
    expect(await as('split', pin, ...request('other'))).toMatchObject({
      status: 1,
      err: `muniment-client: ${at('split', 'token.json')} is there already, and is left as it is\n`,
    });
    expect(await as('copy', pin, ...request('split'))).toMatchObject({
      status: 1,
      err: 'muniment-client: the token has a key "split custody" already\n',
    });
    expect(existsSync(at('copy', 'token.json'))).toBe(false);
  });

  it('says what is wrong in one line', async () => {
    const line = async (env: Record<string, string>, ...args: string[]): Promise<string> =>
      (await as('split', env, ...args)).err;
    const answer = ['answer', at('challenge'), '--out', at('answer')];
    expect(await line({ MUNIMENT_PIN: '00000000' }, ...answer)).toBe('muniment-client: wrong PIN\n');
    expect(await line({}, ...answer)).toBe('muniment-client: no PIN: set MUNIMENT_PIN\n');
    const half = await as('new', { MUNIMENT_PIN: PIN }, ...request('new').slice(0, -2));
    expect(half).toMatchObject({ status: 2, err: expect.stringContaining('--token LABEL') as string });

    expect(await line({ MUNIMENT_PIN: PIN }, 'export-keys', '--out', at('split.p12'))).toBe(
      'muniment-client: these keys are in a token, which does not hand them out\n',
    );

    const file = at('split', 'token.json');
    const content = readFileSync(file, 'utf8');
    const { seeds, ...rest } = JSON.parse(content) as { seeds: Record<string, string> };
    const { handshake = '', sealing = '' } = seeds;
    writeFileSync(file, JSON.stringify({ ...rest, seeds: { handshake: sealing, sealing: handshake } }));
    expect(await line({ MUNIMENT_PIN: PIN }, ...answer)).toMatch(/^muniment-client: KEY_OPEN: .*\n$/);
    writeFileSync(file, content);
  });
});

describe('the demo with the doctor in a token', () => {
  async function demo(args: readonly string[], pin = PIN, whileItRuns?: () => void): Promise<Ran> {
    const main = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));
    const child = spawn(
      process.execPath,
      ['-C', 'muniment-source', '--import', import.meta.resolve('tsx'), main, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, MUNIMENT_PIN: pin } },
    );
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      if (out === '') whileItRuns?.();
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number];
    expect(out + err).not.toContain(PIN);
    return { status, out, err };
  }

  it.each([
    ['MLKEM768-P256', 4, []],
    ['P-256', 3, ['--kem', 'p256']],
  ])('plays every step, with %s', async (name, count, more) => {
    let listed: Listed[] = [];
    const { status, out, err } = await demo([...inToken('demo'), ...more], PIN, () => {
      listed = hsm.privateKeys('demo');
    });
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toContain(`the first doctor's keys are in the token demo`);
    expect(out).toContain(`ES256 and ${name}\n`);
    expect(out).toMatch(/: 0 found\n/);
    expect(out).not.toContain('NOT REFUSED');
    expect(out).toContain('Every step held.\n');
    expect(listed.map(({ access }) => access)).toEqual(
      Array.from({ length: count }, () => 'sensitive, always sensitive, never extractable, local'),
    );
    // And the token is as it was.
    expect(hsm.privateKeys('demo')).toEqual([]);
  });

  it('ends in one line where the token does not open', async () => {
    expect(await demo(inToken('demo'), '00000000')).toEqual({
      status: 1,
      out: '',
      err: 'muniment-demo: wrong PIN\n',
    });
    const usage = await demo(['--token', 'demo']);
    expect(usage.status).toBe(2);
  });
});
