import { type Shape, Shapes } from '../analysis/values/shapes.js';
import type { FreezeReport } from '../freezing/report.js';
import type { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { entryTensors, type Signature } from '../graph/meta_graph_def.js';
import type { Model } from '../graph/model.js';
import { parseTensorName, type TensorRef, tensorName } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import { anyOf } from '../ops/meaning.js';
import { hasOutput, outputTypeOrT } from '../ops/registry.js';

/** An input or output of a signature. */
export interface ServedTensor {
  /** Its name in the signature. */
  readonly key: string;
  readonly ref: TensorRef;
  readonly dtype: DataType;
  /** Sizes, -1 for an unknown one; undefined for an unknown rank. */
  readonly shape: Shape;
}

/** What a result can be asked for: inputs and outputs by name. */
export interface ServedSignature {
  readonly key: string;
  /** `tensorflow/serving/predict` */
  readonly method: string;
  readonly inputs: readonly ServedTensor[];
  readonly outputs: readonly ServedTensor[];
}

/** A frozen or folded graph, and the model that it was made from. */
export interface Served {
  readonly graph: Graph;
  readonly report: Pick<FreezeReport, 'outputs'>;
  readonly model: Pick<Model, 'metaGraphDef'>;
}

const DEFAULT_KEY = 'serving_default';
const PREDICT = 'tensorflow/serving/predict';

/** A name for a tensor that no signature of the model names. */
export type NameOf = (ref: TensorRef) => string;

/**
 * The signatures of a result, `serving_default` first: it has all outputs. Others are those of the model whose outputs the
 * result has. Names are those of the model's signatures, otherwise made of the names of nodes.
 */
export function signaturesOf({ graph, report, model }: Served, nameOf: NameOf = pythonName): ServedSignature[] {
  const shapes = new Shapes(graph);
  const outputs = report.outputs.map(({ name }) => parseTensorName(name));
  const described = (names: readonly Named[]) =>
    names.map(([key, ref]): ServedTensor => {
      return { key, ref, dtype: outputTypeOrT(graph.get(ref.node), ref.port), shape: shapes.of(ref) };
    });
  const serve = (key: string, method: string, source: Signature | undefined, refs: readonly TensorRef[]) => ({
    key,
    method,
    inputs: described(named(inputsOf(graph, source, refs), source?.inputs, nameOf)),
    outputs: described(named(refs, source?.outputs, nameOf)),
  });
  const complete = givenSignatures({ report, model }).filter(({ isWhole }) => isWhole);
  // The one that says most about the outputs; serving_default before others.
  const best = [...complete].sort(
    (a, b) => b.refs.length - a.refs.length || Number(b.key === DEFAULT_KEY) - Number(a.key === DEFAULT_KEY),
  )[0];
  const method = best && best.refs.length === outputs.length ? best.signature.method_name : undefined;
  const others = complete.filter(({ key }) => key !== DEFAULT_KEY);
  return [
    serve(DEFAULT_KEY, method || PREDICT, best?.signature, outputs),
    ...others.map(({ key, signature, refs }) => serve(key, signature.method_name || PREDICT, signature, refs)),
  ];
}

/** A signature of the model that a result cannot serve, or an input of one that feeds none of its outputs any more. */
export interface SignatureLoss {
  readonly signature: string;
  readonly input: string | undefined;
}

/** What the signatures of a result lack of those of the model. @param served - the signatures of the result */
export function signatureLosses(
  made: Pick<Served, 'report' | 'model'>,
  served: readonly ServedSignature[],
): SignatureLoss[] {
  const inputsOfServed = new Map(served.map(({ key, inputs }) => [key, new Set(inputs.map((input) => input.key))]));
  return givenSignatures(made).flatMap(({ key: signature, signature: { inputs }, isWhole }) => {
    if (!isWhole) return [{ signature, input: undefined }];
    const kept = inputsOfServed.get(signature);
    const lost = tensorsOf(inputs).filter(([input]) => !kept?.has(input));
    return lost.map(([input]): SignatureLoss => ({ signature, input }));
  });
}

/** The signatures of the model that have outputs, and whether the result has all of these. */
function givenSignatures({ report, model }: Pick<Served, 'report' | 'model'>) {
  const isOutput = new Set(report.outputs.map(({ name }) => tensorName(parseTensorName(name))));
  return Object.entries(model.metaGraphDef.signature_def ?? {}).flatMap(([key, signature]) => {
    const refs = refsOf(signature.outputs);
    if (key.startsWith('__') || refs.length === 0) return [];
    return [{ key, signature, refs, isWhole: refs.every((ref) => isOutput.has(tensorName(ref))) }];
  });
}

function refsOf(tensors: Signature['outputs']): TensorRef[] {
  return tensorsOf(tensors).flatMap(([, name]) => (name === '' ? [] : [parseTensorName(name)]));
}

function tensorsOf(tensors: Signature['outputs']): [key: string, name: string][] {
  return Object.entries(tensors ?? {}).flatMap(([key, info]) => entryTensors(key, info));
}

const isPlaceholder = anyOf('placeholder');
const isConstant = anyOf('constant');

/** What has to be fed for the outputs: tensors of the signature that are in the graph, and all other placeholders. */
function inputsOf(graph: Graph, source: Signature | undefined, outputs: readonly TensorRef[]): TensorRef[] {
  const given = refsOf(source?.inputs).filter((ref) => canBeFed(graph, ref));
  const fed = new Set(given.map(tensorName));
  const found: TensorRef[] = [...given];
  const seen = new NodeSet(graph);
  const visit = (ref: TensorRef) => {
    if (!fed.has(tensorName(ref))) seen.add(graph.find(ref.node));
  };
  for (const ref of outputs) visit(ref);
  for (const node of seen) {
    // One with a default value need not be fed.
    if (isPlaceholder(node) && node.inputs.length === 0) found.push({ node: node.name, port: 0 });
    for (const ref of node.inputs) visit(ref);
    for (const name of node.controls) seen.add(graph.find(name));
  }
  return found;
}

/** Whether the graph has a tensor. A flag that was pinned is a constant now. */
function canBeFed(graph: Graph, { node: name, port }: TensorRef): boolean {
  const node = graph.find(name);
  return node !== undefined && !isConstant(node) && hasOutput(node, port);
}

type Named = readonly [key: string, ref: TensorRef];

/** Tensors by name: those of a signature, otherwise what `nameOf` makes of them. */
function named(refs: readonly TensorRef[], source: Signature['outputs'], nameOf: NameOf): Named[] {
  const known = new Map<string, string[]>();
  for (const [key, name] of tensorsOf(source)) {
    const tensor = name === '' ? '' : tensorName(parseTensorName(name));
    known.set(tensor, [...(known.get(tensor) ?? []), key]);
  }
  const taken = new Set(tensorsOf(source).map(([key]) => key));
  return [...new Map(refs.map((ref) => [tensorName(ref), ref]))].flatMap(([tensor, ref]) => {
    const keys = known.get(tensor) ?? [freeKey(nameOf(ref), taken)];
    return keys.map((key): Named => [key, ref]);
  });
}

/** The name of the node as a name in Python, which TensorFlow 2 requires. */
function pythonName({ node, port }: TensorRef): string {
  return (port === 0 ? node : `${node}_${port}`).replace(/\W/g, '_').replace(/^(?=\d)/, '_');
}

function freeKey(base: string, taken: Set<string>): string {
  let key = base;
  for (let i = 1; taken.has(key); i++) key = `${base}_${i}`;
  taken.add(key);
  return key;
}
