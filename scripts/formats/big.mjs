// Repairs the model of 3 GB of big_model.py as .meta with a checkpoint, as SavedModel and for TensorFlow.js, frozen and folded, and
// measures memory:
//   python scripts/formats/big_model.py make DIR && node scripts/formats/big.mjs DIR
// Each result is read again while it is written (--verify-written), loaded by TensorFlow where --python PATH is given, and by
// TensorFlow.js, compared with the outputs of the inference net, and removed. Needs 10 GB of disk and of memory. Exit code 1 above
// 150 MiB or for a wrong output.
import { execFileSync, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fs from 'fs-extra';

const LIMIT_MIB = 150;
const TARGETS = { meta: 'model', saved_model: 'saved_model', tfjs: 'web' };
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string', multiple: true, default: [] } },
});
if (positionals.length !== 1) {
  console.error('usage: node scripts/formats/big.mjs DIR [--python PATH ...]');
  process.exit(2);
}
const folder = resolve(positionals[0]);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const cli = here('../../dist/cli/main.js');

for (const command of ['freeze', 'fold']) {
  for (const [format, name] of Object.entries(TARGETS)) {
    const made = join(folder, command);
    await fs.emptyDir(made);
    const args = [cli, command, join(folder, 'big.meta'), '-o', join(made, name), '--format', format];
    measure(`${command} --format ${format}`, [...args, '--verify-written', '--quiet']);
    for (const python of format === 'tfjs' ? [] : values.python) {
      execFileSync(python, [here('big_model.py'), 'check', folder, made], { stdio: 'inherit' });
    }
    if (format === 'tfjs') runInTfjs(join(made, name));
    await fs.remove(made);
  }
}

for (const quantization of ['float16', 'uint8', 'uint16']) {
  const made = join(folder, quantization);
  const args = [cli, 'fold', join(folder, 'big.meta'), '-o', made, '--format', 'tfjs', '--quantize', quantization];
  measure(`fold --format tfjs --quantize ${quantization}`, [...args, '--verify-written', '--quiet']);
  runInTfjs(made);
  await fs.remove(made);
}

function runInTfjs(made) {
  execFileSync(process.execPath, [here('run_tfjs.mjs'), folder, made], { stdio: 'inherit' });
}

/** Runs Node and prints its time and its largest resident set. */
function measure(what, args) {
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%M %e', process.execPath, ...args], {
    encoding: 'utf8',
  });
  const [memory, seconds] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  if (status !== 0) throw new Error(stderr);
  const mebibytes = memory / 1024;
  console.log(`${what}: ${mebibytes.toFixed(0)} MiB, ${seconds} s`);
  if (mebibytes > LIMIT_MIB) process.exitCode = 1;
}
