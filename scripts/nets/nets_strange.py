"""Normalisations, statistics and noise that are no ordinary batch norm: from papers, and from public code that imitates it."""
from harness import np, tf

from builders import averaged, bn, conv, dense, fixed, flagged, net, next_, w
from cases_fused import image
from common import Net
from situations import situation

ALL = ('113', '115', '212')


def strange(versions=ALL, **opts):
    """Right or refused; `freeze` and `fold`."""
    opts.setdefault('expect', 'either')
    opts.setdefault('commands', ('freeze', 'fold'))
    return situation('strange', versions, **opts)


def kept(name, shape, first, batch, is_training, how=None):
    """A moving average by hand: in training what `batch()` gives and its update, at inference the variable."""
    v = fixed(name, shape, first)
    if not is_training:
        return tf.identity(v), []
    t = batch()
    return t, [how(v, t) if how else tf.assign(v, next_(v, t))]


def head(x, is_training, name='head'):
    return tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(x, 4, name=name + '_d'), is_training, name + '_bn')), 3, name=name)


# ------------------------------------------------------------------ whitening

def whitened(inverse, average='cov', centred=True):
    def build(is_training):
        x, c = dense()
        ups = []
        mm = fixed('moving_mean', [4], 0.)
        cov = tf.get_variable('moving_cov', [4, 4], initializer=tf.constant_initializer(np.eye(4)), trainable=False)
        if is_training:
            m = tf.reduce_mean(c, 0)
            d = c - m if centred else c
            s = tf.matmul(d, d, transpose_a=True) / tf.cast(tf.shape(c)[0], tf.float32)
            ups = [tf.assign(mm, next_(mm, m))]
            root = inverse(s + 1e-2 * tf.eye(4))
            ups.append(tf.assign(cov, next_(cov, s if average == 'cov' else root)))
        else:
            m = mm
            root = inverse(cov + 1e-2 * tf.eye(4)) if average == 'cov' else tf.identity(cov)
        y = tf.matmul(c - m, root) * w('gamma', [4]) + w('beta', [4])
        return Net({x: (6,)}, head(tf.nn.relu(y), is_training), updates=ups + tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    return build


def by_cholesky(s):
    return tf.transpose(tf.matrix_inverse(tf.cholesky(s)))


def by_eigen(s):
    e, u = tf.self_adjoint_eig(s)
    return tf.matmul(u * tf.rsqrt(e), u, transpose_b=True)


def by_svd(s):
    e, u, _ = tf.svd(s)
    return tf.matmul(tf.matmul(u, tf.diag(tf.rsqrt(e))), u, transpose_b=True)


def by_newton(s):
    n = s / tf.trace(s)
    p = tf.eye(4)
    for _ in range(3):
        p = .5 * (3. * p - tf.matmul(tf.matmul(tf.matmul(p, p), p), n))
    return p * tf.rsqrt(tf.trace(s))


for _inverse in (by_cholesky, by_eigen, by_svd, by_newton):
    for _average in ('cov', 'root'):
        for _centred in (True, False):
            _f = whitened(_inverse, _average, _centred)
            _f.__name__ = 'whitened_%s_%s%s' % (_inverse.__name__, _average, '' if _centred else '_raw')
            strange(commands=('freeze',))(_f)


# ------------------------------------------------------------------ other normalisations with moving statistics

@strange()
def evonorm_b0(is_training):
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    v, ups = kept('moving_variance', [4], 1., lambda: tf.nn.moments(c, [0, 1, 2])[1], is_training)
    instance = tf.sqrt(tf.nn.moments(c, [1, 2], keep_dims=True)[1] + 1e-3)
    den = tf.maximum(tf.sqrt(v + 1e-3), w('v1', [4]) * c + instance)
    return Net({x: (6, 6, 3)}, tf.reduce_mean(c / den * w('gamma', [4]) + w('beta', [4]), [1, 2], name='y'), updates=ups)


@strange()
def switchable_norm(is_training):
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    im, iv = tf.nn.moments(c, [1, 2], keep_dims=True)
    lm = tf.reduce_mean(im, 3, keepdims=True)
    lv = tf.reduce_mean(iv + tf.square(im), 3, keepdims=True) - tf.square(lm)
    bm, u1 = kept('moving_mean', [1, 1, 1, 4], 0., lambda: tf.reduce_mean(im, 0, keepdims=True), is_training)
    bv, u2 = kept('moving_var', [1, 1, 1, 4], 1., lambda: tf.reduce_mean(iv + tf.square(im), 0, keepdims=True) - tf.square(bm), is_training)
    a, b = tf.nn.softmax(w('mean_weight', [3])), tf.nn.softmax(w('var_weight', [3]))
    m = a[0] * im + a[1] * lm + a[2] * bm
    v = b[0] * iv + b[1] * lv + b[2] * bv
    y = (c - m) / tf.sqrt(v + 1e-3) * w('gamma', [4]) + w('beta', [4])
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=u1 + u2)


