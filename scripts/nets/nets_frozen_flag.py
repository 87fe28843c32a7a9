"""Graphs that were frozen with the training flag still in them, after the public reports of it, and neighbours."""
from harness import common, np, tf

import forms
import random_nets
from builders import bn, conv, fixed, flagged, net, next_, resource, resource_v2, w
from cases_fused import get_slim, image
from common import Net, TF2
from situations import generator, situation

FROZEN = ('frozen', 'meta')


def flag_net(x, y, flag, on=True, off=False, up=None, shape=None, more=()):
    outputs = [y] + list(more)
    return Net({x: shape or tuple(x.shape.as_list()[1:])}, outputs, updates=up, feed={flag: on}, golden_feed={flag: off})


# ------------------------------------------------------------------ libraries

@situation('frozen', saves=FROZEN)
def openvino_21(is_training):
    """tf.layers in a tf.cond on a placeholder, a name scope, a softmax."""
    x = tf.placeholder(tf.float32, [None, 8, 8, 3], name='input')
    t = tf.placeholder(tf.bool, name='is_training')
    y = x
    for i in range(3):
        y = tf.layers.conv2d(y, 4, 3, padding='same', name='conv%d' % i)
        y = tf.nn.relu(tf.layers.batch_normalization(y, training=t, momentum=.8, name='bn%d' % i))
    y = tf.layers.dense(tf.layers.flatten(tf.layers.max_pooling2d(y, 2, 2)), 5, name='fc')
    return flag_net(x, tf.nn.softmax(y, name='softmax'), t)


@situation('frozen', saves=FROZEN, batch=1, golden_batch=1)
def openvino_21_one(is_training):
    x = tf.placeholder(tf.float32, [1, 8, 8, 3], name='input')
    t = tf.placeholder(tf.bool, name='is_training')
    y = x
    for i in range(3):
        y = tf.layers.conv2d(y, 4, 3, padding='same', name='conv%d' % i)
        y = tf.nn.relu(tf.layers.batch_normalization(y, training=t, momentum=.8, name='bn%d' % i, fused=None if i else False))
    return flag_net(x, tf.identity(y, name='out'), t)


@situation('frozen', saves=FROZEN, versions=('113', '115'))
def facenet_161(is_training):
    """The phase_train of facenet: slim with in-place averages, dropout and an embedding."""
    slim = get_slim()
    x = tf.placeholder(tf.float32, [None, 10, 10, 3], name='input')
    t = tf.placeholder(tf.bool, name='phase_train')
    params = {'decay': .8, 'epsilon': .001, 'updates_collections': None}
    with slim.arg_scope([slim.conv2d, slim.fully_connected], normalizer_fn=slim.batch_norm, normalizer_params=params,
                        weights_regularizer=slim.l2_regularizer(1e-4)):
        with slim.arg_scope([slim.batch_norm, slim.dropout], is_training=t):
            y = slim.conv2d(x, 4, 3, scope='Conv2d_1a_3x3')
            b = slim.conv2d(y, 4, 1, scope='Branch_0')
            y = tf.nn.relu(y + .3 * slim.conv2d(b, 4, 1, normalizer_fn=None, activation_fn=None, scope='up'))
            y = slim.dropout(slim.flatten(slim.avg_pool2d(y, 4)), .8, scope='Dropout')
            y = slim.fully_connected(y, 6, activation_fn=None, scope='Bottleneck')
    e = tf.nn.l2_normalize(y, 1, 1e-10, name='embeddings')
    return flag_net(x, e, t, up=[e])


@situation('frozen', saves=FROZEN)
def facenet_default(is_training):
    """phase_train with a default of False and in-place averages."""
    slim = get_slim()
    x = tf.placeholder(tf.float32, [None, 10, 10, 3], name='input')
    t = tf.placeholder_with_default(False, [], name='phase_train')
    y = slim.conv2d(x, 4, 3, normalizer_fn=slim.batch_norm, scope='c',
                    normalizer_params={'is_training': t, 'decay': .8, 'updates_collections': None, 'fused': False, 'scale': True})
    y = slim.dropout(y, .8, is_training=t)
    e = tf.identity(y, name='embeddings')
    return flag_net(x, e, t, up=[e])


