import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { tensorflow } from '../proto/tensorflow.js';
import type { Pass } from './pass.js';

type FunctionDef = tensorflow.FunctionDef.$Properties;

/** `_class` ties a node to ones that are gone; `_output_shapes` may contradict the graph, and TF 2 refuses it then. */
const STALE_ATTRS = ['_class', '_output_shapes', '_gradient_op_type'];

/**
 * Removes what binds nodes to the machine and the graph that they were trained in, and functions that nobody calls.
 *
 *     given:   y = Relu(x)[_class=..., _output_shapes=...] on /gpu:0      result:  y = Relu(x)
 *
 * Assumes: nothing.
 */
export const cleanNodes: Pass = {
  name: 'clean_nodes',
  run({ graph }) {
    for (const node of graph.nodes()) {
      graph.removeAttrs(node, STALE_ATTRS);
      if (node.device) graph.setDevice(node, '');
    }
    keepCalledFunctions(graph);
    return { changed: [], skipped: [] };
  },
};

type Attrs = Readonly<
  Record<string, { func?: { name?: string | null } | null; list?: { func?: { name?: string | null }[] | null } | null }>
>;

function keepCalledFunctions(graph: Graph): void {
  const { library, ...rest } = graph.header;
  if (!library) return;
  const byName = new Map((library.function ?? []).map((fn) => [fn.signature?.name ?? '', fn]));
  const called = new Set<string>();
  const call = (op: string, attrs: Attrs) => {
    const names = [op];
    for (const value of Object.values(attrs)) {
      names.push(value.func?.name ?? '', ...(value.list?.func ?? []).map((fn) => fn.name ?? ''));
    }
    for (const name of names) if (byName.has(name)) called.add(name);
  };
  for (const node of graph.nodes()) call(node.op, node.attr);
  for (const name of called) for (const node of byName.get(name)?.node_def ?? []) call(node.op ?? '', node.attr ?? {});
  const kept = (library.function ?? []).filter((fn) => called.has(fn.signature?.name ?? ''));
  for (const fn of kept) refuseTraining(fn);
  const gradient = (library.gradient ?? []).filter((entry) => called.has(entry.function_name ?? ''));
  graph.setHeader(called.size === 0 ? rest : { ...rest, library: { ...library, function: kept, gradient } });
}

const TRAINS = /^(FusedBatchNorm(V2|V3)?|Assign\w*|ReadVariableOp|RandomUniform|StatelessRandomUniform(V2)?)$/;

/** A function that could not be written out is not analysed: training in it would go unnoticed. */
function refuseTraining(fn: FunctionDef): void {
  const node = (fn.node_def ?? []).find((def) => TRAINS.test(def.op ?? '') && def.attr?.is_training?.b !== false);
  if (!node) return;
  throw new BnfixError('unsupported', `${node.name} (${node.op}) is in a function that cannot be written out`, {
    where: fn.signature?.name ?? undefined,
    why: 'it is called by an op that bnfix does not know, and what trains in it cannot be repaired there',
    fix: 'choose --outputs or --inputs that leave it out',
  });
}
