import type { Statistics } from '../analysis/state/statistics.js';
import type { Variable } from '../analysis/state/variables.js';
import { findActivations } from '../analysis/training/activations.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import type { Stored } from '../analysis/training/stored_statistics.js';
import { Shapes } from '../analysis/values/shapes.js';
import {
  type AnalysedBatchNorm,
  type Analysis,
  MAX_FED_CANDIDATES,
  type StoredBatchNorm,
} from '../freezing/analysis.js';
import { outputsOrCandidates } from '../freezing/outputs.js';
import { attrBool, attrFloat, attrString } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import { type TensorRef, tensorName } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { ancestors } from '../graph/walk.js';
import { epsilonAttr } from '../ops/epsilon.js';
import { isGlobalBatchNorm } from '../ops/meaning.js';
import { arithmeticOf } from './arithmetic.js';
import { inTraining } from './in_training.js';
import type { BatchNormInspection } from './inspection.js';
import { nameOf, StoredValues } from './stored_values.js';
import { summarized } from './summary.js';

/** All batch norms of a model, in file order, with the values of their statistics. */
export function inspectBatchNorms(analysis: Analysis): BatchNormInspection[] {
  return new Inspector(analysis).all();
}

/** What a batch norm stores, as far as it is known. */
interface Parts {
  readonly mean: Stored | undefined;
  readonly variance: Stored | undefined;
  readonly evidence: Statistics['evidence'] | undefined;
  /** What the reciprocal of the deviation is multiplied by; undefined if not everything was recognised. */
  readonly factors: readonly TensorRef[] | undefined;
  readonly beta: TensorRef | undefined;
  readonly epsilon: number | undefined;
  readonly x: TensorRef | undefined;
}

type Described = Pick<BatchNormInspection, 'name' | 'pattern' | 'mode' | 'feeds' | 'unpaired' | 'health'>;

/** The output of a channel that varies less than this, in standard deviations, is constant for the next layer. */
const DEAD = 1e-3;

