import protobuf from 'protobufjs/minimal.js';
import { BnfixError } from '../../errors.js';
import { int64 } from '../../graph/numbers.js';
import type { ByteSource } from '../../io/source.js';
import { onnx } from '../../proto/tensorflow.js';
import { decode } from '../../readers/graph_def.js';
import { WireReader } from '../../readers/wire.js';
import { prunedModel } from './prune.js';

/** The graph of a model, of a subgraph, or the body of a function. */
export interface Body {
  readonly nodes: readonly onnx.NodeProto.$Properties[];
  /** In order. */
  readonly inputs: ReadonlySet<string>;
  readonly outputs: readonly string[];
  /** Constants by name. */
  readonly initializers: ReadonlyMap<string, onnx.TensorProto.$Properties>;
  /** The node that computes each tensor, and which of its outputs that is. */
  readonly producers: ReadonlyMap<string, { readonly proto: onnx.NodeProto.$Properties; readonly index: number }>;
}

/** A function of a model. */
export interface OnnxFunction {
  readonly body: Body;
  /** Attributes with a default value. */
  readonly defaults: readonly onnx.AttributeProto.$Properties[];
  readonly opsets: ReadonlyMap<string, number>;
}

/** An input of the main graph. */
export interface OnnxInput {
  readonly name: string;
  /** The size of each dimension; undefined for one that is not fixed; undefined if the rank is not known. */
  readonly shape: readonly (number | undefined)[] | undefined;
  /** TensorProto.DataType. */
  readonly elemType: number;
}

/** A model in ONNX format. */
export interface OnnxModel {
  readonly name: string;
  /** The program that wrote it; undefined if the file does not say. */
  readonly producer: string | undefined;
  readonly body: Body;
  /** The inputs of the main graph; those with an initializer need not be fed. */
  readonly inputs: readonly OnnxInput[];
  /** The version of each set of ops by its domain. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Functions by {@link functionKey}. */
  readonly functions: ReadonlyMap<string, OnnxFunction>;
  /** How many descriptions of how to train it are in the file. */
  readonly trainingInfos: number;
}

/** Before this version of the format, all initializers are listed as inputs; since then, only those that can be overridden. */
const FIRST_WITH_DEFAULTS = 4;

/** Reads an ONNX file; values of large tensors stay in the file. @throws BnfixError `unreadable` when it is truncated or corrupt */
export function readOnnx(source: ByteSource): OnnxModel {
  const bytes = prunedModel(new WireReader(source));
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = true;
  const proto = decode(source, () => onnx.ModelProto.decode(reader));
  if (!proto.graph) {
    throw new BnfixError('unreadable', `${source.name} has no graph`, {
      where: source.name,
      fix: 'the file is truncated or corrupt: convert the model again',
    });
  }
  const body = bodyOfGraph(proto.graph);
  const canDefault = int64(proto.ir_version) >= FIRST_WITH_DEFAULTS;
  return {
    name: source.name,
    producer: proto.producer_name || undefined,
    body,
    inputs: (proto.graph.input ?? [])
      .filter(({ name }) => canDefault || !body.initializers.has(name ?? ''))
      .map(({ name, type }) => ({
        name: name ?? '',
        shape: shapeOf(type),
        elemType: type?.tensor_type?.elem_type ?? 0,
      })),
    opsets: opsetsOf(proto.opset_import),
    functions: new Map(proto.functions.map((fn) => [functionKey(fn.domain, fn.name, fn.overload), functionOf(fn)])),
    trainingInfos: proto.training_info.length,
  };
}

/** The key of a function, and of the ops that call it. */
export function functionKey(
  domain: string | null | undefined,
  name: string | null | undefined,
  overload: string | null | undefined,
): string {
  return [domainOf(domain), name ?? '', overload ?? ''].join('\n');
}

/** A graph with its names indexed. */
export function bodyOfGraph(graph: onnx.GraphProto.$Properties): Body {
  const names = (values: readonly onnx.ValueInfoProto.$Properties[] | null | undefined) =>
    (values ?? []).map(({ name }) => name ?? '');
  return {
    ...indexed(graph.node ?? []),
    inputs: new Set(names(graph.input)),
    outputs: names(graph.output),
    initializers: new Map((graph.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor])),
  };
}

function functionOf({
  input,
  output,
  node,
  attribute_proto,
  opset_import,
}: onnx.FunctionProto.$Properties): OnnxFunction {
  return {
    body: { ...indexed(node ?? []), inputs: new Set(input), outputs: output ?? [], initializers: new Map() },
    defaults: attribute_proto ?? [],
    opsets: opsetsOf(opset_import ?? []),
  };
}

function indexed(nodes: readonly onnx.NodeProto.$Properties[]): Pick<Body, 'nodes' | 'producers'> {
  const producers = new Map<string, { proto: onnx.NodeProto.$Properties; index: number }>();
  for (const proto of nodes) {
    proto.output?.forEach((name, index) => {
      if (name !== '') producers.set(name, { proto, index });
    });
  }
  return { nodes, producers };
}

/** The default domain has two names. */
function opsetsOf(imports: readonly onnx.OperatorSetIdProto.$Properties[]): ReadonlyMap<string, number> {
  return new Map(imports.map(({ domain, version }) => [domainOf(domain), int64(version)]));
}

/** The domain of an op: `''` for the ops of ONNX itself. */
export function domainOf(domain: string | null | undefined): string {
  return domain == null || domain === 'ai.onnx' ? '' : domain;
}

function shapeOf(type: onnx.TypeProto.$Properties | null | undefined): OnnxInput['shape'] {
  return type?.tensor_type?.shape?.dim?.map(({ dim_value }) => int64(dim_value) || undefined);
}
