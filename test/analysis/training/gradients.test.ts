import { describe, expect, it } from 'vitest';
import { Gradients, isTrainingGradient } from '../../../src/analysis/training/gradients.js';
import { NodeSet } from '../../../src/graph/node_set.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { graphOf, node } from '../../support/build.js';

describe('the gradients that are in use', () => {
  const gradientsOf = (...names: string[]) => {
    const graph = graphOf(names.map((name) => node(name, 'Mul')));
    return new Gradients(new NodeSet(graph, graph.nodes()));
  };

  it.each([
    ['gradients/bn/mul_grad/Mul', 'bn/mul'],
    ['gradients_1/bn/mul_grad/Mul', 'bn/mul'],
    ['gradients_12/bn/mul_grad/tuple/control_dependency', 'bn/mul'],
    ['tower/gradients/bn/mul_grad/Mul', 'bn/mul'],
    ['tower/gradients/bn/mul_grad/Mul', 'tower/bn/mul'],
    ['gradient_tape/model/bn/Mul', 'model/bn/add'],
    ['a/gradient_tape/model/bn/Mul_1', 'a/model/bn/add'],
  ])('%s is one of %s', (gradient, op) => {
    expect(gradientsOf('other', gradient).of(op)).toBe(gradient);
  });

  it.each([
    ['gradients/bn/mul_grad', 'bn/mul'],
    ['gradients/bn/mul/Mul', 'bn/mul'],
    ['my_gradients/bn/mul_grad/Mul', 'bn/mul'],
    ['gradients_x/bn/mul_grad/Mul', 'bn/mul'],
    ['gradients/bn/mul_grad/Mul', 'bn/sub'],
    ['tower/gradients/bn/mul_grad/Mul', 'other/bn/mul'],
    ['gradient_tape/Mul', 'Mul'],
    ['gradient_tape/model/bn/Mul', 'model/Mul'],
    ['gradient_tape/model/bn/Mul', 'bn'],
  ])('%s is none of %s', (gradient, op) => {
    expect(gradientsOf(gradient).of(op)).toBeUndefined();
  });
});

it('the gradient of a fused batch norm goes through its statistics in training mode, which is the default', () => {
  const isTraining = (text: string) => isTrainingGradient(parseGraph(text).get('g'));
  expect(isTraining('g = FusedBatchNormGradV3(a, b, c, d, e, f)[is_training=true]')).toBe(true);
  expect(isTraining('g = FusedBatchNormGradV3(a, b, c, d, e, f)')).toBe(true);
  expect(isTraining('g = FusedBatchNormGrad(a, b, c, d, e)[is_training=false]')).toBe(false);
  expect(isTraining('g = FusedBatchNormV3(a, b, c, d, e)[is_training=true]')).toBe(false);
});
