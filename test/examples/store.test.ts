/** The bank's memory of first messages, in its database: what the port demands, and over a restart. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemRandom } from 'muniment/crypto';
import { CLOCK_WINDOW, type FirstMessage } from 'muniment/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Store } from '../../examples/server/store.ts';
import { refusal } from '../refusal.ts';

const NOW = Date.UTC(2026, 2, 14);

let folder: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'muniment-store-'));
  store = new Store(folder);
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function reopen(): void {
  store.close();
  store = new Store(folder);
}

const message = (time: number): FirstMessage => ({ digest: systemRandom(32), time });
const refused = (first: FirstMessage, now: number): string => refusal(() => store.remember(first, now));

it('takes a first message once, also after a restart', () => {
  const first = message(NOW);
  store.remember(first, NOW);
  expect(refused(first, NOW)).toBe('SESSION_REPLAY');
  reopen();
  expect(refused(first, NOW + CLOCK_WINDOW)).toBe('SESSION_REPLAY');
  store.remember(message(NOW), NOW);
});

it('forgets what the clock refuses, and takes nothing as old should the clock be set back', () => {
  const first = message(NOW);
  store.remember(first, NOW);
  const later = NOW + CLOCK_WINDOW + 1;
  store.remember(message(later), later);
  expect(store.get<{ n: number }>('SELECT count(*) AS n FROM first_messages')).toEqual({ n: 1 });
  for (const again of [() => undefined, reopen]) {
    again();
    expect(refused(first, NOW)).toBe('SESSION_REPLAY');
    expect(refused(message(NOW), NOW)).toBe('SESSION_REPLAY');
  }
  store.remember(message(NOW + 1), NOW);
});

it('refuses when it is full, and has room again in time', () => {
  store.transaction(() => {
    for (let n = 0; n < 100_000; n++)
      store.run('INSERT INTO first_messages VALUES (?, ?)', Buffer.from(String(n)), NOW);
  });
  expect(refused(message(NOW), NOW)).toBe('SESSION_REPLAY');
  store.remember(message(NOW + 1), NOW + CLOCK_WINDOW + 1);
});
