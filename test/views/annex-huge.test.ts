/** Annexes in constant memory: 4 GiB of them in the slow suite, 64 MiB otherwise, in a process that does nothing else. */

import { expect, it } from 'vitest';
import { runAlone } from '../alone.ts';
import { SLOW } from '../property.ts';

const MIB = 1024 * 1024;
const LENGTH = SLOW ? 4096 * MIB : 64 * MIB;
// When the collector comes, and how far its threads have got when memory is looked at, differs from run to run: here the
// script calls it after every 4 MiB, and it ends its work before it returns.
const FLAGS = ['--expose-gc', '--single-threaded-gc', '--max-semi-space-size=1'];

it(`${LENGTH / MIB} MiB seal and open within 96 MiB; 1 MiB from the middle reads less than 1.2 MiB`, async () => {
  const stdout = await runAlone('views/annex-huge', [String(LENGTH)], FLAGS);
  console.info(`annex-huge: ${stdout}`);
  const { megabytesResident, ciphertext, range, ...lengths } = JSON.parse(stdout) as Report;
  expect(lengths).toMatchObject({ sealed: LENGTH, opened: LENGTH });
  expect(ciphertext).toBe(LENGTH + (LENGTH / 65_536) * 16);
  expect(megabytesResident).toBeLessThanOrEqual(96);
  expect(range.opened).toBe(MIB);
  expect(range.read).toBeLessThan(1.2 * MIB);
}, 3_600_000);

interface Report {
  readonly sealed: number;
  readonly ciphertext: number;
  readonly opened: number;
  readonly range: { readonly opened: number; readonly read: number };
  readonly megabytesResident: number;
}
