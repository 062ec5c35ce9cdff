import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';
import { FULL } from './settings.ts';

// What the bank must survive: real processes that are killed, real disks that are full. run.sh sets up what it needs.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/faults/*.suite.ts'],
    // The full run of one part takes an hour on a slow machine; this bounds hangs and nothing else.
    testTimeout: FULL ? 7_200_000 : 1_200_000,
    // Each part has a whole bank at work, and some mount file systems.
    maxWorkers: 1,
    // What is printed are the figures; who runs it wants them as they come.
    disableConsoleIntercept: true,
  },
});
