import { defineConfig } from 'vitest/config';

// 'muniment-source' lets a test that imports 'muniment/views' get src/views/index.ts; the others are Vite's own
// defaults for code that runs in Node, which setting `conditions` replaces.
const conditions = ['muniment-source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Vitest leaves one core idle; the slow suites wait for server processes half of the time.
    maxWorkers: 2,
    reporters: ['default'],
  },
});
