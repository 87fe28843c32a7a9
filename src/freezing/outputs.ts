import {
  chooseOutputs,
  type OutputCandidate,
  type OutputReason,
  type SignatureOutputs,
} from '../analysis/training/outputs.js';
import { BnfixError } from '../errors.js';
import type { Model } from '../graph/model.js';
import { parseTensorName, refText, type TensorRef } from '../graph/node.js';
import { outputCount } from '../ops/registry.js';
import { endsOf } from './frozen_ends.js';
import type { FreezeOptions } from './options.js';
import { noOutputOf, unknownTensor } from './output_names.js';

/** The outputs of the frozen graph, and why they were chosen. */
export interface OutputsFound {
  /** Empty if they have to be named. */
  readonly refs: readonly TensorRef[];
  readonly reason: OutputReason;
  /** What to propose if they have to be named. */
  readonly proposed: readonly TensorRef[];
  /** The candidates, best first; empty if a name or a signature determines the outputs. */
  readonly candidates: readonly OutputCandidate[];
  /** The signatures, if one of several has to be named. */
  readonly signatures: readonly SignatureOutputs[];
  /** Names of outputs, in the chosen signature, that are not in the graph. */
  readonly missing: readonly string[];
}

/** The outputs; if they have to be named, the candidates. */
export function outputsOrCandidates({ refs, candidates }: OutputsFound): readonly TensorRef[] {
  return refs.length > 0 ? refs : candidates.map(({ ref }) => ref);
}

/** The outputs that the user named. */
export function givenOutputs(refs: readonly TensorRef[]): OutputsFound {
  return { refs, reason: { code: 'given' }, proposed: refs, candidates: [], signatures: [], missing: [] };
}

/**
 * The outputs: named by the user, from a signature, or detected in the graph.
 * @param isServed - whether the checkpoint has a value for a variable
 * @param isCut - whether the graph was frozen
 * @throws BnfixError `usage` when a named output, or the signature, does not exist, or both are given
 */
export function resolveOutputs(
  model: Model,
  options: FreezeOptions,
  isServed?: (variable: string) => boolean,
  isCut = false,
): OutputsFound {
  const { outputs = [], signature } = options;
  if (outputs.length === 0) {
    const { outputs: refs, ...choice } = chooseOutputs(model, signature, isServed);
    return withAllEnds(model, { refs, ...choice }, isCut);
  }
  const named = givenOutputs(outputs.map((name) => namedOutput(model, name)));
  if (signature !== undefined) refuseOthers(named.refs, chooseOutputs(model, signature).outputs, signature);
  return named;
}

/** A frozen graph was cut to its outputs: an end that looks like a loss, or like nothing, is one as well. */
function withAllEnds({ graph }: Model, found: OutputsFound, isCut: boolean): OutputsFound {
  if (!isCut || found.refs.length === 0 || found.reason.code === 'signature') return found;
  const chosen = new Set(found.refs.map(({ node }) => node));
  const others = endsOf(graph).filter(({ node }) => !chosen.has(node));
  if (others.length === 0) return found;
  const refs = [...found.refs, ...others];
  return {
    ...found,
    refs,
    proposed: refs,
    reason: { code: 'heads', of: Math.max(refs.length, found.candidates.length) },
  };
}

/** Names that a signature has as well are no contradiction. */
function refuseOthers(named: readonly TensorRef[], ofSignature: readonly TensorRef[], signature: string): void {
  const known = new Set(ofSignature.map(refText));
  if (named.length === known.size && named.every((ref) => known.has(refText(ref)))) return;
  throw new BnfixError('usage', `the outputs that are named are not those of the signature ${signature}`, {
    option: 'signature',
    why: `${signature} has ${[...known].join(', ')}`,
    fix: 'give outputs or a signature, not both',
  });
}

function namedOutput(model: Model, name: string): TensorRef {
  const ref = parseTensorName(name);
  const node = model.graph.find(ref.node);
  if (!node) throw unknownTensor(model, name);
  const count = outputCount(node);
  if (count !== undefined && ref.port >= count) throw noOutputOf(model, node, ref.port, count);
  return ref;
}
