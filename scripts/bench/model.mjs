// Makes models as tf.train.Saver leaves them: convolutions, batch norms in training mode, their updates, gradients, a saver.
import { writeFileSync } from 'node:fs';
import { tensorflow } from '../../dist/proto/tensorflow.js';
import { writeCheckpoint } from './checkpoint_writer.mjs';

const FLOAT = 1;
const INT32 = 3;
const STRING = 7;
const DECAY = 0.01;

const type = (value) => ({ type: value });
const float = { T: type(FLOAT) };
const text = (value) => ({ s: Buffer.from(value) });
const shapeOf = (shape) => ({ dim: shape.map((size) => ({ size })) });
const ints = (...values) => ({ list: { i: values } });

/** A network under construction: its nodes, and the variables that its checkpoint has. */
class Net {
  nodes = [];
  variables = [];

  node(op, name, input = [], attr = float) {
    this.nodes.push({ name, op, input, attr });
    return name;
  }

  constant(name, dtype, shape, value) {
    const tensor = { dtype, tensor_shape: shapeOf(shape), ...value };
    return this.node('Const', name, [], { dtype: type(dtype), value: { tensor } });
  }

  /** @returns the name of what reads it */
  variable(name, shape, center, spread) {
    const loc = { _class: { list: { s: [Buffer.from(`loc:@${name}`)] } } };
    const attr = { dtype: type(FLOAT), shape: { shape: shapeOf(shape) }, container: text(''), shared_name: text('') };
    this.node('VariableV2', name, [], attr);
    this.constant(`${name}/Initializer`, FLOAT, shape, { float_val: [center] });
    this.assign(`${name}/Assign`, name, `${name}/Initializer`);
    this.variables.push({ name, shape, center, spread });
    return this.node('Identity', `${name}/read`, [name], { ...float, ...loc });
  }

  assign(name, variable, value) {
    const attr = { ...float, validate_shape: { b: true }, use_locking: { b: true } };
    return this.node('Assign', name, [variable, value], attr);
  }

  /** variable -= (variable - value) * decay. @returns the update op */
  movingAverage(name, variable, value) {
    const difference = this.node('Sub', `${name}/sub`, [`${variable}/read`, value]);
    const step = this.node('Mul', `${name}/mul`, [difference, 'decay']);
    return this.node('AssignSub', name, [variable, step], { ...float, use_locking: { b: false } });
  }
}

const CONV = {
  ...float,
  strides: ints(1, 1, 1, 1),
  padding: text('SAME'),
  data_format: text('NHWC'),
  dilations: ints(1, 1, 1, 1),
};

/**
 * Writes `prefix.meta` and its checkpoint.
 *
 * @param layers - convolutions, each with a batch norm
 * @param channels - of all layers
 * @param kernel - width of the kernels
 * @param units - of the dense layer behind them
 * @param nodesPerLayer - the number of nodes is padded to this with additions
 * @returns the numbers of nodes, batch norms and bytes of the data file
 */
export function writeModel(prefix, { layers, channels, kernel = 3, units = 10, nodesPerLayer = 0 }) {
  const net = new Net();
  net.node('Placeholder', 'image', [], { dtype: type(FLOAT), shape: { shape: shapeOf([-1, 8, 8, channels]) } });
  net.constant('decay', FLOAT, [], { float_val: [DECAY] });
  net.constant('rate', FLOAT, [], { float_val: [0.1] });
  net.constant('one', FLOAT, [], { float_val: [1] });
  const updates = [];
  const backward = [];
  let x = 'image';
  for (let i = 0; i < layers; i++) {
    const before = net.nodes.length;
    const scope = `block${i}`;
    const weights = net.variable(`${scope}/conv/weights`, [kernel, kernel, channels, channels], 0, 0.05);
    const conv = net.node('Conv2D', `${scope}/conv/Conv2D`, [x, weights], CONV);
    const bn = `${scope}/bn`;
    const gamma = net.variable(`${bn}/gamma`, [channels], 1, 0.3);
    const beta = net.variable(`${bn}/beta`, [channels], 0.1, 0.3);
    net.variable(`${bn}/moving_mean`, [channels], 0.2, 0.3);
    net.variable(`${bn}/moving_variance`, [channels], 1.5, 0.7);
    net.constant(`${bn}/Const`, FLOAT, [0], {});
    const mode = { epsilon: { f: 0.001 }, data_format: text('NHWC'), is_training: { b: true } };
    const norm = `${bn}/FusedBatchNorm`;
    net.node('FusedBatchNorm', norm, [conv, gamma, beta, `${bn}/Const`, `${bn}/Const`], { ...float, ...mode });
    updates.push(net.movingAverage(`${bn}/AssignMovingAvg`, `${bn}/moving_mean`, `${norm}:1`));
    updates.push(net.movingAverage(`${bn}/AssignMovingAvg_1`, `${bn}/moving_variance`, `${norm}:2`));
    const relu = net.node('Relu', `${scope}/Relu`, [norm]);
    backward.push({ scope, x, conv, weights, norm, relu, mode });
    x = relu;
    // Eight of the gradients are still to come.
    for (let j = 0; net.nodes.length - before < nodesPerLayer - 8; j++)
      x = net.node('Add', `${scope}/add_${j}`, [x, 'one']);
  }
  net.constant('pool/axes', INT32, [2], { int_val: [1, 2] });
  const reduce = { ...float, Tidx: type(INT32), keep_dims: { b: false } };
  const pooled = net.node('Mean', 'pool', [x, 'pool/axes'], reduce);
  const dense = net.variable('dense/kernel', [channels, units], 0, 0.05);
  const product = net.node('MatMul', 'dense/MatMul', [pooled, dense], {
    ...float,
    transpose_a: { b: false },
    transpose_b: { b: false },
  });
  net.node('Softmax', 'output', [product]);
  addGradients(net, backward);
  addSaver(net);
  writeMeta(`${prefix}.meta`, net, updates);
  return { nodes: net.nodes.length, batchNorms: layers, bytes: writeCheckpoint(prefix, net.variables) };
}

