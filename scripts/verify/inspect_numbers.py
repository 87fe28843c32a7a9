"""Writes test/diagnosis/numbers.json: what `bnfix inspect` has to say of batch norms in fixtures, computed by TensorFlow and numpy.

    PYTHON212 scripts/verify/inspect_numbers.py

The names of variables, epsilon and decay are those of scripts/fixtures/cases_*.py; the values come from the checkpoint, the SavedModel
or the constants of the fixture. All numbers are in float64.
"""
import json
import os
import pathlib

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / 'test' / 'fixtures'
OBJECTS = '_CHECKPOINTABLE_OBJECT_GRAPH'


def norm(name, scope, epsilon=0.001, decay=0.9, gamma='gamma', mean='moving_mean', variance='moving_variance'):
    """A batch norm; `gamma` is None where it has none, and a list for the parts of a partitioned variable."""
    parts = [gamma] if isinstance(gamma, str) else gamma
    return {
        'name': name,
        'mean': f'{scope}/{mean}',
        'variance': f'{scope}/{variance}',
        'gamma': None if parts is None else [f'{scope}/{part}' for part in parts],
        'epsilon': epsilon,
        'decay': decay,
    }


# TensorFlow raises an epsilon of 1e-5 to 1.001e-5, the smallest that cuDNN takes.
# Fixture -> file (the checkpoint, the SavedModel, the frozen graph), batch norms.
CASES = {
    'slim_fused_115': ('model', [norm('resnet_v1/block1/conv1/BatchNorm/FusedBatchNormV3', 'resnet_v1/block1/conv1/BatchNorm', 1.001e-5)]),
    'slim_unfused_115': ('model', [
        norm('a/BatchNorm/batchnorm_1/Rsqrt', 'a/BatchNorm', gamma=None),
        norm('b/BatchNorm/batchnorm_1/Rsqrt', 'b/BatchNorm', 0.01),
    ]),
    'slim_no_scale_115': ('model', [norm('Conv/BatchNorm/FusedBatchNormV3', 'Conv/BatchNorm', gamma=None)]),
    'slim_resource_115': ('model', [
        norm('FeatureExtractor/Conv2d_0/BatchNorm/FusedBatchNormV3', 'FeatureExtractor/Conv2d_0/BatchNorm'),
    ]),
    'renorm_115': ('model', [norm('rbn/batchnorm/Rsqrt', 'rbn')]),
    'renorm_212': ('model', [norm('rbn/batchnorm/Rsqrt', 'rbn')]),
    'keras_unfused_212': ('model', [
        norm('bn2a_branch2a/batchnorm/Rsqrt', 'bn2a_branch2a'),
        norm('fc_bn/batchnorm/Rsqrt', 'fc_bn'),
    ]),
    'float16_115': ('model', [norm('m_1/bn/FusedBatchNormV3', 'm/bn')]),
    'dropout_bfloat16_212': ('model', [norm('bn/batchnorm/Rsqrt', 'bn')]),
    'dropout_float64': ('model', [norm('bn/batchnorm/Rsqrt', 'bn')]),
    'frozen_inference_115': ('frozen.pb', [
        norm('conv1/BatchNorm/FusedBatchNormV3', 'conv1/BatchNorm', decay=None),
        norm('conv2/BatchNorm/batchnorm_1/Rsqrt', 'conv2/BatchNorm', decay=None, gamma=None),
    ]),
    'frozen_training_115': ('model', [
        norm('conv1/BatchNorm/FusedBatchNormV3', 'conv1/BatchNorm', decay=None),
    ]),
    'towers_115': ('model', [
        norm('tower_0/conv1/BatchNorm/FusedBatchNormV3', 'conv1/BatchNorm'),
        norm('tower_1/conv1/BatchNorm/FusedBatchNormV3', 'conv1/BatchNorm'),
    ]),
    'while_fused_115': ('model', [norm('while/FusedBatchNormV3', 'step/bn')]),
    'while_v2': ('model', [norm('while/body/batchnorm/Rsqrt', 'step/bn')]),
    'saved_model_v1_115': ('saved_model', [norm('conv1/BatchNorm/FusedBatchNormV3', 'conv1/BatchNorm')]),
    'saved_model_keras_right': ('saved_model', [
        norm('StatefulPartitionedCall/StatefulPartitionedCall/m/bn/FusedBatchNormV3', 'bn', decay=None),
        norm('StatefulPartitionedCall/StatefulPartitionedCall/m/fc_bn/batchnorm/Rsqrt', 'fc_bn', decay=None),
    ]),
    'saved_model_module_212': ('saved_model', [
        norm('StatefulPartitionedCall/StatefulPartitionedCall/stem_bn/FusedBatchNormV3', 'stem_bn'),
    ]),
    'zero_debias_115': ('model', [norm('block/conv/BatchNorm/FusedBatchNormV3', 'block/conv/BatchNorm', decay=0.95)]),
    'partitioned_fixed_115': ('model', [norm('trunk/bn/FusedBatchNormV3', 'trunk/bn')]),
    'cond_layers_115': ('model', [norm('bn/cond/FusedBatchNormV3_1', 'bn'), norm('bn_1/batchnorm/Rsqrt', 'bn_1')]),
    'if_keras': ('model', [norm('bn/cond/else/FusedBatchNormV3', 'bn')]),
    'global_normalization_op_115': ('model', [
        norm('bngn/BatchNormWithGlobalNormalization', 'bngn', mean='pop_mean', variance='pop_var'),
        norm('bngn2/BatchNormWithGlobalNormalization', 'bngn2', mean='pop_mean', variance='pop_var', gamma=None),
    ]),
    'hand_assign_115': ('model', [norm('layer1/FusedBatchNormV3', 'layer1', mean='pop_mean', variance='pop_var', gamma='scale')]),
    'checkpoint_v1_115': ('model.ckpt-100', [norm('layer1/conv/BatchNorm/FusedBatchNormV3', 'layer1/conv/BatchNorm')]),
}


