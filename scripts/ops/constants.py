"""Constant expressions of every op that bnfix evaluates, with what TensorFlow computes for them.

usage: python constants.py OUT [--all]
Writes OUT.pb (a GraphDef) and OUT.json: for each tensor its dtype, shape and bytes in base64. With --all, every pair of edge values
as scalars (many thousand nodes); otherwise vectors, for test/analysis/values/constant_expressions.
"""
import base64
import itertools
import json
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import kernels

tf1 = tf.compat.v1
tf1.disable_eager_execution()

FLOATS = [tf.float32, tf.float64, tf.float16, tf.bfloat16]
INTS = [tf.int32, tf.int64, tf.int8, tf.int16, tf.uint8]
BINARY = ['Add', 'AddV2', 'Sub', 'Mul', 'RealDiv', 'Div', 'Maximum', 'Minimum', 'SquaredDifference', 'MulNoNan', 'DivNoNan', 'FloorDiv',
          'TruncateDiv', 'FloorMod', 'Mod', 'TruncateMod', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'BiasAdd', 'AddN']
UNARY = ['Neg', 'Inv', 'Reciprocal', 'Square', 'Sqrt', 'Rsqrt', 'Abs', 'Sign', 'Floor', 'Ceil', 'Round', 'Rint', 'Relu', 'Relu6',
         'ZerosLike', 'OnesLike']
CASTS = FLOATS + INTS + [tf.bool]

rng = np.random.RandomState(7)


