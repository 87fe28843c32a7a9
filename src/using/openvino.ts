import { pythonQuoted } from '../quoted.js';
import { type FrozenFile, variableNames } from './frozen_file.js';
import { binaryOnly, dtypesOnly, firstOf, inputsOnly, ranksOnly } from './limits.js';
import { inputValues, NUMPY_DTYPES } from './numpy.js';
import type { Step } from './step.js';

/** OpenVINO, which reads frozen graphs itself. */
export function openvino(file: FrozenFile): Step {
  const limit = firstOf(binaryOnly(file), inputsOnly(file), ranksOnly(file), dtypesOnly(file.inputs, NUMPY_DTYPES));
  if (limit !== undefined) return { target: 'openvino', install: INSTALL, parts: [], limit };
  const list = (tensors: FrozenFile['inputs']) => `[${tensors.map(({ name }) => pythonQuoted(name)).join(', ')}]`;
  const code = [
    'import numpy as np',
    'import openvino as ov',
    `model = ov.convert_model(${pythonQuoted(file.path)}, input=${list(file.inputs)}, output=${list(file.outputs)})`,
    '# Without the hint it may compute in 16 bits.',
    "net = ov.compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})",
    ...inputValues(file),
    `results = net([${variableNames(file.inputs).join(', ')}])`,
    'outputs = [results[output] for output in net.outputs]',
  ];
  return { target: 'openvino', install: INSTALL, parts: [{ language: 'python', writes: undefined, code }], limit };
}

const INSTALL = ['pip install openvino'];
