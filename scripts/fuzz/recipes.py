"""What people wrote: nets after well-known repositories of 2016 to 2020, small, judged like the random ones.

    python scripts/fuzz/recipes.py [NAME ...]
"""
from __future__ import print_function

import fnmatch
import os
import sys
import traceback

from harness import common, np, run, tf

from cases_fused import get_slim, image, resource_variables
from common import Net, TF2

RECIPES = []


def recipe(only='', **opts):
    """only: '1' or '2' for the TensorFlow that has it; expect: ok or refused."""
    def wrap(fn):
        RECIPES.append((fn.__name__, only, opts, fn))
        return fn
    return wrap


def w(name, shape, **k):
    return tf.get_variable(name, shape, initializer=tf.truncated_normal_initializer(stddev=0.3), **k)


def fixed(name, shape, value, **k):
    return tf.get_variable(name, shape, initializer=tf.constant_initializer(value), trainable=False, **k)


def conv(x, c, name, k=3, s=1, bias=False):
    return tf.layers.conv2d(x, c, k, strides=s, padding='same', use_bias=bias, name=name)


def train_ops(loss, **k):
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        return tf.train.AdamOptimizer(1e-4, **k).minimize(loss)


# ------------------------------------------------------------------ GANs

@recipe('1')
def dcgan(is_training):
    def bn(x, train, name):
        return tf.contrib.layers.batch_norm(x, decay=0.9, updates_collections=None, epsilon=1e-5, scale=True,
                                            is_training=train, scope=name)

    def generator(z, train, reuse=None):
        with tf.variable_scope('generator', reuse=reuse):
            h = tf.reshape(tf.layers.dense(z, 4 * 4 * 6, name='g_h0_lin'), [-1, 4, 4, 6])
            h = tf.nn.relu(bn(h, train, 'g_bn0'))
            h = tf.layers.conv2d_transpose(h, 4, 5, 2, padding='same', name='g_h1')
            h = tf.nn.relu(bn(h, train, 'g_bn1'))
            return tf.nn.tanh(tf.layers.conv2d_transpose(h, 3, 5, 2, padding='same', name='g_h2'))

    def discriminator(x, train, reuse=None):
        with tf.variable_scope('discriminator', reuse=reuse):
            h = tf.nn.leaky_relu(conv(x, 4, 'd_h0', 5, 2))
            h = tf.nn.leaky_relu(bn(conv(h, 6, 'd_h1', 5, 2), train, 'd_bn1'))
            h = tf.layers.dense(tf.layers.flatten(h), 1, name='d_h3_lin')
            return tf.nn.sigmoid(h), h
    x = image('real_images', (16, 16, 3))
    z = tf.placeholder(tf.float32, [None, 8], name='z')
    g = generator(z, is_training)
    d, logits = discriminator(x, is_training)
    if is_training:
        s = generator(z, False, True)
        d_, logits_ = discriminator(g, True, True)
        loss = tf.reduce_mean(tf.nn.softplus(-logits)) + tf.reduce_mean(tf.nn.softplus(logits_))
        t = [v for v in tf.trainable_variables() if 'd_' in v.name]
        up = [tf.train.AdamOptimizer(1e-4, beta1=.5).minimize(loss, var_list=t), d_]
        tf.summary.histogram('z', z), tf.summary.image('G', s)
    return Net({x: (16, 16, 3), z: (8,)}, [g, d], updates=up if is_training else [])


@recipe()
def dcgan_class(is_training):
    """carpedm20's first batch_norm class: EMA in __call__, assigned under control dependencies."""
    class BatchNorm(object):
        def __init__(self, name):
            self.name = name
            self.ema = tf.train.ExponentialMovingAverage(decay=0.9)

        def __call__(self, x, train=True):
            shape = x.get_shape().as_list()
            with tf.variable_scope(self.name):
                self.gamma = tf.get_variable('gamma', [shape[-1]], initializer=tf.random_normal_initializer(1., 0.02))
                self.beta = tf.get_variable('beta', [shape[-1]], initializer=tf.constant_initializer(0.))
                self.mean, self.variance = tf.nn.moments(x, list(range(len(shape) - 1)))
                apply = self.ema.apply([self.mean, self.variance])
                if train:
                    with tf.control_dependencies([apply]):
                        mean, var = tf.identity(self.mean), tf.identity(self.variance)
                else:
                    mean, var = self.ema.average(self.mean), self.ema.average(self.variance)
                return tf.nn.batch_norm_with_global_normalization(x, mean, var, self.beta, self.gamma, 1e-5,
                                                                  scale_after_normalization=True)
    x = image('x', (8, 8, 3))
    b1, b2 = BatchNorm('bn1'), BatchNorm('bn2')
    y = tf.nn.relu(b1(conv(x, 4, 'c1'), is_training))
    y = tf.nn.relu(b2(tf.layers.dense(tf.layers.flatten(y), 5, name='d'), is_training))
    return Net({x: (8, 8, 3)}, tf.layers.dense(y, 2, name='o'), updates=[])


@recipe()
def ema_apply_no_mean_used_twice(is_training):
    """The moments are also a feature of the net's loss and a summary."""
    x = image('x', (6, 6, 3))
    y = conv(x, 4, 'c')
    m, v = tf.nn.moments(y, [0, 1, 2], name='mom')
    ema = tf.train.ExponentialMovingAverage(0.8)
    op = ema.apply([m, v])
    if is_training:
        tf.summary.histogram('m', m)
        mean, var = m, v
        tf.losses.add_loss(tf.reduce_sum(tf.square(m)))
    else:
        mean, var = ema.average(m), ema.average(v)
    y = tf.nn.batch_normalization(y, mean, var, None, None, 1e-3)
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='out'), updates=op)


