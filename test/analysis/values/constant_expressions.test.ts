import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findConstantExpressions } from '../../../src/analysis/values/constant_expressions.js';
import { DataType } from '../../../src/graph/dtype.js';
import { refText, type TensorRef } from '../../../src/graph/node.js';
import { rawTensor, readBytes, readNumbers, type Tensor } from '../../../src/graph/tensor.js';
import { MemorySource } from '../../../src/io/source.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { outputCount } from '../../../src/ops/registry.js';
import { readGraphDef } from '../../../src/readers/graph_def.js';

/** What TensorFlow computes: scripts/ops/constants.py. BNFIX_CONSTANTS names larger files of the same kind. */
const BASE = process.env.BNFIX_CONSTANTS ?? fileURLToPath(new URL('constant_expressions', import.meta.url));

type Row = readonly [dtype: DataType, shape: readonly number[], data: string];

const expected = new Map(Object.entries(JSON.parse(readFileSync(`${BASE}.json`, 'utf8')) as Record<string, Row>));
const graph = readGraphDef(new MemorySource(readFileSync(`${BASE}.pb`)));
const refs = [...expected.keys()].map((name): TensorRef => {
  const [node, port] = name.split(':') as [string, string];
  return { node, port: Number(port) };
});

/** Bits of precision, by dtype. */
const BITS: Partial<Record<DataType, number>> = {
  [DataType.DT_FLOAT]: 24,
  [DataType.DT_DOUBLE]: 53,
  [DataType.DT_HALF]: 11,
  [DataType.DT_BFLOAT16]: 8,
};

/** TensorFlow approximates these in float32: its own error is up to two units. */
const APPROXIMATED = new Set(['Inv', 'Reciprocal', 'Rsqrt']);

/** How many units in the last place two tensors differ by; infinite if they differ in dtype, shape or infinities. */
function distance(actual: Tensor, [dtype, shape, data]: Row): number {
  if (actual.dtype !== dtype || actual.shape.join() !== shape.join()) return Number.POSITIVE_INFINITY;
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  if (Buffer.from(readBytes(actual)).equals(bytes)) return 0;
  const [a, b] = [readNumbers(actual), readNumbers(rawTensor(dtype, shape, bytes))];
  const bits = BITS[dtype];
  let most = 0;
  for (const [i, x] of a.entries()) {
    const y = b[i]!;
    // Zeros may have different signs.
    if (x === y) continue;
    const unit = bits === undefined ? 0 : 2 ** (Math.floor(Math.log2(Math.abs(y))) + 1 - bits);
    const units = Math.abs(x - y) / unit;
    most = Math.max(most, Number.isNaN(units) ? Number.POSITIVE_INFINITY : units);
  }
  return most;
}

/** A node with several outputs keeps its name, and is not evaluated if it is an output. */
const outputs = refs.map((ref): TensorRef => {
  if (outputCount(graph.get(ref.node)) === 1) return ref;
  const name = `${ref.node}/read_${ref.port}`;
  graph.add({ name, op: 'Identity', inputs: [ref] });
  return { node: name, port: 0 };
});

/** Each tensor of the file with the value that is found for it. */
function evaluated() {
  const found = findConstantExpressions({ graph, outputs, isKept: () => false, maxGrowth: Number.POSITIVE_INFINITY });
  const values = new Map(found.values.map(({ ref, tensor }) => [refText(ref), tensor]));
  for (const { from, to } of found.forwarded) {
    const tensor = graph.get(to.node).tensor;
    if (tensor) values.set(refText(from), tensor);
  }
  return refs.map((ref) => ({
    op: graph.get(ref.node).op,
    value: values.get(refText(ref)),
    row: expected.get(`${ref.node}:${ref.port}`)!,
    name: refText(ref),
  }));
}

