"""Batch norms by hand in places where the wiring, the shape or the sharing of their statistics is unusual."""
from harness import np, tf

from builders import bn, conv, dense, fixed, flagged, net, next_, w
from cases_fused import image
from common import Net
from nets_by_name import stripped
from situations import situation

ALL = ('113', '115', '212')
EPS = 1e-3


def strange(versions=ALL, **opts):
    opts.setdefault('expect', 'either')
    opts.setdefault('commands', ('freeze', 'fold'))
    return situation('strange2', versions, **opts)


def collected(y, x, shape, **k):
    return Net({x: shape}, y, updates=tf.get_collection(tf.GraphKeys.UPDATE_OPS), **k)


def by_hand(c, is_training, scope, axes, shape=None, stat_shape=None, var_shape=None, momentum=.2, reuse=None, first=(0., 1.)):
    """Moments of shape stat_shape, variables of shape var_shape."""
    with tf.variable_scope(scope, reuse=reuse):
        n = c.shape.as_list()[-1] if shape is None else shape
        mm, mv = fixed('moving_mean', var_shape or [n], first[0]), fixed('moving_variance', var_shape or [n], first[1])
        if not is_training:
            m, v = tf.reshape(mm, stat_shape or [n]), tf.reshape(mv, stat_shape or [n])
        else:
            m, v = tf.nn.moments(c, axes)
            m, v = tf.reshape(m, stat_shape or [n]), tf.reshape(v, stat_shape or [n])
            for a, t in ((mm, m), (mv, v)):
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(a, (a - tf.reshape(t, var_shape or [n])) * momentum, name='AssignMovingAvg'))
        return (c - m) * tf.rsqrt(v + EPS)


# ------------------------------------------------------------------ shapes that could be another axis

def cube(axes, channel_axis, var_shape=None, keep=True):
    def build(is_training):
        x = tf.placeholder(tf.float32, [None, 4, 4, 4], name='x')
        c = tf.nn.relu(x * w('s', [4, 4, 4]) + w('t', [4, 4, 4]))
        stat = [1, 1, 1, 1]
        stat[channel_axis] = 4
        y = by_hand(c, is_training, 'bn', axes, 4, stat, var_shape)
        return collected(tf.nn.relu(y, name='y'), x, (4, 4, 4))
    return build


for _axes, _at in (([0, 2, 3], 1), ([0, 1, 3], 2), ([0, 1, 2], 3)):
    for _shape in ([4], [1, 4], [4, 1], [1, 1, 1, 4], [1, 4, 1, 1], [2, 2]):
        for _strip in (False, True):
            _f = cube(_axes, _at, _shape)
            _f.__name__ = 'cube_%d_%s%s' % (_at, 'x'.join(map(str, _shape)), '_stripped' if _strip else '')
            strange(('115',), commands=('freeze',), **({'rewrite': stripped} if _strip else {}))(_f)


def kept_cube(axes, strip):
    """keep_dims moments, variables of the same shape; the batch may be any number."""
    def build(is_training):
        x = tf.placeholder(tf.float32, [None, 4, 4, 4], name='x')
        c = tf.nn.relu(x * w('s', [4, 4, 4]) + w('t', [4, 4, 4]))
        shape = [1 if i in axes else 4 for i in range(4)]
        with tf.variable_scope('bn'):
            mm, mv = fixed('moving_mean', shape, 0.), fixed('moving_variance', shape, 1.)
            m, v = (mm, mv) if not is_training else tf.nn.moments(c, axes, keep_dims=True)
            if is_training:
                for a, t in ((mm, m), (mv, v)):
                    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(a, (a - t) * .2, name='AssignMovingAvg'))
        return collected(tf.nn.relu((c - m) * tf.rsqrt(v + EPS), name='y'), x, (4, 4, 4))
    return build


for _axes in ([0], [0, 1], [0, 2], [0, 3], [0, 1, 2], [0, 2, 3]):
    for _strip in (False, True):
        _f = kept_cube(_axes, _strip)
        _f.__name__ = 'kept_cube_%s%s' % (''.join(map(str, _axes)), '_stripped' if _strip else '')
        strange(('115',), commands=('freeze',), **({'rewrite': stripped} if _strip else {}))(_f)


