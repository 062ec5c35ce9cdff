/** A log of a million leaves in a process that does nothing else: appended, proven, verified, restored, and its memory. */

import { expect, it } from 'vitest';
import { runAlone } from '../alone.ts';

const LEAVES = 1_000_000;
// Two hashes a leaf, and a piece of 256 KiB for each of the 20 levels at most.
const BOUND = LEAVES * 64 + 20 * 256 * 1024;

it('1,000,000 leaves: appended, proven and verified in 64 bytes a leaf and 5 MiB', async () => {
  const stdout = await runAlone('record/log-huge', [String(LEAVES)], ['--expose-gc']);
  console.info(`log-huge: ${stdout}`);
  const { bytes, ...rest } = JSON.parse(stdout) as { readonly bytes: number };
  expect(rest).toMatchObject({ size: LEAVES, proven: 1004, restored: true });
  expect(bytes).toBeLessThanOrEqual(BOUND);
}, 120_000);
