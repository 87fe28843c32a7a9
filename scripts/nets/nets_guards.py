"""What stands between a batch norm and its statistics, and at the end of a net: Print, Assert, all-reduce, selected updates."""
from harness import np, tf

from builders import bn, conv, dense, fixed, flagged, net, next_, resource, resource_v2, w
from cases_fused import get_slim, image
from common import Net, TF2
from situations import generator, situation

ALL = ('113', '115', '212')


def norm(x, m, v):
    return tf.nn.batch_normalization(x, m, v, w('beta', x.shape.as_list()[-1:]), w('gamma', x.shape.as_list()[-1:]), 1e-3)


def two(name='moving', c=4):
    return fixed(name + '_mean', [c], 0.), fixed(name + '_variance', [c], 1.)


def kept(batch, how=lambda v, t: tf.assign(v, next_(v, t))):
    s = two()
    return s, [how(v, t) for v, t in zip(s, batch)]


# ------------------------------------------------------------------ the update averages the selected value

def selected(select, update, one=False, train_feed=True):
    def build(is_training):
        x = image('x', (6, 6, 3))
        t = flagged()
        c = conv(x, 4, 'c')
        m, v = tf.nn.moments(c, [0, 1, 2])
        mm, mv = two()
        mean, var = select(t, m, tf.identity(mm)), select(t, v, tf.identity(mv))
        ups = [update(mm, mean), update(mv, var)]
        y = tf.nn.relu(norm(c, mean, var), name='y')
        return Net({x: (6, 6, 3)}, y, updates=ups, feed={t: True}, golden_feed={t: False})
    return build


def s_where(t, a, b):
    return tf.where(tf.fill([4], t), a, b)


def s_reshape(t, a, b):
    """As tf.layers of TF 1.2: the flag as a vector of one."""
    return tf.reshape(tf.where(tf.reshape(t, [-1]), tf.expand_dims(a, 0), tf.expand_dims(b, 0)), [4])


def s_cond(t, a, b):
    return tf.cond(t, lambda: tf.identity(a), lambda: tf.identity(b))


def s_arith(t, a, b):
    f = tf.cast(t, tf.float32)
    return f * a + (1 - f) * b


def u_sub(v, m):
    return tf.assign_sub(v, (v - m) * .2)


def u_assign(v, m):
    return tf.assign(v, v * .8 + m * .2)


def u_ama(v, m):
    from tensorflow.python.training import moving_averages
    return moving_averages.assign_moving_average(v, m, .8, zero_debias=False)


for _s in (s_where, s_reshape, s_cond, s_arith):
    for _u in (u_sub, u_assign, u_ama):
        _f = selected(_s, _u)
        _f.__name__ = 'selected_%s_%s' % (_s.__name__[2:], _u.__name__[2:])
        situation('guards', ALL, saves=('meta', 'frozen') if _u is u_sub else ('meta',), commands=('freeze',))(_f)
    _f = selected(_s, u_sub)
    _f.__name__ = 'selected_%s_resource' % _s.__name__[2:]
    situation('guards', ALL, context=resource, commands=('freeze',))(_f)


@situation('guards', ALL, commands=('freeze',))
def selected_decay(is_training):
    """The decay is selected: 1 where nothing is trained."""
    x = image('x', (6, 6, 3))
    t = flagged()
    c = conv(x, 4, 'c')
    m, v = tf.nn.moments(c, [0, 1, 2])
    mm, mv = two()
    decay = tf.where(t, .8, 1.)
    ups = [tf.assign(mm, mm * decay + m * (1 - decay)), tf.assign(mv, mv * decay + v * (1 - decay))]
    mean, var = s_cond(t, m, mm), s_cond(t, v, mv)
    return Net({x: (6, 6, 3)}, tf.nn.relu(norm(c, mean, var), name='y'), updates=ups, feed={t: True}, golden_feed={t: False})


@situation('guards', ALL, commands=('freeze',))
def selected_update_only(is_training):
    """The batch norm is in training mode for good; the update is selected by a flag."""
    x = image('x', (6, 6, 3))
    t = tf.placeholder_with_default(True, [], name='update')
    c = conv(x, 4, 'c')
    m, v = tf.nn.moments(c, [0, 1, 2])
    mm, mv = two()
    ups = [tf.cond(t, lambda: tf.assign(mm, next_(mm, m)), lambda: tf.identity(mm)),
           tf.cond(t, lambda: tf.assign(mv, next_(mv, v)), lambda: tf.identity(mv))]
    y = norm(c, m, v) if is_training else norm(c, mm, mv)
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)


