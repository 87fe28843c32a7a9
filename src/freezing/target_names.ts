/** A program that the result is for. */
export type TargetName = 'opencv' | 'tflite' | 'tfjs' | 'openvino' | 'onnx';

const KNOWN: Readonly<Record<TargetName, true>> = {
  opencv: true,
  tflite: true,
  tfjs: true,
  openvino: true,
  onnx: true,
};

/** All of them. They are apart from what the programs need, so that the options of the CLI load no pass. */
export const TARGET_NAMES = Object.keys(KNOWN) as readonly TargetName[];
