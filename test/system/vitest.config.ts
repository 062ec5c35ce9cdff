import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// These suites need Debian packages; the scripts beside them install those and then run them.
const { include: _, ...test } = base.test ?? {};
export default mergeConfig(
  { ...base, test },
  defineConfig({ test: { include: ['test/system/*.suite.ts'] } }),
);
