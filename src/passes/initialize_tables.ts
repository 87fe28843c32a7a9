import type { Table } from '../analysis/runnable/tables.js';
import { attr, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { numberTensor } from '../graph/tensor.js';
import type { Outcome } from './outcome.js';
import type { Pass } from './pass.js';

/**
 * Fills lookup tables before they are read: what reads a table waits for its initialiser, and nobody has to run an init op.
 *
 *     given:   t = MutableHashTableV2[key_dtype=string, value_dtype=int64], y = LookupTableFindV2(t, x, 0)
 *              init = LookupTableImportV2(t, ["a"], [1])
 *     result:  t = MutableHashTableV2[key_dtype=string, value_dtype=int64], y = LookupTableFindV2(t, x, 0, ^init)
 *              init = LookupTableImportV2(t, ["a"], [1])
 *
 * In graphs of TensorFlow 1.14 and before, the initialiser of a HashTable runs only while the table is empty: a second run is an
 * error there.
 *
 * Assumes: the entries are constants, or in a file that the user has.
 */
export const initializeTables: Pass = {
  name: 'initialize_tables',
  run({ graph, tables }) {
    const outcomes: Outcome[] = [];
    for (const table of tables) {
      const { node: name, initializer } = table;
      const readers = graph.dataConsumers(name).filter((reader) => reader.name !== initializer);
      const ready = table.ready ?? (table.isRepeatable ? initializer : guard(graph, table));
      for (const reader of readers) {
        const isGuard = table.ready !== undefined && reader.op.startsWith('LookupTableSize');
        if (isGuard || reader.controls.includes(ready)) continue;
        graph.setControls(reader, [...reader.controls, ready]);
      }
      outcomes.push({ kind: 'table', node: name, initializer });
    }
    return { outcomes };
  },
};

/** Makes an initialiser run only if its table is empty. @returns the node that runs when the table is filled */
function guard(graph: Graph, { node: table, initializer }: Table): string {
  const add = (name: string, spec: Omit<Parameters<Graph['add']>[0], 'name'>): string =>
    graph.add({ name: graph.freeName(`${initializer}/${name}`), ...spec }).name;
  const ref = (node: string, port = 0) => ({ node, port });
  const init = graph.get(initializer);
  const keys = init.inputs[1]!;
  const T = attr.type(attrType(init, 'Tkey') ?? attrType(init, 'Tin') ?? DataType.DT_STRING);
  const int64 = DataType.DT_INT64;
  const sizeOp = graph.get(table).op === 'HashTable' ? 'LookupTableSize' : 'LookupTableSizeV2';
  const size = add('size', { op: sizeOp, inputs: [ref(table)] });
  const zero = add('zero', { op: 'Const', tensor: numberTensor(int64, [], [0]), attr: { dtype: attr.type(int64) } });
  const isEmpty = add('is_empty', { op: 'Equal', inputs: [ref(size), ref(zero)], attr: { T: attr.type(int64) } });
  const branch = add('keys', { op: 'Switch', inputs: [keys, ref(isEmpty)], attr: { T } });
  graph.setInput(init, 1, ref(branch, 1));
  const filled = add('filled', { op: 'Identity', inputs: [ref(branch, 1)], controls: [initializer], attr: { T } });
  return add('ready', { op: 'Merge', inputs: [ref(branch), ref(filled)], attr: { T, N: attr.int(2) } });
}
