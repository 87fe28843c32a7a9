"""How the averages are updated: by counters, gates and flags, and averages of other things."""
from harness import np, tf
from builders import bn, conv, fixed, net, next_, recipe, resource, resource_v2, w

from cases_fused import image, resource_variables
from common import Net


@recipe()
def ema_apply_no_mean_used_twice(is_training):
    """The moments are also a feature of the net's loss and a summary."""
    x = image('x', (6, 6, 3))
    y = conv(x, 4, 'c')
    m, v = tf.nn.moments(y, [0, 1, 2], name='mom')
    ema = tf.train.ExponentialMovingAverage(0.8)
    op = ema.apply([m, v])
    if is_training:
        tf.summary.histogram('m', m)
        mean, var = m, v
        tf.losses.add_loss(tf.reduce_sum(tf.square(m)))
    else:
        mean, var = ema.average(m), ema.average(v)
    y = tf.nn.batch_normalization(y, mean, var, None, None, 1e-3)
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='out'), updates=op)


@recipe('1')
def phase_decay_counter(is_training):
    """decay switches over the run: a cond on the step."""
    x = image('x', (6, 6, 3))
    step = tf.train.get_or_create_global_step()
    decay = tf.cond(step < 3, lambda: 0.5, lambda: 0.9)
    y = tf.layers.conv2d(x, 4, 3, name='c')
    m, v = tf.nn.moments(y, [0, 1, 2])
    pm, pv = fixed('pop_m', [4], 0.), fixed('pop_v', [4], 1.)
    if is_training:
        a = tf.assign(pm, pm * decay + m * (1 - decay))
        b = tf.assign(pv, pv * decay + v * (1 - decay))
        with tf.control_dependencies([a, b]):
            y = tf.nn.batch_normalization(y, m, v, w('beta', [4]), w('gamma', [4]), 1e-3)
        up = [tf.assign_add(step, 1), y]
    else:
        y = tf.nn.batch_normalization(y, pm, pv, w('beta', [4]), w('gamma', [4]), 1e-3)
        up = []
    return Net({x: (6, 6, 3)}, tf.identity(y, name='o'), updates=up)


@recipe(context=resource_variables)
def ema_all_after_updates_resource(is_training):
    x = image('x', (6, 6, 3))
    y = tf.layers.batch_normalization(conv(x, 4, 'c'), training=is_training, momentum=0.8, name='bn')
    y = tf.layers.batch_normalization(conv(tf.nn.relu(y), 4, 'c2'), training=is_training, momentum=0.8, name='bn2')
    y = tf.reduce_mean(y, [1, 2], name='o')
    up = []
    if is_training:
        upd = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(upd):
            opt = tf.train.RMSPropOptimizer(1e-4).minimize(tf.reduce_mean(y))
        with tf.control_dependencies([opt] + upd):
            up = tf.train.ExponentialMovingAverage(.7).apply(tf.global_variables())
    return Net({x: (6, 6, 3)}, y, updates=up)


@recipe()
def ema_swap(is_training):
    """Weights are swapped with their averages for evaluation: backup, assign, restore; of all variables."""
    x = image('x', (6, 6, 3))
    y = tf.layers.batch_normalization(conv(x, 4, 'c'), training=is_training, momentum=0.8, name='bn')
    y = tf.reduce_mean(tf.nn.relu(y), [1, 2], name='o')
    up = []
    if is_training:
        vs = [v for v in tf.global_variables()]
        ema = tf.train.ExponentialMovingAverage(.7)
        upd = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(upd):
            app = ema.apply(vs)
        back = [tf.Variable(v.initialized_value(), trainable=False, name='backup/' + v.op.name) for v in vs]
        save = [tf.assign(b, v) for b, v in zip(back, vs)]
        swap = [tf.assign(v, ema.average(v)) for v in vs]
        undo = [tf.assign(v, b) for b, v in zip(back, vs)]
        tf.group(*(save + swap + undo))
        up = [app]
    return Net({x: (6, 6, 3)}, y, updates=up)


@recipe()
def momentum_as_variable(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    mom = fixed('bn_momentum', [], .8)
    y = tf.layers.dense(x, 4, name='d')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=mom, name='bn')
    return Net({x: (6,)}, y)


@recipe()
def momentum_placeholder(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    mom = tf.placeholder(tf.float32, [], name='mom')
    y = tf.layers.dense(x, 4, name='d')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=mom, name='bn')
    return Net({x: (6,)}, y, feed={mom: .8}, golden_feed={mom: .8})


