import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// Suites that need root, network namespaces and Debian packages; run.sh installs those and then runs them.
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/machines/*.suite.ts'] },
});
