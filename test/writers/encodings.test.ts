import { describe, expect, it } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import type { NodeSpec } from '../../src/graph/node.js';
import { numberTensor, rawTensor, stringTensor, type Tensor } from '../../src/graph/tensor.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { encodedText } from '../../src/writers/encoded.js';
import {
  checkedChunks,
  encodeGraphDef,
  joinPieces,
  MAX_MESSAGE_BYTES,
  nodeProto,
  withinLimit,
} from '../../src/writers/graph_def.js';
import { encodeGraphText } from '../../src/writers/text.js';

const copied = (chunks: Iterable<Uint8Array>) => [...chunks].map((chunk) => Buffer.from(chunk));
const decoded = (graph: Graph, options = {}) =>
  tensorflow.GraphDef.decode(Buffer.concat(copied(encodeGraphDef(graph, options).chunks())));

const bytesTensor = (length: number, value = 7) =>
  rawTensor(DataType.DT_UINT8, [length], new Uint8Array(length).fill(value));
const constant = (name: string, tensor: Tensor): NodeSpec => ({
  name,
  op: 'Const',
  tensor,
  attr: { dtype: attr.type(tensor.dtype) },
});

describe('a binary GraphDef', () => {
  it('may have 2 GiB less a byte, and says what to do with more', () => {
    const of = (byteLength: number) => ({ byteLength, chunks: () => [] });
    const largest = of(MAX_MESSAGE_BYTES);
    expect(MAX_MESSAGE_BYTES).toBe(2147483647);
    expect(withinLimit(largest)).toBe(largest);
    const fix = [
      'format: saved_model  writes a folder with the weights in files of their own',
      'format: tfjs  the same for TensorFlow.js',
      'outputs: NAMES  freezes a part of it: fewer outputs',
      'inputs: NAMES  or later inputs',
    ].join('\n');
    expect(() => withinLimit(of(MAX_MESSAGE_BYTES + 1))).toThrow(
      expect.objectContaining({
        code: 'unwritable',
        message: 'the graph with its weights does not fit into one GraphDef',
        why: 'it needs 2147483648 bytes; protobuf holds at most 2147483647',
        fix,
      }),
    );
  });

  // Lengths of one, two, three and four bytes; copied, streamed, and larger than a block.
  it.each([0, 1, 100, 127, 128, 16_383, 16_384, 65_536, 65_537, 262_144, 262_145, 2_097_152])(
    'has a constant of %d bytes as it is, and the size that was promised',
    (length) => {
      const graph = new Graph([constant('before', bytesTensor(3, 1)), constant('c', bytesTensor(length))]);
      const { byteLength, chunks } = encodeGraphDef(graph);
      const bytes = Buffer.concat(copied(chunks()));
      expect(bytes.length).toBe(byteLength);
      const [, node] = tensorflow.GraphDef.decode(bytes).node;
      const tensor = node!.attr!.value!.tensor!;
      expect([tensor.dtype, tensor.tensor_shape!.dim!.map(({ size }) => Number(size))]).toEqual([4, [length]]);
      expect(Buffer.compare(tensor.tensor_content!, new Uint8Array(length).fill(7))).toBe(0);
      expect(Object.keys(node!.attr!)).toEqual(['dtype', 'value']);
      // As protobuf itself writes it: attrs in the order of their keys.
      expect(Buffer.compare(tensorflow.GraphDef.encode(tensorflow.GraphDef.decode(bytes)).finish(), bytes)).toBe(0);
    },
  );

  it('has inputs before their consumers, or the order of the file', () => {
    const graph = new Graph([
      { name: 'y', op: 'Relu', inputs: [{ node: 'x', port: 0 }], controls: ['c'] },
      { name: 'x', op: 'Split', attr: { b: attr.bool(true), a: attr.bool(false) } },
      { name: 'c', op: 'NoOp' },
    ]);
    const names = (options = {}) => decoded(graph, options).node.map(({ name }) => name);
    expect(names({ fileOrder: true })).toEqual(['y', 'x', 'c']);
    expect(names()).toEqual(['x', 'c', 'y']);
    expect(nodeProto(graph.get('y'), true).input).toEqual(['x', '^c']);
    expect(Object.keys(nodeProto(graph.get('x'), true).attr ?? {})).toEqual(['a', 'b']);
  });

  it('has strings, and what came from a file, with the node', () => {
    const graph = new Graph([constant('s', stringTensor([2], [Buffer.from('a'), Buffer.from('bc')]))]);
    const [{ attr: attrs }] = decoded(graph).node as [tensorflow.NodeDef];
    expect(attrs!.value!.tensor!.string_val!.map((text) => Buffer.from(text).toString())).toEqual(['a', 'bc']);
    expect(nodeProto(graph.get('s'), false).attr).not.toHaveProperty('value');
  });

  it('has functions with sorted attrs, and the header', () => {
    const library = {
      function: [
        {
          signature: { name: 'f' },
          attr: { b: { i: 1 }, a: { i: 2 } },
          ret: { z: 'n:0', y: 'n:1' },
          control_ret: { q: 'n', p: 'n' },
          node_def: [{ name: 'n', op: 'Split', attr: { b: { i: 1 }, a: { i: 2 } } }],
        },
      ],
      gradient: [{ function_name: 'f', gradient_func: 'g' }],
    };
    const graph = new Graph([], { library, version: 3, versions: { producer: 21, min_consumer: 12 } });
    const read = decoded(graph);
    const [f] = read.library!.function!;
    expect([f!.attr, f!.ret, f!.control_ret, f!.node_def![0]!.attr].map((map) => Object.keys(map!))).toEqual([
      ['a', 'b'],
      ['y', 'z'],
      ['p', 'q'],
      ['a', 'b'],
    ]);
    expect(read.library!.gradient![0]!.gradient_func).toBe('g');
    expect([read.version, read.versions!.producer, read.versions!.min_consumer]).toEqual([3, 21, 12]);
    expect(encodeGraphDef(new Graph([])).byteLength).toBe(0);
  });
});

