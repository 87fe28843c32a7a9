// A process that runs mutants, one for each message: { seed, number } of one to make, or { mutant }.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensorflow } from '../../../dist/proto/tensorflow.js';
import { COMMANDS, onlyCommandLine } from './command_table.mjs';
import { keepMutant } from './keep.mjs';
import { GRAPH_KINDS, makeMutant } from './mutate.mjs';
import { formatOf } from './results.mjs';
import { runMutant } from './run_mutant.mjs';
import { frozenSeeds, readSeed, seedNames } from './seeds.mjs';

const work = mkdtempSync(join(tmpdir(), 'bnfix-fuzz-'));
const seeds = new Map();
const names = seedNames();
const source = { seedNames: names, readSeed: seedOf, proto: tensorflow };

function seedOf(name) {
  if (!seeds.has(name)) seeds.set(name, readSeed(name));
  return seeds.get(name);
}

/** The mutant that a message asks for. */
function mutantOf(message) {
  if (message.mutant) return { ...message.mutant, files: asBuffers(message.mutant.files) };
  if (message.clean) return cleanOf(message);
  const { seed, number, frozen, graphsOnly, quick } = message;
  const mutant = makeMutant(seed, number, {
    ...source,
    quick,
    ...(frozen ? frozenSeeds(frozen) : {}),
    ...(graphsOnly ? { kinds: GRAPH_KINDS, ownOptions: true } : {}),
    ...(message.onlyKinds ? { kinds: message.onlyKinds } : {}),
  });
  return graphsOnly ? forTensorFlow(mutant, frozen !== undefined) : mutant;
}

/** A mutant that compare.py can run: made by a command that keeps the statistics, and a frozen graph. */
function forTensorFlow(mutant, frozen) {
  const command = mutant.command === 'fold' ? 'fold' : 'freeze';
  return { ...mutant, command, format: 'pb', way: 'library', frozen };
}

/** Buffers arrive as plain arrays of bytes. */
function asBuffers(files) {
  return new Map([...files].map(([path, bytes]) => [path, Buffer.from(bytes)]));
}

process.on('disconnect', () => {
  rmSync(work, { recursive: true, force: true });
  process.exit();
});

process.on('message', async (message) => {
  const mutant = mutantOf(message);
  process.send({ started: true, bytes: [...mutant.files.values()].reduce((sum, bytes) => sum + bytes.length, 0) });
  const ran = await runMutant(mutant, join(work, 'run'));
  const faults = [...ran.faults];
  if (mutant.isChecked && ran.result && !ran.result.equals((await cleanResult(mutant, ran.way)) ?? Buffer.alloc(0))) {
    faults.push('WRONG: a byte under a checksum was changed, and the result is another');
  }
  if (message.keepResult && ran.result) {
    keepMutant(mutant, message.keepResult, {
      outputs: ran.report.outputs.map((output) => output.name),
      report: ran.report,
    });
    writeFileSync(join(message.keepResult, 'result.pb'), ran.result);
  }
  const { name, kind, changes, command } = mutant;
  const { outcome, way, cpu, grown, bytes } = ran;
  process.send({ name, kind, changes, command, outcome, way, cpu, grown, bytes, faults, pid: process.pid });
});

/** The seed itself, run like its mutant. */
function cleanOf({ seed, number, quick }) {
  const { name, command } = makeMutant(seed, number, { ...source, quick });
  return { ...seedOf(name), kind: 'clean', changes: [], command, way: fastWay(command) };
}

const fastWay = (command) => (onlyCommandLine(command) ? 'command line' : 'library');

const results = new Map();

async function cleanResult(mutant, mutantWay) {
  const { name, command } = mutant;
  const format = formatOf(mutant).name;
  // Examples, and options of the command line, are drawn for each mutant.
  const isDrawn = COMMANDS[command].needsExamples || onlyCommandLine(command);
  const drawn = isDrawn ? { seedNumber: mutant.seedNumber } : {};
  const way = isDrawn ? mutantWay : fastWay(command);
  const key = `${name} ${command} ${format} ${drawn.seedNumber ?? ''}`;
  if (!results.has(key)) {
    const { result } = await runMutant(
      { ...seedOf(name), ...drawn, changes: [], command, format, way },
      join(work, 'clean'),
    );
    results.set(key, result);
  }
  return results.get(key);
}
