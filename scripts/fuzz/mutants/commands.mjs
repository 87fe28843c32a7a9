// What `npm run fuzz` does with mutants, and what it prints.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepMutant, readKept } from './keep.mjs';
import { minimise } from './minimise.mjs';
import { Worker } from './pool.mjs';
import { runMutants } from './run.mjs';

/** Runs mutants and prints what became of them. @returns the exit code */
export async function fuzzMutants({
  seed = randomInt(2 ** 31),
  count = Number.POSITIVE_INFINITY,
  first,
  quick,
  workers,
  keep,
  end,
}) {
  console.log(`mutants of seed ${seed}`);
  const onFinding = (signature, number, mutant, folder) => {
    console.log(
      `\n${signature}\n  mutant ${number} of ${mutant.name}, ${mutant.command}: ${mutant.changes.join('; ')}\n  ${folder}`,
    );
  };
  const onProgress = (ran) => console.log(`${ran} mutants`);
  // The first ^C ends it with its figures, the second at once.
  let isInterrupted = false;
  process.once('SIGINT', () => {
    isInterrupted = true;
  });
  const { ran, outcomes, commands, findings, seconds } = await runMutants({
    seed,
    count,
    first,
    quick,
    workers,
    keep,
    isOver: () => isInterrupted || Date.now() >= end,
    onFinding,
    onProgress,
  });
  console.log(`\n${table(outcomes)}\n\n${ran} mutants in ${seconds.toFixed(0)} s, ${findings.size} findings`);
  console.log(
    [...commands]
      .sort()
      .map(([name, times]) => `${name} ${times}`)
      .join(', '),
  );
  for (const [signature, { count: times, numbers }] of findings)
    console.log(`  ${times} x ${signature} (${numbers.join(', ')})`);
  if (findings.size === 0) return 0;
  const number = [...findings.values()][0].numbers[0];
  console.log(`
To see the first one again:
  npm run fuzz -- mutants --seed ${seed} --first ${number} --mutants 1${quick ? ' --quick' : ''}
To make one smaller:
  npm run fuzz -- minimise ${join(keep, 'FOLDER')}`);
  return 1;
}

/** Runs a kept mutant again. @returns the exit code */
export async function replay(folder) {
  const found = await runKept(readKept(folder));
  console.log(found);
  return found.fault || found.faults.length > 0 ? 1 : 0;
}

export async function minimiseKept(folder) {
  const { signature } = JSON.parse(readFileSync(join(folder, 'what.json'), 'utf8'));
  const mutant = readKept(folder);
  const small = await minimise(mutant, signature);
  if (!small) {
    console.error(`it does not fail any more: ${signature}`);
    return 1;
  }
  const target = `${folder.replace(/\/$/, '')}-small`;
  keepMutant(small, target, { signature });
  console.log(target);
  return 0;
}

async function runKept(mutant) {
  const worker = new Worker();
  try {
    return await worker.run({ mutant });
  } finally {
    worker.stop();
  }
}

const OUTCOMES = ['ok', 'unreadable', 'usage', 'statistics', 'unsupported', 'FAULT'];

/** Kinds and outcomes as a table in Markdown. */
function table(outcomes) {
  const all = new Set([...OUTCOMES, ...[...outcomes.values()].flatMap((counts) => [...counts.keys()])]);
  const columns = [...all];
  const row = (name, numbers) => `| ${[name, ...numbers].join(' | ')} |`;
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const rows = [...outcomes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, counts]) => [kind, columns.map((name) => counts.get(name) ?? 0)]);
  const totals = columns.map((_, i) => sum(rows.map(([, numbers]) => numbers[i])));
  return [
    row('changed', ['mutants', ...columns]),
    row('---', [...new Array(columns.length + 1).fill('---:')]),
    ...rows.map(([kind, numbers]) => row(kind, [sum(numbers), ...numbers])),
    row('all', [sum(totals), ...totals]),
  ].join('\n');
}
