import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { type Node, parseTensorName, refText, type TensorRef } from '../graph/node.js';
import { sourceOf, topologicalOrder } from '../graph/walk.js';
import { anyOf, isIdentity } from '../ops/meaning.js';

/**
 * The new names of outputs that a repaired file has under other names: the file does not say which is which.
 * An output is matched with the op that computes the same from the same inputs; if only one is left, with the only end of the graph.
 * @param outputs - of the model
 * @param made - what freeze and fold make of the model, under the model's names
 * @throws BnfixError `usage` when an output cannot be matched
 */
export function outputCounterparts(
  fixed: Graph,
  outputs: readonly TensorRef[],
  made: () => readonly Graph[],
): Readonly<Record<string, string>> {
  const missing = outputs.filter(({ node }) => !fixed.has(node));
  if (missing.length === 0) return {};
  const graphs = made();
  const ends = [...fixed.nodes()].filter((node) => isEnd(fixed, node));
  const renamed = ends.filter(({ name }) => outputs.every(({ node }) => node !== name));
  const found = matched(fixed, missing, renamed, graphs);
  const left = missing.filter((ref) => !found.has(refText(ref)));
  const free = renamed.filter(({ name }) => ![...found.values()].includes(name));
  const [only, another] = free;
  if (left.length === 1 && only && !another && !isOf(graphs, only)) found.set(refText(left[0]!), only.name);
  else if (left.length > 0) throw unmatched(left, free, graphs);
  return Object.fromEntries(found);
}

/** Checks names that the user gives. @throws BnfixError `usage` for a name that the file does not have */
export function checkOutputNames(fixed: Graph, outputNames: Readonly<Record<string, string>>): void {
  for (const [output, name] of Object.entries(outputNames)) {
    if (fixed.has(parseTensorName(name).node)) continue;
    const ends = [...fixed.nodes()].filter((node) => isEnd(fixed, node)).map((node) => node.name);
    throw new BnfixError('usage', `no tensor named ${name} in the repaired graph`, {
      option: 'outputNames',
      fix: ends.map((end) => ({ option: 'outputNames', value: `${output}=${end}` })),
      candidates: ends,
    });
  }
}

const isNoOutput = anyOf('no_op', 'placeholder', 'constant');

/** Whether nothing reads a node. */
function isEnd(graph: Graph, node: Node): boolean {
  return !isNoOutput(node) && graph.dataConsumers(node.name).length === 0;
}

/** Outputs by the op and its inputs, from the first one of the graph on: later ones may read earlier ones. */
function matched(
  fixed: Graph,
  missing: readonly TensorRef[],
  ends: readonly Node[],
  made: readonly Graph[],
): Map<string, string> {
  const found = new Map<string, string>();
  const wanted = new Set(missing.map(({ node }) => node));
  for (const graph of made) {
    const names = new Map([...found].map(([original, name]) => [parseTensorName(original).node, name]));
    for (const { name } of topologicalOrder(graph)) {
      if (!wanted.has(name) || names.has(name)) continue;
      const key = keyOf(graph, name, names);
      const same = candidates(fixed, graph, name, ends).filter((each) => keyOf(fixed, each.name) === key);
      if (same.length !== 1) continue;
      names.set(name, same[0]!.name);
      found.set(name, same[0]!.name);
    }
  }
  return found;
}

/** What reads the same tensor as an op does, and the ends of the graph. */
function candidates(fixed: Graph, graph: Graph, name: string, ends: readonly Node[]): Node[] {
  const inputs = op(graph, name).inputs.filter(({ node }) => fixed.has(node));
  const readers = inputs.slice(0, 1).flatMap(({ node }) => [...fixed.dataConsumers(node)]);
  return [...new Set([...readers, ...ends])].filter((node) => !graph.has(node.name));
}

function op(graph: Graph, name: string): Node {
  return graph.get(sourceOf(graph, { node: name, port: 0 }, isIdentity).node);
}

/** An op and what it reads. @param names - new names of nodes */
function keyOf(graph: Graph, name: string, names: ReadonlyMap<string, string> = new Map()): string {
  const { op: type, inputs } = op(graph, name);
  const read = inputs.map((ref) => {
    const { node, port } = sourceOf(graph, ref, isIdentity);
    return [names.get(node) ?? node, port];
  });
  return JSON.stringify([type, read]);
}

function isOf(made: readonly Graph[], { name }: Node): boolean {
  return made.some((graph) => graph.has(name));
}

function unmatched(left: readonly TensorRef[], free: readonly Node[], made: readonly Graph[]): BnfixError {
  const first = left[0]!;
  const named = `the repaired graph has no output named ${refText(first)}`;
  const [own, renamed] = [free.filter((node) => isOf(made, node)), free.filter((node) => !isOf(made, node))];
  if (renamed.length === 0 && own.length > 0) {
    const value = own.map(({ name }) => name).join(',');
    const fix = { option: 'outputs', value, text: 'compares what it has' };
    return new BnfixError('usage', named, { where: refText(first), candidates: own.map(({ name }) => name), fix });
  }
  const values = renamed.map(({ name }) => `${refText(first)}=${name}`);
  return new BnfixError('usage', named, {
    where: refText(first),
    why: values.length === 0 ? 'it is of another model' : 'its outputs were renamed, and several are alike',
    candidates: values,
    ...(values.length > 0 && { fix: values.map((value) => ({ option: 'outputNames', value })) }),
  });
}
