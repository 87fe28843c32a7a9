import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';

/** Writes a frozen graph with this many megabytes of weights, all 0: the file has a hole in place of them. */
export function writeBigModel(path: string, megabytes: number): void {
  const zeros = new Uint8Array(1024 * 1024);
  const weights = {
    dtype: DataType.DT_FLOAT,
    shape: [1024, 256 * megabytes],
    byteLength: zeros.length * megabytes,
    chunks: () => Array.from({ length: megabytes }, () => zeros),
    strings: () => [],
  };
  const T = attr.type(DataType.DT_FLOAT);
  const graph = new Graph([
    { name: 'x', op: 'Placeholder', attr: { dtype: T, shape: attr.shape([-1, 1024]) } },
    { name: 'w', op: 'Const', tensor: weights, attr: { dtype: T } },
    { name: 'y', op: 'MatMul', inputs: ['x', 'w'].map((node) => ({ node, port: 0 })), attr: { T } },
  ]);
  const file = openSync(path, 'w');
  let offset = 0;
  for (const chunk of encodeGraphDef(graph).chunks()) {
    if (chunk !== zeros) writeSync(file, chunk, 0, chunk.length, offset);
    offset += chunk.length;
  }
  ftruncateSync(file, offset);
  closeSync(file);
}
