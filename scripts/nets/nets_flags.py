"""Training flags of all kinds, and flags that are none."""
from harness import np, tf
from builders import bn, conv, fixed, flagged, moving, net, recipe, w

from cases_fused import image
from common import Net


@recipe(expect='left')
def own_flag_around_bn(is_training):
    """The model's own switch: one branch holds a batch norm that was baked into training mode."""
    x = image('x', (4, 4, 3))
    wide = tf.placeholder(tf.bool, [], name='wide')
    c = conv(x, 4, 'c')
    n = tf.nn.relu(bn(c, is_training))
    y = tf.cond(wide, lambda: tf.identity(n) * 2., lambda: tf.identity(c))
    y = tf.reduce_mean(bn(y, is_training, 'bn2'), [1, 2], name='o')
    return Net({x: (4, 4, 3), wide: lambda r, k, s: np.bool_(True)}, y)


@recipe(expect='left')
def own_flag_bn_in_branch(is_training):
    x = image('x', (4, 4, 3))
    wide = tf.placeholder(tf.bool, [], name='use_attention')

    def att():
        return tf.nn.relu(bn(conv(x, 4, 'att'), is_training, 'att_bn'))
    y = tf.cond(wide, att, lambda: conv(x, 4, 'plain'))
    y = tf.reduce_mean(y, [1, 2], name='o')

    def after(sess):
        for v in tf.global_variables():
            if 'moving' in v.op.name:
                v.load(np.linspace(.3, 1.6, 4).astype('f'), sess)
    return Net({x: (4, 4, 3), wide: lambda r, k, s: np.bool_(True)}, y, updates=[y], after_init=after)


@recipe()
def own_select_between_heads(is_training):
    x = image('x', (4, 4, 3))
    which = tf.placeholder(tf.bool, [None], name='which')
    c = tf.reduce_mean(conv(x, 4, 'c'), [1, 2])
    y = tf.where(which, bn(tf.layers.dense(c, 3, name='d1'), is_training), tf.layers.dense(c, 3, name='d2'))
    return Net({x: (4, 4, 3), which: lambda r, k, s: r.uniform(size=k) < .5}, y)


@recipe()
def keep_prob_by_cond(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged()
    keep = tf.cond(t, lambda: 0.5, lambda: 1.0)
    y = tf.nn.dropout(tf.layers.dense(x, 5, name='e'), keep)
    return net(x, tf.layers.dense(y, 3, name='o'), t, up=[])


@recipe()
def keep_prob_by_where_and_bn(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged()
    keep = tf.where(t, 0.5, 1.0)
    y = tf.nn.dropout(bn(tf.layers.dense(x, 5, name='e'), t), keep)
    return net(x, tf.layers.dense(y, 3, name='o'), t)


@recipe()
def keep_prob_by_cast(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged()
    y = tf.nn.dropout(bn(tf.layers.dense(x, 5, name='e'), t), 1 - 0.5 * tf.cast(t, tf.float32))
    return net(x, tf.layers.dense(y, 3, name='o'), t)


@recipe()
def rate_by_cond_layers(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged(True)
    y = tf.layers.dropout(bn(tf.layers.dense(x, 5, name='e'), t), 0.4, training=t)
    y = tf.layers.dropout(y, 0.4, training=tf.logical_not(tf.logical_not(t)), noise_shape=[1, 5])
    return net(x, tf.layers.dense(y, 3, name='o'), t)


@recipe()
def string_mode(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    mode = tf.placeholder(tf.string, [], name='mode')
    t = tf.equal(mode, 'train')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), t))
    return Net({x: (6,)}, tf.layers.dense(y, 3, name='o'), feed={mode: 'train'}, golden_feed={mode: 'test'})


@recipe()
def int_phase_zero_is_train(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    phase = tf.placeholder(tf.int32, [], name='phase')
    t = tf.equal(phase, 0)
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), t))
    return Net({x: (6,)}, tf.layers.dense(y, 3, name='o'), feed={phase: 0}, golden_feed={phase: 2})


@recipe()
def int_phase_two(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    phase = tf.placeholder(tf.int32, [], name='phase')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), tf.equal(phase, 2)))
    return Net({x: (6,)}, tf.layers.dense(y, 3, name='o'), feed={phase: 2}, golden_feed={phase: 0})


