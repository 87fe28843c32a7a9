// Writes docs/interop.md from the results of interop.mjs: node scripts/interop/table.mjs FOLDER
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import { Results } from './results.mjs';
import { CONSUMERS, ENVIRONMENTS } from './versions.mjs';

const OUT = fileURLToPath(new URL('../../docs/interop.md', import.meta.url));
const VARIANTS = ['ideal', 'freeze', 'fold'];
const NETS = ['demo', 'mobilenet', 'resnet50', 'inception', 'unet'];

/** What the failures of a program have in common, by what it says; the first that fits counts. */
const CAUSES = [
  [/NCHW|channelsFirst|shapes 3,4,8,8 and 4|shape 3,6,8,4/, 'a net in NCHW: no kernel on a CPU'],
  [/explicit_paddings|exponential_avg_factor|NDHWC/, 'an op or attr that is newer than this TensorFlow'],
  [/Fusion is not implemented/, 'oneDNN merges a batch norm with Tanh and has no kernel for it'],
  [/removePhaseSwitches|Cannot compute the outputs|TensorArray|Switch_/, 'loops'],
  [/bfloat|f16|half|DT_HALF|"Cast"|type "?Cast|outputType/i, 'float16, bfloat16'],
  [/COMPLEX/i, 'complex numbers'],
  [/table|hash|getTensorContentRef|blob data type = object|HashBucket|broadcast together/i, 'tables and strings'],
  [/Only NHWC <-> NCHW|reduce_mean or reduce_sum|StopGradient|ln\/Reshape/, 'group, layer and instance norms'],
  [/parseExpandDims/, 'ExpandDims of an unknown shape: Conv1D, loops of RNNs'],
  [/padMode == "SAME"/, 'an output shape of a transposed convolution that OpenCV does not recognise'],
  [/Const input blob for weights/, 'kernels that are computed: fake quantisation, dropout of weights'],
  [/Gather|DynamicPartition|type "Shape"|"Fill"|type "Fill"/, 'an op that the program does not have'],
];

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: node scripts/interop/table.mjs FOLDER');
  process.exit(2);
}
const cells = new Results(resolve(folder)).all();
const path = join(resolve(folder), 'latency.json');
const times = (await fs.pathExists(path)) ? await fs.readJson(path) : {};
const byKey = new Map(cells.map((cell) => [keyOf(cell.case, cell.variant, cell.consumer), cell]));
const consumers = Object.keys(CONSUMERS).filter((name) => cells.some((cell) => cell.consumer === name));
await fs.writeFile(OUT, `${page().join('\n')}\n`);

function keyOf(name, variant, consumer) {
  return `${name} ${variant} ${consumer}`;
}

function page() {
  const names = new Set(cells.map((cell) => cell.case));
  return [
    '# Frozen graphs in other programs',
    '',
    `${names.size} models: the fixtures that have a true output, the demo, and four nets of the usual size. Each is given to each program in`,
    'three forms: **ideal** is the same net built with `is_training=False` and frozen by TensorFlow itself, **freeze** and **fold** are what',
    'bnfix makes of the training graph. A cell is *right / wrong / fails*: right is an output within 2e-4 of the largest value that',
    'TensorFlow computed for the inference net (more for float16, as each `case.json` says); fails is an error of the program.',
    '',
    ...table(
      ['program', 'ideal', 'freeze', 'fold', 'ideal right, bnfix not'],
      consumers.map((name) => [
        CONSUMERS[name].title,
        ...VARIANTS.map((variant) => counts(name, variant)),
        String(worse(name).length),
      ]),
    ),
    '',
    'The fixtures are small and were chosen to differ from each other: the shares say nothing about models in practice. TensorFlow 1.15 cannot',
    'load all that TensorFlow 2 wrote. TensorFlow Lite has its built-in ops only. TensorFlow.js loads what bnfix writes',
    'with `--format tfjs`; the script wrote the ideal graphs as `model.json` without a change. Where a program reads a SavedModel or a .meta file,',
    'the ideal graph is the frozen one. OpenCV is called as `net.forward()` where there is one output.',
    '',
    '## Ideal right, bnfix not',
    '',
    ...table(['program', 'models (freeze or fold)', 'cause'], worseRows()),
    '',
    'For `nchw_*` the ideal graph is not the same net: TensorFlow has no kernels for NCHW on a CPU, so it was built in NHWC. For `loop_cut_at_input_*`',
    'the ideal net has its loop unrolled by Python.',
    '',
    '## What else fails',
    '',
    'Of the results of `fold`, by what the program says:',
    '',
    ...table(['program', 'models', 'cause'], causeRows()),
    '',
    '## Sizes',
    '',
    'Ops after the optimisation of each program, and the size of the file that it made (ideal / freeze / fold).',
    '',
    ...table(['program', ...NETS], sizeRows()),
    '',
    '## Times',
    '',
    'One inference in milliseconds (ideal / freeze / fold): medians of calls in turns, on one thread of a machine that others use as well.',
    '',
    ...table(['program', ...NETS], timeRows()),
    '',
    '## Versions',
    '',
    ...table(
      ['environment', 'Python', 'packages'],
      Object.entries(ENVIRONMENTS).map(([name, { python, packages }]) => [name, python, packages.join(' ')]),
    ),
    '',
    'How to run it: [scripts/interop/README.md](../scripts/interop/README.md).',
  ];
}

