import { BnfixError } from '../errors.js';
import type { Node } from './node.js';

/** The error for a graph that TensorFlow would not import. @param where - the node, the function or the file */
export function corruptGraph(where: string | undefined, message: string, why?: string): BnfixError {
  return new BnfixError('unreadable', message, { where, why, fix: 'the graph file is corrupt: save it again' });
}

/** The error for an edge from a missing node. @param edge - in the notation of NodeDefs @param why - further details */
export function missingInput({ name }: Node, edge: string, why?: string): BnfixError {
  return new BnfixError('unreadable', `${name} reads ${edge}, which is not in the graph`, {
    where: name,
    why,
    fix: 'the graph file is corrupt or was cut: save it again',
  });
}
