"""Writes the checkpoint that test/writers/checkpoint compares with: values of all kinds, saved by TensorFlow's own SaveV2.

    python scripts/formats/checkpoint_golden.py test/writers/checkpoint/golden/model

TensorFlow 1.13.2, 1.15.5 and 2.12.1 write the same bytes.
"""
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np  # noqa: E402
import tensorflow  # noqa: E402
from tensorflow.python.ops import gen_io_ops  # noqa: E402

IS_V2 = tensorflow.__version__.startswith('2.')
tf = tensorflow.compat.v1 if IS_V2 else tensorflow
if IS_V2:
    tf.disable_v2_behavior()

TYPES = ['float32', 'float64', 'int32', 'uint8', 'int16', 'int8', 'int64', 'bool', 'uint16', 'float16', 'complex64',
         'complex128']
# Names that are the beginning of others, and whose order depends on their bytes.
NAMES = ['a', 'a/b', 'a/b/c', 'ab', 'a.b', 'a-b', 'B', 'a_1', 'a_10', 'a_2']


def value_of(dtype, rng):
    if dtype == 'bool':
        return rng.rand(3, 5) > 0.5
    if dtype.startswith('complex'):
        return (rng.randn(2, 3) + 1j * rng.randn(2, 3)).astype(dtype)
    if dtype.startswith('float'):
        return rng.randn(4, 3).astype(dtype)
    return rng.randint(0, 100, (2, 7)).astype(dtype)


def values():
    rng = np.random.RandomState(0)
    made = {'types/' + dtype: value_of(dtype, rng) for dtype in TYPES}
    made['scalar'] = np.float32(3.5)
    made['empty'] = np.zeros((0, 4), np.float32)
    made['strings'] = np.array([[b'a', b''], [b'x' * 300, u'\u00fc'.encode('utf-8')]], object)
    made['string'] = np.array(b'one', object)
    made['no_strings'] = np.zeros((0,), object)
    for name in NAMES:
        made['names/' + name] = rng.randn(3).astype(np.float32)
    return made


def main():
    made = values()
    names = sorted(made)
    tensors = [tf.constant(made[name], tf.string if made[name].dtype == object else None) for name in names]
    with tf.Session() as session:
        session.run(gen_io_ops.save_v2(sys.argv[1], names, [''] * len(names), tensors))


main()
