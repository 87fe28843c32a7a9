import { describe, expect, it } from 'vitest';
import { DataType } from '../../src/graph/dtype.js';
import { refText } from '../../src/graph/node.js';
import { parseGraph } from '../../src/notation/parse.js';
import { printGraph } from '../../src/notation/print.js';
import { Frames } from '../../src/ops/frames.js';

const LOOPS = `x = Placeholder[shape=[2]]
e = Enter(x)[frame_name=outer, parallel_iterations=3]
m = Merge(e, n)
s = Switch(m, LoopCond(c))
b = Neg(s:1)
ie = Enter(b)[frame_name=inner]
im = Merge(ie, in)
is = Switch(im, LoopCond(d))
ib = Neg(is:1)
in = NextIteration(ib)
ix = Exit(is)
n = NextIteration(ix)
w = NoOp(^b)
y = Exit(s)
z = Neg(y)`;

const framesOf = (text = LOOPS) => {
  const graph = parseGraph(text);
  return { graph, frames: new Frames(graph) };
};

describe('the loops that a node is in', () => {
  it.each([
    ['before a loop', 'x', []],
    ['Enter', 'e', ['outer']],
    ['a loop variable', 'm', ['outer']],
    ['the body', 'b', ['outer']],
    ['what waits for the body', 'w', ['outer']],
    ['the body of a loop in it', 'ib', ['outer', 'inner']],
    ['after the inner loop', 'ix', ['outer']],
    ['after both', 'y', []],
    ['what reads the result', 'z', []],
    ['a missing node', 'missing', []],
  ])('%s', (_, name, stack) => {
    expect(framesOf().frames.of(name)).toEqual(stack);
  });

  it('are one less for the inputs of Enter', () => {
    const { graph, frames } = framesOf();
    expect([frames.around(graph.get('ie')), frames.around(graph.get('b'))]).toEqual([['outer'], ['outer']]);
    expect([frames.around(graph.get('e')), frames.around(graph.get('x'))]).toEqual([[], []]);
  });

  it('are none for what is moved out', () => {
    const { frames } = framesOf();
    frames.moveOut('b');
    expect([frames.of('b'), frames.of('ib')]).toEqual([[], ['outer', 'inner']]);
  });

  it('are 64 at most', () => {
    const nested = (depth: number) =>
      Array.from({ length: depth }, (_, i) => `e${i + 1} = Enter(e${i})[frame_name=f${i}]`).join('\n');
    expect(framesOf(`e0 = 1.0\n${nested(64)}`).frames.of('e64')).toHaveLength(64);
    expect(() => framesOf(`e0 = 1.0\n${nested(65)}`)).toThrow('loops are nested more than 64 deep');
  });
});

describe('a tensor that is brought into a loop', () => {
  it('passes an Enter for each loop, once', () => {
    const { graph, frames } = framesOf();
    const x = { node: 'x', port: 0 };
    const inner = frames.bring(x, DataType.DT_FLOAT, ['outer', 'inner']);
    expect(refText(inner)).toBe('x/Enter/Enter');
    expect(frames.bring(x, DataType.DT_FLOAT, ['outer', 'inner'])).toEqual(inner);
    expect(refText(frames.bring(x, DataType.DT_FLOAT, ['outer']))).toBe('x/Enter');
    expect(frames.of('x/Enter/Enter')).toEqual(['outer', 'inner']);
    const added = printGraph(graph)
      .split('\n')
      .filter((line) => line.startsWith('x/Enter'));
    expect(added).toEqual([
      'x/Enter = Enter(x)[frame_name=outer, is_constant=true, parallel_iterations=3]',
      'x/Enter/Enter = Enter(x/Enter)[frame_name=inner, is_constant=true, parallel_iterations=10]',
    ]);
  });

  it('passes only those of loops that it is not in, and none outside', () => {
    const { frames } = framesOf();
    expect(refText(frames.bring({ node: 'b', port: 0 }, DataType.DT_FLOAT, ['outer', 'inner']))).toBe('b/Enter');
    expect(refText(frames.bring({ node: 'x', port: 0 }, DataType.DT_FLOAT, []))).toBe('x');
  });
});
