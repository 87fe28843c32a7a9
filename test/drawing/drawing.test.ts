import { describe, expect, it } from 'vitest';
import { inspectAnalysis } from '../../src/diagnosis/inspect.js';
import { MOST_GROUPS } from '../../src/drawing/bound.js';
import { drawingOf } from '../../src/drawing/draw.js';
import type { Drawing } from '../../src/drawing/drawing.js';
import { drawSvg } from '../../src/drawing/svg.js';
import { analyse } from '../../src/freezing/analyse.js';
import { Graph } from '../../src/graph/graph.js';
import { load } from '../../src/load.js';
import { parseGraph } from '../../src/notation/parse.js';
import { allCases } from '../support/cases.js';

function drawn(text: string): Drawing {
  return drawnGraph(parseGraph(text));
}

function drawnGraph(graph: Graph): Drawing {
  const analysis = analyse(
    { name: 'g.pb', graph, metaGraphDef: {}, checkpoint: undefined, byteLength: 0 },
    { outputs: ['y'] },
  );
  return drawingOf(analysis, inspectAnalysis(analysis));
}

const lines = ({ groups, edges }: Drawing) => [
  ...groups.map(
    ({ id, name, role, ops, repeats }) => `${id} ${name} ${role}: ${ops.join()}${repeats > 1 ? ` x${repeats}` : ''}`,
  ),
  ...edges.map(({ from, to }) => `${from} -> ${to}`),
];

/** A convolution and its batch norm, in training mode. */
const layer = (name: string, x: string) => `
${name}/Conv2D = Conv2D(${x}, [[[[1.0, 2.0], [3.0, 4.0]]]])[padding=SAME, strides=[1, 1, 1, 1]]
${name}/bn = FusedBatchNormV3(${name}/Conv2D, [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0])
${name}/Relu = Relu(${name}/bn)`;

describe('a drawing', () => {
  it('joins a convolution, its batch norm and its activation, and leaves out weights', () => {
    const text = `x = Placeholder[shape=[?, 4, 4, 2]]${layer('a', 'x')}${layer('b', 'a/Relu')}\ny = Identity(b/Relu)\n`;
    expect(lines(drawn(text))).toEqual([
      'g0 x other: Placeholder',
      'g1 a training: Conv2D,FusedBatchNormV3,Relu',
      'g2 b training: Conv2D,FusedBatchNormV3,Relu',
      'g3 y other: Identity',
      'g0 -> g1',
      'g1 -> g2',
      'g2 -> g3',
    ]);
  });

  it('shows branches', () => {
    const text = `x = Placeholder[shape=[?, 4, 4, 2]]${layer('a', 'x')}${layer('b', 'a/Relu')}\nsum = Add(a/Relu, b/Relu)\ny = Identity(sum)\n`;
    expect(lines(drawn(text)).filter((line) => line.includes('->'))).toEqual([
      'g0 -> g1',
      'g1 -> g2',
      'g1 -> g3',
      'g2 -> g3',
      'g3 -> g4',
    ]);
  });

  it('draws equal blocks that follow each other as one, if there are many', () => {
    let [text, x] = ['x = Placeholder[shape=[?, 4, 4, 2]]', 'x'];
    for (let i = 0; i < 2 * MOST_GROUPS; i++) {
      text += layer(`block${i}`, x);
      x = `block${i}/Relu`;
    }
    const { groups } = drawn(`${text}\ny = Identity(${x})\n`);
    expect(groups.map(({ name, repeats }) => `${name} x${repeats}`)).toEqual([
      'x x1',
      `block0 … block${2 * MOST_GROUPS - 1} x${2 * MOST_GROUPS}`,
      'y x1',
    ]);
    expect(groups[1]!.batchNorms.length).toBe(2 * MOST_GROUPS);
  });

  it.each([
    ['flat names', (i: number) => `Op_${i}`],
    ['scopes', (i: number) => `scope_${i % 700}/part_${i % 7}/op_${i}`],
  ])('is bounded and quick for 20,000 nodes with %s', (_, nameOf) => {
    const graph = new Graph([{ name: 'x', op: 'Placeholder' }]);
    const names = ['x'];
    for (let i = 0; i < 20_000; i++) {
      const from = [names.at(-1)!, names[Math.floor((names.length * ((i * 7919) % 97)) / 97)]!];
      const spec = { name: nameOf(i), op: i % 3 === 0 ? 'Add' : 'Mul' };
      graph.add({ ...spec, inputs: from.map((node) => ({ node, port: 0 })) });
      names.push(spec.name);
    }
    graph.add({ name: 'y', op: 'Identity', inputs: [{ node: names.at(-1)!, port: 0 }] });
    const { groups } = drawnGraph(graph);
    expect(groups.length).toBeLessThanOrEqual(MOST_GROUPS);
    expect(groups.reduce((sum, { nodes }) => sum + nodes, 0)).toBe(20_002);
  });

  it('has every batch norm of every fixture that feeds an output, once', async () => {
    const wrong: string[] = [];
    for (const one of allCases().filter((_, i) => i % 4 === 0)) {
      const model = await load(one.model, one.load);
      const analysis = analyse(model, one.freeze);
      const inspection = inspectAnalysis(analysis);
      const { groups, edges } = drawingOf(analysis, inspection);
      const found = groups.flatMap(({ batchNorms }) => batchNorms).sort();
      const wanted = inspection.batchNorms.filter(({ feeds }) => feeds.length > 0).map(({ name }) => name);
      const ids = new Set(groups.map(({ id }) => id));
      if (String(found) !== String(wanted.sort())) wrong.push(`${one.name}: ${found} / ${wanted}`);
      if (edges.some(({ from, to }) => !ids.has(from) || !ids.has(to))) wrong.push(`${one.name}: edges`);
      model.close();
    }
    expect(wrong).toEqual([]);
  }, 60_000);
});

describe('an SVG', () => {
  const hostile = `</title><script>alert(1)</script>" onload="x" 'y' &amp; ]]> \u202e\u0007\ufffe`;
  const group = {
    kind: 'layers',
    role: 'training',
    ops: [hostile],
    nodes: 1,
    batchNorms: [hostile],
    repeats: 1,
  } as const;

  it('has no markup but its own, whatever the names are', async () => {
    const drawing: Drawing = {
      groups: [
        { ...group, id: 'g0', name: hostile },
        { ...group, id: 'g1', name: '<![CDATA[' },
      ],
      edges: [{ from: 'g0', to: 'g1', shape: [-1, 2] }],
    };
    const svg = await drawSvg(drawing, { title: '<b>', text: '"&"' });
    const tags = new Set([...svg.matchAll(/<\/?([^\s>/]*)/g)].map(([, tag]) => tag));
    expect([...tags].sort()).toEqual(['desc', 'g', 'path', 'rect', 'style', 'svg', 'text', 'title']);
    expect(svg).not.toMatch(/<[^>]*\son\w+=/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has none of these
    expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e\ufffe\uffff]/);
    expect(svg.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
  });

  it('follows the colours of the page, and has the shapes', async () => {
    const drawing: Drawing = {
      groups: [
        { ...group, id: 'g0', name: 'a', ops: ['Conv2D'], batchNorms: [] },
        { ...group, id: 'g1', name: 'b', ops: ['Relu'], batchNorms: [] },
      ],
      edges: [{ from: 'g0', to: 'g1', shape: [-1, 2] }],
    };
    const svg = await drawSvg(drawing, { title: 'm', text: 't' });
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).toContain('>[?,2]</text>');
    expect(svg).toContain('uses batch statistics');
  });
});
