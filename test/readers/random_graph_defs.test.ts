import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MemorySource } from '../../src/io/source.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';
import { randomRuns } from '../support/random.js';
import { delimited, encodedField, type Field, fieldsOf, float, message, numeric } from '../support/wire.js';

/** How the fields of a message are compared: by the messages in it, the key of a map entry, or as they are. */
interface Schema {
  readonly fields: readonly number[];
  readonly messages?: Readonly<Record<number, () => Schema>>;
  /** Fields whose entries have no order. */
  readonly maps?: readonly number[];
}

const scalars = (...fields: number[]): Schema => ({ fields });
const DIM: Schema = scalars(1, 2);
const SHAPE: Schema = { fields: [2, 3], messages: { 2: () => DIM } };
const TENSOR: Schema = { fields: [1, 2, 4, 5, 8], messages: { 2: () => SHAPE } };
const LIST: Schema = { fields: [2, 3, 4, 5, 6, 7, 8, 9], messages: { 7: () => SHAPE, 8: () => TENSOR, 9: () => FUNC } };
const ENTRY: Schema = { fields: [1, 2], messages: { 2: () => VALUE } };
const FUNC: Schema = { fields: [1, 2], messages: { 2: () => ENTRY }, maps: [2] };
const VALUE: Schema = {
  fields: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  messages: { 1: () => LIST, 7: () => SHAPE, 8: () => TENSOR, 10: () => FUNC },
};
const NODE: Schema = { fields: [1, 2, 3, 4, 5], messages: { 5: () => ENTRY }, maps: [5] };
const VERSIONS: Schema = scalars(1, 2, 3);
const GRAPH: Schema = { fields: [1, 3, 4], messages: { 1: () => NODE, 4: () => VERSIONS } };

/** The contents of a message, whatever the order of its fields: known ones by number, others one after the other. */
function contents(bytes: Uint8Array, { fields, messages = {}, maps = [] }: Schema): unknown {
  const all = fieldsOf(bytes);
  const known = fields.map((number) => {
    const values = all
      .filter((field) => field.number === number)
      .map(({ value }) => (messages[number] ? contents(value, messages[number]()) : value.toString('hex')));
    return [number, maps.includes(number) ? values.map((value) => JSON.stringify(value)).sort() : values];
  });
  const unknown = all
    .filter(({ number }) => !fields.includes(number))
    .map((field) => encodedField(field).toString('hex'));
  return [Object.fromEntries(known), unknown];
}

/** Fields as some newer TensorFlow may have, of any wire type. */
const unknownFields = (first: number): fc.Arbitrary<readonly Field[]> => {
  const numbers = fc.oneof(fc.integer({ min: first, max: first + 3 }), fc.constantFrom(200, 2 ** 28));
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const field = fc.oneof(
    fc.tuple(numbers, fc.bigInt(0n, 2n ** 64n - 1n)).map(([number, value]) => numeric(number, value)),
    fc.tuple(numbers, fc.uint8Array({ maxLength: 9 })).map(([number, value]) => delimited(number, value)),
    fc.tuple(numbers, bytes(4)).map(([number, value]) => ({ number, wireType: 5, value: Buffer.from(value) })),
    fc.tuple(numbers, bytes(8)).map(([number, value]) => ({ number, wireType: 1, value: Buffer.from(value) })),
  );
  return fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(field, { maxLength: 3 }));
};

/** A message of these fields, and of unknown ones, in any order that keeps those of one number in theirs. */
function messages(known: fc.Arbitrary<readonly Field[]>, firstUnknown: number): fc.Arbitrary<Buffer> {
  return fc
    .tuple(known, unknownFields(firstUnknown), fc.array(fc.nat(99), { minLength: 3, maxLength: 3 }))
    .map(([fields, unknown, order]) => {
      const rank = (field: Field) => (unknown.includes(field) ? order[2]! : order[field.number % 2]!);
      return message([...fields, ...unknown].sort((a, b) => rank(a) - rank(b)));
    });
}

const words = fc.oneof(fc.constantFrom('T', 'shape', 'data_format', 'values', 'x y', 'ü', 'name:0/^'), fc.string());
const some = <T>(values: fc.Arbitrary<T>, maxLength = 3) => fc.array(values, { maxLength });
const field = (number: number, values: fc.Arbitrary<Uint8Array | string>) =>
  values.map((value) => delimited(number, value));
/** A field that is left out where it is empty, which is the same in proto3. */
const text = (number: number) => words.map((value) => (value === '' ? [] : [delimited(number, value)]));
const together = (...parts: readonly fc.Arbitrary<readonly Field[]>[]) => fc.tuple(...parts).map((all) => all.flat());

const dimsOf = (...sizes: readonly Field[]) =>
  messages(together(fc.constantFrom([], ...sizes.map((size) => [size])), fc.oneof(fc.constant([]), text(2))), 3);
