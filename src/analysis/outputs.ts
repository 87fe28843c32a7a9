import { DataType } from '../graph/dtype.js';
import { type Graph, type Node, refText, type TensorRef } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { outputTypes } from '../graph/ops.js';
import { descendants } from '../graph/walk.js';
import { type Shape, Shapes } from './shapes.js';
import { isVariable } from './variables.js';

/** A tensor that may be what the model answers. */
export interface OutputCandidate {
  readonly ref: TensorRef;
  readonly op: string;
  readonly shape: Shape;
  readonly score: number;
}

/** The outputs that are taken, and why; or what there is to choose from. */
export interface OutputChoice {
  readonly outputs: readonly TensorRef[];
  readonly why: string;
  readonly candidates: readonly OutputCandidate[];
}

const SIDE_EFFECTS =
  /^(Assign|Apply|ResourceApply|SparseApply|ResourceSparseApply|Save|Restore|Scatter|ResourceScatter|Queue|Enqueue)/;
const SUMMARY = /Summary/;
const NEVER: ReadonlySet<string> = new Set([
  'NoOp',
  'Assert',
  'Print',
  'PrintV2',
  'IsVariableInitialized',
  'VarIsInitializedOp',
  'ReadVariableOp',
  'Placeholder',
  'PlaceholderWithDefault',
  'Const',
  'Shape',
  'ShapeN',
  'Size',
  'Rank',
  'ShardedFilename',
  'MergeV2Checkpoints',
  'BroadcastGradientArgs',
  'ConcatOffset',
  'InvertPermutation',
]);
/** Ops of a loss or a metric: what they make is for training, and so is what comes after. */
const LOSS: ReadonlySet<string> = new Set([
  'SoftmaxCrossEntropyWithLogits',
  'SparseSoftmaxCrossEntropyWithLogits',
  'L2Loss',
  'SquaredDifference',
  'Equal',
  'NotEqual',
  'InTopK',
  'InTopKV2',
  'CTCLoss',
]);
/** Ops that mix data with weights: what comes after them is the net, not a label. */
const WEIGHTED = /^(Conv|Depthwise|MatMul|BatchMatMul|FusedBatchNorm|Gather|ResourceGather|QuantizedConv|BiasAdd)/;

const TELLING_NAME =
  /(^|[/_])(output|outputs|pred|preds|prediction|predictions|logits|probs?|probabilities|softmax|sigmoid|embeddings?|result|score|scores)([/_]?\d*)($|[/_:])/i;
const TELLING_OP: ReadonlySet<string> = new Set(['Softmax', 'Sigmoid', 'ArgMax', 'Tanh']);

/** Parses the outputs or inputs that a user names: `a`, `a:0`, `a:1`. */
export function parseTensorName(text: string): TensorRef {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  return colon > 0 && Number.isInteger(port) ? { node: text.slice(0, colon), port } : { node: text, port: 0 };
}

/** Without `--outputs`: what a signature says, otherwise the one clear winner among the candidates. */
export function chooseOutputs(model: Model): OutputChoice {
  const signature = fromSignatures(model);
  if (signature) return signature;
  const candidates = rankOutputs(model.graph);
  const [first, second] = candidates;
  if (first && (!second || first.score >= second.score + CLEAR_LEAD)) {
    const why = second
      ? `the clear winner of ${candidates.length} candidates: the net ends there`
      : 'the only tensor that the net ends in';
    return { outputs: [first.ref], why, candidates };
  }
  return { outputs: [], why: candidates.length === 0 ? 'no candidate' : 'several candidates', candidates };
}

const CLEAR_LEAD = 2;

function fromSignatures(model: Model): OutputChoice | undefined {
  const signatures = Object.entries(model.meta.signature_def ?? {}).filter(([name]) => !name.startsWith('__'));
  const chosen =
    signatures.find(([name]) => name === 'serving_default') ?? (signatures.length === 1 ? signatures[0] : undefined);
  if (!chosen) return undefined;
  const [name, signature] = chosen;
  const names = Object.values(signature.outputs ?? {}).map((info) => info.name ?? '');
  const outputs = names.map(parseTensorName).filter((ref) => model.graph.has(ref.node));
  if (outputs.length === 0) return undefined;
  outputs.sort((a, b) => (refText(a) < refText(b) ? -1 : 1));
  return { outputs, why: `signature ${name}`, candidates: [] };
}

