import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../src/io/source.js';
import { locateModel } from '../../src/locate/locate.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { readMetaGraph } from '../../src/readers/meta_graph.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';
import { allCases } from '../support/cases.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BAG_MODEL = join(ROOT, 'examples/bag-model/bag-model-34000.meta');

/** The graphs of all fixtures that are in binary form, each path once. */
function binaryGraphs(): [path: string, kind: 'graph_def' | 'meta_graph'][] {
  const paths = new Set([BAG_MODEL, ...allCases().map(({ model }) => model)]);
  return [...paths].flatMap((path) => {
    const { graph, graphKind } = locateModel(path);
    return graphKind === 'graph_def' || graphKind === 'meta_graph' ? [[relative(ROOT, graph), graphKind]] : [];
  });
}

describe('read and written again without a pass', () => {
  it.each(binaryGraphs())('is the same graph: %s', (path, kind) => {
    const bytes = readFileSync(join(ROOT, path));
    const source = new MemorySource(bytes, path);
    const graph = kind === 'graph_def' ? readGraphDef(source) : readMetaGraph(source).graph;
    const written = Buffer.concat(
      [...encodeGraphDef(graph, { fileOrder: true }).chunks()].map((chunk) => chunk.slice()),
    );

    const before =
      kind === 'graph_def' ? tensorflow.GraphDef.decode(bytes) : tensorflow.MetaGraphDef.decode(bytes).graph_def;
    expect(JSON.stringify(sorted(tensorflow.GraphDef.decode(written)))).toBe(JSON.stringify(sorted(before)));
    const again = encodeGraphDef(readGraphDef(new MemorySource(written)), { fileOrder: true });
    expect(Buffer.concat([...again.chunks()]).equals(written)).toBe(true);
  });
});

/** Maps have no order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
