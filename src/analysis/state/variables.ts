import { attrShape, attrString, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Checkpoint, Model, SliceExtent } from '../../graph/model.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { parseSliceSpec } from '../../graph/slices.js';
import { elementCount, type Tensor } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import type { Row } from './rows.js';

/** A variable of the graph and the location of its value. */
export interface Variable {
  /** The VariableV2 or VarHandleOp; the Const that it was frozen to. */
  readonly node: string;
  /** A ref variable (VariableV2) or a resource (VarHandleOp). */
  readonly kind: 'ref' | 'resource';
  readonly dtype: DataType;
  /** Undefined if the graph does not define it. */
  readonly shape: readonly number[] | undefined;
  /** Key in the checkpoint; undefined if the checkpoint has no value for it. */
  readonly key: string | undefined;
  /** For a part of a partitioned variable: its rectangle of the checkpoint's tensor. */
  readonly slice: readonly SliceExtent[] | undefined;
  /** How the key was found. */
  readonly evidence: 'restore op' | 'name' | 'moving average' | 'none';
  /** The row, if only one row of the variable holds a statistic; then `shape` is the shape of the tensor that reads it. */
  readonly row?: Row;
  /** The value of one that was frozen to a constant already. */
  readonly value?: Tensor;
}

/** Whether both are the same variable, or the same row of it: two of its rows are two variables. */
export function isSameVariable(a: Variable, b: Variable): boolean {
  return a.node === b.node && a.row?.key === b.row?.key;
}

const isVariableOp = anyOf('variable');
const isRestoreOp = anyOf('restore');
const sets = anyOf('assign_set');
const assigns = anyOf('assign');
const passesTensor = anyOf('identity', 'cast', 'reshape');

/** Ops that forward a variable itself, by reference or by handle, from input 0. */
const passesHandle = anyOf('identity', 'switch', 'enter', 'next_iteration', 'exit');

/** Ops that forward a value from input 0, whether or not their branch is taken. */
const passesValue = anyOf('identity', 'switch', 'enter');

/** Whether a node holds the value of a variable: VariableV2, VarHandleOp and their like. */
export function isVariable(node: Node): boolean {
  return isVariableOp(node);
}

/** Whether a node reads values from a checkpoint: RestoreV2 and its like. */
export function isRestore(node: Node): boolean {
  return isRestoreOp(node);
}

/** The variables of a graph, by node, and the tensors that refer to them. */
export class Variables {
  readonly byNode: ReadonlyMap<string, Variable>;
  readonly #graph: Graph;
  /** Whether all variables were frozen to constants. */
  readonly #isFrozen: boolean;

  constructor(graph: Graph, byNode: ReadonlyMap<string, Variable>) {
    this.#graph = graph;
    this.byNode = byNode;
    this.#isFrozen = [...byNode.values()].every(({ value }) => value !== undefined);
  }

