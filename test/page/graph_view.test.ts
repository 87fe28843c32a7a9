import { expect, it } from 'vitest';
import { inspectAnalysis } from '../../src/diagnosis/inspect.js';
import { analyse } from '../../src/freezing/analyse.js';
import { fold } from '../../src/freezing/fold.js';
import { parseGraph } from '../../src/notation/parse.js';
import { graphView } from '../../src/page/graph_view.js';
import { modelOf } from '../support/model.js';
import { netOf } from '../support/plain_net.js';
import { viewNames } from '../support/view_names.js';

function viewOf(graph: ReturnType<typeof parseGraph>, output: string, isFolded = false) {
  const [model, options] = [modelOf(graph), { outputs: [output] }];
  const analysis = analyse(model, options);
  return graphView(analysis.graph, inspectAnalysis(analysis), isFolded ? fold(model, options).report : undefined);
}

it('has all names, ops and edges, in an order in which inputs come first', () => {
  const graph = parseGraph(
    'x = Placeholder[shape=[?, 2]]\nscope/w = Const[value=[1.0, 2.0]]\nscope/y = Mul(x, scope/w)\ny = Relu(scope/y)\nother = Neg(x)',
  );
  const view = viewOf(graph, 'y');
  const names = viewNames(view);
  expect([...names].sort()).toEqual([...graph.nodes()].map(({ name }) => name).sort());
  for (const [i, name] of names.entries()) {
    const node = graph.get(name);
    expect(view.ops[view.op[i]!]).toBe(node.op);
    expect(view.inputs[i]!.map((distance) => names[i - distance])).toEqual(node.inputs.map(({ node }) => node));
    expect(view.inputs[i]!.every((distance) => distance > 0)).toBe(true);
  }
  const partOf = (name: string) => view.parts[names.indexOf(name)];
  expect(['x', 'scope/w', 'scope/y', 'other'].map(partOf)).toEqual(['d', 'w', 'd', 'x']);
});

it('marks batch norms by what became of them', () => {
  const view = viewOf(
    netOf(2, (layer, node) => `${node}_${layer}`),
    'relu_2',
    true,
  );
  const marked = Object.entries(view.marks).map(([mark, nodes]) => [mark, nodes!.map((node) => viewNames(view)[node])]);
  expect(Object.fromEntries(marked)).toEqual({
    input: ['input_0'],
    output: ['relu_2'],
    folded_into: ['conv_1', 'conv_2'],
    folded: ['bn_1', 'bn_2'],
  });
  expect(view.layers.map((node) => viewNames(view)[node!])).toEqual(['bn_1', 'bn_2']);
});

it('leaves out what feeds no output where the graph is too large', () => {
  const unused = Array.from({ length: 20_000 }, (_, i) => `unused_${i} = Neg(x)`);
  const view = viewOf(parseGraph(['x = Placeholder[shape=[?, 2]]', 'y = Relu(x)', ...unused].join('\n')), 'y');
  expect(viewNames(view)).toEqual(['x', 'y']);
  expect(view.omitted).toBe(20_000);
});
