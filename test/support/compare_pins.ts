import { expect } from 'vitest';
import { Branches } from '../../src/analysis/training/branches.js';
import { conditionsOf, rootsOf } from '../../src/analysis/training/conditions.js';
import { LiveNodes } from '../../src/analysis/training/live_nodes.js';
import type { Graph } from '../../src/graph/graph.js';
import type { TensorRef } from '../../src/graph/node.js';

/**
 * Pins each flag to either value, on top of all pins before: what a trial finds must be what a walk through the whole graph finds.
 * Returns the number of flags.
 */
export function compareAllPins(graph: Graph, outputs: readonly TensorRef[]): number {
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
