import { defineConfig } from 'vitest/config';

// npm run test:faults: processes that are killed, disks that are full, files that change. Their timing differs from run to run,
// so they are no part of npm test.
export default defineConfig({
  test: { include: ['test/faults/**/*.test.ts'], fileParallelism: false, testTimeout: 3_600_000, hookTimeout: 120_000 },
});
