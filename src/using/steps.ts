import type { FrozenFile } from './frozen_file.js';
import * as meta from './meta.js';
import { onnx } from './onnx.js';
import { opencv } from './opencv.js';
import { openvino } from './openvino.js';
import * as savedModel from './saved_model.js';
import type { SignedModel } from './signed_model.js';
import { type Step, TARGETS, type Target } from './step.js';
import { tensorflow1, tensorflow2 } from './tensorflow.js';
import { tfjs } from './tfjs.js';
import { tflite } from './tflite.js';
import { throughFrozen } from './through_frozen.js';

type Steps<File> = Readonly<Record<Target, (file: File) => Step>>;

const FROZEN: Steps<FrozenFile> = {
  tf2: tensorflow2,
  tf1: tensorflow1,
  tflite,
  onnx,
  openvino,
  opencv,
  tfjs,
};

/** The part of bnfix that writes models for pages reads them all. */
const inPages = (model: SignedModel) => tfjs({ ...model, format: 'pb' });

const SIGNED: Readonly<Record<SignedModel['format'], Steps<SignedModel>>> = {
  saved_model: {
    tf2: savedModel.inTensorflow2,
    tf1: savedModel.inTensorflow1,
    tflite: savedModel.inTflite,
    onnx: savedModel.inOnnx,
    openvino: savedModel.inOpenvino,
    opencv: throughFrozen(opencv),
    tfjs: inPages,
  },
  meta: {
    tf2: meta.inTensorflow2,
    tf1: meta.inTensorflow1,
    tflite: throughFrozen(tflite),
    onnx: throughFrozen(onnx),
    openvino: savedModel.inOpenvino,
    opencv: throughFrozen(opencv),
    tfjs: inPages,
  },
};

/**
 * How to use a result with other programs: commands and code with the names and shapes of its own tensors. Sizes that the
 * graph leaves open are filled in. scripts/next/prove.mjs runs them all.
 */
export function stepsFor(file: FrozenFile | SignedModel, targets: readonly Target[] = TARGETS): Step[] {
  return targets.map((target) => ('signature' in file ? SIGNED[file.format][target](file) : FROZEN[target](file)));
}
