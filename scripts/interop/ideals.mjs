// Ideal graphs: the inference net of each fixture, frozen by the TensorFlow that made it (scripts/fixtures/ideal.py).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import { pythonOf } from './environments.mjs';
import { MAKERS } from './versions.mjs';

const SCRIPTS = fileURLToPath(new URL('../fixtures', import.meta.url));

/** Makes them in FOLDER/ideal, unless they are there. Takes some minutes. */
export async function makeIdeals(folder, pythons) {
  const out = join(folder, 'ideal');
  const done = join(out, 'made_from.txt');
  const source = hashOfFiles(SCRIPTS);
  if ((await fs.pathExists(done)) && (await fs.readFile(done, 'utf8')) === source) return;
  await fs.ensureDir(out);
  for (const maker of MAKERS) {
    const python = await pythonOf(maker, folder, pythons);
    console.error(`ideal graphs by ${maker}`);
    // A case that cannot be made has no ideal graph: the log says why.
    run(python, ['make.py', '--ideal', out], join(out, `${maker}.log`));
    if (maker === 'tensorflow113') run(python, ['bag_model.py', '--ideal', out], join(out, 'demo.log'));
  }
  await fs.writeFile(done, source);
}

/** What is known of an ideal graph: its model, its truth, and the names of its inputs and outputs by those of the fixture. */
export async function idealOf(name, folder, truth) {
  const out = join(folder, 'ideal');
  const [model, said] = [join(out, `${name}.pb`), join(out, `${name}.json`)];
  if (!(await fs.pathExists(model))) return undefined;
  const { inputs, outputs } = await fs.readJson(said);
  const own = join(out, 'made', name, 'golden.json');
  const path = (await fs.pathExists(own)) ? own : truth;
  const golden = await fs.readJson(path);
  return { model, truth: path, inputs: zip(golden.inputs, inputs), outputs: zip(golden.outputs, outputs) };
}

function zip(values, names) {
  return Object.fromEntries(Object.keys(values).map((key, i) => [key, names[i] ?? '']));
}

function run(python, args, log) {
  const out = fs.openSync(log, 'w');
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  spawnSync(python, args, { cwd: SCRIPTS, env, stdio: ['ignore', out, out] });
  fs.closeSync(out);
}

/** A hash of the files that a folder holds directly. */
export function hashOfFiles(path, extension = '.py') {
  const hash = createHash('sha256');
  const files = readdirSync(path).filter((file) => file.endsWith(extension));
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(path, file)));
  return hash.digest('hex').slice(0, 16);
}

/** The folder of a module of this one. */
export const HERE = dirname(fileURLToPath(import.meta.url));
