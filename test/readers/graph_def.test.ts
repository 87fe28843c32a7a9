import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES } from '../../src/graph/chunk_ring.js';
import { DataType } from '../../src/graph/dtype.js';
import { readBytes, readNumbers } from '../../src/graph/tensor.js';
import { MemorySource } from '../../src/io/source.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { graphBytes } from '../../src/writers/graph_bytes.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';
import { failure } from '../support/failure.js';
import { delimited, type Field, message, numeric } from '../support/wire.js';

/** Elements beyond which a payload stays in the file. */
const MANY = 5000;
const numbers = Float32Array.from({ length: MANY }, (_, i) => i / 4);
const raw = new Uint8Array(numbers.buffer);

const shape = (...sizes: number[]) =>
  delimited(2, message(sizes.map((size) => delimited(2, message([numeric(1, size)])))));
const tensor = (dtype: DataType, ...more: readonly Field[]) => message([numeric(1, dtype), ...more]);
const attr = (key: string, value: Field) => delimited(5, message([delimited(1, key), delimited(2, message([value]))]));
const node = (name: string, op: string, ...more: readonly Field[]) =>
  delimited(1, message([delimited(1, name), delimited(2, op), ...more]));
const read = (...fields: readonly Field[]) => {
  const source = new MemorySource(new Uint8Array(message(fields)), 'graph.pb');
  const sizes: number[] = [];
  const inner = source.read.bind(source);
  source.read = (offset, length) => {
    sizes.push(length);
    return inner(offset, length);
  };
  return { graph: readGraphDef(source), sizes };
};
const constant = (value: Uint8Array, ...more: readonly Field[]) =>
  node('w', 'Const', attr('value', delimited(8, value)), ...more);

