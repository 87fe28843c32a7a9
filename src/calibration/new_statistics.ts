import type { Variables } from '../analysis/state/variables.js';
import { Shapes } from '../analysis/values/shapes.js';
import type { AnalysedBatchNorm, Analysis } from '../freezing/analysis.js';
import type { FreezeOptions } from '../freezing/options.js';
import { channelsOf } from '../freezing/statistics_candidates.js';
import { attrType } from '../graph/attrs.js';
import { DataType, isFloat } from '../graph/dtype.js';
import { elementCount, numberTensor, type Tensor } from '../graph/tensor.js';
import { layoutOf } from './layout.js';
import type { Place } from './places.js';
import { refuseSite } from './refuse_site.js';
import { samplesOf } from './sites.js';

/** Statistics that do not exist yet: where they will be, and for which batch norms. */
export interface NewStatistics {
  readonly map: NonNullable<FreezeOptions['map']>;
  readonly places: readonly Place[];
}

/**
 * Places for the statistics of batch norms that have none: averages of them were never kept. Those that share their scale or offset share
 * their statistics.
 */
export function newStatistics(analysis: Analysis, isSelected: (name: string) => boolean): NewStatistics {
  const map: Record<string, readonly [string, string]> = {};
  const places: Place[] = [];
  const shared = new Map<string, readonly [string, string]>();
  for (const batchNorm of analysis.batchNorms) {
    const { name, status, isKept } = batchNorm;
    if (status.kind !== 'unpaired' || status.reason.code !== 'no_average' || isKept || !isSelected(name)) continue;
    const key = sharedParameters(batchNorm, analysis.variables);
    const known = key === undefined ? undefined : shared.get(key);
    const pair = known ?? addedPair(analysis, batchNorm, places);
    map[name] = pair;
    if (key !== undefined) shared.set(key, pair);
  }
  return { map, places };
}

/** The variables that are scale and offset. */
function sharedParameters({ parameters }: AnalysedBatchNorm, variables: Variables): string | undefined {
  const names = parameters.flatMap((ref) => {
    const variable = variables.readBy(ref);
    return variable && variable.value === undefined ? [variable.node] : [];
  });
  return names.length === 0 ? undefined : names.join(' ');
}

function addedPair(analysis: Analysis, batchNorm: AnalysedBatchNorm, places: Place[]): readonly [string, string] {
  const { graph, model } = analysis;
  const { name } = batchNorm;
  const scope = name.slice(0, name.lastIndexOf('/') + 1);
  const channels = channelCount(analysis, batchNorm);
  const declared = attrType(graph.get(name), 'U') ?? attrType(graph.get(name), 'T');
  const dtype = isFloat(declared) ? declared! : DataType.DT_FLOAT;
  const taken = new Set(places.map(({ key }) => key));
  const isTaken = (key: string) =>
    taken.has(key) || model.graph.has(key) || graph.has(key) || model.checkpoint?.entries.has(key);
  const free = (last: string) => {
    const own = `${scope === '' ? `${name}/` : scope}${last}`;
    for (let i = 0; ; i++) if (!isTaken(i === 0 ? own : `${own}_${i}`)) return i === 0 ? own : `${own}_${i}`;
  };
  return ['moving_mean', 'moving_variance'].map((last) => {
    const key = free(last);
    places.push({ kind: 'checkpoint', key, node: key, dtype, shape: [channels], value: undefined });
    return key;
  }) as [string, string];
}

function channelCount(analysis: Analysis, batchNorm: AnalysedBatchNorm): number {
  const own = channelsOf(batchNorm, analysis.variables);
  if (own !== undefined) return own;
  const shapes = new Shapes(analysis.graph);
  for (const { tensor, axes } of samplesOf(analysis.graph, batchNorm)) {
    const layout = layoutOf(
      (shapes.of(tensor) ?? []).map((size) => (size < 0 ? Number.NaN : size)),
      axes,
    );
    if (layout && Number.isSafeInteger(layout.channels)) return layout.channels;
  }
  throw refuseSite(batchNorm.name, 'channel_count');
}

/** A value with which a model can be analysed before there is one: as plausible as that of a trained statistic. */
export function provisional({ dtype, shape }: Place): Tensor {
  const sizes = (shape ?? [1]).map((size) => Math.max(size, 1));
  const numbers = Array.from({ length: elementCount(sizes) }, (_, i) => 0.5 + (i % 7) / 16);
  return numberTensor(dtype, sizes, numbers);
}
