import { defineConfig } from 'vitest/config';

// 'muniment-source' lets a test that imports 'muniment/views' get src/views/index.ts; the others are Vite's own
// defaults for code that runs in Node, which setting `conditions` replaces.
const conditions = ['muniment-source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    // These bound hangs and nothing else: no test depends on how fast the machine is.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // Vitest leaves one core idle; the slow suites wait for server processes half of the time.
    maxWorkers: 2,
    reporters: ['default'],
  },
});
