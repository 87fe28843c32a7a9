import type { FrozenFile } from './frozen_file.js';
import { onnx } from './onnx.js';
import { opencv } from './opencv.js';
import { openvino } from './openvino.js';
import { type Step, TARGETS, type Target } from './step.js';
import { tensorflow1, tensorflow2 } from './tensorflow.js';
import { tfjs } from './tfjs.js';
import { tflite } from './tflite.js';

const STEPS: Readonly<Record<Target, (file: FrozenFile) => Step>> = {
  tf2: tensorflow2,
  tf1: tensorflow1,
  tflite,
  onnx,
  openvino,
  opencv,
  tfjs,
};

/**
 * How to use a frozen graph with other programs: commands and code with the names and shapes of its own tensors. Sizes that the
 * graph leaves open are filled in. scripts/next/prove.mjs runs them all.
 */
export function stepsFor(file: FrozenFile, targets: readonly Target[] = TARGETS): Step[] {
  return targets.map((target) => STEPS[target](file));
}
