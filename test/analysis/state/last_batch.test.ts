import { describe, expect, it } from 'vitest';
import { findAssignedReads } from '../../../src/analysis/state/last_batch.js';
import { findUpdates } from '../../../src/analysis/state/moving_averages.js';
import { findVariables } from '../../../src/analysis/state/variables.js';
import { findActivations } from '../../../src/analysis/training/activations.js';
import { refText } from '../../../src/graph/node.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

const HEAD = `x = Placeholder[shape=[?, 2]]
m = Mean(x, [0])
last = VariableV2[shape=[2]]
moving = VariableV2[shape=[2]]
`;
const AVERAGE = 'AssignSub(moving, (moving - m) * 0.1)\n';

/** Input of a node = what was assigned: where the graph reads the statistic of its batch. */
function readsOf(text: string): string[] {
  const graph = parseGraph(HEAD + text);
  const { lastBatches } = findUpdates(graph, findVariables(modelOf(graph)), findActivations(graph));
  const reads = findAssignedReads(graph, lastBatches, [{ node: 'y', port: 0 }]);
  return reads.map(({ node, index, value }) => `${node}[${index}] = ${refText(value)}`);
}

describe('reads of what was just assigned', () => {
  it.each([
    [
      'the variable, after the assignment',
      `${AVERAGE}set = Assign(last, m)\nr = Identity(last, ^set)\ny = x - r`,
      ['r[0] = m'],
    ],
    ['its new value', `${AVERAGE}set = Assign(last, m)\ny = x - set`, ['y[1] = m']],
    ['both inputs of an op', `${AVERAGE}set = Assign(last, m)\ny = set * set`, ['y[0] = m', 'y[1] = m']],
  ])('%s', (_, text, reads) => {
    expect(readsOf(text)).toEqual(reads);
  });

  it('of a resource are those of its reads', () => {
    const text = `h = VarHandleOp[shape=[2]]
${AVERAGE}set = AssignVariableOp(h, m)
r = ReadVariableOp(Identity(h), ^set)
y = x - r`;
    expect(readsOf(text)).toEqual(['y[1] = m']);
  });

  it.each([
    ['nothing averages the statistic', 'set = Assign(last, m)\ny = x - set'],
    ['the assignment does not run with the output', `${AVERAGE}Assign(last, m)\ny = x - last`],
    ['it adds', `${AVERAGE}set = AssignAdd(last, m - last)\ny = x - Identity(last, ^set)`],
    [
      'two ops assign',
      `${AVERAGE}set = Assign(last, m)\nagain = Assign(last, m)\ny = x - Identity(last, ^set, ^again)`,
    ],
    [
      'the variable is chosen by a condition',
      `c = Placeholder[bool, shape=[]]\n${AVERAGE}set = Assign(RefSwitch(last, c), m)\ny = x - Identity(last, ^set)`,
    ],
    ['what reads it feeds no output', `${AVERAGE}set = Assign(last, m)\nz = x - set\ny = Relu(x, ^set)`],
    [
      'what reads it updates another variable',
      `${AVERAGE}set = Assign(last, m)\nother = Assign(moving, set)\ny = Relu(x, ^other)`,
    ],
  ])('are none where %s', (_, text) => {
    expect(readsOf(text)).toEqual([]);
  });
});