describe('pieces', () => {
  it('that are small are joined, those above 64 KiB stay alone', () => {
    const piece = (length: number) => new Uint8Array(length);
    const lengths = (...pieces: (Uint8Array | Tensor)[]) => [...joinPieces(pieces)].map(({ length }) => length);
    expect(lengths()).toEqual([]);
    expect(lengths(piece(2), bytesTensor(3), bytesTensor(65_536))).toEqual([65_541]);
    expect(lengths(piece(2), bytesTensor(65_537), piece(1))).toEqual([2, 65_537, 1]);
    expect(lengths(bytesTensor(65_537))).toEqual([65_537]);
    expect(lengths(piece(262_143), piece(1), piece(1))).toEqual([262_144, 1]);
  });

  it('that end early or late are a bug', () => {
    const ending = (length: number): Tensor => ({
      ...bytesTensor(4),
      origin: 'w',
      chunks: () => [new Uint8Array(length)],
    });
    expect(() => [...checkedChunks(ending(3))]).toThrow(
      expect.objectContaining({ code: 'internal', message: 'a tensor ended 1 bytes early', where: 'w' }),
    );
    expect(() => [...checkedChunks(ending(5))]).toThrow('a tensor ended -1 bytes early');
    expect([...checkedChunks(ending(4))]).toHaveLength(1);
  });
});

describe('the text form', () => {
  const unknowns = [Uint8Array.of(0x3a, 1, 0x20)];
  const notes = (nodes: NodeSpec[], header = {}) => encodeGraphText(new Graph(nodes, header)).notes;
  const lost = (names: string) => [
    `fields of a newer TensorFlow have no text form and were omitted (.pb keeps them): ${names}`,
  ];
  const node = (name: string): NodeSpec => ({ name, op: 'NoOp', unknowns });

  it('names up to three places whose fields it omits', () => {
    expect(notes(['a', 'b', 'c'].map(node))).toEqual(lost('a, b, c'));
    expect(notes(['a', 'b', 'c', 'd', 'e'].map(node))).toEqual(lost('a, b, c, and 2 more'));
    expect(notes([{ name: 'a', op: 'NoOp', attr: { k: { $unknowns: unknowns } } }])).toEqual(lost('a'));
    expect(notes([], { unknowns })).toEqual(lost('the graph itself'));
    expect(notes([], { versions: { $unknowns: unknowns } })).toEqual(lost('the graph itself'));
    const library = { function: [{ signature: { name: 'f' }, node_def: [{ name: 'n', $unknowns: unknowns }] }] };
    expect(notes([node('a')], { library })).toEqual(lost('a, function f'));
    expect(notes([{ name: 'a', op: 'NoOp', unknowns: [] }])).toEqual([]);
  });

  it('escapes each byte as protobuf does', () => {
    const tensor = rawTensor(DataType.DT_UINT8, [9], Buffer.from('\t\n\r"\'\\~\x7f\x1f', 'latin1'));
    const text = Buffer.concat(copied(encodeGraphText(new Graph([constant('c', tensor)])).chunks())).toString();
    expect(text).toBe(`node {
  name: "c"
  op: "Const"
  attr {
    key: "dtype"
    value {
      type: DT_UINT8
    }
  }
  attr {
    key: "value"
    value {
      tensor {
        dtype: DT_UINT8
        tensor_shape {
          dim {
            size: 9
          }
        }
        tensor_content: "\\t\\n\\r\\"\\'\\\\~\\177\\037"
      }
    }
  }
}
`);
  });

  it('has the order of the file if that is requested', () => {
    const graph = new Graph([
      { name: 'y', op: 'Relu', inputs: [{ node: 'x', port: 0 }] },
      { name: 'x', op: 'Placeholder' },
    ]);
    const names = (options = {}) =>
      Buffer.concat(copied(encodeGraphText(graph, options).chunks()))
        .toString()
        .match(/(?<=name: ")./g);
    expect([names(), names({ fileOrder: true })]).toEqual([
      ['x', 'y'],
      ['y', 'x'],
    ]);
  });

  it('of many nodes is written in parts of about 256 KiB', () => {
    const many = Array.from({ length: 9000 }, (_, i): NodeSpec => ({ name: `n${i}`.padEnd(40, '_'), op: 'NoOp' }));
    const parts = copied(encodeGraphText(new Graph(many)).chunks());
    expect(parts.length).toBe(3);
    expect(parts.slice(0, -1).every(({ length }) => length >= 262_144 && length < 262_300)).toBe(true);
    const value = numberTensor(DataType.DT_FLOAT, [1], [1]);
    expect(copied(encodeGraphText(new Graph([constant('c', value)])).chunks()).length).toBeGreaterThan(1);
  });
});

it('a text has the length of its UTF-8', () => {
  const { byteLength, chunks } = encodedText('é');
  expect([byteLength, Buffer.concat(copied(chunks())).toString()]).toEqual([2, 'é']);
});