function table(head, rows) {
  const line = (values) => `| ${values.map((value) => value.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)];
}

function counts(consumer, variant) {
  const by = variant === 'ideal' ? idealOf(consumer) : consumer;
  const number = (verdict) =>
    cells.filter((cell) => cell.consumer === by && cell.variant === variant && cell.verdict === verdict).length;
  return ['right', 'wrong', 'fails'].map(number).join(' / ');
}

/** The consumer that ran the ideal graphs for another one. */
function idealOf(consumer) {
  return CONSUMERS[consumer].ideal ?? consumer;
}

/** Cells in which the ideal graph is right and that of bnfix is not. */
function worse(consumer) {
  return cells.filter(
    (cell) =>
      cell.consumer === consumer &&
      ['freeze', 'fold'].includes(cell.variant) &&
      cell.verdict !== 'right' &&
      byKey.get(keyOf(cell.case, 'ideal', idealOf(consumer)))?.verdict === 'right',
  );
}

function worseRows() {
  return grouped(consumers.flatMap(worse), (cell) => `${cell.case} (${cell.variant})`);
}

function causeRows() {
  return grouped(
    cells.filter(({ variant, verdict }) => variant === 'fold' && verdict !== 'right'),
    (cell) => cell.case,
  );
}

/** Rows of a program and a cause, the frequent ones first; some of the models by name. */
function grouped(list, nameOf) {
  const groups = new Map();
  for (const cell of list) {
    const key = JSON.stringify([cell.consumer, causeOf(cell)]);
    groups.set(key, [...(groups.get(key) ?? []), nameOf(cell)]);
  }
  const order = (key) => consumers.indexOf(JSON.parse(key)[0]);
  return [...groups]
    .sort((a, b) => order(a[0]) - order(b[0]) || b[1].length - a[1].length)
    .map(([key, names]) => {
      const [consumer, cause] = JSON.parse(key);
      return [CONSUMERS[consumer].title, someOf(names), cause];
    });
}

function someOf(names) {
  const shown = names.slice(0, 4).map((name) => `\`${name}\``);
  const more = names.length > 4 ? [`${names.length - 4} more`] : [];
  return [...shown, ...more].join(', ');
}

function causeOf({ verdict, error, text = '' }) {
  if (verdict === 'wrong') return 'another output, without an error';
  const known = CAUSES.find(([pattern]) => pattern.test(text));
  return known?.[1] ?? `other errors (${error})`;
}

function timeRows() {
  return Object.entries(times).map(([consumer, nets]) => [
    CONSUMERS[consumer].title,
    ...NETS.map((net) => VARIANTS.map((variant) => nets[net]?.[variant]?.toPrecision(3) ?? '-').join(' / ')),
  ]);
}

function sizeRows() {
  return consumers
    .filter((name) => cells.some((cell) => cell.consumer === name && cell.ops !== undefined))
    .map((name) => [CONSUMERS[name].title, ...NETS.map((net) => sizeOf(name, net))]);
}

function sizeOf(consumer, net) {
  const found = VARIANTS.map((variant) => byKey.get(keyOf(net, variant, consumer)));
  const ops = found.map((cell) => String(cell?.ops ?? '-')).join(' / ');
  if (found[0]?.bytes === undefined) return ops;
  return `${ops}; ${found.map(({ bytes }) => (bytes === undefined ? '-' : (bytes / 1e6).toFixed(2))).join(' / ')} MB`;
}
