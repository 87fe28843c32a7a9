import type { Variable, Variables } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import type { Checkpoint } from '../graph/model.js';
import { elementCount } from '../graph/tensor.js';

/** Slots of optimizers: as long as the vectors that they belong to, but no statistics. */
const SLOT = /(^|\/)(Adam|AdaMax|Adagrad|Adadelta|Momentum|RMSProp|Ftrl)(_\d+)?$|\/\.OPTIMIZER_SLOT\//;

/** Number of channels of a batch norm, from its scale or its offset; undefined if neither is a variable. */
export function channelsOf({ parameters }: BatchNorm, variables: Variables): number | undefined {
  for (const parameter of parameters) {
    const shape = variables.valueAt(parameter)?.shape;
    if (shape?.every((size) => size >= 0)) return elementCount(shape);
  }
  return undefined;
}

/**
 * Variables and checkpoint keys that are vectors of some length: those in the scope of a batch norm first.
 * @param isRead - leaves out variables that the result uses already
 */
export function vectorsOfSize(
  channels: number,
  batchNorm: string,
  variables: Variables,
  checkpoint: Checkpoint | undefined,
  isRead: (variable: Variable) => boolean = () => false,
): string[] {
  const isVector = (shape: readonly number[] | undefined) => shape?.length === 1 && shape[0] === channels;
  const known = [...variables.byNode.values()];
  const keys = new Set(known.map(({ key }) => key));
  const names = [
    ...known.filter((variable) => isVector(variable.shape) && !isRead(variable)).map(({ node }) => node),
    ...[...(checkpoint?.entries ?? [])].flatMap(([key, { shape }]) => (isVector(shape) && !keys.has(key) ? [key] : [])),
  ].filter((name) => !SLOT.test(name));
  const rank = (name: string) => commonLength(name, batchNorm) + (isStatistic(name) ? 0.5 : 0);
  return names
    .map((name) => ({ name, rank: rank(name) }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ name }) => name);
}

const MEAN = /mean|avg|(^|[/_])mu$/i;
const VARIANCE = /var|sigma/i;

function isStatistic(name: string): boolean {
  return MEAN.test(lastPart(name)) || VARIANCE.test(lastPart(name));
}

/** The mean and the variance among names in the scope of a batch norm; undefined if it has none, or several. */
export function pairIn(
  names: readonly string[],
  batchNorm: string,
): readonly [mean: string, variance: string] | undefined {
  const scope = batchNorm.slice(0, batchNorm.lastIndexOf('/') + 1);
  const own = names.filter((name) => scope !== '' && name.startsWith(scope));
  const [means, variances] = [MEAN, VARIANCE].map((pattern) => own.filter((name) => pattern.test(lastPart(name))));
  return means!.length === 1 && variances!.length === 1 ? [means![0]!, variances![0]!] : undefined;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Number of leading scopes that two names share. */
function commonLength(a: string, b: string): number {
  const [x, y] = [a.split('/'), b.split('/')];
  let length = 0;
  while (length < x.length && x[length] === y[length]) length++;
  return length;
}