@strange()
def batch_instance_norm(is_training):
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    bm, u1 = kept('moving_mean', [4], 0., lambda: tf.nn.moments(c, [0, 1, 2])[0], is_training)
    bv, u2 = kept('moving_var', [4], 1., lambda: tf.nn.moments(c, [0, 1, 2])[1], is_training)
    im, iv = tf.nn.moments(c, [1, 2], keep_dims=True)
    rho = tf.clip_by_value(w('rho', [4]) + .5, 0., 1.)
    y = rho * (c - bm) * tf.rsqrt(bv + 1e-3) + (1. - rho) * (c - im) * tf.rsqrt(iv + 1e-3)
    return Net({x: (6, 6, 3)}, tf.nn.relu(y * w('gamma', [4]) + w('beta', [4]), name='y'), updates=u1 + u2)


@strange()
def filter_response_norm_beside(is_training):
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    nu = tf.reduce_mean(tf.square(c), [1, 2], keepdims=True)
    y = tf.maximum(c * tf.rsqrt(nu + tf.abs(w('eps', [1]))) * w('g', [4]) + w('b', [4]), w('tau', [4]))
    return net(x, tf.nn.relu(bn(conv(y, 4, 'c2'), is_training), name='y'))


@strange()
def batch_kalman_norm(is_training):
    """Statistics of a layer mixed with those of the layer before."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m1, u1 = kept('m1', [4], 0., lambda: tf.nn.moments(c, [0, 1, 2])[0], is_training)
    v1, u2 = kept('v1', [4], 1., lambda: tf.nn.moments(c, [0, 1, 2])[1], is_training)
    y = conv(tf.nn.relu((c - m1) * tf.rsqrt(v1 + 1e-3)), 4, 'c2')
    m2, u3 = kept('m2', [4], 0., lambda: tf.nn.moments(y, [0, 1, 2])[0], is_training)
    v2, u4 = kept('v2', [4], 1., lambda: tf.nn.moments(y, [0, 1, 2])[1], is_training)
    q = tf.sigmoid(w('q', [4]))
    z = (y - (q * m1 + (1 - q) * m2)) * tf.rsqrt(q * v1 + (1 - q) * v2 + 1e-3)
    return Net({x: (6, 6, 3)}, tf.nn.relu(z, name='y'), updates=u1 + u2 + u3 + u4)


@strange()
def representative_batch_norm(is_training):
    """Centring calibration by the instance mean before, scaling calibration by the instance mean behind."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    c = c + w('wm', [4]) * tf.reduce_mean(c, [1, 2], keepdims=True)
    y = bn(c, is_training, scale=False, center=False, fused=False)
    y = y * tf.sigmoid(w('wv', [4]) * tf.reduce_mean(y, [1, 2], keepdims=True) + w('wb', [4]))
    return net(x, tf.nn.relu(y * w('gamma', [4]) + w('beta', [4]), name='y'))


@strange()
def l1_norm(is_training):
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m, u1 = kept('moving_mean', [4], 0., lambda: tf.reduce_mean(c, [0, 1, 2]), is_training)
    d, u2 = kept('moving_l1', [4], 1., lambda: tf.reduce_mean(tf.abs(c - m), [0, 1, 2]), is_training)
    return Net({x: (6, 6, 3)}, tf.nn.relu((c - m) / (1.2533141 * d + 1e-3), name='y'), updates=u1 + u2)


