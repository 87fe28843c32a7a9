import { describe, expect, it } from 'vitest';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { findStoredNorms, type Stored } from '../../../src/analysis/training/stored_statistics.js';
import { ancestors } from '../../../src/graph/walk.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

const nameOf = (stored: Stored) => (stored.kind === 'variable' ? `variable ${stored.variable.node}` : stored.node);

/** The norms of a graph: the root, its variance, its mean, and other operands. */
function normsOf(y: string): string[] {
  const graph = parseGraph(`x = Placeholder[shape=[?, 2]]
m = [1.0, 2.0]
v = [4.0, 9.0]
gamma = [3.0, 5.0]
beta = [6.0, 7.0]
w = VariableV2[shape=[2]]
n = VariableV2[shape=[]]
${y}`);
  const found = findStoredNorms(graph, findVariables(modelOf(graph)), ancestors(graph, ['y'], false));
  return found.map(({ name, variance, mean, others }) => {
    const rest = others.map(nameOf).sort().join(', ');
    return `${name}: ${nameOf(variance)}, mean ${mean ? nameOf(mean) : 'none'}${rest ? `, ${rest}` : ''}`;
  });
}

describe('norms that use stored statistics', () => {
  it.each([
    ['y = (x - m) * Rsqrt(v + 0.001)', 'y/Rsqrt: v, mean m'],
    ['y = (x - m) * Rsqrt(0.001 + v)', 'y/Rsqrt: v, mean m'],
    ['y = (x - m) * Rsqrt(v)', 'y/Rsqrt: v, mean m'],
    ['y = (x - m) / Sqrt(v + 0.001)', 'y/Sqrt: v, mean m'],
    ['y = (x - m) * Pow(v + 0.001, -0.5)', 'y/Pow: v, mean m'],
    ['y = (x - m) / Pow(v + 0.001, 0.5)', 'y/Pow: v, mean m'],
    ['y = (x - Identity(w)) * Rsqrt(Identity(v) + 0.001)', 'y/Rsqrt: v, mean variable w'],
    ['y = (x - m) * Rsqrt(w + 0.001)', 'y/Rsqrt: variable w, mean m'],
    ['y = (x - m) * (Rsqrt(v + 0.001) * gamma) + beta', 'y/Rsqrt: v, mean m, beta, gamma'],
    ['s = Rsqrt(v + 0.001) * gamma\ny = x * s + (beta - m * s)', 's/Rsqrt: v, mean m, beta, gamma'],
    ['s = Rsqrt(v + 0.001)\ny = BiasAdd(x * s, beta)', 's: v, mean none, beta'],
    ['y = Relu((x - m) * Identity(Rsqrt(Identity(v) + 0.001)))', 'y/Rsqrt: v, mean m'],
  ])('%s', (y, norm) => {
    expect(normsOf(y)).toEqual([norm]);
  });

  it.each([
    ['a root of data', 'y = (x - m) * Rsqrt(x + 0.001)'],
    ['a root of a number', 'y = x * Rsqrt(Identity(4.0))'],
    ['a root of a variable number', 'y = x * Rsqrt(n + 0.001)'],
    ['a power other than a root', 'y = (x - m) * Pow(v + 0.001, -1.0)'],
    ['a power that data gives', 'y = Pow(v + 0.001, Identity(x))'],
    ['a root of a sum of vectors', 'y = (x - m) * Rsqrt(v + gamma)'],
    ['a root after a negative constant is added', 'y = (x - m) * Rsqrt(v + -0.001)'],
    ['a root of a difference', 'y = (x - m) * Rsqrt(v - 0.001)'],
    ['another op', 'y = (x - m) * Exp(v + 0.001)'],
    ['a root that feeds no output', 'z = (x - m) * Rsqrt(v + 0.001)\ny = Relu(x)'],
  ])('are not %s', (_, y) => {
    expect(normsOf(y)).toEqual([]);
  });

  it('have their mean, scale and offset within four ops behind the root', () => {
    const chain = (count: number) => `${'Identity('.repeat(count)}Rsqrt(v + 0.001)${')'.repeat(count)}`;
    expect(normsOf(`y = (x - m) * ${chain(3)}`)).toEqual(['y/Rsqrt: v, mean m']);
    expect(normsOf(`y = (x - m) * ${chain(4)}`)).toEqual(['y/Rsqrt: v, mean none']);
    // Not behind an op that does something else.
    expect(normsOf('y = (x - m) * Tanh(Rsqrt(v + 0.001))')).toEqual([
      'y/Tanh/Rsqrt: v, mean none'.replace('Tanh/', ''),
    ]);
  });

  it('do not use what feeds no output', () => {
    expect(normsOf('s = Rsqrt(v + 0.001)\nz = (x - m) * s\ny = x * s')).toEqual(['s: v, mean none']);
  });
});
