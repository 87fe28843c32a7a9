/** Programs that a result may be written for. They are apart from what the programs need, so that the options of the CLI load no pass. */
export const TARGET_NAMES = ['opencv', 'tflite', 'tfjs', 'openvino', 'onnx'] as const;

/** A program that the result is for. */
export type TargetName = (typeof TARGET_NAMES)[number];
