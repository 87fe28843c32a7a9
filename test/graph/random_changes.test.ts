import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Graph } from '../../src/graph/graph.js';
import type { Node, TensorRef } from '../../src/graph/node.js';
import { NodeSet } from '../../src/graph/node_set.js';
import { failure } from '../support/failure.js';
import { randomRuns } from '../support/random.js';

/** A graph as a list of nodes, without any index: what it is asked for is searched. */
interface Naive {
  readonly name: string;
  op: string;
  inputs: TensorRef[];
  controls: string[];
}

class NaiveGraph {
  nodes: Naive[] = [];

  find(name: string): Naive {
    return this.nodes.find((node) => node.name === name)!;
  }

  consumers({ node, port }: TensorRef): string[] {
    return this.nodes
      .filter(({ inputs }) => inputs.some((ref) => ref.node === node && ref.port === port))
      .map(({ name }) => name);
  }

  ports(name: string): number[] {
    const all = this.nodes.flatMap(({ inputs }) => inputs.filter((ref) => ref.node === name).map(({ port }) => port));
    return [...new Set(all)].sort((a, b) => a - b);
  }

  controlConsumers(name: string): string[] {
    return this.nodes.filter(({ controls }) => controls.includes(name)).map((node) => node.name);
  }

  isConsumed(name: string): boolean {
    return this.ports(name).length > 0 || this.controlConsumers(name).length > 0;
  }
}

const names = (nodes: readonly Node[]) => nodes.map(({ name }) => name).sort();

/** Both must say the same, whatever they are asked. */
function expectEqual(graph: Graph, naive: NaiveGraph): void {
  const nodes = [...graph.nodes()].map(({ name, op, inputs, controls }) => ({ name, op, inputs, controls }));
  expect(nodes).toEqual(naive.nodes);
  expect(graph.size).toBe(naive.nodes.length);
  for (const { name, inputs } of naive.nodes) {
    const ports = naive.ports(name);
    expect(graph.usedPorts(name), name).toEqual(ports);
    for (const port of [0, 1, 2]) {
      expect(names(graph.consumers({ node: name, port })), `${name}:${port}`).toEqual(
        naive.consumers({ node: name, port }).sort(),
      );
    }
    const readers = new Set(ports.flatMap((port) => naive.consumers({ node: name, port })));
    expect(names(graph.dataConsumers(name)), name).toEqual([...readers].sort());
    expect(names(graph.controlConsumers(name)), `^${name}`).toEqual(naive.controlConsumers(name).sort());
    expect(graph.inputNodes(graph.get(name)).map((node) => node!.name)).toEqual(inputs.map(({ node }) => node));
  }
  const ids = [...graph.nodes()].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => id < graph.idLimit)).toBe(true);
}

/** One change, by numbers that choose what it is made to. */
const changes = fc.record({
  kind: fc.constantFrom('add', 'inputs', 'input', 'controls', 'replace', 'uses', 'remove', 'retain', 'move', 'ask'),
  a: fc.nat(99),
  b: fc.nat(99),
  refs: fc.array(fc.tuple(fc.nat(99), fc.nat(2)), { maxLength: 4 }),
  controls: fc.array(fc.nat(99), { maxLength: 3 }),
});
type Change = typeof changes extends fc.Arbitrary<infer T> ? T : never;