# ------------------------------------------------------------------ Print, Assert, checks

def printed(t, words='m'):
    return tf.Print(t, [t], words) if hasattr(tf, 'Print') else t


def guarded(guard, where):
    def build(is_training):
        x = image('x', (6, 6, 3))
        c = conv(x, 4, 'c')
        m, v = tf.nn.moments(c, [0, 1, 2])
        if where == 'both':
            m, v = guard(m), guard(v)
        s, ups = kept((m, v))
        if where == 'use':
            m, v = guard(m), guard(v)
        if where == 'update':
            ups = [tf.assign(a, next_(a, guard(t))) for a, t in zip(s, (m, v))]
        a, b = (m, v) if is_training else (guard(s[0]) if where == 'moving' else s[0], s[1])
        y = tf.nn.relu(norm(c, a, b))
        y = guard(y) if where == 'end' else y
        return Net({x: (6, 6, 3)}, y if where == 'end' else tf.identity(y, name='y'), updates=ups)
    return build


def g_print(t):
    return printed(t)


def g_check(t):
    return tf.check_numerics(t, 'bad')


def g_assert(t):
    with tf.control_dependencies([tf.Assert(tf.reduce_all(tf.is_finite(t)), [t])]):
        return tf.identity(t)


def g_assert_cond(t):
    with tf.control_dependencies([tf.assert_less(t, 1e9), tf.assert_rank(t, t.shape.ndims)]):
        return tf.identity(t)


def g_plugin(t):
    return tf.debugging.check_numerics(tf.verify_tensor_all_finite(t, 'bad'), 'bad2')


def g_tf_print(t):
    with tf.control_dependencies([tf.print(t)]):
        return tf.identity(t)


def g_barrier(t):
    return tf.tuple([t, t + 1.])[0]


def g_cast(t):
    return tf.cast(tf.cast(t, tf.float64), tf.float32)


def g_identity_n(t):
    return tf.identity_n([t, t])[0]


def g_histogram(t):
    with tf.control_dependencies([tf.summary.histogram('h', t)]):
        return tf.identity(t)


for _g in (g_print, g_check, g_assert, g_assert_cond, g_plugin, g_tf_print, g_barrier, g_cast, g_identity_n, g_histogram):
    for _where in ('both', 'use', 'update', 'moving', 'end'):
        _f = guarded(_g, _where)
        _f.__name__ = '%s_%s' % (_g.__name__[2:], _where)
        situation('guards', ALL, commands=('freeze',), auto='ask' if _where == 'end' else None)(_f)


@situation('guards', ALL, auto='ask', commands=('freeze', 'fold'))
def ends_in_print(is_training):
    x = image('x', (6, 6, 3))
    y = tf.nn.softmax(tf.layers.dense(tf.layers.flatten(tf.nn.relu(bn(conv(x, 4, 'c'), is_training))), 3), name='p')
    return net(x, printed(y, 'answer'))


@situation('guards', ALL, auto='ask', commands=('freeze',))
def asserts_around(is_training):
    """Assert guards of input checks: they end the graph as well."""
    x = tf.placeholder(tf.float32, [None, None, None, 3], name='x')
    tf.assert_equal(tf.shape(x)[1] % 2, 0, name='check_size')
    tf.Assert(tf.greater(tf.shape(x)[0], 0), [tf.shape(x)], name='check_batch')
    y = tf.reduce_mean(tf.nn.relu(bn(conv(x, 4, 'c'), is_training)), [1, 2], name='out')
    tf.debugging.assert_all_finite(y, 'bad') if hasattr(tf.debugging, 'assert_all_finite') else None
    n = net(x, y)
    n.inputs = {x: (6, 6, 3)}
    return n


# ------------------------------------------------------------------ all-reduce

def set_attrs(node, **attrs):
    for key, value in attrs.items():
        a = node.attr[key]
        if isinstance(value, bool):
            a.b = value
        elif isinstance(value, int):
            a.i = value
        elif isinstance(value, list):
            a.list.i.extend(value)
        else:
            a.s = value.encode()


