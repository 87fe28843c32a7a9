"""Other moments than mean and variance, and other ways of computing them."""
from harness import tf
from builders import averaged, conv, dense, fixed, net, next_, recipe, w

from cases_fused import image
from common import Net


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
    x, y = dense()
    (m, s), up = averaged(is_training, lambda: [tf.reduce_mean(y, 0), tf.reduce_mean(tf.square(y), 0)])
    y = tf.nn.batch_normalization(y, m, s - tf.square(m), w('beta', [4]), w('gamma', [4]), 1e-2)
    return net(x, y, up=up)


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
    x, y = dense()
    (m, v), up = averaged(is_training, lambda: tf.nn.moments(y, [0]))
    return net(x, w('g', [4]) * (y - m) / (tf.sqrt(v) + 1e-3) + w('b', [4]), up=up)


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
    def statistics():
        m, v = tf.nn.moments(y, [0])
        return m, tf.rsqrt(v + 1e-5)
    x, y = dense()
    (m, s), up = averaged(is_training, statistics)
    return net(x, w('g', [4]) * (y - m) * s + w('b', [4]), up=up)


@recipe()
def variance_with_eps_is_kept(is_training):
    def statistics():
        m, v = tf.nn.moments(y, [0])
        return m, v + 0.5
    x, y = dense()
    (m, v), up = averaged(is_training, statistics)
    return net(x, w('g', [4]) * (y - m) * tf.rsqrt(v) + w('b', [4]), up=up)


@recipe()
def moving_of_raw_variance_used_with_eps(is_training):
    """The variable averages v; the net divides by sqrt(v + .5)."""
    x, y = dense()
    (m, v), up = averaged(is_training, lambda: tf.nn.moments(y, [0]))
    return net(x, w('g', [4]) * (y - m) * tf.rsqrt(v + .5) + w('b', [4]), up=up)


@recipe()
def max_norm(is_training):
    """Running maximum of |x| over the batch."""
    x, y = dense()
    (m,), up = averaged(is_training, lambda: [tf.reduce_max(tf.abs(y), 0)], firsts=[1.])
    return net(x, y / (m + 1e-3), up=up)


@recipe()
def moments_mixed_by_hand(is_training):
    """Batch and moving statistics are mixed in training (batch renorm by hand): m = .5 * batch + .5 * moving."""
    x = image('x', (4, 4, 3))
    c = conv(x, 4, 'c')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        bm, bv = tf.nn.moments(c, [0, 1, 2])
        up = [tf.assign(a, a * .8 + bm * .2), tf.assign(b, b * .8 + bv * .2)]
        m, v = .5 * bm + .5 * a, .5 * bv + .5 * b
    return net(x, tf.nn.batch_normalization(c, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


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