def keras_net(phase, fixed_batch=None, fused=None):
    k = tf.keras
    x = k.layers.Input(batch_shape=(fixed_batch, 8, 8, 3), name='input_1')
    y = k.layers.Conv2D(4, 3, name='conv')(x)
    more = {} if fused is None else {'fused': fused}
    y = k.layers.BatchNormalization(momentum=.8, name='bn1', **more)(y, **phase)
    y = k.layers.Activation('relu')(y)
    y = k.layers.Dropout(.25)(y, **phase)
    y = k.layers.Dense(6, name='d')(k.layers.Flatten()(y))
    y = k.layers.BatchNormalization(momentum=.8, name='bn2')(y, **phase)
    y = k.layers.Dense(3, activation='softmax', name='pred')(y)
    m = k.Model(x, y)
    return m, x, y


def with_phase(m, x, y, phase):
    return Net({x: tuple(x.shape.as_list()[1:])}, [y], updates=m.updates + [y], feed={phase: True}, golden_feed={phase: False})


@situation('frozen', ('113', '115'), saves=FROZEN)
def opencv_9660(is_training):
    """Keras with its own learning phase."""
    phase = tf.keras.backend.learning_phase()
    m, x, y = keras_net({})
    return with_phase(m, x, y, phase)


@situation('frozen', ('113', '115'), saves=FROZEN, batch=1, golden_batch=1)
def opencv_13110(is_training):
    phase = tf.keras.backend.learning_phase()
    m, x, y = keras_net({}, 1)
    return with_phase(m, x, y, phase)


@situation('frozen', ('113', '115'), saves=FROZEN)
def opencv_16622(is_training):
    phase = tf.keras.backend.learning_phase()
    m, x, y = keras_net({}, fused=False)
    return with_phase(m, x, y, phase)


@situation('frozen', saves=FROZEN)
def tensorflow_31668(is_training):
    """Keras layers with a placeholder as training flag: resources behind the Switch."""
    t = tf.placeholder(tf.bool, [], name='training')
    m, x, y = keras_net({'training': t})
    return with_phase(m, x, y, t)


@situation('frozen', ('115', '212'), saves=FROZEN, context=resource_v2)
def tensorflow_35167(is_training):
    """Keras layers with a placeholder as training flag, and cond v2."""
    t = tf.placeholder_with_default(True, [], name='training')
    m, x, y = keras_net({'training': t})
    return with_phase(m, x, y, t)


@situation('frozen', saves=FROZEN)
def tensorflow_18731(is_training):
    """slim, in-place averages, an unfused and a fused batch norm, on a dense layer, too."""
    slim = get_slim()
    x = tf.placeholder(tf.float32, [None, 8, 8, 3], name='input')
    t = tf.placeholder(tf.bool, [], name='is_training')
    p = {'is_training': t, 'decay': .8, 'updates_collections': None, 'scale': True}
    y = slim.conv2d(x, 4, 3, normalizer_fn=slim.batch_norm, normalizer_params=p)
    y = slim.conv2d(y, 4, 3, normalizer_fn=slim.batch_norm, normalizer_params=dict(p, fused=False))
    y = slim.fully_connected(slim.flatten(y), 5, normalizer_fn=slim.batch_norm, normalizer_params=dict(p, zero_debias_moving_mean=True))
    y = tf.identity(y, name='logits')
    return flag_net(x, y, t, up=[y])


@situation('frozen', ('115', '212'), saves=FROZEN, context=resource_v2)
def slim_in_place_cond_v2(is_training):
    slim = get_slim()
    x = tf.placeholder(tf.float32, [None, 8, 8, 3], name='input')
    t = tf.placeholder(tf.bool, [], name='is_training')
    p = {'is_training': t, 'decay': .8, 'updates_collections': None, 'scale': True}
    y = slim.conv2d(x, 4, 3, normalizer_fn=slim.batch_norm, normalizer_params=p)
    y = slim.conv2d(y, 4, 3, normalizer_fn=slim.batch_norm, normalizer_params=dict(p, fused=False))
    y = tf.identity(y, name='logits')
    return flag_net(x, y, t, up=[y])


