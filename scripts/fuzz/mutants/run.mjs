// Runs mutants until a number or a time is reached, and counts what became of them.
import { join } from 'node:path';
import { tensorflow } from '../../../dist/proto/tensorflow.js';
import { keepMutant } from './keep.mjs';
import { makeMutant } from './mutate.mjs';
import { Worker } from './pool.mjs';
import { memoryLimit } from './run_mutant.mjs';
import { readSeed, seedNames } from './seeds.mjs';

/**
 * @param options - `seed`, `first` and `count` (numbers of mutants; count may be infinite), `quick` (see makeMutant), `isOver`, `workers`,
 *   `keep` (a folder)
 * @returns `ran`, `outcomes` (kind -> outcome -> number), `commands`, `findings` (signature -> { count, numbers })
 */
export async function runMutants({
  seed,
  first = 0,
  count,
  quick = false,
  isOver,
  workers = 1,
  keep,
  onFinding = () => {},
  onProgress = () => {},
}) {
  const start = Date.now();
  const tally = { ran: 0, outcomes: new Map(), commands: new Map(), findings: new Map(), slowest: [] };
  let next = first;
  const one = async () => {
    const worker = new Worker();
    while (next < first + count && !isOver()) {
      const number = next++;
      const message = { seed, number, quick };
      const found = await worker.run(message);
      const faults = await faultsOf(found, message);
      record(tally, number, found, faults);
      if (tally.ran % 1000 === 0) onProgress(tally.ran);
      for (const signature of faults) {
        const finding = tally.findings.get(signature) ?? { count: 0, numbers: [] };
        finding.count++;
        if (finding.numbers.length < 10) finding.numbers.push(number);
        if (finding.count === 1) {
          tally.findings.set(signature, finding);
          const folder = keep && join(keep, slug(signature, number));
          const mutant = mutantOf(message);
          if (folder) keepMutant(mutant, folder, { signature, seed, number });
          onFinding(signature, number, mutant, folder);
        }
      }
    }
    worker.stop();
  };
  await Promise.all(Array.from({ length: workers }, one));
  return { ...tally, seconds: (Date.now() - start) / 1000 };
}

const names = seedNames();

function mutantOf({ seed, number, quick }) {
  return makeMutant(seed, number, { seedNames: names, readSeed, proto: tensorflow, quick });
}

function record(tally, number, found, faults) {
  tally.ran++;
  const kind = found.kind ?? 'died';
  const outcomes = tally.outcomes.get(kind) ?? new Map();
  tally.outcomes.set(kind, outcomes);
  const outcome = faults.length > 0 ? 'FAULT' : found.outcome;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const run = `${found.command} by the ${found.way}`;
  tally.commands.set(run, (tally.commands.get(run) ?? 0) + 1);
  tally.slowest.push({ number, cpu: found.cpu ?? 0, bytes: found.bytes });
  tally.slowest.sort((a, b) => b.cpu - a.cpu);
  tally.slowest.length = Math.min(tally.slowest.length, 5);
}

/** Suspected of too much time or memory: measured again, in a process of its own. */
async function faultsOf(found, message) {
  if (found.fault) return [found.fault + after(message)];
  const faults = [...found.faults];
  if (found.grown !== undefined && found.grown > memoryLimit(found.bytes)) {
    const [again, clean] = [await alone(message), await alone({ ...message, clean: true })];
    const over = (again.grown ?? Number.POSITIVE_INFINITY) - (clean.grown ?? 0);
    if (again.fault) faults.push(again.fault + after(message));
    else if (over > memoryLimit(found.bytes)) faults.push(`takes too much memory${after(message)}`);
  }
  return faults;
}

/** No stack says where the time went: the first change does. */
function after(message) {
  return ` after ${mutantOf(message).changes[0]}`;
}

async function alone(message) {
  const worker = new Worker();
  try {
    return await worker.run(message);
  } finally {
    worker.stop();
  }
}

function slug(signature, number) {
  return `${number}-${signature.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 70)}`;
}
