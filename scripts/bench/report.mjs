// The tables and plots of a run: on the terminal, in docs/performance.md and README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { medianOf, ratio } from './measure.mjs';
import { lineChart } from './plot.mjs';

const seconds = (value) => (value === undefined ? '' : `${value.toFixed(value < 10 ? 2 : 1)} s`);
const mebibytes = (value) => (value === undefined ? '' : `${Math.round(value).toLocaleString('en-US')} MiB`);
const times = (value) => (value === undefined ? '' : `${value.toFixed(value < 10 ? 2 : 0)}x`);
const NAMES = {
  freeze: '`bnfix freeze`',
  'freeze --json': '`bnfix freeze --json`',
  fold: '`bnfix fold`',
  '--version': '`bnfix --version`',
  'node -e 0': '`node -e 0`',
  cp: '`cp`',
  'cp again': '`cp` again (the noise)',
  crc32c: 'one crc32c pass',
  freeze_graph: '`freeze_graph`',
  optimize_for_inference: '`optimize_for_inference`',
};

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function figures(runs, base) {
  return Object.entries(runs)
    .filter(([, own]) => own.length > 0)
    .map(([name, own]) => [
      NAMES[name],
      seconds(medianOf(own, 'wall')),
      times(ratio(runs, name, base)),
      seconds(medianOf(own, 'cpu')),
      mebibytes(medianOf(own, 'peak')),
    ]);
}

function smallTable({ runs }) {
  return table(['a small net', 'wall', 'of `node -e 0`', 'CPU', 'peak'], figures(runs, ['node -e 0']));
}

function sizeTable({ megabytes, nodes, runs }) {
  return table(
    [`${megabytes} MB of weights, ${nodes} nodes`, 'wall', 'of `cp` + crc32c', 'CPU', 'peak'],
    figures(runs, ['cp', 'crc32c']),
  );
}

/** What each node takes beyond a process that has nothing to do but start. */
function perNode({ nodes, runs }, { runs: start }, name, figure) {
  const spent = medianOf(runs[name], figure) - medianOf(start[name], figure);
  return Number.isNaN(spent) ? undefined : spent / nodes;
}

const microseconds = (value) => (value === undefined ? '' : `${(value * 1e6).toFixed(0)} µs`);
const kibibytes = (value) => (value === undefined ? '' : `${(value * 1024).toFixed(1)} KiB`);

function nodeTable({ nodes, small }) {
  const rows = nodes.map((model) => [
    model.nodes.toLocaleString('en-US'),
    model.batchNorms.toLocaleString('en-US'),
    ...['freeze', 'fold'].flatMap((name) => [
      seconds(medianOf(model.runs[name], 'wall')),
      microseconds(perNode(model, small, name, 'wall')),
      mebibytes(medianOf(model.runs[name], 'peak')),
      kibibytes(perNode(model, small, name, 'peak')),
    ]),
  ]);
  const head = (name) => [name, 'per node', 'peak', 'per node'];
  return table(['nodes', 'batch norms', ...head('freeze'), ...head('fold')], rows);
}

