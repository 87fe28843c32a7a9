import { describe, expect, it } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { NodeSpec } from '../../src/graph/node.js';
import { constant, graphOf, ints, node, placeholder, T_FLOAT } from '../support/build.js';
import { counting } from '../support/run.js';
import { folded } from './support.js';

const CONV = { ...T_FLOAT, strides: ints(1, 1, 1, 1), padding: attr.string('VALID') };
const NORM = { ...T_FLOAT, is_training: attr.bool(false), epsilon: attr.float(0.0625) };

/** conv, bias and norm of two channels; with changes. */
function net(change: Readonly<Record<string, NodeSpec>> = {}, more: readonly NodeSpec[] = []) {
  const nodes: NodeSpec[] = [
    placeholder('x', DataType.DT_FLOAT, [1, 2, 2, 2]),
    constant('w', counting([1, 1, 2, 2]), [1, 1, 2, 2]),
    node('conv', 'Conv2D', ['x', 'w'], CONV),
    constant('d', [1, 2]),
    node('bias', 'BiasAdd', ['conv', 'd'], T_FLOAT),
    constant('gamma', [2, 3]),
    constant('beta', [1, -1]),
    constant('mean', [0.5, 1]),
    constant('variance', [1, 4]),
    node('bn', 'FusedBatchNorm', ['bias', 'gamma', 'beta', 'mean', 'variance'], NORM),
    node('y', 'Relu', ['bn'], T_FLOAT),
  ];
  return graphOf([...nodes.map((one) => change[one.name] ?? one), ...more]);
}

const sitesOf = (graph: ReturnType<typeof net>, outputs = ['y'], options = {}) =>
  folded(graph, outputs, options).report.folded.map(({ name, pattern, action, reasons }) => [
    name,
    pattern,
    action,
    ...reasons,
  ]);

describe('the report of a site', () => {
  it('folds a chain into the kernel: Conv2D, BiasAdd, Relu are left', () => {
    const { graph, report } = folded(net(), ['y']);
    expect([...graph.nodes()].filter(({ op }) => op !== 'Const').map(({ name, op }) => `${name}: ${op}`)).toEqual([
      'x: Placeholder',
      'conv: Conv2D',
      'bn: BiasAdd',
      'y: Relu',
    ]);
    expect(report.folded).toEqual([
      { name: 'bn', pattern: 'FusedBatchNorm', action: 'previous', into: ['conv'], reasons: [] },
    ]);
    expect(report.cost).toEqual({
      before: { multiplications: 24, ops: { BiasAdd: 1, Conv2D: 1, FusedBatchNorm: 1, Relu: 1 } },
      after: { multiplications: 16, ops: { BiasAdd: 1, Conv2D: 1, Relu: 1 } },
    });
  });

  it('gives the reason, and both where both ways were tried', () => {
    const graph = net({}, [node('other', 'Tanh', ['bias'], T_FLOAT)]);
    expect(sitesOf(graph, ['y', 'other'])).toEqual([
      [
        'bn',
        'FusedBatchNorm',
        'arithmetic',
        { code: 'read_elsewhere', tensor: 'bias', reader: 'other' },
        { code: 'reader_not_linear', node: 'y', op: 'Relu' },
      ],
    ]);
  });

  it('is named after its batch norm, whatever arithmetic follows, and arithmetic after its last op', () => {
    const scaled = [
      constant('s', [2, 5]),
      node('scaled', 'Mul', ['bn', 's'], T_FLOAT),
      node('z', 'Relu', ['scaled'], T_FLOAT),
    ];
    expect(sitesOf(net({ y: node('y', 'NoOp') }, scaled), ['z'])).toEqual([['bn', 'FusedBatchNorm', 'previous']]);
    const only = node('bn', 'Mul', ['bias', 's'], T_FLOAT);
    expect(sitesOf(net({ bn: only }, [constant('s', [2, 5])]))).toEqual([['bn', 'arithmetic', 'previous']]);
  });

  it('leaves what --keep names', () => {
    expect(sitesOf(net(), ['y'], { keep: ['bn'] })).toEqual([
      ['bn', 'FusedBatchNorm', 'kept', { code: 'kept_by_option' }],
    ]);
  });

  it('leaves a batch norm in training mode that is kept', () => {
    const training = node('bn', 'FusedBatchNorm', ['bias', 'gamma', 'beta', 'mean', 'variance'], T_FLOAT);
    expect(sitesOf(net({ bn: training }), ['y'], { keep: ['bn'] })[0]![2]).toBe('kept');
  });
});

