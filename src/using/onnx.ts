import { pythonQuoted, shellQuoted } from '../quoted.js';
import { besides, type FrozenFile, variableNames } from './frozen_file.js';
import { binaryOnly, dtypesOnly, firstOf, inputsOnly, ranksOnly } from './limits.js';
import { inputValues, NUMPY_DTYPES } from './numpy.js';
import type { Step } from './step.js';

/** ONNX: tf2onnx, then ONNX Runtime. */
export function onnx(file: FrozenFile): Step {
  const { inputs, outputs } = file;
  const limit = firstOf(binaryOnly(file), inputsOnly(file), ranksOnly(file), dtypesOnly(file.inputs, NUMPY_DTYPES));
  if (limit !== undefined) return { target: 'onnx', install: INSTALL, parts: [], limit };
  const result = besides(file, '.onnx');
  const list = (tensors: FrozenFile['inputs']) => shellQuoted(tensors.map(({ name }) => name).join(','));
  const names = variableNames(inputs);
  const feeds = inputs.map(({ name }, i) => `${pythonQuoted(name)}: ${names[i]}`);
  const command = [
    `python -m tf2onnx.convert --graphdef ${shellQuoted(file.path)}`,
    `--inputs ${list(inputs)} --outputs ${list(outputs)} --output ${shellQuoted(result)}`,
  ];
  const code = [
    'import numpy as np',
    'import onnxruntime',
    `session = onnxruntime.InferenceSession(${pythonQuoted(result)}, providers=['CPUExecutionProvider'])`,
    ...inputValues(file),
    `outputs = session.run([${outputs.map(({ name }) => pythonQuoted(name)).join(', ')}], {${feeds.join(', ')}})`,
  ];
  return {
    target: 'onnx',
    install: INSTALL,
    parts: [
      { language: 'shell', writes: result, code: [command.join(' ')] },
      { language: 'python', writes: undefined, code },
    ],
    limit,
  };
}

const INSTALL = ['pip install tensorflow tf2onnx onnxruntime'];
