"""Normalisations whose inference differs from "the average in place of the statistic", and switches that depend on variables."""
from harness import np, tf

from builders import bn, conv, dense, fixed, flagged, net, next_, w
from cases_fused import image
from common import Net, TF2
from nets_by_name import stripped
from situations import situation

ALL = ('113', '115', '212')
EPS = 1e-3


def attack(versions=ALL, **opts):
    opts.setdefault('expect', 'either')
    opts.setdefault('commands', ('freeze',))
    return situation('attack', versions, **opts)


def collect(*pairs, **k):
    for a, t in pairs:
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(a, (a - t) * .2, name='AssignMovingAvg', **k))


def ended(x, y, shape, **k):
    return Net({x: shape}, tf.nn.relu(y, name='y'), updates=tf.get_collection(tf.GraphKeys.UPDATE_OPS), **k)


def start(first=(0., 1.), names=('moving_mean', 'moving_variance')):
    x, h = dense()
    with tf.variable_scope('bn'):
        return x, h, fixed(names[0], [4], first[0]), fixed(names[1], [4], first[1])


def both(fn, **opts):
    """The net with its update ops, and without."""
    attack(**opts)(fn)

    def again(is_training):
        return fn(is_training)
    again.__name__ = fn.__name__ + '_stripped'
    attack(rewrite=stripped, **opts)(again)
    return fn


def both_of_four(fn):
    """The same with four examples at inference."""
    return both(fn, golden_batch=4)


@attack()
def frozen_after_a_step(is_training):
    """From step 1000 on, training uses the averages as well."""
    x, h, mm, mv = start()
    step = fixed('global_step', [], 3.)
    m, v = tf.nn.moments(h, [0])
    a, b = tf.cond(step < 1000., lambda: (m, v), lambda: (mm + 0., mv + 0.)) if is_training else (mm, mv)
    if is_training:
        collect((mm, m), (mv, v))
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_add(step, 1.))
    return ended(x, (h - a) * tf.rsqrt(b + EPS), (6,))


@attack()
def blended_by_the_step(is_training):
    """The weight of the batch falls with the step; inference has the averages alone."""
    x, h, mm, mv = start()
    step = fixed('global_step', [], 3.)
    m, v = tf.nn.moments(h, [0])
    a, b = mm, mv
    if is_training:
        r = 1. / (1. + step * .1)
        a, b = r * m + (1. - r) * mm, r * v + (1. - r) * mv
        collect((mm, m), (mv, v))
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_add(step, 1.))
    return ended(x, (h - a) * tf.rsqrt(b + EPS), (6,))


@attack()
def blended_by_a_number(is_training):
    x, h, mm, mv = start()
    m, v = tf.nn.moments(h, [0])
    a, b = (.7 * m + .3 * mm, .7 * v + .3 * mv) if is_training else (mm, mv)
    if is_training:
        collect((mm, m), (mv, v))
    return ended(x, (h - a) * tf.rsqrt(b + EPS), (6,))


@attack()
def batch_added_to_the_average(is_training):
    """The sum of both: inference doubles the average."""
    x, h, mm, mv = start()
    m, v = tf.nn.moments(h, [0])
    a, b = (m + mm, v + mv) if is_training else (2. * mm, 2. * mv)
    if is_training:
        collect((mm, m), (mv, v))
    return ended(x, (h - a) * tf.rsqrt(b + EPS), (6,))


@both
def virtual_reference(is_training):
    """Virtual batch norm: the statistics of a reference batch that stays part of the net."""
    x, h, mm, mv = start()
    ref = tf.constant(np.random.RandomState(3).normal(size=(8, 6)).astype('f'))
    with tf.variable_scope('', reuse=True):
        r = tf.layers.dense(ref, 4, name='d')
    m, v = tf.nn.moments(r, [0])
    return ended(x, (h - m) * tf.rsqrt(v + EPS) + 0. * (mm + mv), (6,))


@both
def half_instance(is_training):
    """IBN: half of the channels by instance, half by batch."""
    x = image('x', (6, 6, 3))
    c = conv(x, 8, 'c')
    one, two = tf.split(c, 2, 3)
    m, v = tf.nn.moments(one, [1, 2], keep_dims=True)
    one = (one - m) * tf.rsqrt(v + EPS)
    two = tf.layers.batch_normalization(two, training=is_training, momentum=.8, name='bn')
    return ended(x, tf.concat([one, two], 3), (6, 6, 3))


@both
def logarithm_is_kept(is_training):
    x, h, mm, ml = start((0., 0.), ('moving_mean', 'moving_log_variance'))
    m, v = tf.nn.moments(h, [0])
    s = tf.log(v + EPS)
    if is_training:
        collect((mm, m), (ml, s))
    else:
        m, s = mm, ml
    return ended(x, (h - m) * tf.exp(-.5 * s), (6,))


