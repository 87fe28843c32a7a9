import { expect, it } from 'vitest';
import { findUpdates } from '../../../src/analysis/state/moving_averages.js';
import { findCorrections } from '../../../src/analysis/state/renorm_corrections.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { findActivations } from '../../../src/analysis/training/activations.js';
import { refText } from '../../../src/graph/node.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

/** The corrections of a graph, but for those within its updates: tensor = value [shape]. */
function correctionsOf(text: string): string[] {
  const graph = parseGraph(text);
  const variables = findVariables(modelOf(graph));
  const activations = findActivations(graph);
  const found = findCorrections(graph, variables, findUpdates(graph, variables, activations), activations);
  const outside = found.filter(({ ref }) => !ref.node.includes('/'));
  return outside.map(({ ref, value, shape }) => `${refText(ref)} = ${value} [${shape}]`);
}

/** renorm_mean averages the mean of the batch; moving_mean averages its new value. r and d compare both. */
const renorm = (more: string, shape = '[shape=[4]]') => `x = Placeholder[shape=[?, 4]]
m = Mean(x, [0])
renorm_mean = VariableV2${shape}
moving_mean = VariableV2${shape}
new = AssignSub(renorm_mean, (renorm_mean - m) * 0.01)
AssignSub(moving_mean, (moving_mean - new) * 0.1)
${more}`;

it('what compares a statistic with the variable that averages it is 1 or 0 after convergence', () => {
  const text = renorm(`r = RealDiv(m, renorm_mean)
d = Sub(m, renorm_mean)
stopped = StopGradient(r)
clipped = Minimum(Maximum(r, 0.3), 3.0)
y = x * r + d`);
  expect(correctionsOf(text)).toEqual(
    expect.arrayContaining(['r = 1 [4]', 'd = 0 [4]', 'stopped = 1 [4]', 'clipped = 1 [4]']),
  );
  // Neither the product with data, nor what depends on the size of the statistic.
  expect(correctionsOf(text).filter((line) => /^y|^m |^Assign|^new/.test(line))).toEqual([]);
});

it('other numbers than 1 and 0, or ones that depend on the statistic, are no corrections', () => {
  expect(
    correctionsOf(
      renorm('twice = (m + renorm_mean) / m\nsum = m + renorm_mean\nnear = RealDiv(m + 0.001, renorm_mean)'),
    ),
  ).toEqual([]);
});

it('what reads the data as well is no correction', () => {
  expect(
    correctionsOf(renorm('direct = (x - renorm_mean) - (x - m)\nmixed = RealDiv(Relu(x) * 0.0 + m, renorm_mean)')),
  ).toEqual([]);
});

it('a variable of resource type is read by ops', () => {
  const text = `x = Placeholder[shape=[?, 4]]
m = Mean(x, [0])
renorm_mean = VarHandleOp[shape=[4]]
moving_mean = VarHandleOp[shape=[4]]
update = AssignSubVariableOp(renorm_mean, (ReadVariableOp(renorm_mean) - m) * 0.01)
new = ReadVariableOp(renorm_mean, ^update)
AssignSubVariableOp(moving_mean, (ReadVariableOp(moving_mean) - new) * 0.1)
r = RealDiv(m, ReadVariableOp(renorm_mean))`;
  expect(correctionsOf(text)).toEqual(['r = 1 [4]']);
});

it('a variable that inference reads, a number, or one of unknown shape corrects nothing', () => {
  const plain = `x = Placeholder[shape=[?, 4]]
m = Mean(x, [0])
moving_mean = VariableV2[shape=[4]]
AssignSub(moving_mean, (moving_mean - m) * 0.1)
r = RealDiv(m, moving_mean)`;
  expect(correctionsOf(plain)).toEqual([]);
  expect(correctionsOf(renorm('r = RealDiv(Mean(m, [0]), Mean(renorm_mean, [0]))', '[shape=[]]'))).toEqual([]);
  expect(correctionsOf(renorm('r = RealDiv(m, renorm_mean)', '[shape=?]'))).toEqual([]);
});
