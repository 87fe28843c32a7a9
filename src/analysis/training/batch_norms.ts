import type { Graph } from '../../graph/graph.js';
import type { Checkpoint } from '../../graph/model.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { finalAverages, findUpdates, type MovingAverage, type MovingAverages } from '../state/moving_averages.js';
import { type Correction, findCorrections } from '../state/renorm_corrections.js';
import type { Statistics } from '../state/statistics.js';
import type { Variables } from '../state/variables.js';
import { type Shape, Shapes } from '../values/shapes.js';
import { findActivations } from './activations.js';
import { FUSED, isTrainingFused } from './batch_statistics.js';
import { EvidenceFinder } from './evidence.js';
import { findMoments, type MomentsSite } from './unfused.js';

/** A batch normalisation: one FusedBatchNorm op (V1, V2, V3), or arithmetic with moments. */
export interface BatchNorm {
  /** The op; of arithmetic, the one that takes the root of the variance. */
  readonly name: string;
  /** The op, or `moments`. */
  readonly form: string;
  /** `training` normalises with the statistics of the batch. */
  readonly mode: 'training' | 'inference';
  readonly x: TensorRef;
  /** Where the moments are, when it is arithmetic. */
  readonly moments: MomentsSite | undefined;
  /** Undefined where none is known; `problem` says why. */
  readonly statistics: Statistics | undefined;
  /** Why a site in training mode is right as it is. */
  readonly exempt: string | undefined;
  /** Why no statistics could be told for sure. */
  readonly problem: string | undefined;
  /** What it is scaled and shifted by. */
  readonly parameters: readonly TensorRef[];
  /** Whether nothing in the graph updates statistics from it. */
  readonly orphan: boolean;
  /** Whether variables follow parts of it, not its mean and variance as such. */
  readonly inParts: boolean;
}

/** The batch norms of a graph, and the moving averages that tell which statistics are theirs. */
export interface BatchNorms {
  readonly sites: readonly BatchNorm[];
  readonly averages: MovingAverages;
  /** Corrections of batch renormalisation, which are nothing at inference. */
  readonly corrections: readonly Correction[];
}

/**
 * Finds all batch norms of a graph, in file order, and pairs those in training mode with their moving statistics.
 *
 * @param asTrained the moving averages of the graph before flags were pinned, where some were: a decay may be 0 since
 */
export function findBatchNorms(
  graph: Graph,
  variables: Variables,
  checkpoint: Checkpoint | undefined,
  asTrained: MovingAverages = new Map(),
): BatchNorms {
  const activations = findActivations(graph);
  const now = findUpdates(graph, variables, activations);
  const updates = { ...now, averages: new Map([...asTrained, ...now.averages]) };
  const { averages } = updates;
  const shapes = new Shapes(graph);
  const moments = findMoments(graph, shapes, activations, averages);
  const momentsByName = new Map(moments.map((site) => [site.name, site]));
  const evidence = new EvidenceFinder(graph, variables, checkpoint, shapes, updates);
  const pairing: Pairing = { graph, variables, averages, shapes, evidence };
  const followed: BatchNorm[] = [];
  for (const node of graph.nodes()) {
    const site = momentsByName.get(node.name);
    if (FUSED.has(node.op)) followed.push(fusedBatchNorm(pairing, node));
    else if (site) followed.push(momentsBatchNorm(pairing, site));
  }
  // Those whose update ops are gone: after all others, of which they may be twins.
  for (const site of followed) {
    if (site.statistics) evidence.remember({ ...site, channels: undefined }, site.statistics);
  }
  const sites = followed.map((site) => (site.orphan ? adopted(pairing, site) : site));
  return { sites, averages, corrections: findCorrections(graph, variables, updates, activations) };
}

interface Pairing {
  readonly graph: Graph;
  readonly variables: Variables;
  readonly averages: MovingAverages;
  readonly shapes: Shapes;
  readonly evidence: EvidenceFinder;
}

