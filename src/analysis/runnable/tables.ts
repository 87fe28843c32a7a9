import { attrString } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { ancestors } from '../../graph/walk.js';
import { anyOf, isMerge, isSwitch, sameAs } from '../../ops/meaning.js';
import { opInfo } from '../../ops/registry.js';
import { dataFrom } from './find_obstacles.js';
import type { Obstacle, TableContents } from './obstacle.js';

/** A lookup table that feeds an output, and the op that fills it with constants. */
export interface Table {
  readonly node: string;
  readonly initializer: string;
  /** Whether the initialiser may run again: TensorFlow 1.13 refuses to initialise a HashTable twice. */
  readonly isRepeatable: boolean;
  /** What runs after the initialiser has run, or was not needed, in a graph that an earlier run of bnfix made. */
  readonly ready: string | undefined;
}

/** The lookup tables of a graph. */
export interface Tables {
  readonly tables: readonly Table[];
  /** Tables that are filled from a file: they are obstacles, too. */
  readonly fromFiles: readonly Table[];
  /** Tables whose entries are not in the graph. */
  readonly obstacles: readonly Obstacle[];
}

const isTable = anyOf('table');
const initializes = anyOf('table_initializer');
const inserts = anyOf('table_insert');
const readsFile = anyOf('table_file');
const forwards = anyOf('identity', 'enter', 'switch', 'merge');
const isMutable = anyOf('mutable_table');
const asksForSize = anyOf('table_size');
const isEqual = sameAs('Equal');
const isSource = anyOf('placeholder', 'pipeline_end', 'variable', 'table', 'python', 'random');

/** The GraphDef version of TensorFlow 1.15, which ignores an initialiser that runs again. */
const TF_1_15 = 134;

/** Finds the tables among live nodes, and how each is filled. */
export function findTables(graph: Graph, live: NodeSet): Tables {
  const tables: Table[] = [];
  const fromFiles: Table[] = [];
  const obstacles: Obstacle[] = [];
  const producer = graph.header.versions?.producer ?? 0;
  const same = sameTables(graph, live);
  for (const node of [...live].filter(isTable)) {
    const writers = writersOf(graph, same.get(sharedName(node)) ?? [node]);
    const [first, ...others] = writers;
    const initializer =
      first && others.length === 0 && initializes(first) && isConstant(graph, first) ? first : undefined;
    if (initializer) {
      const isRepeatable = isMutable(node) || producer >= TF_1_15;
      const { ready } = guardOf(graph, initializer) ?? {};
      const table = { node: node.name, initializer: initializer.name, isRepeatable, ready };
      (readsFile(initializer) ? fromFiles : tables).push(table);
      if (!readsFile(initializer)) continue;
    }
    const { name, op } = node;
    obstacles.push({
      code: 'table',
      node: name,
      op,
      contents: contentsOf(writers),
      tensors: dataFrom(graph, live, node),
    });
  }
  return { tables, fromFiles, obstacles };
}

/** Tables by their shared name: ops with one name make one table. */
function sameTables(graph: Graph, live: NodeSet): Map<string, Node[]> {
  const same = new Map<string, Node[]>();
  if (![...live].some(isTable)) return same;
  for (const node of graph.nodes()) {
    if (!isTable(node) || sharedName(node) === '') continue;
    const others = same.get(sharedName(node));
    if (others) others.push(node);
    else same.set(sharedName(node), [node]);
  }
  return same;
}

function sharedName(node: Node): string {
  return attrString(node, 'shared_name') ?? '';
}

/** The ops that fill or change a table, given the ops that make it: they take its handle. */
function writersOf(graph: Graph, tables: readonly Node[]): Node[] {
  const holders = new Set<Node>(tables);
  const found = new Set<Node>();
  for (const holder of holders) {
    for (const node of graph.dataConsumers(holder.name)) {
      if (forwards(node)) holders.add(node);
      else if (initializes(node) || inserts(node)) found.add(node);
    }
  }
  return [...found];
}

/** Whether the entries, or the name of their file, are computed from constants alone. */
function isConstant(graph: Graph, initializer: Node): boolean {
  const [keys, values] = [guardOf(graph, initializer)?.keys ?? initializer.inputs[1], initializer.inputs[2]];
  const entries = [keys, values].flatMap((ref) => ref?.node ?? []);
  return [...ancestors(graph, entries, false)].every((node) => !isSource(node) && opInfo(node.op)?.stateful === false);
}

/** What makes an initialiser run only while its table is empty, as the pass `initialize_tables` writes it. */
function guardOf(graph: Graph, initializer: Node): { keys: TensorRef; ready: string } | undefined {
  const branch = graph.inputNode(initializer, 1);
  const isEmpty = isSwitch(branch) && graph.inputNode(branch!, 1);
  const size = isEmpty && isEqual(isEmpty) ? graph.inputNode(isEmpty, 0) : undefined;
  if (!branch || !size || !asksForSize(size) || size.inputs[0]?.node !== initializer.inputs[0]?.node) return undefined;
  const ready = graph.consumers({ node: branch.name, port: 0 }).find((node) => isMerge(node));
  return ready && { keys: branch.inputs[0]!, ready: ready.name };
}

function contentsOf(writers: readonly Node[]): TableContents {
  if (writers.some(readsFile)) return 'file';
  return writers.length === 0 || writers.some(inserts) ? 'inserted' : 'computed';
}
