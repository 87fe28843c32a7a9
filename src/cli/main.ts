#!/usr/bin/env node
import { run } from './run.js';
import { Terminal } from './terminal.js';

// Not process.exit: what was printed has to reach its pipe first.
process.exitCode = await run(process.argv.slice(2), new Terminal(process));
