import { anyOf } from '../ops/meaning.js';
import type { Outcome } from './outcome.js';
import type { Pass } from './pass.js';

const isIdentityN = anyOf('identity_n');

/**
 * Makes consumers of an IdentityN read its inputs: functions with a custom gradient (sync batch norm) end in one.
 *
 *     given:   i = IdentityN(sum, sum), mean = RealDiv(i:1, n)      result:  mean = RealDiv(sum, n)
 *
 * Assumes: nothing. An IdentityN that is an output stays.
 */
export const bypassIdentityN: Pass<unknown> = {
  name: 'bypass_identity_n',
  run({ graph }) {
    const outcomes: Outcome[] = [];
    for (const node of graph.nodes()) {
      if (!isIdentityN(node)) continue;
      for (const [port, input] of node.inputs.entries()) graph.replaceUses({ node: node.name, port }, input);
      outcomes.push({ kind: 'simplified', node: node.name, op: node.op });
    }
    return { outcomes };
  },
};
