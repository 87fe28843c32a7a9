import { anyOf } from '../ops/meaning.js';
import type { Pass, PrepareContext, Remark } from './pass.js';

const isIdentityN = anyOf('identity_n');

/**
 * Lets what reads an IdentityN read what it hands on: functions with a gradient of their own (sync batch norm) end in one.
 *
 *     given:   i = IdentityN(sum, sum), mean = RealDiv(i:1, n)      result:  mean = RealDiv(sum, n)
 *
 * Assumes: nothing. One that is an output stays, for whoever asks for it.
 */
export const bypassIdentityN: Pass<PrepareContext> = {
  name: 'bypass_identity_n',
  run({ graph }) {
    const changed: Remark[] = [];
    for (const node of graph.nodes()) {
      if (!isIdentityN(node)) continue;
      for (const [port, input] of node.inputs.entries()) graph.replaceUses({ node: node.name, port }, input);
      changed.push({ node: node.name, text: 'hands on what it is given' });
    }
    return { changed, skipped: [] };
  },
};
