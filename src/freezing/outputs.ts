import {
  chooseOutputs,
  type OutputCandidate,
  type OutputReason,
  parseTensorName,
} from '../analysis/training/outputs.js';
import { didYouMean } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { outputTypes } from '../ops/registry.js';
import type { FreezeOptions } from './options.js';

/** The outputs of the frozen graph, and why they were chosen. */
export interface OutputsFound {
  /** Empty if they have to be named. */
  readonly refs: readonly TensorRef[];
  readonly reason: OutputReason;
  /** What to propose if they have to be named. */
  readonly proposed: readonly TensorRef[];
  /** The candidates, best first; empty if a name or a signature determines the outputs. */
  readonly candidates: readonly OutputCandidate[];
}

/**
 * The outputs: named by the user, from a signature, or detected in the graph.
 * @param isServed - whether the checkpoint has a value for a variable
 * @throws BnfixError `usage` when a named output, or the signature, does not exist
 */
export function resolveOutputs(
  model: Model,
  options: FreezeOptions,
  isServed?: (variable: string) => boolean,
): OutputsFound {
  if (options.outputs && options.outputs.length > 0) {
    const refs = options.outputs.map((name) => namedOutput(model.graph, name));
    return { refs, reason: { code: 'given' }, proposed: refs, candidates: [] };
  }
  const { outputs: refs, ...choice } = chooseOutputs(model, options.signature, isServed);
  return { refs, ...choice };
}

function namedOutput(graph: Graph, name: string): TensorRef {
  const ref = parseTensorName(name);
  const node = graph.find(ref.node);
  if (!node) {
    const names = [...graph.nodes()].map((other) => other.name);
    throw new BnfixError('usage', `no tensor named ${name}`, {
      option: 'outputs',
      fix: didYouMean(ref.node, names) ?? 'omit this option to list the candidates',
    });
  }
  const types = outputTypes(node);
  if (types && ref.port >= types.length) {
    const has = types.length === 0 ? 'no output' : types.length === 1 ? 'a single output' : `${types.length} outputs`;
    throw new BnfixError('usage', `${ref.node} has no output ${ref.port}`, {
      option: 'outputs',
      why: `${ref.node} (${node.op}) has ${has}`,
      ...(types.length > 0 && { fix: { option: 'outputs', value: ref.node } }),
    });
  }
  return ref;
}
