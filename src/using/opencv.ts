import type { TensorInfo } from '../freezing/report.js';
import { pythonQuoted } from '../quoted.js';
import { type FrozenFile, shortName, variableNames } from './frozen_file.js';
import { binaryOnly, dtypesOnly, firstOf, firstPortsOnly, inputsOnly, ranksOnly } from './limits.js';
import { inputValues } from './numpy.js';
import type { Limit, Step } from './step.js';

/** OpenCV's dnn module, which has images as batch, channel, row, column. */
export function opencv(file: FrozenFile): Step {
  const { inputs, outputs } = file;
  const limit = firstOf(
    binaryOnly(file),
    inputsOnly(file),
    ranksOnly(file),
    dtypesOnly([...inputs, ...outputs], ['float32']),
    imagesOnly(inputs),
    firstPortsOnly(outputs),
  );
  if (limit !== undefined) return { target: 'opencv', install: INSTALL, parts: [], limit };
  const names = variableNames(inputs);
  const code = [
    'import cv2',
    'import numpy as np',
    `net = cv2.dnn.readNetFromTensorflow(${pythonQuoted(file.path)})`,
    ...inputValues(file),
    ...inputs.map((input, i) => {
      const value = isImage(input) ? `${names[i]}.transpose(0, 3, 1, 2)` : names[i];
      return `net.setInput(${value}, ${pythonQuoted(shortName(input))})`;
    }),
    `outputs = net.forward([${outputs.map(({ producer }) => pythonQuoted(producer)).join(', ')}])`,
    ...(outputs.some(isImage)
      ? ['outputs = [output.transpose(0, 2, 3, 1) if output.ndim == 4 else output for output in outputs]']
      : []),
  ];
  return { target: 'opencv', install: INSTALL, parts: [{ language: 'python', writes: undefined, code }], limit };
}

const INSTALL = ['pip install opencv-python'];

function isImage({ shape }: TensorInfo): boolean {
  return shape?.length === 4;
}

/** OpenCV knows images, and vectors. */
function imagesOnly(inputs: readonly TensorInfo[]): Limit | undefined {
  const ranks = inputs.map(({ name, shape }) => ({ tensor: name, rank: shape?.length ?? 4 }));
  const other = ranks.find(({ rank }) => rank !== 4 && rank !== 2);
  return other && { code: 'rank', ...other };
}
