import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelValue } from '../../../src/analysis/folding/kernel_value.js';
import { FoldView } from '../../../src/analysis/folding/view.js';
import { dtypeName } from '../../../src/graph/dtype.js';
import { readNumbers } from '../../../src/graph/tensor.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { runGraph } from '../../../src/run/run.js';
import { numbersOf } from '../../../src/run/value.js';
import { randomRuns } from '../../support/random.js';

/** The value of `y`: dtype, shape and numbers; undefined if it is no kernel. */
function kernelOf(text: string, keep: readonly string[] = []) {
  const graph = parseGraph(text);
  const view = new FoldView({ graph, outputs: [], isKept: (name) => keep.includes(name) });
  const value = kernelValue(view, graph.get('y'));
  if (!value) return undefined;
  const { dtype, shape } = value.tensor;
  return { dtype: dtypeName(dtype), shape, numbers: [...readNumbers(value.tensor)] };
}

const W = 'w = [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0], [9.0, 10.0], [11.0, 12.0]]]';
const float32 = (shape: number[], numbers: number[]) => ({ dtype: 'float32', shape, numbers });

describe('the value of a kernel that ops make of constants', () => {
  it.each([
    ['Identity(w)', [2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['Reshape(w, [3, -1])', [3, 4], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['Transpose(w, [2, 0, 1])', [2, 2, 3], [1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12]],
    ['Transpose(w, [-1, 0, 1])', [2, 2, 3], [1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12]],
    ['Slice(w, [1, 0, 1], [1, 2, 1])', [1, 2, 1], [8, 10]],
    ['Slice(w, [0, 1, 0], [-1, -1, 1])', [2, 2, 1], [3, 5, 9, 11]],
    ['Slice(w, [1, 2, 1], [1, 1, 1])', [1, 1, 1], [12]],
    ['StridedSlice(w, [1], [2], [1])', [1, 3, 2], [7, 8, 9, 10, 11, 12]],
    ['StridedSlice(w, [1], [2], [1])[shrink_axis_mask=1]', [3, 2], [7, 8, 9, 10, 11, 12]],
    ['StridedSlice(w, [-1], [7], [1])[shrink_axis_mask=1]', [3, 2], [7, 8, 9, 10, 11, 12]],
    ['StridedSlice(w, [0], [1], [1])[shrink_axis_mask=1]', [3, 2], [1, 2, 3, 4, 5, 6]],
    ['StridedSlice(w, [0, 2, 1], [2, 3, 2], [1, 1, 1])[shrink_axis_mask=6]', [2], [6, 12]],
    ['StridedSlice(w, [0, 2], [2, -5], [1, -2])', [2, 2, 2], [5, 6, 1, 2, 11, 12, 7, 8]],
    ['StridedSlice(w, [0, 9], [9, 0], [1, -1])', [2, 2, 2], [5, 6, 3, 4, 11, 12, 9, 10]],
    ['StridedSlice(w, [1, 1], [1, 2], [1, 1])[begin_mask=1, end_mask=2]', [1, 2, 2], [3, 4, 5, 6]],
    ['StridedSlice(w, [1, 1], [1, 1], [-1, -1])[begin_mask=2, end_mask=1]', [2, 1, 2], [11, 12, 5, 6]],
    ['StridedSlice(w, [0, 1], [0, 2], [1, 1])[ellipsis_mask=1]', [2, 3, 1], [2, 4, 6, 8, 10, 12]],
    ['StridedSlice(w, [1, 0, 0], [2, 0, 1], [1, 1, 1])[ellipsis_mask=2]', [1, 3, 1], [7, 9, 11]],
    ['StridedSlice(w, [1, 0, 0, 0], [2, 0, 2, 1], [1, 1, 1, 1])[ellipsis_mask=2]', [1, 2, 1], [7, 9]],
    ['StridedSlice(w, [0, 1, 0], [0, 2, 1], [1, 1, 1])[ellipsis_mask=1, shrink_axis_mask=2]', [2, 1], [3, 9]],
    ['ConcatV2(w, w, 0)', [4, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['ConcatV2([[1.0], [2.0]], [[3.0, 4.0], [5.0, 6.0]], -1)', [2, 3], [1, 3, 4, 2, 5, 6]],
    ['Concat(1, [[1.0], [2.0]], [[3.0, 4.0], [5.0, 6.0]])', [2, 3], [1, 3, 4, 2, 5, 6]],
    ['ConcatV2([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], -2)', [3, 2], [1, 2, 3, 4, 5, 6]],
  ])('%s', (op, shape, numbers) => {
    expect(kernelOf(`${W}\ny = ${op}`)).toEqual(float32(shape, numbers));
  });

  it.each([
    ['data', 'Transpose(x, [1, 0])'],
    ['integers', 'Transpose([[1, 2]], [1, 0])'],
    ['another port', 'Identity(Split(0, w)[num_split=2]:1)'],
    ['an op that computes', 'Transpose(Exp(w), [1, 0, 2])'],
    ['a control input', 'Identity(w, ^x)'],
    ['an order that data gives', 'Transpose(w, x)'],
    ['an order of other dimensions', 'Transpose(w, [1, 0])'],
    ['an order of four dimensions', 'Transpose(w, [1, 0, 2, 3])'],
    ['an order that repeats one', 'Transpose(w, [0, 0, 2])'],
    ['an order with a dimension that it has not', 'Transpose(w, [0, 1, 3])'],
    ['an order with one before the first', 'Transpose(w, [0, 1, -4])'],
    ['a slice that begins where data says', 'Slice(w, x, [1, 1, 1])'],
    ['a slice that ends where data says', 'Slice(w, [0, 0, 0], x)'],
    ['a slice of fewer dimensions', 'Slice(w, [0, 0], [1, 1])'],
    ['a slice with too few sizes', 'Slice(w, [0, 0, 0], [1, 1])'],
    ['a slice before the first', 'Slice(w, [-1, 0, 0], [1, 1, 1])'],
    ['an empty slice', 'Slice(w, [0, 0, 0], [1, 0, 1])'],
    ['a slice beyond the last', 'Slice(w, [1, 0, 0], [2, 1, 1])'],
    ['a strided slice that begins where data says', 'StridedSlice(w, x, [1], [1])'],
    ['a strided slice that ends where data says', 'StridedSlice(w, [0], x, [1])'],
    ['a strided slice whose step data gives', 'StridedSlice(w, [0], [1], x)'],
    ['a strided slice with ends of fewer dimensions', 'StridedSlice(w, [0, 0], [1], [1, 1])'],
    ['a strided slice with steps of fewer dimensions', 'StridedSlice(w, [0, 0], [1, 1], [1])'],
    ['a strided slice of too many dimensions', 'StridedSlice(w, [0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1])'],
    ['a strided slice with a new dimension', 'StridedSlice(w, [0], [1], [1])[new_axis_mask=1]'],
    ['an empty strided slice', 'StridedSlice(w, [1], [1], [1])'],
    ['a strided slice with step 0', 'StridedSlice(w, [0], [1], [0])'],
    ['an index beyond the last', 'StridedSlice(w, [2], [3], [1])[shrink_axis_mask=1]'],
    ['an index before the first', 'StridedSlice(w, [-3], [3], [1])[shrink_axis_mask=1]'],
    ['parts along a dimension that data gives', 'ConcatV2(w, w, x)'],
    ['parts along two dimensions', 'ConcatV2(w, w, [0, 1])'],
    ['parts along a dimension that they have not', 'ConcatV2(w, w, 3)'],
    ['parts of other sizes', 'ConcatV2([[1.0, 2.0]], [[3.0], [4.0]], 0)'],
    ['parts of other ranks', 'ConcatV2([[1.0, 2.0]], [3.0, 4.0], 0)'],
    ['parts of which one is data', 'ConcatV2(w, x, 0)'],
    ['parts of which the first is data', 'ConcatV2(x, w, 0)'],
    ['parts of several dtypes', 'ConcatV2([1.0], Const[float64, value=[1]], 0)'],
    ['a cast to integers', 'Cast(w)[DstT=int32, SrcT=float32]'],
    ['a cast that cuts digits off', 'Cast(w)[DstT=float16, SrcT=float32, Truncate=true]'],
    ['a cast of integers', 'Cast([1, 2])[DstT=float32, SrcT=int32]'],
    ['no elements', 'Identity([])'],
  ])('is unknown: %s', (_, op) => {
    expect(kernelOf(`${W}\ny = ${op}`)).toBeUndefined();
  });

  it('is unknown where the user keeps one of the ops', () => {
    const text = `${W}\nt = Transpose(w, [2, 0, 1])\ny = Identity(t)`;
    expect(kernelOf(text)).toBeDefined();
    expect(kernelOf(text, ['t'])).toBeUndefined();
    expect(kernelOf(text, ['w'])).toBeUndefined();
  });

  it('is unknown behind chains of more than 16 ops, and in expressions of more than 1024', () => {
    const chain = (length: number) => `${'Transpose('.repeat(length)}w${', [0, 1, 2])'.repeat(length)}`;
    expect(kernelOf(`${W}\ny = ${chain(15)}`)).toBeDefined();
    expect(kernelOf(`${W}\ny = ${chain(16)}`)).toBeUndefined();
    const parts = (count: number) => `${W}\ny = ConcatV2(${'w, '.repeat(count)}0)`;
    expect(kernelOf(parts(1023))?.shape).toEqual([2046, 3, 2]);
    expect(kernelOf(parts(1024))).toBeUndefined();
  });

  it('is rounded where a cast rounds, once', () => {
    const third = 'w = Const[float64, value=[0.3333333333333333, 1e-8]]';
    const cast = (from: string, to: string, x: string) => `Cast(${x})[DstT=${to}, SrcT=${from}]`;
    expect(kernelOf(`${third}\ny = ${cast('float64', 'float32', 'w')}`)?.numbers).toEqual([
      Math.fround(1 / 3),
      Math.fround(1e-8),
    ]);
    // By way of float16, and back.
    const back = cast('float16', 'float64', cast('float64', 'float16', 'w'));
    expect(kernelOf(`${third}\ny = ${back}`)).toEqual({ dtype: 'float64', shape: [2], numbers: [0.333251953125, 0] });
    // By way of a dtype with more digits, nothing is lost.
    const wider = cast('float64', 'float32', cast('float32', 'float64', '[0.1]'));
    expect(kernelOf(`y = ${wider}`)?.numbers).toEqual([Math.fround(0.1)]);
    const joined = `ConcatV2(${cast('float64', 'float16', 'w')}, Const[float16, value=[2]], 0)`;
    expect(kernelOf(`${third}\ny = ${cast('float16', 'float32', joined)}`)?.numbers).toEqual([0.333251953125, 0, 2]);
  });

  it('is read in batches, as large as it may be', () => {
    const size = 300;
    const value = kernelOf(
      `w = Const[float32, shape=[${size}, ${size}], value=1.5]\nv = [[1.0, 2.0]]\ny = Transpose(ConcatV2(Reshape(w, [-1, 2]), v, 0), [1, 0])`,
    )!;
    expect(value.shape).toEqual([2, (size * size) / 2 + 1]);
    expect(value.numbers.at(-1)).toBe(2);
    expect(value.numbers[(size * size) / 2]).toBe(1);
    expect(value.numbers.filter((x) => x === 1.5)).toHaveLength(size * size);
  });
});

/** One op on the tensor before, by numbers that choose it; undefined if it does not fit. */
function opText(shape: readonly number[], { kind, numbers }: { kind: number; numbers: readonly number[] }, x: string) {
  const at = (i: number) => numbers[i % numbers.length]!;
  const each = (value: (size: number, axis: number) => number) => `[${shape.map(value).join(', ')}]`;
  const begins = shape.map((size, axis) => at(axis) % size);
  switch (kind) {
    case 0: {
      const order = shape.map((_, axis) => axis).sort((a, b) => at(a) - at(b));
      return `Transpose(${x}, [${order.join(', ')}])`;
    }
    case 1:
      return `Slice(${x}, [${begins.join(', ')}], ${each((size, axis) => (at(axis + 3) % 2 ? -1 : 1 + (at(axis) % (size - begins[axis]!))))})`;
    case 2: {
      const steps = shape.map((_, axis) => [1, 2, -1, -2][at(axis + 1) % 4]!);
      const ends = shape.map((size, axis) => (steps[axis]! > 0 ? size - (at(axis) % 2) : -size - 1 + (at(axis) % 2)));
      const starts = shape.map((size, axis) => (steps[axis]! > 0 ? 0 : size - 1 - (at(axis + 2) % 2)));
      return `StridedSlice(${x}, [${starts.join(', ')}], [${ends.join(', ')}], [${steps.join(', ')}])[begin_mask=${at(0) % 8}, end_mask=${at(1) % 8}]`;
    }
    case 3:
      return `ConcatV2(${x}, ${x}, ${at(0) % shape.length})`;
    default:
      return `Reshape(${x}, [${[...shape].reverse().join(', ')}])`;
  }
}

it('the value of a kernel is what TensorFlow.js computes', async () => {
  const steps = fc.array(
    fc.record({ kind: fc.nat(4), numbers: fc.array(fc.nat(99), { minLength: 4, maxLength: 4 }) }),
    {
      minLength: 1,
      maxLength: 4,
    },
  );
  let known = 0;
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 2, maxLength: 3 }),
      async (list, sizes) => {
        const count = sizes.reduce((a, b) => a * b, 1);
        let text = `v = [${Array.from({ length: count }, (_, i) => `${i}.5`).join(', ')}]\nt0 = Reshape(v, [${sizes.join(', ')}])\n`;
        let shape: readonly number[] = sizes;
        for (const [i, step] of list.entries()) {
          text += `t${i + 1} = ${opText(shape, step, `t${i}`)}\n`;
          const value = kernelOf(`${text}y = Identity(t${i + 1})`);
          if (!value) return;
          shape = value.shape;
        }
        text += `y = Identity(t${list.length})`;
        const { y } = await runGraph(parseGraph(text), {}, ['y']);
        expect(kernelOf(text)).toEqual(float32([...y!.shape], [...numbersOf(y!)]));
        known++;
      },
    ),
    randomRuns(150),
  );
  expect(known).toBeGreaterThan(10);
});
