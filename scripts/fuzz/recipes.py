"""What people wrote: nets after well-known repositories of 2016 to 2020, small, judged like the random ones.

    python scripts/fuzz/recipes.py [NAME ...]
"""
from __future__ import print_function

import fnmatch
import sys
import traceback

from harness import common, np, run, tf

from cases_fused import get_slim, image, keras_updates, resource_variables
from common import Net, TF2, channels_sample

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

@recipe('1')
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


@recipe('1')
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


def slim_net(name):
    @recipe('1', train=True, steps=3)
    def net(is_training):
        from tensorflow.contrib.slim.python.slim import nets  # noqa: F401
        slim = get_slim()
        return nets, slim
    return net


@recipe('1', steps=3)
def resnet_v2_slim(is_training):
    from tensorflow.contrib.slim.nets import resnet_v2, resnet_utils
    slim = get_slim()
    x = image('image', (32, 32, 3))
    with slim.arg_scope(resnet_utils.resnet_arg_scope(batch_norm_decay=0.8)):
        blocks = [resnet_v2.resnet_v2_block('block1', 4, 2, 2), resnet_v2.resnet_v2_block('block2', 6, 2, 1)]
        y, _ = resnet_v2.resnet_v2(x, blocks, 5, is_training=is_training, scope='resnet_v2_50')
    return Net({x: (32, 32, 3)}, tf.squeeze(y, [1, 2], name='probs'))


@recipe('1', steps=3)
def inception_v3_slim(is_training):
    from tensorflow.contrib.slim.nets import inception
    slim = get_slim()
    x = image('image', (96, 96, 3))
    with slim.arg_scope(inception.inception_v3_arg_scope(batch_norm_var_collection='moving_vars')):
        with slim.arg_scope([slim.batch_norm], decay=0.8):
            y, ends = inception.inception_v3(x, 7, is_training=is_training, depth_multiplier=0.05, min_depth=3)
    return Net({x: (96, 96, 3)}, [y, ends['Mixed_5d']])


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


@recipe('1')
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


@recipe('1')
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


def main():
    wanted = sys.argv[1:]
    counts = {}
    for name, only, opts, fn in RECIPES:
        if wanted and not any(fnmatch.fnmatch(name, g) for g in wanted):
            continue
        if only and (only == '2') != TF2:
            continue
        opts = dict(opts)
        expect = opts.pop('expect', 'ok')
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
    main()