@strange(rewrite=stripped, expect='refused')
def position_statistics_stripped(is_training):
    """Statistics with an axis added by `[:, None]`, without update ops."""
    x = tf.placeholder(tf.float32, [None, 4, 4], name='x')
    c = x * w('s', [4, 4])
    with tf.variable_scope('bn'):
        mm, mv = fixed('moving_mean', [4], 0.), fixed('moving_variance', [4], 1.)
        if is_training:
            m, v = tf.nn.moments(c, [0, 2])
            for a, t in ((mm, m), (mv, v)):
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(a, (a - t) * .2, name='AssignMovingAvg'))
        else:
            m, v = mm, mv
        y = (c - m[:, None]) * tf.rsqrt(v + EPS)[:, None]
    return collected(tf.nn.relu(y, name='y'), x, (4, 4))


# ------------------------------------------------------------------ sharing

def twice(updates, fused=False):
    """D(real) and D(fake): own variables for each, one for both, or only real ones; the output is D(real)."""
    def build(is_training):
        x = tf.placeholder(tf.float32, [None, 6], name='x')
        z = tf.placeholder(tf.float32, [None, 6], name='z')
        outs = []
        for i, t in enumerate((x, z)):
            with tf.variable_scope('d', reuse=i > 0):
                c = tf.layers.dense(t, 4, name='c')
                g, b = w('g', [4]), w('b', [4])
            kind = ('real', 'fake')[i] if updates == 'own' else 'both'
            with tf.variable_scope(kind, reuse=i > 0 and updates != 'own'):
                mm, mv = fixed('mean', [4], 0.), fixed('var', [4], 1.)
            m, v = (mm, mv) if not is_training else tf.nn.moments(c, [0])
            if is_training and (updates in ('own', 'both') or (updates == 'real') == (i == 0)):
                for a, s in ((mm, m), (mv, v)):
                    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(a, next_(a, s)))
            outs.append(tf.layers.dense(tf.nn.relu((c - m) * tf.rsqrt(v + EPS) * g + b), 1, name='h', reuse=i > 0))
        y = [tf.identity(outs[0], name='real_y'), tf.identity(outs[1], name='fake_y')]
        return Net({x: (6,), z: (6,)}, y, updates=tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    return build


for _updates in ('own', 'both', 'real', 'fake'):
    _f = twice(_updates)
    _f.__name__ = 'twice_' + _updates
    strange()(_f)


@strange()
def domains_by_flag(is_training):
    """The flag chooses a domain, in both modes; both domains are in training mode."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    source = tf.placeholder(tf.bool, [], name='is_source')
    c = tf.layers.dense(x, 4, name='c')
    y = tf.cond(source, lambda: bn(c, is_training, 'source'), lambda: bn(c, is_training, 'target'))
    n = net(x, tf.nn.relu(y, name='y'), up=[])
    n.feed = {source: True}
    n.golden_feed = {source: True}
    return n


@strange()
def batch_norm_by_option(is_training):
    """The flag says whether there is a batch norm at all."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    use = tf.placeholder(tf.bool, [], name='use_bn')
    c = tf.layers.dense(x, 4, name='c')
    y = tf.cond(use, lambda: bn(c, is_training), lambda: tf.identity(c))
    n = net(x, tf.nn.relu(y, name='y'), up=[])
    n.feed = {use: True}
    n.golden_feed = {use: True}
    return n


@strange()
def by_batch_size(is_training):
    """One example: moving statistics. More: those of the batch, if training."""
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    if is_training:
        bm, bv = tf.nn.moments(c, [0])
        many = tf.shape(c)[0] > 1
        m, v = tf.cond(many, lambda: (bm, bv), lambda: (tf.identity(mm), tf.identity(mv)))
        ups = [tf.assign(mm, next_(mm, bm)), tf.assign(mv, next_(mv, bv))]
    else:
        m, v, ups = mm, mv, []
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + EPS), name='y'), updates=ups)


