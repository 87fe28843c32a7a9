import { findUpdates } from '../analysis/state/moving_averages.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import { findActivations } from '../analysis/training/activations.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import { type Flag, findFlags } from '../analysis/training/flags.js';
import { chooseOutputs, type OutputCandidate, parseTensorName } from '../analysis/training/outputs.js';
import { Shapes } from '../analysis/values/shapes.js';
import { didYouMean } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint, Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { outputTypes } from '../ops/registry.js';
import type { FreezeOptions } from './options.js';
import { shapeText, tensorInfos } from './report.js';

// What the user says, as things of the graph; what is not said is found.

/** The outputs that are named, or that a signature or the graph itself tells. */
export function resolveOutputs(model: Model, options: FreezeOptions): { outputs: readonly TensorRef[]; why: string } {
  if (options.outputs && options.outputs.length > 0) {
    return { outputs: options.outputs.map((name) => namedOutput(model.graph, name)), why: 'named by --outputs' };
  }
  const choice = chooseOutputs(model, options.signature);
  if (choice.outputs.length > 0) return choice;
  throw new BnfixError('usage', 'which tensors are the outputs?', {
    where: model.name,
    why:
      choice.candidates.length === 0
        ? 'the graph has no tensor that looks like one'
        : candidateList(model.graph, choice.candidates),
    fix: `name them: --outputs ${choice.candidates[0] ? choice.candidates[0].ref.node : 'NAME'}`,
  });
}

function candidateList(graph: Graph, candidates: readonly OutputCandidate[]): string {
  const shown = candidates.slice(0, 12).map(({ ref, op }) => {
    const [info] = tensorInfos(graph, [ref]);
    return `${info!.name}  ${op}  ${info!.dtype} ${shapeText(info!.shape)}`;
  });
  const more = candidates.length > 12 ? [`and ${candidates.length - 12} more`] : [];
  return ['candidates, best first:', ...shown, ...more].join('\n');
}

function namedOutput(graph: Graph, name: string): TensorRef {
  const ref = parseTensorName(name);
  const node = graph.find(ref.node);
  if (!node) {
    throw new BnfixError('usage', `there is no tensor ${name} in the graph`, {
      where: '--outputs',
      fix:
        didYouMean(
          ref.node,
          [...graph.nodes()].map((other) => other.name),
        ) ?? 'leave --outputs out to see candidates',
    });
  }
  const types = outputTypes(node);
  if (types && ref.port >= types.length) {
    throw new BnfixError('usage', `${ref.node} has no output ${ref.port}`, {
      where: '--outputs',
      why: types.length === 0 ? `${node.op} makes no tensor` : `${node.op} has ${types.length} outputs`,
    });
  }
  return ref;
}

/** The flags that the user pins, and those that are recognised. */
export function resolveFlags(
  graph: Graph,
  variables: Variables,
  outputs: readonly TensorRef[],
  options: FreezeOptions,
): Flag[] {
  const given = Object.entries(options.set ?? {}).map(([name, value]): Flag => {
    const { node } = parseTensorName(name);
    if (!graph.has(node)) {
      const placeholders = [...graph.nodes()].filter((other) => other.op.startsWith('Placeholder'));
      throw new BnfixError('usage', `there is no ${name} to set`, {
        where: '--set',
        fix: didYouMean(
          node,
          placeholders.map((other) => other.name),
        ),
      });
    }
    return { node, value: Number(value), why: 'set by the user', given: true };
  });
  const pins = new Map(given.map((flag) => [flag.node, flag.value]));
  const isKept = nameMatcher(options.keep ?? []);
  let updated: ReadonlySet<string> | undefined;
  const read = (name: string) => {
    const variable = variables.readBy({ node: name, port: 0 })?.node;
    if (variable === undefined) return undefined;
    updated ??= findUpdates(graph, variables, findActivations(graph)).updated;
    return updated.has(variable) ? 'updated' : 'other';
  };
  return [...given, ...findFlags(graph, new Shapes(graph), outputs, pins, read).filter((flag) => !isKept(flag.node))];
}

/** Puts what the user says of a batch norm's statistics in place of what was found. */
export function applyStatisticsMap(
  sites: readonly BatchNorm[],
  variables: Variables,
  checkpoint: Checkpoint | undefined,
  map: NonNullable<FreezeOptions['map']>,
): BatchNorm[] {
  const rules = Object.entries(map).map(([name, pair]) => ({ name, isMeant: nameMatcher([name]), pair, used: false }));
  const result = sites.map((site): BatchNorm => {
    const rule = site.mode === 'training' ? rules.find(({ isMeant }) => isMeant(site.name)) : undefined;
    if (!rule) return site;
    if (rule.used && !/[*?]/.test(rule.name))
      throw severalSites(
        rule.name,
        sites.filter(({ name }) => rule.isMeant(name)),
      );
    rule.used = true;
    const [mean, variance] = rule.pair.map((name) => namedVariable(name, variables, checkpoint));
    const evidence = { kind: 'map', text: `--map: ${rule.pair.join(', ')}` } as const;
    return {
      ...site,
      statistics: { mean: mean!, variance: variance!, evidence },
      problem: undefined,
      exempt: undefined,
      orphan: false,
      inParts: false,
    };
  });
  const unused = rules.find((rule) => !rule.used);
  if (unused) {
    throw new BnfixError('usage', `there is no batch norm ${unused.name}`, {
      where: '--map',
      fix:
        didYouMean(
          unused.name,
          sites.map((site) => site.name),
        ) ??
        `batch norms: ${sites
          .slice(0, 8)
          .map((site) => site.name)
          .join(', ')}`,
    });
  }
  return result;
}

function severalSites(scope: string, sites: readonly BatchNorm[]): BnfixError {
  return new BnfixError('usage', `several batch norms are in ${scope}`, {
    where: '--map',
    fix: `name one of ${sites.map((site) => site.name).join(', ')}; a glob means all of them`,
  });
}

function namedVariable(name: string, variables: Variables, checkpoint: Checkpoint | undefined): Variable {
  const node = name.replace(/:0$/, '');
  const known = variables.byNode.get(node) ?? [...variables.byNode.values()].find((variable) => variable.key === node);
  if (known) return known;
  const entry = checkpoint?.entries.get(node);
  if (entry)
    return { node, kind: 'ref', dtype: entry.dtype, shape: entry.shape, key: node, slice: undefined, evidence: 'name' };
  throw new BnfixError('usage', `there is no variable or checkpoint key ${name}`, {
    where: '--map',
    fix: didYouMean(node, [...variables.byNode.keys(), ...(checkpoint?.entries.keys() ?? [])]),
  });
}

/** Names, scopes and globs: `*` and `?` do not stop at slashes. */
export function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const quote = (text: string) =>
    text
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
  const expressions = patterns.map((pattern) => new RegExp(`^${quote(pattern.replace(/(:0|\/)$/, ''))}(/.*)?$`));
  return (name) => expressions.some((expression) => expression.test(name));
}
