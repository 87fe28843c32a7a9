import { describe, expect, it } from 'vitest';
import { NodeNumbers } from '../../src/graph/node_numbers.js';
import { NodeSet } from '../../src/graph/node_set.js';
import { ancestors, descendants, spread, topologicalOrder } from '../../src/graph/walk.js';
import { constant, graphOf, node } from '../support/build.js';
import { loop } from '../support/run.js';

const names = (nodes: Iterable<{ readonly name: string }>) => [...nodes].map(({ name }) => name);

describe('NodeSet', () => {
  it('holds each node once, in the order in which they came', () => {
    const graph = graphOf([node('a', 'Any'), node('b', 'Any'), node('c', 'Any')]);
    const set = new NodeSet(graph, [graph.get('c'), graph.get('a'), graph.get('c')]);
    set.add(undefined);
    expect(names(set)).toEqual(['c', 'a']);
    expect(set.size).toBe(2);
    expect(['a', 'b', 'c', 'd'].map((name) => set.hasNamed(name))).toEqual([true, false, true, false]);
    expect(set.has(undefined)).toBe(false);
  });

  it('may grow while it is gone through', () => {
    const graph = graphOf([node('a', 'Any'), node('b', 'Any', ['a']), node('c', 'Any', ['b'])]);
    const set = new NodeSet(graph, [graph.get('c')]);
    for (const each of set) for (const input of graph.inputNodes(each)) set.add(input);
    expect(names(set)).toEqual(['c', 'b', 'a']);
  });

  it('with many members, and again after it was cleared', () => {
    const graph = graphOf(Array.from({ length: 40 }, (_, i) => node(`n${i}`, 'Any')));
    const even = [...graph.nodes()].filter(({ id }) => id % 2 === 0);
    const set = new NodeSet(graph, [...even, ...even]);
    expect(set.size).toBe(20);
    const late = graph.add(node('late', 'Any'));
    expect([...graph.nodes()].filter((each) => set.has(each))).toEqual(even);
    set.add(late);
    expect(set.has(late)).toBe(true);
    set.clear();
    expect([set.size, ...[...graph.nodes()].filter((each) => set.has(each))]).toEqual([0]);
    set.add(late);
    expect(names(set)).toEqual(['late']);
  });

  it('numbers of nodes, and none after they were cleared', () => {
    const graph = graphOf([node('a', 'Any'), node('b', 'Any'), node('c', 'Any')]);
    const numbers = new NodeNumbers(graph);
    numbers.set(graph.get('b'), 7);
    numbers.set(graph.get('a'), -1);
    numbers.set(graph.get('b'), 8);
    expect(['a', 'b', 'c'].map((name) => numbers.get(graph.get(name)))).toEqual([-1, 8, undefined]);
    expect(names(numbers.nodes)).toEqual(['b', 'a']);
    numbers.clear();
    expect(numbers.get(graph.get('b'))).toBeUndefined();
  });

  it('takes nodes that the graph was given later, and never takes one for another that is gone', () => {
    const graph = graphOf([node('a', 'Any')]);
    const set = new NodeSet(graph, [graph.get('a')]);
    graph.remove('a');
    const later = graph.add(node('a', 'Any'));
    expect(set.has(later)).toBe(false);
    set.add(later);
    expect(set.has(later)).toBe(true);
  });
});

