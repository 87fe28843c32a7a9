// Results: a JSON object a line for each cell, which is a case in a variant with a consumer.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import fs from 'fs-extra';
import picomatch from 'picomatch';
import { HERE, hashOfFiles } from './ideals.mjs';
import { CONSUMERS, ENVIRONMENTS } from './versions.mjs';

const keyOf = ({ case: name, variant, consumer }) => `${name} ${variant} ${consumer}`;

/** The results of a folder; each is written as soon as it is known. */
export class Results {
  #path;
  #cells = new Map();

  constructor(folder) {
    this.#path = join(folder, 'results.jsonl');
    if (!fs.pathExistsSync(this.#path)) return;
    // The last line may be cut short.
    for (const line of fs.readFileSync(this.#path, 'utf8').split('\n')) {
      if (line.endsWith('}')) this.#keep(JSON.parse(line));
    }
  }

  /** Whether a cell is known for these bytes. */
  has(cell, hash) {
    return this.#cells.get(keyOf(cell))?.hash === hash;
  }

  add(cell) {
    this.#keep(cell);
    fs.appendFileSync(this.#path, `${JSON.stringify(cell)}\n`);
  }

  #keep(cell) {
    this.#cells.set(keyOf(cell), cell);
  }

  /** All cells, the latest of each. */
  all() {
    return [...this.#cells.values()];
  }
}

/** The files of a model: one, all in a folder, or a .meta file and its checkpoint. */
async function filesOf(path) {
  if (path === undefined) return [];
  if (path.endsWith('.meta')) return glob(dirname(path), `${basename(path, '.meta')}.*`);
  return (await fs.stat(path)).isDirectory() ? glob(path, '**') : [path];
}

async function glob(folder, pattern) {
  const isWanted = picomatch(pattern);
  const found = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return paths.filter((path) => isWanted(relative(folder, path))).sort();
}

/** A hash of all that a cell depends on: the model, its truth, the code and the versions of the consumer. */
export async function hashOf(consumer, model) {
  const hash = createHash('sha256');
  const { environment, module, argument } = CONSUMERS[consumer];
  hash.update(JSON.stringify([ENVIRONMENTS[environment], module, argument]));
  const [part, ...files] = module ? ['python', `${module}.py`, 'worker.py'] : ['tfjs', '.mjs'];
  for (const file of files) hash.update(hashOfFiles(join(HERE, part), file));
  hash.update(JSON.stringify([model.inputs, model.outputs, model.refused]));
  for (const file of await filesOf(model.model)) for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex').slice(0, 12);
}