/** Tensors in which the net ends, best first: no training, loss, metric, summary, initialisation or save ops. */
export function rankOutputs(graph: Graph): OutputCandidate[] {
  const shapes = new Shapes(graph);
  const net = forwardNet(graph);
  const candidates: OutputCandidate[] = [];
  for (const name of net) {
    const node = graph.get(name);
    if (NEVER.has(node.op) || SIDE_EFFECTS.test(node.op)) continue;
    const types = outputTypes(node);
    if (types?.length === 0) continue;
    if (graph.dataConsumers(name).some((consumer) => net.has(consumer.name) && !NEVER.has(consumer.op))) continue;
    const shape = shapes.of({ node: name, port: 0 });
    candidates.push({ ref: { node: name, port: 0 }, op: node.op, shape, score: score(graph, node, shape, types?.[0]) });
  }
  return candidates.sort((a, b) => b.score - a.score || (a.ref.node < b.ref.node ? -1 : 1));
}

function score(graph: Graph, node: Node, shape: Shape, type: DataType | undefined): number {
  let points = 0;
  if (TELLING_NAME.test(node.name)) points += 3;
  if (TELLING_OP.has(node.op)) points += 1;
  if (type === DataType.DT_STRING || type === DataType.DT_BOOL) points -= 4;
  if (shape?.length === 0) points -= 4;
  if (shape && shape.length > 0 && shape[0]! < 0) points += 2;
  if (
    /(^|\/)(loss|losses|metrics?|accuracy|train|training|optimizer|grad\w*|summar\w+|save|eval\w*)(\/|_\d|$)/i.test(
      node.name,
    )
  ) {
    points -= 4;
  }
  if (graph.dataConsumers(node.name).length > 0) points += 1;
  return points;
}

/**
 * Nodes of the net proper: reached from a placeholder (or an input op) through weights, before any label, loss or
 * gradient joins in.
 */
function forwardNet(graph: Graph): Set<string> {
  const gradients = gradientNodes(graph);
  const excluded = new Set(gradients);
  for (const node of graph.nodes())
    if (SUMMARY.test(node.op) || SIDE_EFFECTS.test(node.op) || LOSS.has(node.op)) excluded.add(node.name);
  const stop = (node: Node) => !excluded.has(node.name);
  const weighted: string[] = [];
  for (const node of graph.nodes()) if (!excluded.has(node.name) && WEIGHTED.test(node.op)) weighted.push(node.name);
  const reached = descendants(graph, inputNodes(graph), stop);
  const labels = labelNodes(graph, stop);
  const net = descendants(
    graph,
    weighted.filter((name) => reached.has(name)),
    stop,
  );
  const spoilt = descendants(graph, [...labels, ...excludedLoss(graph)], () => true);
  return new Set([...net].filter((name) => reached.has(name) && !excluded.has(name) && !spoilt.has(name)));
}

function excludedLoss(graph: Graph): string[] {
  return [...graph.nodes()].filter((node) => LOSS.has(node.op)).map((node) => node.name);
}

/** Where data comes in. */
function inputNodes(graph: Graph): string[] {
  const names: string[] = [];
  for (const node of graph.nodes()) {
    const source = node.inputs.length === 0 && !isVariable(node) && node.op !== 'Const' && node.op !== 'NoOp';
    if (source || /Dequeue|IteratorGetNext|^Decode/.test(node.op)) names.push(node.name);
  }
  return names;
}

/** Placeholders whose data meets the net without having gone through any weights: labels, masks, targets. */
function labelNodes(graph: Graph, stop: (node: Node) => boolean): string[] {
  const labels: string[] = [];
  for (const node of graph.nodes()) {
    if (node.op !== 'Placeholder' || node.attr.dtype?.type === DataType.DT_BOOL) continue;
    if (graph.dataConsumers(node.name).length === 0) continue;
    let throughWeights = false;
    let small = false;
    descendants(graph, [node.name], (at) => {
      if (throughWeights || !stop(at)) return false;
      if (WEIGHTED.test(at.op) && at.op !== 'BiasAdd') {
        throughWeights = true;
        return false;
      }
      return true;
    });
    const shape = node.attr.shape?.shape;
    if (shape && !shape.unknown_rank && (shape.dim ?? []).length === 0) small = true;
    if (!throughWeights && !small) labels.push(node.name);
  }
  return labels;
}

/** Nodes that tf.gradients made: they read both a forward tensor and the gradient that comes back. */
function gradientNodes(graph: Graph): Set<string> {
  const named = new Set<string>();
  for (const node of graph.nodes()) {
    if (/(^|\/)gradients(_\d+)?\//.test(node.name) || /Grad(V\d)?$|Backprop(Input|Filter)/.test(node.op)) {
      if (!/BackpropInput/.test(node.op) || /(^|\/)gradients(_\d+)?\//.test(node.name)) named.add(node.name);
    }
  }
  return named;
}
