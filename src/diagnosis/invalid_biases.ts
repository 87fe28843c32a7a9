import { anyOf } from '../ops/meaning.js';
import type { CheckContext, Found } from './rules/rule.js';
import { nameOf, StoredValues } from './stored_values.js';

const adds = anyOf('add', 'bias');
/** What Grappler and the converter of TensorFlow.js make of an op with a kernel and the bias after it, which is the third input. */
const FUSED: ReadonlySet<string> = new Set(['_FusedConv2D', 'FusedDepthwiseConv2dNative', '_FusedMatMul']);

/**
 * Constants with NaN that are added: folding invalid statistics leaves them. An infinity may be a mask. Kernels are not read: what makes
 * one of them invalid is in the bias as well.
 */
export function invalidBiases({ analysis, live }: Pick<CheckContext, 'analysis' | 'live'>): Found[] {
  const stored = new StoredValues(analysis);
  return [...live].flatMap((node): Found[] => {
    const refs = adds(node) ? node.inputs : FUSED.has(node.op) ? node.inputs.slice(2, 3) : [];
    return refs.flatMap((ref): Found[] => {
      const bias = stored.at(ref);
      if (bias?.kind !== 'constant' || !stored.numbersOf(bias)?.some(Number.isNaN)) return [];
      return [{ node: node.name, detail: { code: 'statistics', problem: { kind: 'not_finite', name: nameOf(bias) } } }];
    });
  });
}