@strange()
def range_norm(is_training):
    """Range batch norm: max - min over chunks of the batch."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m, u1 = kept('moving_mean', [4], 0., lambda: tf.reduce_mean(c, [0, 1, 2]), is_training)
    r, u2 = kept('moving_range', [4], 1., lambda: tf.reduce_max(c, [0, 1, 2]) - tf.reduce_min(c, [0, 1, 2]), is_training)
    return Net({x: (6, 6, 3)}, tf.nn.relu((c - m) / (.3 * r + 1e-3), name='y'), updates=u1 + u2)


@strange()
def median_norm(is_training):
    x, c = dense()

    def median():
        s = tf.transpose(tf.nn.top_k(tf.transpose(c), k=tf.shape(c)[0]).values)
        return s[tf.shape(c)[0] // 2]
    m, u1 = kept('moving_median', [4], 0., median, is_training)
    d, u2 = kept('moving_mad', [4], 1., lambda: tf.reduce_mean(tf.abs(c - m), 0), is_training)
    return Net({x: (6,)}, tf.nn.tanh((c - m) / (d + 1e-3), name='y'), updates=u1 + u2)


@strange()
def lp_norm_of_order_four(is_training):
    x, c = dense()
    m, u1 = kept('moving_mean', [4], 0., lambda: tf.reduce_mean(c, 0), is_training)
    d, u2 = kept('moving_4', [4], 1., lambda: tf.reduce_mean(tf.pow(c - m, 4.), 0), is_training)
    return Net({x: (6,)}, tf.nn.tanh((c - m) * tf.pow(d + 1e-3, -.25), name='y'), updates=u1 + u2)


@strange()
def power_norm(is_training):
    """PowerNorm: the running second moment normalises in training as well, after a warm-up with that of the batch."""
    x, c = dense()
    q = fixed('running_phi', [4], 1.)
    ups = []
    v = tf.identity(q)
    if is_training:
        batch = tf.reduce_mean(tf.square(c), 0)
        ups = [tf.assign(q, next_(q, batch))]
        v = batch
    return Net({x: (6,)}, tf.nn.tanh(c * tf.rsqrt(v + 1e-3) * w('g', [4]) + w('b', [4]), name='y'), updates=ups)


@strange()
def per_position_norm(is_training):
    """Per-activation batch norm: statistics over the batch only, of shape [H, W, C]."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m, u1 = kept('pop_mean', [6, 6, 4], 0., lambda: tf.nn.moments(c, [0])[0], is_training)
    v, u2 = kept('pop_var', [6, 6, 4], 1., lambda: tf.nn.moments(c, [0])[1], is_training)
    return Net({x: (6, 6, 3)}, tf.nn.relu(tf.nn.batch_normalization(c, m, v, w('b', [4]), w('g', [4]), 1e-3), name='y'), updates=u1 + u2)


@strange()
def scalar_norm(is_training):
    """One mean and deviation for all channels: returns of reinforcement learning, rewards, spectrograms."""
    x = image('x', (6, 6, 3))
    m, u1 = kept('mean', [], 0., lambda: tf.reduce_mean(x), is_training)
    v, u2 = kept('var', [], 1., lambda: tf.reduce_mean(tf.square(x - m)), is_training)
    y = (x - m) / tf.sqrt(v + 1e-3)
    return Net({x: (6, 6, 3)}, tf.nn.relu(conv(y, 4, 'c'), name='y'), updates=u1 + u2)


@strange()
def grouped_channels_share(is_training):
    """Groups of two channels share their statistics over the batch."""
    x = image('x', (6, 6, 3))
    c = tf.reshape(conv(x, 4, 'c'), [-1, 6, 6, 2, 2])
    m, u1 = kept('moving_mean', [1, 1, 1, 2, 1], 0., lambda: tf.nn.moments(c, [0, 1, 2, 4], keep_dims=True)[0], is_training)
    v, u2 = kept('moving_var', [1, 1, 1, 2, 1], 1., lambda: tf.nn.moments(c, [0, 1, 2, 4], keep_dims=True)[1], is_training)
    y = tf.reshape((c - m) * tf.rsqrt(v + 1e-3), [-1, 6, 6, 4]) * w('g', [4]) + w('b', [4])
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=u1 + u2)