describe('a large constant', () => {
  it.each([
    ['raw bytes', tensor(DataType.DT_FLOAT, shape(50, 100), delimited(4, raw))],
    ['a list of floats', tensor(DataType.DT_FLOAT, shape(50, 100), delimited(5, raw))],
    ['raw bytes of a version', tensor(DataType.DT_FLOAT, shape(50, 100), numeric(3, 1), delimited(4, raw))],
  ])('is a handle on its bytes in the file: %s', (_, value) => {
    const { graph } = read(node('x', 'Placeholder'), constant(value, attr('dtype', numeric(6, 1))), node('y', 'NoOp'));
    const w = graph.get('w');
    expect(w.tensor).toMatchObject({
      dtype: DataType.DT_FLOAT,
      shape: [50, 100],
      byteLength: 4 * MANY,
      origin: 'graph.pb',
    });
    expect(w.tensor?.proto).toBeUndefined();
    expect([...readNumbers(w.tensor!)]).toEqual([...numbers]);
    expect(Object.keys(w.attr)).toEqual(['dtype']);
    expect(failure(() => w.tensor!.strings()).code).toBe('internal');
    expect([...graph.nodes()].map(({ name }) => name)).toEqual(['x', 'w', 'y']);
  });

  it('of doubles as a list, too; and read in chunks', () => {
    const many = Float64Array.from({ length: 300_000 }, (_, i) => i);
    const bytes = new Uint8Array(many.buffer);
    const { graph } = read(constant(tensor(DataType.DT_DOUBLE, shape(300_000), delimited(6, bytes))));
    const chunks = [...graph.get('w').tensor!.chunks()].map((chunk) => Buffer.from(chunk));
    expect(chunks.length).toBe(Math.ceil(bytes.length / CHUNK_BYTES));
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it.each<[string, Uint8Array, readonly number[]]>([
    [
      'of integers as a list',
      tensor(DataType.DT_INT32, shape(20_000), delimited(7, new Uint8Array(20_000).fill(5))),
      [20_000],
    ],
    [
      'of one float for all elements',
      tensor(DataType.DT_FLOAT, shape(2, 9000), delimited(5, raw.subarray(0, 4))),
      [2, 9000],
    ],
  ])('is decoded where its bytes are not those in memory: %s', (_, value, sizes) => {
    const w = read(constant(value)).graph.get('w');
    expect(w.tensor?.shape).toEqual(sizes);
    expect(readBytes(w.tensor!)).toHaveLength(4 * sizes.reduce((a, b) => a * b, 1));
  });

  it('of a list of another dtype has no elements of its own', () => {
    // 20,000 bytes of doubles in a tensor of floats.
    const { graph } = read(constant(tensor(DataType.DT_FLOAT, shape(MANY), delimited(6, raw.subarray(0, 16_400)))));
    expect([...readNumbers(graph.get('w').tensor!)]).toEqual(new Array(MANY).fill(0));
  });

  it('under another key than value, or of another op, stays an attr', () => {
    const value = tensor(DataType.DT_FLOAT, shape(MANY), delimited(4, raw));
    const { graph } = read(
      node('a', 'Const', attr('other', delimited(8, value))),
      node('b', 'Custom', attr('value', delimited(8, message([numeric(1, 1)])))),
    );
    expect(graph.get('a').tensor).toBeUndefined();
    expect(graph.get('a').attr.other?.tensor?.tensor_content).toHaveLength(4 * MANY);
    expect(graph.get('b').attr.value?.tensor?.dtype).toBe(DataType.DT_FLOAT);
  });

  it('in several parts is one message', () => {
    const value = (...parts: Field[]) => delimited(2, message([delimited(8, message(parts))]));
    const parts = [value(numeric(1, 1), shape(MANY)), value(delimited(4, raw))];
    const { graph } = read(node('w', 'Const', delimited(5, message([delimited(1, 'value'), ...parts]))));
    expect([...readNumbers(graph.get('w').tensor!)]).toEqual([...numbers]);
  });

  it('is the last one if there are several, small or large', () => {
    const large = tensor(DataType.DT_FLOAT, shape(MANY), delimited(4, raw));
    const small = tensor(DataType.DT_FLOAT, shape(1), delimited(5, Buffer.from([0, 0, 128, 63])));
    const tensorOf = (...all: Uint8Array[]) =>
      read(node('w', 'Const', ...all.map((each) => attr('value', delimited(8, each))))).graph.get('w').tensor!;
    expect([...readNumbers(tensorOf(large, small))]).toEqual([1]);
    expect([...readNumbers(tensorOf(small, large))]).toEqual([...numbers]);
    expect([...readNumbers(tensorOf(small, large, large))]).toEqual([...numbers]);
  });

  it.each([
    ['a string', 'value', delimited(2, 'x'.repeat(20_000)), 's'],
    ['a list', 'value', delimited(1, message([delimited(2, 'x'.repeat(20_000))])), 'list'],
  ] as const)('is a tensor: %s stays an attr', (_, key, value, field) => {
    const { graph } = read(node('w', 'Custom', attr(key, value)));
    expect(graph.get('w').tensor).toBeUndefined();
    expect(graph.get('w').attr.value?.[field]).toBeTruthy();
  });

  it('needs a key and a value', () => {
    const value = delimited(2, message([delimited(8, tensor(DataType.DT_FLOAT, shape(50, 100), delimited(4, raw)))]));
    const { graph } = read(
      node('a', 'Const', delimited(5, message([value]))),
      node('b', 'Const', delimited(5, message([delimited(1, 'x'.repeat(20_000))]))),
    );
    expect(graph.get('a').tensor).toBeUndefined();
    expect(Object.keys(graph.get('a').attr)).toEqual(['']);
    expect(Object.keys(graph.get('b').attr)).toEqual(['x'.repeat(20_000)]);
  });

  it('in a field that is no attr is none', () => {
    const value = tensor(DataType.DT_FLOAT, shape(50, 100), delimited(4, raw));
    const later = { ...attr('value', delimited(8, value)), number: 50 };
    const { graph } = read(node('w', 'Const', later));
    expect(graph.get('w').tensor).toBeUndefined();
    expect(graph.get('w').unknowns).toHaveLength(1);
  });

  it('leaves the rest of a large node as it is', () => {
    const value = tensor(DataType.DT_FLOAT, shape(MANY), delimited(4, raw));
    const { graph } = read(
      node('x', 'NoOp'),
      constant(
        value,
        delimited(3, '^x'),
        delimited(4, '/device:GPU:0'),
        delimited(50, 'new'),
        attr('dtype', numeric(6, 1)),
      ),
    );
    const w = graph.get('w');
    expect(w).toMatchObject({ device: '/device:GPU:0', controls: ['x'], inputs: [] });
    expect(Buffer.concat((w.unknowns ?? []).map((each) => Buffer.from(each))).toString('latin1')).toContain('new');
  });
});

describe('a small constant', () => {
  it('is decoded at the first look at it, and only then', () => {
    const broken = node('w', 'Const', delimited(5, Buffer.from([0x0a, 0x09, 0x61])));
    const graph = read(broken, node('y', 'Identity', delimited(3, 'w:0'), delimited(3, '^w'))).graph;
    expect(graph.get('y')).toMatchObject({ op: 'Identity', inputs: [{ node: 'w', port: 0 }], controls: ['w'] });
    for (const look of ['attr', 'tensor', 'unknowns', 'debugInfo', 'fullType'] as const) {
      expect(failure(() => graph.get('w')[look])).toMatchObject({
        code: 'unreadable',
        message: 'graph.pb is not a complete protobuf file',
        where: 'graph.pb',
      });
    }
  });
});

describe('a small constant, too,', () => {
  it('is no attr', () => {
    const value = tensor(DataType.DT_FLOAT, shape(1), delimited(4, raw.subarray(0, 4)));
    const { graph } = read(constant(value, attr('dtype', numeric(6, 1))));
    expect(Object.keys(graph.get('w').attr)).toEqual(['dtype']);
  });

  it('that contradicts its shape is named with its file', () => {
    const value = tensor(DataType.DT_FLOAT, shape(3), delimited(4, raw.subarray(0, 4)));
    const { tensor: contradicting } = read(constant(value)).graph.get('w');
    expect(failure(() => readBytes(contradicting!))).toMatchObject({ where: 'w in graph.pb' });
  });
});

describe('what TensorFlow notes for debugging', () => {
  it('stays in the graph and in its nodes', () => {
    const { graph } = read(
      node('a', 'NoOp', delimited(6, message([delimited(1, 'origin')])), delimited(7, message([numeric(1, 3)]))),
      delimited(5, message([delimited(1, 'model.py')])),
    );
    const { debugInfo, fullType } = graph.get('a');
    expect(debugInfo).toMatchObject({ original_node_names: ['origin'] });
    expect(fullType).toMatchObject({ type_id: 3 });
    expect(graph.header.debugInfo).toMatchObject({ files: ['model.py'] });
    const written = Buffer.from(graphBytes({ encoded: encodeGraphDef(graph) })).toString('latin1');
    expect([written.includes('origin'), written.includes('model.py')]).toEqual([true, true]);
  });
});

describe('a GraphDef', () => {
  it('with a data input after a control input is refused', () => {
    const y = node('y', 'Add', delimited(3, 'a'), delimited(3, '^a'), delimited(3, 'b:1'));
    expect(failure(() => read(node('a', 'NoOp'), y))).toMatchObject({
      code: 'unreadable',
      message: 'y reads b:1 after a control input',
      where: 'graph.pb',
      why: 'TensorFlow wants data inputs first',
    });
  });

  it('with a node whose edges cannot be read is refused', () => {
    expect(failure(() => read(delimited(1, Buffer.from([0x1a, 9, 0x61]))))).toMatchObject({
      message: 'graph.pb is not a complete protobuf file',
      where: 'graph.pb',
      fix: 'the file is truncated or corrupt: copy or save it again',
    });
  });

  it('has nodes without an op, which are refused later', () => {
    const { graph } = read(delimited(1, message([delimited(1, 'a')])));
    expect(graph.get('a')).toMatchObject({ op: '', device: '' });
  });

  it('has no node in a field of another type', () => {
    const { graph } = read(numeric(1, 5), node('a', 'NoOp'));
    expect([...graph.nodes()].map(({ name }) => name)).toEqual(['a']);
  });

  it('with two nodes of one name is refused', () => {
    expect(failure(() => read(node('a', 'NoOp'), node('a', 'NoOp')))).toMatchObject({
      code: 'unreadable',
      message: 'two nodes are named a',
      where: 'graph.pb',
    });
  });

  it('has its versions, whatever comes first', () => {
    const versions = delimited(4, message([numeric(1, 27), numeric(2, 12)]));
    for (const fields of [
      [versions, node('a', 'NoOp')],
      [node('a', 'NoOp'), versions],
    ]) {
      const { graph } = read(...fields, numeric(3, 21));
      expect(graph.header.versions).toMatchObject({ producer: 27, min_consumer: 12 });
      expect(graph.header.version).toBe(21);
      expect(graph.header.library).toBeUndefined();
      expect(graph.size).toBe(1);
    }
  });

  it('whose header cannot be decoded is refused', () => {
    expect(failure(() => read(node('a', 'NoOp'), delimited(4, Buffer.from([8, 255]))))).toMatchObject({
      code: 'unreadable',
      message: 'graph.pb is not a complete protobuf file',
      where: 'graph.pb',
    });
  });
});

describe('fields that are unknown beside the value of a constant', () => {
  const unknown = delimited(77, 'later');
  const inAttr = (value: Uint8Array) =>
    delimited(5, message([delimited(1, 'value'), delimited(2, message([delimited(8, value), unknown]))]));
  const dtype = attr('dtype', numeric(6, 1));
  const large = tensor(DataType.DT_FLOAT, shape(50, 100), delimited(4, raw));
  const small = tensor(DataType.DT_FLOAT, shape(1), delimited(4, raw.subarray(0, 4)));

  it.each([
    ['in the attr, small', node('w', 'Const', dtype, inAttr(small))],
    ['in the attr, large', node('w', 'Const', dtype, inAttr(large))],
    [
      'in the tensor, small',
      constant(tensor(DataType.DT_FLOAT, shape(1), delimited(4, raw.subarray(0, 4)), unknown), dtype),
    ],
    ['in the tensor, large', constant(tensor(DataType.DT_FLOAT, shape(50, 100), delimited(4, raw), unknown), dtype)],
  ])('stay: %s', (_, field) => {
    const { graph } = read(field);
    expect(Buffer.from(graphBytes({ encoded: encodeGraphDef(graph) })).includes('later')).toBe(true);
    expect(readNumbers(graph.get('w').tensor!)[0]).toBe(0);
  });
});

describe('a large attr', () => {
  const large = tensor(DataType.DT_FLOAT, shape(50, 100), delimited(4, raw));
  const reading = (value: Uint8Array) => () => {
    const { graph } = read(constant(value, attr('dtype', numeric(6, 1))));
    return readNumbers(graph.get('w').tensor!);
  };

  it('of another name is no value, though it is a tensor', () => {
    const { graph } = read(node('w', 'Const', attr('other', delimited(8, large)), attr('dtype', numeric(6, 1))));
    const { attr: attrs, tensor: value } = graph.get('w');
    expect(value).toBeUndefined();
    expect(attrs.other?.tensor?.tensor_content).toHaveLength(raw.length);
  });

  it.each([
    [
      'fewer bytes than its shape needs',
      tensor(DataType.DT_FLOAT, shape(51, 100), delimited(4, raw)),
      'but its shape needs 20400',
    ],
    [
      'bytes, though its shape has no elements',
      tensor(DataType.DT_FLOAT, shape(0, 100), delimited(4, raw)),
      'but its shape needs 0',
    ],
  ])('is refused where it has %s', (_, value, message) => {
    const { code, message: text } = failure(reading(value));
    expect([code, text]).toEqual(['unreadable', expect.stringContaining(message)]);
  });

  it('whose list is one of another dtype has none of its elements', () => {
    expect([...reading(tensor(DataType.DT_FLOAT, shape(50, 100), delimited(6, raw)))()]).toEqual(
      new Array(MANY).fill(0),
    );
  });
});
