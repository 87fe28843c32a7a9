// npm run demo: repairs the training graph in examples/bag-model, proves the result by running it, and draws what it does.
//   node examples/demo.mjs [PICTURE.png]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Largest difference from the true output, relative to its largest value. */
const TOLERANCE = 1e-5;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const model = relative(process.cwd(), here('bag-model/bag-model-34000.meta'));
const cli = here('../dist/cli/main.js');
const picture = process.argv[2] ?? relative(process.cwd(), here('../demo.png'));
if (!existsSync(cli)) {
  console.error('bnfix is not built yet. Run: npm ci   (or: npm run build)');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'bnfix-demo-'));
try {
  process.exitCode = await demo(join(folder, 'frozen.pb'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function demo(frozen) {
  console.log(
    'This model was saved in training mode: its batch norms use batch statistics, not the moving averages that',
  );
  console.log('training stored. bnfix repairs it:\n');
  console.log(`$ bnfix freeze ${model} -o ${frozen}\n`);
  const { status } = spawnSync(process.execPath, [cli, 'freeze', model, '-o', frozen], { stdio: 'inherit' });
  if (status !== 0) return status ?? 1;

  const { load, runGraph } = await import('../dist/index.js');
  const { graph, close } = await load(frozen);
  const golden = JSON.parse(readFileSync(here('bag-model/golden.json'), 'utf8'));
  console.log(
    '\nIs it right? The written file, run by TensorFlow.js, compared with what TensorFlow 1.13.2 computed:\n',
  );
  let worst = 0;
  try {
    for (const [i, sample] of [golden, ...(golden.more ?? [])].entries()) {
      const answers = await runGraph(graph, values(sample.inputs), Object.keys(sample.outputs));
      for (const [name, tensor] of Object.entries(sample.outputs)) {
        const truth = floats(tensor);
        const now = difference(answers[name].data, truth);
        const before = difference(floats(sample.before[name]), truth);
        worst = Math.max(worst, now);
        console.log(`  sample ${i + 1}  ${name} [${tensor.shape}]`);
        console.log(`    the graph as it was saved is off by  ${percent(before)}`);
        console.log(`    the graph that bnfix wrote           ${percent(now)}`);
      }
    }
  } finally {
    close();
  }
  const right = worst <= TOLERANCE;
  console.log(
    right
      ? `\nRight: within ${percent(TOLERANCE)} of the true inference graph.`
      : `\nWRONG: off by more than ${percent(TOLERANCE)}.`,
  );
  if (!right) return 1;
  await show(frozen);
  console.log('\nYour turn: npx bnfix freeze MODEL.meta -o frozen.pb   (npx bnfix --help)');
  return 0;
}

/** Draws what both graphs make of a picture that is alone in its batch, and of the same one beside another. */
async function show(frozen) {
  const { drawDemo } = await import('./picture/draw_demo.mjs');
  const { png, changes } = await drawDemo(here('bag-model/bag-model-34000.meta'), frozen);
  writeFileSync(picture, png);
  console.log('\nThe same picture, alone and in a batch with another one:\n');
  console.log(`    the output of the saved graph changes by     ${percent(changes.saved)}`);
  console.log(`    the output of the graph that bnfix wrote by  ${percent(changes.repaired)}`);
  console.log(`\nSee ${picture}`);
}

/** The elements of a tensor of golden.json, which are all float32. */
function floats({ data }) {
  return new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer);
}

function values(tensors) {
  const entries = Object.entries(tensors);
  return Object.fromEntries(entries.map(([name, tensor]) => [name, { ...tensor, data: floats(tensor) }]));
}

/** Largest difference, relative to the largest true value. */
function difference(numbers, truth) {
  if (numbers.length !== truth.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  let largest = 0;
  for (const [i, expected] of truth.entries()) {
    const off = Math.abs(numbers[i] - expected);
    most = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(most, off);
    largest = Math.max(largest, Math.abs(expected));
  }
  return most / largest;
}

function percent(ratio) {
  return `${(ratio * 100).toPrecision(2)} %`;
}
