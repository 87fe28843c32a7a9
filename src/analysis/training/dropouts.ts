import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { sameRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { anyOf, isSelect, isSwitch } from '../../ops/meaning.js';
import { Shapes } from '../values/shapes.js';
import { type AlphaDropout, findAlphaDropout } from './alpha_dropout.js';
import { unscaled } from './dropout_scaling.js';
import { isMaskSource, isOtherRandomOp, isUniform, RandomFactors, type RandomTensor } from './random_factors.js';
import type { RandomOpProblem } from './random_op_problem.js';
import { otherStrayOps, type StrayRandomOp } from './stray_random_ops.js';

/** An active dropout: at inference its output is `x`. */
export interface Dropout {
  /** The op that applies the mask: Mul, Select, or the scaling after it. */
  readonly output: string;
  /** The data that the mask is applied to: it replaces `output`. */
  readonly x: TensorRef;
  /** The random op that its mask is computed from. */
  readonly random: string;
}

const isSum = anyOf('add', 'subtract', 'bias');
const isMultiply = anyOf('multiply');
const isDivision = anyOf('divide');
/** A factor with mean 0 is not a mask, as in a variational autoencoder: `mu + sigma * normal`. */
const NO_MASK = 1e-6;

/**
 * Finds dropouts by data flow: an activation times a factor that is computed only from a random op and parameters, or
 * selected by such a condition. Checks numerically that factor times scaling is 1 on average.
 *
 * @param outputs - what the graph outputs: scaling after it comes too late
 */
export function findDropouts(
  graph: Graph,
  live: NodeSet,
  outputs: readonly TensorRef[],
): { dropouts: Dropout[]; stray: StrayRandomOp[] } {
  const dropouts: Dropout[] = [];
  const stray: StrayRandomOp[] = [];
  // In file order: if dropouts follow each other, the first takes the first scaling.
  const randoms = [...graph.nodes()].filter((node) => live.has(node) && isMaskSource(node));
  if (randoms.length === 0 && ![...live].some(isOtherRandomOp)) return { dropouts, stray };
  const factors = new RandomFactors(graph, live, outputs);
  const shapes = new Shapes(graph);
  const claimed = new Set<string>();
  /** The ops that are part of what was found. */
  const known = new Set<Node>();
  for (const random of randoms) {
    const tensors = factors.tensorsOf(random);
    const randomNodes = new Set(tensors.map(({ ref }) => ref.node));
    for (const { x, alpha } of alphaDropouts(graph, factors, live, tensors, random)) {
      for (const op of alpha.ops) known.add(op);
      dropouts.push({ output: alpha.output, x, random: random.name });
    }
    for (const tensor of tensors) {
      for (const node of graph.consumers(tensor.ref)) {
        if (!live.has(node) || randomNodes.has(node.name) || known.has(node)) continue;
        const acts = node.inputs.some(
          (ref) => !sameRef(ref, tensor.ref) && (factors.fed.hasNamed(ref.node) || factors.isWeight(ref)),
        );
        const applied = acts ? application(factors, node, tensor, random) : undefined;
        if (!applied) continue;
        known.add(node);
        const mask = applied.x && { node, x: applied.x, mean: applied.mean, roundoff: tensor.roundoff };
        const found = mask && unscaled(graph, factors, claimed, mask);
        if (found && widens(shapes, found)) {
          stray.push({ output: found.output, random: random.name, problem: { code: 'widens' } });
        } else if (found) {
          if (found.scaling) claimed.add(found.scaling);
          dropouts.push({ output: found.output, x: found.x, random: random.name });
        } else stray.push({ output: node.name, random: random.name, problem: applied.problem });
      }
    }
  }
  stray.push(...otherStrayOps(graph, factors, live, known));
  return { dropouts, stray };
}

/** The alpha dropouts whose mask is one of the tensors computed from a random op. */
function alphaDropouts(
  graph: Graph,
  factors: RandomFactors,
  live: NodeSet,
  tensors: readonly RandomTensor[],
  random: Node,
): { x: TensorRef; alpha: AlphaDropout }[] {
  return tensors.flatMap(({ ref, mean, roundoff }) => {
    if (mean === undefined || !isUniform(random)) return [];
    return graph.consumers(ref).flatMap((node) => {
      const [x, ...others] = node.inputs.filter((input) => factors.fed.hasNamed(input.node));
      if (!live.has(node) || !x || others.length > 0 || !(isMultiply(node) || isSelect(node))) return [];
      const isSecond = isSelect(node) && sameRef(node.inputs[2]!, x);
      const mask = { node, x, mean: isSecond ? 1 - mean : mean, roundoff };
      const alpha = findAlphaDropout(factors, mask, random);
      return alpha ? [{ x, alpha }] : [];
    });
  });
}

/** Whether the output of a dropout is known to have another shape than its input. */
function widens(shapes: Shapes, { output, x }: Pick<Dropout, 'output' | 'x'>): boolean {
  const [out, own] = [shapes.of({ node: output, port: 0 }), shapes.of(x)];
  if (!out || !own) return false;
  return out.length !== own.length || out.some((size, i) => size >= 0 && own[i]! >= 0 && size !== own[i]);
}

interface Application {
  /** The tensor that the factor is applied to; undefined if the random op does something else to the data. */
  readonly x: TensorRef | undefined;
  readonly mean: number;
  readonly problem: RandomOpProblem;
}

const UNBALANCED: RandomOpProblem = { code: 'unbalanced_mask' };

/** How a random tensor affects an activation: as a factor of a Mul, or as a choice between it and 0. */
function application(
  factors: RandomFactors,
  node: Node,
  { ref, mean }: RandomTensor,
  random: Node,
): Application | undefined {
  const [a, b, c] = node.inputs;
  const other = (code: RandomOpProblem['code']) => ({ x: undefined, mean: 0, problem: { code } });
  if (isMultiply(node)) {
    if (mean === undefined) return other('not_a_mask');
    // A rate so close to 1 that its dtype rounds it to 1 drops everything.
    if (mean === 0 && factors.isZero(ref, random)) return other('unbalanced_mask');
    return Math.abs(mean) < NO_MASK ? undefined : { x: sameRef(a!, ref) ? b : a, mean, problem: UNBALANCED };
  }
  if (isDivision(node) && sameRef(b!, ref)) return other('divides');
  if (isSelect(node) && sameRef(a!, ref)) {
    if (mean !== undefined && factors.valueOf(c!) === 0) return { x: b, mean, problem: UNBALANCED };
    if (mean !== undefined && factors.valueOf(b!) === 0) return { x: c, mean: 1 - mean, problem: UNBALANCED };
    return other('chooses');
  }
  if (isSum(node)) return other('adds');
  return isSwitch(node) && sameRef(b!, ref) ? other('branches') : undefined;
}