def replaced(op, extra=0, **attrs):
    """Puts ops that no CPU runs in the place of the marked Mul(t, 8): CrossReplicaSum and its kind."""
    def rewrite(meta):
        for node in meta.graph_def.node:
            if node.name.startswith('allreduce_') and node.op == 'Mul':
                node.op = op
                t = node.attr['T'].type
                del node.input[1:]
                for i in range(extra):
                    node.input.append('group_assignment')
                node.attr.clear()
                node.attr['T'].type = t
                set_attrs(node, **attrs)
    return rewrite


def synchronised(kind, use_fused=False):
    def build(is_training):
        x = image('x', (6, 6, 3))
        tf.constant([[0, 1, 2, 3, 4, 5, 6, 7]], name='group_assignment')
        c = conv(x, 4, 'c')

        def reduce(t, name):
            if not is_training:
                return t
            return tf.multiply(t, 8., name='allreduce_' + name) / 8.
        if kind == 'ex2':
            m, q = reduce(tf.reduce_mean(c, [0, 1, 2]), 'm'), reduce(tf.reduce_mean(tf.square(c), [0, 1, 2]), 'q')
            v = q - tf.square(m)
        elif kind == 'moments':
            m, v = tf.nn.moments(c, [0, 1, 2])
            m, v = reduce(m, 'm'), reduce(v, 'v')
        elif kind == 'stacked':
            both = reduce(tf.stack([tf.reduce_mean(c, [0, 1, 2]), tf.reduce_mean(tf.square(c), [0, 1, 2])]), 'mq')
            m, q = tf.unstack(both)
            v = q - m * m
        else:
            m, v = tf.nn.moments(c, [0, 1, 2])
            gm = reduce(m, 'm')
            v = reduce(v + tf.square(m), 'q') - tf.square(gm)
            m = gm
        s, ups = kept((m, v))
        y = norm(c, m, v) if is_training else norm(c, *s)
        return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)
    return build


OPS = {'CrossReplicaSum': dict(extra=1), 'NcclAllReduce': dict(reduction='sum', num_devices=1, shared_name='c0'),
       'HorovodAllreduce': dict(), 'CollectiveReduce': dict(group_size=8, group_key=1, instance_key=3, merge_op='Add', final_op='Id',
                                                             subdiv_offsets=[0])}
for _op, _attrs in OPS.items():
    for _kind in ('ex2', 'moments', 'parallel', 'stacked'):
        _f = synchronised(_kind)
        _f.__name__ = 'sync_%s_%s' % (_op, _kind)
        situation('guards', ALL, rewrite=replaced(_op, **_attrs), commands=('freeze',), expect='either' if _kind == 'stacked' else 'ok')(_f)


# ------------------------------------------------------------------ random

def u_add(v, m):
    return tf.assign_add(v, (m - v) * .2)


def u_variable_decay(v, m):
    d = tf.get_variable('decay_' + v.op.name.replace('/', '_'), [], initializer=tf.constant_initializer(.8), trainable=False)
    return tf.assign(v, d * v + (1. - d) * m)


def u_step_decay(v, m):
    """tf.minimum(decay, (1 + step) / (10 + step))."""
    step = tf.cast(tf.train.get_or_create_global_step(), tf.float32)
    d = tf.minimum(.8, (1. + step) / (10. + step))
    return tf.assign_sub(v, (v - m) * (1. - d))


def u_of_last(v, m):
    last = tf.get_variable('last_' + v.op.name.replace('/', '_'), v.shape.as_list(), initializer=tf.zeros_initializer(), trainable=False)
    return tf.assign(v, next_(v, tf.assign(last, m)))


def n_tf(x, m, v, g, b):
    return tf.nn.batch_normalization(x, m, v, b, g, 1e-3)


def n_div(x, m, v, g, b):
    return (x - m) / tf.sqrt(v + 1e-3) * g + b


def n_bias_add(x, m, v, g, b):
    return tf.nn.bias_add((x - m) * tf.rsqrt(v + 1e-3) * g, b)


def n_scale_shift(x, m, v, g, b):
    s = g * tf.rsqrt(v + 1e-3)
    return x * s + (b - m * s)


def n_pow(x, m, v, g, b):
    return g * (x - m) * tf.pow(v + 1e-3, -.5) + b


def m_tf(c, axes):
    return tf.nn.moments(c, axes)


def m_two_means(c, axes):
    m = tf.reduce_mean(c, axes)
    return m, tf.reduce_mean(tf.square(c), axes) - tf.square(m)