@recipe()
def spectral_norm_gan(is_training):
    def sn(k, name):
        s = k.shape.as_list()
        flat = tf.reshape(k, [-1, s[-1]])
        u = fixed(name + '_u', [1, s[-1]], 0.5)
        v_ = tf.nn.l2_normalize(tf.matmul(u, flat, transpose_b=True))
        u_ = tf.nn.l2_normalize(tf.matmul(v_, flat))
        sigma = tf.matmul(tf.matmul(v_, flat), u_, transpose_b=True)
        if is_training:
            with tf.control_dependencies([u.assign(u_)]):
                return tf.reshape(flat / sigma, s)
        return tf.reshape(flat / sigma, s)
    x = image('x', (8, 8, 3))
    y = tf.nn.conv2d(x, sn(w('w1', [3, 3, 3, 4]), 'w1'), [1, 1, 1, 1], 'SAME')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn1')
    y = tf.nn.conv2d(tf.nn.relu(y), sn(w('w2', [3, 3, 4, 4]), 'w2'), [1, 1, 1, 1], 'SAME')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn2')
    return Net({x: (8, 8, 3)}, tf.reduce_mean(y, [1, 2], name='score'))


@recipe()
def progressive_minibatch_std(is_training):
    """ProGAN's minibatch statistics: moments over the batch that are a feature, in inference as well."""
    x = image('x', (4, 4, 3))
    y = conv(x, 4, 'c')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn')
    d = y - tf.reduce_mean(y, axis=0, keepdims=True)
    sd = tf.reduce_mean(tf.sqrt(tf.reduce_mean(tf.square(d), axis=0) + 1e-8))
    y = tf.concat([y, tf.zeros_like(y[..., :1]) + sd], -1)
    return Net({x: (4, 4, 3)}, conv(y, 2, 'o'))


# ------------------------------------------------------------------ phase_train, PointNet

def phase_bn(x, phase, scope, axes, decay=0.9, sub=True):
    with tf.variable_scope(scope):
        c = x.get_shape()[-1]
        beta = tf.Variable(tf.constant(0.0, shape=[c]), name='beta', trainable=True)
        gamma = tf.Variable(tf.constant(1.0, shape=[c]), name='gamma', trainable=True)
        batch_mean, batch_var = tf.nn.moments(x, axes, name='moments')
        ema = tf.train.ExponentialMovingAverage(decay=decay)
        apply = tf.cond(phase, lambda: ema.apply([batch_mean, batch_var]), lambda: tf.no_op())

        def with_update():
            with tf.control_dependencies([apply]):
                return tf.identity(batch_mean), tf.identity(batch_var)
        mean, var = tf.cond(phase, with_update, lambda: (ema.average(batch_mean), ema.average(batch_var)))
        return tf.nn.batch_normalization(x, mean, var, beta, gamma, 1e-3)


@recipe()
def pointnet(is_training):
    x = tf.placeholder(tf.float32, [None, 16, 3], name='pointclouds')
    phase = tf.placeholder(tf.bool, [], name='is_training_pl')
    step = tf.Variable(0, trainable=False, name='batch')
    momentum = tf.train.exponential_decay(0.5, step * 8, 100, 0.5, staircase=True)
    decay = tf.minimum(0.99, 1 - momentum)
    y = tf.expand_dims(x, -1)
    y = tf.layers.conv2d(y, 4, [1, 3], name='conv1')
    y = tf.nn.relu(phase_bn(y, phase, 'conv1/bn', [0, 1, 2], decay))
    y = tf.layers.conv2d(y, 6, [1, 1], name='conv2')
    y = tf.nn.relu(phase_bn(y, phase, 'conv2/bn', [0, 1, 2], decay))
    y = tf.reshape(tf.layers.max_pooling2d(y, [16, 1], 1), [-1, 6])
    y = tf.nn.relu(phase_bn(tf.layers.dense(y, 5, name='fc1'), phase, 'fc1/bn', [0], decay))
    y = tf.cond(phase, lambda: tf.nn.dropout(y, 0.7), lambda: y)
    y = tf.layers.dense(y, 3, name='fc3')
    up = []
    if is_training:
        up = tf.train.AdamOptimizer(1e-4).minimize(tf.reduce_mean(y ** 2), global_step=step)
    return Net({x: (16, 3)}, y, updates=up or [], feed={phase: True}, golden_feed={phase: False})


@recipe('1')
def phase_decay_counter(is_training):
    """decay switches over the run: a cond on the step."""
    x = image('x', (6, 6, 3))
    step = tf.train.get_or_create_global_step()
    decay = tf.cond(step < 3, lambda: 0.5, lambda: 0.9)
    y = tf.layers.conv2d(x, 4, 3, name='c')
    m, v = tf.nn.moments(y, [0, 1, 2])
    pm, pv = fixed('pop_m', [4], 0.), fixed('pop_v', [4], 1.)
    if is_training:
        a = tf.assign(pm, pm * decay + m * (1 - decay))
        b = tf.assign(pv, pv * decay + v * (1 - decay))
        with tf.control_dependencies([a, b]):
            y = tf.nn.batch_normalization(y, m, v, w('beta', [4]), w('gamma', [4]), 1e-3)
        up = [tf.assign_add(step, 1), y]
    else:
        y = tf.nn.batch_normalization(y, pm, pv, w('beta', [4]), w('gamma', [4]), 1e-3)
        up = []
    return Net({x: (6, 6, 3)}, tf.identity(y, name='o'), updates=up)


# ------------------------------------------------------------------ slim nets in train mode

