import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/freezing/analyse.js';
import { refText } from '../../src/graph/node.js';
import { parseGraph } from '../../src/notation/parse.js';
import { modelOf } from '../support/model.js';

const GRAPH = `
x = Placeholder[shape=[?, 2]]
label = Placeholder[shape=[?, 2]]
y = MatMul(x, [[1.0, 2.0], [3.0, 4.0]])
difference = SquaredDifference(y, label)
end = Mean(difference, Const[value=[0, 1]])
`;

const outputsAs = (kind: 'graph_def' | 'meta_graph') =>
  analyse({ ...modelOf(parseGraph(GRAPH)), kind }).outputs.refs.map(refText);

describe('the outputs of a graph without variables', () => {
  it('are chosen where it was saved in training', () => {
    expect(outputsAs('meta_graph')).toEqual(['y']);
  });

  it('include all ends where it was frozen: it was cut to what was wanted', () => {
    expect(outputsAs('graph_def')).toEqual(['y', 'end']);
  });
});