describe('constant expressions', () => {
  const isSmall = process.env.BNFIX_CONSTANTS === undefined;

  it('are what TensorFlow computes, within one unit in the last place', () => {
    const all = evaluated();
    const wrong: string[] = [];
    const rounded = new Set<string>();
    for (const { op, value, row, name } of all) {
      const units = value ? distance(value, row) : 0;
      if (units > 0) rounded.add(`${op} ${DataType[row[0]]}`);
      if (units > (APPROXIMATED.has(op) ? 2 : 1)) wrong.push(`${op} ${DataType[row[0]]} ${name}: ${units} units`);
    }
    expect(wrong).toEqual([]);
    expect(all.filter(({ value }) => value).length).toBeGreaterThan(all.length / 2);
    if (isSmall) expect([...rounded].sort().join(', ')).toBe('Inv DT_FLOAT, Reciprocal DT_FLOAT, Rsqrt DT_FLOAT');
  });

  it('are left alone where a number overflows, or is not a number, or integer division is asked of floats', () => {
    const left = new Set(
      evaluated()
        .filter(({ value }) => !value)
        .map(({ op, row }) => `${op} ${DataType[row[0]]}`),
    );
    if (isSmall)
      expect([...left].sort().join(', ')).toBe(
        'Cast DT_INT8, Cast DT_UINT8, FloorDiv DT_BFLOAT16, FloorDiv DT_DOUBLE, FloorDiv DT_FLOAT, FloorDiv DT_HALF, FloorMod DT_BFLOAT16, FloorMod DT_DOUBLE, FloorMod DT_FLOAT, FloorMod DT_HALF, Mod DT_DOUBLE, Mod DT_FLOAT, Mul DT_INT32, Mul DT_INT64, Rsqrt DT_BFLOAT16, Rsqrt DT_DOUBLE, Rsqrt DT_FLOAT, Rsqrt DT_HALF, Sqrt DT_BFLOAT16, Sqrt DT_DOUBLE, Sqrt DT_FLOAT, Sqrt DT_HALF, Square DT_HALF, Square DT_INT32, Square DT_INT64, SquaredDifference DT_INT32, SquaredDifference DT_INT64, TruncateDiv DT_BFLOAT16, TruncateDiv DT_DOUBLE, TruncateDiv DT_FLOAT, TruncateDiv DT_HALF, TruncateMod DT_DOUBLE, TruncateMod DT_FLOAT',
      );
  });
});

/** Two constants of 16,000 bytes. */
const LARGE = 'a = Const[float32, shape=[4000], value=1.0]\nb = Const[float32, shape=[4000], value=2.0]\n';

describe('what is evaluated', () => {
  const valuesOf = (text: string, outputs = ['y']) => {
    const parsed = parseGraph(text);
    const scope = { graph: parsed, outputs: outputs.map((node) => ({ node, port: 0 })), isKept: () => false };
    return findConstantExpressions(scope).values.map(({ ref }) => refText(ref));
  };

  it.each([
    ['y = x * (Rsqrt([4.0] + 0.1) * [2.0])', ['y/Mul']],
    ['a = Fill([100000], 0.0)\ny = x + a', []],
    ['a = Fill([4000], 0.0)\ny = x + a', []],
    ['a = Fill([2000], 0.0)\ny = x + a', ['a']],
    ['a = Tile([1.0, 2.0], [50000])\ny = x + Slice(a, [0], [2])', []],
    ['w = float32[512, 512] #00000000\ny = MatMul(x, w * [2.0])', []],
    ['y = x * RandomUniform([2])', []],
    ['p = NoOp()\nc = Sqrt(4.0, ^p)\ny = x * (c + 1.0)', []],
    ['e = Enter([4.0])[frame_name=loop, is_constant=true]\ny = x * Sqrt(e)', []],
    ['y = x * FakeQuantWithMinMaxVars([1.0], 0.0, 6.0)', []],
    ['p = Pack("a", "b")\ny = MyOp(p)', []],
    ['p = Equal("a", "b")[T=string]\ny = MyOp(p)', []],
    ['p = Identity("a")\ny = MyOp(p)', []],
    ['p = Unpack([[1.0], [2.0]])[axis=0, num=2]\ny = MyOp(p:1)', ['p:1']],
    ['p = Unpack(Const[float32, shape=[4096], value=1.0])[axis=0, num=4096]\ny = MyOp(p:7)', ['p:7']],
    ['p = Unpack(Const[float32, shape=[4097], value=1.0])[axis=0, num=4097]\ny = MyOp(p:7)', []],
    // As large as what it replaces, unless that stays.
    [`${LARGE}y = x * ConcatV2(a, b, 0)`, ['y/ConcatV2']],
    [`${LARGE}y = x * Sqrt(Abs(ConcatV2(a, b, 0)))`, ['y/Sqrt']],
    [`${LARGE}y = x * ConcatV2(a, b, 0) + MyOp(a)`, []],
    [`${LARGE}y = x * ConcatV2(a, a, 0)`, []],
    [`${LARGE}c = ConcatV2(a, b, 0)\ny = x * Neg(c) + Abs(c)`, ['y/Neg']],
  ])('%s', (text, expectedRefs) => {
    expect(valuesOf(text)).toEqual(expectedRefs);
  });

  it('has inputs before consumers, whatever the order of the outputs', () => {
    const text = 'a = Neg(4.0)\nb = Neg(9.0)\nc = Neg(b)';
    expect(valuesOf(text, ['c', 'b', 'a'])).toEqual(['a', 'b', 'c']);
  });

  it('is no node with several outputs that is an output itself', () => {
    expect(valuesOf('p = Unpack([[1.0], [2.0]])[axis=0, num=2]\ny = x + p:1', ['p', 'y'])).toEqual([]);
  });

  it('makes the graph larger by a mebibyte at most', () => {
    const names = Array.from({ length: 140 }, (_, i) => `f${i}`);
    const lines = names.map((name) => `${name} = Fill([2000], 0.5)`);
    // Each is 8,000 bytes instead of 8.
    expect(valuesOf(lines.join('\n'), names)).toHaveLength(Math.floor(2 ** 20 / 7992));
  });
});