function fusedBatchNorm(pairing: Pairing, node: Node): BatchNorm {
  const common = {
    name: node.name,
    form: node.op,
    x: node.inputs[0]!,
    moments: undefined,
    parameters: node.inputs.slice(1, 3),
  };
  if (!isTrainingFused(node)) {
    return {
      ...common,
      mode: 'inference',
      statistics: undefined,
      exempt: undefined,
      problem: undefined,
      ...SETTLED,
    };
  }
  const statistics = [1, 2].map((port): TensorRef[] => [{ node: node.name, port }]);
  const followed = follow(pairing, statistics[0]!, statistics[1]!);
  if (followed.statistics) return paired(common, followed.statistics);
  const exempt = exemption(pairing.graph, node, pairing.shapes.of(common.x));
  const found = followed.problem ? undefined : readAlready(pairing, node);
  if (found) return paired(common, found);
  return {
    ...common,
    mode: 'training',
    statistics: undefined,
    exempt,
    problem: exempt ? undefined : (followed.problem ?? UNPAIRED),
    orphan: !exempt && !followed.problem,
    inParts: false,
  };
}

function momentsBatchNorm(pairing: Pairing, moments: MomentsSite): BatchNorm {
  const common = { name: moments.name, form: 'moments', x: moments.x, moments, parameters: moments.parameters };
  const followed =
    moments.mean.length === 0
      ? { problem: 'which tensor carries its mean was not recognised' }
      : follow(pairing, moments.mean, moments.variance);
  if (followed.statistics) return paired(common, followed.statistics);
  // Where variables follow parts of it, those take their places; names would only mislead.
  const parts = [...moments.mean.map(refText), ...moments.variance.map(refText), ...moments.reductions];
  const inParts = parts.some((part) => pairing.averages.has(part));
  return {
    ...common,
    mode: 'training',
    statistics: undefined,
    exempt: undefined,
    problem: followed.problem ?? UNPAIRED,
    orphan: !followed.problem && !inParts,
    inParts,
  };
}

const UNPAIRED = 'no variable is updated from its batch mean and variance';

function paired(
  common: Pick<BatchNorm, 'name' | 'form' | 'x' | 'moments' | 'parameters'>,
  statistics: Statistics,
): BatchNorm {
  return { ...common, mode: 'training', statistics, exempt: undefined, problem: undefined, ...SETTLED };
}

const SETTLED = { orphan: false, inParts: false } as const;

/** Follows the tensors that carry mean and variance to the variables that average them. */
function follow(
  { averages }: Pairing,
  means: readonly TensorRef[],
  variances: readonly TensorRef[],
): { statistics?: Statistics; problem?: string } {
  const [mean, variance] = [means, variances].map((refs) => {
    return finalAverages(refs.flatMap((ref) => averages.get(refText(ref)) ?? []));
  }) as [MovingAverage[], MovingAverage[]];
  if (mean.length > 1 || variance.length > 1) {
    const names = [...mean, ...variance].map((average) => average.variable.node);
    return { problem: `several variables average its statistics: ${names.join(', ')}` };
  }
  if (!mean[0] || !variance[0]) return {};
  const text = `${pathText(mean[0])}, ${pathText(variance[0])}`;
  return {
    statistics: { mean: mean[0].variable, variance: variance[0].variable, evidence: { kind: 'update op', text } },
  };
}

/** TF 2 writes the moving statistics to inputs 3 and 4 in training mode, too. */
function readAlready({ variables }: Pairing, node: Node): Statistics | undefined {
  const [mean, variance] = [3, 4].map((index) => node.inputs[index] && variables.readBy(node.inputs[index]));
  if (!mean || !variance) return undefined;
  const text = `inputs 3 and 4 read ${mean.node} and ${variance.node} already`;
  return { mean, variance, evidence: { kind: 'input', text } };
}

/** An orphan with the statistics that its twins, its names or its shapes tell, where they do. */
function adopted({ evidence }: Pairing, site: BatchNorm): BatchNorm {
  const { name, parameters } = site;
  const found = evidence.find({ name, parameters, channels: evidence.channelsOf(parameters[0]) });
  return found ? paired(site, found) : site;
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
