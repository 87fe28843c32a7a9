import type { Statistics } from '../analysis/state/statistics.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import { didYouMean, nearNames } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import { parseTensorName, refText } from '../graph/node.js';
import { nameMatcher } from './name_matcher.js';
import type { FreezeOptions } from './options.js';
import { channelsOf, pairIn, vectorsOfSize } from './statistics_candidates.js';
import { listed } from './text.js';

/**
 * Replaces detected statistics by those that the user names.
 * @throws BnfixError `usage` when a name of the map matches no batch norm, several, or no variable
 */
export function applyStatisticsMap(
  batchNorms: readonly BatchNorm[],
  variables: Variables,
  checkpoint: Checkpoint | undefined,
  map: NonNullable<FreezeOptions['map']>,
): BatchNorm[] {
  const rules = Object.entries(map).flatMap(([name, pair]) =>
    typeof pair === 'string' ? [] : [{ name, isMeant: nameMatcher([name]), pair, used: false }],
  );
  const result = batchNorms.map((batchNorm): BatchNorm => {
    const inTraining = batchNorm.status.kind !== 'inference';
    const rule = inTraining ? rules.find(({ isMeant }) => isMeant(batchNorm.name)) : undefined;
    if (!rule) return batchNorm;
    if (rule.used && !/[*?]/.test(rule.name))
      throw severalMeant(
        rule.name,
        batchNorms.filter(({ name }) => rule.isMeant(name)),
      );
    rule.used = true;
    return {
      ...batchNorm,
      status: { kind: 'paired', statistics: namedStatistics(batchNorm, rule.pair, variables, checkpoint) },
    };
  });
  const unused = rules.find((rule) => !rule.used);
  if (unused) throw noneMeant(unused.name, batchNorms);
  return result;
}

/**
 * The variables that the user names for single statistics, by `node:port`.
 * @throws BnfixError `usage` when a name of the map is no tensor of the graph, or no variable
 */
export function mappedStatistics(
  graph: Graph,
  batchNorms: readonly BatchNorm[],
  variables: Variables,
  checkpoint: Checkpoint | undefined,
  map: NonNullable<FreezeOptions['map']>,
): ReadonlyMap<string, Variable> {
  const found = new Map<string, Variable>();
  for (const [name, variable] of Object.entries(map)) {
    if (typeof variable !== 'string') continue;
    const isMeant = nameMatcher([name]);
    if (!graph.has(parseTensorName(name).node) || batchNorms.some((batchNorm) => batchNorm.name === name)) {
      const meant = batchNorms.find((batchNorm) => isMeant(batchNorm.name));
      if (meant) throw needsPair(meant, variables, checkpoint);
    }
    const tensor = parseTensorName(name);
    if (!graph.has(tensor.node)) {
      throw new BnfixError('usage', `no statistic named ${name}`, {
        option: 'map',
        fix: didYouMean(
          tensor.node,
          [...graph.nodes()].map((node) => node.name),
        ),
      });
    }
    found.set(refText(tensor), namedVariable(variable, variables, checkpoint));
  }
  return found;
}

function namedStatistics(
  batchNorm: BatchNorm,
  pair: readonly [string, string],
  variables: Variables,
  checkpoint: Checkpoint | undefined,
): Statistics {
  const [mean, variance] = pair.map((name) => {
    const variable = findNamed(name, variables, checkpoint);
    if (variable) return variable;
    throw noneFitting(name, batchNorm, variables, checkpoint);
  }) as [Variable, Variable];
  return { mean, variance, evidence: { kind: 'map' } };
}

function namedVariable(name: string, variables: Variables, checkpoint: Checkpoint | undefined): Variable {
  const found = findNamed(name, variables, checkpoint);
  if (found) return found;
  throw noVariable(name, variables, checkpoint);
}

function findNamed(name: string, variables: Variables, checkpoint: Checkpoint | undefined): Variable | undefined {
  const node = name.replace(/:0$/, '');
  const known = variables.named(node) ?? [...variables.byNode.values()].find((variable) => variable.key === node);
  return known ?? variables.ofKey(node, checkpoint);
}

function noVariable(name: string, variables: Variables, checkpoint: Checkpoint | undefined): BnfixError {
  const names = [...variables.byNode.keys(), ...(checkpoint?.entries.keys() ?? [])];
  const near = nearNames(name.replace(/:0$/, ''), names);
  return new BnfixError('usage', `no variable or checkpoint key named ${name}`, {
    option: 'map',
    fix: near.length > 0 ? `did you mean ${near.join(', ')}?` : undefined,
    candidates: near,
  });
}

function needsPair(batchNorm: BatchNorm, variables: Variables, checkpoint: Checkpoint | undefined): BnfixError {
  const channels = channelsOf(batchNorm, variables);
  const vectors = channels === undefined ? [] : vectorsOfSize(channels, batchNorm.name, variables, checkpoint);
  const pair = pairIn(vectors, batchNorm.name) ?? ['MEAN', 'VARIANCE'];
  return new BnfixError('usage', `${batchNorm.name} is a batch norm, which needs two variables`, {
    option: 'map',
    fix: { option: 'map', value: `${batchNorm.name}=${pair.join(',')}`, text: 'names its moving mean and variance' },
  });
}

/** Proposes variables of the right size for a batch norm. */
function noneFitting(
  name: string,
  batchNorm: BatchNorm,
  variables: Variables,
  checkpoint: Checkpoint | undefined,
): BnfixError {
  const channels = channelsOf(batchNorm, variables);
  const vectors = channels === undefined ? [] : vectorsOfSize(channels, batchNorm.name, variables, checkpoint);
  if (vectors.length === 0) return noVariable(name, variables, checkpoint);
  const pair = pairIn(vectors, batchNorm.name);
  return new BnfixError('usage', `no variable or checkpoint key named ${name}`, {
    option: 'map',
    why: `${batchNorm.name} has ${channels} channels; vectors of ${channels}: ${listed(vectors, 8)}`,
    fix: pair && { option: 'map', value: `${batchNorm.name}=${pair.join(',')}` },
    candidates: vectors,
  });
}

function severalMeant(scope: string, batchNorms: readonly BatchNorm[]): BnfixError {
  const names = batchNorms.map(({ name }) => name).join(', ');
  return new BnfixError('usage', `${scope} contains several batch norms`, {
    option: 'map',
    fix: `name one of ${names}; use a glob to name all of them`,
  });
}

function noneMeant(name: string, batchNorms: readonly BatchNorm[]): BnfixError {
  const names = batchNorms.map((batchNorm) => batchNorm.name);
  return new BnfixError('usage', `no batch norm named ${name}`, {
    option: 'map',
    fix: didYouMean(name, names) ?? `batch norms: ${names.slice(0, 8).join(', ')}`,
  });
}