describe('what is never folded', () => {
  it('a variance that has no root', () => {
    expect(sitesOf(net({ variance: constant('variance', [-1, 4]) }))).toEqual([
      ['bn', 'FusedBatchNorm', 'kept', { code: 'not_a_number' }],
    ]);
  });

  it('a scale beyond float32', () => {
    const change = { gamma: constant('gamma', [3e38, 1]), variance: constant('variance', [0, 1]) };
    expect(sitesOf(net(change))[0]).toEqual([
      'bn',
      'FusedBatchNorm',
      'kept',
      { code: 'out_of_range', dtype: 'float32' },
    ]);
  });

  it('a constant that widens the channels of a convolution', () => {
    const graph = graphOf([
      placeholder('x', DataType.DT_FLOAT, [1, 2, 2, 2]),
      constant('w', [1, 2], [1, 1, 2, 1]),
      node('conv', 'Conv2D', ['x', 'w'], CONV),
      constant('c', [1, 2, 3]),
      node('y', 'Mul', ['conv', 'c'], T_FLOAT),
    ]);
    const { graph: after, report } = folded(graph, ['y']);
    expect(report.folded).toEqual([]);
    expect(after.get('y').op).toBe('Mul');
  });

  it('a constant that adds dimensions', () => {
    const graph = graphOf([
      placeholder('x', DataType.DT_FLOAT, [2, 2]),
      constant('w', [1, 2, 3, 4], [2, 2]),
      node('product', 'MatMul', ['x', 'w'], T_FLOAT),
      constant('c', [1, 2], [1, 1, 2]),
      node('y', 'Mul', ['product', 'c'], T_FLOAT),
    ]);
    expect(folded(graph, ['y']).graph.get('y').op).toBe('Mul');
  });

  it('a factor per row', () => {
    const graph = net({ bn: node('bn', 'Mul', ['bias', 'rows'], T_FLOAT) }, [constant('rows', [2, 3], [1, 2, 1, 1])]);
    expect(folded(graph, ['y']).graph.get('bn').op).toBe('Mul');
  });
});

describe('control edges', () => {
  it('stay with the name that they were at', () => {
    // Only the pivot of a branch or a loop keeps its control edges when a model is frozen.
    const pivot = [
      placeholder('p', DataType.DT_BOOL, []),
      node('switch', 'Switch', ['p', 'p'], { T: attr.type(DataType.DT_BOOL) }),
      node('taken', 'Identity', ['switch:1'], { T: attr.type(DataType.DT_BOOL) }),
    ];
    const norm = node('bn', 'FusedBatchNorm', ['bias', 'gamma', 'beta', 'mean', 'variance', '^taken'], NORM);
    const { graph, report } = folded(net({ bn: norm }, pivot), ['y'], { keep: ['p'] });
    expect(report.folded[0]!.action).toBe('previous');
    expect(graph.get('bn').controls).toEqual(['taken']);
  });

  it('keep the op that they come from', () => {
    const pivot = [
      placeholder('p', DataType.DT_BOOL, []),
      node('switch', 'Switch', ['p', 'p'], { T: attr.type(DataType.DT_BOOL) }),
      node('taken', 'Identity', ['switch:1'], { T: attr.type(DataType.DT_BOOL) }),
    ];
    const bias = node('bias', 'BiasAdd', ['conv', 'd', '^taken'], T_FLOAT);
    const { graph } = folded(net({ bias }, pivot), ['y'], { keep: ['p'] });
    expect(graph.get('bias')).toMatchObject({ op: 'BiasAdd', controls: ['taken'] });
  });
});
