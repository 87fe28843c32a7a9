import { attr } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import { anyOf } from '../ops/meaning.js';

const isRandom = anyOf('random');

/** A copy of a graph whose random ops output the same every time, and the same in all graphs that have an op of their name. */
export function withPinnedRandomOps(graph: Graph): Graph {
  const pinned = graph.copy();
  for (const node of pinned.nodes()) {
    if (!isRandom(node)) continue;
    const seed = seedOf(node.name);
    pinned.setAttr(node, 'seed', attr.int(seed));
    pinned.setAttr(node, 'seed2', attr.int(seed));
  }
  return pinned;
}

/** A positive number that depends on a name: 0 would draw other numbers each time. */
function seedOf(name: string): number {
  let hash = 7;
  for (const char of name) hash = (Math.imul(hash, 31) + char.codePointAt(0)!) >>> 0;
  return (hash % 2 ** 30) + 1;
}