# ------------------------------------------------------------------ by hand

def batch_norm_so(x, n_out, phase_train, axes, keep=.8):
    """The most copied recipe."""
    with tf.variable_scope('bn'):
        beta = tf.Variable(tf.constant(0.0, shape=[n_out]), name='beta', trainable=True)
        gamma = tf.Variable(tf.constant(1.0, shape=[n_out]), name='gamma', trainable=True)
        batch_mean, batch_var = tf.nn.moments(x, axes, name='moments')
        ema = tf.train.ExponentialMovingAverage(decay=keep)

        def mean_var_with_update():
            with tf.control_dependencies([ema.apply([batch_mean, batch_var])]):
                return tf.identity(batch_mean), tf.identity(batch_var)
        mean, var = tf.cond(phase_train, mean_var_with_update, lambda: (ema.average(batch_mean), ema.average(batch_var)))
        return tf.nn.batch_normalization(x, mean, var, beta, gamma, 1e-3)


@situation('frozen', saves=FROZEN)
def stack_overflow(is_training):
    x = image('x', (8, 8, 3))
    t = tf.placeholder(tf.bool, name='phase_train')
    y = tf.nn.relu(batch_norm_so(conv(x, 4, 'c'), 4, t, [0, 1, 2]))
    y = batch_norm_so(tf.layers.dense(tf.layers.flatten(y), 5), 5, t, [0])
    y = tf.identity(y, name='y')
    return flag_net(x, y, t, up=[y])


@situation('frozen', saves=FROZEN, batch=1, golden_batch=1)
def stack_overflow_one(is_training):
    x = tf.placeholder(tf.float32, [1, 8, 8, 3], name='x')
    t = tf.placeholder(tf.bool, name='phase_train')
    y = tf.nn.relu(batch_norm_so(conv(x, 4, 'c'), 4, t, [0, 1, 2]))
    y = tf.identity(batch_norm_so(conv(y, 4, 'c2'), 4, t, [0, 1, 2]), name='y')
    return flag_net(x, y, t, up=[y])


def by_select(select, one=False, rank=4):
    def build(is_training):
        x = tf.placeholder(tf.float32, [1 if one else None] + ([8, 8, 3] if rank == 4 else [6]), name='x')
        t = tf.placeholder(tf.bool, [], name='training')
        c = conv(x, 4, 'c') if rank == 4 else tf.layers.dense(x, 4, name='c')
        m, v = tf.nn.moments(c, [0, 1, 2] if rank == 4 else [0])
        mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
        mean, var = select(t, m, mm), select(t, v, mv)
        y = tf.nn.batch_normalization(c, mean, var, w('beta', [4]), w('gamma', [4]), 1e-3)
        y = tf.nn.relu(y, name='y')
        return flag_net(x, y, t, up=[tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))])
    return build


def select_tiled(t, a, b):
    return tf.where(tf.tile(tf.reshape(t, [1]), [4]), a, b)


def select_filled(t, a, b):
    return tf.where(tf.fill(tf.shape(a), t), a, b)


def select_and(t, a, b):
    return tf.where(tf.logical_and(t, tf.ones_like(a, tf.bool)), a, b)


def select_arithmetic(t, a, b):
    f = tf.cast(t, tf.float32)
    return f * a + (1. - f) * b


def select_lerp(t, a, b):
    return b + tf.cast(t, tf.float32) * (a - b)


def select_not(t, a, b):
    f = tf.cast(tf.logical_not(t), tf.float32)
    return a * (1 - f) + b * f


def select_stack(t, a, b):
    return tf.gather(tf.stack([b, a]), tf.cast(t, tf.int32))


def select_case(t, a, b):
    return tf.case([(t, lambda: tf.identity(a))], default=lambda: tf.identity(b))


def select_smart(t, a, b):
    from tensorflow.python.framework import smart_cond
    return smart_cond.smart_cond(t, lambda: tf.identity(a), lambda: tf.identity(b))


