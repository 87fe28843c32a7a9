import { BnfixError } from '../../errors.js';
import { DataType, dtypeName } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { entryTensors } from '../../graph/meta_graph_def.js';
import type { Model } from '../../graph/model.js';
import { type Node, parseTensorName, refText, type TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { hasOutput, outputCount, outputTypeOrT } from '../../ops/registry.js';
import { type Shape, Shapes } from '../values/shapes.js';
import type { Reader } from './outputs/predictions.js';
import { type Demotion, rankPredictions } from './outputs/ranking.js';

/** A tensor that may be an output of the model. */
export interface OutputCandidate {
  readonly ref: TensorRef;
  /** The op of its node. */
  readonly op: string;
  /** float32, int64, ... */
  readonly dtype: string;
  /** Sizes, -1 for an unknown one; undefined for an unknown rank. */
  readonly shape: Shape;
  /** The higher, the more likely it is an output; no unit. It only breaks ties. */
  readonly score: number;
  /** What reads it. */
  readonly reader: Reader;
  /** Why it is no output; undefined if it is one. */
  readonly demotion: Demotion | undefined;
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
  /** The net has several heads. */
  | { readonly code: 'heads'; readonly of: number }
  /** They have to be named. */
  | { readonly code: 'unclear' };

/** A signature of a model and the tensors that it outputs. */
export interface SignatureOutputs {
  readonly name: string;
  readonly outputs: readonly {
    /** Its name in the signature. */
    readonly key: string;
    readonly ref: TensorRef;
    readonly dtype: string;
    /** Sizes, -1 for an unknown one; undefined for an unknown rank. */
    readonly shape: Shape;
  }[];
}

/** The chosen outputs and why; or the candidates. */
export interface OutputChoice {
  readonly outputs: readonly TensorRef[];
  /** What to propose, if they have to be named. */
  readonly proposed: readonly TensorRef[];
  readonly reason: OutputReason;
  readonly candidates: readonly OutputCandidate[];
  /** The signatures, if there are several and one has to be named. */
  readonly signatures: readonly SignatureOutputs[];
  /** Names of outputs, in the chosen signature, that are not in the graph. */
  readonly missing: readonly string[];
}

/** More outputs than this are not chosen without being asked for. */
const MANY = 16;

/**
 * The outputs of a model if the user names none: those of a signature, otherwise all tensors in which the net ends, if they
 * belong to one net.
 *
 * @param wanted - the signature to use
 * @param isServed - whether the checkpoint has a value for a variable
 * @throws BnfixError `usage` when the model has no such signature
 */
export function chooseOutputs(model: Model, wanted?: string, isServed?: (variable: string) => boolean): OutputChoice {
  const signatures = signaturesOf(model);
  const chosen = chosenSignature(model, signatures, wanted);
  const missing = chosen === undefined ? [] : missingOutputs(model, chosen);
  const reason = chosen === undefined ? undefined : { code: 'signature' as const, name: chosen };
  const found = signatures.find(({ name }) => name === chosen);
  if (reason && found) {
    const refs = found.outputs.map(({ ref }) => ref).sort((a, b) => (refText(a) < refText(b) ? -1 : 1));
    return { outputs: refs, proposed: refs, reason, candidates: [], signatures: [], missing };
  }
  const { candidates, isOneNet } = rankOutputs(model.graph, isServed);
  const best = candidates.filter(({ demotion }) => demotion === undefined);
  const proposed = best.map(({ ref }) => ref);
  if (reason) return { outputs: [], proposed, reason, candidates, signatures: [], missing };
  if (signatures.length > 0 || best.length === 0 || best.length > MANY || !isOneNet) {
    return { outputs: [], proposed, reason: { code: 'unclear' }, candidates, signatures, missing };
  }
  return { outputs: proposed, proposed, reason: netReason(best, candidates), candidates, signatures: [], missing };
}

/** Why the best candidates are chosen. */
function netReason(best: readonly OutputCandidate[], { length: of }: readonly OutputCandidate[]): OutputReason {
  if (of === 1) return { code: 'only_candidate' };
  return { code: best.length === 1 ? 'best_candidate' : 'heads', of };
}

/** The signatures of a model that have outputs in its graph. */
export function signaturesOf(model: Model): SignatureOutputs[] {
  const { graph, metaGraphDef } = model;
  const shapes = new Shapes(graph);
  return Object.keys(metaGraphDef.signature_def ?? {})
    .filter((name) => !name.startsWith('__'))
    .map((name) => ({
      name,
      outputs: namedOutputs(model, name)
        .filter(({ ref }) => hasTensor(graph, ref))
        .map(({ key, ref }) => ({
          key,
          ref,
          dtype: dtypeName(outputTypeOrT(graph.get(ref.node), ref.port)),
          shape: shapes.of(ref),
        })),
    }))
    .filter(({ outputs }) => outputs.length > 0);
}

/** The outputs of a signature as it names them, whether they are in the graph or not. */
function namedOutputs({ metaGraphDef }: Model, signature: string): { readonly key: string; readonly ref: TensorRef }[] {
  const entries = Object.entries(metaGraphDef.signature_def?.[signature]?.outputs ?? {});
  return entries.flatMap(([entry, info]) =>
    entryTensors(entry, info).map(([key, name]) => ({ key, ref: parseTensorName(name) })),
  );
}

/** Whether a graph has a node with this output. */
export function hasTensor(graph: Graph, { node: name, port }: TensorRef): boolean {
  const node = graph.find(name);
  return node !== undefined && hasOutput(node, port);
}

/** Names of outputs of a signature that are not in the graph. */
function missingOutputs(model: Model, signature: string): string[] {
  const outputs = namedOutputs(model, signature);
  return outputs.filter(({ ref }) => !hasTensor(model.graph, ref)).map(({ key }) => key);
}

/**
 * The name of the signature whose outputs to take: the wanted one, `serving_default`, or the only one. One with outputs in the graph
 * goes before others; undefined if one has to be named, or there is none.
 * @throws BnfixError `usage` when the model has no signature of the wanted name, or it has no outputs
 */
function chosenSignature(
  model: Model,
  signatures: readonly SignatureOutputs[],
  wanted: string | undefined,
): string | undefined {
  const known = Object.keys(model.metaGraphDef.signature_def ?? {}).filter((name) => !name.startsWith('__'));
  const names = known.filter((name) => namedOutputs(model, name).length > 0);
  const name = wanted ?? 'serving_default';
  if (names.includes(name)) return name;
  if (wanted === undefined) {
    if (signatures.length === 0) return names[0];
    return signatures.length === 1 ? signatures[0]!.name : undefined;
  }
  throw new BnfixError(
    'usage',
    known.includes(wanted) ? `the signature ${wanted} has no outputs` : `no signature named ${wanted}`,
    {
      option: 'signature',
      candidates: names,
      fix:
        names.length === 0
          ? `this model has no signatures${known.length > 0 ? ' with outputs' : ''}: leave it out`
          : names.map((each) => ({ option: 'signature', value: each })),
    },
  );
}

/** The tensors in which a net ends, best first. @param isServed - whether the checkpoint has a value for a variable */
export function rankOutputs(
  graph: Graph,
  isServed: (variable: string) => boolean = () => true,
): { candidates: OutputCandidate[]; isOneNet: boolean } {
  const shapes = new Shapes(graph);
  const { ranked, isOneNet } = rankPredictions(graph, isServed);
  const candidates = ranked.flatMap(({ node, reader, demotion }) =>
    portsOf(node).map((port): OutputCandidate => {
      const ref = { node: node.name, port };
      const shape = shapes.of(ref);
      const type = outputTypeOrT(node, port);
      return { ref, op: node.op, dtype: dtypeName(type), shape, score: score(node, shape, type), reader, demotion };
    }),
  );
  const order = new Map([...graph.nodes()].map(({ name }, i) => [name, i]));
  candidates.sort(
    (a, b) =>
      Number(a.demotion !== undefined) - Number(b.demotion !== undefined) ||
      b.score - a.score ||
      order.get(a.ref.node)! - order.get(b.ref.node)!,
  );
  return { candidates, isOneNet };
}

const hasEqualOutputs = anyOf('split', 'unpack', 'call');
const isIdentityN = anyOf('identity_n');

/** A node with more outputs than this is not the end of a net. */
const MAX_RESULTS = 4096;

/** The outputs of a node that are results. */
function portsOf(node: Node): number[] {
  if (isIdentityN(node)) {
    const refs = node.inputs.map(refText);
    return refs.flatMap((ref, port) => (refs.indexOf(ref) === port ? [port] : []));
  }
  const count = hasEqualOutputs(node) ? (outputCount(node) ?? 1) : 1;
  return Array.from({ length: count > MAX_RESULTS ? 1 : count }, (_, port) => port);
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