@recipe('1', keep='moving')
def facenet(is_training):
    slim = get_slim()
    params = {'decay': 0.9, 'epsilon': 0.001, 'updates_collections': None,
              'variables_collections': [tf.GraphKeys.TRAINABLE_VARIABLES]}
    phase = tf.placeholder(tf.bool, name='phase_train')
    x = tf.identity(tf.placeholder(tf.float32, [None, 12, 12, 3], name='raw'), 'input')
    raw = x.op.inputs[0]

    def block(net, scale, scope):
        with tf.variable_scope(scope, 'Block35', [net]):
            a = slim.conv2d(net, 3, 1, scope='Conv2d_1x1')
            b = slim.conv2d(slim.conv2d(net, 3, 1, scope='Conv2d_0a_1x1'), 3, 3, scope='Conv2d_0b_3x3')
            up = slim.conv2d(tf.concat([a, b], 3), net.get_shape()[3], 1, normalizer_fn=None, activation_fn=None,
                             scope='Conv2d_1x1b')
            return tf.nn.relu(net + scale * up)
    with slim.arg_scope([slim.conv2d, slim.fully_connected], weights_initializer=slim.initializers.xavier_initializer(),
                        weights_regularizer=slim.l2_regularizer(1e-4), normalizer_fn=slim.batch_norm,
                        normalizer_params=params):
        with slim.arg_scope([slim.batch_norm, slim.dropout], is_training=phase):
            net = slim.conv2d(x, 6, 3, stride=2, padding='VALID', scope='Conv2d_1a_3x3')
            net = slim.repeat(net, 2, block, 0.17, scope='Repeat')
            net = slim.avg_pool2d(net, net.get_shape()[1:3], padding='VALID', scope='AvgPool_1a')
            net = slim.dropout(slim.flatten(net), 0.8, is_training=phase, scope='Dropout')
            net = slim.fully_connected(net, 5, activation_fn=None, scope='Bottleneck', reuse=False)
    emb = tf.nn.l2_normalize(net, 1, 1e-10, name='embeddings')
    up = []
    if is_training:
        loss = tf.reduce_mean(emb[:, 0]) + tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))
        losses = tf.train.ExponentialMovingAverage(0.9, name='avg')
        la = losses.apply([loss])
        step = tf.train.get_or_create_global_step()
        with tf.control_dependencies([la]):
            opt = tf.train.AdagradOptimizer(1e-3)
            grads = opt.compute_gradients(loss, tf.trainable_variables())
        apply = opt.apply_gradients([(g, v) for g, v in grads if g is not None], global_step=step)
        ema = tf.train.ExponentialMovingAverage(0.9, step)
        avg = ema.apply(tf.trainable_variables())
        with tf.control_dependencies([apply, avg]):
            up = tf.no_op(name='train')
    return Net({raw: (12, 12, 3)}, emb, updates=up, feed={phase: True}, golden_feed={phase: False})


@recipe('1', keep='moving')
def facenet_baked(is_training):
    slim = get_slim()
    x = image('input', (10, 10, 3))
    params = {'decay': 0.9, 'epsilon': 0.001, 'updates_collections': None, 'is_training': is_training, 'fused': False,
              'variables_collections': [tf.GraphKeys.TRAINABLE_VARIABLES]}
    y = slim.conv2d(x, 4, 3, normalizer_fn=slim.batch_norm, normalizer_params=params, scope='a')
    y = slim.fully_connected(slim.flatten(y), 4, activation_fn=None, normalizer_fn=slim.batch_norm,
                             normalizer_params=params, scope='b')
    emb = tf.nn.l2_normalize(y, 1, 1e-10, name='embeddings')
    up = []
    if is_training:
        step = tf.train.get_or_create_global_step()
        opt = tf.train.MomentumOptimizer(1e-4, .9)
        grads = opt.compute_gradients(tf.reduce_mean(emb[:, 0]), tf.trainable_variables())
        apply = opt.apply_gradients([(g, v) for g, v in grads if g is not None], step)
        ema = tf.train.ExponentialMovingAverage(0.9, step)
        with tf.control_dependencies([apply]):
            up = ema.apply(tf.trainable_variables())
    return Net({x: (10, 10, 3)}, emb, updates=up)


@recipe('1', steps=3)
def resnet_v2_slim(is_training):
    from tensorflow.contrib.slim.nets import resnet_v2, resnet_utils
    slim = get_slim()
    x = image('image', (32, 32, 3))
    with slim.arg_scope(resnet_utils.resnet_arg_scope(batch_norm_decay=0.8)):
        blocks = [resnet_v2.resnet_v2_block('block1', 4, 2, 2), resnet_v2.resnet_v2_block('block2', 6, 2, 1)]
        y, _ = resnet_v2.resnet_v2(x, blocks, 5, is_training=is_training, scope='resnet_v2_50')
    return Net({x: (32, 32, 3)}, tf.squeeze(y, [1, 2], name='probs'))


@recipe('1', steps=2, batch=3, golden_batch=2)
def inception_v3_slim(is_training):
    from tensorflow.contrib.slim.nets import inception
    slim = get_slim()
    x = image('image', (139, 139, 3))
    with slim.arg_scope(inception.inception_v3_arg_scope(batch_norm_var_collection='moving_vars')):
        with slim.arg_scope([slim.batch_norm], decay=0.8):
            y, ends = inception.inception_v3(x, 7, is_training=is_training, depth_multiplier=0.05, min_depth=3)
    return Net({x: (139, 139, 3)}, [y, ends['Mixed_5d']])


