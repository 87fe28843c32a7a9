import { BnfixError } from '../errors.js';
import type { FinishPlan, Pass } from '../passes/pass.js';
import { OPENCV_PIPELINE } from '../passes/pipeline.js';

/** A program that the result is for. */
export type TargetName = 'opencv' | 'tflite' | 'tfjs' | 'openvino' | 'onnx';

/** What a program needs that others do not: passes after all others, with the reason; docs/targets.md describes them. */
export const TARGETS: Readonly<Record<TargetName, readonly Pass<FinishPlan>[]>> = {
  // Its importer drops an Identity, and merges a BiasAdd or an Add into the op before it, together with the name of the output.
  opencv: OPENCV_PIPELINE,
  // These read the usual form.
  tflite: [],
  tfjs: [],
  openvino: [],
  onnx: [],
};

/** The passes of a target. @throws BnfixError `usage` for a name that is none */
export function targetPasses(target: string | undefined): readonly Pass<FinishPlan>[] {
  if (target === undefined) return [];
  if (Object.hasOwn(TARGETS, target)) return TARGETS[target as TargetName];
  throw new BnfixError('usage', `${target} is not a target`, {
    option: 'target',
    fix: `the targets are ${Object.keys(TARGETS).join(', ')}`,
    candidates: Object.keys(TARGETS),
  });
}
