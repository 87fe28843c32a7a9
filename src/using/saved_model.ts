import { pythonQuoted, shellQuoted } from '../quoted.js';
import { besides, variableNames } from './frozen_file.js';
import { dtypesOnly, firstOf, inputsOnly, ranksOnly } from './limits.js';
import { inputValues, NUMPY_DTYPES } from './numpy.js';
import type { SignedModel } from './signed_model.js';
import type { Limit, Part, Step } from './step.js';
import { sessionRun } from './tensorflow.js';

/** TensorFlow 2: the function of the signature. */
export function inTensorflow2(model: SignedModel): Step {
  const code = [
    'import numpy as np',
    'import tensorflow as tf',
    `model = tf.saved_model.load(${pythonQuoted(model.path)})`,
    `net = model.signatures[${pythonQuoted(model.signature)}]`,
    ...inputValues(model),
    `results = net(**${dictionary(model, (name) => `tf.constant(${name})`)})`,
    fetched(model),
  ];
  return { target: 'tf2', install: TENSORFLOW, parts: [python(code)], limit: undefined };
}

/** TensorFlow 1: a session with the graph of the model. */
export function inTensorflow1(model: SignedModel): Step {
  const tags = `[${model.tags.map(pythonQuoted).join(', ')}]`;
  const code = [
    'import numpy as np',
    'import tensorflow as tf',
    ...inputValues(model),
    'with tf.Session(graph=tf.Graph()) as session:',
    `    tf.saved_model.loader.load(session, ${tags}, ${pythonQuoted(model.path)})`,
    `    outputs = ${sessionRun(model, 'session')}`,
  ];
  return { target: 'tf1', install: ["pip install 'tensorflow<2'"], parts: [python(code)], limit: undefined };
}

/** TensorFlow Lite: the converter of TensorFlow 2, then the function of the signature, which takes inputs of any size. */
export function inTflite(model: SignedModel): Step {
  const limit = limitOf(model);
  if (limit) return { target: 'tflite', install: TENSORFLOW, parts: [], limit };
  const result = besides(model, '.tflite');
  const command = `tflite_convert --saved_model_dir=${shellQuoted(model.path)} --output_file=${shellQuoted(result)}`;
  const code = [
    'import numpy as np',
    'import tensorflow as tf',
    `interpreter = tf.lite.Interpreter(${pythonQuoted(result)})`,
    `net = interpreter.get_signature_runner(${pythonQuoted(model.signature)})`,
    ...inputValues(model),
    `results = net(**${dictionary(model)})`,
    fetched(model),
  ];
  const parts: Part[] = [{ language: 'shell', writes: result, code: [command] }, python(code)];
  return { target: 'tflite', install: TENSORFLOW, parts, limit };
}

/** ONNX: tf2onnx, then ONNX Runtime, with the names of the signature. */
export function inOnnx(model: SignedModel): Step {
  const install = ['pip install tensorflow tf2onnx onnxruntime'];
  const limit = limitOf(model);
  if (limit) return { target: 'onnx', install, parts: [], limit };
  const result = besides(model, '.onnx');
  const source = `--saved-model ${shellQuoted(model.path)} --signature_def ${shellQuoted(model.signature)}`;
  const command = `python -m tf2onnx.convert ${source} --output ${shellQuoted(result)}`;
  const code = [
    'import numpy as np',
    'import onnxruntime',
    `session = onnxruntime.InferenceSession(${pythonQuoted(result)}, providers=['CPUExecutionProvider'])`,
    ...inputValues(model),
    `outputs = session.run([${model.outputs.map(({ key }) => pythonQuoted(key)).join(', ')}], ${dictionary(model)})`,
  ];
  const parts: Part[] = [{ language: 'shell', writes: result, code: [command] }, python(code)];
  return { target: 'onnx', install, parts, limit };
}

/** OpenVINO, which reads SavedModels and .meta files itself, and knows their signatures. */
export function inOpenvino(model: SignedModel): Step {
  const install = ['pip install openvino'];
  const limit = limitOf(model);
  if (limit) return { target: 'openvino', install, parts: [], limit };
  const code = [
    'import numpy as np',
    'import openvino as ov',
    `model = ov.convert_model(${pythonQuoted(model.path)})`,
    '# Without the hint it may compute in 16 bits.',
    "net = ov.compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})",
    ...inputValues(model),
    `results = net(${dictionary(model)})`,
    fetched(model),
  ];
  return { target: 'openvino', install, parts: [python(code)], limit };
}

const TENSORFLOW = ['pip install tensorflow'];

function limitOf(model: SignedModel): Limit | undefined {
  return firstOf(inputsOnly(model), ranksOnly(model), dtypesOnly(model.inputs, NUMPY_DTYPES));
}

/** The values of the inputs by their names in the signature. */
function dictionary({ inputs }: SignedModel, value = (name: string) => name): string {
  const names = variableNames(inputs);
  return `{${inputs.map(({ key }, i) => `${pythonQuoted(key)}: ${value(names[i]!)}`).join(', ')}}`;
}

/** The outputs by their names in the signature. */
function fetched({ outputs }: SignedModel): string {
  return `outputs = [${outputs.map(({ key }) => `results[${pythonQuoted(key)}]`).join(', ')}]`;
}

function python(code: readonly string[]): Part {
  return { language: 'python', writes: undefined, code };
}