const dims = dimsOf(numeric(1, 3), numeric(1, -1), numeric(1, 2n ** 40n));
const shapes = messages(fc.oneof(some(field(2, dims)), fc.constant([numeric(3, 1)])), 4);
/** Of a constant: others are refused. */
const knownShapes = messages(some(field(2, dimsOf(numeric(1, 3)))), 4);
const packed = (size: number) =>
  fc.uint8Array({ minLength: 1, maxLength: 4 }).map((count) => Buffer.alloc(size * count.length, 7));
const tensors = messages(
  together(
    fc.constant([numeric(1, 1)]),
    fc.oneof(
      fc.constant([]),
      field(2, knownShapes).map((one) => [one]),
    ),
    fc.oneof(field(4, packed(4)), field(5, packed(4))).map((one) => [one]),
  ),
  18,
);
const int64s = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);

/** A value of an attr: numbers, texts, shapes, tensors, functions and lists of them; zeros are values as well. */
const { value: values } = fc.letrec<{ value: Buffer; entry: Field; func: Buffer }>((tie) => ({
  value: messages(
    fc.oneof(
      { depthSize: 'small' },
      int64s.map((i) => [numeric(3, i)]),
      fc.constantFrom(
        [numeric(3, 0)],
        [numeric(5, 0)],
        [numeric(5, 1)],
        [numeric(6, 0)],
        [numeric(6, 101)],
        [float(4, 0)],
      ),
      fc.float({ noNaN: true }).map((f) => [float(4, f)]),
      fc.uint8Array({ maxLength: 5 }).map((s) => [delimited(2, s)]),
      words.map((name) => [delimited(9, name)]),
      field(7, shapes).map((one) => [one]),
      field(8, tensors).map((one) => [one]),
      field(10, tie('func')).map((one) => [one]),
      field(
        1,
        messages(
          fc.oneof(
            some(field(2, fc.uint8Array({ maxLength: 3 }))),
            some(field(7, shapes)),
            some(field(8, tensors)),
            some(field(9, tie('func')), 1),
            fc.uint8Array({ minLength: 1, maxLength: 3 }).map((i) => [
              delimited(
                3,
                i.map((x) => x & 127),
              ),
            ]),
            packed(4).map((f) => [delimited(4, f)]),
            fc.constantFrom([delimited(5, Buffer.from([1, 0]))], [delimited(6, Buffer.from([1, 7]))]),
          ),
          10,
        ),
      ).map((one) => [one]),
    ),
    11,
  ),
  entry: fc
    .tuple(words, tie('value'))
    .map(([key, value]) => delimited(2, message([delimited(1, key), delimited(2, value)]))),
  func: messages(
    together(
      text(1),
      tie('entry').map((one) => [one]),
    ),
    3,
  ),
}));

const names = fc.constantFrom('a', 'b', 'c', 'd', 'a/b', 'ß');
const nodes = fc
  .record({
    op: fc.constantFrom('Const', 'AddV2', 'Custom', ''),
    device: fc.constantFrom('', '/device:GPU:0'),
    inputs: some(fc.constantFrom('a', 'b:1', 'c:12', 'a/b', 'x:y')),
    controls: some(fc.constantFrom('^a', '^a/b'), 2),
    attrs: fc.uniqueArray(fc.tuple(words, values), { selector: ([key]) => key, maxLength: 4 }),
  })
  .chain(({ op, device, inputs, controls, attrs }) =>
    messages(
      fc.constant([
        ...(op === '' ? [] : [delimited(2, op)]),
        ...[...inputs, ...controls].map((input) => delimited(3, input)),
        ...(device === '' ? [] : [delimited(4, device)]),
        ...attrs.map(([key, value]) => delimited(5, message([delimited(1, key), delimited(2, value)]))),
      ]),
      8,
    ),
  );

const graphs = messages(
  together(
    fc
      .uniqueArray(names, { maxLength: 4 })
      .chain((all) =>
        fc.tuple(
          ...all.map((name) => nodes.map((node) => delimited(1, Buffer.concat([message([delimited(1, name)]), node])))),
        ),
      )
      .map((all) => [...all]),
    fc.constantFrom([], [numeric(3, 7)]),
    fc.oneof(
      fc.constant([]),
      messages(together(fc.constantFrom([], [numeric(1, 27)]), fc.constantFrom([], [numeric(2, 12)])), 4).map(
        (value) => [delimited(4, value)],
      ),
    ),
  ),
  6,
);

const bytesOf = (graph: ReturnType<typeof readGraphDef>) =>
  Buffer.concat([...encodeGraphDef(graph, { fileOrder: true }).chunks()].map((chunk) => chunk.slice()));

it('a graph that is read and written again is the same message, unknown fields included', () => {
  fc.assert(
    fc.property(graphs, (bytes) => {
      const graph = readGraphDef(new MemorySource(bytes));
      const written = bytesOf(graph);
      expect(contents(written, GRAPH)).toEqual(contents(bytes, GRAPH));
      expect(bytesOf(readGraphDef(new MemorySource(written))).equals(written), 'twice').toBe(true);
    }),
    randomRuns(300),
  );
});
