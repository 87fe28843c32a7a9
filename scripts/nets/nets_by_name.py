"""Unfused batch norms whose update ops are gone: only names, or the user, tell which variables hold their statistics.

What the graph makes of the variance before the root stays; Bessel's correction is a part of the variance.
"""
from harness import tf

from builders import dense, fixed, next_, w
from cases_fused import image
from cases_unfused import drop_updates
from common import Net
from situations import situation

ALL = ('113', '115', '212')


def stripped(meta):
    meta.graph_def.CopyFrom(drop_updates(meta.graph_def))
    for key in ('update_ops', 'train_op'):
        if key in meta.collection_def:
            del meta.collection_def[key]


def moments(c, axes):
    return tf.nn.moments(c, axes)


def by_squares(c, axes):
    m = tf.reduce_mean(c, axes)
    return m, tf.reduce_mean(tf.square(c), axes) - tf.square(m)


def by_sums(c, axes):
    n = tf.cast(tf.reduce_prod(tf.gather(tf.shape(c), axes)), tf.float32)
    m = tf.reduce_sum(c, axes) / n
    return m, tf.reduce_sum(tf.square(c - m), axes) / n


def shifted(c, axes):
    s = tf.reduce_mean(c - 2., axes)
    return s + 2., tf.reduce_mean(tf.square(c - 2.), axes) - tf.square(s)


def kept_dims(c, axes):
    m, v = tf.nn.moments(c, axes, keep_dims=True)
    return tf.reshape(m, [-1]), tf.squeeze(v)


def in_double(c, axes):
    m, v = tf.nn.moments(tf.cast(c, tf.float64), axes)
    return tf.cast(m, tf.float32), tf.cast(v, tf.float32)


def clipped(c, axes):
    m, v = by_squares(c, axes)
    return m, tf.maximum(v, 0.)


def halves(c, axes):
    """Sufficient statistics of two halves, added."""
    n, s, q, _ = tf.nn.sufficient_statistics(c, axes)
    return tf.nn.normalize_moments(n, s, q, None)


def plain(v):
    return v + 1e-3


TRANSFORMS = dict(
    plain=plain, four=lambda v: 4. * v + 1e-3, half=lambda v: v / 2. + 1e-3, exp=lambda v: tf.exp(v * .1),
    square=lambda v: tf.square(v) + 1e-3, abs=lambda v: tf.abs(v) + 1e-3, log=lambda v: tf.log1p(v) + 1e-3,
    softplus=lambda v: tf.nn.softplus(v), floor=lambda v: tf.maximum(v, .5), ceiling=lambda v: tf.minimum(v, .8) + 1e-3,
    relu=lambda v: tf.nn.relu(v) + 1e-3, inside=lambda v: 2. * (v + 1e-3), clip=lambda v: tf.clip_by_value(v, 1e-3, .9),
    power=lambda v: tf.pow(v, 1.5) + 1e-3, tenth=lambda v: 1.1 * v + 1e-3, add=lambda v: v + .5, sigmoid=lambda v: tf.sigmoid(v),
    mixed=lambda v: .7 * v + .3 + 1e-3, learnt=lambda v: v * tf.square(w('temperature', [4])) + 1e-3,
    ema=lambda v: tf.add_n([v, tf.constant([1e-3] * 4)]), root=lambda v: tf.sqrt(v + 1e-3) + .1, trace=lambda v: v + tf.reduce_mean(v) + 1e-3,
    l2=lambda v: v / tf.reduce_max(v) + 1e-3, stopped=lambda v: tf.stop_gradient(v) + 1e-3)


def by_name(how, transform, dim=2, mean=lambda m: m, names=('moving_mean', 'moving_variance')):
    def build(is_training):
        if dim == 2:
            x, c = dense()
        else:
            x = image('x', (6, 6, 3))
            c = tf.layers.conv2d(x, 4, 3, name='c')
        with tf.variable_scope('bn'):
            mm, mv = fixed(names[0], [4], 0.), fixed(names[1], [4], 1.)
            beta, gamma = w('beta', [4]), w('gamma', [4])
            ups = []
            if is_training:
                m, v = how(c, list(range(c.shape.ndims - 1)))
                ups = [tf.assign_sub(a, (a - t) * .2, name='AssignMovingAvg') for a, t in ((mm, m), (mv, v))]
            else:
                m, v = mm, mv
            y = (c - mean(m)) * tf.rsqrt(transform(v)) * gamma + beta
        return Net({x: tuple(x.shape.as_list()[1:])}, tf.nn.relu(y, name='y'), updates=ups)
    return build


for _how in (moments, by_squares, by_sums, shifted, kept_dims, in_double, clipped, halves):
    for _name, _transform in TRANSFORMS.items():
        if _how is not moments and _name not in ('plain', 'four', 'square', 'softplus', 'learnt', 'trace'):
            continue
        for _dim in (2, 4):
            _f = by_name(_how, _transform, _dim)
            _f.__name__ = 'name_%s_%s_%d' % (_how.__name__, _name, _dim)
            situation('names', ALL, rewrite=stripped, commands=('freeze', 'fold'), expect='either')(_f)

for _name, _mean in dict(half=lambda m: m / 2., square=lambda m: tf.square(m), abs=lambda m: tf.abs(m), tanh=lambda m: tf.tanh(m),
                         gate=lambda m: m * tf.sigmoid(w('gate', [4])), shift=lambda m: m + 1.).items():
    _f = by_name(moments, plain, 4, _mean)
    _f.__name__ = 'name_mean_%s' % _name
    situation('names', ALL, rewrite=stripped, commands=('freeze', 'fold'), expect='either')(_f)

for _name in ('plain', 'four', 'square', 'learnt'):
    for _how in (moments, shifted):
        _f = by_name(_how, TRANSFORMS[_name], 4, names=('a', 'b'))
        _f.__name__ = 'mapped_%s_%s' % (_how.__name__, _name)
        situation('names', ALL, rewrite=stripped, commands=('freeze',), expect='either', options=('--map', 'bn/Rsqrt=bn/a,bn/b'))(_f)
