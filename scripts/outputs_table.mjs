// What `freeze` takes as outputs if none are named, compared with the expected ones:
//   node scripts/outputs_table.mjs [--all] [--expected FILE.json] [FOLDER ...]
// A FOLDER has a folder per model, each with a case.json, as test/fixtures (the default) has; or it has models, and FILE.json
// maps their names to lists of outputs. Prints the models whose choice differs (with --all, each model), and counts.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyse, load } from '../dist/index.js';

/** How a choice compares with the expected outputs, best first. */
const VERDICTS = ['as expected', 'more', 'asks, right first', 'asks, other', 'fewer', 'other', 'error'];

const args = process.argv.slice(2);
const all = args.includes('--all');
const at = args.indexOf('--expected');
const expectedOf = at < 0 ? {} : JSON.parse(readFileSync(args[at + 1], 'utf8'));
const folders = args.filter((arg, i) => !arg.startsWith('--') && (at < 0 || i !== at + 1));
if (folders.length === 0) folders.push(fileURLToPath(new URL('../test/fixtures', import.meta.url)));

const counts = new Map(VERDICTS.map((verdict) => [verdict, 0]));
for (const folder of folders) {
  for (const model of modelsOf(folder)) {
    const row = await choose(model);
    counts.set(row.verdict, counts.get(row.verdict) + 1);
    if (all || row.verdict !== 'as expected') {
      console.log(`${row.verdict.padEnd(18)} ${model.name}\n${' '.repeat(19)}expected ${model.outputs.join(', ')}`);
      console.log(`${' '.repeat(19)}${row.text}`);
    }
  }
}
const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
console.log(`\n${total} models: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`);

/** The models of a folder with their expected outputs and the options that find them. */
function modelsOf(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const file = join(path, 'case.json');
      if (existsSync(file)) {
        const one = JSON.parse(readFileSync(file, 'utf8'));
        const options = one.options ?? {};
        const checkpoint = one.checkpoint && join(path, one.checkpoint);
        const { tag, reference } = options;
        const model = join(path, one.model);
        const loading = { checkpoint, tag, reference: reference && join(path, reference) };
        if (one.outputs.length === 0) return [];
        return [{ name, model, load: defined(loading), freeze: { keep: options.keep }, outputs: one.outputs }];
      }
      if (!statSync(path).isDirectory()) return [];
      const files = readdirSync(path).filter((each) => /\.(meta|pb)$/.test(each));
      return files.map((each) => {
        const key = files.length === 1 ? name : `${name}/${basename(each)}`;
        return { name: key, model: join(path, each), load: {}, freeze: {}, outputs: expectedOf[key] ?? [] };
      });
    });
}

function defined(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

async function choose({ model: path, load: loading, freeze, outputs }) {
  const expected = new Set(outputs.map(tensorName));
  let model;
  try {
    model = await load(path, loading);
    const { outputs: found } = analyse(model, defined(freeze));
    const chosen = found.refs.map(({ node, port }) => `${node}:${port}`);
    const candidates = found.candidates.map(({ ref }) => `${ref.node}:${ref.port}`);
    if (chosen.length > 0) return { verdict: compared(chosen, expected), text: `chosen   ${chosen.join(', ')}` };
    const proposed = (found.proposed ?? found.candidates.slice(0, 1).map(({ ref }) => ref)).map(
      ({ node, port }) => `${node}:${port}`,
    );
    const right = ['as expected', 'more'].includes(compared(proposed, expected));
    return {
      verdict: right ? 'asks, right first' : 'asks, other',
      text: `proposed ${proposed.join(', ')}\n${' '.repeat(19)}of       ${candidates.slice(0, 12).join(', ')}`,
    };
  } catch (error) {
    return { verdict: 'error', text: `${error.message} ${error.why ?? ''}` };
  } finally {
    model?.close();
  }
}

function compared(chosen, expected) {
  const common = chosen.filter((name) => expected.has(name)).length;
  if (common < expected.size) return common > 0 ? 'fewer' : 'other';
  return chosen.length > expected.size ? 'more' : 'as expected';
}

function tensorName(text) {
  return /:\d+$/.test(text) ? text : `${text}:0`;
}
