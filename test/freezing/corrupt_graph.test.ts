import { expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { graphOf, node, placeholder, T_FLOAT } from '../support/build.js';
import { modelOf } from '../support/model.js';

const fix = 'the graph file is corrupt or was cut: save it again';

it.each([
  ['a port', ['x:1'], 'out reads x:1, which is not in the graph', 'x (Placeholder) has 1 outputs'],
  ['a node', ['gone'], 'out reads gone, which is not in the graph', undefined],
  ['a control input', ['x', '^gone'], 'out reads ^gone, which is not in the graph', undefined],
])('refuses a graph that lacks %s, before anything is changed', (_what, inputs, message, why) => {
  const graph = graphOf([placeholder('x'), node('out', 'Relu', inputs, T_FLOAT)]);

  for (const options of [{ outputs: ['out'] }, {}]) {
    expect(() => freeze(modelOf(graph), options)).toThrow(
      expect.objectContaining({ code: 'unreadable', where: 'out', message, why, fix }),
    );
  }
});
