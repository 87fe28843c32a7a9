import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import type { Tensor } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import type { Variable, Variables } from '../state/variables.js';
import { constantScalar } from '../values/constants.js';

/** A variable or a constant whose value a graph uses. */
export type Stored =
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'constant'; readonly node: string; readonly tensor: Tensor };

/** An unfused batch norm in inference mode: it normalises with stored statistics. */
export interface StoredNorm {
  /** The op that takes the root of the variance. */
  readonly name: string;
  readonly variance: Stored;
  /** What it subtracts; undefined if none was recognised. */
  readonly mean: Stored | undefined;
  /** Its other stored operands: scale and offset. */
  readonly others: readonly Stored[];
}

const isRoot = anyOf('root');
const isPower = anyOf('power');
const adds = anyOf('add', 'bias');
const passes = anyOf('identity', 'cast', 'reshape', 'enter');
/** The arithmetic of a batch norm after the root of its variance. */
export const isNormArithmetic = anyOf(
  'multiply',
  'divide',
  'add',
  'bias',
  'subtract',
  'reciprocal',
  'identity',
  'cast',
  'reshape',
  'enter',
);
const subtracts = anyOf('subtract');

/** Maximum number of ops between the root and mean, scale or offset. */
const DISTANCE = 4;

/** Finds the roots of stored vectors, plus epsilon, that feed an output. @param live - nodes that feed an output */
export function findStoredNorms(graph: Graph, variables: Variables, live: NodeSet): StoredNorm[] {
  const stored = (ref: TensorRef) => storedAt(graph, variables, ref);
  const found: StoredNorm[] = [];
  for (const node of live) {
    const variance = varianceUnder(graph, node, stored);
    if (!variance) continue;
    const after = storedAfter(graph, node, live, stored);
    const mean = after.find(({ isSubtracted }) => isSubtracted)?.value;
    const others = after.map(({ value }) => value).filter((value) => value !== mean);
    found.push({ name: node.name, variance, mean, others });
  }
  return found;
}

/** The vector under the root of a node, without an added positive constant. */
function varianceUnder(graph: Graph, node: Node, stored: (ref: TensorRef) => Stored | undefined): Stored | undefined {
  const isHalf = isPower(node) && Math.abs(constantScalar(graph, node.inputs[1]) ?? 0) === 0.5;
  const under = isRoot(node) || isHalf ? node.inputs[0] : undefined;
  if (!under) return undefined;
  const sum = graph.find(sourceOf(graph, under, passes).node);
  if (!adds(sum)) return stored(under);
  const [a, b] = sum!.inputs;
  if ((constantScalar(graph, b) ?? 0) > 0) return stored(a!);
  return (constantScalar(graph, a) ?? 0) > 0 ? stored(b!) : undefined;
}

/** A vector operand after a root. */
interface Operand {
  readonly value: Stored;
  /** Whether it is subtracted, scaled or not: `x - mean`, `offset - mean * scale`. */
  readonly isSubtracted: boolean;
}

/** The vector operands right after a root, and those subtracted from the tensor that it scales. */
function storedAfter(
  graph: Graph,
  root: Node,
  live: NodeSet,
  stored: (ref: TensorRef) => Stored | undefined,
): Operand[] {
  const found = new Map<string, Operand>();
  const add = (ref: TensorRef, isSubtracted: boolean) => {
    const value = stored(ref);
    if (value) found.set(refText(ref), { value, isSubtracted });
  };
  let level = new Set([root.name]);
  for (let distance = 0; distance < DISTANCE; distance++) {
    const next = new Set<string>();
    for (const name of level) {
      for (const node of graph.dataConsumers(name)) {
        if (!live.has(node) || !isNormArithmetic(node)) continue;
        next.add(node.name);
        for (const input of node.inputs) {
          add(input, isSubtrahend(graph, { node: node.name, port: 0 }));
          const other = graph.find(sourceOf(graph, input, passes).node);
          if (subtracts(other)) for (const [i, each] of other!.inputs.entries()) add(each, i === 1);
        }
      }
    }
    level = next;
  }
  return [...found.values()];
}

/** Whether a difference subtracts a tensor. */
function isSubtrahend(graph: Graph, ref: TensorRef): boolean {
  return graph.consumers(ref).some((node) => subtracts(node) && node.inputs[1]?.node === ref.node);
}

/** The variable or constant vector whose value a tensor has. */
export function storedAt(graph: Graph, variables: Variables, ref: TensorRef): Stored | undefined {
  const at = sourceOf(graph, ref, passes);
  const variable = variables.readBy(at);
  if (variable) return variable.shape?.length === 0 ? undefined : { kind: 'variable', variable };
  const node = graph.find(at.node);
  if (!node?.tensor || node.tensor.shape.length === 0) return undefined;
  return { kind: 'constant', node: node.name, tensor: node.tensor };
}
