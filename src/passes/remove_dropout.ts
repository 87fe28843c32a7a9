import { findDropouts } from '../analysis/training/dropouts.js';
import { randomOpProblemText } from '../analysis/training/random_op_problem.js';
import { BnfixError } from '../errors.js';
import { attr } from '../graph/attrs.js';
import type { TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { outputTypes } from '../ops/registry.js';
import type { Pass, Remark } from './pass.js';

/**
 * Makes every active dropout on the way to an output what it is at inference: nothing.
 *
 *     given:   y = Mul(RealDiv(x, keep), Floor(keep + RandomUniform()))      result:  y = Identity(x)
 *
 * Assumes: scale and mask cancel out on average, which the analysis has checked by numbers. Noise that acts on
 * the data in another way is refused: leaving it in would make the answers random.
 */
export const removeDropout: Pass = {
  name: 'remove_dropout',
  run({ graph, outputs, isKept }) {
    const names = outputs.map((ref) => ref.node);
    const live = ancestors(graph, names, false);
    const { dropouts, stray } = findDropouts(graph, live);
    const changed: Remark[] = [];
    const skipped: Remark[] = [];
    // Where dropouts follow each other, x may be the output of one that is gone.
    const bypassed = new Map<string, TensorRef>();
    const current = (ref: TensorRef): TensorRef => {
      const moved = ref.port === 0 ? bypassed.get(ref.node) : undefined;
      return moved ? current(moved) : ref;
    };
    for (const { output, x: before, random } of dropouts) {
      const x = current(before);
      const node = graph.get(output);
      if (!live.hasNamed(output)) continue;
      if (isKept(output)) {
        skipped.push({ node: output, text: 'dropout left active: --keep' });
        continue;
      }
      const dtype = outputTypes(node)?.[0];
      if (names.includes(output)) {
        graph.replace(node, { op: 'Identity', inputs: [x], attr: dtype === undefined ? {} : { T: attr.type(dtype) } });
      } else {
        graph.replaceUses({ node: output, port: 0 }, x);
        bypassed.set(output, x);
      }
      changed.push({ node: output, text: `dropout of ${random} removed` });
    }
    for (const { output, problem } of stray) {
      if (!live.hasNamed(output)) continue;
      if (isKept(output)) {
        skipped.push({ node: output, text: 'random op left active: --keep' });
        continue;
      }
      throw new BnfixError('unsupported', `${output} still depends on a random op`, {
        where: output,
        why: `its pattern is not a recognised dropout: ${randomOpProblemText(problem)}`,
        fix: `--keep ${output} leaves it in (the answers stay random), or choose other --outputs`,
      });
    }
    return { changed, skipped };
  },
};
