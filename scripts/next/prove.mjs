// Runs what `bnfix next` prints, with each program, on the model of the demo, as a frozen graph, a SavedModel and a .meta, and on
// others, and compares with TensorFlow.
// node scripts/next/prove.mjs --tf2 BIN [--tf1 BIN] [--onnx BIN] [--cv BIN] [--node-modules FOLDER] [FILE...]
// BIN is the bin folder of a Python environment with the packages of that program, FOLDER has @tensorflow/tfjs; FILE is another
// frozen graph.
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const MAIN = here('../../dist/cli/main.js');
/** Largest difference, relative to the largest value. */
const TOLERANCE = 1e-4;

/** Models, as they are given to bnfix, and what they show. */
const MODELS = {
  demo: ['freeze', here('../../examples/bag-model/bag-model-34000.meta')],
  folded: ['fold', here('../../examples/bag-model/bag-model-34000.meta')],
};

/** Formats, and the file or folder that is given to `bnfix next`. */
const FORMS = { pb: 'frozen.pb', saved_model: 'saved', meta: 'model' };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(['tf2', 'tf1', 'onnx', 'cv', 'node-modules'].map((name) => [name, { type: 'string' }])),
});
const folder = mkdtempSync(join(tmpdir(), 'bnfix-next-'));
/** A folder with the command `bnfix`. */
const BNFIX = commands();
/** The environment of each target. */
const ENVIRONMENTS = {
  tf2: options.tf2,
  tf1: options.tf1,
  tflite: options.tf2,
  onnx: options.onnx,
  openvino: options.cv,
  opencv: options.cv,
  tfjs: options['node-modules'] && BNFIX,
};

/** Python that compares the outputs with those of TensorFlow. */
const CHECK = [
  'import json',
  "count = len(json.load(open('usage.json'))['outputs'])",
  'assert len(outputs) == count, len(outputs)',
  "truths = [np.load(f'y{i}.npy') for i in range(count)]",
  'values = [np.asarray(output) for output in outputs]',
  'for value, truth in zip(values, truths): assert value.shape == truth.shape, (value.shape, truth.shape)',
  'worst = max(float(np.max(np.abs(value.astype(float) - truth)) / max(1e-30, np.max(np.abs(truth)))) for value, truth in zip(values, truths))',
  "open('difference', 'w').write(str(worst))",
];

try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  let isRight = true;
  const files = Object.entries(MODELS).map(([name, [command, model, ...more]]) => {
    const path = join(folder, `${name}.pb`);
    bnfix([command, model, '-o', path, '-q', ...more]);
    return path;
  });
  const forms = [...files, ...positionals].flatMap((path) => Object.keys(FORMS).map((form) => ({ path, form })));
  for (const { path, form } of forms) {
    const name = `${basename(path).replace(/\.pb$/, '')} ${form}`;
    const inside = join(folder, `run ${name}`);
    mkdirSync(inside);
    copyFileSync(resolve(path), join(inside, 'frozen.pb'));
    const file = FORMS[form];
    if (form !== 'pb') bnfix(['freeze', 'frozen.pb', '-o', file, '--format', form, '-q'], inside);
    const usage = JSON.parse(bnfix(['next', file, '--json'], inside));
    writeFileSync(join(inside, 'usage.json'), JSON.stringify(usage));
    const reference = run(join(options.tf2, 'python'), [here('reference.py'), 'frozen.pb', 'usage.json', '.'], inside);
    if (reference !== '') throw new Error(`reference of ${name}: ${reference}`);
    for (const step of usage.steps) {
      // Several programs need a frozen graph first.
      rmSync(join(inside, 'model.frozen.pb'), { force: true });
      const result = await outcome(step, usage, inside);
      isRight = isRight && result.isRight;
      console.log(`${name.padEnd(20)} ${step.target.padEnd(9)} ${result.text}`);
    }
  }
  return isRight;
}

