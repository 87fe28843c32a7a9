import { describe, expect, it } from 'vitest';
import { parseGraph } from '../../src/notation/parse.js';
import { epsilonAttr } from '../../src/ops/epsilon.js';

const INPUTS = 'x = Placeholder[shape=[?, 4, 4, 1]]\nv = Const[value=[1.0]]\n';

describe('epsilonAttr', () => {
  it.each([
    ['FusedBatchNorm(x, v, v, v, v)[is_training=false]', Math.fround(1e-4)],
    ['FusedBatchNormV3(x, v, v, v, v)[is_training=false]', Math.fround(1e-4)],
    ['FusedBatchNormV3(x, v, v, v, v)[epsilon=0.5, is_training=false]', 0.5],
    ['BatchNormWithGlobalNormalization(x, v, v, v, v)[variance_epsilon=0.25]', 0.25],
    ['BatchNormWithGlobalNormalization(x, v, v, v, v)', 0],
  ])('of %s is %d', (op, epsilon) => {
    expect(epsilonAttr(parseGraph(`${INPUTS}y = ${op}`).get('y'))).toBe(epsilon);
  });
});
