import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { shapeProto } from '../../graph/tensor.js';
import { type NodeJson, nodeJson, shapeJson, typeJson } from '../../run/node_json.js';
import { type LoweredFunction, topologyOf } from '../../run/topology.js';
import type { ServedSignature, ServedTensor } from '../signature.js';
import type { WeightEntry } from './weights.js';

/** The graphs of a model. */
export interface ModelGraphs {
  readonly graph: Graph;
  readonly functions: readonly LoweredFunction[];
  /** Fills lookup tables. */
  readonly initializer: Graph | undefined;
}

/** What a model.json says besides its topology. */
export interface ModelFacts {
  /** The version of TensorFlow that made the graph. */
  readonly tensorflow: string | undefined;
  readonly signature: Pick<ServedSignature, 'inputs' | 'outputs'>;
  readonly weights: readonly WeightEntry[];
  /** The files with the weights, in order. */
  readonly paths: readonly string[];
}

/** A model.json as tensorflowjs_converter writes it (write_artifacts in tf_saved_model_conversion_v2.py). */
export function modelJson({ graph, functions, initializer }: ModelGraphs, facts: ModelFacts) {
  const { signature, weights, paths } = facts;
  return {
    format: 'graph-model',
    generatedBy: facts.tensorflow ?? 'TensorFlow',
    convertedBy: 'bnfix',
    signature: { inputs: tensorInfos(signature.inputs), outputs: tensorInfos(signature.outputs) },
    modelTopology: topologyOf(graph, functions, topologyNode),
    ...(initializer && { modelInitializer: { node: Array.from(initializer.nodes(), topologyNode) } }),
    weightsManifest: paths.length > 0 || weights.length > 0 ? [{ paths, weights }] : [],
  };
}

function tensorInfos(tensors: readonly ServedTensor[]) {
  return Object.fromEntries(
    tensors.map(({ key, ref, dtype, shape }) => {
      const tensorShape = shapeJson(shapeProto(shape));
      return [key, { name: `${ref.node}:${ref.port}`, dtype: typeJson(dtype), tensorShape }];
    }),
  );
}

/** A node; of a constant, what it holds is in the files with weights. */
function topologyNode(node: Node): NodeJson {
  const json = nodeJson(node);
  if (!node.tensor) return json;
  const { dtype, shape } = node.tensor;
  const value = { tensor: { dtype: typeJson(dtype), tensorShape: shapeJson(shapeProto(shape)) } };
  return { ...json, attr: { ...json.attr, value } };
}