def m_by_sum(c, axes):
    n = tf.cast(tf.size(c), tf.float32) / 4.
    m = tf.reduce_sum(c, axes) / n
    return m, tf.reduce_sum(tf.square(c - m), axes) / n


def m_keep(c, axes):
    m, v = tf.nn.moments(c, axes, keep_dims=True)
    return tf.reshape(m, [4]), tf.reshape(v, [4])


@generator('guards')
def guards_random(rng, words):
    def d(what, *options):
        o = options[rng.randint(len(options))]
        words.append('%s=%s' % (what, getattr(o, '__name__', o)))
        return o
    flag = d('flag', 'python', 'placeholder', 'placeholder', 'default_false', 'number')
    select = d('select', s_where, s_reshape, s_cond, s_arith)
    layers = d('layers', 1, 2)
    parts = [dict(update=d('update', u_sub, u_assign, u_ama, u_add, u_variable_decay, u_step_decay, u_of_last), average=d('average', 'batch', 'batch', 'selected'),
                  guard=d('guard', None, None, g_print, g_check, g_assert, g_assert_cond, g_plugin, g_barrier, g_cast, g_identity_n, g_histogram),
                  where=d('where', 'both', 'use', 'update', 'moving'), moments=d('moments', m_tf, m_two_means, m_by_sum, m_keep),
                  norm=d('norm', n_tf, n_div, n_bias_add, n_scale_shift, n_pow)) for _ in range(layers)]
    shape = d('shape', 'image', 'dense', 'one')
    in_train_op = d('updates', 'apart', 'control')
    res = d('resource', False, True)
    save = d('save', 'meta', 'frozen') if flag != 'python' else 'meta'
    end = d('end', None, None, g_print, g_check, g_assert, g_barrier, g_identity_n)

    def build(is_training):
        x = tf.placeholder(tf.float32, [None, 6], name='x') if shape == 'dense' else tf.placeholder(
            tf.float32, [1 if shape == 'one' else None, 6, 6, 3], name='x')
        t, feed, golden = is_training, {}, {}
        if flag == 'number':
            f = tf.placeholder(tf.float32, [], name='phase')
            t, feed, golden = f > .5, {f: 1.}, {f: 0.}
        elif flag != 'python':
            t = flagged(False if flag == 'default_false' else None)
            feed, golden = {t: True}, {t: False}
        y, ups = x, []
        for i, p in enumerate(parts):
            with tf.variable_scope('part%d' % i):
                c = tf.layers.dense(y, 4, name='c') if shape == 'dense' else conv(y, 4, 'c')
                g, b = w('gamma', [4]), w('beta', [4])
                mm, mv = two()
                m, v = p['moments'](c, list(range(c.shape.ndims - 1)))
                guard = p['guard'] or tf.identity
                if p['where'] == 'both':
                    m, v = guard(m), guard(v)
                um, uv = (guard(m), guard(v)) if p['where'] == 'update' else (m, v)
                if p['where'] == 'use':
                    m, v = guard(m), guard(v)
                a, s = (guard(mm), guard(mv)) if p['where'] == 'moving' else (tf.identity(mm), tf.identity(mv))
                if flag == 'python':
                    m, v = (m, v) if is_training else (a, s)
                else:
                    m, v = select(t, m, a), select(t, v, s)
                    if p['average'] == 'selected' and p['where'] != 'moving':
                        um, uv = m, v
                ops = [p['update'](mm, um), p['update'](mv, uv)]
                # An update that the output waits for would run in inference as well: only where no flag is fed.
                if in_train_op == 'control' and flag == 'python' and is_training:
                    with tf.control_dependencies(ops):
                        m, v = tf.identity(m), tf.identity(v)
                ups += ops
                y = tf.nn.relu(p['norm'](c, m, v, g, b))
        y = end(y) if end else y
        return Net({x: tuple(x.shape.as_list()[1:])}, y, updates=ups, feed=feed, golden_feed=golden)
    one = {'batch': 1, 'golden_batch': 1} if shape == 'one' else {'batch': 8, 'golden_batch': 3}
    # A batch norm whose batch is always one, and which only the update ops tell from an instance norm, may be refused.
    return build, dict(saves=(save,), commands=('freeze', 'fold'), context=resource if res else None, steps=4,
                       expect='either' if any(p['update'] is u_of_last for p in parts) else 'ok', **one)
