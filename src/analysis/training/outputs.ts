import { BnfixError } from '../../errors.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Model } from '../../graph/model.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { outputTypes } from '../../ops/registry.js';
import { type Shape, Shapes } from '../values/shapes.js';
import { NodeRoles } from './node_roles.js';

/** A tensor that may be an output of the model. */
export interface OutputCandidate {
  readonly ref: TensorRef;
  /** The op of its node. */
  readonly op: string;
  /** Sizes, -1 for an unknown one; undefined for an unknown rank. */
  readonly shape: Shape;
  /** The higher, the more likely it is an output; no unit. */
  readonly score: number;
}

/** Why outputs were chosen. */
export type OutputReason =
  /** The user named them. */
  | { readonly code: 'given' }
  | { readonly code: 'signature'; readonly name: string }
  /** The net has no other final tensor. */
  | { readonly code: 'only_candidate' }
  /** It leads the other candidates clearly. */
  | { readonly code: 'best_candidate'; readonly of: number }
  /** They have to be named. */
  | { readonly code: 'unclear' };

/** The chosen outputs and why; or the candidates. */
export interface OutputChoice {
  readonly outputs: readonly TensorRef[];
  readonly reason: OutputReason;
  readonly candidates: readonly OutputCandidate[];
}

/** Parses a tensor's name: `a`, `a:0`, `a:1`. */
export function parseTensorName(text: string): TensorRef {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  return colon > 0 && Number.isInteger(port) ? { node: text.slice(0, colon), port } : { node: text, port: 0 };
}

/** The lead in score that the best candidate needs to be chosen automatically. */
const CLEAR_LEAD = 2;

/**
 * The outputs of a model if the user names none: those of a signature, otherwise the best candidate if it leads
 * clearly.
 *
 * @param wanted - the signature to use
 * @throws BnfixError `usage` when the model has no such signature
 */
export function chooseOutputs(model: Model, wanted?: string): OutputChoice {
  const signature = fromSignatures(model, wanted);
  if (signature) return signature;
  const candidates = rankOutputs(model.graph);
  const [first, second] = candidates;
  if (first && (!second || first.score >= second.score + CLEAR_LEAD)) {
    const reason = second
      ? { code: 'best_candidate' as const, of: candidates.length }
      : { code: 'only_candidate' as const };
    return { outputs: [first.ref], reason, candidates };
  }
  return { outputs: [], reason: { code: 'unclear' }, candidates };
}

function fromSignatures(model: Model, wanted: string | undefined): OutputChoice | undefined {
  const signatures = Object.entries(model.metaGraphDef.signature_def ?? {}).filter(([name]) => !name.startsWith('__'));
  if (wanted !== undefined && !signatures.some(([name]) => name === wanted)) {
    throw new BnfixError('usage', `no signature named ${wanted}`, {
      option: 'signature',
      fix: `signatures of this model: ${signatures.map(([name]) => name).join(', ') || 'none'}`,
    });
  }
  const serving = signatures.find(([name]) => name === (wanted ?? 'serving_default'));
  const chosen = serving ?? (signatures.length === 1 ? signatures[0] : undefined);
  if (!chosen) return undefined;
  const [name, signature] = chosen;
  const names = Object.values(signature.outputs ?? {}).map((info) => info.name ?? '');
  const outputs = names.map(parseTensorName).filter((ref) => model.graph.has(ref.node));
  if (outputs.length === 0) return undefined;
  outputs.sort((a, b) => (refText(a) < refText(b) ? -1 : 1));
  return { outputs, reason: { code: 'signature', name }, candidates: [] };
}

/** Final tensors of the net, best first: excludes training, loss, metric, summary, initialisation and save ops. */
export function rankOutputs(graph: Graph): OutputCandidate[] {
  const shapes = new Shapes(graph);
  const roles = new NodeRoles(graph, shapes);
  return roles
    .netOutputs()
    .map((node) => {
      const ref = { node: node.name, port: 0 };
      const shape = shapes.of(ref);
      return { ref, op: node.op, shape, score: score(node, shape, outputTypes(node)?.[0]) };
    })
    .sort((a, b) => b.score - a.score || (a.ref.node < b.ref.node ? -1 : 1));
}

const TELLING_NAME =
  /(^|[/_])(outputs?|pred|preds|predictions?|logits|probs?|probabilit(y|ies)|softmax|sigmoid|embeddings?|results?|scores?)([/_]?\d*)($|[/_:])/i;
const isProbability = anyOf('probability');
const isFakeQuantize = anyOf('fake_quantize');
const TRAINING_NAME =
  /(^|\/)(loss|losses|metrics?|accuracy|train|training|optimizer|grad\w*|summar\w+|save|eval\w*|cost)(\/|_\d|$)/i;

function score(node: Node, shape: Shape, type: DataType | undefined): number {
  let points = 0;
  if (TELLING_NAME.test(node.name.slice(node.name.lastIndexOf('/') + 1))) points += 3;
  else if (TELLING_NAME.test(node.name)) points += 2;
  if (isFakeQuantize(node)) points -= 1;
  if (isProbability(node)) points += 2;
  if (TRAINING_NAME.test(node.name)) points -= 4;
  if (type === DataType.DT_STRING || type === DataType.DT_BOOL) points -= 4;
  if (shape?.length === 0) points -= 4;
  if (shape && shape.length > 0 && shape[0]! < 0) points += 1;
  return points;
}