@recipe(steps=4)
def mobilenet_v1_slim(is_training):
    slim = get_slim()
    x = image('input', (16, 16, 3))
    bn = {'is_training': is_training, 'center': True, 'scale': True, 'decay': 0.8, 'epsilon': 0.001}
    with slim.arg_scope([slim.conv2d, slim.separable_conv2d], normalizer_fn=slim.batch_norm,
                        activation_fn=tf.nn.relu6, weights_regularizer=slim.l2_regularizer(4e-5)):
        with slim.arg_scope([slim.batch_norm], **bn):
            y = slim.conv2d(x, 4, [3, 3], stride=2, scope='Conv2d_0')
            for i, (c, s) in enumerate([(6, 1), (8, 2), (8, 1)]):
                y = slim.separable_conv2d(y, None, [3, 3], depth_multiplier=1, stride=s, scope='Conv2d_%d_depthwise' % i)
                y = slim.conv2d(y, c, [1, 1], scope='Conv2d_%d_pointwise' % i)
            y = tf.reduce_mean(y, [1, 2], keepdims=True, name='global_pool')
            y = slim.dropout(y, 0.9, is_training=is_training, scope='Dropout_1b')
            y = slim.conv2d(y, 5, [1, 1], activation_fn=None, normalizer_fn=None, scope='Conv2d_1c_1x1')
    y = tf.nn.softmax(tf.squeeze(y, [1, 2]), name='Predictions')
    return Net({x: (16, 16, 3)}, y)


@recipe('1')
def deeplab_finetune(is_training):
    """Backbone BN frozen, head BN in training."""
    slim = get_slim()
    x = image('image', (12, 12, 3))

    def bn(train, **k):
        return dict(normalizer_fn=slim.batch_norm, normalizer_params=dict(is_training=train, decay=.8, **k))
    y = slim.conv2d(x, 4, 3, scope='backbone/conv1', **bn(False, scale=True))
    y = slim.conv2d(y, 4, 3, scope='backbone/conv2', rate=2, **bn(False, scale=True))
    a = slim.conv2d(y, 3, 1, scope='aspp0', **bn(is_training))
    b = slim.conv2d(y, 3, 3, rate=2, scope='aspp1', **bn(is_training))
    pool = tf.reduce_mean(y, [1, 2], keepdims=True)
    c = tf.image.resize_bilinear(slim.conv2d(pool, 3, 1, scope='image_pooling', **bn(is_training)), tf.shape(y)[1:3],
                                 align_corners=True)
    y = slim.dropout(slim.conv2d(tf.concat([a, b, c], 3), 4, 1, scope='concat_projection', **bn(is_training)),
                     keep_prob=0.9, is_training=is_training)
    y = slim.conv2d(y, 2, 1, activation_fn=None, scope='logits')
    y = tf.argmax(tf.image.resize_bilinear(y, [12, 12]), 3, name='SemanticPredictions')

    def after(sess):
        for v in tf.global_variables():
            if 'backbone' in v.op.name and 'moving_mean' in v.op.name:
                v.load(np.linspace(-.4, .6, 4).astype('f'), sess)
            if 'backbone' in v.op.name and 'moving_variance' in v.op.name:
                v.load(np.linspace(.4, 1.6, 4).astype('f'), sess)
    logits = y.op.inputs[0]
    return Net({x: (12, 12, 3)}, [logits], after_init=after)


# ------------------------------------------------------------------ other libraries, copied out

@recipe('1')
def tflearn(is_training):
    flag = tf.get_variable('is_training', [], tf.bool, trainable=False, initializer=tf.constant_initializer(True),
                           collections=['is_training', tf.GraphKeys.GLOBAL_VARIABLES])
    from tensorflow.python.training import moving_averages

    def bn(x, name, decay=0.9):
        c = x.get_shape().as_list()[-1:]
        with tf.variable_scope(name):
            beta, gamma = w('beta', c), w('gamma', c)
            axis = list(range(len(x.get_shape()) - 1))
            mm, mv = fixed('moving_mean', c, 0.), fixed('moving_variance', c, 1.)

            def update():
                mean, variance = tf.nn.moments(x, axis)
                a = moving_averages.assign_moving_average(mm, mean, decay, zero_debias=False)
                b = moving_averages.assign_moving_average(mv, variance, decay, zero_debias=False)
                with tf.control_dependencies([a, b]):
                    return tf.identity(mean), tf.identity(variance)
            mean, var = tf.cond(flag, update, lambda: (mm, mv))
            y = tf.nn.batch_normalization(x, mean, var, beta, gamma, 1e-5)
            y.set_shape(x.get_shape())
            return y
    x = image('InputData/X', (8, 8, 3))
    y = tf.nn.relu(bn(conv(x, 4, 'Conv2D'), 'BatchNormalization'))
    y = tf.layers.dense(tf.layers.flatten(y), 5, name='FC')
    y = tf.cond(flag, lambda: tf.nn.dropout(y, 0.5), lambda: y)
    y = tf.nn.softmax(tf.layers.dense(bn(y, 'BatchNormalization_1'), 3, name='FC_1'))
    up = [y]
    if is_training:
        step = tf.Variable(0., name='Global_Step', trainable=False)
        loss = tf.reduce_mean(y[:, 0])
        ema = tf.train.ExponentialMovingAverage(0.9, num_updates=step, name='moving_avg')
        up = [tf.train.AdamOptimizer(1e-4).minimize(loss), ema.apply([loss]), tf.assign_add(step, 1.)]
        tf.add_to_collection('is_training_ops', tf.assign(flag, True))
        tf.add_to_collection('is_training_ops', tf.assign(flag, False))
    return Net({x: (8, 8, 3)}, y, updates=up, golden_feed={} if is_training else {flag: False})


