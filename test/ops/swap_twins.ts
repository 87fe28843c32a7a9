import { Shapes } from '../../src/analysis/values/shapes.js';
import { attr, attrInts, attrString, attrType } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import type { Node, TensorRef } from '../../src/graph/node.js';
import { numberTensor } from '../../src/graph/tensor.js';

/** Another op that does the same, and the op in whose place it stands. */
interface Swap {
  readonly to: string;
  /** Numbers that are its further inputs, with their dtype and shape. */
  readonly constants?: readonly (readonly [DataType, readonly number[], readonly number[]])[];
  readonly attr?: Node['attr'];
}

const { DT_UINT64, DT_INT32, DT_FLOAT } = DataType;

/** Counter-based random ops take a key, a counter and an algorithm in place of seeds. */
const KEY_COUNTER_ALGORITHM = [
  [DT_UINT64, [1], [7]],
  [DT_UINT64, [2], [0, 1]],
  [DT_INT32, [], [1]],
] as const;

function counterBased(to: string): (node: Node) => Swap {
  return (node) => ({
    to,
    constants: KEY_COUNTER_ALGORITHM,
    attr: { dtype: node.attr.dtype ?? {}, Tshape: node.attr.T ?? {} },
  });
}

function plain(to: string): () => Swap {
  return () => ({ to });
}

const isFloat = (node: Node) => [DT_FLOAT, DataType.DT_HALF, DataType.DT_DOUBLE].includes(attrType(node, 'T')!);

/** What is put in the place of a node; undefined for a node that stays. */
const SWAPS: Readonly<Record<string, (node: Node, shapes: Shapes) => Swap | undefined>> = {
  Add: plain('AddV2'),
  AddV2: plain('Add'),
  RealDiv: plain('Div'),
  Div: (node) => (isFloat(node) ? { to: 'RealDiv' } : undefined),
  Reciprocal: plain('Inv'),
  Inv: plain('Reciprocal'),
  Round: plain('Rint'),
  StopGradient: plain('PreventGradient'),
  BatchMatMul: plain('BatchMatMulV2'),
  BatchMatMulV2: plain('BatchMatMulV3'),
  Select: (node, shapes) => (isOfOneShape(node, shapes) ? { to: 'SelectV2' } : undefined),
  SelectV2: (node, shapes) => (isOfOneShape(node, shapes) ? { to: 'Select' } : undefined),
  BiasAdd: (node) => (attrString(node, 'data_format') === 'NCHW' ? undefined : { to: 'BiasAddV1' }),
  VariableV2: plain('Variable'),
  AddN: (node, shapes) => {
    const shape = shapes.of({ node: node.name, port: 0 });
    if (!shape || shape.some((size) => size < 0)) return undefined;
    return { to: 'AccumulateNV2', attr: { ...node.attr, shape: attr.shape(shape) } };
  },
  MaxPool: (node) => {
    const [window, strides] = [attrInts(node, 'ksize'), attrInts(node, 'strides')];
    if (!window || !strides) return undefined;
    return {
      to: 'MaxPoolV2',
      constants: [window, strides].map((list) => [DT_INT32, [4], list] as const),
      attr: node.attr,
    };
  },
  FusedBatchNormV2: plain('FusedBatchNormV3'),
  Identity: plain('Snapshot'),
  FusedBatchNorm: (node) => ({ to: 'FusedBatchNormV2', attr: { U: attr.type(DT_FLOAT), ...node.attr } }),
  RandomUniform: counterBased('StatelessRandomUniformV2'),
  RandomStandardNormal: counterBased('StatelessRandomNormalV2'),
  TruncatedNormal: counterBased('StatelessTruncatedNormalV2'),
  Gather: (node) => ({
    to: 'GatherV2',
    constants: [[DT_INT32, [], [0]]],
    attr: { Tparams: node.attr.Tparams ?? {}, Tindices: node.attr.Tindices ?? {}, Taxis: attr.type(DT_INT32) },
  }),
  Pad: (node) =>
    attrType(node, 'T') === DT_FLOAT ? { to: 'PadV2', constants: [[DT_FLOAT, [], [0]]], attr: node.attr } : undefined,
};

/** Whether Select and SelectV2 are the same: nothing is broadcast but a condition that is one number. */
function isOfOneShape(node: Node, shapes: Shapes): boolean {
  const [condition, a, b] = node.inputs.map((ref) => shapes.of(ref));
  if (!condition || !a || !b || a.length !== b.length) return false;
  const isKnown = [...a, ...b].every((size) => size >= 0);
  const alike = isKnown ? a.every((size, i) => size === b[i]) : node.inputs[1]!.node === node.inputs[2]!.node;
  return alike && (condition.length === 0 || (isKnown && condition.length === a.length));
}

/** Puts twins in the place of all nodes that have one. Returns the old op by node. */
export function swapTwins(graph: Graph): ReadonlyMap<string, string> {
  const shapes = new Shapes(graph);
  const swaps = [...graph.nodes()].flatMap((node) => {
    const swap = SWAPS[node.op]?.(node, shapes);
    return swap ? [{ node, swap }] : [];
  });
  const before = new Map(swaps.map(({ node }) => [node.name, node.op]));
  for (const { node, swap } of swaps) {
    const added = (swap.constants ?? []).map(([dtype, shape, numbers], i): TensorRef => {
      const name = graph.freeName(`${node.name}/twin_${i}`);
      const tensor = numberTensor(dtype, shape, numbers);
      graph.add({ name, op: 'Const', tensor, attr: { dtype: attr.type(dtype) } });
      return { node: name, port: 0 };
    });
    // Seeds are attrs of the old ops; counter-based ones have their own inputs.
    const inputs = swap.to.startsWith('Stateless') ? node.inputs.slice(0, 1) : node.inputs;
    const { controls, device } = node;
    graph.replace(node, { op: swap.to, inputs: [...inputs, ...added], controls, device, attr: swap.attr ?? node.attr });
  }
  return before;
}