def select_switch_merge(t, a, b):
    from tensorflow.python.ops import control_flow_ops
    a = control_flow_ops.switch(a, t)[1]
    b = control_flow_ops.switch(tf.identity(b), t)[0]
    return control_flow_ops.merge([a, b])[0]


def select_dynamic_stitch(t, a, b):
    parts = tf.dynamic_partition(tf.stack([b, a]), tf.stack([tf.cast(t, tf.int32), 1 - tf.cast(t, tf.int32)]), 2)
    return tf.reshape(parts[0], [4])


for _s in (select_tiled, select_filled, select_and, select_arithmetic, select_lerp, select_not, select_stack, select_case, select_smart,
           select_switch_merge):
    for _one in (False, True):
        _f = by_select(_s, _one, 4)
        _f.__name__ = _s.__name__ + ('_one' if _one else '')
        situation('frozen', saves=FROZEN, **(dict(batch=1, golden_batch=1) if _one else {}))(_f)
for _s in (select_arithmetic, select_case, select_tiled):
    _f = by_select(_s, False, 2)
    _f.__name__ = _s.__name__ + '_dense'
    situation('frozen', saves=FROZEN)(_f)
_f = by_select(select_dynamic_stitch)
_f.__name__ = 'select_dynamic_stitch'
situation('frozen', saves=FROZEN, expect='either')(_f)


def switched(one=False, how='cond', default=None):
    """Both whole branches, fused, by hand."""
    def build(is_training):
        x = tf.placeholder(tf.float32, [1 if one else None, 8, 8, 3], name='x')
        t = tf.placeholder(tf.bool, [], name='training') if default is None else tf.placeholder_with_default(default, [], name='training')
        c = conv(x, 4, 'c')
        g, b, mm, mv = w('g', [4]), w('b', [4]), fixed('mm', [4], 0.), fixed('mv', [4], 1.)

        def on():
            y, m, v = tf.nn.fused_batch_norm(c, g, b, epsilon=1e-3)
            ops = [tf.assign_sub(mm, (mm - m) * .2), tf.assign_sub(mv, (mv - v) * .2)]
            with tf.control_dependencies(ops):
                return tf.identity(y)

        def off():
            return tf.nn.fused_batch_norm(c, g, b, mm, mv, epsilon=1e-3, is_training=False)[0]
        y = tf.cond(t, on, off) if how == 'cond' else tf.case({t: on, tf.logical_not(t): off}, exclusive=True) if how == 'case' \
            else tf.cond(tf.logical_not(t), off, on)
        y = tf.nn.relu(conv(y, 3, 'c2'), name='y')
        return flag_net(x, y, t, up=[y])
    return build


for _how in ('cond', 'case', 'not'):
    for _one in (False, True):
        _f = switched(_one, _how)
        _f.__name__ = 'switched_%s%s' % (_how, '_one' if _one else '')
        situation('frozen', saves=FROZEN, **(dict(batch=1, golden_batch=1) if _one else {}))(_f)
        if _how != 'case':
            situation('frozen', ('115', '212'), saves=FROZEN, context=resource_v2, **(dict(batch=1, golden_batch=1) if _one else {}))(
                type(_f)(_f.__code__, _f.__globals__, _f.__name__ + '_v2', _f.__defaults__, _f.__closure__))
for _default in (False, True):
    _f = switched(default=_default)
    _f.__name__ = 'switched_default_%s' % _default
    situation('frozen', saves=FROZEN)(_f)


@situation('frozen', saves=FROZEN)
def several_flags(is_training):
    x = image('x', (8, 8, 3))
    a, b = tf.placeholder(tf.bool, [], name='train_encoder'), tf.placeholder_with_default(True, [], name='train_decoder')
    k = tf.placeholder(tf.float32, name='keep_prob')
    y = tf.nn.relu(bn(conv(x, 4, 'c'), a))
    y = tf.nn.dropout(bn(conv(y, 4, 'c2'), b, 'bn2', fused=False), k)
    y = tf.identity(bn(tf.layers.dense(tf.layers.flatten(y), 4), tf.logical_and(a, b), 'bn3'), name='y')
    return Net({x: (8, 8, 3)}, y, feed={a: True, b: True, k: .5}, golden_feed={a: False, b: False, k: 1.})


