import type { TensorInfo } from '../freezing/report.js';
import { pythonQuoted } from '../quoted.js';
import { type FrozenFile, variableNames } from './frozen_file.js';
import { inputValues } from './numpy.js';
import type { Step } from './step.js';

interface Tensors {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** The call that computes the outputs in a session of TensorFlow. @param session - the name of its variable */
export function sessionRun({ inputs, outputs }: Tensors, session: string): string {
  const names = variableNames(inputs);
  const feeds = inputs.map(({ name }, i) => `${pythonQuoted(name)}: ${names[i]}`);
  const fetches = outputs.map(({ name }) => pythonQuoted(name));
  return `${session}.run([${fetches.join(', ')}]${feeds.length === 0 ? '' : `, {${feeds.join(', ')}}`})`;
}

/** TensorFlow 1: a session. */
export function tensorflow1(file: FrozenFile): Step {
  const code = [
    'import numpy as np',
    'import tensorflow as tf',
    ...reading(file, 'tf.GraphDef()'),
    "tf.import_graph_def(graph_def, name='')",
    ...inputValues(file),
    'with tf.Session() as session:',
    `    outputs = ${sessionRun(file, 'session')}`,
  ];
  return { target: 'tf1', install: ["pip install 'tensorflow<2'"], parts: [python(code)], limit: undefined };
}

/** TensorFlow 2: a function of the inputs. */
export function tensorflow2(file: FrozenFile): Step {
  const list = (tensors: FrozenFile['inputs']) => `[${tensors.map(({ name }) => pythonQuoted(name)).join(', ')}]`;
  const values = variableNames(file.inputs).map((name) => `tf.constant(${name})`);
  const code = [
    'import numpy as np',
    'import tensorflow as tf',
    ...reading(file, 'tf.compat.v1.GraphDef()'),
    "graph = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph_def, name=''), [])",
    `net = graph.prune(${list(file.inputs)}, ${list(file.outputs)})`,
    ...inputValues(file),
    `outputs = net(${values.join(', ')})`,
  ];
  return { target: 'tf2', install: ['pip install tensorflow'], parts: [python(code)], limit: undefined };
}

function reading({ path, format }: FrozenFile, message: string): string[] {
  const isText = format === 'pbtxt';
  return [
    ...(isText ? ['from google.protobuf import text_format'] : []),
    `graph_def = ${message}`,
    `with open(${pythonQuoted(path)}${isText ? '' : ", 'rb'"}) as file:`,
    `    ${isText ? 'text_format.Parse(file.read(), graph_def)' : 'graph_def.ParseFromString(file.read())'}`,
  ];
}

function python(code: readonly string[]) {
  return { language: 'python', writes: undefined, code } as const;
}
