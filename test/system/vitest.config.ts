import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// Suites that need Debian packages; the scripts beside them install those and then run them.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/system/*.suite.ts'], testTimeout: 600_000 },
});