class Inspector {
  readonly #analysis: Analysis;
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #values: StoredValues;
  readonly #activations: NodeSet;
  /** The batch norms that use batch statistics. */
  readonly #training: ReadonlyMap<string, unknown>;
  /** What feeds the outputs (or candidates), and each of them. */
  readonly #live: NodeSet;
  readonly #ends: readonly { readonly name: string; readonly feeding: NodeSet }[];

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
    this.#graph = analysis.graph;
    this.#shapes = new Shapes(analysis.graph);
    this.#values = new StoredValues(analysis);
    this.#activations = findActivations(analysis.graph);
    this.#training = inTraining(analysis).users;
    const ends = outputsOrCandidates(analysis.outputs);
    this.#live = ancestors(
      analysis.graph,
      ends.map(({ node }) => node),
      false,
    );
    const isAsked = analysis.stored.length > 0;
    this.#ends = ends.slice(0, isAsked ? MAX_FED_CANDIDATES : 0).map((ref) => ({
      name: tensorName(ref),
      feeding: ancestors(analysis.graph, [ref.node], false),
    }));
  }

  all(): BatchNormInspection[] {
    const { batchNorms, otherBatchNorms, stored } = this.#analysis;
    const known = new Set(batchNorms.map(({ name }) => name));
    const found = [
      ...batchNorms.map((each) => this.#analysed(each)),
      ...stored.filter(({ name, isBatchNorm }) => isBatchNorm && !known.has(name)).map((each) => this.#stored(each)),
      ...otherBatchNorms.map((each) => this.#analysed({ ...each, feeds: [], health: undefined })).filter(isRecognised),
    ];
    const byName = new Map(found.map((each) => [each.name, each]));
    return [...this.#graph.nodes()].flatMap(({ name }) => byName.get(name) ?? []);
  }

  #analysed(batchNorm: BatchNorm & Pick<AnalysedBatchNorm, 'feeds' | 'health'>): BatchNormInspection {
    const { name, pattern, status, feeds, health } = batchNorm;
    const isUncertain = status.kind === 'unpaired' || status.kind === 'averaged_in_parts';
    const node = this.#graph.get(name);
    return this.#completed(
      {
        name,
        pattern: isGlobalBatchNorm(node) ? node.op : pattern,
        mode: this.#modeOf(batchNorm),
        feeds,
        unpaired: isUncertain ? status.reason : undefined,
        health,
      },
      this.#partsOf(batchNorm),
    );
  }

  #modeOf({ name, status: { kind } }: BatchNorm): BatchNormInspection['mode'] {
    if (kind !== 'inference' && kind !== 'per_example') return 'training';
    return this.#training.has(name) ? 'training' : kind;
  }

  #partsOf({ name, x, unfused, parameters, status }: BatchNorm): Parts {
    const paired = status.kind === 'paired' ? status.statistics : undefined;
    const statistics = {
      mean: paired && ofVariable(paired.mean),
      variance: paired && ofVariable(paired.variance),
      evidence: paired?.evidence,
    };
    const node = this.#graph.get(name);
    if (isGlobalBatchNorm(node)) {
      const [beta, gamma] = parameters;
      const isScaled = attrBool(node, 'scale_after_normalization') ?? true;
      const epsilon = epsilonAttr(node);
      return { ...statistics, factors: isScaled && gamma ? [gamma] : [], beta, epsilon, x };
    }
    if (unfused) {
      const arithmetic = this.#arithmetic(name, [x, ...this.#reduced(unfused.reductions)]);
      return isRootAveraged(paired, name)
        ? { ...statistics, ...arithmetic, epsilon: undefined }
        : { ...statistics, ...arithmetic };
    }
    if (status.kind === 'inference') {
      statistics.mean = this.#values.at(node.inputs[3]);
      statistics.variance = this.#values.at(node.inputs[4]);
    }
    const epsilon = epsilonAttr(node);
    return { ...statistics, factors: parameters.slice(0, 1), beta: parameters[1], epsilon, x };
  }

  #stored({ name, norm, health }: StoredBatchNorm): BatchNormInspection {
    const parts = { mean: norm.mean, variance: norm.variance, evidence: undefined, ...this.#arithmetic(name, []) };
    const feeds = this.#ends.filter(({ feeding }) => feeding.hasNamed(name)).map((end) => end.name);
    return this.#completed({ name, pattern: 'unfused', mode: 'inference', feeds, unpaired: undefined, health }, parts);
  }

  /** What reductions reduce, if it is not computed from the mean. */
  #reduced(reductions: readonly string[]): TensorRef[] {
    return reductions.flatMap((name) => this.#graph.get(name).inputs.slice(0, 1));
  }

  #arithmetic(root: string, sources: readonly TensorRef[]) {
    const isLive = this.#live.hasNamed(root);
    return arithmeticOf(this.#graph, root, {
      sources,
      isLive: (node) => !isLive || this.#live.has(node),
      isStored: (ref) => this.#values.isStored(ref),
      isActivation: (node) => this.#activations.has(node),
    });
  }

  #completed(described: Described, parts: Parts): BatchNormInspection {
    const { name, mode } = described;
    const flags = this.#analysis.switched.get(name) ?? [];
    const [mean, variance] = [this.#values.numbersOf(parts.mean), this.#values.numbersOf(parts.variance)];
    const scale = this.#scaleOf(parts, variance);
    const gamma = parts.factors && this.#values.nameIn(parts.factors);
    const decayed = parts.mean ?? parts.variance;
    const decay = this.#decayInOp(name) ?? (decayed && this.#analysis.decays.get(nameOf(decayed)));
    return {
      ...described,
      mode: mode === 'inference' && flags.length > 0 ? 'switched' : mode,
      flags,
      channels: variance?.length ?? this.#channels(name, parts),
      input: parts.x && tensorName(parts.x),
      epsilon: parts.epsilon === undefined ? undefined : shortest(parts.epsilon),
      decay: decay === undefined ? undefined : Math.round(decay * 1e7) / 1e7,
      statistics: parts.variance && {
        mean: parts.mean && nameOf(parts.mean),
        variance: nameOf(parts.variance),
        evidence: parts.evidence,
      },
      gamma,
      beta: this.#values.nameAt(parts.beta),
      mean: mean && summarized(mean),
      variance: variance && summarized(variance),
      scale: scale && summarized(scale),
      deadChannels: scale && variance && deadChannels(scale, variance),
    };
  }

  /** FusedBatchNormV3 may average by itself. */
  #decayInOp(name: string): number | undefined {
    const factor = attrFloat(this.#graph.get(name), 'exponential_avg_factor');
    return factor === undefined || factor === 1 ? undefined : 1 - factor;
  }

  /** What an input is multiplied by at inference. */
  #scaleOf({ factors, epsilon }: Parts, variance: Float64Array | undefined): Float64Array | undefined {
    const gamma = variance && epsilon !== undefined && factors ? this.#values.productOf(factors) : undefined;
    if (!gamma || (gamma.length !== variance!.length && gamma.length !== 1)) return undefined;
    return variance!.map((v, i) => gamma[gamma.length === 1 ? 0 : i]! / Math.sqrt(v + epsilon!));
  }

  /** From the shapes, where no statistics are known. */
  #channels(name: string, { factors, beta }: Parts): number | undefined {
    for (const ref of [...(factors ?? []), beta]) {
      const shape = ref && this.#shapes.of(ref);
      if (shape?.length === 1 && shape[0]! >= 0) return shape[0];
    }
    const node = this.#graph.get(name);
    const x = node.inputs[0] && this.#shapes.of(node.inputs[0]);
    const size = (attrString(node, 'data_format') ?? 'NHWC').startsWith('NC') ? x?.[1] : x?.at(-1);
    return size !== undefined && size >= 0 ? size : undefined;
  }
}

/** Whether the arithmetic around a root is that of a batch norm: what feeds no output was not checked otherwise. */
function isRecognised({ pattern, input }: BatchNormInspection): boolean {
  return pattern !== 'unfused' || input !== undefined;
}

/** Whether a variable averages the root of the variance, not the variance itself. */
function isRootAveraged(statistics: Statistics | undefined, root: string): boolean {
  return statistics?.evidence.kind === 'update op' && statistics.evidence.tensors[1].node === root;
}

function ofVariable(variable: Variable): Stored {
  return { kind: 'variable', variable };
}

function deadChannels(scale: Float64Array, variance: Float64Array): number[] {
  const dead: number[] = [];
  for (const [i, factor] of scale.entries()) {
    if (Math.abs(factor) * Math.sqrt(variance[i]!) < DEAD) dead.push(i);
  }
  return dead;
}

/** The shortest decimal number that is the same as a float32. */
function shortest(number: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(number.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(number)) return rounded;
  }
  return number;
}