# ------------------------------------------------------------------ recurrent nets

class BNCell(tf.nn.rnn_cell.RNNCell):
    """A recurrent cell with a batch norm of its input; `steps`: statistics per step, in rows."""

    def __init__(self, is_training, steps=0, fused=False):
        super(BNCell, self).__init__()
        self.t, self.steps = is_training, steps

    state_size = property(lambda self: 4)
    output_size = property(lambda self: 4)

    def __call__(self, x, state, scope=None):
        with tf.variable_scope(scope or 'cell', reuse=tf.AUTO_REUSE):
            c = tf.matmul(x, w('k', [6, 4]))
            mm, mv = fixed('moving_mean', [4], 0.), fixed('moving_variance', [4], 1.)
            if self.t:
                m, v = tf.nn.moments(c, [0])
                with tf.control_dependencies([tf.assign_sub(mm, (mm - m) * .2), tf.assign_sub(mv, (mv - v) * .2)]):
                    m, v = tf.identity(m), tf.identity(v)
            else:
                m, v = mm, mv
            h = tf.tanh((c - m) * tf.rsqrt(v + EPS) + tf.matmul(state, w('r', [4, 4])))
            return h, h


def rnn(static):
    def build(is_training):
        x = tf.placeholder(tf.float32, [None, 5, 6], name='x')
        cell = BNCell(is_training)
        if static:
            outs, s = tf.nn.static_rnn(cell, tf.unstack(x, axis=1), dtype=tf.float32)
        else:
            outs, s = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
        return Net({x: (5, 6)}, tf.layers.dense(s, 3, name='y'), updates=[])
    return build


for _static in (True, False):
    _f = rnn(_static)
    _f.__name__ = 'rnn_cell_bn_%s' % ('static' if _static else 'dynamic')
    # Its updates run with the net: nothing else has to.
    strange(('113', '115'))(_f)


@strange(('113', '115'))
def rnn_over_bn_over_time(is_training):
    """Batch norm over batch and time of what a dynamic RNN outputs, then attention over time."""
    x = tf.placeholder(tf.float32, [None, 5, 6], name='x')
    h, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(4), x, dtype=tf.float32)
    y = bn(h, is_training, fused=False)
    a = tf.nn.softmax(tf.layers.dense(y, 1, name='a'), 1)
    return net(x, tf.reduce_sum(a * y, 1, name='y'))


@strange()
def scan_of_statistics(is_training):
    """The moments are summed up by a scan over chunks of the batch."""
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv
    if is_training:
        s = tf.foldl(lambda a, e: a + tf.stack([e, tf.square(e)]), c, tf.zeros([2, 4]))
        s = s / tf.cast(tf.shape(c)[0], tf.float32)
        m, v = s[0], s[1] - tf.square(s[0])
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + EPS), name='y'), updates=ups)


@strange()
def map_over_crops(is_training):
    """A batch norm for each of the crops, in a map_fn; the batch is inside."""
    x = tf.placeholder(tf.float32, [None, 3, 6], name='x')
    t = tf.transpose(x, [1, 0, 2])
    k = w('k', [6, 4])
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups = []

    def one(e):
        c = tf.matmul(e, k)
        if not is_training:
            return (c - mm) * tf.rsqrt(mv + EPS)
        m, v = tf.nn.moments(c, [0])
        with tf.control_dependencies([tf.assign_sub(mm, (mm - m) * .2), tf.assign_sub(mv, (mv - v) * .2)]):
            return (c - m) * tf.rsqrt(v + EPS)
    y = tf.transpose(tf.map_fn(one, t), [1, 0, 2])
    return Net({x: (3, 6)}, tf.reduce_mean(y, 1, name='y'), updates=ups)


# ------------------------------------------------------------------ parameters and scaling around the statistics

@strange()
def scale_of_one_plus(is_training):
    x, c = dense()
    y = by_hand(c, is_training, 'bn', [0]) * (1. + w('delta', [4])) + w('b', [4])
    return collected(tf.nn.relu(y, name='y'), x, (6,))


