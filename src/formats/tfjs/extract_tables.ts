import { BnfixError } from '../../errors.js';
import { attr, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import { Graph } from '../../graph/graph.js';
import type { Node, NodeSpec, TensorRef } from '../../graph/node.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';

const isTable = anyOf('table');
const isMutable = anyOf('mutable_table');
const isInitializer = anyOf('table_initializer');
const isFile = anyOf('table_file');
/** What forwards a table, or what it is filled with, within branches and loops. */
const forwards = anyOf('identity', 'switch', 'enter');

/**
 * Takes what fills lookup tables out of a graph: TensorFlow.js runs it as a graph of its own, once, before the first run.
 * @returns the graph that fills them; undefined without tables
 * @throws BnfixError `unsupported` for tables of files, and those that change
 */
export function extractTables(graph: Graph): Graph | undefined {
  const tables = [...graph.nodes()].filter((node) => isTable(node));
  if (tables.length === 0) return undefined;
  const filling = new Graph();
  for (const table of tables) {
    const users = usersOf(graph, table);
    const initializer = users.find((user) => isInitializer(user));
    if (!initializer || isMutable(table) || isFile(initializer)) throw isNotConstant(table);
    const [keys, values] = [1, 2].map((i) => constantBehind(graph, initializer.inputs[i]!, table));
    for (const node of [keys!, values!]) if (!filling.has(node.name)) filling.add(constantSpec(node));
    becomeTable(graph, table);
    const { name, op } = table;
    filling.add({ name, op, attr: table.attr });
    const inputs = [name, keys!.name, values!.name].map((node) => ({ node, port: 0 }));
    filling.add({ name: filling.freeName(`${name}/fill`), op: 'LookupTableImportV2', inputs, attr: initializer.attr });
    for (const user of users) if (user !== initializer) readNow(graph, user);
  }
  return filling;
}

/** What reads a table, also through Enter. */
function usersOf(graph: Graph, table: Node): Node[] {
  const users: Node[] = [];
  const waiting = [...graph.dataConsumers(table.name)];
  for (let user = waiting.pop(); user; user = waiting.pop()) {
    if (forwards(user)) waiting.push(...graph.dataConsumers(user.name));
    users.push(user);
  }
  return users;
}

function constantBehind(graph: Graph, ref: TensorRef, table: Node): Node {
  const node = graph.get(sourceOf(graph, ref, forwards).node);
  if (node.tensor) return node;
  throw isNotConstant(table);
}

function constantSpec({ name, op, tensor, attr: attrs }: Node): NodeSpec {
  return { name, op, attr: attrs, ...(tensor && { tensor }) };
}

function becomeTable(graph: Graph, table: Node): void {
  graph.replace(table, { op: 'HashTableV2', attr: table.attr });
}

/** The table is full from the beginning. What is found has the shape of the keys: TensorFlow.js makes a vector of it. */
function readNow(graph: Graph, user: Node): void {
  graph.setControls(user, []);
  if (!user.op.startsWith('LookupTableFind')) return;
  const [, keys] = user.inputs;
  const found = graph.add({
    name: graph.freeName(`${user.name}/found`),
    op: 'LookupTableFindV2',
    inputs: user.inputs,
    attr: user.attr,
  });
  const shape = graph.add({
    name: graph.freeName(`${user.name}/shape`),
    op: 'Shape',
    inputs: [keys!],
    attr: { T: attr.type(attrType(user, 'Tin') ?? DataType.DT_STRING), out_type: attr.type(DataType.DT_INT32) },
  });
  const inputs = [found, shape].map(({ name }) => ({ node: name, port: 0 }));
  graph.replace(user, { op: 'Reshape', inputs, attr: { T: attr.type(attrType(user, 'Tout') ?? DataType.DT_INT64) } });
}

function isNotConstant({ name }: Node): BnfixError {
  return new BnfixError('unsupported', 'TensorFlow.js cannot fill a lookup table', {
    where: name,
    why: 'its entries are no constants of the graph',
    fix: [
      { option: 'outputs', value: 'NAMES', text: 'ends the graph before the table is read' },
      { option: 'format', value: 'pb', text: 'writes a frozen graph for other programs' },
    ],
  });
}