/** Each goal, what was measured, and whether it is met. */
function goals({ small, sizes, nodes }) {
  const list = [];
  const goal = (text, value, shown, isMet) =>
    value !== undefined && list.push([text, shown(value), isMet ? 'yes' : '**no**']);
  const below = (text, value, limit, shown) => goal(text, value, shown, value <= limit);
  below('small net: freeze under 3x `node -e 0`', ratio(small.runs, 'freeze', ['node -e 0']), 3, times);
  below('small net: under 80 MiB', medianOf(small.runs.freeze, 'peak'), 80, mebibytes);
  for (const { megabytes, runs } of sizes) {
    const size = `${megabytes} MB`;
    below(`${size}: freeze within 1.5x of \`cp\` + crc32c`, ratio(runs, 'freeze', ['cp', 'crc32c']), 1.5, times);
    below(`${size}: freeze --json within 1.5x`, ratio(runs, 'freeze --json', ['cp', 'crc32c']), 1.5, times);
    below(`${size}: freeze under 100 MiB`, medianOf(runs.freeze, 'peak'), 100, mebibytes);
    below(`${size}: fold within 2x of freeze`, ratio(runs, 'fold', ['freeze']), 2, times);
    below(`${size}: fold under 150 MiB`, medianOf(runs.fold, 'peak'), 150, mebibytes);
    const less = (name, tool, factor) => {
      const value = ratio(runs, tool, [name], 'cpu');
      goal(`${size}: ${name} takes ${factor}x less CPU than \`${tool}\``, value, times, value >= factor);
    };
    if (runs.freeze_graph?.length) less('freeze', 'freeze_graph', 10);
    if (runs.optimize_for_inference?.length) less('fold', 'optimize_for_inference', 50);
  }
  const last = nodes.at(-1);
  const before = nodes.at(-2);
  const [count, fewer] = [last, before].map((model) => model.nodes.toLocaleString('en-US'));
  below(`${count} nodes: freeze under 5 s`, medianOf(last.runs.freeze, 'wall'), 5, seconds);
  for (const [figure, text] of [
    ['wall', 'time'],
    ['peak', 'memory'],
  ]) {
    const growth = perNode(last, small, 'freeze', figure) / perNode(before, small, 'freeze', figure);
    below(`${count} nodes: ${text} per node no more than with ${fewer}`, growth, 1.1, times);
  }
  return table(['goal', 'measured', 'met'], list);
}

