"""Which tensor is the statistic, and what looks like one."""
from harness import tf
from builders import averaged, bn, conv, dense, fixed, net, next_, recipe, w

from cases_fused import image
from common import TF2


@recipe()
def bn_of_batch_mean_elsewhere(is_training):
    """outputs of the fused op used by a loss and by a feature that stays."""
    x = image('x', (4, 4, 3))
    y, m, v = tf.nn.fused_batch_norm(x, w('g', [3]), w('b', [3]), is_training=True) if is_training else \
        (tf.nn.fused_batch_norm(x, w('g', [3]), w('b', [3]), mean=fixed('mm', [3], 0.), variance=fixed('mv', [3], 1.),
                                is_training=False)[0], None, None)
    up = []
    if is_training:
        a, b = fixed('mm', [3], 0.), fixed('mv', [3], 1.)
        up = [tf.assign(a, a * .9 + m * .1), tf.assign(b, b * .9 + v * .1)]
        tf.summary.histogram('batch_mean', m)
        tf.losses.add_loss(tf.reduce_sum(m))
    return net(x, tf.nn.relu(y, name='o'), up=up)


@recipe()
def two_bns_one_x(is_training):
    x = image('x', (4, 4, 3))
    c = conv(x, 4, 'c')
    return net(x, tf.concat([bn(c, is_training, 'a', fused=False), bn(c, is_training, 'b', fused=True),
                             bn(c, is_training, 'c2', fused=False)], 3, name='o'))


@recipe(expect='refused')
def two_bns_shared_moments_own_variables(is_training):
    """One pair of moments, two norms, each with its own averages of another decay."""
    x = image('x', (4, 4, 3))
    c = conv(x, 4, 'c')
    ys, ups = [], []
    m, v = tf.nn.moments(c, [0, 1, 2])
    for i, d in enumerate((.5, .9)):
        a, b = fixed('mm%d' % i, [4], 0.), fixed('mv%d' % i, [4], 1.)
        ups += [tf.assign(a, a * d + m * (1 - d)), tf.assign(b, b * d + v * (1 - d))]
        ys.append(tf.nn.batch_normalization(c, m if is_training else a, v if is_training else b, w('b%d' % i, [4]),
                                            w('g%d' % i, [4]), 1e-3))
    return net(x, tf.concat(ys, 3, name='o'), up=ups)


@recipe()
def whitening_input_over_batch(is_training):
    """BN on the placeholder, its output also used raw, a residual around it."""
    x = image('x', (4, 4, 3))
    y = bn(x, is_training, 'bn0', fused=False, scale=False)
    z = bn(y, is_training, 'bn1', fused=False)
    q = bn(z, is_training, 'bn2')
    return net(x, tf.concat([x, y, y + z, q], 3, name='o'))


@recipe()
def bn_output_is_statistic_of_next(is_training):
    """Squeeze and excite with a batch norm on pooled features; mean over space right behind."""
    x = image('x', (4, 4, 3))
    y = bn(conv(x, 4, 'c'), is_training)
    s = tf.reduce_mean(y, [1, 2])
    s = tf.nn.sigmoid(bn(tf.layers.dense(s, 4, name='se'), is_training, 'bn_se'))
    y = y * s[:, None, None, :]
    return net(x, tf.reduce_mean(y, [1, 2], name='o'))


@recipe()
def custom_gradient_swish(is_training):
    @tf.custom_gradient
    def swish(v):
        def grad(dy):
            s = tf.sigmoid(v)
            return dy * (s + v * s * (1 - s))
        return v * tf.sigmoid(v), grad
    x = image('x', (6, 6, 3))
    y = swish(bn(conv(x, 4, 'c'), is_training))
    y = swish(bn(conv(y, 4, 'c2'), is_training, 'b2', fused=False))
    return net(x, tf.reduce_mean(y, [1, 2], name='o'))


@recipe(expect='refused')
def moments_by_matmul_of_ones(is_training):
    """Mean by a product with ones: not a Mean op."""
    def statistics():
        n = tf.cast(tf.shape(y)[0], tf.float32)
        one = tf.ones([1, tf.shape(y)[0]])
        m = tf.squeeze(tf.matmul(one, y) / n, 0)
        return m, tf.squeeze(tf.matmul(one, tf.square(y - m)) / n, 0)
    x, y = dense()
    (m, v), up = averaged(is_training, statistics)
    return net(x, tf.nn.batch_normalization(y, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


@recipe()
def reduce_variance(is_training):
    def statistics():
        known = TF2 or hasattr(tf.math, 'reduce_variance')
        return tf.reduce_mean(y, 0), tf.math.reduce_variance(y, 0) if known else tf.nn.moments(y, [0])[1]
    x, y = dense()
    (m, v), up = averaged(is_training, statistics)
    return net(x, tf.nn.batch_normalization(y, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


@recipe()
def zscore_without_eps_reduce_std(is_training):
    def statistics():
        m = tf.reduce_mean(y, 0)
        return m, tf.sqrt(tf.reduce_mean(tf.abs(y - m) ** 2, 0))
    x, y = dense()
    (m, s), up = averaged(is_training, statistics)
    return net(x, tf.nn.tanh((y - m) / (s + 1e-4), name='o'), up=up)


@recipe()
def mean_absolute_deviation(is_training):
    """L1 batch norm."""
    def statistics():
        m = tf.reduce_mean(y, 0)
        return m, tf.reduce_mean(tf.abs(y - m), 0)
    x, y = dense()
    (m, s), up = averaged(is_training, statistics)
    return net(x, tf.nn.tanh((y - m) / (s + 1e-4), name='o'), up=up)


@recipe()
def batch_mean_is_also_a_feature(is_training):
    """The moments normalise, and the batch mean is concatenated on purpose in both modes."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    y = bn(h, is_training)
    f = tf.reduce_mean(h, 0, keepdims=True)
    return net(x, tf.concat([y, tf.zeros_like(y) + f], 1, name='o'))


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
    def statistics():
        m = tf.reduce_mean(y, 0)
        return m, tf.nn.relu(tf.reduce_mean(y * y, 0) - m * m)
    x, y = dense()
    (m, v), up = averaged(is_training, statistics)
    return net(x, tf.nn.batch_normalization(y, m, tf.maximum(v, 1e-6), None, w('g', [4]), 1e-3), up=up)


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