/** Backpropagation in the shapes that it has, and gradient descent: what freezing has to leave behind. */
function addGradients(net, layers) {
  net.constant('gradients/shape', INT32, [4], { int_val: [1, 8, 8, 1] });
  let gradient = layers.at(-1).relu;
  for (const { scope, x, conv, weights, norm, relu, mode } of layers.toReversed()) {
    const at = (name) => `gradients/${scope}/${name}`;
    const activation = net.node('ReluGrad', at('ReluGrad'), [gradient, relu]);
    const inputs = [activation, conv, `${scope}/bn/gamma/read`, `${norm}:3`, `${norm}:4`];
    const back = net.node('FusedBatchNormGrad', at('FusedBatchNormGrad'), inputs, { ...float, ...mode });
    const shapes = { ...float, N: { i: 2 }, out_type: type(INT32) };
    const sizes = net.node('ShapeN', at('ShapeN'), [x, weights], shapes);
    const input = net.node('Conv2DBackpropInput', at('Conv2DBackpropInput'), [sizes, weights, back], CONV);
    const filter = net.node('Conv2DBackpropFilter', at('Conv2DBackpropFilter'), [x, `${sizes}:1`, back], CONV);
    const descend = { ...float, use_locking: { b: false } };
    for (const [variable, delta] of [
      ['conv/weights', filter],
      ['bn/gamma', `${back}:1`],
      ['bn/beta', `${back}:2`],
    ]) {
      const name = at(`${variable}/ApplyGradientDescent`);
      net.node('ApplyGradientDescent', name, [`${scope}/${variable}`, 'rate', delta], descend);
    }
    gradient = input;
  }
}

function addSaver(net) {
  const names = net.variables.map(({ name }) => name).sort();
  const strings = (name, values) =>
    net.constant(name, STRING, [values.length], { string_val: values.map((v) => Buffer.from(v)) });
  net.constant('save/Const', STRING, [], { string_val: [Buffer.from('model')] });
  strings('save/tensor_names', names);
  strings(
    'save/shape_and_slices',
    names.map(() => ''),
  );
  const dtypes = { dtypes: { list: { type: names.map(() => FLOAT) } } };
  const common = ['save/Const', 'save/tensor_names', 'save/shape_and_slices'];
  net.node('SaveV2', 'save/SaveV2', [...common, ...names], dtypes);
  net.node('Identity', 'save/control_dependency', ['save/Const', '^save/SaveV2'], { T: type(STRING) });
  net.node('RestoreV2', 'save/RestoreV2', common, dtypes);
  const restored = names.map((name, i) => {
    return `^${net.assign(i === 0 ? 'save/Assign' : `save/Assign_${i}`, name, i === 0 ? 'save/RestoreV2' : `save/RestoreV2:${i}`)}`;
  });
  net.node('NoOp', 'save/restore_all', restored, {});
}

function writeMeta(path, net, updates) {
  const meta = {
    meta_info_def: { tags: ['train'], tensorflow_version: '1.15.5' },
    graph_def: { node: net.nodes, versions: { producer: 134 } },
    saver_def: {
      filename_tensor_name: 'save/Const:0',
      save_tensor_name: 'save/control_dependency:0',
      restore_op_name: 'save/restore_all',
      max_to_keep: 5,
      version: 2,
    },
    collection_def: { update_ops: { node_list: { value: updates } } },
  };
  writeFileSync(path, tensorflow.MetaGraphDef.encode(meta).finish());
}