@recipe()
def cma_by_count(is_training):
    """Cumulative average: mean += (batch - mean) / n."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    n = fixed('n', [], 0.)
    a, b = fixed('rm', [4], 0.), fixed('rv', [4], 1.)
    up = []
    m, v = a, b
    if is_training:
        m, v = tf.nn.moments(y, [0])
        k = tf.assign_add(n, 1.)
        up = [tf.assign_add(a, (m - a) / k), tf.assign_add(b, (v - b) / k)]
    y = w('g', [4]) * (y - m) * tf.rsqrt(v + 1e-3) + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


@recipe(expect='refused')
def accumulated_then_divided(is_training):
    """Sums over an epoch, divided by the count at inference: not a moving average, and must not be taken for one."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.layers.dense(x, 4, name='d')
    n = fixed('n', [], 0.)
    a, b = fixed('sm', [4], 0.), fixed('sv', [4], 0.)
    up = []
    if is_training:
        m, v = tf.nn.moments(y, [0])
        up = [tf.assign_add(a, m), tf.assign_add(b, v), tf.assign_add(n, 1.)]
    else:
        m, v = a / n, b / n
    y = w('g', [4]) * (y - m) * tf.rsqrt(v + 1e-3) + w('b', [4])
    return Net({x: (6,)}, y, updates=up)


@recipe()
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


def gated(is_training, gate):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 4, name='d')
    a, b = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    m, v = a, b
    up = []
    if is_training:
        m, v = tf.nn.moments(h, [0])
        up = gate([(a, m), (b, v)])
    return net(x, tf.nn.batch_normalization(h, m, v, w('b', [4]), w('g', [4]), 1e-3), up=up)


@recipe()
def gated_by_flag(is_training):
    on = tf.placeholder_with_default(True, [], name='update_bn')
    return gated(is_training, lambda ps: [tf.cond(on, lambda a=a, m=m: tf.assign(a, next_(a, m)), lambda a=a: a) for a, m in ps])


@recipe(context=resource)
def gated_by_flag_resource(is_training):
    on = tf.placeholder_with_default(True, [], name='update_bn')

    def op(a, m):
        with tf.control_dependencies([tf.assign(a, next_(a, m))]):
            return tf.constant(0.)
    return gated(is_training, lambda ps: [tf.cond(on, lambda a=a, m=m: op(a, m), lambda: tf.constant(0.)) for a, m in ps])


@recipe(context=resource_v2)
def gated_by_flag_v2(is_training):
    on = tf.placeholder_with_default(True, [], name='update_bn')

    def op(a, m):
        with tf.control_dependencies([tf.assign(a, next_(a, m))]):
            return tf.constant(0.)
    return gated(is_training, lambda ps: [tf.cond(on, lambda a=a, m=m: op(a, m), lambda: tf.constant(0.)) for a, m in ps])


@recipe(expect='refused')
def first_step_by_where(is_training):
    step = fixed('step', [], 0.)
    return gated(is_training, lambda ps: [tf.assign(a, tf.where(tf.fill([4], step < 1), m, next_(a, m))) for a, m in ps] +
                 [tf.assign_add(step, 1.)])


@recipe(context=resource)
def first_step_by_cond(is_training):
    step = fixed('step', [], 0.)
    return gated(is_training, lambda ps: [tf.cond(step < 1, lambda a=a, m=m: tf.identity(tf.assign(a, m)),
                                                  lambda a=a, m=m: tf.identity(tf.assign(a, next_(a, m)))) for a, m in ps] +
                 [tf.assign_add(step, 1.)])


@recipe()
def first_step_by_weight(is_training):
    step = fixed('step', [], 0.)
    k = tf.maximum(.2, 1. / (step + 1.))
    return gated(is_training, lambda ps: [tf.assign_add(a, (m - a) * k) for a, m in ps] + [tf.assign_add(step, 1.)])


@recipe()
def no_memory(is_training):
    """Momentum 0: the last batch's statistics."""
    return gated(is_training, lambda ps: [tf.assign(a, m) for a, m in ps])


@recipe()
def clipped_update(is_training):
    return gated(is_training, lambda ps: [tf.assign(a, next_(a, tf.clip_by_value(m, -5., 5.))) for a, m in ps])


@recipe()
def moving_average_of_a_feature(is_training):
    """A prototype vector: the average of features over batches, subtracted in both modes; no normalisation."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = bn(tf.layers.dense(x, 4, name='d'), is_training)
    p = fixed('prototype', [4], 0.)
    up = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    if is_training:
        up = up + [tf.assign(p, next_(p, tf.reduce_mean(h, 0)))]
    return net(x, tf.subtract(h, p, name='o'), up=up)
