import type { Graph } from '../../graph/graph.js';
import { type Node, sameRef, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { topologicalOrder } from '../../graph/walk.js';
import { anyOf, isSwitch, readsShape, scalarOf } from '../../ops/meaning.js';
import { isMaskSource, isOtherRandomOp, isUniform, type RandomFactors } from './random_factors.js';
import type { RandomOpProblem } from './random_op_problem.js';

/** A random op that acts on activations and is not a dropout. */
export interface StrayRandomOp {
  /** The op at which it meets the data. */
  readonly output: string;
  readonly random: string;
  readonly problem: RandomOpProblem;
}

interface Product {
  readonly data: TensorRef;
  readonly random: Node;
}

const isMultiply = anyOf('multiply');
const isSum = anyOf('add', 'subtract', 'bias');
const isShuffle = anyOf('shuffle');
const isCrop = anyOf('crop');
const isIf = anyOf('if', 'case');
const multipliesByWeights = anyOf('weighted');
const choosesElements = anyOf('gather', 'gather_variable', 'slice', 'scatter', 'reverse', 'displacement', 'pad');
const combines = anyOf('multiply', 'divide', 'select', 'add', 'subtract', 'bias', 'extremum', 'logic', 'power');
/** Ops beside arithmetic that a random tensor and data may enter side by side, or that ignore inputs after the first. */
const joins = anyOf('concat', 'pack', 'merge', 'weighted', 'tensor_array', 'while', 'call', 'identity', 'comparison');

/** Ops that compute masks and other bounded factors: samples of other distributions need a Log, say, and latent variables a layer. */
const makesFactor = anyOf(
  'identity',
  'cast',
  'reshape',
  'broadcast',
  'add',
  'subtract',
  'multiply',
  'divide',
  'negate',
  'absolute',
  'extremum',
  'comparison',
  'logic',
  'rounding',
  'cumulative',
  'select',
  'concat',
  'pack',
  'slice',
  'tile',
  'transpose',
);

/**
 * Uses of random numbers that occur only in training and are not masks of dropouts: as weights, to select elements or branches,
 * as parameters of what changes data (contrast, size), or uniform ones as factors of data. Excludes latent variables, which are concatenated with data, multiplied by weights, or
 * scaled and added.
 *
 * @param known - ops that are part of a dropout, or reported already
 */
export function otherStrayOps(
  graph: Graph,
  factors: RandomFactors,
  live: NodeSet,
  known: ReadonlySet<Node>,
): StrayRandomOp[] {
  const found: StrayRandomOp[] = [];
  /** A tensor that is computed from a random op and not from data, and that op. */
  const made = new Map<Node, Node>();
  /** Of these, factors that are computed from uniform numbers only. */
  const bounded = new NodeSet(graph);
  /** Products of data and other random numbers, with both: noise, if they are added to the same data. */
  const products = new Map<Node, Product>();
  for (const node of topologicalOrder(graph)) {
    if (!live.has(node) || known.has(node) || readsShape(node)) continue;
    const product = graph.inputNodes(node).flatMap((input) => products.get(input!) ?? [])[0];
    if (product && isSum(node) && node.inputs.some((ref) => sameRef(ref, product.data))) {
      report(node, product.random, 'adds');
    } else if (product && isMultiply(node) && node.inputs.some((ref) => factors.isParameter(ref))) {
      products.set(node, product);
    }
    if (isMaskSource(node) || isOtherRandomOp(node)) made.set(node, node);
    if (isUniform(node)) bounded.add(node);
    const inputs = graph.inputNodes(node);
    const index = inputs.findIndex((input) => input && made.has(input));
    const random = made.get(inputs[index]!);
    if (!random) {
      if (isShuffle(node) && factors.fed.has(node)) report(node, node, 'shuffles');
      else if (isCrop(node) && factors.fed.has(node)) report(node, node, 'chooses');
      continue;
    }
    const meetsData = node.inputs.some(
      (ref, i) => !made.has(inputs[i]!) && factors.fed.has(inputs[i]) && !factors.isParameter(ref),
    );
    if (!meetsData) {
      made.set(node, random);
      if (makesFactor(node) && inputs.every((input) => bounded.has(input) || !made.has(input!))) bounded.add(node);
    } else if (multipliesByWeights(node) && index > 0) report(node, random, 'changes_weights');
    else if (choosesElements(node)) report(node, random, 'chooses');
    else if (
      combines(node) &&
      (isOtherRandomOp(random) || (isUniform(random) && isSum(node)) || inputs.some((input) => bounded.has(input)))
    ) {
      report(node, random, isSum(node) ? 'adds' : 'not_a_mask');
    } else if (isMultiply(node)) {
      products.set(node, { data: node.inputs.find((_, i) => !made.has(inputs[i]!))!, random });
    } else if ((isSwitch(node) && index === 1) || (isIf(node) && index === 0)) report(node, random, 'branches');
    else if (index > 0 && scalarOf(node.op) === undefined && !joins(node)) report(node, random, 'changes_data');
  }
  return found;

  function report({ name }: Node, random: Node, code: RandomOpProblem['code']): void {
    found.push({ output: name, random: random.name, problem: { code } });
  }
}
