/** The module that main.ts starts. */
export { run } from './run.js';
export { Terminal } from './terminal.js';
