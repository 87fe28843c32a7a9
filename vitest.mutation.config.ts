import { configDefaults, defineConfig } from 'vitest/config';

// For stryker (npm run mutation), which runs them thousands of times: the fast tests that reach src/analysis and src/passes.
// Nets that are run with TensorFlow.js are left out, but for one fixture of forty.
export default defineConfig({
  test: {
    include: ['test/{analysis,passes,ops,graph,fold,freezing}/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      'test/fold/*fixtures.test.ts',
      'test/**/random*.test.ts',
      'test/ops/*fixtures*',
    ],
    env: { BNFIX_EVERY: '40' },
    testTimeout: 60_000,
  },
});