@situation('frozen', saves=FROZEN)
def mode_string(is_training):
    x = image('x', (8, 8, 3))
    mode = tf.placeholder(tf.string, [], name='mode')
    y = tf.nn.relu(bn(conv(x, 4, 'c'), tf.equal(mode, 'train')), name='y')
    return Net({x: (8, 8, 3)}, y, feed={mode: 'train'}, golden_feed={mode: 'eval'})


@situation('frozen', saves=FROZEN)
def mode_number(is_training):
    x = image('x', (8, 8, 3))
    mode = tf.placeholder(tf.float32, [], name='phase')
    y = tf.nn.relu(bn(conv(x, 4, 'c'), tf.cast(mode, tf.bool)), name='y')
    return Net({x: (8, 8, 3)}, y, feed={mode: 1.}, golden_feed={mode: 0.})


@situation('frozen', saves=FROZEN)
def inference_flag(is_training):
    """A flag that is on for inference."""
    x = image('x', (8, 8, 3))
    t = tf.placeholder(tf.bool, [], name='test_phase')
    y = tf.nn.relu(bn(conv(x, 4, 'c'), tf.logical_not(t)), name='y')
    return Net({x: (8, 8, 3)}, y, feed={t: False}, golden_feed={t: True})


@situation('frozen', saves=FROZEN)
def flag_in_loop(is_training):
    x = tf.placeholder(tf.float32, [None, 4], name='x')
    t = tf.placeholder(tf.bool, [], name='training')
    k = w('k', [4, 4])
    b, g, mm, mv = w('b', [4]), w('g', [4]), fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    y0 = tf.matmul(x, k)
    m, v = tf.nn.moments(y0, [0])

    def step(i, h):
        h = tf.matmul(h, k)
        bm, bv = tf.nn.moments(h, [0])
        mean, var = tf.cond(t, lambda: (bm, bv), lambda: (tf.identity(mm), tf.identity(mv)))
        return i + 1, tf.tanh(tf.nn.batch_normalization(h, mean, var, b, g, 1e-3))
    y = tf.while_loop(lambda i, h: i < 3, step, [0, x])[1]
    y = tf.identity(y, name='y')
    return flag_net(x, y, t, up=[tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))])


@situation('frozen', saves=FROZEN)
def statistics_are_arrays(is_training):
    """The statistics were numpy arrays from the start."""
    x = image('x', (8, 8, 3))
    t = tf.placeholder(tf.bool, [], name='training')
    c = conv(x, 4, 'c')
    m, v = tf.nn.moments(c, [0, 1, 2])
    mean, var = tf.cond(t, lambda: (m, v), lambda: (tf.constant([.1, -.5, 1., 2.]), tf.constant([.5, 1.5, 2., .2])))
    y = tf.nn.relu(tf.nn.batch_normalization(c, mean, var, w('b', [4]), w('g', [4]), 1e-3), name='y')
    return flag_net(x, y, t, up=[y])


@situation('frozen', saves=FROZEN)
def dropout_only(is_training):
    """No batch norm; the flag switches a dropout."""
    x = image('x', (8, 8, 3))
    t = tf.placeholder(tf.bool, [], name='training')
    y = tf.layers.dropout(tf.nn.relu(conv(x, 4, 'c', bias=True)), .4, training=t)
    y = tf.nn.softmax(tf.layers.dense(tf.layers.flatten(y), 3), name='y')
    return flag_net(x, y, t, up=[y])


