#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { loadCompiled } from './code_cache.js';
import type * as Cli from './index.js';

// The build makes one file of the CLI: index.ts and all that it needs.
const { run, Terminal } = loadCompiled(fileURLToPath(new URL('cli.cjs', import.meta.url))) as typeof Cli;

// Not process.exit: what was printed has to reach its pipe first.
process.exitCode = await run(process.argv.slice(2), new Terminal(process));
