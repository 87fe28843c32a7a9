"""Makes four nets of the size that people deploy, saved in training mode: nets.py FOLDER (TensorFlow 1.15).

MobileNet in Keras layers, ResNet-50 v2 and Inception v3 by slim, a U-Net in tf.layers. The weights are seeded random numbers; the
moving averages come from passes over random pictures, so that they fit the activations as after a training. FOLDER/nets/NAME is
a case like those of test/fixtures; FOLDER/ideal has the ideal graphs.
"""
import json
import os
import shutil
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'fixtures'))

import common  # noqa: E402
import ideal  # noqa: E402
from common import tf  # noqa: E402

# Of the moving averages: a dozen passes suffice.
DECAY = 0.6
PASSES = 12


def mobilenet(x, is_training):
    k = tf.keras.layers

    def normalized(y, name):
        y = k.BatchNormalization(momentum=DECAY, name=name + '_bn')(y, training=is_training)
        return k.ReLU(6., name=name + '_relu')(y)

    y = normalized(k.Conv2D(32, 3, strides=2, padding='same', use_bias=False, name='conv1')(x), 'conv1')
    sizes = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for i, (size, stride) in enumerate(sizes, 1):
        y = k.DepthwiseConv2D(3, strides=stride, padding='same', use_bias=False, name='conv_dw_%d' % i)(y)
        y = normalized(y, 'conv_dw_%d' % i)
        y = normalized(k.Conv2D(size, 1, use_bias=False, name='conv_pw_%d' % i)(y), 'conv_pw_%d' % i)
    y = k.GlobalAveragePooling2D(name='pool')(y)
    y = k.Dropout(0.2, name='dropout')(y, training=is_training)
    return k.Dense(1000, activation='softmax', name='predictions')(y)


def resnet50(x, is_training):
    from tensorflow.contrib.slim.python.slim.nets import resnet_utils, resnet_v2
    slim = tf.contrib.slim
    with slim.arg_scope(resnet_utils.resnet_arg_scope(batch_norm_decay=DECAY)):
        logits, _ = resnet_v2.resnet_v2_50(x, 1000, is_training=is_training)
    return tf.nn.softmax(tf.squeeze(logits, [1, 2]), name='probabilities')


def inception(x, is_training):
    from tensorflow.contrib.slim.python.slim.nets import inception_v3
    slim = tf.contrib.slim
    with slim.arg_scope(inception_v3.inception_v3_arg_scope(batch_norm_decay=DECAY)):
        _, ends = inception_v3.inception_v3(x, 1000, is_training=is_training)
    return tf.identity(ends['Predictions'], name='probabilities')


def unet(x, is_training):
    def block(y, size, name):
        for i in (1, 2):
            y = tf.layers.conv2d(y, size, 3, padding='same', name='%s_%d' % (name, i))
            y = tf.layers.batch_normalization(y, training=is_training, momentum=DECAY, name='%s_bn%d' % (name, i))
            y = tf.nn.relu(y)
        return y

    sizes, skips = [16, 32, 64, 128], []
    y = x
    for i, size in enumerate(sizes):
        y = block(y, size, 'down%d' % i)
        skips.append(y)
        y = tf.layers.max_pooling2d(y, 2, 2)
    y = tf.layers.dropout(block(y, 256, 'bottom'), 0.3, training=is_training)
    for i, size in reversed(list(enumerate(sizes))):
        y = tf.layers.conv2d_transpose(y, size, 2, strides=2, name='up%d' % i)
        y = block(tf.concat([skips[i], y], 3), size, 'join%d' % i)
    return tf.nn.sigmoid(tf.layers.conv2d(y, 1, 1, name='logits'), name='mask')


NETS = {'mobilenet': (mobilenet, 224), 'resnet50': (resnet50, 224), 'inception': (inception, 299), 'unet': (unet, 128)}


def pictures(rng, count, size):
    """Smooth random pictures with some noise, in [-1, 1]."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    out = np.empty((count, size, size, 3), np.float32)
    for i in range(count):
        for c in range(3):
            a, b, phase = rng.uniform(1, 12), rng.uniform(1, 12), rng.uniform(0, 6)
            out[i, :, :, c] = 0.7 * np.sin(a * x + b * y + phase) + rng.uniform(-0.3, 0.3)
    return np.clip(out + rng.normal(scale=0.1, size=out.shape), -1, 1).astype(np.float32)


def threads():
    return tf.ConfigProto(intra_op_parallelism_threads=2, inter_op_parallelism_threads=1)


def make(name, folder):
    build, size = NETS[name]
    out = os.path.join(folder, 'nets', name)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    path = os.path.join(out, 'model.ckpt')
    x = pictures(common.rng_for(name, 'golden'), 1, size)

    common.fresh()
    with tf.Graph().as_default() as graph, tf.Session(config=threads()) as sess:
        tf.keras.backend.set_session(sess)
        tf.set_random_seed(1)
        picture = tf.placeholder(tf.float32, [None, size, size, 3], name='picture')
        output = build(picture, True)
        updates = graph.get_collection(tf.GraphKeys.UPDATE_OPS) or keras_updates(graph)
        sess.run(tf.global_variables_initializer())
        common.randomise(sess, name)
        rng = common.rng_for(name, 'train')
        for _ in range(PASSES):
            sess.run(updates, {picture: pictures(rng, 4, size)})
        tf.train.Saver().save(sess, path, write_state=False)
        before = sess.run(output, {picture: x})
        names = [picture.name, output.name]

    common.fresh()
    with tf.Graph().as_default(), tf.Session(config=threads()) as sess:
        tf.keras.backend.set_session(sess)
        picture = tf.placeholder(tf.float32, [None, size, size, 3], name='picture')
        output = build(picture, False)
        tf.train.Saver().restore(sess, path)
        golden = sess.run(output, {picture: x})
        ideal.of_session(name, sess, [picture], [output])
    assert np.isfinite(golden).all() and np.std(golden) > 0.05 * np.max(golden) / np.sqrt(golden.size), 'golden is flat'
    assert common.relative_difference(golden, before) > 0.03
    common.golden_json(out, {names[0]: x}, {names[1]: golden})
    with open(os.path.join(out, 'case.json'), 'w') as file:
        json.dump({'name': name, 'tensorflow': common.VERSION, 'model': 'model.ckpt.meta', 'outputs': names[1:], 'expect': 'freeze'}, file)
    print(name, float(golden.max()), float(golden.std()), common.relative_difference(golden, before))


def keras_updates(graph):
    """Keras layers do not add their updates to the collection."""
    return [op for op in graph.get_operations() if op.type in ('AssignSubVariableOp', 'AssignSub') and '_bn/' in op.name]


if __name__ == '__main__':
    ideal.FOLDER = os.path.join(sys.argv[1], 'ideal')
    for net in NETS if len(sys.argv) == 2 else sys.argv[2:]:
        make(net, sys.argv[1])