@recipe()
def tensorlayer(is_training):
    from tensorflow.python.training import moving_averages
    x = image('x', (8, 8, 3))

    def bn(x, name):
        c = x.get_shape()[-1:]
        axis = list(range(len(x.get_shape()) - 1))
        with tf.variable_scope(name):
            beta, gamma = w('beta', c), w('gamma', c)
            mm, mv = fixed('moving_mean', c, 0.), fixed('moving_variance', c, 1.)
            mean, variance = tf.nn.moments(x, axis)
            a = moving_averages.assign_moving_average(mm, mean, 0.9, zero_debias=False)
            b = moving_averages.assign_moving_average(mv, variance, 0.9, zero_debias=False)

            def with_update():
                with tf.control_dependencies([a, b]):
                    return tf.identity(mean), tf.identity(variance)
            mean, var = with_update() if is_training else (mm, mv)
            return tf.nn.relu(tf.nn.batch_normalization(x, mean, var, beta, gamma, 1e-5))
    y = bn(conv(x, 4, 'n64s1/c/1'), 'n64s1/b1/1')
    t = bn(conv(y, 4, 'n64s1/c2/1'), 'n64s1/b2/1')
    y = y + t
    y = tf.depth_to_space(conv(y, 4, 'n256s1/1'), 2)
    return Net({x: (8, 8, 3)}, tf.nn.tanh(y, name='out'), updates=None if False else [y] if is_training else [])


@recipe()
def tensorpack(is_training):
    x = tf.placeholder(tf.float32, [None, 7], name='x')
    from tensorflow.python.training.moving_averages import assign_moving_average

    def bn(x, name):
        with tf.variable_scope(name):
            rank = x.shape.ndims
            if rank == 2:
                x = tf.expand_dims(tf.expand_dims(x, 1), 1)
            c = x.shape.as_list()[-1]
            beta, gamma = w('beta', [c]), w('gamma', [c])
            mm, mv = fixed('mean/EMA', [c], 0.), fixed('variance/EMA', [c], 1.)
            if is_training:
                xn, m, v = tf.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-5, is_training=True)
                u1 = assign_moving_average(mm, m, 0.9, zero_debias=False, name='mean_ema_op')
                u2 = assign_moving_average(mv, v, 0.9, zero_debias=False, name='var_ema_op')
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, u1)
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, u2)
            else:
                xn, _, _ = tf.nn.fused_batch_norm(x, gamma, beta, mean=mm, variance=mv, epsilon=1e-5, is_training=False)
            if rank == 2:
                xn = tf.squeeze(xn, [1, 2])
            return tf.identity(xn, name='output')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='fc0'), 'bn0'))
    y = bn(tf.layers.dense(y, 3, name='fc1'), 'bn1')
    return Net({x: (7,)}, tf.nn.softmax(y, name='prob'))


@recipe('1', golden_batch=4)
def tensorpack_towers(is_training):
    """Two towers; only the first one has update ops."""
    x = image('x', (8, 8, 3))

    def tower(x, main):
        y = conv(x, 4, 'c0')
        for i in range(2):
            c = 4
            with tf.variable_scope('bn%d' % i):
                beta, gamma = w('beta', [c]), w('gamma', [c])
                mm, mv = fixed('mean/EMA', [c], 0.), fixed('variance/EMA', [c], 1.)
                if is_training:
                    y, m, v = tf.nn.fused_batch_norm(y, gamma, beta, epsilon=1e-5, is_training=True)
                    if main:
                        from tensorflow.python.training.moving_averages import assign_moving_average as ama
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, ama(mm, m, 0.9, zero_debias=False))
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, ama(mv, v, 0.9, zero_debias=False))
                else:
                    y, _, _ = tf.nn.fused_batch_norm(y, gamma, beta, mean=mm, variance=mv, epsilon=1e-5, is_training=False)
            y = tf.nn.relu(conv(y, 4, 'c1_%d' % i))
        return y
    halves = tf.split(x, 2, 0)
    outs = []
    for i, h in enumerate(halves):
        with tf.variable_scope(tf.get_variable_scope(), reuse=i > 0), tf.name_scope('tower%d' % i):
            outs.append(tower(h, i == 0))
    return Net({x: (8, 8, 3)}, tf.concat(outs, 0, name='both'))


@recipe('1', golden_batch=4)
def tower_stats_odd_names_first_only(is_training):
    """The same with unfused norms and variables of odd names: only sharing gamma tells the second tower's."""
    x = image('x', (6, 6, 3))

    def tower(x, main):
        y = conv(x, 4, 'c0')
        for i in range(2):
            with tf.variable_scope('norm%d' % i):
                b, g = w('b', [4]), w('g', [4])
                mm, mv = fixed('avg', [4], 0.), fixed('dev', [4], 1.)
                m, v = mm, mv
                if is_training:
                    m, v = tf.nn.moments(y, [0, 1, 2])
                    if main:
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(mm, .1 * (mm - m)))
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(mv, .1 * (mv - v)))
                y = tf.nn.relu(tf.nn.batch_normalization(y, m, v, b, g, 1e-3))
        return y
    outs = []
    for i, h in enumerate(tf.split(x, 2, 0)):
        with tf.variable_scope(tf.get_variable_scope(), reuse=i > 0), tf.name_scope('tower%d' % i):
            outs.append(tower(h, i == 0))
    return Net({x: (6, 6, 3)}, tf.concat(outs, 0, name='both'))


