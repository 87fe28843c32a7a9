// npm run bench: what bnfix takes, beside cp, a checksum of the same bytes, and TensorFlow's own tools.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measure } from './measure.mjs';
import { writeModel } from './model.mjs';
import { printReport, writeReport } from './report.mjs';

const USAGE = `npm run bench -- [OPTIONS]
  --python PATH  a Python with TensorFlow: freeze_graph and optimize_for_inference run beside bnfix
  --quick        small models, few rounds, docs/ is left as it is
  --rounds N     counted rounds (7; with --quick 3)
  --tensorflow-rounds N  rounds of them in which TensorFlow's tools run (3)
  --folder DIR   where the models are made and removed again (10 GB are needed)`;

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    'tensorflow-rounds': { type: 'string', default: '3' },
    folder: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));
/** MB of weights up to which optimize_for_inference is run. */
const MAX_OPTIMIZED = 100;

/** Checkpoint in MB: convolutions as wide as nets of that size have them, and a tenth of it in one dense layer. */
const SIZES = (values.quick ? [20, 100] : [100, 550, 1900]).map((megabytes) => {
  const channels = megabytes < 500 ? 512 : 1024;
  return {
    megabytes,
    channels,
    layers: Math.round((0.9 * megabytes * 1e6) / (4 * 9 * channels * channels)),
    units: Math.round((0.1 * megabytes * 1e6) / (4 * channels)),
  };
});
const NODES = values.quick ? [10, 40] : [10, 100, 1000];

const folder = mkdtempSync(join(values.folder, 'bnfix-bench-'));
const at = (name) => join(folder, name);
const log = (text) => process.stderr.write(`  ${text}\n`);

const main = join(root, 'dist/cli/main.js');
/** @param keep - whether the output is read by a command that follows; otherwise the next one gets its memory back */
const bnfix = (command, prefix, keep = false) => {
  const output = at(`${command}.pb`);
  const args = [main, command, `${prefix}.meta`, '-o', output];
  return { name: command, command: process.execPath, args, output, keep };
};

/** freeze with a report that has the hash of every file. */
function withHashes(prefix) {
  const output = at('hashed.pb');
  const args = [main, 'freeze', `${prefix}.meta`, '-o', output, '--json'];
  return { name: 'freeze --json', command: process.execPath, args, output };
}

/**
 * TensorFlow's tools on a model. optimize_for_inference folds what bnfix froze: the batch norms that freeze_graph leaves in
 * training mode it passes over.
 */
function tensorflowTools(prefix, megabytes = 0) {
  if (!values.python) return [];
  const common = {
    command: values.python,
    runs: Number(values['tensorflow-rounds']),
    env: { TF_CPP_MIN_LOG_LEVEL: '3' },
  };
  const tool = (name, args, output) => ({
    ...common,
    name,
    args: ['-m', `tensorflow.python.tools.${name}`, ...args],
    output,
  });
  const [frozen, optimized] = [at('tensorflow.pb'), at('optimized.pb')];
  const from = [`--input_meta_graph=${prefix}.meta`, `--input_checkpoint=${prefix}`, '--input_binary=true'];
  const names = ['--input_names=image', '--output_names=output'];
  const tools = [
    tool('freeze_graph', [...from, '--output_node_names=output', `--output_graph=${frozen}`], frozen),
    tool(
      'optimize_for_inference',
      [`--input=${at('freeze.pb')}`, `--output=${optimized}`, '--frozen_graph=True', ...names],
      optimized,
    ),
  ];
  // It takes a minute for 100 MB of convolutions.
  return megabytes > MAX_OPTIMIZED ? tools.slice(0, 1) : tools;
}

function benchSmall() {
  log('a small net');
  const prefix = at('small');
  const model = writeModel(prefix, { layers: 3, channels: 4 });
  const commands = [
    { name: 'node -e 0', command: process.execPath, args: ['-e', '0'] },
    { name: '--version', command: process.execPath, args: [main, '--version'] },
    bnfix('freeze', prefix, true),
    bnfix('fold', prefix),
    ...tensorflowTools(prefix),
  ];
  return { ...model, meta: statSync(`${prefix}.meta`).size, runs: measure(commands, 3 * rounds, log) };
}

function benchSize({ megabytes, channels, layers, units }) {
  log(`${megabytes} MB`);
  const prefix = at('model');
  const model = writeModel(prefix, { layers, units, channels });
  const data = `${prefix}.data-00000-of-00001`;
  const copy = (name) => ({ name, command: 'cp', args: [data, at('copy')], output: at('copy'), warm: data });
  const commands = [
    copy('cp'),
    copy('cp again'),
    { name: 'crc32c', command: process.execPath, args: [join(root, 'scripts/bench/crc_pass.mjs'), data] },
    // optimize_for_inference reads what freeze wrote.
    { ...bnfix('freeze', prefix, megabytes <= MAX_OPTIMIZED), warm: data },
    { ...withHashes(prefix), warm: data },
    { ...bnfix('fold', prefix), warm: data },
    ...tensorflowTools(prefix, megabytes),
  ];
  const runs = measure(commands, rounds, log);
  for (const { output } of commands) if (output) rmSync(output, { force: true });
  return { megabytes, ...model, runs };
}

function benchNodes(layers) {
  log(`${layers} batch norms`);
  const prefix = at('nodes');
  const model = writeModel(prefix, { layers, channels: 4, kernel: 1, nodesPerLayer: 100 });
  return { ...model, runs: measure([bnfix('freeze', prefix), bnfix('fold', prefix)], rounds, log) };
}

const tensorflow = values.python
  ? execFileSync(values.python, ['-c', 'import tensorflow; print(tensorflow.__version__)'], {
      encoding: 'utf8',
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
    }).trim()
  : undefined;

try {
  const results = {
    tensorflow,
    tensorflowRounds: Number(values['tensorflow-rounds']),
    rounds,
    small: benchSmall(),
    sizes: SIZES.map(benchSize),
    nodes: NODES.map(benchNodes),
  };
  printReport(results);
  if (!values.quick) writeReport(results, root);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
