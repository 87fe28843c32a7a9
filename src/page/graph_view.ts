import { findActivations } from '../analysis/training/activations.js';
import type { Inspection } from '../diagnosis/inspection.js';
import type { FoldReport } from '../freezing/fold_report.js';
import type { FreezeReport } from '../freezing/report.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { ancestors, topologicalOrder } from '../graph/walk.js';
import type { GraphView, Mark } from './script_data.js';

/** Above this, nodes that feed no output are left out of a page. */
const MOST_NODES = 20_000;

/**
 * The graph of a page.
 * @param graph - in its inference state, still with its training ops
 */
export function graphView(graph: Graph, inspection: Inspection, report?: FreezeReport | FoldReport): GraphView {
  const { outputs, candidates } = inspection;
  const ends = (outputs.length > 0 ? outputs : candidates).map(({ name }) => name.slice(0, name.lastIndexOf(':')));
  const feeding = ancestors(graph, ends, false);
  const nodes = chosenNodes(graph, feeding);
  const indices = new Map(nodes.map((node, i) => [node, i]));
  const fed = findActivations(graph);
  const indexOf = (name: string) => {
    const node = graph.find(name);
    return node && indices.get(node);
  };
  const ops = [...new Set(nodes.map(({ op }) => op))].sort();
  const opIndices = new Map(ops.map((op, i) => [op, i]));
  return {
    ...frontCoded(nodes.map(({ name }) => name)),
    ops,
    op: nodes.map(({ op }) => opIndices.get(op)!),
    inputs: nodes.map((node, i) => distances(graph, node, i, indices)),
    parts: nodes.map((node) => (!feeding.has(node) ? 'x' : fed.has(node) ? 'd' : 'w')).join(''),
    marks: marksOf(indexOf, marked(inspection, ends, report)),
    layers: inspection.batchNorms.map(({ name }) => indexOf(name) ?? null),
    omitted: graph.size - nodes.length,
  };
}

function chosenNodes(graph: Graph, feeding: NodeSet): readonly Node[] {
  const nodes = topologicalOrder(graph);
  return nodes.length <= MOST_NODES ? nodes : nodes.filter((node) => feeding.has(node));
}

function frontCoded(names: readonly string[]): Pick<GraphView, 'names' | 'shared'> {
  const shared = names.map((name, i) => (i === 0 ? 0 : commonLength(name, names[i - 1]!)));
  return { names: names.map((name, i) => name.slice(shared[i])), shared };
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function distances(graph: Graph, node: Node, i: number, indices: ReadonlyMap<Node, number>): number[] {
  return graph.inputNodes(node).flatMap((input) => {
    const index = input && indices.get(input);
    return index === undefined ? [] : [i - index];
  });
}

/** The names of marked nodes; a name that is in several lists has the mark of the last. */
function marked(
  inspection: Inspection,
  ends: readonly string[],
  report: FreezeReport | FoldReport | undefined,
): readonly (readonly [Mark, readonly string[]])[] {
  const { inputs, flags, dropouts, batchNorms } = inspection;
  const names = <T extends { readonly name: string }>(list: readonly T[], test: (each: T) => boolean = () => true) =>
    list.filter(test).map(({ name }) => name);
  const inMode = (wanted: string) => names(batchNorms, ({ mode }) => mode === wanted);
  const withStatus = (wanted: string) => names(report?.batchNorms ?? [], ({ status }) => status === wanted);
  const folded = report && 'folded' in report ? report.folded.filter(({ action }) => action !== 'kept') : [];
  return [
    ['input', names(inputs).map((name) => name.replace(/:\d+$/, ''))],
    ['output', ends],
    ['flag', names(flags)],
    ['dropout', names(dropouts)],
    ['training', inMode('training')],
    ['switched', inMode('switched')],
    ['inference', inMode('inference')],
    ['per_example', inMode('per_example')],
    ['inference', withStatus('inference')],
    ['repaired', withStatus('repaired')],
    ['kept', withStatus('kept')],
    ['folded_into', folded.flatMap(({ action, into }) => (action === 'arithmetic' ? [] : into))],
    ['folded', names(folded)],
  ];
}

function marksOf(
  indexOf: (name: string) => number | undefined,
  lists: readonly (readonly [Mark, readonly string[]])[],
): GraphView['marks'] {
  const byNode = new Map<number, Mark>();
  for (const [mark, names] of lists) {
    for (const name of names) {
      const index = indexOf(name);
      if (index !== undefined) byNode.set(index, mark);
    }
  }
  const marks: Partial<Record<Mark, number[]>> = {};
  for (const [index, mark] of byNode) {
    marks[mark] ??= [];
    marks[mark].push(index);
  }
  return marks;
}