function apply(graph: Graph, naive: NaiveGraph, { kind, a, b, refs, controls }: Change): void {
  const { nodes } = naive;
  const pick = (n: number) => nodes[n % nodes.length]!;
  const inputs = nodes.length > 0 ? refs.map(([n, port]): TensorRef => ({ node: pick(n).name, port })) : [];
  const waits = nodes.length > 0 ? controls.map((n) => pick(n).name) : [];
  if (kind === 'add' || nodes.length === 0) {
    const base = `n${a % 3}`;
    let name = base;
    for (let i = 1; nodes.some((node) => node.name === name); i++) name = `${base}_${i}`;
    // Names of removed nodes are not always used again.
    const free = graph.freeName(base);
    expect(graph.has(free)).toBe(false);
    graph.add({ name: free, op: 'Op', inputs, controls: waits });
    nodes.push({ name: free, op: 'Op', inputs, controls: waits });
    return;
  }
  const chosen = pick(a);
  const node = graph.get(chosen.name);
  switch (kind) {
    case 'inputs':
      graph.setInputs(node, inputs);
      chosen.inputs = inputs;
      return;
    case 'input':
      if (chosen.inputs.length === 0) {
        expect(failure(() => graph.setInput(node, 0, inputs[0]!)).message).toBe(`${chosen.name} has no input 0`);
        return;
      }
      graph.setInput(node, b % chosen.inputs.length, { node: pick(b).name, port: 1 });
      chosen.inputs = chosen.inputs.with(b % chosen.inputs.length, { node: pick(b).name, port: 1 });
      return;
    case 'controls':
      graph.setControls(node, waits);
      chosen.controls = waits;
      return;
    case 'replace':
      graph.replace(node, { op: `Op${b}`, inputs, controls: waits });
      Object.assign(chosen, { op: `Op${b}`, inputs, controls: waits });
      return;
    case 'uses': {
      const [from, to] = [
        { node: chosen.name, port: b % 3 },
        { node: pick(b).name, port: a % 2 },
      ];
      const readers = naive.consumers(from).filter((name) => name !== pick(a + 1).name);
      expect(graph.replaceUses(from, to, ({ name }) => name !== pick(a + 1).name)).toBe(readers.length);
      for (const name of readers) {
        const reader = naive.find(name);
        reader.inputs = reader.inputs.map((ref) => (ref.node === from.node && ref.port === from.port ? to : ref));
      }
      return;
    }
    case 'remove':
      if (naive.isConsumed(chosen.name)) {
        expect(failure(() => graph.remove(chosen.name)).message).toMatch(/is still consumed by/);
        return;
      }
      graph.remove(chosen.name);
      naive.nodes = nodes.filter((each) => each !== chosen);
      return;
    case 'retain': {
      // A few and all that they need.
      const kept = new Set([chosen.name, pick(b).name]);
      for (const name of kept) {
        for (const ref of naive.find(name).inputs) kept.add(ref.node);
        for (const control of naive.find(name).controls) kept.add(control);
      }
      graph.retain(setOf(graph, kept));
      naive.nodes = nodes.filter(({ name }) => kept.has(name));
      return;
    }
    case 'move': {
      // A node to the place of its only consumer, which must not be itself.
      const readers = [
        ...new Set([...naive.ports(chosen.name)].flatMap((port) => naive.consumers({ node: chosen.name, port }))),
      ];
      const [place] = readers;
      if (readers.length !== 1 || place === chosen.name || naive.controlConsumers(chosen.name).length > 0) return;
      graph.moveTo(node, graph.get(place!));
      Object.assign(naive.find(place!), { op: chosen.op, inputs: chosen.inputs, controls: chosen.controls });
      naive.nodes = nodes.filter((each) => each !== chosen);
      return;
    }
    case 'ask':
      // Indexes are made when they are first asked for.
      expectEqual(graph, naive);
  }
}

function setOf(graph: Graph, kept: ReadonlySet<string>): NodeSet {
  const set = new NodeSet(graph);
  for (const name of kept) set.add(graph.get(name));
  return set;
}

it('whatever is changed in whatever order, its indexes agree with a search through all nodes', () => {
  fc.assert(
    fc.property(fc.array(changes, { minLength: 1, maxLength: 40 }), (list) => {
      const [graph, naive] = [new Graph(), new NaiveGraph()];
      for (const change of list) {
        const before = graph.version;
        const text = JSON.stringify(naive.nodes);
        apply(graph, naive, change);
        if (JSON.stringify(naive.nodes) !== text) expect(graph.version).toBeGreaterThan(before);
      }
      expectEqual(graph, naive);
      expectEqual(graph.copy(), naive);
    }),
    randomRuns(300),
  );
});
