// What a trial of a pin finds must be what a walk through the whole graph finds with that pin.
import { describe, expect, it } from 'vitest';
import { Branches } from '../../../src/analysis/training/branches.js';
import { conditionsOf, rootsOf } from '../../../src/analysis/training/conditions.js';
import { LiveNodes } from '../../../src/analysis/training/live_nodes.js';
import type { Graph } from '../../../src/graph/graph.js';
import { parseTensorName, type TensorRef } from '../../../src/graph/node.js';
import { load } from '../../../src/load.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { INLINE_PIPELINE, runPipeline } from '../../../src/passes/pipeline.js';
import { allCases } from '../../support/cases.js';
import { readGolden } from '../../support/golden.js';

/** Pins each flag to either value, on top of all pins before, and compares with {@link Branches}. */
function compareAllPins(graph: Graph, outputs: readonly TensorRef[]): number {
  const branches = new Branches(graph, new Map());
  const first = branches.needed(outputs);
  const roots = rootsOf(graph, conditionsOf(graph, first));
  const live = new LiveNodes(graph, outputs, branches, first);
  const pins = new Map<string, number>();
  for (const [i, root] of roots.entries()) {
    for (const value of [0, 1]) {
      const gone = new Set(live.withoutPinned(new Map([[root, value]])));
      const needed = new Branches(graph, new Map([...pins, [root, value]])).needed(outputs);
      const before = [...first].filter((node) => live.isLive(node));
      expect(
        before
          .filter((node) => !gone.has(node))
          .map(({ name }) => name)
          .sort(),
        `${root} = ${value}`,
      ).toEqual([...needed].map(({ name }) => name).sort());
    }
    pins.set(root, i % 2);
    live.pin(new Map([[root, i % 2]]));
  }
  return roots.length;
}

describe('with a pin, the nodes that feed the outputs are those of a whole walk', () => {
  const cases = allCases().filter(({ expect: expected }) => expected === 'freeze');

  it('in all fixtures with flags', async () => {
    let flags = 0;
    for (const one of cases) {
      const model = await load(one.model, one.load);
      runPipeline(INLINE_PIPELINE, { graph: model.graph });
      const outputs = Object.keys(readGolden(one.golden).outputs).map(parseTensorName);
      if (outputs.every(({ node }) => model.graph.has(node))) flags += compareAllPins(model.graph, outputs);
      model.close();
    }
    expect(flags).toBeGreaterThan(60);
  });

  it('if a flag selects a whole loop', () => {
    const graph = parseGraph(`
      x = Placeholder[shape=[2]], flag = Placeholder[bool, shape=[]], other = Placeholder[bool, shape=[]]
      s = Switch(x, flag)
      enter = Enter(s:1)[frame_name="loop"], merge = Merge(enter, next)
      less = Less(merge, 9.0), cond = LoopCond(less), turn = Switch(merge, cond)
      inner = Select(other, Relu(turn:1), Tanh(turn:1)), next = NextIteration(inner)
      exit = Exit(turn), y = Merge(s, exit)
    `);
    expect(compareAllPins(graph, [{ node: 'y', port: 0 }])).toBe(2);
  });

  it('if flags decide together', () => {
    const graph = parseGraph(`
      x = Placeholder[shape=[2]], a = Placeholder[bool, shape=[]], b = Placeholder[bool, shape=[]]
      both = LogicalAnd(a, b), one = LogicalOr(LogicalNot(a), b)
      y = Select(both, Select(one, Relu(x), Tanh(x)), Merge(Switch(Exp(x), b), Log(x)))
    `);
    expect(compareAllPins(graph, [{ node: 'y', port: 0 }])).toBe(2);
  });
});