@both
def folded_into_the_kernel(is_training):
    """A batch norm that training folds into the kernel by hand, with batch statistics."""
    x = image('x', (6, 6, 3))
    k = w('k', [3, 3, 3, 4])
    g, b = w('gamma', [4]), w('beta', [4])
    with tf.variable_scope('bn'):
        mm, mv = fixed('moving_mean', [4], 0.), fixed('moving_variance', [4], 1.)
    c = tf.nn.conv2d(x, k, [1, 1, 1, 1], 'SAME')
    m, v = tf.nn.moments(c, [0, 1, 2])
    if is_training:
        collect((mm, m), (mv, v))
    else:
        m, v = mm, mv
    s = g * tf.rsqrt(v + EPS)
    return ended(x, tf.nn.conv2d(x, k * s, [1, 1, 1, 1], 'SAME') + (b - m * s), (6, 6, 3))


@both
def mean_is_added_again(is_training):
    """Only the deviation is normalised: the mean comes back."""
    x, h, mm, mv = start()
    m, v = tf.nn.moments(h, [0])
    if is_training:
        collect((mm, m), (mv, v))
    else:
        m, v = mm, mv
    return ended(x, (h - m) * tf.rsqrt(v + EPS) + m * .5, (6,))


@both
def shifted_by_the_average_first(is_training):
    x, h, mm, mv = start()
    h = h - mm
    m, v = tf.nn.moments(h, [0])
    if is_training:
        collect((mm, m + mm), (mv, v))
        return ended(x, (h - m) * tf.rsqrt(v + EPS), (6,))
    return ended(x, h * tf.rsqrt(mv + EPS), (6,))


@both
def decayed_maximum(is_training):
    """Scaled by the largest value, which decays."""
    x, h = dense()
    top = fixed('moving_max', [4], 0.)
    t = tf.reduce_max(tf.abs(h), 0)
    if is_training:
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(top, tf.maximum(top * .9, t), name='AssignMovingAvg'))
    else:
        t = top
    return ended(x, h / (t + EPS), (6,))


@both
def averaged_maximum(is_training):
    x, h = dense()
    top = fixed('moving_max', [4], 0.)
    t = tf.reduce_max(tf.abs(h), 0)
    if is_training:
        collect((top, t))
    else:
        t = top
    return ended(x, h / (t + EPS), (6,))


@attack()
def decayed_sum_and_weight(is_training):
    """A decayed sum over a decayed count."""
    x, h = dense()
    s, q, n = fixed('sum', [4], 0.), fixed('squares', [4], 0.), fixed('count', [], 0.)
    m, v = tf.nn.moments(h, [0])
    if is_training:
        for a, t in ((s, m), (q, v), (n, 1.)):
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(a, a * .8 + t))
    else:
        m, v = s / n, q / n
    return ended(x, (h - m) * tf.rsqrt(v + EPS), (6,))


def initialised_from_data(way):
    def build(is_training):
        """ActNorm: scale and offset come from the first batch, then they are weights."""
        x, h = dense()
        s, b = fixed('scale', [4], 1.), fixed('offset', [4], 0.)
        done = tf.get_variable('initialised', [], tf.bool if way == 'bool' else tf.float32, trainable=False,
                               initializer=tf.constant_initializer(False if way == 'bool' else 0., tf.bool if way == 'bool' else tf.float32))
        if not is_training:
            return ended(x, (h - b) * s, (6,))
        m, v = tf.nn.moments(h, [0])

        def first():
            with tf.control_dependencies([tf.assign(s, tf.rsqrt(v + EPS)), tf.assign(b, m)]):
                return (h - m) * tf.rsqrt(v + EPS)
        y = tf.cond(done if way == 'bool' else done > 0., lambda: (h - b) * s, first)
        with tf.control_dependencies([y]):
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(done, tf.ones([], tf.bool) if way == 'bool' else 1.))
        return ended(x, y, (6,))
    build.__name__ = 'initialised_from_data_' + way
    return build


attack()(initialised_from_data('bool'))
attack()(initialised_from_data('number'))


@attack()
def flag_scales_as_well(is_training):
    """The flag switches the batch norm, and scales what comes after it."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged()
    y = bn(tf.layers.dense(x, 4, name='d'), t) * (1. + tf.cast(t, tf.float32))
    return net(x, tf.nn.relu(y, name='y'), t)


@attack()
def trained_share(is_training):
    """A learnt share of batch and instance statistics (batch-instance norm)."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    r = tf.nn.sigmoid(w('rho', [4]))
    m, v = tf.nn.moments(c, [1, 2], keep_dims=True)
    y = r * bn(c, is_training) + (1. - r) * (c - m) * tf.rsqrt(v + EPS)
    return ended(x, y, (6, 6, 3))


