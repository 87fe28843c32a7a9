import { defineConfig } from 'vitest/config';

// npm run test:scale: time and memory, one file at a time so that they do not disturb each other. V8 has one thread, since
// its helpers spin while they wait for a busy processor, and the processor time is what is measured.
export default defineConfig({
  test: { include: ['test/scale/**/*.test.ts'], fileParallelism: false, execArgv: ['--single-threaded'] },
});
