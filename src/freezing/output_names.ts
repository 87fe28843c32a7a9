import { findActivations } from '../analysis/training/activations.js';
import { chooseOutputs, type OutputCandidate, signaturesOf } from '../analysis/training/outputs.js';
import { nearNames } from '../did_you_mean.js';
import { BnfixError, type Fix } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { type Node, parseTensorName, refText } from '../graph/node.js';
import { topologicalOrder } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import { outputCount } from '../ops/registry.js';
import { candidatesWhy } from './candidate_text.js';

const SHOWN = 5;
const isNoResult = anyOf('effect', 'summary', 'gradient', 'constant', 'shape_query');
const isTraining = anyOf('no_op', 'assign', 'update');

/** The error for an output that does not exist: what may be meant, by its last part, its scope or its spelling. */
export function unknownTensor(model: Model, name: string): BnfixError {
  const { node, port } = parseTensorName(name);
  const suffix = port === 0 ? '' : `:${port}`;
  const signature = signaturesOf(model).find((each) => each.name === node);
  if (signature) {
    const fix = { option: 'signature', value: node, text: 'names it' };
    return new BnfixError('usage', `${node} is a signature, not a tensor`, {
      option: 'outputs',
      candidates: [node],
      fix,
    });
  }
  const last = lastTensorOf(model.graph, node);
  if (last !== undefined) {
    return new BnfixError('usage', `${node} is a scope, not a tensor`, {
      option: 'outputs',
      candidates: [last],
      fix: { option: 'outputs', value: last, text: 'names its last tensor' },
    });
  }
  const headline = `no tensor named ${name}`;
  const meant = meantNames(model, node);
  if (meant.length > 0) {
    const values = meant.slice(0, SHOWN).map((each) => `${each}${suffix}`);
    return new BnfixError('usage', headline, {
      option: 'outputs',
      candidates: values,
      fix: values.map((value) => ({ option: 'outputs', value })),
    });
  }
  return new BnfixError('usage', headline, { option: 'outputs', ...proposals(model) });
}

/** The error for a node that has no such output. @param count - number of its outputs */
export function noOutputOf(model: Model, node: Node, port: number, count: number): BnfixError {
  if (count > 0) {
    const has = count === 1 ? 'a single output' : `${count} outputs`;
    return new BnfixError('usage', `${node.name} has no output ${port}`, {
      option: 'outputs',
      why: `${node.name} (${node.op}) has ${has}`,
      candidates: [node.name],
      fix: { option: 'outputs', value: node.name },
    });
  }
  const what = isTraining(node) ? `a training step (${node.op})` : `an op without outputs (${node.op})`;
  return new BnfixError('usage', `${node.name} is ${what}, not a tensor`, { option: 'outputs', ...proposals(model) });
}

/** The outputs that would be chosen, and all candidates. */
function proposals(model: Model): {
  why?: string | readonly string[];
  wholeWhy?: readonly string[];
  fix: Fix | string;
  candidates: readonly string[];
} {
  const { candidates, proposed } = chooseOutputs(model);
  if (proposed.length === 0) return { fix: 'leave it out to list the candidates', candidates: [] };
  const names = proposed.map(refText);
  return {
    ...(candidates.length > 0 && candidatesWhy(candidates)),
    fix: {
      option: 'outputs',
      value: names.join(','),
      text: names.length === 1 ? 'names the output' : 'names the outputs',
    },
    candidates: candidates.length > 0 ? candidates.map(({ ref }: OutputCandidate) => refText(ref)) : names,
  };
}

/** Tensors with the same last part of the name, or keys of signatures; otherwise those with a similar name. */
function meantNames(model: Model, name: string): string[] {
  const keys = signaturesOf(model).flatMap(({ outputs }) => outputs.filter(({ key }) => key === name));
  if (keys.length > 0) return [...new Set(keys.map(({ ref }) => refText(ref)))];
  const nodes = [...model.graph.nodes()];
  const data = findActivations(model.graph);
  const ended = nodes.filter((node) => node.name.endsWith(`/${name}`) && !isNoResult(node));
  const named = ended.some((node) => data.has(node)) ? ended.filter((node) => data.has(node)) : ended;
  if (named.length > 0) return named.map((node) => node.name);
  return nearNames(
    name,
    nodes.map((node) => node.name),
  );
}

/** The last tensor of a scope; undefined if no tensor that depends on data is in it. */
function lastTensorOf(graph: Graph, scope: string): string | undefined {
  const prefix = scope.endsWith('/') ? scope : `${scope}/`;
  const data = findActivations(graph);
  return [...topologicalOrder(graph)].reverse().find((node) => {
    if (!node.name.startsWith(prefix) || isNoResult(node) || !data.has(node) || outputCount(node) === 0) return false;
    // What the scope hands to others, or to nobody: not what it uses up itself.
    const consumers = graph.dataConsumers(node.name).filter((consumer) => !isNoResult(consumer));
    return consumers.every((consumer) => !consumer.name.startsWith(prefix));
  })?.name;
}