@strange()
def mean_of_instance_statistics(is_training):
    """Averages over the batch of each example's variance: not the variance of the batch."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    im, iv = tf.nn.moments(c, [1, 2])
    m, u1 = kept('moving_mean', [4], 0., lambda: tf.reduce_mean(im, 0), is_training)
    v, u2 = kept('moving_variance', [4], 1., lambda: tf.reduce_mean(iv, 0), is_training)
    return Net({x: (6, 6, 3)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=u1 + u2)


# ------------------------------------------------------------------ renormalisation

def renormed(limits, stop=True, order='update_after'):
    def build(is_training):
        x = image('x', (6, 6, 3))
        c = conv(x, 4, 'c')
        mm, mv = fixed('moving_mean', [4], .2), fixed('moving_variance', [4], 1.3)
        step = tf.train.get_or_create_global_step()
        ups, m, v, r, d = [], mm, mv, 1., 0.
        if is_training:
            m, v = tf.nn.moments(c, [0, 1, 2])
            rmax, dmax = limits(tf.cast(step, tf.float32))
            s, ms = tf.sqrt(v + 1e-3), tf.sqrt(mv + 1e-3)
            r = tf.clip_by_value(s / ms, 1. / rmax, rmax)
            d = tf.clip_by_value((m - mm) / ms, -dmax, dmax)
            if stop:
                r, d = tf.stop_gradient(r), tf.stop_gradient(d)
            ups = [tf.assign_add(step, 1), tf.assign_sub(mm, (mm - m) * .2), tf.assign_sub(mv, (mv - v) * .2)]
        y = ((c - m) * tf.rsqrt(v + 1e-3) * r + d) * w('g', [4]) + w('b', [4])
        return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)
    return build


LIMITS = dict(fixed=lambda s: (3., 5.), schedule=lambda s: (tf.clip_by_value(1. + s * .1, 1., 3.), tf.clip_by_value(s * .2, 0., 5.)),
              piecewise=lambda s: (tf.where(s < 3., 1., 3.), tf.where(s < 3., 0., 5.)), wide=lambda s: (1e9, 1e9),
              poly=lambda s: (tf.train.polynomial_decay(1., tf.cast(s, tf.int32), 10, 3.), 5.))
for _name, _limits in LIMITS.items():
    for _stop in (True, False):
        _f = renormed(_limits, _stop)
        _f.__name__ = 'renorm_by_hand_%s%s' % (_name, '' if _stop else '_with_gradient')
        strange(commands=('freeze',))(_f)


@strange()
def renorm_by_keras_clipping(is_training):
    x = image('x', (6, 6, 3))
    step = tf.train.get_or_create_global_step()
    s = tf.cast(step, tf.float32)
    up = [tf.assign_add(step, 1)] if is_training else []
    clip = {'rmax': tf.minimum(1. + s * .2, 3.), 'rmin': tf.maximum(1. - s * .1, .33), 'dmax': tf.minimum(s, 5.)}
    y = bn(conv(x, 4, 'c'), is_training, renorm=True, renorm_clipping=clip)
    return net(x, tf.nn.relu(y, name='y'), up=up + tf.get_collection(tf.GraphKeys.UPDATE_OPS))


# ------------------------------------------------------------------ weights: spectral norm, actnorm, weight standardisation

def spectral(assign_in_training=True, iterate_at_inference=True):
    def build(is_training):
        x, c = dense()
        k = w('kernel', [4, 5])
        u = tf.get_variable('u', [1, 5], initializer=tf.truncated_normal_initializer(), trainable=False)
        ups = []
        if is_training or iterate_at_inference:
            v1 = tf.nn.l2_normalize(tf.matmul(u, k, transpose_b=True))
            u1 = tf.nn.l2_normalize(tf.matmul(v1, k))
            if is_training and assign_in_training:
                ups = [u.assign(u1)]
        else:
            u1 = tf.identity(u)
            v1 = tf.nn.l2_normalize(tf.matmul(u, k, transpose_b=True))
        sigma = tf.reduce_sum(tf.matmul(v1, k) * u1)
        y = tf.nn.relu(bn(tf.matmul(c, k / sigma), is_training))
        return net(x, tf.identity(y, name='y'), up=ups + tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    return build


for _iterate in (True, False):
    _f = spectral(True, _iterate)
    _f.__name__ = 'spectral_norm_%s' % ('iterates' if _iterate else 'stored')
    # Both are in use: what inference does is not in the training graph. Only the first is its arithmetic.
    if _iterate:
        strange()(_f)


@strange()
def spectral_norm_control(is_training):
    """The update runs before the kernel is read."""
    x, c = dense()
    k = w('kernel', [4, 5])
    u = tf.get_variable('u', [1, 5], initializer=tf.truncated_normal_initializer(), trainable=False)
    v1 = tf.nn.l2_normalize(tf.matmul(u, k, transpose_b=True))
    u1 = tf.nn.l2_normalize(tf.matmul(v1, k))
    sigma = tf.reduce_sum(tf.matmul(v1, k) * u1)
    with tf.control_dependencies([u.assign(u1)] if is_training else []):
        kernel = tf.identity(k / sigma)
    return net(x, tf.nn.relu(bn(tf.matmul(c, kernel), is_training), name='y'))


@strange()
def weight_standardisation(is_training):
    x = image('x', (6, 6, 3))
    k = w('kernel', [3, 3, 3, 4])
    m, v = tf.nn.moments(k, [0, 1, 2], keep_dims=True)
    y = tf.nn.conv2d(x, (k - m) * tf.rsqrt(v + 1e-5), [1, 1, 1, 1], 'SAME')
    return net(x, tf.nn.relu(bn(y, is_training), name='y'))


@strange()
def actnorm_initialised(is_training):
    """Data-dependent initialisation: the first batch sets scale and bias, behind a flag variable."""
    x, c = dense()
    b, s = fixed('an_bias', [4], 0.), fixed('an_logs', [4], 0.)
    if is_training:
        done = tf.get_variable('done', [], tf.bool, initializer=tf.constant_initializer(False), trainable=False)
        m, v = tf.nn.moments(c, [0])

        def first():
            with tf.control_dependencies([tf.assign(b, -m), tf.assign(s, tf.log(1. / (tf.sqrt(v) + 1e-6))), tf.assign(done, True)]):
                return tf.constant(0.)
        up = [tf.cond(done, lambda: tf.constant(0.), first)]
    else:
        up = []
    y = (c + b) * tf.exp(s)
    return net(x, head(tf.nn.relu(y), is_training), up=up + tf.get_collection(tf.GraphKeys.UPDATE_OPS))


@strange()
def weight_norm_mean_only(is_training):
    x, _ = dense()
    v, g = w('v', [6, 4]), w('g', [4])
    c = tf.matmul(x, g * tf.nn.l2_normalize(v, 0))
    m, ups = kept('avg_batch_mean', [4], 0., lambda: tf.nn.moments(c, [0])[0], is_training)
    return Net({x: (6,)}, tf.nn.relu(c - m + w('b', [4]), name='y'), updates=ups)


# ------------------------------------------------------------------ who keeps the statistics

@strange()
def stacked_statistics(is_training):
    """One variable [2, C] holds mean and variance."""
    x, c = dense()
    s = tf.get_variable('stats', [2, 4], initializer=tf.constant_initializer([[0.] * 4, [1.] * 4]), trainable=False)
    ups, m, v = [], s[0], s[1]
    if is_training:
        m, v = tf.nn.moments(c, [0])
        ups = [tf.assign(s, s * .8 + tf.stack([m, v]) * .2)]
    return Net({x: (6,)}, tf.nn.relu(tf.nn.batch_normalization(c, m, v, w('b', [4]), w('g', [4]), 1e-3), name='y'), updates=ups)


@strange()
def concatenated_statistics(is_training):
    x, c = dense()
    s = tf.get_variable('stats', [8], initializer=tf.constant_initializer([0.] * 4 + [1.] * 4), trainable=False)
    ups, m, v = [], s[:4], s[4:]
    if is_training:
        m, v = tf.nn.moments(c, [0])
        ups = [tf.assign_sub(s, (s - tf.concat([m, v], 0)) * .2)]
    return Net({x: (6,)}, tf.nn.relu(tf.nn.batch_normalization(c, m, v, w('b', [4]), w('g', [4]), 1e-3), name='y'), updates=ups)


@strange(expect='WRONG')
def debiased_like_adam(is_training):
    """Only the inference graph corrects the averages: nothing in the training graph shows it."""
    x, c = dense()
    step = fixed('t', [], 0.)
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 0.)
    ups = []
    if is_training:
        m, v = tf.nn.moments(c, [0])
        ups = [tf.assign_add(step, 1.), tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]
    else:
        k = 1. - tf.pow(.8, step)
        m, v = mm / k, mv / k
    return Net({x: (6,)}, tf.nn.relu(tf.nn.batch_normalization(c, m, v, w('b', [4]), w('g', [4]), 1e-3), name='y'), updates=ups)


@strange()
def debiased_variable(is_training):
    """The corrected average is a variable of its own, which inference reads."""
    x, c = dense()
    step = fixed('t', [], 0.)
    raw = [fixed('raw_m', [4], 0.), fixed('raw_v', [4], 0.)]
    out = [fixed('moving_mean', [4], 0.), fixed('moving_variance', [4], 1.)]
    ups, stats = [], out
    if is_training:
        stats = tf.nn.moments(c, [0])
        with tf.control_dependencies([tf.assign_add(step, 1.)]):
            t = step.read_value() if hasattr(step, 'read_value') else tf.identity(step)
        for r, o, s in zip(raw, out, stats):
            ups.append(tf.assign(o, tf.assign(r, next_(r, s)) / (1. - tf.pow(.8, t))))
    return Net({x: (6,)}, tf.nn.relu(tf.nn.batch_normalization(c, stats[0], stats[1], w('b', [4]), w('g', [4]), 1e-3), name='y'), updates=ups)


@strange()
def shared_by_two_layers(is_training):
    """Two layers share moving statistics: both update them."""
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, y = [], c
    for i in range(2):
        m, v = tf.nn.moments(y, [0]) if is_training else (mm, mv)
        if is_training:
            ups += [tf.assign_sub(mm, (mm - m) * .2), tf.assign_sub(mv, (mv - v) * .2)]
        y = tf.layers.dense(tf.nn.relu(tf.nn.batch_normalization(y, m, v, w('b%d' % i, [4]), w('g%d' % i, [4]), 1e-3)), 4, name='e%d' % i)
    return Net({x: (6,)}, tf.identity(y, name='y'), updates=ups)


@strange()
def updates_where_finite(is_training):
    x, c = dense()
    good = lambda v, t: tf.assign(v, tf.where(tf.is_finite(t), next_(v, t), v))
    m, u1 = kept('mm', [4], 0., lambda: tf.nn.moments(c, [0])[0], is_training, good)
    v, u2 = kept('mv', [4], 1., lambda: tf.nn.moments(c, [0])[1], is_training, good)
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=u1 + u2)


@strange()
def updates_until_a_step(is_training):
    x, c = dense()
    step = tf.train.get_or_create_global_step()

    def until(v, t):
        return tf.cond(step < 1000, lambda: tf.assign(v, next_(v, t)), lambda: tf.identity(v))
    m, u1 = kept('mm', [4], 0., lambda: tf.nn.moments(c, [0])[0], is_training, until)
    v, u2 = kept('mv', [4], 1., lambda: tf.nn.moments(c, [0])[1], is_training, until)
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=u1 + u2 + ([tf.assign_add(step, 1)] if is_training else []))


@strange()
def pooled_by_welford(is_training):
    """Chan's parallel formula: exact mean and variance of all that was seen."""
    x, c = dense()
    n, mm, mv = fixed('count', [], 1e-4), fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv
    if is_training:
        m, v = tf.nn.moments(c, [0])
        k = tf.cast(tf.shape(c)[0], tf.float32)
        total = n + k
        d = m - mm
        new_m = mm + d * k / total
        new_v = (mv * n + v * k + tf.square(d) * n * k / total) / total
        ups = [tf.group(tf.assign(mm, new_m), tf.assign(mv, new_v), tf.assign(n, total))]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=ups)


