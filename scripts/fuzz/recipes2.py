"""More of them: flags, dropouts, noise, loops, odd wirings."""
from harness import np, tf
from recipes import conv, fixed, recipe, w

from cases_fused import get_slim, image, resource_variables
from common import Net, TF2


def bn(x, t, name='bn', **k):
    return tf.layers.batch_normalization(x, training=t, momentum=.8, name=name, **k)


def flagged(default=None):
    return tf.placeholder(tf.bool, [], name='is_training') if default is None else \
        tf.placeholder_with_default(default, [], name='is_training')


def net(x, y, flag=None, up=None, more=(), **k):
    return Net({x: tuple(x.shape.as_list()[1:])}, [y] + list(more), updates=up, feed={flag: True} if flag is not None else {},
               golden_feed={flag: False} if flag is not None else {}, **k)


# ------------------------------------------------------------------ a placeholder that is no training flag

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
def latent_sample_flag(is_training):
    """VAE: `sample` chooses between noise and the mean. A model's own choice; but inference takes the mean."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged()
    h = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), t))
    mu, ls = tf.layers.dense(h, 3, name='mu'), tf.layers.dense(h, 3, name='ls')
    z = tf.cond(t, lambda: mu + tf.exp(ls) * tf.random_normal(tf.shape(mu)), lambda: mu)
    y = tf.nn.sigmoid(tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(z, 5, name='d'), t, 'bn2')), 6, name='out'))
    return net(x, y, t)


@recipe()
def vae_mean(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), is_training))
    mu, ls = tf.layers.dense(h, 3, name='mu'), tf.layers.dense(h, 3, name='ls')
    z = mu + tf.exp(ls) * tf.random_normal(tf.shape(mu))
    d = tf.nn.sigmoid(tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(z, 5, name='d'), is_training, 'bn2')), 6, name='out'))
    tf.losses.add_loss(tf.reduce_mean(d))
    return net(x, mu, more=[ls])


# ------------------------------------------------------------------ flags

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


def moving(sess):
    for v in tf.global_variables():
        if 'moving' in v.op.name:
            v.load(np.linspace(.3, 1.6, v.shape.as_list()[0]).astype('f'), sess)


@recipe(expect='left')
def data_dependent_cond_around_bn(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    y = tf.cond(tf.reduce_mean(x) > -50., lambda: bn(h, is_training), lambda: h)
    return net(x, tf.layers.dense(tf.nn.relu(y), 3, name='o'), up=[y], after_init=moving)


# ------------------------------------------------------------------ noise that training adds

@recipe(expect='refused')
def gaussian_noise(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    if is_training:
        h = h + tf.random_normal(tf.shape(h), stddev=.3)
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe()
def gaussian_dropout(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    if is_training:
        h = h * tf.random_normal(tf.shape(h), 1.0, .3)
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe(expect='refused')
def alpha_dropout(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.nn.selu(tf.layers.dense(x, 5, name='e'))
    if is_training:
        h = tf.keras.layers.AlphaDropout(.3)(h, training=True)
    return net(x, tf.layers.dense(h, 3, name='o'), up=[])


@recipe(expect='refused')
def dropblock(is_training):
    x = image('x', (8, 8, 3))
    h = conv(x, 4, 'c')
    if is_training:
        noise = tf.random_uniform(tf.shape(h))
        block = tf.cast(noise < .1, tf.float32)
        block = 1. - tf.nn.max_pool(block, [1, 3, 3, 1], [1, 1, 1, 1], 'SAME')
        h = h * block * tf.cast(tf.size(block), tf.float32) / tf.reduce_sum(block)
    return net(x, tf.reduce_mean(bn(h, is_training), [1, 2], name='o'))


@recipe()
def drop_path_scheduled(is_training):
    """NASNet: keep_prob falls with depth and rises with the step."""
    x = image('x', (6, 6, 3))
    step = tf.train.get_or_create_global_step()
    h = conv(x, 3, 'c')
    if is_training:
        keep = 1. - .6 * (1. - .7)
        keep = 1 - tf.minimum(1., tf.cast(step + 1, tf.float32) / 250.) * (1 - keep)
        noise = keep + tf.random_uniform([tf.shape(h)[0], 1, 1, 1], dtype=tf.float32)
        h = tf.div(h, keep) * tf.floor(noise)
    y = bn(h + x, is_training)
    return net(x, tf.reduce_mean(y, [1, 2], name='o'))


@recipe(context=resource_variables)
def drop_path_scheduled_resource(is_training):
    return drop_path_scheduled(is_training)


@recipe(expect='refused')
def shake_shake(is_training):
    x = image('x', (6, 6, 3))
    a, b = conv(x, 3, 'a'), conv(x, 3, 'b')
    if is_training:
        al = tf.random_uniform([tf.shape(x)[0], 1, 1, 1])
        y = al * a + (1 - al) * b
    else:
        y = .5 * a + .5 * b
    return net(x, tf.reduce_mean(bn(y, is_training), [1, 2], name='o'))


@recipe()
def dropout_by_hand(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    if is_training:
        m = tf.cast(tf.random_uniform(tf.shape(h)) < .7, tf.float32)
        h = h * m / .7
        m2 = tf.random_uniform(tf.shape(h), 0, 1) > .4
        h = tf.where(m2, h / .6, tf.zeros_like(h))
        h = h * tf.nn.relu(tf.sign(.8 - tf.random_uniform(tf.shape(h)))) / .8
        h = h * tf.ceil(.8 - tf.random_uniform(tf.shape(h))) * (1 / .8)
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe()
def dropout_bernoulli(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    if is_training:
        d = tf.distributions.Bernoulli(probs=.7, dtype=tf.float32) if not TF2 else None
        m = d.sample(tf.shape(h)) if d else tf.cast(tf.random_uniform(tf.shape(h)) < .7, tf.float32)
        h = h * m / .7
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe(expect='refused')
def dropout_not_scaled(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    h = h * tf.cast(tf.random_uniform(tf.shape(h)) < .7, tf.float32) if is_training else h * .7
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe(expect='refused')
def stochastic_depth_cond(is_training):
    x = image('x', (6, 6, 3))
    h = tf.nn.relu(bn(conv(x, 3, 'c'), is_training, 'bn0'))
    if is_training:
        y = tf.cond(tf.random_uniform([]) < .8, lambda: x + h, lambda: x)
    else:
        y = x + .8 * h
    return net(x, tf.reduce_mean(y, [1, 2], name='o'))


@recipe(only='1')
def dropout_in_rnn(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 4], name='x')
    y = bn(x, is_training)
    cell = tf.nn.rnn_cell.LSTMCell(4)
    if is_training:
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, .8, .7, .9)
    y, _ = tf.nn.dynamic_rnn(cell, y, dtype=tf.float32)
    y = bn(y[:, -1], is_training, 'bn2')
    return net(x, tf.layers.dense(y, 2, name='o'))


@recipe(only='1')
def dropout_in_rnn_variational(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 4], name='x')
    y = bn(x, is_training)
    cell = tf.nn.rnn_cell.LSTMCell(4)
    if is_training:
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, .8, .7, .9, variational_recurrent=True, input_size=4, dtype=tf.float32)
    y, _ = tf.nn.dynamic_rnn(cell, y, dtype=tf.float32)
    y = bn(y[:, -1], is_training, 'bn2')
    return net(x, tf.layers.dense(y, 2, name='o'))


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


@recipe(expect='refused')
def per_step_statistics_in_a_matrix(is_training):
    """Recurrent batch norm: statistics of step t are row t, written by scatter_update."""
    x = tf.placeholder(tf.float32, [None, 4, 3], name='x')
    pm, pv = fixed('pop_mean', [4, 3], 0.), fixed('pop_var', [4, 3], 1.)
    outs, ups = [], []
    for i in range(4):
        h = x[:, i]
        if is_training:
            m, v = tf.nn.moments(h, [0])
            ups += [tf.scatter_update(pm, [i], [pm[i] * .8 + m * .2]), tf.scatter_update(pv, [i], [pv[i] * .8 + v * .2])]
        else:
            m, v = pm[i], pv[i]
        outs.append(tf.nn.batch_normalization(h, m, v, None, None, 1e-3))
    return net(x, tf.stack(outs, 1, name='o'), up=ups)


# ------------------------------------------------------------------ odd wirings

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


@recipe()
def updated_value_normalises(is_training):
    """Training normalises with the freshly averaged value computed once: m = .8 * moving + .2 * batch, assigned."""
    x = image('x', (4, 4, 3))
    c = conv(x, 4, 'c')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        bm, bv = tf.nn.moments(c, [0, 1, 2])
        m, v = .8 * a + .2 * bm, .8 * b + .2 * bv
        up = [tf.assign(a, m), tf.assign(b, v)]
    return net(x, tf.nn.batch_normalization(c, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


@recipe()
def momentum_is_weight_of_new(is_training):
    """PyTorch's convention, and Bessel: running = (1 - momentum) * running + momentum * unbiased."""
    x = image('x', (4, 4, 3))
    c = conv(x, 4, 'c')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(c, [0, 1, 2])
        n = tf.cast(tf.size(c) / 4, tf.float32)
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * n / (n - 1) * .2)]
    return net(x, tf.nn.batch_normalization(c, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


@recipe(expect='refused')
def swapped_order_of_updates(is_training):
    """mean and variance are assigned by one op each on a stacked variable [2, C]."""
    x = image('x', (4, 4, 3))
    c = conv(x, 4, 'c')
    s = fixed('stats', [2, 4], .5)
    up = []
    m, v = s[0], s[1]
    if is_training:
        m, v = tf.nn.moments(c, [0, 1, 2])
        up = tf.assign(s, s * .8 + tf.stack([m, v]) * .2)
    return net(x, tf.nn.batch_normalization(c, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


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
def center_loss(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    lab = tf.placeholder(tf.int64, [None], name='y')
    f = bn(tf.layers.dense(x, 4, name='f'), is_training)
    up = []
    if is_training:
        c = fixed('centers', [3, 4], .1)
        d = tf.gather(c, lab) - f
        up = [tf.scatter_sub(c, lab, .1 * d)] + tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    return Net({x: (6,), lab: lambda r, n, s: r.randint(0, 3, n)}, [tf.nn.l2_normalize(f, 1)], updates=up)


@recipe()
def vq_ema(is_training):
    """VQ-VAE with EMA codebook."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    z = bn(tf.layers.dense(x, 3, name='e'), is_training)
    e = fixed('embedding', [3, 5], .1)
    cs, ew = fixed('ema_cluster', [5], .1), fixed('ema_w', [3, 5], .1)
    d = tf.reduce_sum(z ** 2, 1, keepdims=True) - 2 * tf.matmul(z, e) + tf.reduce_sum(e ** 2, 0, keepdims=True)
    idx = tf.argmin(d, 1)
    enc = tf.one_hot(idx, 5)
    q = tf.nn.embedding_lookup(tf.transpose(e), idx)
    up = []
    if is_training:
        u1 = tf.assign_sub(cs, .2 * (cs - tf.reduce_sum(enc, 0)))
        u2 = tf.assign_sub(ew, .2 * (ew - tf.matmul(z, enc, transpose_a=True)))
        with tf.control_dependencies([u1, u2]):
            up = [tf.assign(e, ew / (cs[None, :] + 1e-3))] + tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    q = z + tf.stop_gradient(q - z)
    return Net({x: (6,)}, tf.layers.dense(q, 2, name='o'), updates=up,
               after_init=lambda s: [v.load(np.random.RandomState(3).normal(size=v.shape.as_list()).astype('f'), s)
                                     for v in tf.global_variables() if v.op.name in ('embedding', 'ema_w')])


@recipe()
def self_adaptive_loss_and_clip(is_training):
    x = image('x', (6, 6, 3))
    y = bn(tf.nn.relu(bn(conv(x, 4, 'c'), is_training)), is_training, 'b2')
    o = tf.layers.dense(tf.reduce_mean(y, [1, 2]), 2, name='o')
    up = []
    if is_training:
        loss = tf.reduce_mean(o ** 2)
        avg = fixed('loss_avg', [], 0.)
        la = tf.assign(avg, .9 * avg + .1 * loss)
        opt = tf.train.MomentumOptimizer(1e-4, .9, use_nesterov=True)
        gv = [(tf.clip_by_norm(g, 1.), v) for g, v in opt.compute_gradients(loss * 128.) if g is not None]
        acc = [tf.Variable(tf.zeros_like(v.initialized_value()), trainable=False) for _, v in gv]
        add = [a.assign_add(g / 128.) for a, (g, _) in zip(acc, gv)]
        with tf.control_dependencies(add + tf.get_collection(tf.GraphKeys.UPDATE_OPS) + [la]):
            up = opt.apply_gradients([(a / 2., v) for a, (_, v) in zip(acc, gv)])
    return net(x, o, up=up)


@recipe('1')
def optimize_loss(is_training):
    x = image('x', (6, 6, 3))
    y = tf.contrib.layers.conv2d(x, 4, 3, normalizer_fn=tf.contrib.layers.batch_norm,
                                 normalizer_params={'is_training': is_training, 'decay': .8, 'scale': True})
    o = tf.layers.dense(tf.reduce_mean(y, [1, 2]), 2, name='o')
    up = []
    if is_training:
        up = tf.contrib.layers.optimize_loss(tf.reduce_mean(o ** 2), tf.train.get_or_create_global_step(), 1e-4, 'Adam',
                                             clip_gradients=1., gradient_noise_scale=1e-3,
                                             summaries=['loss', 'gradients', 'learning_rate'])
    return net(x, o, up=up)


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


@recipe()
def two_outputs_one_inference_copy(is_training):
    """Training and inference copies both asked for as outputs."""
    x = image('x', (6, 6, 3))

    def f(t, reuse):
        with tf.variable_scope('n', reuse=reuse):
            return tf.reduce_mean(tf.nn.relu(bn(conv(x, 4, 'c'), t)), [1, 2])
    return net(x, tf.identity(f(is_training, None), name='train_out'), more=[tf.identity(f(False, True), name='test_out')])


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
def flattened_by_shape_ops(is_training):
    x = tf.placeholder(tf.float32, [None, 4, 6], name='x')
    s = tf.shape(x)
    y = tf.reshape(x, [s[0] * s[1], 6])
    y = bn(y, is_training)
    y = tf.reshape(y, [s[0], s[1], 6])
    y = tf.layers.conv1d(y, 3, 2, name='c')
    y = bn(y, is_training, 'b2')
    return net(x, tf.reduce_max(y, 1, name='o'))


@recipe(expect='refused')
def moments_by_matmul_of_ones(is_training):
    """Mean by AvgPool / matmul over the batch: not a Mean op."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        n = tf.cast(tf.shape(h)[0], tf.float32)
        one = tf.ones([1, tf.shape(h)[0]])
        m = tf.squeeze(tf.matmul(one, h) / n, 0)
        v = tf.squeeze(tf.matmul(one, tf.square(h - m)) / n, 0)
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * .2)]
    return net(x, tf.nn.batch_normalization(h, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


@recipe()
def reduce_variance(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        m = tf.reduce_mean(h, 0)
        v = tf.math.reduce_variance(h, 0) if TF2 or hasattr(tf.math, 'reduce_variance') else tf.nn.moments(h, [0])[1]
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + v * .2)]
    return net(x, tf.nn.batch_normalization(h, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


@recipe()
def zscore_without_eps_reduce_std(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('ms', [4], 1.)
    up = []
    m, s = a, b
    if is_training:
        m = tf.reduce_mean(h, 0)
        s = tf.sqrt(tf.reduce_mean(tf.abs(h - m) ** 2, 0))
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + s * .2)]
    return net(x, tf.nn.tanh((h - m) / (s + 1e-4), name='o'), up=up)


@recipe()
def mean_absolute_deviation(is_training):
    """L1 batch norm."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('ms', [4], 1.)
    up = []
    m, s = a, b
    if is_training:
        m = tf.reduce_mean(h, 0)
        s = tf.reduce_mean(tf.abs(h - m), 0)
        up = [tf.assign(a, a * .8 + m * .2), tf.assign(b, b * .8 + s * .2)]
    return net(x, tf.nn.tanh((h - m) / (s + 1e-4), name='o'), up=up)
