import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import type { NodeSpec } from '../../src/graph/node.js';
import { numberTensor, rawTensor, stringTensor } from '../../src/graph/tensor.js';
import { FileSource } from '../../src/io/file_source.js';
import { MemorySource } from '../../src/io/source.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { readMetaGraph } from '../../src/readers/meta_graph.js';
import { textToBinary } from '../../src/readers/text.js';
import type { Encoded } from '../../src/writers/encoded.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';
import { encodeGraphText } from '../../src/writers/text.js';

/** All bytes; chunks are copied, as they are valid only until the next one is asked for. */
function bytesOf(encoded: Encoded): Buffer {
  return Buffer.concat([...encoded.chunks()].map((chunk) => chunk.slice()));
}

const textOf = (graph: Graph) => bytesOf(encodeGraphText(graph)).toString('latin1');
const throughText = (graph: Graph) =>
  readGraphDef(textToBinary(new MemorySource(bytesOf(encodeGraphText(graph))), 'GraphDef'));
const throughBinary = (graph: Graph) => readGraphDef(new MemorySource(bytesOf(encodeGraphDef(graph))));

/** graph -> text -> graph is graph -> binary -> graph. */
function expectSameAsBinary(graph: Graph): void {
  const [text, binary] = [throughText(graph), throughBinary(graph)].map((each) => bytesOf(encodeGraphDef(each)));
  expect(text!.equals(binary!)).toBe(true);
}

const x: NodeSpec = { name: 'x', op: 'Placeholder', attr: { dtype: attr.type(DataType.DT_FLOAT) } };

describe('encodeGraphText', () => {
  it('writes what protobuf calls its text format', () => {
    const graph = new Graph(
      [
        { ...x, device: '/gpu:0' },
        {
          name: 'y',
          op: 'FusedBatchNorm',
          inputs: [
            { node: 'x', port: 0 },
            { node: 'x', port: 1 },
          ],
          controls: ['x'],
          attr: { is_training: attr.bool(false), data_format: attr.string('NHWC'), shape: attr.shape([-1, 3]) },
        },
      ],
      { versions: { producer: 27 } },
    );
    expect(textOf(graph)).toBe(`node {
  name: "x"
  op: "Placeholder"
  device: "/gpu:0"
  attr {
    key: "dtype"
    value {
      type: DT_FLOAT
    }
  }
}
node {
  name: "y"
  op: "FusedBatchNorm"
  input: "x"
  input: "x:1"
  input: "^x"
  attr {
    key: "data_format"
    value {
      s: "NHWC"
    }
  }
  attr {
    key: "is_training"
    value {
      b: false
    }
  }
  attr {
    key: "shape"
    value {
      shape {
        dim {
          size: -1
        }
        dim {
          size: 3
        }
      }
    }
  }
}
versions {
  producer: 27
}
`);
  });

  it('streams payloads with every byte escaped', () => {
    const bytes = Uint8Array.from({ length: 512 }, (_, i) => (i < 256 ? i : 511 - i));
    const graph = new Graph([{ name: 'c', op: 'Const', tensor: rawTensor(DataType.DT_UINT8, [512], bytes), attr: {} }]);
    expect(textOf(graph)).toContain('tensor_content: "\\000\\001\\002');
    expect(Buffer.from([...throughText(graph).get('c').tensor!.chunks()][0]!).equals(bytes)).toBe(true);
    expectSameAsBinary(graph);
  });

  it('keeps a digit behind an escaped byte apart', () => {
    const graph = new Graph([
      { name: 'c', op: 'Const', tensor: rawTensor(DataType.DT_UINT8, [4], Uint8Array.of(1, 0x31, 0, 0x37)), attr: {} },
    ]);
    expect(textOf(graph)).toContain('"\\0011\\0007"');
    expectSameAsBinary(graph);
  });

  it.each<[string, NodeSpec]>([
    [
      'a float that needs all its digits',
      { ...x, attr: { epsilon: attr.float(Math.fround(0.001)), f: attr.float(-0) } },
    ],
    ['not a number and infinity', { ...x, attr: { a: attr.float(Number.NaN), b: attr.float(-Infinity) } }],
    ['a list', { ...x, attr: { strides: { list: { i: [1, 2, 2, 1] } }, empty: { list: {} } } }],
    ['a function', { ...x, attr: { f: { func: { name: 'g', attr: { T: attr.type(DataType.DT_HALF) } } } } }],
    [
      'strings that are not text',
      { name: 's', op: 'Const', tensor: stringTensor([2], [Uint8Array.of(255, 0), Buffer.from('é')]) },
    ],
    ['a scalar', { name: 's', op: 'Const', tensor: numberTensor(DataType.DT_FLOAT, [], [0.1]) }],
    ['nothing at all', { name: 's', op: 'Const', tensor: numberTensor(DataType.DT_FLOAT, [0, 3], []) }],
    [
      'a value above 16 KiB',
      {
        name: 's',
        op: 'Const',
        tensor: numberTensor(DataType.DT_DOUBLE, [5000], Array.from({ length: 5000 }, Math.sqrt)),
      },
    ],
  ])('round trip: %s', (_, node) => {
    expectSameAsBinary(new Graph([node], { versions: { producer: 1087, min_consumer: 12 } }));
  });

  it('says which nodes have fields without a text form', () => {
    const node = { ...x, unknowns: [Uint8Array.of(0x3a, 1, 0x20)] };
    expect(encodeGraphText(new Graph([node])).notes).toEqual([
      'fields of a newer TensorFlow have no text form and were omitted (.pb keeps them): x',
    ]);
    expect(encodeGraphText(new Graph([x])).notes).toEqual([]);
  });

  it.each(['quantize_115', 'slim_adam_113', 'dtypes_ref'])('round trip of a real graph: %s', (name) => {
    const path = fileURLToPath(new URL(`../fixtures/${name}/model.meta`, import.meta.url));
    expectSameAsBinary(readMetaGraph(new FileSource(path)).graph);
  });
});