@recipe()
def r2rt_wrapper(is_training):
    x = tf.placeholder(tf.float32, [None, 9], name='x')

    def wrapper(inputs, decay=0.9):
        scale = tf.Variable(tf.ones([inputs.get_shape()[-1]]), name='scale')
        beta = tf.Variable(tf.zeros([inputs.get_shape()[-1]]), name='beta')
        pop_mean = tf.Variable(tf.zeros([inputs.get_shape()[-1]]), trainable=False)
        pop_var = tf.Variable(tf.ones([inputs.get_shape()[-1]]), trainable=False)
        if is_training:
            batch_mean, batch_var = tf.nn.moments(inputs, [0])
            a = tf.assign(pop_mean, pop_mean * decay + batch_mean * (1 - decay))
            b = tf.assign(pop_var, pop_var * decay + batch_var * (1 - decay))
            with tf.control_dependencies([a, b]):
                return tf.nn.batch_normalization(inputs, batch_mean, batch_var, beta, scale, 1e-3)
        return tf.nn.batch_normalization(inputs, pop_mean, pop_var, beta, scale, 1e-3)
    y = tf.nn.sigmoid(wrapper(tf.matmul(x, tf.Variable(tf.random_normal([9, 5])))))
    y = tf.nn.sigmoid(wrapper(tf.matmul(y, tf.Variable(tf.random_normal([5, 4])))))
    y = tf.nn.softmax(tf.matmul(y, tf.Variable(tf.random_normal([4, 3]))))
    return Net({x: (9,)}, y, updates=[y] if is_training else [])


# ------------------------------------------------------------------ reinforcement learning

