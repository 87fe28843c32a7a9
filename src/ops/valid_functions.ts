import type { FunctionDef } from '../graph/called_functions.js';
import { corruptGraph } from '../graph/corrupt_graph.js';
import type { Graph } from '../graph/graph.js';

/**
 * Checks the names of a graph's functions, and of the arguments, nodes and results of each. Edges are checked where a
 * function is inlined.
 * @throws BnfixError `unreadable` with the first name that is missing or used twice
 */
export function refuseInvalidFunctions({ header }: Graph): void {
  const functions = new Set<string>();
  for (const fn of header.library?.function ?? []) {
    const name = fn.signature?.name ?? '';
    if (name === '') throw corruptGraph('', 'a function of the graph has no name');
    if (functions.has(name)) throw corruptGraph(name, `two functions are named ${name}`);
    functions.add(name);
    refuseInvalidBody(name, fn);
  }
}

function refuseInvalidBody(fn: string, { signature, node_def }: FunctionDef): void {
  const names = new Set<string>();
  const note = (what: string, { name }: { readonly name?: string | null }) => {
    if (!name) throw corruptGraph(fn, `${what} of the function ${fn} has no name`);
    if (names.has(name)) throw corruptGraph(fn, `two nodes or arguments of the function ${fn} are named ${name}`);
    names.add(name);
  };
  for (const arg of signature?.input_arg ?? []) note('an argument', arg);
  for (const node of node_def ?? []) note('a node', node);
  names.clear();
  for (const arg of signature?.output_arg ?? []) note('a result', arg);
}
