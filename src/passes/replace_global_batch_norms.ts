import { attr, attrBool, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { numberTensor } from '../graph/tensor.js';
import { epsilonAttr } from '../ops/epsilon.js';
import { isGlobalBatchNorm } from '../ops/meaning.js';
import { ConstantAdder } from './edits/constants.js';
import type { FinishPlan, Pass } from './pass.js';

/**
 * Replaces the obsolete op BatchNormWithGlobalNormalization, which few programs know, by FusedBatchNorm; for dtypes other than
 * float32, by arithmetic.
 *
 *     given:   x = Placeholder[shape=[?, 4, 4, 1]]
 *              m = [0.5], v = [4.0], b = [1.0], g = [2.0]
 *              y = BatchNormWithGlobalNormalization(x, m, v, b, g)[variance_epsilon=0.001, scale_after_normalization=true]
 *     result:  x = Placeholder[shape=[?, 4, 4, 1]]
 *              m = [0.5], v = [4.0], b = [1.0], g = [2.0]
 *              y = FusedBatchNorm(x, g, b, m, v)[data_format=NHWC, epsilon=0.001, is_training=false]
 *
 * Assumes: nothing. The inputs of the obsolete op are t, m, v, beta and gamma; it uses gamma if scale_after_normalization is true.
 */
export const replaceGlobalBatchNorms: Pass<FinishPlan> = {
  name: 'replace_global_batch_norms',
  run({ graph, isKept }) {
    const found = [...graph.nodes()].filter(
      (node) => isGlobalBatchNorm(node) && node.inputs.length === 5 && !isKept(node.name),
    );
    if (found.length === 0) return { outcomes: [] };
    const constants = new ConstantAdder(graph);
    for (const node of found) {
      const dtype = attrType(node, 'T') ?? DataType.DT_FLOAT;
      if (dtype === DataType.DT_FLOAT) becomeFused(graph, node);
      else becomeArithmetic(graph, constants, node, dtype);
    }
    return { outcomes: [] };
  },
};

type Inputs = readonly [x: TensorRef, mean: TensorRef, variance: TensorRef, beta: TensorRef, gamma: TensorRef];

function becomeFused(graph: Graph, node: Node): void {
  const [x, mean, variance, beta, gamma] = node.inputs as unknown as Inputs;
  const T = attr.type(DataType.DT_FLOAT);
  const scale = isScaled(node) ? gamma : add(graph, node, 'OnesLike', [variance], T);
  graph.replace(node, {
    op: 'FusedBatchNorm',
    inputs: [x, scale, beta, mean, variance],
    controls: node.controls,
    attr: {
      T,
      data_format: attr.string('NHWC'),
      epsilon: attr.float(epsilonAttr(node)),
      is_training: attr.bool(false),
    },
  });
}

/** `(x - m) * (rsqrt(v + epsilon) * gamma) + beta`, as the op computes it. */
function becomeArithmetic(graph: Graph, constants: ConstantAdder, node: Node, dtype: DataType): void {
  const [x, mean, variance, beta, gamma] = node.inputs as unknown as Inputs;
  const T = attr.type(dtype);
  const epsilon = constants.add(`${node.name}/epsilon`, numberTensor(dtype, [], [epsilonAttr(node)]), node.name);
  const root = add(graph, node, 'Rsqrt', [add(graph, node, 'Add', [variance, epsilon], T)], T);
  const scale = isScaled(node) ? add(graph, node, 'Mul', [root, gamma], T) : root;
  const product = add(graph, node, 'Mul', [add(graph, node, 'Sub', [x, mean], T), scale], T);
  graph.replace(node, { op: 'Add', inputs: [product, beta], controls: node.controls, attr: { T } });
}

function add(graph: Graph, { name }: Node, op: string, inputs: readonly TensorRef[], T: ReturnType<typeof attr.type>) {
  const node = graph.add({ name: graph.freeName(`${name}/${op.toLowerCase()}`), op, inputs, attr: { T } });
  return { node: node.name, port: 0 };
}

function isScaled(node: Node): boolean {
  return attrBool(node, 'scale_after_normalization') ?? true;
}
