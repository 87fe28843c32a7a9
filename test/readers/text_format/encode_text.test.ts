import protobuf from 'protobufjs/light.js';
import { describe, expect, it } from 'vitest';
import descriptor from '../../../src/proto/descriptor.js';
import { tensorflow } from '../../../src/proto/tensorflow.js';
import { encodeText } from '../../../src/readers/text_format/parser.js';

const root = protobuf.Root.fromJSON(descriptor);

function encode(text: string | Uint8Array, type = 'GraphDef'): Uint8Array {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return encodeText(bytes, root.lookupType(`tensorflow.${type}`), 'text');
}

const attrOf = (value: string) => tensorflow.AttrValue.decode(encode(value, 'AttrValue'));
const tensorOf = (value: string) => tensorflow.TensorProto.decode(encode(value, 'TensorProto'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a string of text format', () => {
  it.each([
    [`"abc"`, '616263'],
    [`'abc'`, '616263'],
    [`"it's" '"'`, '6974277322'],
    ['"a" # comment "b"\n\t\'c\'', '6163'],
    [`""`, ''],
    [String.raw`"\a\b\f\n\r\t\v\?\\\'\""`, '07080c0a0d090b3f5c2722'],
    [String.raw`"\0\7\10\1012\377"`, '0007084132ff'],
    [String.raw`"\400\777"`, '00ff'],
    [String.raw`"\08"`, '0038'],
    [String.raw`"\x1\x41\XfFg"`, '0141ff67'],
    [String.raw`"\x414"`, '4134'],
    [String.raw`"\u00e9\u20AC"`, 'c3a9e282ac'],
    [String.raw`"\U0001F600"`, 'f09f9880'],
    [String.raw`"\U0010FFFF\ud7ff\ue000"`, 'f48fbfbfed9fbfee8080'],
    ['"é€😀"', 'c3a9e282acf09f9880'],
    ['"\t\0"', '0900'],
  ])('%s', (text, bytes) => {
    expect(hex(attrOf(`s: ${text}`).s!)).toBe(bytes);
  });

  it('keeps bytes that are not UTF-8', () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('s: "'), 0xff, 0xc0, 0x22]);
    expect(hex(tensorflow.AttrValue.decode(encode(bytes, 'AttrValue')).s!)).toBe('ffc0');
  });

  it.each([
    ['s: "a', 'unterminated string (line 1)'],
    ['s: "a\n"', 'illegal string (line 1)'],
    ['s: "\\', 'illegal string escape (line 1)'],
    [String.raw`s: "\q"`, String.raw`illegal string escape '\q' (line 1)`],
    ['s: "\\9"', "illegal string escape '\\9' (line 1)"],
    [String.raw`s: "\xg"`, 'illegal hex escape (line 1)'],
    [String.raw`s: "\x:"`, 'illegal hex escape (line 1)'],
    [String.raw`s: "\x/"`, 'illegal hex escape (line 1)'],
    [String.raw`s: "\x@"`, 'illegal hex escape (line 1)'],
    [String.raw`s: "\udfff"`, 'illegal unicode escape (line 1)'],
    [String.raw`s: "\u12"`, 'illegal unicode escape (line 1)'],
    [String.raw`s: "\ud800"`, 'illegal unicode escape (line 1)'],
    [String.raw`s: "\U00110000"`, 'illegal unicode escape (line 1)'],
    [String.raw`placeholder: "\377"`, 'invalid UTF-8 string (line 1)'],
  ])('%s: %s', (text, message) => {
    expect(() => attrOf(text)).toThrow(new Error(message));
  });
});

