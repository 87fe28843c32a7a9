"""Recurrent nets and loops."""
from harness import tf
from builders import bn, fixed, flagged, net, recipe, w

from cases_fused import get_slim, image
from common import Net


@recipe(only='1')
def layer_norm_lstm(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 4], name='x')
    y = bn(x, is_training)
    cell = tf.contrib.rnn.LayerNormBasicLSTMCell(4, dropout_keep_prob=.7 if is_training else 1.)
    y, _ = tf.nn.dynamic_rnn(cell, y, dtype=tf.float32)
    return net(x, tf.layers.dense(y[:, -1], 2, name='o'))


@recipe(only='1')
def crnn(is_training):
    x = image('x', (8, 16, 1))
    t = flagged()
    slim = get_slim()
    p = dict(normalizer_fn=slim.batch_norm, normalizer_params=dict(is_training=t, decay=.8, updates_collections=None))
    y = slim.conv2d(x, 4, 3, scope='c1', **p)
    y = slim.max_pool2d(y, 2)
    y = slim.conv2d(y, 4, 3, scope='c2', **p)
    y = tf.reshape(tf.transpose(y, [0, 2, 1, 3]), [-1, 8, 16])
    f, b = tf.nn.rnn_cell.LSTMCell(3), tf.nn.rnn_cell.LSTMCell(3)
    (a, c), _ = tf.nn.bidirectional_dynamic_rnn(f, b, y, dtype=tf.float32)
    y = tf.nn.dropout(tf.concat([a, c], 2), tf.cond(t, lambda: .5, lambda: 1.))
    y = tf.layers.dense(y, 5, name='logits')
    return net(x, tf.transpose(y, [1, 0, 2], name='timemajor'), t, up=[y])


@recipe(only='1')
def lstm_bn_per_step_unrolled(is_training):
    """One batch norm layer applied at every step of an unrolled loop: variables shared."""
    x = tf.placeholder(tf.float32, [None, 4, 3], name='x')
    h = tf.zeros([tf.shape(x)[0], 3])
    outs = []
    for i in range(4):
        with tf.variable_scope('cell', reuse=i > 0):
            h = tf.nn.tanh(bn(tf.layers.dense(tf.concat([x[:, i], h], 1), 3, name='d'), is_training))
            outs.append(h)
    return net(x, tf.stack(outs, 1, name='o'))


@recipe()
def time_major_and_masked_lengths(is_training):
    x = tf.placeholder(tf.float32, [5, None, 3], name='x')
    a, b = fixed('mm', [3], 0.), fixed('mv', [3], 1.)
    up = []
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(x, [0, 1])
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * .2)]
    y = tf.nn.batch_normalization(x, m, v, w('b', [3]), w('g', [3]), 1e-3)
    return Net({x: lambda r, n, s: r.normal(size=(5, n, 3)).astype('f') * 2 + 1}, tf.nn.relu(y, name='o'), updates=up)


@recipe()
def bn_inside_map_fn(is_training):
    x = image('x', (4, 5, 3))
    k = w('k', [3, 4])
    y = tf.map_fn(lambda t: tf.nn.relu(tf.tensordot(t, k, [[2], [0]])), x, parallel_iterations=1)
    y.set_shape([None, 4, 5, 4])
    return net(x, bn(y, is_training))