@strange()
def film(is_training):
    """Scale and offset are predicted from a second input."""
    x, c = dense()
    z = tf.placeholder(tf.float32, [None, 3], name='z')
    y = by_hand(c, is_training, 'bn', [0]) * (1. + tf.layers.dense(z, 4, name='gamma')) + tf.layers.dense(z, 4, name='beta')
    return Net({x: (6,), z: (3,)}, tf.nn.relu(y, name='y'), updates=tf.get_collection(tf.GraphKeys.UPDATE_OPS))


@strange()
def variance_of_a_product(is_training):
    """Two branches multiplied, one normalised by statistics of the product."""
    x, c = dense()
    d = tf.sigmoid(tf.layers.dense(x, 4, name='gate'))
    p = c * d
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv
    if is_training:
        m, v = tf.nn.moments(p, [0])
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]
    return Net({x: (6,)}, tf.nn.relu((p - m) * tf.rsqrt(v + EPS) + c, name='y'), updates=ups)


@strange()
def statistics_of_another_layer(is_training):
    """An activation is normalised with the statistics of the one before it."""
    x, c = dense()
    h = tf.layers.dense(tf.nn.relu(c), 4, name='e')
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv
    if is_training:
        m, v = tf.nn.moments(c, [0])
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]
    return Net({x: (6,)}, tf.nn.relu((h - m) * tf.rsqrt(v + EPS), name='y'), updates=ups)


@strange()
def no_gradient_through_statistics(is_training):
    x, c = dense()
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    ups, m, v = [], mm, mv
    if is_training:
        m, v = [tf.stop_gradient(t) for t in tf.nn.moments(tf.stop_gradient(c), [0])]
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]
    return Net({x: (6,)}, tf.nn.relu((c - m) * tf.rsqrt(v + EPS), name='y'), updates=ups)


@strange()
def clipped_output(is_training):
    x, c = dense()
    y = tf.clip_by_value(by_hand(c, is_training, 'bn', [0]), -2., 2.)
    return collected(tf.nn.relu(y * w('g', [4]) + w('b', [4]), name='y'), x, (6,))


@strange()
def gathered_channels(is_training):
    """Statistics for all channels, of which some are picked (pruned nets)."""
    x, c = dense()
    y = by_hand(c, is_training, 'bn', [0])
    return collected(tf.nn.relu(tf.gather(y, [0, 2], axis=1), name='y'), x, (6,))


@strange()
def pruned_statistics(is_training):
    """Masks of pruning multiply the weights, and the scale."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    mask = tf.get_variable('mask', [4], initializer=tf.constant_initializer([1., 0., 1., 1.]), trainable=False)
    c = tf.matmul(x, w('k', [6, 4]) * mask)
    y = by_hand(c, is_training, 'bn', [0]) * (w('g', [4]) * mask) + w('b', [4])
    return collected(tf.nn.relu(y, name='y'), x, (6,))


@strange()
def batch_norm_of_logits_and_temperature(is_training):
    x, c = dense()
    t = tf.nn.softplus(w('t', []))
    y = tf.nn.softmax(by_hand(c / t, is_training, 'bn', [0]) * t)
    return collected(tf.identity(y, name='y'), x, (6,))


@strange()
def ema_of_everything(is_training):
    """Averages of statistics and of weights in one ExponentialMovingAverage, with zero_debias; inference reads the statistics only."""
    x, c = dense()
    ema = tf.train.ExponentialMovingAverage(.8)
    if is_training:
        m, v = tf.nn.moments(c, [0], name='moments')
        up = ema.apply([m, v])
    else:
        m, v = tf.nn.moments(c, [0], name='moments')
        ema.apply([m, v])
        m, v = ema.average(m), ema.average(v)
        up = None
    y = tf.nn.relu((c - m) * tf.rsqrt(v + EPS), name='y')
    return Net({x: (6,)}, y, updates=[up] if up is not None else [])
