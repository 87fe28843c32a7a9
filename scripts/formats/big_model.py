"""A model of 3 GB with batch norms in training mode, for big.mjs.

    python scripts/formats/big_model.py make DIR            DIR/big.{meta,index,data-*}, and DIR/golden.npz by the inference net
    python scripts/formats/big_model.py check DIR FOLDER    loads FOLDER/model.meta or FOLDER/saved_model, compares the outputs
"""
from __future__ import print_function

import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import numpy as np  # noqa: E402
import tensorflow  # noqa: E402

IS_V2 = tensorflow.__version__.startswith('2.')
tf = tensorflow.compat.v1 if IS_V2 else tensorflow
tf.logging.set_verbosity(tf.logging.ERROR)

# Three kernels of 1 GiB.
WIDTH, LAYERS = 16384, 3


def net(is_training):
    h = tf.placeholder(tf.float32, [None, WIDTH], name='x')
    spread = tf.random_uniform_initializer(-0.02, 0.02, seed=1)
    for i in range(LAYERS):
        h = tf.layers.dense(h, WIDTH, use_bias=False, kernel_initializer=spread, name='dense_%d' % i)
        h = tf.layers.batch_normalization(h, training=is_training, momentum=0.5, name='bn_%d' % i)
        h = tf.nn.relu(h)
    return tf.identity(h[:, :16], name='out')


def make(folder):
    x = np.random.RandomState(0).rand(4, WIDTH).astype(np.float32)
    prefix = os.path.join(folder, 'big')
    with tf.Graph().as_default(), tf.Session() as session:
        net(is_training=True)
        saver = tf.train.Saver()
        session.run(tf.global_variables_initializer())
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS), {'x:0': x})
        saver.save(session, prefix, write_state=False)
    with tf.Graph().as_default(), tf.Session() as session:
        net(is_training=False)
        tf.train.Saver().restore(session, prefix)
        np.savez(os.path.join(folder, 'golden.npz'), x=x, out=session.run('out:0', {'x:0': x}))


def compare(what, got, want):
    off = float(np.max(np.abs(got - want)) / max(1.0, np.max(np.abs(want))))
    print('TensorFlow %s, %s: off by %.1e' % (tensorflow.__version__, what, off))
    if not off <= 1e-5:
        sys.exit(1)


def check(folder, made):
    golden = np.load(os.path.join(folder, 'golden.npz'))
    prefix = os.path.join(made, 'model')
    if os.path.exists(prefix + '.meta'):
        check_meta(prefix, golden)
    path = os.path.join(made, 'saved_model')
    if os.path.exists(path):
        check_saved_model(path, golden)


def check_meta(prefix, golden):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(prefix + '.meta').restore(session, prefix)
        compare('import_meta_graph', session.run('out:0', {'x:0': golden['x']}), golden['out'])


def check_saved_model(path, golden):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.saved_model.loader.load(session, ['serve'], path)
        compare('saved_model.loader', session.run('out:0', {'x:0': golden['x']}), golden['out'])
    if IS_V2:
        call = tensorflow.saved_model.load(path).signatures['serving_default']
        compare('saved_model.load', call(x=tensorflow.constant(golden['x']))['out'].numpy(), golden['out'])


if __name__ == '__main__':
    {'make': make, 'check': check}[sys.argv[1]](*sys.argv[2:])
