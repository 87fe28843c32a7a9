"""Fixtures of TensorFlow as users convert them, without repair: test/foreign/converted and test/foreign/tfjs.

    python convert.py

Each training graph is frozen as freeze_graph does it, then converted by tf2onnx and by tensorflowjs_converter. Names of weight
files and everything else is left as the converters write it.
"""
import json
import os
import shutil

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'

import numpy as np
import onnx
import tensorflow
import tf2onnx
from google.protobuf.json_format import MessageToDict
from tensorflowjs.converters import tf_saved_model_conversion_v2 as tfjs

tf = tensorflow.compat.v1
HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, '..', '..', 'test', 'fixtures')
OUT = os.path.join(HERE, '..', '..', 'test', 'foreign')

# Fixture, and the formats that it is converted to.
CASES = [
    ('frozen_training_113', ('onnx', 'tfjs')),
    ('layers_fused_212', ('onnx', 'tfjs')),
    ('slim_rank2_212', ('onnx', 'tfjs')),
    ('rnn_flag', ('onnx', 'tfjs')),
    ('dropout_rate_212', ('onnx', 'tfjs')),
    ('group_norm_beside', ('onnx',)),
    ('layer_norm_only', ('onnx', 'tfjs')),
    ('frozen_inference_212', ('onnx', 'tfjs')),
]


def read_json(path):
    with open(path) as f:
        return json.load(f)


def frozen(folder, case, outputs):
    path = os.path.join(folder, case['model'])
    if not path.endswith('.meta'):
        graph = tf.GraphDef()
        with open(path, 'rb') as f:
            graph.ParseFromString(f.read())
        return graph
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(path, clear_devices=True).restore(session, path[:-len('.meta')])
        return tf.graph_util.convert_variables_to_constants(session, session.graph_def, outputs)


def to_tfjs(graph, outputs, folder, **options):
    shutil.rmtree(folder, ignore_errors=True)
    pb = folder + '.pb'
    with open(pb, 'wb') as f:
        f.write(graph.SerializeToString())
    tfjs.convert_tf_frozen_model(pb, ','.join(outputs), folder, skip_op_check=True, **options)
    os.remove(pb)


def unoptimised(graph, outputs, folder, **options):
    """What the converter writes if its optimiser leaves the batch norm as it is, as for a scale that is computed."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with tf.Graph().as_default() as imported:
        tf.import_graph_def(graph, name='')
        signature = tfjs._build_signature_def(imported, [], outputs)
    weights = tfjs.extract_weights(graph)
    tfjs.write_artifacts(MessageToDict(graph), weights, os.path.join(folder, 'model.json'), tensorflow.__version__, signature, **options)


def batch_norm(mode, name='x', mean=(0.5, -1, 2), variance=(4, 0.25, 9), relu=False):
    """A graph whose batch norm no converter folds: nothing is in front of it."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 4, 4, 3], name=name)
        scale, offset = tf.constant([1.0, 2.0, 0.5], name='scale'), tf.constant([0.0, 1.0, -1.0], name='offset')
        statistics = {} if mode == 'training' else {'mean': tf.constant(mean, name='mean'), 'variance': tf.constant(variance, name='variance')}
        y, _, _ = tf.nn.fused_batch_norm(x, scale, offset, is_training=mode == 'training', name='bn', **statistics)
        tf.identity(tf.nn.tanh(y), name='y')
        return graph.as_graph_def()


def by_hand():
    folder = os.path.join(OUT, 'tfjs')
    to_tfjs(batch_norm('training'), ['y'], os.path.join(folder, 'training'))
    unoptimised(batch_norm('inference'), ['y'], os.path.join(folder, 'inference'))
    unoptimised(batch_norm('inference', variance=[1.0, -2.0, 1.0]), ['y'], os.path.join(folder, 'negative'))
    unoptimised(batch_norm('inference', variance=[1.0, -2.0, 1.0]), ['y'], os.path.join(folder, 'quantized'),
            quantization_dtype_map={'uint8': '*'})
    unoptimised(batch_norm('inference', mean=[0.0] * 3, variance=[1.0] * 3), ['y'], os.path.join(folder, 'half'),
            quantization_dtype_map={'float16': '*'})
    unoptimised(batch_norm('inference', variance=[1.0, -2.0, 1.0]), ['y'], os.path.join(folder, 'shards'), weight_shard_size_bytes=16)


def layers_model():
    from tensorflowjs.converters import keras_h5_conversion, common
    from tensorflowjs import write_weights
    keras = tensorflow.keras
    for name, variance in (('layers', [1.0, 4.0]), ('layers_negative', [1.0, -4.0])):
        with tensorflow.Graph().as_default(), tf.Session():
            net = keras.Sequential([keras.layers.Dense(2, input_shape=(3,)), keras.layers.BatchNormalization(name='bn'), keras.layers.Dropout(0.5)])
            net.layers[1].set_weights([np.ones(2), np.zeros(2), np.array([0.5, 1]), np.array(variance)])
            folder = os.path.join(OUT, 'tfjs', name)
            shutil.rmtree(folder, ignore_errors=True)
            keras_h5_conversion.save_keras_model(net, folder)


def main():
    tf.disable_v2_behavior()
    os.makedirs(os.path.join(OUT, 'tfjs'), exist_ok=True)
    os.makedirs(os.path.join(OUT, 'converted'), exist_ok=True)
    by_hand()
    layers_model()
    for name, formats in CASES:
        folder = os.path.join(FIXTURES, name)
        case, golden = read_json(os.path.join(folder, 'case.json')), read_json(os.path.join(folder, 'golden.json'))
        outputs = [output.split(':')[0] for output in golden['outputs']]
        graph = frozen(folder, case, outputs)
        if 'tfjs' in formats:
            to_tfjs(graph, outputs, os.path.join(OUT, 'tfjs', name))
        if 'onnx' in formats:
            inputs = [each if ':' in each else each + ':0' for each in golden['inputs']]
            model, _ = tf2onnx.convert.from_graph_def(graph, input_names=inputs, output_names=list(golden['outputs']), opset=15)
            onnx.save(model, os.path.join(OUT, 'converted', name + '.onnx'))


if __name__ == '__main__':
    main()