def ddpg(is_training, soft=True, together=False):
    x = tf.placeholder(tf.float32, [None, 6], name='s')

    def actor(scope):
        with tf.variable_scope(scope):
            y = tf.layers.dense(x, 8, name='l1')
            y = tf.nn.relu(tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn1'))
            y = tf.layers.dense(y, 6, name='l2')
            y = tf.nn.relu(tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn2'))
            return tf.nn.tanh(tf.layers.dense(y, 2, name='a'))
    a, t = actor('eval_net'), actor('target_net')
    up = []
    if is_training:
        upd = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        src = [v for v in tf.global_variables() if v.op.name.startswith('eval_net')]
        dst = [v for v in tf.global_variables() if v.op.name.startswith('target_net')]
        with tf.control_dependencies(upd):
            opt = tf.train.AdamOptimizer(1e-4).minimize(tf.reduce_mean(a))
        if together:
            with tf.control_dependencies([opt] + upd):
                copy = [tf.assign(d, s * 0.3 + d * 0.7 if soft else s) for s, d in zip(src, dst)]
        else:
            copy = [tf.assign(d, s * 0.3 + d * 0.7 if soft else s) for s, d in zip(src, dst)]
        up = [opt] + (copy if together else [])
    return Net({x: (6,)}, [a, t], updates=up)


@recipe()
def ddpg_soft(is_training):
    return ddpg(is_training)


@recipe()
def ddpg_soft_together(is_training):
    return ddpg(is_training, together=True)


@recipe(context=resource_variables)
def ddpg_soft_together_resource(is_training):
    return ddpg(is_training, together=True)


@recipe(context=resource_variables)
def ddpg_hard_together_resource(is_training):
    return ddpg(is_training, soft=False, together=True)


@recipe(context=resource_variables)
def ema_all_after_updates_resource(is_training):
    x = image('x', (6, 6, 3))
    y = tf.layers.batch_normalization(conv(x, 4, 'c'), training=is_training, momentum=0.8, name='bn')
    y = tf.layers.batch_normalization(conv(tf.nn.relu(y), 4, 'c2'), training=is_training, momentum=0.8, name='bn2')
    y = tf.reduce_mean(y, [1, 2], name='o')
    up = []
    if is_training:
        upd = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(upd):
            opt = tf.train.RMSPropOptimizer(1e-4).minimize(tf.reduce_mean(y))
        with tf.control_dependencies([opt] + upd):
            up = tf.train.ExponentialMovingAverage(.7).apply(tf.global_variables())
    return Net({x: (6, 6, 3)}, y, updates=up)


@recipe()
def ema_swap(is_training):
    """Weights are swapped with their averages for evaluation: backup, assign, restore; of all variables."""
    x = image('x', (6, 6, 3))
    y = tf.layers.batch_normalization(conv(x, 4, 'c'), training=is_training, momentum=0.8, name='bn')
    y = tf.reduce_mean(tf.nn.relu(y), [1, 2], name='o')
    up = []
    if is_training:
        vs = [v for v in tf.global_variables()]
        ema = tf.train.ExponentialMovingAverage(.7)
        upd = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(upd):
            app = ema.apply(vs)
        back = [tf.Variable(v.initialized_value(), trainable=False, name='backup/' + v.op.name) for v in vs]
        save = [tf.assign(b, v) for b, v in zip(back, vs)]
        swap = [tf.assign(v, ema.average(v)) for v in vs]
        undo = [tf.assign(v, b) for b, v in zip(back, vs)]
        tf.group(*(save + swap + undo))
        up = [app]
    return Net({x: (6, 6, 3)}, y, updates=up)


@recipe()
def dqn_obs_normaliser(is_training):
    """Running mean and deviation of the observations, by sum and count, fed by hand; BN behind."""
    x = tf.placeholder(tf.float32, [None, 5], name='ob')
    s, sq, n = fixed('runningsum', [5], 1.), fixed('runningsumsq', [5], 9.), fixed('count', [], 3.)
    mean = s / n
    std = tf.sqrt(tf.maximum(sq / n - tf.square(mean), 1e-2))
    if is_training:
        ns = tf.placeholder(tf.float32, [5], name='newsum')
        tf.group(tf.assign_add(s, ns), tf.assign_add(sq, ns), tf.assign_add(n, 1.))
    y = tf.clip_by_value((x - mean) / std, -5., 5.)
    y = tf.layers.batch_normalization(tf.layers.dense(y, 4, name='fc'), training=is_training, momentum=.8, name='bn')
    return Net({x: (5,)}, tf.nn.tanh(y, name='pi'))


@recipe()
def obs_normaliser_in_place(is_training):
    """Running statistics of the input by assign under control dependencies; they normalise, not the batch's."""
    x = tf.placeholder(tf.float32, [None, 5], name='ob')
    rm, rv = fixed('rm', [5], 0.), fixed('rv', [5], 1.)
    if is_training:
        m, v = tf.nn.moments(x, [0])
        a = tf.assign(rm, .8 * rm + .2 * m)
        b = tf.assign(rv, .8 * rv + .2 * v)
        with tf.control_dependencies([a, b]):
            y = (x - rm) / tf.sqrt(rv + 1e-4)
    else:
        y = (x - rm) / tf.sqrt(rv + 1e-4)
    y = tf.layers.dense(y, 4, name='fc')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=.8, name='bn')
    return Net({x: (5,)}, tf.nn.tanh(y, name='pi'), updates=[y] + tf.get_collection(tf.GraphKeys.UPDATE_OPS))


@recipe(context=resource_variables)
def obs_normaliser_in_place_resource(is_training):
    return obs_normaliser_in_place(is_training)


@recipe(context=resource_variables)
def obs_normaliser_assigned_value(is_training):
    """The freshly assigned running statistics normalise the batch."""
    x = tf.placeholder(tf.float32, [None, 5], name='ob')
    rm, rv = fixed('rm', [5], 0.), fixed('rv', [5], 1.)
    a, b = rm, rv
    if is_training:
        m, v = tf.nn.moments(x, [0])
        a = tf.assign(rm, .8 * rm + .2 * m)
        b = tf.assign(rv, .8 * rv + .2 * v)
    y = (x - a) / tf.sqrt(b + 1e-4)
    y = tf.layers.dense(y, 4, name='fc')
    return Net({x: (5,)}, tf.nn.tanh(y, name='pi'), updates=[y])


@recipe()
def normalise_with_moving_in_training(is_training):
    """Normalises with the moving average even in training (assigned value, ref variables)."""
    x = tf.placeholder(tf.float32, [None, 5], name='ob')
    y = tf.layers.dense(x, 4, name='fc')
    rm, rv = fixed('rm', [4], 0.), fixed('rv', [4], 1.)
    a, b = rm, rv
    if is_training:
        m, v = tf.nn.moments(y, [0])
        a = tf.assign_sub(rm, .2 * (rm - m))
        b = tf.assign_sub(rv, .2 * (rv - v))
    y = tf.nn.batch_normalization(y, a, b, None, None, 1e-3)
    return Net({x: (5,)}, tf.nn.tanh(y, name='pi'), updates=[y])


# ------------------------------------------------------------------ batch norm by hand, odd forms

@recipe()
def mean_only(is_training):
    """Mean-only batch norm of weight normalisation (Salimans)."""
    x = image('x', (6, 6, 3))
    y = conv(x, 4, 'c')
    avg = fixed('meanx', [4], 0.)
    m = avg
    up = []
    if is_training:
        m = tf.reduce_mean(y, [0, 1, 2])
        up = tf.assign(avg, avg * .9 + .1 * m)
    y = tf.nn.relu(y - m + w('b', [4]))
    return Net({x: (6, 6, 3)}, tf.reduce_mean(y, [1, 2], name='o'), updates=up)


@recipe(expect='refused')
def second_moment(is_training):
    """The variable holds E[x^2] (Sonnet's legacy, PopArt)."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    a, b = fixed('moving_mean', [4], 0.), fixed('moving_second_moment', [4], 1.)
    up = []
    if is_training:
        m, v = tf.nn.moments(y, [0])
        up = [tf.assign_sub(a, .3 * (a - m)), tf.assign_sub(b, .3 * (b - (v + tf.square(m))))]
    else:
        m, v = a, b - tf.square(a)
    y = tf.nn.batch_normalization(y, m, v, w('beta', [4]), w('gamma', [4]), 1e-2)
    return Net({x: (6,)}, y, updates=up)


@recipe()
def second_moment_by_reductions(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    a, b = fixed('avg1', [4], 0.), fixed('avg2', [4], 1.)
    up = []
    m, s = a, b
    if is_training:
        m, s = tf.reduce_mean(y, 0), tf.reduce_mean(tf.square(y), 0)
        up = [tf.assign_sub(a, .3 * (a - m)), tf.assign_sub(b, .3 * (b - s))]
    y = tf.nn.batch_normalization(y, m, s - tf.square(m), w('beta', [4]), w('gamma', [4]), 1e-2)
    return Net({x: (6,)}, y, updates=up)


@recipe()
def masked(is_training):
    """Moments over the valid steps of padded sequences."""
    x = tf.placeholder(tf.float32, [None, 5, 4], name='x')
    mask = tf.placeholder(tf.float32, [None, 5], name='mask')
    y = tf.layers.dense(x, 3, name='d')
    k = mask[..., None]
    a, b = fixed('rm', [3], 0.), fixed('rv', [3], 1.)
    up = []
    m, v = a, b
    if is_training:
        n = tf.reduce_sum(k)
        m = tf.reduce_sum(y * k, [0, 1]) / n
        v = tf.reduce_sum(tf.square(y - m) * k, [0, 1]) / n
        up = [tf.assign(a, .8 * a + .2 * m), tf.assign(b, .8 * b + .2 * v)]
    y = ((y - m) / tf.sqrt(v + 1e-5) * w('g', [3]) + w('b', [3])) * k
    return Net({x: (5, 4), mask: lambda r, n, s: (r.uniform(size=(n, 5)) < .7).astype('f')}, y, updates=up)


@recipe()
def eps_outside(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    a, b = fixed('rm', [4], 0.), fixed('rs', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(y, [0])
        up = [tf.assign(a, .8 * a + .2 * m), tf.assign(b, .8 * b + .2 * v)]
    y = w('g', [4]) * (y - m) / (tf.sqrt(v) + 1e-3) + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


@recipe()
def std_is_kept(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    a, b = fixed('rm', [4], 0.), fixed('rs', [4], 1.)
    up = []
    m, s = a, b
    if is_training:
        m = tf.reduce_mean(y, 0, keepdims=True)
        s = tf.sqrt(tf.reduce_mean((y - m) ** 2, 0, keepdims=True) + 1e-5)
        up = [tf.assign(a, .8 * a + .2 * m[0]), tf.assign(b, .8 * b + .2 * tf.squeeze(s))]
    y = w('g', [4]) * ((y - m) / s) + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


@recipe()
def inverse_std_is_kept(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    a, b = fixed('rm', [4], 0.), fixed('ri', [4], 1.)
    up = []
    m, s = a, b
    if is_training:
        m, v = tf.nn.moments(y, [0])
        s = tf.rsqrt(v + 1e-5)
        up = [tf.assign(a, .8 * a + .2 * m), tf.assign(b, .8 * b + .2 * s)]
    y = w('g', [4]) * (y - m) * s + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


@recipe()
def variance_with_eps_is_kept(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    a, b = fixed('rm', [4], 0.), fixed('rv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(y, [0])
        v = v + 0.5
        up = [tf.assign(a, .8 * a + .2 * m), tf.assign(b, .8 * b + .2 * v)]
    y = w('g', [4]) * (y - m) * tf.rsqrt(v) + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


@recipe()
def moving_of_raw_variance_used_with_eps(is_training):
    """The variable follows v; the net divides by sqrt(v + .5), and by sqrt(moving + .1) at inference: .5 counts."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    a, b = fixed('rm', [4], 0.), fixed('rv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(y, [0])
        up = [tf.assign(a, .8 * a + .2 * m), tf.assign(b, .8 * b + .2 * v)]
    y = w('g', [4]) * (y - m) * tf.rsqrt(v + .5) + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


@recipe()
def max_norm(is_training):
    """Running maximum of |x| over the batch."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    a = fixed('rmax', [4], 1.)
    up = []
    m = a
    if is_training:
        m = tf.reduce_max(tf.abs(y), 0)
        up = [tf.assign(a, .8 * a + .2 * m)]
    y = y / (m + 1e-3)
    return Net({x: (6,)}, y, updates=up)


@recipe()
def momentum_as_variable(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    mom = fixed('bn_momentum', [], .8)
    y = tf.layers.dense(x, 4, name='d')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=mom, name='bn')
    return Net({x: (6,)}, y)


@recipe()
def momentum_placeholder(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    mom = tf.placeholder(tf.float32, [], name='mom')
    y = tf.layers.dense(x, 4, name='d')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=mom, name='bn')
    return Net({x: (6,)}, y, feed={mom: .8}, golden_feed={mom: .8})


@recipe()
def cma_by_count(is_training):
    """Cumulative average: mean += (batch - mean) / n."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    n = fixed('n', [], 0.)
    a, b = fixed('rm', [4], 0.), fixed('rv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(y, [0])
        k = tf.assign_add(n, 1.)
        up = [tf.assign_add(a, (m - a) / k), tf.assign_add(b, (v - b) / k)]
    y = w('g', [4]) * (y - m) * tf.rsqrt(v + 1e-3) + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


@recipe(expect='refused')
def accumulated_then_divided(is_training):
    """Sums over an epoch, divided by the count at inference: not a moving average, and must not be taken for one."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    n = fixed('n', [], 0.)
    a, b = fixed('sm', [4], 0.), fixed('sv', [4], 0.)
    up = []
    if is_training:
        m, v = tf.nn.moments(y, [0])
        up = [tf.assign_add(a, m), tf.assign_add(b, v), tf.assign_add(n, 1.)]
    else:
        m, v = a / n, b / n
    y = w('g', [4]) * (y - m) * tf.rsqrt(v + 1e-3) + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


def main():
    import forms
    import recipes2  # noqa: F401
    import recipes3  # noqa: F401
    wanted = sys.argv[1:]
    counts = {}
    for name, only, opts, fn in RECIPES:
        if wanted and not any(fnmatch.fnmatch(name, g) for g in wanted):
            continue
        if only and (only == '2') != TF2:
            continue
        opts = dict(opts)
        expect = opts.pop('expect', 'ok')
        opts.setdefault('name_outputs', 'FUZZ_AUTO' not in os.environ)
        opts.setdefault('context', lambda: forms.context(False, False))
        try:
            r = run(name, fn, **opts)
        except Exception:
            traceback.print_exc()
            continue
        good = r.verdict == expect
        counts[good] = counts.get(good, 0) + 1
        print('%s %-34s %-8s %s' % ('  ' if good else '##', name, r.verdict, r.text))
        sys.stdout.flush()
    print('TensorFlow %s: %d as expected, %d not' % (common.VERSION, counts.get(True, 0), counts.get(False, 0)))


if __name__ == '__main__':
    import recipes  # the module that recipes2 adds to
    recipes.main()