  /** The variable of a reference or a resource handle. */
  ofHandle(ref: TensorRef): Variable | undefined {
    return this.byNode.get(sourceOf(this.#graph, ref, passesHandle).node);
  }

  /** The variable whose unchanged value a tensor is. */
  readBy(ref: TensorRef): Variable | undefined {
    const at = sourceOf(this.#graph, ref, passesValue);
    const node = this.#graph.find(at.node);
    if (!node) return undefined;
    if (node.op === 'ReadVariableOp') return node.inputs[0] && this.ofHandle(node.inputs[0]);
    const variable = this.byNode.get(node.name);
    return variable?.kind === 'ref' ? variable : undefined;
  }

  /** The variable whose plain value a tensor is, or the vector that such a variable was frozen to. */
  valueAt(ref: TensorRef): Variable | undefined {
    return this.readBy(ref) ?? this.#frozenVector(sourceOf(this.#graph, ref, passesValue).node);
  }

  /** The variable of that name, or the vector that it was frozen to. */
  named(name: string): Variable | undefined {
    return this.byNode.get(name) ?? this.#frozenVector(name);
  }

  /**
   * The variable whose value a checkpoint has under a key, where the graph has no variable of that name: passes add its node, with
   * another name if the graph has a node of that name.
   */
  ofKey(key: string, checkpoint: Pick<Checkpoint, 'entries'> | undefined): Variable | undefined {
    const entry = checkpoint?.entries.get(key);
    if (!entry) return undefined;
    let node = key;
    while (this.#graph.has(node) || (node !== key && checkpoint!.entries.has(node))) node += '/value';
    const { dtype, shape } = entry;
    return { node, kind: 'ref', dtype, shape, key, slice: undefined, evidence: 'name' };
  }

  /** Where a graph still has variables, only constants that are read as variables are: by an Identity. */
  #frozenVector(name: string): Variable | undefined {
    const vector = frozenVector(this.#graph.find(name));
    if (!vector || this.#isFrozen) return vector;
    const readers = this.#graph.dataConsumers(name);
    return readers.length > 0 && readers.every((reader) => reader.op === 'Identity') ? vector : undefined;
  }
}

const FLOATS: ReadonlySet<DataType> = new Set([
  DataType.DT_FLOAT,
  DataType.DT_DOUBLE,
  DataType.DT_HALF,
  DataType.DT_BFLOAT16,
]);

/** What a constant was if it was a variable before the graph was frozen; undefined where a node is none, or no vector of floats. */
function frozenVector(node: Node | undefined): Variable | undefined {
  const variable = frozenVariable(node);
  const { dtype, shape } = variable?.value ?? {};
  return dtype !== undefined && FLOATS.has(dtype) && shape!.length > 0 && elementCount(shape!) > 0
    ? variable
    : undefined;
}

/** What a constant was if it was a variable before the graph was frozen. */
function frozenVariable(node: Node | undefined): Variable | undefined {
  const value = node?.op === 'Const' ? node.tensor : undefined;
  if (!node || !value) return undefined;
  const { dtype, shape } = value;
  return { node: node.name, kind: 'ref', dtype, shape, key: undefined, slice: undefined, evidence: 'none', value };
}

/**
 * Finds every variable and the checkpoint key of its value: according to the saver's restore ops (RestoreV2 -> Assign),
 * which are certain; otherwise according to the shared_name or the node's name.
 */
export function findVariables(model: Pick<Model, 'graph' | 'metaGraphDef' | 'checkpoint' | 'objectKeys'>): Variables {
  const { graph, metaGraphDef, checkpoint, objectKeys } = model;
  const keys = restoredKeys(graph, metaGraphDef.saver_def?.restore_op_name ?? undefined, checkpoint?.entries);
  const byNode = new Map<string, Variable>();
  for (const node of graph.nodes()) {
    if (!isVariable(node)) continue;
    const restored = keys.get(node.name);
    const key = restored?.key ?? namedKey(node, checkpoint?.entries, objectKeys);
    byNode.set(node.name, {
      node: node.name,
      kind: node.op === 'VarHandleOp' ? 'resource' : 'ref',
      dtype: attrType(node, 'dtype') ?? DataType.DT_FLOAT,
      shape: attrShape(node, 'shape'),
      key,
      slice: restored?.slice,
      evidence: restored ? 'restore op' : key === undefined ? 'none' : 'name',
    });
  }
  // What an op assigns to was a variable, although the graph was frozen: TensorFlow would not take such a graph.
  for (const node of graph.nodes()) {
    const target = assigns(node) && node.inputs[0] && graph.find(sourceOf(graph, node.inputs[0], passesHandle).node);
    const frozen = target ? frozenVariable(target) : undefined;
    if (frozen) byNode.set(frozen.node, frozen);
  }
  return new Variables(graph, byNode);
}

type Entries = ReadonlyMap<string, unknown>;

function namedKey(
  node: Node,
  entries: Entries | undefined,
  objectKeys: ReadonlyMap<string, string> | undefined,
): string | undefined {
  const names = [attrString(node, 'shared_name'), node.name].filter((name) => name !== undefined && name !== '');
  const keys = [...names, ...names.map((name) => objectKeys?.get(name!))];
  return keys.find((key) => key !== undefined && entries?.has(key));
}

interface Restored {
  readonly key: string;
  readonly slice: readonly SliceExtent[] | undefined;
}

/** Variable node -> what the restore ops load into it. The saver that the MetaGraphDef names has priority. */
function restoredKeys(
  graph: Graph,
  restoreOp: string | undefined,
  entries: Entries | undefined,
): Map<string, Restored> {
  const mainOps = restoreOp === undefined ? new Set<string>() : controlAncestors(graph, restoreOp.split(':')[0]!);
  const main = new Map<string, Restored>();
  const other = new Map<string, Restored>();
  for (const restore of graph.nodes()) {
    if (!isRestore(restore)) continue;
    const names = stringConst(graph, restore.inputs[1]);
    const specs = stringConst(graph, restore.inputs[2]);
    for (const port of graph.usedPorts(restore.name)) {
      const key = names?.[port];
      if (key === undefined || (entries && !entries.has(key))) continue;
      const restored = { key, slice: parseSliceSpec(specs?.[port] ?? '')?.slice };
      for (const { assign, variable } of assignedFrom(graph, { node: restore.name, port })) {
        const found = mainOps.has(assign) ? main : other;
        if (!found.has(variable)) found.set(variable, restored);
      }
    }
  }
  return new Map([...other, ...main]);
}

function controlAncestors(graph: Graph, name: string): Set<string> {
  const seen = new Set([name]);
  for (const at of seen) for (const input of graph.find(at)?.controls ?? []) seen.add(input);
  return seen;
}

/** Variables that a restored tensor is assigned to, possibly through casts and reshapes. */
function assignedFrom(graph: Graph, ref: TensorRef): { assign: string; variable: string }[] {
  const found: { assign: string; variable: string }[] = [];
  const waiting = graph.consumers(ref).toReversed();
  const seen = new Set<Node>();
  for (let consumer = waiting.pop(); consumer; consumer = waiting.pop()) {
    if (seen.has(consumer)) continue;
    seen.add(consumer);
    if (sets(consumer)) {
      const target = consumer.inputs[0];
      if (target) found.push({ assign: consumer.name, variable: sourceOf(graph, target, passesHandle).node });
    } else if (passesTensor(consumer)) {
      for (const next of graph.consumers({ node: consumer.name, port: 0 }).toReversed()) waiting.push(next);
    }
  }
  return found;
}

const utf8 = new TextDecoder();

function stringConst(graph: Graph, ref: TensorRef | undefined): string[] | undefined {
  if (!ref) return undefined;
  const { tensor } = graph.find(sourceOf(graph, ref, isIdentity).node) ?? {};
  return tensor?.dtype === DataType.DT_STRING ? tensor.strings().map((s) => utf8.decode(s)) : undefined;
}
