import { findBatchNorms, type OnnxBatchNorm } from './batch_norms.js';
import { findInvalidBiases, type InvalidBias } from './biases.js';
import type { OpenExternal } from './constants.js';
import { findRandomUses, type RandomUse } from './dropouts.js';
import { Flow, type Normalisation } from './flow.js';
import { trainingKind } from './ops.js';
import { inOrder } from './order.js';
import type { OnnxModel } from './read_model.js';
import { Resolver } from './resolver.js';
import { Scalars } from './scalars.js';
import type { OnnxNode } from './scope.js';

/** What feeds the outputs of a model, with some of its inputs set to values. */
export interface Examination {
  readonly batchNorms: readonly OnnxBatchNorm[];
  /** Biases with NaN or infinity. */
  readonly biases: readonly InvalidBias[];
  readonly random: readonly RandomUse[];
  /** Reductions over the batch, other than those of batch norms, that act on the data that they reduce. */
  readonly reductions: readonly OnnxNode[];
  /** Ops that train, and their kind. */
  readonly training: readonly { readonly node: OnnxNode; readonly kind: 'gradient' | 'optimizer' }[];
  /** Inputs that were not set and would have decided something. */
  readonly undecided: ReadonlySet<string>;
  /** The numbers that they are compared with. */
  readonly compared: ReadonlyMap<string, ReadonlySet<number>>;
}

/** Examines a model. @param set - values of scalar inputs, by name */
export function examine(
  model: OnnxModel,
  scalarInputs: ReadonlySet<string>,
  set: ReadonlyMap<string, number>,
  open: OpenExternal,
): Examination {
  const scalars = new Scalars(scalarInputs, set);
  const { outputs } = new Resolver(model, (value) => scalars.decide(value));
  const all = inOrder(outputs);
  const flow = new Flow(model, scalars, all);
  const nodes = flow.zeros.size === 0 ? all : inOrder(outputs, (node) => flow.zeros.has(node));
  const live = new Set(nodes);
  const normalisations = flow.normalisations.filter(({ node }) => live.has(node));
  const claimed = new Set<OnnxNode>();
  const batchNorms = findBatchNorms(nodes, normalisations, flow, open, claimed);
  return {
    batchNorms,
    biases: findInvalidBiases(nodes, open),
    random: findRandomUses(nodes, flow, scalars),
    reductions: reductionsLeft(nodes, normalisations, flow, claimed),
    training: nodes.flatMap((node) => {
      const kind = trainingKind(node.op, node.domain);
      return kind ? [{ node, kind }] : [];
    }),
    undecided: scalars.undecided,
    compared: scalars.compared,
  };
}

function reductionsLeft(
  nodes: readonly OnnxNode[],
  normalisations: readonly Normalisation[],
  flow: Flow,
  claimed: ReadonlySet<OnnxNode>,
): OnnxNode[] {
  const applied = new Set(normalisations.flatMap(({ statistic }) => statistic.reductions));
  const averages = nodes.filter(({ op, domain }) => op === 'MeanVarianceNormalization' && domain === '');
  const overBatch = averages.filter(
    (node) => (node.ints('axes') ?? [0]).includes(0) && !(node.inputs[0] && flow.isOfOneExample(node.inputs[0])),
  );
  return nodes.filter((node) => (applied.has(node) && !claimed.has(node)) || overBatch.includes(node));
}