describe('walks', () => {
  const graph = graphOf([
    node('x', 'Any'),
    node('w', 'Any'),
    node('y', 'Any', ['x', 'w', '^ready']),
    node('ready', 'NoOp', ['^w']),
    node('z', 'Any', ['y:1']),
  ]);

  it('ancestors: what a node needs, with and without control inputs', () => {
    expect(names(ancestors(graph, ['y']))).toEqual(['y', 'x', 'w', 'ready']);
    expect(names(ancestors(graph, ['y'], false))).toEqual(['y', 'x', 'w']);
  });

  it('descendants: what data reaches, up to where it is stopped', () => {
    expect(names(descendants(graph, ['w']))).toEqual(['w', 'y', 'z']);
    expect(names(descendants(graph, ['w'], ({ name }) => name !== 'y'))).toEqual(['w', 'y']);
  });

  it('spread: comes back to the beginning of a loop', () => {
    const turning = loop();
    // `add` is computed behind `merge_i`, and comes back to it.
    const found = spread(turning, (each, before) => {
      return each.name === 'add' || turning.inputNodes(each).some((input) => before.has(input));
    });
    expect(names(found)).toContain('merge_i');
    expect(names(found)).not.toContain('enter_p');
    expect(found.hasNamed('n')).toBe(false);
  });

  it('the order is that of the graph as it is', () => {
    const changing = graphOf([node('a', 'Any'), node('b', 'Any')]);
    expect(names(topologicalOrder(changing))).toEqual(['a', 'b']);
    changing.setInputs(changing.get('a'), [{ node: 'b', port: 0 }]);
    expect(names(topologicalOrder(changing))).toEqual(['b', 'a']);
    expect(changing.inputNode(changing.get('a'), 0)?.name).toBe('b');
  });
});

describe('Graph', () => {
  it('knows the consumers of every port, however many there are', () => {
    const graph = graphOf([
      constant('c', [1]),
      ...Array.from({ length: 5 }, (_, i) => node(`n${i}`, 'Any', ['c', 'c'])),
    ]);
    expect(names(graph.consumers({ node: 'c', port: 0 }))).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
    graph.setInputs(graph.get('n0'), []);
    graph.setInputs(graph.get('n1'), [{ node: 'c', port: 3 }]);
    graph.setControls(graph.get('n1'), ['c']);
    expect(names(graph.consumers({ node: 'c', port: 0 }))).toEqual(['n2', 'n3', 'n4']);
    expect(graph.usedPorts('c')).toEqual([0, 3]);
    expect(names(graph.dataConsumers('c'))).toEqual(['n2', 'n3', 'n4', 'n1']);
    expect(names(graph.controlConsumers('c'))).toEqual(['n1']);
    expect(() => graph.remove('c')).toThrow('c is still consumed by n2');
    for (const name of ['n1', 'n2', 'n3', 'n4']) graph.setInputs(graph.get(name), []);
    expect(() => graph.remove('c')).toThrow('^c is still consumed by n1');
    graph.setControls(graph.get('n1'), []);
    graph.remove('c');
    expect(graph.has('c')).toBe(false);
  });

  it('knows consumers of a node that comes after them', () => {
    const graph = graphOf([node('user', 'Any', ['late:2'])]);
    expect(graph.inputNodes(graph.get('user'))).toEqual([undefined]);
    const late = graph.add(node('late', 'Any'));
    expect(names(graph.consumers({ node: 'late', port: 2 }))).toEqual(['user']);
    expect(graph.inputNodes(graph.get('user'))).toEqual([late]);
  });

  it('takes no memory for the ports that nothing reads', () => {
    const graph = graphOf([node('a', 'Any', ['b:2147483647']), node('c', 'Any', ['b:70', 'b:2'])]);
    expect(graph.usedPorts('b')).toEqual([2, 70, 2147483647]);
    expect(graph.consumers({ node: 'b', port: 2147483647 }).map(({ name }) => name)).toEqual(['a']);
  });

  it('keeps what is named, and refuses to keep what needs more', () => {
    const graph = graphOf([node('a', 'Any'), node('b', 'Any', ['a']), node('c', 'Any', ['b', '^a']), node('d', 'Any')]);
    expect(names(graph.consumers({ node: 'a', port: 0 }))).toEqual(['b']);
    graph.retain(new NodeSet(graph, [graph.get('a'), graph.get('b')]));
    expect(names(graph.nodes())).toEqual(['a', 'b']);
    expect(names(graph.consumers({ node: 'b', port: 0 }))).toEqual([]);
    expect(() => graph.retain(new NodeSet(graph, [graph.get('b')]))).toThrow('a is still consumed by b');
  });

  it('gives names that are free', () => {
    const graph = graphOf([node('a', 'Any'), node('a_2', 'Any')]);
    const given = Array.from({ length: 3 }, () => graph.add({ name: graph.freeName('a'), op: 'Any' }).name);
    expect(given).toEqual(['a_1', 'a_3', 'a_4']);
    expect(graph.freeName('b')).toBe('b');
  });
});
