/** The ledger by itself: its log's times never fall, whatever the clock does. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KEM_X25519, sha256, systemRandom } from 'muniment/crypto';
import { createAnchor, enrol, type Identity } from 'muniment/keys';
import { verifyReceipt } from 'muniment/record';
import { utf8 } from 'muniment/wire';
import { beforeAll, expect, it } from 'vitest';
import { Ledger } from '../../examples/server/ledger.ts';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import { Store } from '../../examples/server/store.ts';

const ORIGIN = 'bank.example/records';
const RECORD = systemRandom(16);
let bank: Identity;
let now = 5000;

beforeAll(async () => {
  const suite = { kem: KEM_X25519 };
  const validity = { notBefore: 0, notAfter: 4e12 };
  const anchor = await createAnchor({ subject: 'admin', roles: ['administrator'], ...validity }, suite);
  bank = await enrol(anchor, { subject: 'bank', roles: ['bank'], ...validity }, suite);
});

async function take(ledger: Ledger): Promise<number> {
  const accepted = await ledger.record(RECORD, { kind: 'access', content: utf8('read') });
  const cause = {
    ...{ request: 1, session: new Uint8Array(32) },
    digests: { data: sha256(utf8('data')), signature: sha256(utf8('signature')) },
  };
  const [receipted] = await ledger.commit([accepted], new Uint8Array(32), cause, {});
  const about = { origin: ORIGIN, entryHash: accepted.hash };
  return verifyReceipt(receipted!.receipt, bank.credential, about).time;
}

it('states no earlier time than before, not even after a restart', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-ledger-'));
  const store = new Store(folder);
  const log = { origin: ORIGIN, ...createLogKeys() };
  const judge = (): void => undefined;
  const open = (): Ledger =>
    new Ledger({ store, identity: bank, log, now: () => now, judge, witnesses: [], report: judge });
  const ledger = open();
  expect(await take(ledger)).toBe(5000);
  now = 4000;
  expect(await take(ledger)).toBe(5000);
  expect(await take(open())).toBe(5000);
  now = 6000;
  expect(await take(open())).toBe(6000);
  store.close();
  rmSync(folder, { recursive: true });
});