@situation('frozen', saves=FROZEN)
def two_branch_models(is_training):
    """The whole model twice, in a tf.cond."""
    x = image('x', (8, 8, 3))
    t = tf.placeholder(tf.bool, [], name='training')

    def model(training):
        with tf.variable_scope('m', reuse=tf.AUTO_REUSE):
            y = tf.nn.relu(tf.layers.batch_normalization(conv(x, 4, 'c'), training=training, momentum=.8, name='bn'))
            up = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if training else []
            with tf.control_dependencies([u for u in up]):
                return tf.identity(y)
    y = tf.cond(t, lambda: model(True), lambda: model(False))
    y = tf.identity(y, name='y')
    return flag_net(x, y, t, up=[y])


@situation('frozen', ('212',), saves=('frozen', 'meta'))
def training_true_filled(is_training):
    """TF 2's compat layers: in training mode, and inputs 3 and 4 are the statistics."""
    x = image('x', (8, 8, 3))
    y = bn(conv(x, 4, 'c'), is_training)
    y = bn(conv(tf.nn.relu(y), 4, 'c2'), is_training, 'bn2', scale=False)
    return net(x, tf.nn.relu(y, name='y'))


@situation('frozen', ('113', '115'), saves=('frozen',), expect='refused', says='(?i)statistics')
def training_true_empty(is_training):
    """In training mode, and the statistics are gone: nothing can be done."""
    x = image('x', (8, 8, 3))
    y = bn(conv(x, 4, 'c'), is_training)
    return net(x, tf.nn.relu(y, name='y'))


@situation('frozen', saves=('frozen_stripped', 'frozen'))
def layers_stripped(is_training):
    """remove_training_nodes takes the Identities, and leaves the flag."""
    x = image('x', (8, 8, 3))
    t = tf.placeholder(tf.bool, [], name='training')
    y = bn(conv(x, 4, 'c'), t)
    y = bn(conv(tf.nn.relu(y), 4, 'c2'), t, 'bn2', fused=False)
    y = tf.layers.dropout(y, .4, training=t)
    return flag_net(x, tf.nn.softmax(tf.layers.dense(tf.layers.flatten(y), 3), name='y'), t)


@situation('frozen', saves=('frozen', 'meta'))
def renorm_flag(is_training):
    x = image('x', (8, 8, 3))
    t = tf.placeholder(tf.bool, [], name='training')
    y = bn(conv(x, 4, 'c'), t, renorm=True, renorm_momentum=.8)
    return flag_net(x, tf.nn.relu(y, name='y'), t)


@situation('frozen', saves=('frozen', 'meta'), batch=2, golden_batch=2)
def virtual_batch_flag(is_training):
    x = image('x', (8, 8, 3))
    t = tf.placeholder(tf.bool, [], name='training')
    y = conv(x, 4, 'c')
    y = bn(y, t, fused=False)
    y = bn(tf.layers.dense(tf.layers.flatten(y), 4), t, 'b2')
    return flag_net(x, tf.nn.relu(y, name='y'), t)


# ------------------------------------------------------------------ random

@generator('frozen')
def frozen_random(rng, words):
    """The nets of random_nets.py that have a flag, frozen with it."""
    while True:
        seed = int(rng.randint(1 << 30))
        plan, style = random_nets.plan_net(seed)
        if style.flag not in ('python', 'const', 'variable'):
            break
    words += ['plan=%d' % seed] + plan.words
    return random_nets.build_net(seed), dict(
        saves=('frozen',) if rng.randint(3) else ('frozen_stripped',), batch=8, golden_batch=4, steps=4, tolerance=5e-4,
        commands=('freeze', 'fold'), auto='ask' if rng.randint(3) == 0 else None, context=lambda: forms.context(style.resource, style.cond_v2))


@generator('saved')
def saved_random(rng, words):
    """The nets of random_nets.py, saved in other ways than a plain .meta, frozen and folded."""
    seed = int(rng.randint(1 << 30))
    plan, style = random_nets.plan_net(seed)
    save = ('stripped', 'saved_model', 'graph', 'meta')[rng.randint(4)]
    words += ['plan=%d' % seed, save] + plan.words
    return random_nets.build_net(seed), dict(
        saves=(save,), batch=8, golden_batch=4, steps=4, tolerance=5e-4, commands=('freeze', 'fold'), context=lambda: forms.context(style.resource, style.cond_v2))
