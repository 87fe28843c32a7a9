import { BnfixError } from '../errors.js';
import type { Node } from './node.js';

/** The error for an edge that leads nowhere. @param edge - as NodeDefs write it @param why - what is known beyond that */
export function missingInput({ name }: Node, edge: string, why?: string): BnfixError {
  return new BnfixError('unreadable', `${name} reads ${edge}, which is not in the graph`, {
    where: name,
    why,
    fix: 'the graph file is corrupt or was cut: save it again',
  });
}