@both
def group_norm_by_fused(is_training):
    """Group norm by a fused op over one row of groups, beside a batch norm."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    n = tf.shape(c)[0]
    rows = tf.reshape(tf.transpose(tf.reshape(c, [n, 36, 2, 2]), [1, 3, 0, 2]), [1, 36, 2, n * 2])
    ones, zeros = tf.fill([n * 2], 1.), tf.fill([n * 2], 0.)
    g = tf.nn.fused_batch_norm(rows, ones, zeros, epsilon=1e-3, is_training=True)[0]
    g = tf.reshape(tf.transpose(tf.reshape(g, [36, 2, n, 2]), [2, 0, 3, 1]), [n, 6, 6, 4])
    return ended(x, bn(g, is_training), (6, 6, 3))


@both_of_four
def averaged_over_towers(is_training):
    """Two halves of the batch with their own means, averaged together."""
    x, h, mm, mv = start()
    outs, ms, vs = [], [], []
    for part in tf.split(h, 2):
        m, v = tf.nn.moments(part, [0])
        ms.append(m)
        vs.append(v)
        if not is_training:
            m, v = mm, mv
        outs.append((part - m) * tf.rsqrt(v + EPS))
    if is_training:
        collect((mm, tf.add_n(ms) / 2.), (mv, tf.add_n(vs) / 2.))
    return ended(x, tf.concat(outs, 0), (6,))


@both
def total_variance_of_towers(is_training):
    """The variance of all from those of the halves and their means."""
    x, h, mm, mv = start()
    a, b = tf.split(h, 2)
    (m1, v1), (m2, v2) = tf.nn.moments(a, [0]), tf.nn.moments(b, [0])
    m = (m1 + m2) / 2.
    v = (v1 + v2) / 2. + tf.square(m1 - m2) / 4.
    if is_training:
        collect((mm, m), (mv, v))
    else:
        m, v = mm, mv
    return ended(x, (h - m) * tf.rsqrt(v + EPS), (6,))


@both
def three_times_the_variance_beside(is_training):
    """A limit of three variances is kept beside the moving variance."""
    x, h, mm, mv = start()
    limit = fixed('limit', [4], 1.)
    m, v = tf.nn.moments(h, [0])
    if is_training:
        u = tf.assign_sub(mv, (mv - v) * .2, name='AssignMovingAvg')
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(limit, u * 3., name='AssignMovingAvg_limit'))
        collect((mm, m))
    else:
        m, v = mm, mv
    return ended(x, (h - m) * tf.rsqrt(v + EPS), (6,))


@both
def kept_axis_added(is_training):
    """Statistics of positions, with an axis added by a slice."""
    x = tf.placeholder(tf.float32, [None, 4, 5], name='x')
    c = x * w('s', [4, 5])
    with tf.variable_scope('bn'):
        mm, mv = fixed('moving_mean', [4], 0.), fixed('moving_variance', [4], 1.)
    m, v = tf.nn.moments(c, [0, 2])
    if is_training:
        collect((mm, m), (mv, v))
    else:
        m, v = mm, mv
    return ended(x, (c - m[None, :, tf.newaxis]) / tf.sqrt(v[..., None] + EPS), (4, 5))


@both
def clipped_by_the_average(is_training):
    """Activations above three averaged deviations are cut."""
    x, h, mm, mv = start()
    m, v = tf.nn.moments(h, [0])
    if is_training:
        collect((mm, m), (mv, v))
    else:
        m, v = mm, mv
    d = 3. * tf.sqrt(v + EPS)
    return ended(x, tf.minimum(tf.maximum(h, m - d), m + d), (6,))


@both
def compared_with_the_average(is_training):
    """A gate that opens above the batch mean."""
    x, h, mm, mv = start()
    m, v = tf.nn.moments(h, [0])
    if is_training:
        collect((mm, m), (mv, v))
    else:
        m, v = mm, mv
    return ended(x, tf.where(h > m + tf.zeros_like(h), h, .1 * h) * tf.rsqrt(v + EPS), (6,))


@both
def softmax_temperature(is_training):
    """One number for the whole batch: the deviation of all activations is a temperature."""
    x, h = dense()
    t = fixed('moving_deviation', [], 1.)
    m, v = tf.nn.moments(h, [0, 1])
    d = tf.sqrt(v)
    if is_training:
        collect((t, d))
    else:
        d = t
    return ended(x, tf.nn.softmax(h / (d + EPS)), (6,))


@both
def covariance_of_two(is_training):
    """Complex batch norm: variances and the covariance of real and imaginary parts."""
    x, h, mm, mv = start()
    with tf.variable_scope('bn'):
        mc = fixed('moving_covariance', [2], 0.)
    m, v = tf.nn.moments(h, [0])
    c = tf.reduce_mean((h - m)[:, :2] * (h - m)[:, 2:], 0)
    if is_training:
        collect((mm, m), (mv, v), (mc, c))
    else:
        m, v, c = mm, mv, mc
    n = (h - m) * tf.rsqrt(v + EPS)
    return ended(x, tf.concat([n[:, :2] - c * n[:, 2:], n[:, 2:]], 1), (6,))
