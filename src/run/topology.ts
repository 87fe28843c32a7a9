import type { io } from '@tensorflow/tfjs-core';
import { BnfixError } from '../errors.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { type NodeJson, nodeJson, typeJson } from './node_json.js';
import { narrowedConstant } from './tfjs.js';

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
  const modelTopology = topologyOf(main, functions, (node) => {
    if (node.op === 'Const') addWeight(node, weightSpecs, weightData);
    return nodeJson(node);
  });
  return { modelTopology, weightSpecs, weightData };
}

/** The graph and its functions in protobuf's JSON form. @param jsonOf - of a node; called in the order of the nodes */
export function topologyOf(main: Graph, functions: readonly LoweredFunction[], jsonOf: (node: Node) => NodeJson) {
  const nodesOf = (graph: Graph) => Array.from(graph.nodes(), jsonOf);
  return {
    node: nodesOf(main),
    library: { function: functions.map((fn) => functionJson(fn, nodesOf(fn.graph))) },
    versions: { producer: main.header.versions?.producer ?? 0, minConsumer: 0 },
  };
}

function addWeight(node: Node, specs: io.WeightsManifestEntry[], data: ArrayBuffer[]): void {
  if (!node.tensor) throw new BnfixError('unreadable', `the constant ${node.name} has no value`, { where: node.name });
  const { dtype, bytes } = narrowedConstant(node.tensor, node.name);
  specs.push({ name: node.name, shape: [...node.tensor.shape], dtype });
  data.push(bytes.slice().buffer);
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
