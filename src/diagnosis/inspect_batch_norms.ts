import type { Statistics } from '../analysis/state/statistics.js';
import type { Variable } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import type { Stored } from '../analysis/training/stored_statistics.js';
import { Shapes } from '../analysis/values/shapes.js';
import type { AnalysedBatchNorm, Analysis, StoredBatchNorm } from '../freezing/analysis.js';
import { attrFloat, attrString } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import { refText, type TensorRef } from '../graph/node.js';
import { DEFAULT_EPSILON, epsilonUnder, scaleAfter } from './arithmetic.js';
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
  readonly gamma: TensorRef | undefined;
  readonly beta: TensorRef | undefined;
  readonly epsilon: number | undefined;
}

type Described = Pick<BatchNormInspection, 'name' | 'pattern' | 'mode' | 'feeds' | 'input' | 'unpaired' | 'health'>;

/** The output of a channel that varies less than this, in standard deviations, is constant for the next layer. */
const DEAD = 1e-3;

class Inspector {
  readonly #analysis: Analysis;
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #values: StoredValues;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
    this.#graph = analysis.graph;
    this.#shapes = new Shapes(analysis.graph);
    this.#values = new StoredValues(analysis.graph, analysis.variables, analysis.model.checkpoint);
  }

  all(): BatchNormInspection[] {
    const { batchNorms, otherBatchNorms, stored } = this.#analysis;
    const known = new Set(batchNorms.map(({ name }) => name));
    const found = [
      ...batchNorms.map((each) => this.#analysed(each)),
      ...stored.filter(({ name, isBatchNorm }) => isBatchNorm && !known.has(name)).map((each) => this.#stored(each)),
      ...otherBatchNorms.map((each) => this.#analysed({ ...each, feeds: [], health: undefined })),
    ];
    const byName = new Map(found.map((each) => [each.name, each]));
    return [...this.#graph.nodes()].flatMap(({ name }) => byName.get(name) ?? []);
  }

  #analysed(batchNorm: BatchNorm & Pick<AnalysedBatchNorm, 'feeds' | 'health'>): BatchNormInspection {
    const { name, pattern, status, x, feeds, health } = batchNorm;
    const isUncertain = status.kind === 'unpaired' || status.kind === 'averaged_in_parts';
    return this.#completed(
      {
        name,
        pattern,
        mode: status.kind === 'inference' || status.kind === 'per_example' ? status.kind : 'training',
        feeds,
        input: refText(x),
        unpaired: isUncertain ? status.reason : undefined,
        health,
      },
      this.#partsOf(batchNorm),
    );
  }

  #partsOf({ name, unfused, parameters, status }: BatchNorm): Parts {
    const paired = status.kind === 'paired' ? status.statistics : undefined;
    const statistics = {
      mean: paired && ofVariable(paired.mean),
      variance: paired && ofVariable(paired.variance),
      evidence: paired?.evidence,
    };
    if (unfused) return { ...statistics, ...this.#arithmetic(name) };
    const { inputs } = this.#graph.get(name);
    if (status.kind === 'inference') {
      statistics.mean = this.#values.at(inputs[3]);
      statistics.variance = this.#values.at(inputs[4]);
    }
    const epsilon = shortest(attrFloat(this.#graph.get(name), 'epsilon') ?? DEFAULT_EPSILON);
    return { ...statistics, gamma: parameters[0], beta: parameters[1], epsilon };
  }

  #stored({ name, norm, health }: StoredBatchNorm): BatchNormInspection {
    const { feeds, input } = { feeds: this.#analysis.outputs.refs.map(refText), input: '' };
    return this.#completed(
      { name, pattern: 'unfused', mode: 'inference', feeds, input, unpaired: undefined, health },
      { mean: norm.mean, variance: norm.variance, evidence: undefined, ...this.#arithmetic(name) },
    );
  }

  #arithmetic(root: string): Pick<Parts, 'gamma' | 'beta' | 'epsilon'> {
    const epsilon = epsilonUnder(this.#graph, root);
    return {
      ...scaleAfter(this.#graph, root, (ref) => this.#values.at(ref) !== undefined),
      epsilon: epsilon && shortest(epsilon),
    };
  }

  #completed(described: Described, parts: Parts): BatchNormInspection {
    const { name, mode } = described;
    const flags = this.#analysis.switched.get(name) ?? [];
    const [mean, variance] = [this.#values.numbersOf(parts.mean), this.#values.numbersOf(parts.variance)];
    const scale = this.#scaleOf(parts, variance);
    const decayed = parts.mean ?? parts.variance;
    const decay = decayed && this.#analysis.decays.get(nameOf(decayed));
    const [gamma, beta] = [this.#values.at(parts.gamma), this.#values.at(parts.beta)];
    return {
      ...described,
      mode: mode === 'inference' && flags.length > 0 ? 'switched' : mode,
      flags,
      channels: variance?.length ?? this.#channels(name, gamma ?? beta),
      epsilon: parts.epsilon,
      decay: decay === undefined ? undefined : Math.round(decay * 1e7) / 1e7,
      statistics: parts.variance && {
        mean: parts.mean && nameOf(parts.mean),
        variance: nameOf(parts.variance),
        evidence: parts.evidence,
      },
      gamma: gamma && nameOf(gamma),
      beta: beta && nameOf(beta),
      mean: mean && summarized(mean),
      variance: variance && summarized(variance),
      scale: scale && summarized(scale),
      deadChannels: scale && variance && deadChannels(scale, variance),
    };
  }

  /** What an input is multiplied by at inference. */
  #scaleOf({ gamma, epsilon }: Parts, variance: Float64Array | undefined): Float64Array | undefined {
    if (!variance || epsilon === undefined) return undefined;
    const factors = gamma && this.#values.numbersAt(gamma);
    if (gamma && (!factors || (factors.length !== variance.length && factors.length !== 1))) return undefined;
    return variance.map((v, i) => (factors ? factors[factors.length === 1 ? 0 : i]! : 1) / Math.sqrt(v + epsilon));
  }

  #channels(name: string, parameter: Stored | undefined): number | undefined {
    const node = this.#graph.get(name);
    const x = node.inputs[0] && this.#shapes.of(node.inputs[0]);
    const stored = parameter?.kind === 'constant' ? parameter.tensor.shape : parameter?.variable.shape;
    if (stored?.length === 1) return stored[0];
    const size = (attrString(node, 'data_format') ?? 'NHWC').startsWith('NC') ? x?.[1] : x?.at(-1);
    return size !== undefined && size >= 0 ? size : undefined;
  }
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
