import type { io } from '@tensorflow/tfjs-core';
import { BnfixError } from '../errors.js';
import type { AttrValue } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText } from '../graph/node.js';
import { narrowedConstant, narrowedType } from './tfjs.js';

/** An attr in protobuf's JSON form; it has only the field of its kind. */
type AttrJson = Record<string, unknown>;

interface NodeJson {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, AttrJson>>;
}

/** A function body that is ready to run. */
export interface LoweredFunction {
  readonly name: string;
  readonly graph: Graph;
  /** Placeholders of its arguments, in order. */
  readonly args: readonly { readonly name: string; readonly type: DataType }[];
  /** Nodes whose output 0 is returned, in order; each once. */
  readonly results: readonly string[];
}

/** The graph and its functions as TensorFlow.js loads them from memory: nodes as JSON, constants separate. */
export function artifactsOf(main: Graph, functions: readonly LoweredFunction[]): io.ModelArtifacts {
  const weightSpecs: io.WeightsManifestEntry[] = [];
  const weightData: ArrayBuffer[] = [];
  const nodesOf = (graph: Graph) => {
    const nodes: NodeJson[] = [];
    for (const node of graph.nodes()) {
      if (node.op === 'Const') addWeight(node, weightSpecs, weightData);
      nodes.push(nodeJson(node));
    }
    return nodes;
  };
  const modelTopology = {
    node: nodesOf(main),
    library: { function: functions.map((fn) => functionJson(fn, nodesOf(fn.graph))) },
    versions: { producer: 0, minConsumer: 0 },
  };
  return { modelTopology, weightSpecs, weightData };
}

function addWeight(node: Node, specs: io.WeightsManifestEntry[], data: ArrayBuffer[]): void {
  if (!node.tensor) throw new BnfixError('unreadable', `the constant ${node.name} has no value`, { where: node.name });
  const { dtype, bytes } = narrowedConstant(node.tensor, node.name);
  specs.push({ name: node.name, shape: [...node.tensor.shape], dtype });
  data.push(bytes.slice().buffer);
}

function nodeJson(node: Node): NodeJson {
  const attr: Record<string, AttrJson> = {};
  for (const [key, value] of Object.entries(node.attr)) attr[key] = attrJson(value);
  return { name: node.name, op: node.op, input: node.inputs.map(refText), attr };
}

function functionJson(fn: LoweredFunction, nodes: readonly NodeJson[]) {
  const args = new Set(fn.args.map(({ name }) => name));
  return {
    signature: {
      name: fn.name,
      inputArg: fn.args.map(({ name, type }) => ({ name, type: typeJson(type) })),
      outputArg: fn.results.map((name) => ({ name, type: typeJson(DataType.DT_FLOAT) })),
    },
    nodeDef: nodes.filter(({ name }) => !args.has(name)),
    ret: Object.fromEntries(fn.results.map((name) => [name, name])),
  };
}

function typeJson(type: number): string {
  return DataType[narrowedType(type as DataType)] ?? 'DT_INVALID';
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

type ShapeJson = { unknownRank: true } | { dim: { size: number }[] };

function shapeJson(shape: NonNullable<AttrValue['shape']>): ShapeJson {
  if (shape.unknown_rank) return { unknownRank: true };
  return { dim: (shape.dim ?? []).map((dim) => ({ size: Number(dim.size ?? 0) })) };
}

function attrJson(value: AttrValue): AttrJson {
  if (value.s != null) return { s: base64(value.s) };
  if (value.i != null) return { i: Number(value.i) };
  if (value.f != null) return { f: value.f };
  if (value.b != null) return { b: value.b };
  if (value.type != null) return { type: typeJson(value.type) };
  if (value.shape != null) return { shape: shapeJson(value.shape) };
  if (value.func != null) return { func: { name: value.func.name ?? '' } };
  if (value.list != null) return { list: listJson(value.list) };
  return {};
}

function listJson(list: NonNullable<AttrValue['list']>): AttrJson {
  if (list.s?.length) return { s: list.s.map(base64) };
  if (list.i?.length) return { i: list.i.map(Number) };
  if (list.f?.length) return { f: [...list.f] };
  if (list.b?.length) return { b: [...list.b] };
  if (list.type?.length) return { type: list.type.map(typeJson) };
  if (list.shape?.length) return { shape: list.shape.map(shapeJson) };
  return {};
}
