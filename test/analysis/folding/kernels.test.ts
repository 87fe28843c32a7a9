import { describe, expect, it } from 'vitest';
import { kernelConstant, whyNotInPlace } from '../../../src/analysis/folding/kernels.js';
import { linearOp } from '../../../src/analysis/folding/linear_ops.js';
import type { ScaleKernel } from '../../../src/analysis/folding/steps.js';
import { FoldView } from '../../../src/analysis/folding/view.js';
import { parseGraph } from '../../../src/notation/parse.js';

const KERNEL = 'k = Const[shape=[2, 2], value=0.5]';

function viewOf(text: string, outputs: readonly string[] = []) {
  const graph = parseGraph(`x = Placeholder[shape=[?, 2]]\n${text}`);
  const refs = outputs.map((node) => ({ node, port: 0 }));
  return { graph, view: new FoldView({ graph, outputs: refs, isKept: () => false }) };
}

describe('the constant of a kernel', () => {
  it.each([
    ['is the kernel itself', `${KERNEL}\ny = MatMul(x, k)`, 'k'],
    ['is behind an Identity', `${KERNEL}\ny = MatMul(x, Identity(k))`, 'k'],
    ['is behind a Reshape', 'k = Const[shape=[4], value=0.5]\ny = MatMul(x, Reshape(k, [2, 2]))', 'k'],
    ['enters a loop', `${KERNEL}\ny = MatMul(x, Enter(k)[frame_name=f, is_constant=true])`, 'k'],
    ['changes in a loop', `${KERNEL}\ny = MatMul(x, Enter(k)[frame_name=f, is_constant=false])`, 'kernel_not_constant'],
    ['is transposed to the same order', `${KERNEL}\ny = MatMul(x, Transpose(k, [0, 1]))`, 'k'],
    ['is transposed', `${KERNEL}\ny = MatMul(x, Transpose(k, [1, 0]))`, 'y/Transpose'],
    ['is quantised', `${KERNEL}\ny = MatMul(x, FakeQuantWithMinMaxArgs(k))`, 'kernel_quantised'],
    ['is an input', 'k = Placeholder[shape=[2, 2]]\ny = MatMul(x, k)', 'kernel_not_constant'],
  ])('%s', (_, text, expected) => {
    const { graph, view } = viewOf(text);
    const found = kernelConstant(view, linearOp(view, graph.get('y'))!);
    expect('code' in found ? found.code : found.name).toBe(expected);
  });
});

describe('a kernel that several ops use', () => {
  const step = (op: string, value: number): ScaleKernel => ({
    kind: 'scale_kernel',
    op,
    input: 1,
    shape: [2, 2],
    constant: 'k',
    tensor: viewOf(KERNEL).graph.get('k').tensor!,
    factor: { values: Float64Array.of(value, 2), terms: [{ stride: 1, size: 2, times: 1 }] },
  });
  const why = (text: string, group: readonly ScaleKernel[], outputs: readonly string[] = []) =>
    whyNotInPlace(viewOf(`${KERNEL}\n${text}`, outputs).view, 'k', group);

  it('is scaled in place if all of them need the same factor', () => {
    const text = 'i = Identity(k)\na = MatMul(x, k), b = MatMul(x, i)';
    expect(why(text, [step('a', 3), step('b', 3)])).toBeUndefined();
  });

  it.each([
    [
      'they need other factors',
      'a = MatMul(x, k), b = MatMul(x, k)',
      [step('a', 3), step('b', 4)],
      { code: 'kernel_shared', kernel: 'k', ops: ['a', 'b'] },
    ],
    [
      'another op reads it',
      'a = MatMul(x, k), b = Relu(k)',
      [step('a', 3)],
      { code: 'kernel_read_elsewhere', kernel: 'k', reader: 'b' },
    ],
    [
      'another op reads it behind an Identity',
      'i = Identity(k)\na = MatMul(x, i), b = Relu(i)',
      [step('a', 3)],
      { code: 'kernel_read_elsewhere', kernel: 'k', reader: 'b' },
    ],
    ['an op reads it twice', 'a = MatMul(k, k)', [step('a', 3)], { code: 'kernel_read_several_times', kernel: 'k' }],
    [
      'it is the shape of a reshaped tensor',
      'a = MatMul(x, k), b = Reshape(x, k)',
      [step('a', 3)],
      { code: 'kernel_read_elsewhere', kernel: 'k', reader: 'b' },
    ],
  ])('is not scaled in place if %s', (_, text, group, expected) => {
    expect(why(text, group)).toEqual(expected);
  });

  it.each(['k', 'i'])('is not scaled in place if %s is an output', (output) => {
    expect(why('i = Identity(k)\na = MatMul(x, i)', [step('a', 3)], [output])).toEqual({
      code: 'kernel_is_output',
      kernel: output,
    });
  });

  it('is not scaled in place if it is computed, and what it is computed from has other readers', () => {
    const text = (reader: string) =>
      `c = Const[shape=[2, 2], value=0.5]\nt = Transpose(c, [1, 0])\na = MatMul(x, t)\n${reader}`;
    const of = (reader: string, outputs: readonly string[] = []) =>
      whyNotInPlace(viewOf(text(reader), outputs).view, 't', [{ ...step('a', 3), constant: 't' }]);
    expect(of('')).toBeUndefined();
    expect(of('b = Relu(c)')).toEqual({ code: 'kernel_read_elsewhere', kernel: 'c', reader: 'b' });
    expect(of('', ['c'])).toEqual({ code: 'kernel_is_output', kernel: 'c' });
  });
});
