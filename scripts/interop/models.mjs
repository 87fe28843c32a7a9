// The models of all cases: ideal, freeze, fold, and forms for a consumer (--target).
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import * as bnfix from '../../dist/index.js';
import { tensorflow } from '../../dist/proto/tensorflow.js';
import { makeAll } from '../cases.mjs';
import { idealOf } from './ideals.mjs';

const FIXTURES = fileURLToPath(new URL('../../test/fixtures', import.meta.url));
const DEMO = fileURLToPath(new URL('../../examples/bag-model', import.meta.url));

/** What other programs compute differs in the last digits. */
const TOLERANCE = 2e-4;

/** How a variant is made of a model. */
const MAKERS = { freeze: bnfix.freeze, fold: bnfix.fold };

/** A variant by its name: freeze, fold, or freeze-opencv for --target opencv. */
function makerOf(variant) {
  const [command, target] = variant.split('-');
  return (model, options) => MAKERS[command](model, target === undefined ? options : { ...options, target });
}

/** Puts the demo beside the nets as a case. */
export async function addDemo(folder) {
  const at = join(folder, 'nets', 'demo');
  await fs.copy(DEMO, at);
  const one = { name: 'demo', model: 'bag-model-34000.meta', expect: 'freeze', outputs: ['output/image_output:0'] };
  await fs.writeJson(join(at, 'case.json'), one);
}

/** Folders of cases, with the group of each. */
export async function foldersOf(folder) {
  const nets = join(folder, 'nets');
  return { fixture: FIXTURES, ...((await fs.pathExists(nets)) && { net: nets }) };
}

/** The cases that have a true output, in order of names. */
export async function casesIn(folder, isWanted) {
  const cases = [];
  for (const [group, path] of Object.entries(await foldersOf(folder))) {
    for (const name of (await fs.readdir(path)).sort()) {
      const truth = join(path, name, 'golden.json');
      if (!isWanted(name, cases.length) || !(await fs.pathExists(truth))) continue;
      const { tolerance, expect } = await fs.readJson(join(path, name, 'case.json'));
      if (expect?.refuse !== undefined) continue;
      cases.push({ name, group, path, truth, tolerance: Math.max(TOLERANCE, tolerance ?? 0) });
    }
  }
  return cases;
}

/** Makes a variant of cases as FOLDER/models/VARIANT/CASE.pb. */
export async function makeModels(folder, variant, cases) {
  const make = makerOf(variant);
  const out = join(resolve(folder), 'models', variant);
  for (const path of new Set(cases.map((one) => one.path))) {
    const names = cases.filter((one) => one.path === path).map(({ name }) => name);
    await makeAll(path, out, names, async (one, target) => {
      const model = await bnfix.load(one.model, one.load);
      try {
        const made = make(model, one.freeze);
        await bnfix.writeGraph(target, made);
        await writeFormats(target, made);
      } finally {
        model.close();
      }
    });
  }
}

/** What a model is in each format: FOLDER/models/VARIANT/CASE and this. */
const ENDINGS = { tfjs: '.tfjs', saved_model: '.saved_model', meta: '.variables.meta' };

/** Writes a result in all formats beside the frozen graph, or the error of a format that cannot represent it. */
async function writeFormats(frozen, made) {
  const base = frozen.slice(0, -'.pb'.length);
  for (const [format, ending] of Object.entries(ENDINGS)) {
    await fs.remove(`${base}.${format}.error.json`);
    try {
      await bnfix.writeModel(base + ending, made, { format, force: true });
    } catch (error) {
      if (!(error instanceof bnfix.BnfixError)) throw error;
      await fs.outputJson(`${base}.${format}.error.json`, { message: error.message });
    }
  }
}

/** The model of a case in another format. @param frozen - the model as {@link modelOf} gives it */
export async function inFormat(format, frozen) {
  if (frozen.refused) return frozen;
  const base = frozen.model.slice(0, -'.pb'.length);
  const error = `${base}.${format}.error.json`;
  if (await fs.pathExists(error)) return { ...frozen, refused: (await fs.readJson(error)).message };
  return { ...frozen, model: base + ENDINGS[format] };
}

/** The model of a case in a variant: { model, truth, inputs, outputs }, or { refused } with the reason. */
export async function modelOf(folder, variant, one) {
  if (variant === 'ideal') {
    const ideal = await idealOf(one.name, folder, one.truth);
    return ideal ? present(ideal) : { refused: 'TensorFlow could not make the ideal graph' };
  }
  const at = join(resolve(folder), 'models', variant, one.name);
  if (await fs.pathExists(`${at}.error.json`)) return { refused: (await fs.readJson(`${at}.error.json`)).message };
  const { inputs, outputs } = await fs.readJson(one.truth);
  const same = (values) => Object.fromEntries(Object.keys(values).map((name) => [name, name]));
  return present({ model: `${at}.pb`, truth: one.truth, inputs: same(inputs), outputs: same(outputs) });
}

/** Without the inputs that the graph does not have. */
async function present(one) {
  const { node } = tensorflow.GraphDef.decode(await fs.readFile(one.model));
  const names = new Set(node.map(({ name }) => name));
  const inputs = Object.fromEntries(
    Object.entries(one.inputs).map(([key, name]) => [key, names.has(name.split(':')[0]) ? name : '']),
  );
  return { ...one, inputs };
}
