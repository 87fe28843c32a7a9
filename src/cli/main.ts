#!/usr/bin/env node
// Node.js versions that are too old parse this file as well: no newer syntax here than async and import().
import type * as Cli from './index.js';

const OLDEST = [20, 19] as const;

/**
 * How V8 uses memory for its objects. Without these flags the heap grows to four times what is in use before it is collected, and new
 * objects take 32 MB: a graph of 50,000 nodes then takes half as much again.
 */
const HEAP_FLAGS = ['--semi-space-growth-factor=1', '--heap-growing-percent=30'] as const;

main();

async function main(): Promise<void> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    process.stderr.write(`bnfix needs Node.js ${OLDEST.join('.')} or later; this is ${process.versions.node}\n`);
    process.exitCode = 5;
    return;
  }
  const { setFlagsFromString } = await import('node:v8');
  for (const flag of HEAP_FLAGS) setFlagsFromString(flag);
  const nodeModule = await import('node:module');
  // From Node 22.1 on: caches the compiled code on disk for the next run.
  const { enableCompileCache } = nodeModule as { enableCompileCache?: () => void };
  if (enableCompileCache) enableCompileCache();
  // yargs asks for the working folder as soon as it is loaded, which fails if the folder was deleted.
  const hasFolder = hasWorkingFolder();
  if (!hasFolder) process.chdir('/');
  // The build bundles the CLI, index.ts and its imports, into one file.
  const { run, Terminal } = nodeModule.createRequire(import.meta.url)('./cli.cjs') as typeof Cli;
  // Not process.exit: the output must reach its pipe first.
  process.exitCode = await run(process.argv.slice(2), new Terminal(process), { hasFolder });
}

function hasWorkingFolder(): boolean {
  try {
    process.cwd();
    return true;
  } catch {
    return false;
  }
}
