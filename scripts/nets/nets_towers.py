"""Statistics of several towers, replicas and parts of a batch."""
from harness import tf
from builders import bn, conv, fixed, net, recipe, w

from cases_fused import image


@recipe(golden_batch=4)
def ghost_by_split(is_training):
    x = image('x', (4, 4, 3))
    c = conv(x, 4, 'c')
    if is_training:
        y = tf.concat([bn(p, True, fused=False) if i == 0 else
                       tf.layers.batch_normalization(p, training=True, momentum=.8, name='bn', reuse=True, fused=False)
                       for i, p in enumerate(tf.split(c, 2))], 0)
    else:
        y = bn(c, False, fused=False)
    return net(x, tf.nn.relu(y, name='o'))


@recipe(golden_batch=4)
def sync_two_towers(is_training):
    """Moments averaged over two towers by hand, then shared."""
    x = image('x', (4, 4, 3))
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    g, be = w('g', [4]), w('b', [4])
    k = w('k', [3, 3, 3, 4])
    cs = [tf.nn.conv2d(p, k, [1, 1, 1, 1], 'SAME') for p in tf.split(x, 2)]
    up = []
    m, v = a, b
    if is_training:
        ms = [tf.reduce_mean(c, [0, 1, 2]) for c in cs]
        sq = [tf.reduce_mean(tf.square(c), [0, 1, 2]) for c in cs]
        m = tf.add_n(ms) / 2
        v = tf.add_n(sq) / 2 - tf.square(m)
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * .2)]
    ys = [tf.nn.batch_normalization(c, m, v, be, g, 1e-3) for c in cs]
    return net(x, tf.concat(ys, 0, name='o'), up=up)


@recipe(golden_batch=4)
def sync_stack(is_training):
    x = image('x', (4, 4, 3))
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    k = w('k', [3, 3, 3, 4])
    cs = [tf.nn.conv2d(p, k, [1, 1, 1, 1], 'SAME') for p in tf.split(x, 2)]
    up = []
    m, v = a, b
    if is_training:
        mom = [tf.nn.moments(c, [0, 1, 2]) for c in cs]
        m = tf.reduce_mean(tf.stack([p[0] for p in mom]), 0)
        v = tf.reduce_mean(tf.stack([p[1] + tf.square(p[0]) for p in mom]), 0) - tf.square(m)
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * .2)]
    ys = [tf.nn.batch_normalization(c, m, v, None, None, 1e-3) for c in cs]
    return net(x, tf.concat(ys, 0, name='o'), up=up)


@recipe(golden_batch=4, expect='refused')
def towers_average_update(is_training):
    """Each tower normalises with its own moments; one update with the towers' mean."""
    x = image('x', (4, 4, 3))
    a, b = fixed('moving_mean', [4], 0.), fixed('moving_var', [4], 1.)
    k = w('k', [3, 3, 3, 4])
    cs = [tf.nn.conv2d(p, k, [1, 1, 1, 1], 'SAME') for p in tf.split(x, 2)]
    up, ys = [], []
    mom = [tf.nn.moments(c, [0, 1, 2]) for c in cs]
    if is_training:
        up = [tf.assign(a, a * .8 + .2 * (mom[0][0] + mom[1][0]) / 2), tf.assign(b, b * .8 + .2 * (mom[0][1] + mom[1][1]) / 2)]
    for c, (m, v) in zip(cs, mom):
        ys.append(tf.nn.batch_normalization(c, m if is_training else a, v if is_training else b, None, None, 1e-3))
    return net(x, tf.concat(ys, 0, name='o'), up=up)


@recipe()
def two_outputs_one_inference_copy(is_training):
    """Training and inference copies both asked for as outputs."""
    x = image('x', (6, 6, 3))

    def f(t, reuse):
        with tf.variable_scope('n', reuse=reuse):
            return tf.reduce_mean(tf.nn.relu(bn(conv(x, 4, 'c'), t)), [1, 2])
    return net(x, tf.identity(f(is_training, None), name='train_out'), more=[tf.identity(f(False, True), name='test_out')])
