import { defineConfig } from 'vitest/config';

// For stryker (npm run mutation): the tests that reach src/analysis and src/passes, with one fixture of twenty.
export default defineConfig({
  test: {
    include: ['test/{analysis,passes,ops,graph,fold,freezing}/**/*.test.ts'],
    env: { BNFIX_EVERY: '20' },
    testTimeout: 60_000,
  },
});
