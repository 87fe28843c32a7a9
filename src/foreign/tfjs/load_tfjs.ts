import { attr, attrShape, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Signature } from '../../graph/meta_graph_def.js';
import type { Model } from '../../graph/model.js';
import { readBytes, type Tensor } from '../../graph/tensor.js';
import { type ByteSource, MemorySource } from '../../io/source.js';
import { anyOf } from '../../ops/meaning.js';
import { tensorflow } from '../../proto/tensorflow.js';
import { decode, readGraphDef } from '../../readers/graph_def.js';
import { type JsonObject, type ModelJson, notAModel, objectAt, objectsAt, textAt } from './model_json.js';
import { inDtype, type OpenShard, readManifest, type Weights } from './weights.js';

const isPlaceholder = anyOf('placeholder');

/** A graph model of TensorFlow.js as a frozen graph. */
export interface TfjsModel extends Model {
  /** Files with weights that were not found, or constants that no file has: each is a variable without a value. */
  readonly missing: readonly string[];
  /** Closes the files with weights. */
  close(): void;
}

/**
 * Loads a graph model of TensorFlow.js: its topology is a GraphDef as JSON, its constants are in other files.
 * @throws BnfixError `unreadable` when it is no graph, or does not fit its files
 */
export async function loadTfjs(source: ByteSource, json: ModelJson, open: OpenShard): Promise<TfjsModel> {
  const { jsonToBinary } = await import('./graph_json.js');
  const weights = explained(source, () => readManifest(json.manifest, open));
  const close = () => {
    for (const each of weights.sources) each.close();
  };
  try {
    const topology = withFunctionConstants(json.topology, weights);
    const binary = explained(source, () => jsonToBinary(topology, 'GraphDef'));
    const graph = readGraphDef(new MemorySource(binary, source.name));
    const lost = fillConstants(graph, weights);
    const binarySignature =
      json.signature && explained(source, () => jsonToBinary(json.signature ?? {}, 'SignatureDef'));
    const signature = binarySignature && signatureOf(source, binarySignature, graph);
    return {
      name: source.name,
      kind: 'graph_def',
      graph,
      metaGraphDef: signature ? { signature_def: { serving_default: signature } } : {},
      checkpoint: undefined,
      byteLength: source.size,
      missing: weights.missing.length > 0 ? weights.missing : lost,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** What cannot be read is a fault of the file. */
function explained<T>(source: ByteSource, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw notAModel(source, (error as Error).message);
  }
}

/** The signature; one without inputs means all placeholders, as in TensorFlow.js. */
function signatureOf(source: ByteSource, binary: Uint8Array, graph: Graph): Signature {
  const { inputs, outputs } = decode(source, () => tensorflow.SignatureDef.decode(binary));
  if (Object.keys(inputs).length > 0) return { inputs, outputs };
  const placeholders = [...graph.nodes()].filter((node) => isPlaceholder(node));
  return { inputs: Object.fromEntries(placeholders.map(({ name }) => [name, { name: `${name}:0` }])), outputs };
}

/** Gives the constants of the graph their values. @returns those that have none */
function fillConstants(graph: Graph, { byName }: Weights): string[] {
  const lost: string[] = [];
  for (const node of [...graph.nodes()]) {
    if (node.op !== 'Const' || hasContent(node.tensor)) continue;
    const dtype = attrType(node, 'dtype') ?? node.tensor?.dtype ?? DataType.DT_FLOAT;
    const weight = byName.get(node.name);
    if (weight) graph.replaceByConst(node, inDtype(weight, dtype), node.controls);
    else {
      lost.push(node.name);
      const shape = attr.shape(node.tensor?.shape ?? attrShape(node, 'shape'));
      graph.replace(node, { op: 'VariableV2', controls: node.controls, attr: { dtype: attr.type(dtype), shape } });
    }
  }
  return lost;
}

/** Whether the JSON has the value of a constant itself, or it has no elements. */
function hasContent(tensor: Tensor | undefined): boolean {
  const proto = tensor?.proto;
  if (!proto) return false;
  const lists = [
    proto.tensor_content,
    proto.float_val,
    proto.double_val,
    proto.int_val,
    proto.int64_val,
    proto.bool_val,
    proto.half_val,
    proto.string_val,
  ];
  return tensor.shape.includes(0) || lists.some((list) => list != null && list.length > 0);
}

/** The same topology with the values of the constants in its functions. */
function withFunctionConstants(topology: JsonObject, { byName }: Weights): JsonObject {
  const library = objectAt(topology, 'library');
  const functions = library && objectsAt(library, 'function');
  if (!functions || functions.length === 0) return topology;
  return {
    ...topology,
    library: {
      ...library,
      function: functions.map((fn) => ({ ...fn, nodeDef: objectsAt(fn, 'nodeDef').map(filled) })),
    },
  };

  function filled(node: JsonObject): JsonObject {
    const weight = textAt(node, 'op') === 'Const' ? byName.get(textAt(node, 'name') ?? '') : undefined;
    const attrs = objectAt(node, 'attr');
    const tensor = attrs && objectAt(objectAt(attrs, 'value') ?? {}, 'tensor');
    if (!weight || !tensor || weight.dtype === DataType.DT_STRING) return node;
    const dtype = DataType[textAt(tensor, 'dtype') as keyof typeof DataType] ?? weight.dtype;
    // protobufjs takes bytes where JSON has base64.
    const content = readBytes(inDtype(weight, dtype)) as unknown as string;
    return { ...node, attr: { ...attrs, value: { tensor: { ...tensor, tensorContent: content } } } };
  }
}