def edge_values(dtype):
    if dtype.is_bool:
        return [False, True]
    if dtype.is_integer:
        low, high = dtype.min, dtype.max
        some = [0, 1, 2, 3, 7, 100, high, high - 1, high // 2] + ([-1, -2, -3, -7, -100, low, low + 1] if low < 0 else [200, 255])
        if dtype.size > 2:
            some += [46341, -46341, 2 ** 30, 123456789]
        if dtype == tf.int64:
            some += [2 ** 33, -2 ** 33 - 1, 2 ** 52, 2 ** 53 + 1, -2 ** 40]
        return [x for x in some if low <= x <= high]
    tiny, huge = (6e-8, 65504.) if dtype == tf.float16 else (5e-324, 1.79e308) if dtype == tf.float64 else (1e-45, 3.3e38)
    normal = 6.2e-5 if dtype == tf.float16 else 2.3e-308 if dtype == tf.float64 else 1.2e-38
    return [0., -0., 1., -1., 0.1, -0.1, 0.5, 1.5, 2.5, -2.5, 3., 1 / 3., 6.5, 1e-3, 1e-5, 1000.1, huge, -huge, huge / 3, normal, tiny, -tiny,
            np.inf, -np.inf, np.nan] + list(rng.uniform(-3, 3, 4))


def has_kernel(op, dtype):
    for kernel in kernels.get_registered_kernels_for_op(op).kernel:
        types = [each.allowed_values.list.type for each in kernel.constraint if each.name == 'T']
        if kernel.device_type == 'CPU' and all(dtype.as_datatype_enum in each for each in types):
            return True
    return False


class Net:
    def __init__(self):
        self.names = []
        self.consts = {}

    def const(self, value, dtype):
        key = (repr(value), dtype)
        if key not in self.consts:
            self.consts[key] = tf.constant(np.array(value).astype(dtype.as_numpy_dtype), dtype)
        return self.consts[key]

    def add(self, op, inputs):
        """Adds a node, unless TensorFlow does not have the op for the dtype."""
        first = [each for each in inputs.values() if not isinstance(each, (int, float, tf.DType))][0]
        dtype = (first[0] if isinstance(first, list) else first).dtype
        if op in BINARY + UNARY and not has_kernel(op, dtype):
            return
        try:
            node = getattr(tf.raw_ops, op)(**inputs)
        except (TypeError, ValueError):
            return
        outputs = node if isinstance(node, (list, tuple)) else [node]
        self.names += [out.name for out in outputs]


def elementwise(net, everything):
    for dtype in FLOATS + (INTS if everything else INTS[:2]):
        values = edge_values(dtype)
        if everything:
            pairs = list(itertools.product(values, values))
        elif dtype.is_floating:
            safe = np.array([x for x in values if np.isfinite(x) and (x == 0 or abs(x) > 1e-4) and abs(x) < 2000], np.float64)
            pairs = [(safe, safe[::-1].copy()), (rng.uniform(0.2, 4, 12), rng.uniform(0.5, 2, 12)), (rng.normal(size=[2, 3, 4]), rng.uniform(1, 2, [3, 1]))]
        else:
            safe = np.array([x for x in values if abs(x) < 2 ** 40])
            pairs = [(safe, np.roll(np.where(safe == 0, 5, safe), 2)), (safe, np.array(3))]
        for a, b in pairs:
            x, y = net.const(a, dtype), net.const(b, dtype)
            for op in BINARY:
                if not dtype.is_floating and np.any(np.asarray(b) == 0) and op in ('Div', 'FloorDiv', 'TruncateDiv', 'FloorMod', 'Mod', 'TruncateMod'):
                    continue  # an error
                if not dtype.is_floating and np.any(np.asarray(b) == -1) and 'Div' in op + 'Mod' and np.any(np.asarray(a) == dtype.min):
                    continue  # a crash
                if op == 'BiasAdd':
                    rank = np.ndim(a)
                    if rank == 1 and np.shape(a) == np.shape(b):
                        net.add(op, {'value': tf.stack([x, y]), 'bias': y})
                elif op == 'AddN':
                    if np.shape(a) == np.shape(b):
                        net.add(op, {'inputs': [x, y, x]})
                else:
                    net.add(op, {'x': x, 'y': y})
        for a in values if everything else [pair[0] for pair in pairs]:
            x = net.const(a, dtype)
            for op in UNARY:
                net.add(op, {'features' if op.startswith('Relu') else 'x': x})
            for to in CASTS:
                net.add('Cast', {'x': x, 'DstT': to})
    bools = net.const([[True], [False]], tf.bool), net.const([True, False], tf.bool)
    for op in ('LogicalAnd', 'LogicalOr'):
        net.add(op, {'x': bools[0], 'y': bools[1]})
    net.add('LogicalNot', {'x': bools[0]})
    for to in CASTS:
        net.add('Cast', {'x': bools[0], 'DstT': to})


def movement(net):
    for dtype in [tf.float32, tf.bool, tf.int64]:
        x = net.const(rng.randint(0, 50, [2, 3, 4]), dtype)
        row = net.const(rng.randint(0, 50, [4]), dtype)
        one = net.const(3, dtype)
        ints = lambda *values: tf.constant(values, tf.int32)
        net.add('Identity', {'input': x})
        net.add('Reshape', {'tensor': x, 'shape': ints(4, -1)})
        net.add('ExpandDims', {'input': x, 'axis': tf.constant(-2)})
        net.add('Squeeze', {'input': tf.reshape(x, [1, 24, 1]), 'axis': [-1]})
        net.add('Squeeze', {'input': tf.reshape(x, [1, 24, 1])})
        net.add('BroadcastTo', {'input': row, 'shape': ints(2, 1, 4)})
        net.add('Transpose', {'x': x, 'perm': ints(2, 0, 1)})
        net.add('ConcatV2', {'values': [x, x[:, :1]], 'axis': tf.constant(-2)})
        net.add('Concat', {'concat_dim': tf.constant(2), 'values': [x, x]})
        net.add('Pack', {'values': [row, row, row], 'axis': -1})
        net.add('Pack', {'values': [one, one]})
        net.add('Slice', {'input': x, 'begin': ints(0, 1, 2), 'size': ints(1, -1, 1)})
        net.add('Split', {'axis': tf.constant(2), 'value': x, 'num_split': 2})
        net.add('SplitV', {'value': x, 'size_splits': ints(1, -1), 'axis': tf.constant(1), 'num_split': 2})
        net.add('Unpack', {'value': x, 'num': 3, 'axis': 1})
        net.add('Tile', {'input': x, 'multiples': ints(1, 2, 3)})
        net.add('Gather', {'params': x, 'indices': ints(1, 0, 1)})
        net.add('GatherV2', {'params': x, 'indices': tf.constant([[2, 0], [1, 1]]), 'axis': tf.constant(1)})
        net.add('Fill', {'dims': ints(2, 3), 'value': one})
        net.add('Shape', {'input': x})
        net.add('Size', {'input': x})
        net.add('Rank', {'input': x})
        for spec in [x[1], x[:, ::2], x[..., -1], x[:, tf.newaxis, 1:3, ::-1], x[-1, ..., 0], x[0:1, :, 5:], x[1, 2, 3]]:
            net.names.append(spec.name)
        for cond in [net.const(True, tf.bool), net.const([True, False], tf.bool)]:
            net.add('Select', {'condition': cond, 't': x, 'e': x[::-1]})
        net.add('SelectV2', {'condition': net.const([[True], [False], [True]], tf.bool), 't': x, 'e': row})
    net.add('Range', {'start': tf.constant(2), 'limit': tf.constant(-7), 'delta': tf.constant(-2)})


def main(out, everything):
    with tf.Graph().as_default() as graph:
        net = Net()
        elementwise(net, everything)
        movement(net)
        config = tf1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = -1
        with tf1.Session(config=config) as session:
            values = {}
            for start in range(0, len(net.names), 5000):
                names = net.names[start:start + 5000]
                values.update(zip(names, session.run(names)))
        with open(out + '.pb', 'wb') as f:
            f.write(graph.as_graph_def().SerializeToString(deterministic=True))
    with open(out + '.json', 'w') as f:
        rows = {
            name: [graph.get_tensor_by_name(name).dtype.as_datatype_enum, list(value.shape), base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()]
            for name, value in values.items()
        }
        json.dump(rows, f, separators=(',', ':'))
    print('%d tensors of %d by TensorFlow %s' % (len(values), len(net.names), tf.__version__))


main(sys.argv[1], '--all' in sys.argv)
