import { pythonQuoted, shellQuoted } from '../quoted.js';
import { besides, exampleShape, type FrozenFile, hasOpenSizes, shortName, variableNames } from './frozen_file.js';
import { binaryOnly, dtypesOnly, firstOf, inputsOnly, ranksOnly } from './limits.js';
import { inputValues, NUMPY_DTYPES } from './numpy.js';
import type { Part, Step } from './step.js';

/** TensorFlow Lite: the converter of TensorFlow 1 and 2, then the interpreter. */
export function tflite(file: FrozenFile): Step {
  const limit = firstOf(binaryOnly(file), inputsOnly(file), ranksOnly(file), dtypesOnly(file.inputs, NUMPY_DTYPES));
  const parts = limit === undefined ? [conversion(file), run(file)] : [];
  return { target: 'tflite', install: ['pip install tensorflow'], parts, limit };
}

/** In a shell where that has a way to write all shapes: it separates sizes by commas, and has none for a scalar. */
function conversion(file: FrozenFile): Part {
  const result = besides(file, '.tflite');
  const { inputs, outputs } = file;
  const [ins, outs] = [inputs.map(shortName), outputs.map(shortName)];
  const isOpen = inputs.some(hasOpenSizes);
  const shapes = inputs.map((input) => exampleShape(input)!);
  if (!isOpen || shapes.every((shape) => shape.length > 0)) {
    const options = [
      `--graph_def_file=${shellQuoted(file.path)}`,
      `--input_arrays=${shellQuoted(ins.join(','))}`,
      `--output_arrays=${shellQuoted(outs.join(','))}`,
      ...(isOpen ? [`--input_shapes=${shapes.map((shape) => shape.join(',')).join(':')}`] : []),
      `--output_file=${shellQuoted(result)}`,
    ];
    const code = [
      '# TensorFlow 1: without --enable_v1_converter',
      `tflite_convert --enable_v1_converter ${options.join(' ')}`,
    ];
    return { language: 'shell', writes: result, code };
  }
  const list = (names: readonly string[]) => `[${names.map(pythonQuoted).join(', ')}]`;
  const sizes = ins.map((name, i) => `${pythonQuoted(name)}: [${shapes[i]!.join(', ')}]`);
  const args = [pythonQuoted(file.path), list(ins), list(outs), ...(isOpen ? [`{${sizes.join(', ')}}`] : [])];
  const code = [
    'import tensorflow as tf',
    `converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(${args.join(', ')})`,
    `with open(${pythonQuoted(result)}, 'wb') as file:`,
    '    file.write(converter.convert())',
  ];
  return { language: 'python', writes: result, code };
}

function run(file: FrozenFile): Part {
  const code = [
    'import numpy as np',
    'import tensorflow as tf',
    `interpreter = tf.lite.Interpreter(${pythonQuoted(besides(file, '.tflite'))})`,
    'interpreter.allocate_tensors()',
    ...inputValues(file),
    `for value, detail in zip([${variableNames(file.inputs).join(', ')}], interpreter.get_input_details()):`,
    "    interpreter.set_tensor(detail['index'], value)",
    'interpreter.invoke()',
    "outputs = [interpreter.get_tensor(detail['index']) for detail in interpreter.get_output_details()]",
  ];
  return { language: 'python', writes: undefined, code };
}