@strange()
def observation_filter(is_training):
    """Running mean and variance normalise observations in training as well; a batch norm behind."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    s, q, n = fixed('sum', [6], 0.), fixed('sumsq', [6], 1e-2), fixed('n', [], 1e-2)
    m = s / n
    o = tf.clip_by_value((x - m) / tf.sqrt(tf.maximum(q / n - tf.square(m), 1e-2)), -5., 5.)
    ups = []
    if is_training:
        ups = [tf.assign_add(s, tf.reduce_sum(x, 0)), tf.assign_add(q, tf.reduce_sum(tf.square(x), 0)), tf.assign_add(n, tf.cast(tf.shape(x)[0], tf.float32))]
    return net(x, head(o, is_training), up=ups + tf.get_collection(tf.GraphKeys.UPDATE_OPS))


@strange()
def half_batch_half_moving(is_training):
    """Training mixes both; inference reads the moving statistics."""
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv
    if is_training:
        bm, bv = tf.nn.moments(c, [0])
        m, v = .5 * bm + .5 * mm, .5 * bv + .5 * mv
        ups = [tf.assign(mm, next_(mm, bm)), tf.assign(mv, next_(mv, bv))]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=ups)


@strange()
def half_batch_with_weight(is_training):
    """The weight of the batch is a trained parameter in both modes."""
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    a = tf.sigmoid(w('alpha', []))
    ups, bm, bv = [], mm, mv
    if is_training:
        bm, bv = tf.nn.moments(c, [0])
        ups = [tf.assign(mm, next_(mm, bm)), tf.assign(mv, next_(mv, bv))]
    m, v = a * bm, a * bv + (1. - a)
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=ups)


@strange()
def two_halves_of_a_batch(is_training):
    """Two towers in one graph: statistics of halves, averaged over them, used by both."""
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv
    if is_training:
        a, b = c[:tf.shape(c)[0] // 2], c[tf.shape(c)[0] // 2:]
        m = (tf.reduce_mean(a, 0) + tf.reduce_mean(b, 0)) / 2.
        q = (tf.reduce_mean(tf.square(a), 0) + tf.reduce_mean(tf.square(b), 0)) / 2.
        v = q - tf.square(m)
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=ups)


@strange()
def first_half_only(is_training):
    """The statistics are of the first half of the batch (real examples), used for all."""
    x, c = dense()
    a = c[:tf.shape(c)[0] // 2]
    m, u1 = kept('mm', [4], 0., lambda: tf.nn.moments(a, [0])[0], is_training)
    v, u2 = kept('mv', [4], 1., lambda: tf.nn.moments(a, [0])[1], is_training)
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=u1 + u2)


@strange()
def lagged_statistics(is_training):
    """Training normalises with the moving statistics as they are after the update."""
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv
    if is_training:
        bm, bv = tf.nn.moments(c, [0])
        m, v = next_(mm, bm), next_(mv, bv)
        ups = [tf.assign(mm, m), tf.assign(mv, v)]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=ups)


@strange()
def bias_goes_with_the_mean(is_training):
    """The update averages the mean before a bias that is added to the activation."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.matmul(x, w('k', [6, 4]))
    b = w('bias', [4])
    c = h + b
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups = []
    if is_training:
        m0, v = tf.nn.moments(h, [0])
        m = m0 + b
        ups = [tf.assign(mm, next_(mm, m0)), tf.assign(mv, next_(mv, v))]
    else:
        m, v = mm + b, mv
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=ups)


