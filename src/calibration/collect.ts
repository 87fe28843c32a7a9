import { BnfixError } from '../errors.js';
import type { Runner } from '../run/runner.js';
import type { TensorValue, TensorValues } from '../run/value.js';
import { ChannelMoments } from './channel_moments.js';
import type { Batches } from './examples.js';
import { type Group, type GroupSample, tensorsOf } from './groups.js';
import { arranged } from './layout.js';
import { refuseSite } from './refuse_site.js';

/** Runs batches and accumulates the moments of samples. */
export interface Collecting {
  readonly runner: Runner;
  readonly batches: Batches;
  /** Called after each batch. */
  readonly onBatch: () => void;
}

/** The moments of what groups are sampled at, over all examples. @param stored - values of other tensors than inputs */
export async function collect(
  { runner, batches, onBatch }: Collecting,
  groups: readonly Group[],
  stored: TensorValues,
): Promise<Map<Group, ChannelMoments>> {
  let known = new Map<Group, ChannelMoments>();
  const tensors = tensorsOf(groups);
  const readers = readersOf(groups);
  for await (const { values, size } of batches.all()) {
    let pending = new Map<Group, ChannelMoments>();
    await runner.visit({ ...values, ...stored }, tensors, () => {
      pending = new Map();
      return (tensor, value) => {
        for (const [group, sample] of readers.get(tensor)!) {
          const moments = pending.get(group) ?? known.get(group)?.clone();
          pending.set(group, added(moments, sample, value, size));
        }
      };
    });
    known = pending;
    onBatch();
  }
  return known;
}

function readersOf(groups: readonly Group[]): Map<string, [Group, GroupSample][]> {
  const readers = new Map<string, [Group, GroupSample][]>();
  for (const group of groups) {
    for (const sample of group.samples) {
      readers.set(sample.tensor, [...(readers.get(sample.tensor) ?? []), [group, sample]]);
    }
  }
  return readers;
}

/** Moments with those of a value added. @param examples - how many examples the batch has */
export function added(
  moments: ChannelMoments | undefined,
  { axes, site }: Pick<GroupSample, 'axes' | 'site'>,
  value: TensorValue,
  examples: number,
): ChannelMoments {
  const found = arranged(value.shape, value.data as ArrayLike<number>, axes);
  if (!found || (moments && moments.channels !== found.layout.channels)) throw refuseSite(site, 'channels');
  const { data, layout } = found;
  const result = moments ?? new ChannelMoments(layout.channels);
  result.add(data, layout, clustersOf(layout.rows, examples));
  if (result.mean.every(Number.isFinite) && result.squares.every(Number.isFinite)) return result;
  throw new BnfixError('statistics', `the input of ${site} contains NaN or infinity`, {
    where: site,
    why: 'the examples do not: a weight of the net does, or it overflows',
  });
}

/** Rows are grouped by example; a tower has some of the examples. Otherwise, they are taken as one. */
function clustersOf(rows: number, examples: number): number {
  if (rows <= examples) return rows;
  return rows % examples === 0 ? examples : 1;
}
