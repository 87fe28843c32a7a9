// Texts made at random, and changed at random, read by our parser and by that of protobufjs: the same message, or no message.
import fc from 'fast-check';
import textformat from 'protobufjs/ext/textformat.js';
import protobuf from 'protobufjs/light.js';
import { describe, expect, it } from 'vitest';
import descriptor from '../../../src/proto/descriptor.js';
import { encodeText } from '../../../src/readers/text_format/parser.js';
import { randomRuns } from '../../support/random.js';

const root = protobuf.Root.fromJSON(descriptor);
const GraphDef = root.lookupType('tensorflow.GraphDef');

/** Parts of texts, valid by themselves in the right place. */
const PARTS = [
  ...['node', 'name', 'op', 'input', 'device', 'attr', 'key', 'value', 'tensor', 'tensor_shape', 'dim', 'size', 'list'],
  ...[
    'tensor_content',
    'float_val',
    'int_val',
    'int64_val',
    'string_val',
    'type',
    's',
    'i',
    'f',
    'b',
    'func',
    'library',
  ],
  ...['versions', 'producer', 'bad_consumers', 'double_val', 'uint64_val', 'half_val', 'DT_FLOAT', 'unknown_rank'],
  ...['{', '}', '<', '>', ':', '[', ']', ',', ';', '-', ' ', '\n', '# comment\n', '\t', '"', "'", '\\'],
  ...[
    '"a"',
    "'b'",
    '"\\"\\\\"',
    '"\\101\\x41\\u0041\\U0001F600"',
    '"\\377"',
    '"é€😀"',
    '"\\a\\b\\f\\n\\r\\t\\v\\?"',
    '"\\400"',
  ],
  ...[
    '0',
    '1',
    '-1',
    '017',
    '0x1F',
    '1.5',
    '.5',
    '1.',
    '1e3',
    '1.5e-3f',
    '2f',
    'inf',
    '-Infinity',
    'nan',
    'true',
    'f',
    'False',
  ],
  ...['2147483647', '2147483648', '-2147483649', '18446744073709551615', '9223372036854775808', '00', '08', '0x', '1a'],
];

const TEXT = `node { name: "x" op: "Const" input: ["a", 'b' "c"] attr { key: "value" value { tensor { dtype: DT_FLOAT
  tensor_shape { dim { size: 2 } dim <size: -1; name: "\\303\\251"> } float_val: 1.5 float_val: -inf float_val: [1e3, .5f]
  tensor_content: "\\000\\377abc" } } } attr: [{ key: "T" value: { type: 3 } }, { key: "l" value { list { i: [1, -2] b: true s: "q" } } }] }
versions { producer: 27 bad_consumers: [1, 2] } library { function { signature { name: "f" } } }`;

function outcome(run: () => Uint8Array): object | string {
  let bytes: Uint8Array;
  try {
    bytes = run();
  } catch {
    return 'refused';
  }
  return GraphDef.toObject(GraphDef.decode(bytes), { longs: String, bytes: String, defaults: false });
}

function expectSame(text: string): object | string {
  const theirs = outcome(() => GraphDef.encode(textformat.fromText(GraphDef, text)).finish());
  const ours = outcome(() => encodeText(new TextEncoder().encode(text), GraphDef, 'text'));
  expect(ours, text).toEqual(theirs);
  return ours;
}

describe('the parser of text format', () => {
  it('reads a text with every kind of field', () => {
    expect(expectSame(TEXT)).toMatchObject({ node: [{ name: 'x', input: ['a', 'bc'] }] });
  });

  it('reads or refuses what protobufjs does', () => {
    const change = fc.record({ at: fc.nat(TEXT.length), cut: fc.nat(12), put: fc.constantFrom('', ...PARTS) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let text = TEXT;
        for (const { at, cut, put } of changes) text = text.slice(0, at) + put + text.slice(at + cut);
        expectSame(text);
      }),
      randomRuns(2000),
    );
  });

  it('reads or refuses any list of tokens as protobufjs does', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PARTS), { maxLength: 30 }), (parts) => {
        expectSame(`node { attr { key: "v" value { tensor { ${parts.join(' ')} } } } }`);
        expectSame(`node { name: ${parts.join('')} }`);
      }),
      randomRuns(500),
    );
  });
});
