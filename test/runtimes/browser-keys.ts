/** Browser keys (examples/client/keystores/webcrypto.ts) in a real browser, over reloads and restarts. */

import { deepStrictEqual } from 'node:assert';
import {
  ED25519,
  ES256,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  kem,
  signatureAlgorithm,
} from 'muniment/crypto';
import type { BrowserKeyOptions } from '../../examples/client/keystores/webcrypto.ts';
import { Browser, call, INSECURE, SANDBOXED } from './chromium.ts';
import type { Tally } from './tally.ts';

/** Every KEM with a signature algorithm, and how many keys are kept for it: of the hybrid ones each seed has a key too. */
const KINDS: readonly (readonly [string, Required<BrowserKeyOptions>, number])[] = [
  ['default', { kem: KEM_XWING, algorithm: ED25519 }, 5],
  ['p256', { kem: KEM_P256, algorithm: ES256 }, 3],
  ['x25519', { kem: KEM_X25519, algorithm: ES256 }, 3],
  ['hybrid-p256', { kem: KEM_MLKEM768_P256, algorithm: ED25519 }, 5],
];

const LIFE = {
  written: '{"cost":15.00}',
  read: '{"cost":15.00}',
  asked: '{"heard":"{\\"ping\\":1}"}',
  answered: '{"heard":"{\\"ping\\":1}"}',
};

/** Plays everything, and tells each step to the tally. */
export function checkBrowserKeys(script: string, tally: Tally): Promise<void> {
  return Browser.with(script, async (browser) => {
    const made = new Map<string, string>();
    const first = await browser.page();
    for (const [name, options, keys] of KINDS)
      await tally.check(`browser keys, ${name}: made, not exportable, usable after a reload`, async () => {
        const publicKeys = await call<string>(first, 'create', name, name === 'default' ? {} : options);
        made.set(name, publicKeys);
        deepStrictEqual(lengthsIn(publicKeys), lengthsOf(options));
        deepStrictEqual(await call(first, 'exportAll', name), { keys, answers: ['InvalidAccessError'] });
        deepStrictEqual(await call(first, 'create', name, options), 'BROWSER_EXISTS');
        await first.reload();
        deepStrictEqual(await call(first, 'open', name), publicKeys);
        deepStrictEqual(await call(first, 'live', name), LIFE);
      });
    await browser.close();
    const page = await browser.page();
    for (const [name, , keys] of KINDS)
      await tally.check(`browser keys, ${name}: the same after a restart of the browser`, async () => {
        deepStrictEqual(await call(page, 'open', name), made.get(name));
        deepStrictEqual(await call(page, 'live', name), LIFE);
        deepStrictEqual(await call(page, 'exportAll', name), { keys, answers: ['InvalidAccessError'] });
      });
    await tally.check('browser keys: what is damaged does not open', async () => {
      deepStrictEqual(await call(page, 'damaged', 'default'), Array<string>(8).fill('BROWSER_DAMAGED'));
    });
    await tally.check(
      'browser keys: another key’s half and a senseless encapsulation are refused',
      async () => {
        deepStrictEqual(await call(page, 'misused', 'default'), ['BROWSER_DAMAGED', 'KEY_OPEN']);
      },
    );
    await tally.check('browser keys: none without a secure context or without storage', async () => {
      const [insecure, sandboxed] = [await browser.page(INSECURE), await browser.page(SANDBOXED)];
      deepStrictEqual(await call(insecure, 'create', 'default', {}), 'BROWSER_UNSUPPORTED');
      deepStrictEqual(await call(sandboxed, 'create', 'default', {}), 'BROWSER_STORAGE');
      deepStrictEqual(await call(sandboxed, 'open', 'default'), 'BROWSER_STORAGE');
    });
    await tally.check('browser keys: what is deleted is gone, and nothing else', async () => {
      for (const name of ['default', 'nobody']) deepStrictEqual(await call(page, 'forget', name), null);
      deepStrictEqual(await call(page, 'open', 'p256'), made.get('p256'));
    });
  });
}

function lengthsIn(publicKeys: string): number[] {
  return publicKeys.split(' ').map((key) => key.length / 2);
}

function lengthsOf({ algorithm, kem: id }: Required<BrowserKeyOptions>): number[] {
  return [signatureAlgorithm(algorithm), kem(id), kem(id)].map(({ publicKeyLength }) => publicKeyLength);
}
