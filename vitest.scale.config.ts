import { defineConfig } from 'vitest/config';

// npm run test:scale: time and memory, one file at a time so that they do not disturb each other.
export default defineConfig({
  test: { include: ['test/scale/**/*.test.ts'], fileParallelism: false },
});
