import type { Statistics } from '../analysis/state/statistics.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import { parseTensorName } from '../analysis/training/outputs.js';
import { didYouMean } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import { refText } from '../graph/node.js';
import { nameMatcher } from './name_matcher.js';
import type { FreezeOptions } from './options.js';

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
    return { ...batchNorm, status: { kind: 'paired', statistics: namedStatistics(rule.pair, variables, checkpoint) } };
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
    if (batchNorms.some((batchNorm) => batchNorm.name === name)) {
      throw new BnfixError('usage', `${name} is a batch norm, which needs two variables`, {
        option: 'map',
        fix: { option: 'map', value: `${name}=MEAN,VARIANCE`, text: 'names its moving mean and variance' },
      });
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
  pair: readonly [string, string],
  variables: Variables,
  checkpoint: Checkpoint | undefined,
): Statistics {
  const [mean, variance] = pair.map((name) => namedVariable(name, variables, checkpoint)) as [Variable, Variable];
  return { mean, variance, evidence: { kind: 'map' } };
}

function namedVariable(name: string, variables: Variables, checkpoint: Checkpoint | undefined): Variable {
  const node = name.replace(/:0$/, '');
  const known = variables.named(node) ?? [...variables.byNode.values()].find((variable) => variable.key === node);
  if (known) return known;
  const entry = checkpoint?.entries.get(node);
  if (entry)
    return { node, kind: 'ref', dtype: entry.dtype, shape: entry.shape, key: node, slice: undefined, evidence: 'name' };
  const names = new Set([...variables.byNode.keys(), ...(checkpoint?.entries.keys() ?? [])]);
  throw new BnfixError('usage', `no variable or checkpoint key named ${name}`, {
    option: 'map',
    fix: didYouMean(node, names),
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
