"""Layouts, dtypes, and dimensions that are easily mixed up."""
from harness import tf
from builders import bn, conv, fixed, net, next_, recipe, w

from cases_fused import image
from common import Net


@recipe()
def float64_net(is_training):
    x = tf.placeholder(tf.float64, [None, 6], name='x')
    y = bn(tf.layers.dense(x, 5, name='d'), is_training)
    return net(x, tf.layers.dense(tf.nn.relu(y), 2, name='o'))


@recipe(tolerance=2e-2)
def float16_by_hand(is_training):
    x = tf.placeholder(tf.float16, [None, 6], name='x')
    y = tf.layers.dense(x, 5, name='d')
    a, b = fixed('mm', [5], 0.), fixed('mv', [5], 1.)
    up = []
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(tf.cast(y, tf.float32), [0])
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * .2)]
    y = tf.nn.batch_normalization(y, tf.cast(m, tf.float16), tf.cast(v, tf.float16), None, None, 1e-3)
    return net(x, tf.layers.dense(tf.nn.relu(y), 2, name='o'), up=up)


@recipe()
def channels_first_by_transpose(is_training):
    x = tf.placeholder(tf.float32, [None, 3, 5, 5], name='x')
    y = tf.transpose(x, [0, 2, 3, 1])
    y = bn(conv(y, 4, 'c'), is_training)
    y = tf.transpose(y, [0, 3, 1, 2])
    a, b = fixed('mm', [1, 4, 1, 1], 0.), fixed('mv', [1, 4, 1, 1], 1.)
    up = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(y, [0, 2, 3], keep_dims=True)
        up = up + [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * .2)]
    y = (y - m) / tf.sqrt(v + 1e-3) * tf.reshape(w('g', [4]), [1, 4, 1, 1]) + tf.reshape(w('b', [4]), [1, 4, 1, 1])
    return net(x, tf.nn.relu(y, name='o'), up=up)


@recipe()
def channels_equal_batch_and_size(is_training):
    """Channels, height and width are all 4; the statistics of axis 1."""
    x = tf.placeholder(tf.float32, [None, 4, 4, 4], name='x')
    y = tf.layers.batch_normalization(x, axis=1, training=is_training, momentum=.8, name='a', fused=False)
    y = tf.layers.batch_normalization(y, axis=2, training=is_training, momentum=.8, name='b', fused=False)
    y = tf.layers.batch_normalization(y, axis=3, training=is_training, momentum=.8, name='c', fused=False)
    return net(x, tf.nn.relu(y, name='o'))


@recipe()
def squeezed_odd_shapes(is_training):
    """Statistics of shape [C] against moments with keep_dims, channel axis 1, dynamic sizes."""
    x = tf.placeholder(tf.float32, [None, 4, None, None], name='x')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    up = []
    s = [1, 4, 1, 1]
    m, v = tf.reshape(a, s), tf.reshape(b, s)
    if is_training:
        m, v = tf.nn.moments(x, [0, 2, 3], keep_dims=True)
        up = [tf.assign(a, a * .8 + tf.reshape(m, [-1]) * .2), tf.assign(b, b * .8 + tf.reshape(v, [-1]) * .2)]
    y = (x - m) / tf.sqrt(v + 1e-3)
    return Net({x: (4, 4, 4)}, tf.nn.relu(y, name='o'), updates=up)


@recipe()
def one_channel(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 5, 1], name='x')
    y = bn(x, is_training, 'a', fused=False)
    y = bn(tf.layers.dense(tf.layers.flatten(y), 1, name='d'), is_training, 'b')
    a, b = fixed('mm', [], 0.), fixed('mv', [], 1.)
    up = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(y, [0, 1])
        up = up + [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * .2)]
    return net(x, tf.identity((y - m) / tf.sqrt(v + 1e-3), name='o'), up=up)


@recipe()
def flattened_by_shape_ops(is_training):
    x = tf.placeholder(tf.float32, [None, 4, 6], name='x')
    s = tf.shape(x)
    y = tf.reshape(x, [s[0] * s[1], 6])
    y = bn(y, is_training)
    y = tf.reshape(y, [s[0], s[1], 6])
    y = tf.layers.conv1d(y, 3, 2, name='c')
    y = bn(y, is_training, 'b2')
    return net(x, tf.reduce_max(y, 1, name='o'))


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
