import { attrBool, attrFloat } from '../graph/attrs.js';
import type { Graph, Node, TensorRef } from '../graph/graph.js';
import { refText } from '../graph/graph.js';
import { type Shape, Shapes } from './shapes.js';
import { findMovingAverages, type MovingAverage, type MovingAverages } from './updates.js';
import type { Variable, Variables } from './variables.js';

/** How it was found out which variables hold a batch norm's moving statistics. */
export interface Evidence {
  readonly kind: 'update op' | 'input' | 'map' | 'sibling' | 'name' | 'shape';
  /** One line for the report. */
  readonly text: string;
}

/** The moving statistics of a batch norm. */
export interface Statistics {
  readonly mean: Variable;
  readonly variance: Variable;
  readonly evidence: Evidence;
}

/** A batch normalisation that is written as one FusedBatchNorm op (V1, V2, V3). */
export interface BatchNorm {
  readonly name: string;
  /** The op, or the kind of arithmetic. */
  readonly form: string;
  /** `training` normalises with the statistics of the batch. */
  readonly mode: 'training' | 'inference';
  readonly x: TensorRef;
  readonly epsilon: number;
  /** Undefined where none is known; `problem` says why. */
  readonly statistics: Statistics | undefined;
  /** Why a site in training mode is right as it is. */
  readonly exempt: string | undefined;
  /** Why no statistics could be told for sure. */
  readonly problem: string | undefined;
}

const FUSED: ReadonlySet<string> = new Set(['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3']);

/** The op's own default (tensorflow/core/ops/nn_ops.cc). */
const DEFAULT_EPSILON = 1e-4;

/** An absent is_training means true: the op's default, which strip_default_attrs removes. */
export function isTrainingFused(node: Node): boolean {
  return FUSED.has(node.op) && (attrBool(node, 'is_training') ?? true);
}

/** Finds all batch norms of a graph, in file order, and pairs those in training mode with their moving statistics. */
export function findBatchNorms(graph: Graph, variables: Variables): BatchNorm[] {
  const averages = findMovingAverages(graph, variables);
  const shapes = new Shapes(graph);
  const found: BatchNorm[] = [];
  for (const node of graph.nodes()) {
    if (FUSED.has(node.op)) found.push(fusedBatchNorm(graph, node, variables, averages, shapes));
  }
  return found;
}

function fusedBatchNorm(
  graph: Graph,
  node: Node,
  variables: Variables,
  averages: MovingAverages,
  shapes: Shapes,
): BatchNorm {
  const x = node.inputs[0]!;
  const common = {
    name: node.name,
    form: node.op,
    x,
    epsilon: attrFloat(node, 'epsilon') ?? DEFAULT_EPSILON,
  };
  if (!isTrainingFused(node)) {
    return { ...common, mode: 'inference', statistics: undefined, exempt: undefined, problem: undefined };
  }
  const paired = pair(node, variables, averages);
  const statistics = 'problem' in paired ? undefined : paired;
  const exempt = statistics ? undefined : exemption(graph, node, shapes.of(x));
  const problem = statistics || exempt ? undefined : 'problem' in paired ? paired.problem : undefined;
  return { ...common, mode: 'training', statistics, exempt, problem };
}

/** Follows outputs 1 and 2 to the variables that average them; then looks whether inputs 3 and 4 read variables. */
function pair(node: Node, variables: Variables, averages: MovingAverages): Statistics | { problem: string } {
  const follow = (port: number) => averages.get(refText({ node: node.name, port })) ?? [];
  const [means, variances] = [follow(1), follow(2)];
  if (means.length === 1 && variances.length === 1) {
    return {
      mean: means[0]!.variable,
      variance: variances[0]!.variable,
      evidence: { kind: 'update op', text: `${pathText(means[0]!)}, ${pathText(variances[0]!)}` },
    };
  }
  if (means.length > 1 || variances.length > 1) {
    const names = [...means, ...variances].map((average) => average.variable.node);
    return { problem: `several variables average its statistics: ${names.join(', ')}` };
  }
  const [mean, variance] = [3, 4].map((index) => node.inputs[index] && variables.readBy(node.inputs[index]));
  if (mean && variance) {
    const text = `inputs 3 and 4 read ${mean.node} and ${variance.node} already`;
    return { mean, variance, evidence: { kind: 'input', text } };
  }
  return { problem: 'no variable is updated from its batch mean and variance' };
}

function pathText(average: MovingAverage): string {
  return `${average.assign} assigns ${average.variable.node} from ${refText(average.statistic)}`;
}

/** Normalisations that use the same op in training mode on purpose: they never mix the examples of a batch. */
function exemption(graph: Graph, node: Node, shape: Shape): string | undefined {
  if (shape?.[0] !== 1) return undefined;
  const scale = graph.inputNode(node, 1);
  const layerNorm = graph.inputNode(node, 0)?.op === 'Reshape' && (scale?.op === 'Fill' || scale?.op === 'Const');
  return layerNorm
    ? 'layer normalisation: every example is normalised by itself'
    : 'its batch dimension is statically 1: every example is normalised by itself (instance normalisation)';
}