function machine({ tensorflow, tensorflowRounds, rounds }) {
  const parts = [
    `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${type()} ${release()} ${arch()}`,
    `Node ${process.version}`,
    ...(tensorflow ? [`TensorFlow ${tensorflow}`] : []),
    `medians of ${rounds} rounds${tensorflow ? ` (TensorFlow's tools: ${tensorflowRounds})` : ''}`,
  ];
  return parts.join('; ');
}

export function printReport(results) {
  const parts = [
    machine(results),
    smallTable(results.small),
    ...results.sizes.map(sizeTable),
    nodeTable(results),
    goals(results),
  ];
  console.log(parts.join('\n\n'));
}

function page(results) {
  return `# Performance

Made by \`npm run bench\`, which builds its own models, deletes each output before writing it again, waits for the disk to be idle,
runs the commands in turn and reports medians over whole processes. Ratios are medians of the ratios of each round. The machine: ${machine(results)}.

## Small nets

A net of ${results.small.nodes} nodes and ${results.small.batchNorms} batch norms, ${results.small.meta.toLocaleString('en-US')} bytes of graph: nearly all of the time is start-up.

${smallTable(results.small)}

## Weights

Convolutions of 512 or (from 550 MB on) 1024 channels with batch norms, and a dense layer with a tenth of the weights. \`cp\` copies the data file of the
checkpoint, which is cached in memory; the crc32c pass reads it once more and checks it, as bnfix does with every tensor. Like \`cp\`,
bnfix leaves it to the system when the file reaches the disk (\`--sync\` waits for it). \`--json\` adds the SHA-256 of every file: a second
thread reads those that were read once more, and what is written is hashed while the system writes it. \`optimize_for_inference\` is given the graph that
bnfix froze, because it does not fold batch norms in training mode, as \`freeze_graph\` leaves them. It is left out for larger models: its
time grows with the weights.

${results.sizes.map(sizeTable).join('\n\n')}

![wall time by size](performance_time.svg)

![peak memory by size](performance_memory.svg)

## Nodes

Training graphs with gradients, updates and a saver; a hundred nodes for each batch norm. *Per node* is the cost above that of the
small net.

${nodeTable(results)}

![time per node](performance_nodes.svg)

## Goals

${goals(results)}

At 100 MB the copy takes less time than Node needs to start, so the ratio to \`cp\` mostly measures start-up.

## Why it is fast

- **Start-up.** The command line is bundled into one file (\`scripts/bundle.mjs\`). From Node 22.1 on, Node keeps the compiled code on
  the disk (\`module.enableCompileCache\`). Code that a command does not need is not run: protobuf reflection is loaded for text files
  only, the native checksum only for larger data.
- **Weights.** A chunk of 2 MiB is read and checked while the previous one is written. Two buffers take turns; they start half a page
  away from the position of the bytes in the file, because some processors copy four times slower otherwise. Tensors below 64 KiB
  share writes. The size of the output is known before its first byte is written, so more than 2 GiB is refused at once.
- **Memory.** Payloads stay in the checkpoint until they are written. \`fold\` multiplies kernels chunk by chunk, from one pair of buffers
  into another. Large tensors of V1 checkpoints are streamed like those of V2.
- **Nodes.** The name, op and edges of a NodeDef are decoded when the graph is read, its attrs on first access: the attrs of gradient
  nodes are never decoded. Every pass walks the graph in one topological order, which is kept until the graph changes, as are its shapes. A set
  of nodes takes one byte per node. Consumers are indexed on first use, control edges separately. Each name is one string, however many
  edges have it.

\`npm run test:scale\` checks the ratios: time per node, time per copy of a net, peak memory at 20 and 200 MB, and start-up.
`;
}

const SERIES = [
  ['freeze', 'bnfix freeze'],
  ['fold', 'bnfix fold'],
  ['freeze_graph', 'freeze_graph'],
  ['optimize_for_inference', 'optimize_for_inference'],
];

function sizeChart({ small, sizes }, figure, chart) {
  const measured = [{ megabytes: 0.02, runs: small.runs }, ...sizes];
  const line = ([name, label]) => ({
    name: label,
    points: measured
      .filter(({ runs }) => runs[name]?.length)
      .map(({ megabytes, runs }) => [megabytes, medianOf(runs[name], figure)]),
  });
  const series = SERIES.map(line).filter(({ points }) => points.length > 0);
  if (figure === 'wall') {
    const points = sizes.map(({ megabytes, runs }) => [
      megabytes,
      medianOf(runs.cp, 'wall') + medianOf(runs.crc32c, 'wall'),
    ]);
    series.push({ name: 'cp + crc32c', points, dashed: true });
  }
  return lineChart({ xLabel: 'weights in MB (the smallest: 20 kB)', series, ...chart });
}

/** Writes docs/performance.md, its plots, and the table between the marks in README.md. */
export function writeReport(results, root) {
  const docs = (name) => join(root, 'docs', name);
  writeFileSync(docs('performance.md'), page(results));
  const time = { title: 'Whole process, wall time', yLabel: 'seconds' };
  writeFileSync(docs('performance_time.svg'), sizeChart(results, 'wall', time));
  const memory = { title: 'Whole process, peak memory', yLabel: 'MiB' };
  writeFileSync(docs('performance_memory.svg'), sizeChart(results, 'peak', memory));
  const points = (name) =>
    results.nodes.map((model) => [model.nodes, perNode(model, results.small, name, 'wall') * 1e6]);
  const series = ['freeze', 'fold'].map((name) => ({ name: `bnfix ${name}`, points: points(name) }));
  const chart = { title: 'Time per node', xLabel: 'nodes', yLabel: 'microseconds', series };
  writeFileSync(docs('performance_nodes.svg'), lineChart(chart));
  const readme = join(root, 'README.md');
  const text = readFileSync(readme, 'utf8');
  const marks = /(<!-- performance -->\n)[\s\S]*?(<!-- end of performance -->)/;
  if (marks.test(text))
    writeFileSync(
      readme,
      text.replace(marks, (_, start, end) => `${start}\n${summary(results)}\n\n${end}`),
    );
}

/** One row for each model. */
function summary(results) {
  const row = (name, runs, base, of) => [
    name,
    ...['freeze', 'fold'].map(
      (each) => `${seconds(medianOf(runs[each], 'wall'))}, ${mebibytes(medianOf(runs[each], 'peak'))}`,
    ),
    `${times(ratio(runs, 'freeze', base))} of ${of}`,
    ...['freeze_graph', 'optimize_for_inference'].map((each) =>
      runs[each]?.length ? `${seconds(medianOf(runs[each], 'wall'))}, ${mebibytes(medianOf(runs[each], 'peak'))}` : '',
    ),
  ];
  const rows = [
    row('small net', results.small.runs, ['node -e 0'], '`node -e 0`'),
    ...results.sizes.map(({ megabytes, runs }) => row(`${megabytes} MB`, runs, ['cp', 'crc32c'], '`cp` + crc32c')),
  ];
  const head = ['', 'freeze', 'fold', 'freeze takes', '`freeze_graph`', '`optimize_for_inference`'];
  return `${table(head, rows)}\n\nWall time and peak memory; ${machine(results)}.`;
}
