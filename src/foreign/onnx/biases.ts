import type { HealthProblem } from '../../analysis/state/health.js';
import { readNumbers } from '../../graph/tensor.js';
import { constantOf, type OpenExternal } from './constants.js';
import type { OnnxNode } from './scope.js';

/** An op whose bias contains NaN or infinity: a converter that folds invalid statistics into it leaves that. */
export interface InvalidBias {
  readonly node: OnnxNode;
  readonly problem: HealthProblem;
}

/** Ops whose third input is a bias, a vector of channels. */
const WITH_BIAS: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm']);

/** The invalid biases of convolutions and dense layers. Kernels are not read: what makes one of them invalid is in the bias as well. */
export function findInvalidBiases(nodes: readonly OnnxNode[], open: OpenExternal): InvalidBias[] {
  return nodes.flatMap((node): InvalidBias[] => {
    const bias = node.domain === '' && WITH_BIAS.has(node.op) ? node.inputs[2] : undefined;
    const constant = bias && constantOf(bias, open);
    if (!constant || !('tensor' in constant)) return [];
    const { name, tensor } = constant;
    if (readNumbers(tensor).every(Number.isFinite)) return [];
    return [{ node, problem: { kind: 'not_finite', name } }];
  });
}
