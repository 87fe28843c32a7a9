import { defineConfig } from 'vitest/config';

// npm run test:browser: pages in a real Chromium, one at a time, since some tests measure frames.
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
