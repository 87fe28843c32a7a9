import type { Graph } from '../graph/graph.js';
import { tensorName } from '../graph/node.js';
import { Runner } from '../run/runner.js';
import { numbersOf, type TensorValue } from '../run/value.js';
import type { ChannelMoments } from './channel_moments.js';
import { added } from './collect.js';
import type { Batches } from './examples.js';
import type { GroupStatistic, ResolvedSite } from './groups.js';
import { arranged } from './layout.js';
import { recognise } from './quantity.js';
import { refuseSite } from './refuse_site.js';
import { isKnown, type Sample, type Site, type SiteStatistic } from './sites.js';

/** Few, so that a division by n - 1 differs from one by n. */
const EXAMPLES_TO_RECOGNISE = 4;

/** The tensors of a training graph whose values show what is stored. */
function tensorsToRecognise(site: Site): string[] {
  if (isKnown(site)) return [];
  const statistics = site.statistics.flatMap(({ tensor }) => (tensor ? [tensorName(tensor)] : []));
  return [...site.samples.map(({ tensor }) => tensorName(tensor)), ...statistics];
}

/**
 * Determines which function of mean and variance each statistic is, numerically: from its value for a few examples in the training
 * graph, and the moments of its input there.
 * @throws BnfixError `unsupported` for a statistic that is none
 */
export async function recogniseSites(
  sites: readonly Site[],
  training: Graph | undefined,
  batches: Batches,
): Promise<ResolvedSite[]> {
  if (!training) return sites.map((site) => resolved(site, new Map(), 0));
  const inputs = batches.names.filter((name) => training.has(name));
  const tensors = [...new Set(sites.flatMap(tensorsToRecognise))];
  const { values, size } = await batches.first(EXAMPLES_TO_RECOGNISE);
  const runner = new Runner(training, inputs, tensors);
  try {
    const found = new Map(Object.entries(await runner.run(values, tensors)));
    return sites.map((site) => resolved(site, found, size));
  } finally {
    runner.close();
  }
}

function resolved(site: Site, values: ReadonlyMap<string, TensorValue>, examples: number): ResolvedSite {
  for (const sample of site.samples) {
    const statistics = statisticsOf(site, sample, values, examples);
    if (!statistics) continue;
    const { tensor, axes } = sample;
    return { sample: { site: site.name, tensor: tensorName(tensor), axes }, statistics };
  }
  const names = site.statistics.map(({ place }) => place.node);
  throw refuseSite(site.name, 'not_moments', names.join(', '));
}

function statisticsOf(
  site: Site,
  sample: Sample,
  values: ReadonlyMap<string, TensorValue>,
  examples: number,
): GroupStatistic[] | undefined {
  const value = isKnown(site) ? undefined : values.get(tensorName(sample.tensor));
  if (value && !arranged(value.shape, value.data as ArrayLike<number>, sample.axes)) return undefined;
  const moments = value && added(undefined, { site: site.name, axes: sample.axes }, value, examples);
  const found: GroupStatistic[] = [];
  for (const statistic of site.statistics) {
    const quantity = quantityOf(site, statistic, moments, values);
    if (quantity === undefined) return undefined;
    found.push({ place: statistic.place, quantity });
  }
  return found;
}

function quantityOf(
  { isFused }: Site,
  { quantity, tensor }: SiteStatistic,
  moments: ChannelMoments | undefined,
  values: ReadonlyMap<string, TensorValue>,
): GroupStatistic['quantity'] | undefined {
  if (quantity !== undefined) return quantity;
  const value = tensor && values.get(tensorName(tensor));
  const recognised = value && moments && recognise(numbersOf(value), moments);
  // A fused batch norm reads a variance; only what it is divided by is in question.
  return isFused && recognised !== 'variance' ? 'unbiased_variance' : recognised;
}