/** Runs the parts of a step. */
async function outcome(step, usage, cwd) {
  const bin = ENVIRONMENTS[step.target];
  if (step.limit) return { isRight: true, text: `cannot: ${JSON.stringify(step.limit)}` };
  if (bin === undefined) return { isRight: true, text: 'not tried' };
  for (const { language, writes, code } of step.parts) {
    const error =
      language === 'shell'
        ? run('sh', ['-c', code.join('\n')], cwd, bin)
        : language === 'python'
          ? run(join(bin, 'python'), ['-c', [...code.map(withRandom), ...(writes ? [] : CHECK)].join('\n')], cwd, bin)
          : await runScript(code, usage, cwd);
    if (error !== '') return { isRight: false, text: `FAILS: ${error.trim().slice(-400)}` };
  }
  const difference = Number(readFileSync(join(cwd, 'difference'), 'utf8'));
  return {
    isRight: difference <= TOLERANCE,
    text: `${difference <= TOLERANCE ? 'right' : 'WRONG'}, ${difference.toExponential(1)}`,
  };
}

/** A line with the random values in place of zeros. */
function withRandom(line) {
  return line.replace(/^(x\d*) = np\.zeros.*/, "$1 = np.load('$1.npy')");
}

/** Runs a module with TensorFlow.js, which loads its model from a server. */
async function runScript(code, usage, cwd) {
  const tensor = (name) => npy(join(cwd, `${name}.npy`));
  const server = createServer((request, response) => response.end(readFileSync(join(cwd, decodeURI(request.url)))));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  const lines = code.map((line) =>
    line
      .replace(/loadGraphModel\('(.*)'\)/, `loadGraphModel('http://127.0.0.1:${port}/$1')`)
      .replace(/^const (x\d*) = tf\.zeros\((\[.*?\])(.*)\);/, (_, name, shape, dtype) => {
        return `const ${name} = tf.tensor(${JSON.stringify(tensor(name))}, ${shape}${dtype});`;
      }),
  );
  const truths = usage.outputs.map((_, i) => tensor(`y${i}`));
  const check = [
    "import { writeFileSync } from 'node:fs';",
    `const truths = ${JSON.stringify(truths)};`,
    'const list = [outputs].flat();',
    'const differences = list.map((output, i) => {',
    '  const values = output.dataSync();',
    "  if (values.length !== truths[i].length) throw new Error('another size');",
    '  const size = truths[i].reduce((most, x) => Math.max(most, Math.abs(x)), 1e-30);',
    '  return values.reduce((most, x, j) => Math.max(most, Math.abs(x - truths[i][j])), 0) / size;',
    '});',
    "writeFileSync('difference', String(Math.max(...differences)));",
  ];
  if (!existsSync(join(cwd, 'node_modules'))) symlinkSync(resolve(options['node-modules']), join(cwd, 'node_modules'));
  writeFileSync(join(cwd, 'run.mjs'), [...lines, ...check].join('\n'));
  try {
    return await new Promise((done) => {
      const child = spawn(process.execPath, ['run.mjs'], { cwd });
      let error = '';
      child.stderr.on('data', (chunk) => {
        error += chunk;
      });
      child.on('close', (status) => done(status === 0 ? '' : error || String(status)));
    });
  } finally {
    server.close();
  }
}

/** The numbers of a .npy file. */
function npy(path) {
  const bytes = readFileSync(path);
  const length = bytes.readUInt16LE(8);
  const [, type] = /'descr': '(.*?)'/.exec(bytes.toString('latin1', 10, 10 + length));
  const data = new Uint8Array(bytes.subarray(10 + length)).buffer;
  const views = {
    '<f4': Float32Array,
    '<f8': Float64Array,
    '<i4': Int32Array,
    '<i8': BigInt64Array,
    '|b1': Uint8Array,
  };
  return Array.from(new views[type](data), Number);
}

function commands() {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'bnfix'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, { mode: 0o755 });
  return bin;
}

function bnfix(args, cwd = process.cwd()) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`bnfix ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** @returns what went wrong */
function run(program, args, cwd, bin = '') {
  const env = { ...process.env, PATH: `${bin}:${BNFIX}:${process.env.PATH}`, TF_CPP_MIN_LOG_LEVEL: '3' };
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}${error ?? ''}`;
}
