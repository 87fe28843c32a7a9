import { constantScalar } from '../analysis/values/constants.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { sourceOf } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';

const adds = anyOf('add', 'bias');
const subtracts = anyOf('subtract');
const scales = anyOf('multiply', 'divide');
const forwards = anyOf('identity', 'cast', 'reshape', 'enter');
const follows = anyOf(
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

/** Maximum number of ops between the root and scale or offset. */
const DISTANCE = 4;

/** The epsilon of a fused batch norm without the attr: the default is omitted. */
export const DEFAULT_EPSILON = 1e-4;

/** The constant that an unfused batch norm adds to the variance, under its root; undefined if there is none. */
export function epsilonUnder(graph: Graph, root: string): number | undefined {
  const [under] = graph.get(root).inputs;
  const sum = under && graph.find(sourceOf(graph, under, forwards).node);
  if (!sum || !adds(sum)) return undefined;
  const constants = sum.inputs.map((ref) => constantScalar(graph, ref)).filter((value) => value !== undefined);
  return constants.length === 1 && constants[0]! > 0 ? constants[0] : undefined;
}

/** The scale and the offset of an unfused batch norm: what it multiplies by and adds after the root. */
export function scaleAfter(
  graph: Graph,
  root: string,
  isStored: (ref: TensorRef) => boolean,
): { gamma: TensorRef | undefined; beta: TensorRef | undefined } {
  let [gamma, beta]: (TensorRef | undefined)[] = [];
  const reached = new Set([root]);
  let level = [graph.get(root)];
  for (let distance = 0; distance < DISTANCE && level.length > 0; distance++) {
    const next: Node[] = [];
    for (const { name } of level) {
      for (const node of graph.dataConsumers(name)) {
        if (reached.has(node.name) || !follows(node)) continue;
        reached.add(node.name);
        next.push(node);
        const stored = node.inputs.find((ref) => !reached.has(ref.node) && isStored(ref));
        if (!stored || isMean(graph, node)) continue;
        if (scales(node)) gamma ??= stored;
        else if (adds(node) || (subtracts(node) && node.inputs[0] === stored)) beta ??= stored;
      }
    }
    level = next;
  }
  return { gamma, beta };
}

/** Whether an op scales the mean, which is then subtracted from the offset. */
function isMean(graph: Graph, node: Node): boolean {
  if (!scales(node)) return false;
  return graph.dataConsumers(node.name).some((next) => subtracts(next) && next.inputs[1]?.node === node.name);
}
