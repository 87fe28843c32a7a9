"""The third part: updates that are gated, packed or chosen, fixed batch sizes, models of Keras, flags per layer."""
from harness import np, tf
from recipes import conv, fixed, recipe, w
from recipes2 import bn, flagged, net

import forms
from cases_fused import image
from common import Net


def gated(is_training, gate):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    m, v = a, b
    up = []
    if is_training:
        m, v = tf.nn.moments(h, [0])
        up = gate([(a, m), (b, v)])
    return net(x, tf.nn.batch_normalization(h, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


def next_(a, m):
    return a * .8 + m * .2


def resource():
    return forms.context(True, False)


def resource_v2():
    return forms.context(True, True)


@recipe()
def gated_by_flag(is_training):
    on = tf.placeholder_with_default(True, [], name='update_bn')
    return gated(is_training, lambda ps: [tf.cond(on, lambda a=a, m=m: tf.assign(a, next_(a, m)), lambda a=a: a) for a, m in ps])


@recipe(context=resource)
def gated_by_flag_resource(is_training):
    on = tf.placeholder_with_default(True, [], name='update_bn')

    def op(a, m):
        with tf.control_dependencies([tf.assign(a, next_(a, m))]):
            return tf.constant(0.)
    return gated(is_training, lambda ps: [tf.cond(on, lambda a=a, m=m: op(a, m), lambda: tf.constant(0.)) for a, m in ps])


@recipe(context=resource_v2)
def gated_by_flag_v2(is_training):
    on = tf.placeholder_with_default(True, [], name='update_bn')

    def op(a, m):
        with tf.control_dependencies([tf.assign(a, next_(a, m))]):
            return tf.constant(0.)
    return gated(is_training, lambda ps: [tf.cond(on, lambda a=a, m=m: op(a, m), lambda: tf.constant(0.)) for a, m in ps])


@recipe(expect='refused')
def first_step_by_where(is_training):
    step = fixed('step', [], 0.)
    return gated(is_training, lambda ps: [tf.assign(a, tf.where(tf.fill([4], step < 1), m, next_(a, m))) for a, m in ps] +
                 [tf.assign_add(step, 1.)])


@recipe(context=resource)
def first_step_by_cond(is_training):
    step = fixed('step', [], 0.)
    return gated(is_training, lambda ps: [tf.cond(step < 1, lambda a=a, m=m: tf.identity(tf.assign(a, m)),
                                                  lambda a=a, m=m: tf.identity(tf.assign(a, next_(a, m)))) for a, m in ps] +
                 [tf.assign_add(step, 1.)])


@recipe()
def first_step_by_weight(is_training):
    step = fixed('step', [], 0.)
    k = tf.maximum(.2, 1. / (step + 1.))
    return gated(is_training, lambda ps: [tf.assign_add(a, (m - a) * k) for a, m in ps] + [tf.assign_add(step, 1.)])


@recipe()
def no_memory(is_training):
    """Momentum 0: the last batch's statistics."""
    return gated(is_training, lambda ps: [tf.assign(a, m) for a, m in ps])


@recipe()
def clipped_update(is_training):
    return gated(is_training, lambda ps: [tf.assign(a, next_(a, tf.clip_by_value(m, -5., 5.))) for a, m in ps])


@recipe(expect='refused')
def packed_by_concat(is_training):
    """Moments packed into one tensor for an all-reduce, and split again."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    m, v, up = a, b, []
    if is_training:
        s = tf.concat([tf.reduce_mean(h, 0), tf.reduce_mean(tf.square(h), 0)], 0)
        m, q = tf.split(s, 2)
        v = q - tf.square(m)
        up = [tf.assign(a, next_(a, m)), tf.assign(b, next_(b, v))]
    return net(x, tf.nn.batch_normalization(h, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


def static(is_training, n, how):
    x = tf.placeholder(tf.float32, [n, 4, 4, 4], name='x')
    y = x
    if how in ('fused', 'both'):
        y = bn(y, is_training, 'f', fused=True)
    if how in ('unfused', 'both'):
        y = bn(y, is_training, 'u', fused=False)
    if how == 'hand':
        a, b = fixed('mm', [1, 1, 1, 4], 0.), fixed('mv', [1, 1, 1, 4], 1.)
        m, v = tf.nn.moments(y, [0, 1, 2], keep_dims=True) if is_training else (a, b)
        up = [tf.assign(a, next_(a, m)), tf.assign(b, next_(b, v))] if is_training else []
        y = (y - m) / tf.sqrt(v + 1e-3)
        return net(x, tf.nn.relu(y, name='o'), up=up)
    return net(x, tf.nn.relu(y, name='o'))


@recipe(batch=4, golden_batch=4)
def static_batch_is_channels(is_training):
    return static(is_training, 4, 'both')


@recipe(batch=4, golden_batch=4)
def static_batch_hand(is_training):
    return static(is_training, 4, 'hand')


@recipe(batch=1, golden_batch=1)
def static_one_fused(is_training):
    return static(is_training, 1, 'fused')


@recipe(batch=1, golden_batch=1)
def static_one_unfused(is_training):
    return static(is_training, 1, 'unfused')


@recipe(batch=1, golden_batch=1)
def static_one_hand(is_training):
    return static(is_training, 1, 'hand')


@recipe()
def flag_per_layer(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    f1, f2 = tf.placeholder(tf.bool, name='train_encoder'), tf.placeholder_with_default(True, [], name='train_decoder')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), f1))
    y = tf.nn.relu(bn(tf.layers.dense(y, 5, name='d'), f2, 'bn2'))
    y = bn(tf.layers.dense(y, 3, name='o'), False, 'bn3')
    return Net({x: (6,)}, y, feed={f1: True, f2: True}, golden_feed={f1: False, f2: False}, after_init=third)


def third(sess):
    for v in tf.global_variables():
        if 'bn3/moving' in v.op.name:
            v.load(np.linspace(.3, 1.6, 3).astype('f'), sess)


@recipe()
def flag_is_float_variable(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    f = fixed('train_phase', [], 1.)
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), f > .5 if is_training else False))
    return net(x, y, up=None)


@recipe()
def keras_functional(is_training):
    k = tf.keras
    k.backend.set_learning_phase(1 if is_training else 0)
    i = k.layers.Input((6, 6, 3), name='input_1')

    def block(x, c, n):
        y = k.layers.Conv2D(c, 3, padding='same', use_bias=False, name='conv%d' % n)(x)
        y = k.layers.BatchNormalization(momentum=.8, name='bn%d' % n)(y)
        return k.layers.Activation('relu')(y)
    y = block(i, 4, 1)
    y = k.layers.add([block(y, 4, 2), y])
    y = k.layers.DepthwiseConv2D(3, padding='same')(y)
    y = k.layers.BatchNormalization(momentum=.8, name='dw_bn', scale=False)(y)
    y = k.layers.Dropout(.3)(k.layers.GlobalAveragePooling2D()(k.layers.ReLU(6.)(y)))
    m = k.Model(i, k.layers.Dense(3, activation='softmax', name='probs')(y))
    up = list(m.updates) if is_training else []
    if is_training and not up:
        for layer in m.layers:
            up += list(layer.updates)
    k.backend.set_learning_phase(1 if is_training else 0)
    return Net({m.inputs[0]: (6, 6, 3)}, m.outputs, updates=up)


@recipe()
def keras_sequential_called_twice(is_training):
    k = tf.keras.layers
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    b = k.BatchNormalization(momentum=.8)
    d = k.Dense(4)
    f = lambda t: tf.nn.relu(b(d(t), training=is_training))
    y = tf.concat([f(x), f(-x)], 1)
    up = list(b.updates) if is_training else []
    return net(x, tf.identity(y, name='o'), up=up)


@recipe('1', context=lambda: forms.context(False, False))
def partitioned_everything(is_training):
    x = image('x', (5, 5, 3))
    with tf.variable_scope('p', partitioner=tf.fixed_size_partitioner(2)):
        y = bn(conv(x, 4, 'c'), is_training, 'a', fused=False)
        y = tf.layers.dense(tf.layers.flatten(tf.nn.relu(y)), 4, name='d')
    return net(x, bn(y, is_training, 'b'))


@recipe()
def bn_inside_map_fn(is_training):
    x = image('x', (4, 5, 3))
    k = w('k', [3, 4])
    y = tf.map_fn(lambda t: tf.nn.relu(tf.tensordot(t, k, [[2], [0]])), x, parallel_iterations=1)
    y.set_shape([None, 4, 5, 4])
    return net(x, bn(y, is_training))


@recipe('1')
def nchw_between_transposes(is_training):
    """Fused in NHWC between transposes that cancel; NCHW moments by hand in between."""
    x = image('x', (4, 4, 3))
    y = bn(conv(x, 4, 'c'), is_training)
    t = tf.transpose(y, [0, 3, 1, 2])
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    up = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(t, [0, 2, 3])
        up = up + [tf.assign(a, next_(a, m)), tf.assign(b, next_(b, v))]
    t = (t - m[:, None, None]) / tf.sqrt(v[:, None, None] + 1e-3) if False else \
        (t - tf.reshape(m, [4, 1, 1])) / tf.sqrt(tf.reshape(v, [4, 1, 1]) + 1e-3)
    return net(x, tf.transpose(t, [0, 2, 3, 1], name='o'), up=up)


@recipe()
def sliced_statistics(is_training):
    """Statistics brought into shape by indexing: m[:, None, None]."""
    x = image('x', (4, 4, 3))
    t = tf.transpose(conv(x, 4, 'c'), [0, 3, 1, 2])
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    m, v, up = a, b, []
    if is_training:
        m, v = tf.nn.moments(t, [0, 2, 3])
        up = [tf.assign(a, next_(a, m)), tf.assign(b, next_(b, v))]
    t = (t - m[:, None, None]) / tf.sqrt(v[None, :, None, None] + 1e-3)
    return net(x, tf.transpose(t, [0, 2, 3, 1], name='o'), up=up)


@recipe()
def tiled_statistics(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    m, v, up = a, b, []
    if is_training:
        m, v = tf.nn.moments(h, [0])
        up = [tf.assign(a, next_(a, m)), tf.assign(b, next_(b, v))]
    n = tf.shape(h)[0]
    m, v = tf.tile(tf.expand_dims(m, 0), [n, 1]), tf.tile(tf.expand_dims(v, 0), tf.stack([n, 1]))
    return net(x, tf.identity((h - m) / tf.sqrt(v + 1e-3), name='o'), up=up)


@recipe()
def grouped_batch_norm(is_training):
    """Statistics of groups of channels over batch and space."""
    x = image('x', (4, 4, 6))
    g = tf.reshape(x, [-1, 4, 4, 2, 3])
    a, b = fixed('mm', [2], 0.), fixed('mv', [2], 1.)
    up = []
    m, v = tf.reshape(a, [1, 1, 1, 2, 1]), tf.reshape(b, [1, 1, 1, 2, 1])
    if is_training:
        m, v = tf.nn.moments(g, [0, 1, 2, 4], keep_dims=True)
        up = [tf.assign(a, next_(a, tf.reshape(m, [2]))), tf.assign(b, next_(b, tf.reshape(v, [2])))]
    g = (g - m) / tf.sqrt(v + 1e-3)
    return net(x, tf.reshape(g, [-1, 4, 4, 6], name='o'), up=up)


@recipe()
def scalar_statistics(is_training):
    """One mean and deviation for everything: layer of input standardisation over the whole batch."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    a, b = fixed('mm', [], 0.), fixed('mv', [], 1.)
    m, v, up = a, b, []
    if is_training:
        m, v = tf.nn.moments(x, [0, 1])
        up = [tf.assign(a, next_(a, m)), tf.assign(b, next_(b, v))]
    y = (x - m) * tf.rsqrt(v + 1e-3)
    return net(x, tf.layers.dense(y, 3, name='o'), up=up)


@recipe()
def batch_mean_is_also_a_feature(is_training):
    """The moments normalise, and the batch mean is concatenated on purpose in both modes."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    y = bn(h, is_training)
    f = tf.reduce_mean(h, 0, keepdims=True)
    return net(x, tf.concat([y, tf.zeros_like(y) + f], 1, name='o'))


@recipe()
def moving_average_of_a_feature(is_training):
    """A prototype vector: the average of features over batches, subtracted in both modes; no normalisation."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = bn(tf.layers.dense(x, 4, name='d'), is_training)
    p = fixed('prototype', [4], 0.)
    up = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    if is_training:
        up = up + [tf.assign(p, next_(p, tf.reduce_mean(h, 0)))]
    return net(x, tf.subtract(h, p, name='o'), up=up)


@recipe()
def attention_over_the_batch(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = bn(tf.layers.dense(x, 4, name='d'), is_training)
    q = tf.nn.softmax(tf.matmul(h, h, transpose_b=True))
    return net(x, tf.matmul(q, h, name='o'))


@recipe()
def l2_norm_over_the_batch_in_both(is_training):
    """Column normalisation over the batch, no statistics kept: the batch is meant."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = bn(tf.layers.dense(x, 4, name='d'), is_training)
    return net(x, tf.reduce_sum(tf.nn.l2_normalize(h, 1), 1, name='o'))


@recipe()
def relu_between_statistics_and_use(is_training):
    """Variance is clipped at 0 before the root: relu(E[x^2] - E[x]^2)."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    m, v, up = a, b, []
    if is_training:
        m = tf.reduce_mean(h, 0)
        v = tf.nn.relu(tf.reduce_mean(h * h, 0) - m * m)
        up = [tf.assign(a, next_(a, m)), tf.assign(b, next_(b, v))]
    return net(x, tf.nn.batch_normalization(h, m, tf.maximum(v, 1e-6), None, w('g', [4]), 1e-3), up=up)


@recipe()
def statistics_of_another_layer(is_training):
    """Normalises one activation with the moments of another (weight sharing by hand)."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    z = tf.layers.dense(x, 4, name='z')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    m, v, up = a, b, []
    if is_training:
        m, v = tf.nn.moments(h, [0])
        up = [tf.assign(a, next_(a, m)), tf.assign(b, next_(b, v))]
    y = tf.nn.batch_normalization(h, m, v, None, None, 1e-3) + tf.nn.batch_normalization(z, m, v, None, None, 1e-3)
    return net(x, tf.identity(y, name='o'), up=up)