@recipe()
def int_phase_not_equal(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    phase = tf.placeholder(tf.int32, [], name='phase')
    t = tf.logical_or(tf.equal(phase, 3), tf.less(phase, 1))
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), t))
    return Net({x: (6,)}, tf.layers.dense(y, 3, name='o'), feed={phase: 0}, golden_feed={phase: 2})


@recipe()
def two_flags_of_one_bn(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t, f = flagged(), tf.placeholder(tf.bool, [], name='freeze_bn')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), tf.logical_and(t, tf.logical_not(f))))
    y = tf.layers.dropout(y, .5, training=t)
    return Net({x: (6,)}, tf.layers.dense(y, 3, name='o'), feed={t: True, f: False}, golden_feed={t: False, f: False})


@recipe()
def flag_with_unknown_shape(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = tf.placeholder(tf.bool, name='is_training')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), t))
    return net(x, tf.layers.dense(y, 3, name='o'), t)


@recipe()
def flag_vector_shape1(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = tf.placeholder(tf.bool, [1], name='is_training')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), t[0]))
    return Net({x: (6,)}, tf.layers.dense(y, 3, name='o'), feed={t: [True]}, golden_feed={t: [False]})


@recipe(expect='refused')
def flag_in_config_vector(is_training):
    """The flag is one element of a vector that is fed."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    cfg = tf.placeholder(tf.float32, [3], name='config')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), cfg[1] > 0.5)) * cfg[0]
    return Net({x: (6,), cfg: lambda r, k, s: np.array([2., 1. if s == 'train' else 0., 0.], 'f')},
               tf.layers.dense(y, 3, name='o'))


@recipe()
def case_mode(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    mode = tf.placeholder(tf.int32, [], name='mode')
    h = tf.layers.dense(x, 5, name='e')
    g, b = w('g', [5]), w('b', [5])
    a, v = fixed('mm', [5], 0.), fixed('mv', [5], 1.)
    m_, v_ = tf.nn.moments(h, [0])

    def tr():
        with tf.control_dependencies([tf.assign(a, a * .8 + m_ * .2), tf.assign(v, v * .8 + v_ * .2)]):
            return tf.nn.batch_normalization(h, m_, v_, b, g, 1e-3)
    y = tf.case([(tf.equal(mode, 1), tr), (tf.equal(mode, 2), lambda: tf.nn.batch_normalization(h, a, v, b, g, 1e-3))],
                default=lambda: tf.nn.batch_normalization(h, a, v, b, g, 1e-3), exclusive=True)
    return Net({x: (6,)}, tf.nn.relu(y, name='o'), updates=[y], feed={mode: 1}, golden_feed={mode: 2})


@recipe()
def learning_phase_and_placeholder(is_training):
    k = tf.keras.layers
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged()
    l1, l2 = k.BatchNormalization(momentum=.8), k.BatchNormalization(momentum=.8)
    y = l1(k.Dense(5)(x), training=t)
    y = k.Dropout(.3)(tf.nn.relu(l2(k.Dense(4)(y), training=True if is_training else False)), training=t)
    y = k.Dense(3)(y)
    return net(x, tf.identity(y, name='o'), t, up=list(l1.updates) + list(l2.updates) if is_training else [])


@recipe(expect='left')
def nested_flags(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged()
    h = tf.layers.dense(x, 5, name='e')

    def on():
        y = tf.layers.batch_normalization(h, training=t, momentum=.8, name='bn')
        return tf.cond(tf.reduce_sum(x) > 1e9, lambda: y * 0., lambda: y)
    y = tf.cond(tf.logical_or(t, True), on, lambda: h)
    return net(x, tf.layers.dense(tf.nn.relu(y), 3, name='o'), t, up=[y], after_init=moving)


@recipe(expect='left')
def data_dependent_cond_around_bn(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    y = tf.cond(tf.reduce_mean(x) > -50., lambda: bn(h, is_training), lambda: h)
    return net(x, tf.layers.dense(tf.nn.relu(y), 3, name='o'), up=[y], after_init=moving)


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
