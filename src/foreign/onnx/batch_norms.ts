import { checkHealth, type Health, type NamedValue } from '../../analysis/state/health.js';
import type { FindingDetail } from '../../diagnosis/finding.js';
import { epsilonDecides } from '../../diagnosis/rules/tiny_variance.js';
import { BnfixError } from '../../errors.js';
import { readNumbers } from '../../graph/tensor.js';
import { constantOf, type OpenExternal } from './constants.js';
import { type Flow, type Normalisation, type Statistic, startsWithOne } from './flow.js';
import type { OnnxNode, Value } from './scope.js';

/** A batch norm of a model. */
export interface OnnxBatchNorm {
  readonly node: OnnxNode;
  /** Whether it normalises with batch statistics. */
  readonly isTraining: boolean;
  /** The statistics that are in the model, and what is wrong with them; undefined if there are none. */
  readonly health: Health | undefined;
  /** Its variance, if epsilon decides what it divides by. */
  readonly tiny: FindingDetail | undefined;
}

const DEFAULT_EPSILON = 1e-5;
/** Until version 13, a BatchNormalization has no flag: it trains if it outputs new moving statistics. */
const FIRST_WITH_FLAG = 14;
/** Until version 6, it has a flag whose default is training. */
const FIRST_WITHOUT_TEST_FLAG = 7;

/** The batch norms that feed an output; the reductions of those that use batch statistics are added to `claimed`. */
export function findBatchNorms(
  nodes: readonly OnnxNode[],
  normalisations: readonly Normalisation[],
  flow: Flow,
  open: OpenExternal,
  claimed: Set<OnnxNode>,
): OnnxBatchNorm[] {
  const claim = ({ reductions }: Statistic) => {
    for (const reduction of reductions) {
      claimed.add(reduction);
      for (const center of flow.centers.get(reduction) ?? []) claimed.add(center);
    }
  };
  const ops = nodes.filter(({ op, domain }) => op === 'BatchNormalization' && domain === '');
  const fused = ops.map((node): OnnxBatchNorm => {
    const [, , , mean, variance] = node.inputs;
    const computed = [mean, variance].map((value) => value && flow.of(value));
    const statistics = computed.filter((each): each is Statistic => each !== undefined && each !== 'data');
    for (const statistic of statistics) claim(statistic);
    const isByExample = isInTraining(node) && isPerExample(node);
    const isTraining = statistics.length > 0 || (isInTraining(node) && !isByExample);
    // An instance norm has no use for stored statistics.
    const health = mean && variance && !isByExample ? healthOf(mean, variance, open) : undefined;
    const tiny = variance && health && tinyVariance(node, variance, health, open);
    return { node, isTraining, health, tiny };
  });
  const unfused = normalisations.flatMap(({ statistic }): OnnxBatchNorm[] => {
    const { root } = statistic;
    if (!root || !isOfBatchNorm(statistic, flow)) return [];
    claim(statistic);
    return [{ node: root, isTraining: true, health: undefined, tiny: undefined }];
  });
  return [...fused, ...unfused];
}

/** Whether the op is in training mode, by its attributes and outputs. */
function isInTraining(node: OnnxNode): boolean {
  if (node.opset >= FIRST_WITH_FLAG) return node.int('training_mode') === 1;
  if (node.opset < FIRST_WITHOUT_TEST_FLAG) return (node.int('is_test') ?? 0) === 0;
  return node.outputs.filter((name) => name !== '').length > 1;
}

/**
 * Whether its input was reshaped so that all examples of the batch are channels of a single one, and back after it: an
 * instance norm.
 */
function isPerExample({ inputs, outputs, scope }: OnnxNode): boolean {
  let before = inputs[0]?.producer;
  if (before?.op === 'Transpose' && before.ints('perm')?.[0] === 0) before = before.inputs[0]?.producer;
  const consumersOf = (node: { readonly scope: OnnxNode['scope']; readonly outputs: OnnxNode['outputs'] }) =>
    node.scope.values.get(node.outputs[0] ?? '')?.consumers ?? [];
  const after = consumersOf({ scope, outputs }).flatMap((node) =>
    node.op === 'Transpose' ? consumersOf(node) : [node],
  );
  const isBack = after.length > 0 && after.every(({ op }) => op === 'Reshape');
  return before?.op === 'Reshape' && isBack && startsWithOne(before.inputs[1]);
}

/** A variance that is valid, or negative by less than epsilon, which makes it positive. */
function tinyVariance(
  node: OnnxNode,
  variance: Value,
  { problem }: Health,
  open: OpenExternal,
): FindingDetail | undefined {
  const epsilon = node.attribute('epsilon')?.f ?? DEFAULT_EPSILON;
  const isUsable = problem === undefined || (problem.kind === 'negative_variance' && -problem.smallest < epsilon);
  const constant = isUsable ? constantOf(variance, open) : undefined;
  return constant && 'tensor' in constant ? epsilonDecides(readNumbers(constant.tensor), epsilon) : undefined;
}

function healthOf(mean: Value, variance: Value, open: OpenExternal): Health | undefined {
  const [means, variances] = [mean, variance].map((value) => statistic(value, open));
  return means && variances && checkHealth(means, variances);
}

/** The vector that is an input of a batch norm; undefined if it is computed, or too long to be one. */
function statistic(value: Value, open: OpenExternal): NamedValue | undefined {
  const constant = constantOf(value, open);
  if (!constant || 'unread' in constant) return undefined;
  const { name } = constant;
  if ('tensor' in constant) return { name, value: () => constant.tensor };
  const missing = () => {
    throw new BnfixError('statistics', `${name} is in ${constant.missing || 'another file'}, which does not have it`, {
      where: name,
      fix: 'copy the files with its weights next to the model',
    });
  };
  return { name, value: missing };
}

/** Whether statistics are those of a batch norm: a variance, from the squared distance from a mean, or from a mean of squares and a mean. */
function isOfBatchNorm({ reductions }: Statistic, { centers, squares }: Flow): boolean {
  if (reductions.some((each) => centers.has(each))) return true;
  return reductions.some((each) => squares.has(each)) && reductions.some((each) => !squares.has(each));
}
