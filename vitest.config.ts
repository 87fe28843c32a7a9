import { configDefaults, defineConfig } from 'vitest/config';

// npm test: the same every time. What measures time or memory is in test/scale (npm run test:scale), what kills processes and
// fills disks in test/faults (npm run test:faults).
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/scale/**', 'test/faults/**', 'test/browser/**'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    // Only with --coverage.
    coverage: { include: ['src/**'], exclude: ['src/proto/**'], reporter: ['text-summary', 'html'] },
  },
});