@strange()
def variance_of_scaled(is_training):
    """The update averages a variance in other units: that of 255 times the input."""
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv / 65025.
    if is_training:
        m, v = tf.nn.moments(c, [0])
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v * 65025.))]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=ups)


@strange()
def precision_is_kept(is_training):
    x, c = dense()
    mm, mp = fixed('mm', [4], 0.), fixed('precision', [4], 1.)
    ups, m, p = [], mm, mp
    if is_training:
        m, v = tf.nn.moments(c, [0])
        p = 1. / (v + 1e-3)
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mp, next_(mp, p))]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.sqrt(p), name='y'), updates=ups)


@strange()
def log_std_is_kept(is_training):
    x, c = dense()
    mm, ms = fixed('mm', [4], 0.), fixed('logstd', [4], 0.)
    ups, m, s = [], mm, ms
    if is_training:
        m, v = tf.nn.moments(c, [0])
        s = .5 * tf.log(v + 1e-3)
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(ms, next_(ms, s))]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.exp(-s), name='y'), updates=ups)


@strange()
def scale_and_shift_are_kept(is_training):
    """The averages are of gamma / std and of beta - mean * gamma / std."""
    x, c = dense()
    g, b = w('g', [4]), w('b', [4])
    ms, mb = fixed('scale', [4], 1.), fixed('shift', [4], 0.)
    ups, s, t = [], ms, mb
    if is_training:
        m, v = tf.nn.moments(c, [0])
        s = g * tf.rsqrt(v + 1e-3)
        t = b - m * s
        ups = [tf.assign(ms, next_(ms, s)), tf.assign(mb, next_(mb, t))]
    return Net({x: (6,)}, tf.nn.relu(c * s + t, name='y'), updates=ups)


