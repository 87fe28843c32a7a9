import { BnfixError } from '../errors.js';
import { anyOf, type OpTest } from '../ops/meaning.js';
import { isTfjsOp } from '../ops/tfjs.js';
import type { FinishPlan, Pass } from '../passes/pass.js';
import { OPENCV_PIPELINE } from '../passes/pipeline.js';
import { TARGET_NAMES, type TargetName } from './target_names.js';

/** What a program needs that others do not; docs/targets.md gives the reasons. */
interface Target {
  /** Passes after all others. */
  readonly passes: readonly Pass<FinishPlan>[];
  /** Whether it has one op for a batch norm, so that two would cost more. */
  readonly hasBatchNorm: boolean;
  /** Whether it lacks an op. */
  readonly lacks: OpTest;
}

const isLoopOrTable = anyOf(
  ...(['switch', 'merge', 'enter', 'exit', 'next_iteration', 'loop_cond', 'while', 'if', 'case'] as const),
  ...(['tensor_array', 'lookup_table'] as const),
);
const nothing: OpTest = () => false;

/** All targets, by name. */
const TARGETS: Readonly<Record<TargetName, Target>> = {
  // Its importer drops an Identity, and merges a BiasAdd or an Add into the op before it, together with the name of the output.
  opencv: { passes: OPENCV_PIPELINE, hasBatchNorm: true, lacks: isLoopOrTable },
  // Its converter makes Mul and Add of a batch norm.
  tflite: { passes: [], hasBatchNorm: false, lacks: anyOf('tensor_array') },
  tfjs: { passes: [], hasBatchNorm: true, lacks: (node) => node !== undefined && !isTfjsOp(node.op) },
  openvino: { passes: [], hasBatchNorm: true, lacks: nothing },
  onnx: { passes: [], hasBatchNorm: true, lacks: anyOf('lookup_table') },
};

const ANY: Target = { passes: [], hasBatchNorm: false, lacks: nothing };

/** A target by its name. @throws BnfixError `usage` for a name that is none */
export function targetNamed(target: string | undefined): Target {
  if (target === undefined) return ANY;
  const name = TARGET_NAMES.find((known) => known === target);
  if (name !== undefined) return TARGETS[name];
  throw new BnfixError('usage', `unknown target ${target}`, {
    option: 'target',
    fix: `use ${TARGET_NAMES.join(', ')}`,
    candidates: TARGET_NAMES,
  });
}
