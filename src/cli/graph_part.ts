import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { printGraph } from '../notation/print.js';
import { printable } from '../printable.js';

/** The part of a graph around the node that an error is about, for bug reports; undefined for an error about no node. */
export function graphPart(error: unknown, graph: Graph): string[] | undefined {
  const node = error instanceof BnfixError ? error.where : undefined;
  if (node === undefined || !graph.has(node)) return undefined;
  try {
    return printGraph(graph, { around: node }).trimEnd().split('\n').map(printable);
  } catch {
    // A graph with a cycle cannot be ordered, values of a truncated file cannot be read: the error itself reports that.
    return undefined;
  }
}