# ------------------------------------------------------------------ ops between examples that are no batch norm

@strange()
def minibatch_stddev_beside(is_training):
    x = image('x', (6, 6, 3))
    h = tf.nn.relu(bn(conv(x, 4, 'c'), is_training))
    s = tf.reduce_mean(tf.sqrt(tf.reduce_mean(tf.square(h - tf.reduce_mean(h, 0, keepdims=True)), 0) + 1e-8))
    y = tf.concat([h, tf.ones_like(h[..., :1]) * s], 3)
    return net(x, tf.nn.relu(bn(conv(y, 4, 'c2'), is_training, 'b2'), name='y'))


@strange()
def minibatch_discrimination(is_training):
    x, c = dense()
    h = tf.nn.relu(bn(c, is_training))
    a = tf.reshape(tf.matmul(h, w('T', [4, 6])), [-1, 3, 2])
    d = tf.reduce_sum(tf.abs(a[:, None] - a[None]), 3)
    o = tf.reduce_sum(tf.exp(-d), 1)
    return net(x, tf.layers.dense(tf.concat([h, o], 1), 2, name='y'))


@strange()
def partitioned_by_flag(is_training):
    """dynamic_partition by a mask of the examples; both parts have a batch norm."""
    x, c = dense()
    mask = tf.cast(c[:, 0] > 0., tf.int32)
    parts = tf.dynamic_partition(c, mask, 2)
    at = tf.dynamic_partition(tf.range(tf.shape(c)[0]), mask, 2)
    ys = [bn(p, is_training, 'bn%d' % i, fused=False) for i, p in enumerate(parts)]
    y = tf.dynamic_stitch(at, ys)
    return net(x, tf.nn.relu(tf.reshape(y, [-1, 4]), name='y'))


