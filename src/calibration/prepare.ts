import { didYouMean } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import { nameMatcher } from '../freezing/name_matcher.js';
import { refuseWithoutCheckpoint } from '../freezing/no_checkpoint.js';
import { type FreezeOptions, freezeOptionsOf } from '../freezing/options.js';
import { refuse } from '../freezing/refuse.js';
import type { Model } from '../graph/model.js';
import type { Tensor } from '../graph/tensor.js';
import { type NewStatistics, newStatistics, provisional } from './new_statistics.js';
import type { CalibrateOptions } from './options.js';
import { type Place, placeId, withValues } from './places.js';
import { findSites, type Site } from './sites.js';

/** A model that could be frozen, but for the values of the statistics that are to be computed. */
export interface Prepared {
  readonly analysis: Analysis;
  readonly sites: readonly Site[];
  /** The options of `freeze`, with a place for each statistic that had none. */
  readonly options: FreezeOptions;
}

/** Each round may change which batch norms feed the outputs: outputs are chosen by which variables have values. */
const MAX_ROUNDS = 4;

/** @throws BnfixError for all that prevents freezing, apart from the values of the statistics */
export function prepare(model: Model, options: CalibrateOptions): Prepared {
  const own = freezeOptionsOf(options);
  const isSelected = options.only ? nameMatcher(options.only) : () => true;
  let analysis = analyse(model, own);
  let known = '';
  const stored = new Map<string, Tensor | undefined>();
  for (let round = 0; ; round++) {
    if (analysis.outputs.refs.length === 0) refuse(analysis);
    const sites = findSites(analysis, isSelected);
    const added = newStatistics(analysis, isSelected);
    const places = placesOf(sites, added);
    for (const [id, { value }] of places) if (!stored.has(id)) stored.set(id, value);
    if (round === 0) refuseWithoutWeights(analysis, [...places.values()]);
    const now = [...places.keys()].join(' ');
    const mapped = { ...own, map: { ...analysis.options.map, ...added.map } };
    const isUsable = round === 0 && analysis.problems.length === 0;
    const isStable = isUsable || now === known || round === MAX_ROUNDS;
    if (isStable) {
      refuseIdlePatterns(analysis, options.only ?? [], sites);
      // The original checkpoint decides what is missing.
      refuse({ ...analysis, model: model.checkpoint ? analysis.model : model });
      if (sites.length === 0) throw nothingToCalibrate();
      return { analysis, sites: sites.map((site) => withStored(site, stored)), options: mapped };
    }
    known = now;
    const values = new Map([...places.values()].map((place) => [place, provisional(place)]));
    analysis = analyse(withValues(model, values), mapped);
  }
}

/** Refuses a model without a checkpoint that has more variables than the statistics that are computed. */
function refuseWithoutWeights(analysis: Analysis, places: readonly Place[]): void {
  const computed = new Set(places.map(({ node }) => node));
  refuseWithoutCheckpoint({ ...analysis, needed: analysis.needed.filter(({ node }) => !computed.has(node)) });
}

/** A batch norm with the values that its statistics had before others took their place. */
function withStored(site: Site, stored: ReadonlyMap<string, Tensor | undefined>): Site {
  const statistics = site.statistics.map((statistic) => ({
    ...statistic,
    place: { ...statistic.place, value: stored.get(placeId(statistic.place)) },
  }));
  return { ...site, statistics };
}

function placesOf(sites: readonly Site[], added: NewStatistics): Map<string, Place> {
  const stored = sites.flatMap(({ statistics }) => statistics.map(({ place }) => place));
  return new Map([...added.places, ...stored].reverse().map((place) => [placeId(place), place]));
}

/** @throws BnfixError `usage` for a pattern that matches no batch norm that can be calibrated, or if there is none */
function refuseIdlePatterns({ batchNorms }: Analysis, only: readonly string[], sites: readonly Site[]): void {
  const names = sites.map(({ name }) => name);
  for (const pattern of only) {
    if (names.some(nameMatcher([pattern]))) continue;
    const all = batchNorms.map(({ name }) => name);
    throw new BnfixError('usage', `no batch norm named ${pattern}`, {
      option: 'only',
      fix: didYouMean(pattern, all) ?? (all.length > 0 ? `batch norms: ${all.slice(0, 8).join(', ')}` : undefined),
    });
  }
}

function nothingToCalibrate(): BnfixError {
  return new BnfixError('usage', 'no batch norm that can be calibrated feeds an output', {
    why: 'those that do are kept as they are, or normalise each example by itself',
  });
}