describe('a number of text format', () => {
  it.each([
    ['float_val: 1.5', [1.5]],
    ['float_val: [1e3, .5f, 1., 2F, 1.5E-2f]', [1000, 0.5, 1, 2, Math.fround(0.015)]],
    ['float_val: -inf float_val: Infinity float_val: - 3', [-Infinity, Infinity, -3]],
    ['float_val: 1e39', [Infinity]],
    ['float_val: [1e+3, 1E-2, 0, 0.5]', [1000, Math.fround(0.01), 0, 0.5]],
    ['float_val: nan', [Number.NaN]],
    ['float_val: -0', [-0]],
  ])('%s', (text, values) => {
    expect(tensorOf(text).float_val).toEqual(values);
  });

  it.each([
    ['int64_val: 9223372036854775807', '9223372036854775807'],
    ['int64_val: -9223372036854775808', '-9223372036854775808'],
    ['int64_val: 0x7fffffffffffffff', '9223372036854775807'],
    ['int64_val: 017', '15'],
    ['int64_val: 0x00000000000000000000000001F', '31'],
    ['uint64_val: 18446744073709551615', '18446744073709551615'],
    ['uint64_val: 01777777777777777777777', '18446744073709551615'],
  ])('%s', (text, value) => {
    const { int64_val, uint64_val } = tensorOf(text);
    expect([...int64_val!, ...uint64_val!].map(String)).toEqual([value]);
  });

  it.each([
    ['int64_val: 9223372036854775808', 'integer value out of range (line 1)'],
    ['int_val: 2147483648', 'integer value out of range (line 1)'],
    ['uint32_val: -1', 'unsigned integer value expected (line 1)'],
    ['uint32_val: 4294967296', 'unsigned integer value out of range (line 1)'],
    [`int_val: ${'9'.repeat(1000)}`, 'integer value out of range (line 1)'],
    ['int_val: 1.5', 'integer value expected (line 1)'],
    ['int_val: 08', 'integer value expected (line 1)'],
    ['int_val: "1"', 'integer value expected (line 1)'],
    ['float_val: 0x10', 'float value expected (line 1)'],
    ['float_val: 1+2', ".tensorflow.TensorProto: unknown field '+2' (line 1)"],
    ['float_val: 017', 'float value expected (line 1)'],
    ['float_val: 1ff', 'float value expected (line 1)'],
    ['int_val: -2147483649', 'integer value out of range (line 1)'],
    ['int_val: word', 'integer value expected (line 1)'],
    ['bool_val: "true"', 'bool value expected (line 1)'],
    ['bool_val: yes', 'bool value expected (line 1)'],
    ['float_val: big', 'float value expected (line 1)'],
    ['bool_val: 2', 'bool value expected (line 1)'],
    ['dtype: DT_NONE', '.tensorflow.TensorProto.dtype: enum value expected (line 1)'],
  ])('%s: %s', (text, message) => {
    expect(() => tensorOf(text)).toThrow(new Error(message));
  });

  it('may be a bool, as a word or a number', () => {
    const text = 'bool_val: [true, True, t, 1, 0x1, false, False, f, 0]';
    expect(tensorOf(text).bool_val).toEqual([true, true, true, true, true, false, false, false, false]);
  });

  it('is packed as in a binary file, so that large constants stay where they are', () => {
    expect(hex(encode('float_val: 1 float_val: [1, 1] tensor_content: "a" float_val: 1', 'TensorProto'))).toBe(
      '2a0c0000803f0000803f0000803f2201612a040000803f',
    );
  });
});

