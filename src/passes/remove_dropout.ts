import { attr } from '../graph/attrs.js';
import type { TensorRef } from '../graph/node.js';
import { outputType } from '../ops/registry.js';
import type { Outcome } from './outcome.js';
import type { Pass } from './pass.js';

/**
 * Removes every active dropout that feeds an output: at inference it is an identity.
 *
 *     given:   y = Mul(RealDiv(x, 0.5), Floor(0.5 + RandomUniform(Shape(x))))      result:  y = Identity(x)
 *
 * Assumes: scale and mask cancel out on average, which the analysis has checked numerically.
 */
export const removeDropout: Pass = {
  name: 'remove_dropout',
  run({ graph, outputs, dropouts }) {
    const names = new Set(outputs.map((ref) => ref.node));
    // If dropouts follow each other, x may be the output of a removed one.
    const bypassed = new Map<string, TensorRef>();
    const outcomes: Outcome[] = [];
    for (const { output, x: before, random } of dropouts) {
      let x = before;
      for (let moved = bypassed.get(x.node); moved && x.port === 0; moved = bypassed.get(x.node)) x = moved;
      const node = graph.get(output);
      const dtype = outputType(node, 0);
      if (names.has(output)) {
        graph.replace(node, { op: 'Identity', inputs: [x], attr: dtype === undefined ? {} : { T: attr.type(dtype) } });
      } else {
        graph.replaceUses({ node: output, port: 0 }, x);
        bypassed.set(output, x);
      }
      outcomes.push({ kind: 'dropout', node: output, random });
    }
    return { outcomes };
  },
};
