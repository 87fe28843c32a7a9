// The formats that results of mutants are written in: their names, the files they consist of, and whether they hold the same model.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freeze, graphBytes, load } from '../../../dist/index.js';
import { Random } from './random.mjs';
import { signatureOf } from './signature.mjs';

/** What is given as the target, and how the names of all files begin; `main` is the graph among them. */
const FORMATS = {
  pb: { target: 'result.pb', main: 'result.pb' },
  pbtxt: { target: 'result.pbtxt', main: 'result.pbtxt' },
  meta: { target: 'result', main: 'result.meta' },
  saved_model: { target: 'result', main: 'result/saved_model.pb' },
  tfjs: { target: 'result', main: 'result/model.json' },
};

/** The format of a mutant's result, which its number determines: most are frozen graphs. */
export function formatOf({ seedNumber = 0, format }) {
  const random = new Random(seedNumber, 2);
  const drawn = random.weighted([
    [75, 'pb'],
    [5, 'pbtxt'],
    [7, 'meta'],
    [7, 'saved_model'],
    [6, 'tfjs'],
  ]);
  const name = format ?? drawn;
  return { name, ...FORMATS[name] };
}

/** The bytes of the graph that was written; undefined if it is missing. */
export function resultBytes(out, mutant) {
  const path = join(out, formatOf(mutant).main);
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** What --html, --svg, --save and a config write, also for a model that is refused later. */
const BESIDE = new Set(['arrays', 'page.html', 'drawing.svg', 'bnfix.config.json', 'bnfix.config.state.json']);

/** What is in the output folder, and should not be. */
export function leftovers(out, mutant, wrote) {
  const { target, main } = formatOf(mutant);
  if (wrote && !existsSync(join(out, main))) return ['exit 0 without a result'];
  const isResult = (name) => wrote && (name === target || (main !== target && name.startsWith(`${target}.`)));
  const others = readdirSync(out).filter((name) => !isResult(name) && !BESIDE.has(name));
  return others.length === 0 ? [] : [`left in the output folder: ${others[0].replace(/^\.bnfix-.*/, '.bnfix-*')}`];
}

/** Whether our own result can be read again. */
export async function unreadable(bytes) {
  try {
    (await load(new Uint8Array(bytes))).close();
    return [];
  } catch (error) {
    return [`the result cannot be loaded: ${signatureOf(error)}`];
  }
}

/** Freezing a result that has variables again gives the frozen graph. */
export async function otherModel(path, made, { name, main }, { keep }) {
  if (!['meta', 'saved_model'].includes(name)) return [];
  try {
    const model = await load(name === 'meta' ? `${path}.meta` : path);
    try {
      const outputs = made.report.outputs.map((output) => output.name);
      const again = graphBytes(freezeKept(model, { outputs, allowUntrained: true }, keep));
      return Buffer.compare(again, graphBytes(made)) === 0 ? [] : [`WRONG: ${main} is another model`];
    } finally {
      model.close();
    }
  } catch (error) {
    return [`the ${name} result cannot be frozen: ${signatureOf(error)}`];
  }
}

/** With what is kept, unless the repair removed it. */
function freezeKept(model, options, keep) {
  if (keep === undefined) return freeze(model, options);
  try {
    return freeze(model, { ...options, keep });
  } catch (error) {
    if (error.code !== 'usage' || error.option !== 'keep') throw error;
    return freeze(model, options);
  }
}
