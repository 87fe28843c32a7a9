import { pythonQuoted } from '../quoted.js';
import { inputValues } from './numpy.js';
import type { SignedModel } from './signed_model.js';
import type { Step } from './step.js';
import { sessionRun } from './tensorflow.js';

/** A .meta file in TensorFlow 1: a session, in which a Saver restores the variables. */
export function inTensorflow1(model: SignedModel): Step {
  return { ...inSession(model, 'tf'), target: 'tf1', install: ["pip install 'tensorflow<2'"] };
}

/** The same in TensorFlow 2. */
export function inTensorflow2(model: SignedModel): Step {
  return { ...inSession(model, 'tf.compat.v1'), target: 'tf2', install: ['pip install tensorflow'] };
}

/** @param tf - the module of TensorFlow 1 */
function inSession(model: SignedModel, tf: string): Pick<Step, 'parts' | 'limit'> {
  const { path, checkpoint } = model;
  const restoring = checkpoint === undefined ? '' : `.restore(session, ${pythonQuoted(checkpoint)})`;
  const code = [
    'import numpy as np',
    'import tensorflow as tf',
    ...inputValues(model),
    `with tf.Graph().as_default(), ${tf}.Session() as session:`,
    `    ${tf}.train.import_meta_graph(${pythonQuoted(path)})${restoring}`,
    `    outputs = ${sessionRun(model, 'session')}`,
  ];
  return { parts: [{ language: 'python', writes: undefined, code }], limit: undefined };
}