def reader(path):
    """A function from the name of a variable to its value."""
    if path.suffix == '.pb':
        graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
        values = {node.name: tf.make_ndarray(node.attr['value'].tensor) for node in graph.node if node.op == 'Const'}
        return values.__getitem__
    checkpoint = tf.train.load_checkpoint(str(path / 'variables' / 'variables' if path.is_dir() else path))
    if not checkpoint.has_tensor(OBJECTS):
        return checkpoint.get_tensor
    objects = TrackableObjectGraph.FromString(checkpoint.get_tensor(OBJECTS))
    keys = {each.full_name: each.checkpoint_key for node in objects.nodes for each in node.attributes}
    return lambda name: checkpoint.get_tensor(keys[name])


def summary(values):
    return [float(values.min()), float(values.mean()), float(values.max())]


def described(read, one):
    mean, variance = [np.asarray(read(one[key])).astype(np.float64) for key in ('mean', 'variance')]
    gamma = 1.0 if one['gamma'] is None else np.concatenate([np.asarray(read(part)).astype(np.float64) for part in one['gamma']])
    # The op has its epsilon in float32.
    scale = gamma / np.sqrt(variance + np.float64(np.float32(one['epsilon'])))
    numbers = {key: summary(values) for key, values in (('mean', mean), ('variance', variance), ('scale', scale))}
    return {'name': one['name'], 'channels': len(variance), 'epsilon': one['epsilon'], 'decay': one['decay'], **numbers}


if __name__ == '__main__':
    result = {}
    for fixture, (file, norms) in CASES.items():
        read = reader(FIXTURES / fixture / file)
        result[fixture] = [described(read, one) for one in norms]
    text = json.dumps(result, indent=2) + '\n'
    (ROOT / 'test' / 'diagnosis' / 'numbers.json').write_text(text)
    print(f'{sum(map(len, result.values()))} batch norms in {len(result)} fixtures')
