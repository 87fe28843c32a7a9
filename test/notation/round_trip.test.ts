import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AttrMap, type AttrValue, attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import type { Node, NodeSpec, TensorRef } from '../../src/graph/node.js';
import { elementCount, numberTensor, readBytes, stringTensor, type Tensor } from '../../src/graph/tensor.js';
import { parseGraph } from '../../src/notation/parse.js';
import { printGraph } from '../../src/notation/print.js';
import { randomRuns } from '../support/random.js';

const DTYPES = [
  DataType.DT_FLOAT,
  DataType.DT_DOUBLE,
  DataType.DT_HALF,
  DataType.DT_BFLOAT16,
  DataType.DT_INT32,
  DataType.DT_INT64,
  DataType.DT_UINT8,
  DataType.DT_BOOL,
];
const dtypes = fc.constantFrom(...DTYPES);
const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }).filter((shape) => elementCount(shape) <= 16);
const utf8 = new TextEncoder();

const strings = shapes.chain((shape) =>
  fc.array(fc.string(), { minLength: elementCount(shape), maxLength: elementCount(shape) }).map((texts) =>
    stringTensor(
      shape,
      texts.map((text) => utf8.encode(text)),
    ),
  ),
);
const numbers = fc
  .tuple(dtypes, shapes)
  .chain(([dtype, shape]) =>
    fc
      .array(valuesOf(dtype), { minLength: elementCount(shape), maxLength: elementCount(shape) })
      .map((values) => numberTensor(dtype, shape, values)),
  );
const tensors: fc.Arbitrary<Tensor> = fc.oneof({ weight: 5, arbitrary: numbers }, strings);

function valuesOf(dtype: DataType): fc.Arbitrary<number> {
  if (dtype === DataType.DT_BOOL) return fc.integer({ min: 0, max: 1 });
  if (dtype === DataType.DT_UINT8) return fc.integer({ min: 0, max: 255 });
  if (dtype === DataType.DT_INT32) return fc.integer();
  if (dtype === DataType.DT_INT64) return fc.maxSafeInteger();
  return dtype === DataType.DT_DOUBLE ? fc.double() : fc.float();
}

const texts = fc.oneof(fc.string(), fc.constantFrom('NHWC', 'float', 'true', 'inf', '?', 'a b', ''));
const sizes = fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 4 });
const attrValues: fc.Arbitrary<AttrValue> = fc.oneof(
  fc.boolean().map(attr.bool),
  fc.maxSafeInteger().map(attr.int),
  fc.float().map(attr.float),
  texts.map(attr.string),
  dtypes.map(attr.type),
  fc.option(sizes, { nil: undefined }).map(attr.shape),
  fc.array(fc.integer(), { minLength: 1 }).map((i) => ({ list: { i } })),
  fc.array(fc.float(), { minLength: 1 }).map((f) => ({ list: { f } })),
  fc.array(texts, { minLength: 1 }).map((all) => ({ list: { s: all.map((text) => utf8.encode(text)) } })),
  fc.array(dtypes, { minLength: 1 }).map((type) => ({ list: { type } })),
  fc.constant({ list: {} }),
);
const attrMaps = fc.dictionary(
  fc.constantFrom('a', 'shape', 'T', 'U', 'dtype', 'keep_dims', 'value_shape'),
  attrValues,
  {
    maxKeys: 3,
  },
);

/** A node by the numbers that choose its name, op and inputs: what they choose depends on the nodes before it. */
const nodes = fc.record({
  op: fc.constantFrom('Relu', 'AddV2', 'FusedBatchNormV3', 'IdentityN', 'Cast', 'Custom', 'Placeholder', 'NoOp'),
  name: fc.constantFrom('nested', 'free', 'odd'),
  inputs: fc.array(fc.nat(), { maxLength: 3 }),
  controls: fc.array(fc.nat(), { maxLength: 1 }),
  attr: fc.oneof(attrMaps, fc.constant({}), fc.constant({ T: attr.type(DataType.DT_FLOAT) })),
  tensor: fc.option(tensors, { nil: undefined }),
  device: fc.constantFrom('', '', '', '/device:GPU:0'),
});

const graphs = fc.array(nodes, { maxLength: 12 }).map((parts) => {
  const graph = new Graph();
  const ops = new Map<string, number>();
  for (const [i, part] of parts.entries()) {
    const before = [...graph.nodes()];
    const op = part.tensor ? 'Const' : part.op;
    // Names that the parser could have made for the inputs of a node `y` come up often.
    const count = ops.get(op) ?? 0;
    ops.set(op, count + 1);
    const name = { nested: `y/${op}${count > 0 ? `_${count}` : ''}`, free: `n${i}`, odd: `a b:${i}` }[part.name];
    const inputs =
      before.length === 0 || part.tensor
        ? []
        : part.inputs.map((n): TensorRef => {
            const node = before[n % before.length]!;
            return { node: node.name, port: node.op === 'FusedBatchNormV3' ? n % 6 : 0 };
          });
    const controls = before.length === 0 ? [] : part.controls.map((n) => before[n % before.length]!.name);
    const attrs: AttrMap = part.tensor ? { dtype: attr.type(part.tensor.dtype) } : part.attr;
    const spec: NodeSpec = { name, op, inputs, controls, attr: attrs, device: part.device, tensor: part.tensor };
    if (!graph.has(name)) graph.add(spec);
  }
  const last = [...graph.nodes()].slice(-3).map(({ name }): TensorRef => ({ node: name, port: 0 }));
  graph.add({ name: 'y', op: 'Pack', inputs: last });
  return graph;
});

/** All that a graph is made of, by name. */
function content(graph: Graph) {
  const entries = [...graph.nodes()].map(({ name, op, inputs, controls, device, attr, tensor }: Node) => {
    const value = tensor && [
      tensor.dtype,
      tensor.shape,
      tensor.dtype === DataType.DT_STRING ? tensor.strings() : readBytes(tensor),
    ];
    const attrs = Object.entries(attr).map(([key, { f, ...other }]) => [key, f == null ? other : Math.fround(f)]);
    return [name, { op, inputs, controls, device, attr: Object.fromEntries(attrs), value }];
  });
  return Object.fromEntries(entries);
}

it('a graph that is printed is read back as it was', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const text = printGraph(graph);
      const again = parseGraph(text);
      expect(content(again)).toEqual(content(graph));
      expect(printGraph(again)).toBe(text);
    }),
    randomRuns(300),
  );
});
