// Writes what bnfix infers of the shapes of graphs, with the built library, for compare_shapes.py:
//   node scripts/ops/infer_shapes.mjs OUT [MODEL ...]      without models: all fixtures
// OUT/<n>.pb is the graph, OUT/<n>.json has the shapes of each node's outputs; -1 is an unknown size, null an unknown rank.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Shapes } from '../../dist/analysis/values/shapes.js';
import { load } from '../../dist/index.js';
import { encodeGraphDef } from '../../dist/writers/graph_def.js';

const FIXTURES = fileURLToPath(new URL('../../test/fixtures', import.meta.url));
/** Outputs of a node that are looked at. */
const PORTS = [0, 1, 2, 3, 4, 5];

const [out, ...models] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/ops/infer_shapes.mjs OUT [MODEL ...]');
  process.exit(2);
}
mkdirSync(out, { recursive: true });
for (const path of models.length > 0 ? models : fixtures()) await inferShapes(path, nameOf(path));

function fixtures() {
  return readdirSync(FIXTURES)
    .filter((name) => existsSync(join(FIXTURES, name, 'case.json')))
    .map((name) => join(FIXTURES, name, JSON.parse(readFileSync(join(FIXTURES, name, 'case.json'), 'utf8')).model));
}

function nameOf(path) {
  return path
    .replace(FIXTURES, '')
    .replace(/^[/\\]+/, '')
    .replace(/[/\\]+/g, '_');
}

async function inferShapes(path, name) {
  const model = await load(path);
  try {
    const shapes = new Shapes(model.graph);
    const found = {};
    for (const { name: node } of model.graph.nodes())
      found[node] = PORTS.map((port) => shapes.of({ node, port }) ?? null);
    writeFileSync(join(out, `${name}.json`), JSON.stringify(found));
    writeFileSync(
      join(out, `${name}.pb`),
      Buffer.concat([...encodeGraphDef(model.graph).chunks()].map((c) => Buffer.from(c))),
    );
  } finally {
    model.close();
  }
}
