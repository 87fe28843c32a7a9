import { findConstantExpressions } from '../analysis/values/constant_expressions.js';
import { attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Node } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import { replaceByConstants } from './edits/evaluated.js';
import type { FinishPlan, On, Pass } from './pass.js';

/**
 * Computes what depends on constants alone: the factor of an unfused batch norm, the corrections of quantisation-aware training.
 *
 *     given:   x = Placeholder[shape=[?, 2]], scale = Rsqrt([4.0, 16.0] + 0.0) * [2.0, 2.0], y = x * scale
 *     result:  x = Placeholder[shape=[?, 2]], scale = [1.0, 0.5], y = x * scale
 *
 * Assumes: nothing. Only small values of ops whose result is known to the last bit are computed.
 */
export const evaluateConstants: Pass<FinishPlan> = {
  name: 'evaluate_constants',
  run(context) {
    evaluate(context);
    return { outcomes: [] };
  },
};

/** The same before folding, which computes roots itself, to recognise batch norms, and rounds to float16 once. */
export const evaluateParameters: Pass<FinishPlan> = {
  name: 'evaluate_parameters',
  run(context) {
    evaluate(context, (node) => takesRoot(node) || narrows(node));
    return { outcomes: [] };
  },
};

const takesRoot = anyOf('root', 'power');
const isCast = anyOf('cast');

/** Whether a node rounds to float16 or bfloat16. */
function narrows(node: Node): boolean {
  const to = isCast(node) ? attrType(node, 'DstT') : undefined;
  return to === DataType.DT_HALF || to === DataType.DT_BFLOAT16;
}

function evaluate({ graph, outputs, isKept }: On<FinishPlan>, except?: (node: Node) => boolean): void {
  const scope = { graph, outputs, isKept, ...(except && { except }) };
  const { values, forwarded } = findConstantExpressions(scope);
  for (const { from, to } of forwarded) graph.replaceUses(from, to);
  replaceByConstants(graph, outputs, values);
}