describe('a message of text format', () => {
  it('has lengths of one to three bytes', () => {
    for (const length of [0, 1, 126, 127, 128, 16_383, 16_384, 70_000]) {
      const text = `node { op: "${'a'.repeat(length)}" name: "b" }`;
      const { node } = tensorflow.GraphDef.decode(encode(text));
      expect(node!.map(({ op, name }) => [op!.length, name])).toEqual([[length, 'b']]);
    }
  });

  it('grows beyond its text', () => {
    const text = `double_val: [${Array.from({ length: 5000 }, (_, i) => i % 10).join(',')}]`;
    expect(tensorOf(text).double_val).toEqual(Array.from({ length: 5000 }, (_, i) => i % 10));
  });

  it('may be an Any, as the message in it', () => {
    const text = 'any_list { value { [type.googleapis.com/tensorflow.NodeDef] { name: "x" } } }';
    const { any_list } = tensorflow.CollectionDef.decode(encode(text, 'CollectionDef'));
    const [any] = any_list!.value!;
    expect([any!.type_url, tensorflow.NodeDef.decode(any!.value!).name]).toEqual([
      'type.googleapis.com/tensorflow.NodeDef',
      'x',
    ]);
  });

  it('may begin with a byte order mark', () => {
    expect(tensorflow.GraphDef.decode(encode('\ufeffnode { name: "x" }')).node![0]!.name).toBe('x');
    for (const mark of [[0xef], [0xef, 0xbb], [0xef, 0xbb, 0xbe], [0xbf, 0xbb, 0xef]]) {
      expect(() => encode(new Uint8Array([...mark, ...new TextEncoder().encode(' node {}')]))).toThrow('unknown field');
    }
  });

  it('needs no blanks, and may have any', () => {
    const { node } = tensorflow.GraphDef.decode(encode('node{name:"x"op:\'y\'#c"\ninput:"a"}\r\n\t\v\fnode{}#end'));
    expect(node!.map(({ name, op, input }) => [name, op, input])).toEqual([
      ['x', 'y', ['a']],
      ['', '', []],
    ]);
  });

  it.each([
    ['[type.googleapis.com/tensorflow.NodeDef]: { name: "x" }', undefined],
    ['[tensorflow.NodeDef] {}', "unknown extension 'tensorflow.NodeDef'"],
    ['[a/tensorflow.Unknown] {}', "unknown extension 'a/tensorflow.Unknown'"],
    ['[a/tensorflow.NodeDef', "expected ']'"],
    ['["a/tensorflow.NodeDef"] {}', "expected ']'"],
    ['[a/tensorflow.NodeDef] {} [a/tensorflow.NodeDef] {}', 'type_url: multiple values'],
    ['type_url: "a" [a/tensorflow.NodeDef] {}', 'type_url: multiple values'],
  ])('may be an Any if it is known: %s', (text, message) => {
    const read = () => encode(`any_list { value { ${text} } }`, 'CollectionDef').length;
    if (message === undefined) expect(read()).toBeGreaterThan(40);
    else expect(read).toThrow(message);
  });

  it('is an Any only where the field is', () => {
    expect(() => encode('node { [a/tensorflow.NodeDef] {} }')).toThrow("unknown extension 'a/tensorflow.NodeDef'");
  });

  it.each([
    ['node {', "expected '}' (line 1)"],
    ['\n\nnode {\n name "x"}', "expected ':' (line 4)"],
    ['node {\n foo: 1 }', ".tensorflow.NodeDef: unknown field 'foo' (line 2)"],
    ['node {\n constructor: 1 }', ".tensorflow.NodeDef: unknown field 'constructor' (line 2)"],
    ['# comment\nnode { name: "a"\n name: "b" }', '.tensorflow.NodeDef.name: multiple values (line 3)'],
    ['node { attr { value { b: true\ni: 1 } } }', 'value: multiple values (line 2)'],
    ['node { attr { other: 1 } }', "attr_entry: unknown field 'other' (line 1)"],
    ['versions: [{}]', '.tensorflow.GraphDef.versions: list value specified for singular field (line 1)'],
    ['node: 1', 'expected message value (line 1)'],
    [', node {}', 'unexpected separator (line 1)'],
    ['node {},;', 'unexpected separator (line 1)'],
    ['node { input: ["a",] }', 'expected string (line 1)'],
    ['"node" {}', `illegal field name '"' (line 1)`],
    [`${'x'.repeat(1000)}: 1`, `.tensorflow.GraphDef: unknown field '${'x'.repeat(80)}' (line 1)`],
    ['[a.b]: 1', ".tensorflow.GraphDef: unknown extension 'a.b' (line 1)"],
    ['}', "illegal field name '}' (line 1)"],
  ])('%s: %s', (text, message) => {
    expect(() => encode(text)).toThrow(new Error(message));
  });

  it('may be in 100 others', () => {
    const nested = (depth: number) => `${'list { func { attr { value { '.repeat(depth)}${'} } } }'.repeat(depth)}`;
    expect(encode(nested(25), 'AttrValue').length).toBeGreaterThan(0);
    expect(() => encode(nested(26), 'AttrValue')).toThrow(new Error('max depth exceeded (line 1)'));
  });
});
