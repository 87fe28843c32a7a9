import { describe, expect, it } from 'vitest';
import { inlineFunctions } from '../../src/passes/inline_functions.js';
import { parseWithFunctions } from '../support/parse_functions.js';

const call = (name: string, input: string) => `PartitionedCall(${input})[Tin=[float32], Tout=[float32], f=@${name}]`;

function inlined(text: string) {
  const graph = parseWithFunctions(text);
  inlineFunctions.run({ graph });
  return graph;
}

/** Functions that call each other, that many levels deep, each so many times. */
function levels(depth: number, times = 1): string {
  const leaf = 'def f0(x):\n  r = Relu(x)\n  return r\n\n';
  const others = Array.from({ length: depth - 1 }, (_, i) => {
    const calls = Array.from({ length: times }, (_, j) => `  c${j} = ${call(`f${i}`, j === 0 ? 'x' : `c${j - 1}`)}\n`);
    return `def f${i + 1}(x):\n${calls.join('')}  return c${times - 1}\n\n`;
  });
  return `${leaf}${others.join('')}y = ${call(`f${depth - 1}`, 'x')}\n`;
}

describe('the limits of inlining', () => {
  it('256 levels of functions', () => {
    expect([...inlined(levels(256)).nodes()].filter(({ op }) => op === 'Relu')).toHaveLength(1);
    expect(() => inlined(levels(257))).toThrow(/^y\/.*c0 calls functions that call each other 256 levels deep$/);
  });

  it('not the number of calls, one after the other', () => {
    const calls = Array.from({ length: 300 }, (_, i) => `c${i + 1} = ${call('f0', `c${i}`)}\n`);
    const graph = inlined(`def f0(x):\n  r = Relu(x)\n  return r\n\n${calls.join('')}`);
    expect([...graph.nodes()].filter(({ op }) => op === 'Relu')).toHaveLength(300);
  });

  it('branches of a Case', () => {
    const branches = (count: number) =>
      `def f0(x):\n  r = Relu(x)\n  return r\n\nn = Placeholder[int32, shape=[]]\n${['y', 'z'].map((name) => `${name} = Case(n, x)[Tin=[float32], Tout=[float32], branches=[${Array(count).fill('@f0').join(', ')}]]\n`).join('')}`;
    expect([...inlined(branches(256)).nodes()].filter(({ op }) => op === 'Relu')).toHaveLength(512);
    expect(() => inlined(branches(257))).toThrow(/^y calls functions that call each other 256 levels deep$/);
  });

  it('the size of the result', () => {
    expect([...inlined(levels(12, 2)).nodes()].filter(({ op }) => op === 'Relu')).toHaveLength(2048);
    expect(() => inlined(levels(17, 2))).toThrow(/ calls functions that would make the graph 20 times larger$/);
  });
});