@strange()
def masked_sequence(is_training):
    """Moments of the valid steps of sequences, weighted by a mask of lengths."""
    x = tf.placeholder(tf.float32, [None, 5, 6], name='x')
    lengths = tf.cast(tf.reduce_sum(tf.cast(tf.reduce_mean(x, 2) > -.5, tf.float32), 1), tf.int32) + 1
    mask = tf.sequence_mask(lengths, 5, tf.float32)[..., None]
    c = tf.layers.dense(x, 4, name='d')
    n = tf.reduce_sum(mask)
    m, u1 = kept('mm', [4], 0., lambda: tf.reduce_sum(c * mask, [0, 1]) / n, is_training)
    v, u2 = kept('mv', [4], 1., lambda: tf.reduce_sum(tf.square(c - m) * mask, [0, 1]) / n, is_training)
    return Net({x: (5, 6)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3) * mask, name='y'), updates=u1 + u2)


@strange()
def boolean_mask_sequence(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 6], name='x')
    c = tf.layers.dense(x, 4, name='d')
    valid = tf.boolean_mask(c, x[..., 0] > -.3)
    m, u1 = kept('mm', [4], 0., lambda: tf.nn.moments(valid, [0])[0], is_training)
    v, u2 = kept('mv', [4], 1., lambda: tf.nn.moments(valid, [0])[1], is_training)
    return Net({x: (5, 6)}, tf.nn.relu((c - m) * tf.rsqrt(v + 1e-3), name='y'), updates=u1 + u2)


@strange()
def center_of_a_teacher(is_training):
    """DINO: the centre is an average of the teacher's batch means, and is subtracted as it was before this batch."""
    x, c = dense()
    t = tf.layers.dense(c, 4, name='t')
    centre = fixed('center', [4], 0.)
    ups = [tf.assign(centre, next_(centre, tf.reduce_mean(t, 0)))] if is_training else []
    y = tf.nn.softmax((t - centre) / .4)
    return net(x, tf.concat([y, head(c, is_training)], 1, name='y'), up=ups + tf.get_collection(tf.GraphKeys.UPDATE_OPS))


@strange()
def monitored_mean_of_features(is_training):
    """The batch mean is subtracted in both modes; nothing averages it but a summary."""
    x, c = dense()
    h = c - tf.reduce_mean(c, 0)
    return net(x, head(h, is_training))


@strange()
def contrastive_with_bn(is_training):
    x, c = dense()
    z = tf.nn.l2_normalize(bn(tf.layers.dense(tf.nn.relu(bn(c, is_training)), 4, name='p'), is_training, 'b2', scale=False), 1)
    return net(x, tf.matmul(z, z, transpose_b=True, name='y'))


@strange()
def optimal_transport(is_training):
    """Sinkhorn iterations over the batch, in both modes."""
    x, c = dense()
    q = tf.exp(tf.nn.l2_normalize(bn(c, is_training), 1) * 2.)
    for _ in range(3):
        q = q / tf.reduce_sum(q, 0, keepdims=True)
        q = q / tf.reduce_sum(q, 1, keepdims=True)
    return net(x, tf.identity(q, name='y'))
