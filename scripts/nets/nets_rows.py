"""Statistics with a row per step, domain or task, and batch norms that share or slice a variable."""
from harness import np, tf

from builders import bn, conv, fixed, flagged, net, next_, resource, w
from cases_fused import image
from common import Net
from situations import situation

T, C = 3, 4
KINDS = ('rows', ('113', '115', '212'))


def moments(x):
    return tf.nn.moments(x, list(range(x.shape.ndims - 1)))


def gb(i):
    return w('gamma%d' % i, [C]), w('beta%d' % i, [C])


def normed(x, m, v, i):
    g, b = gb(i)
    return tf.nn.batch_normalization(x, m, v, b, g, 1e-3)


def rowwise(read, write, known=True):
    """Unrolled steps: step i uses row i of a [T, C] variable."""
    def build(is_training):
        x = tf.placeholder(tf.float32, [None, 6], name='x')
        mm, mv = fixed('moving_mean', [T, C], 0.), fixed('moving_variance', [T, C], 1.)
        k, u = w('k', [6, C]), w('u', [C, C])
        h, ups, inputs = tf.zeros([tf.shape(x)[0], C]), [], {x: (6,)}
        h.set_shape([None, C])
        for i in range(T):
            row = i if known else tf.placeholder_with_default(i, [], name='row%d' % i)
            if not known:
                inputs[row] = lambda r, n, s, i=i: np.int32(i)
            z = tf.matmul(x * (i + 1.), k) + tf.matmul(h, u)
            m, v = moments(z)
            if is_training:
                ups += [write(mm, row, m), write(mv, row, v)]
                z = normed(z, m, v, i)
            else:
                z = normed(z, read(mm, row), read(mv, row), i)
            h = tf.tanh(z)
        return Net(inputs, tf.identity(h, name='y'), updates=ups)
    return build


def read_gather(v, i):
    return tf.gather(v, i)


def read_slice(v, i):
    return v[i]


def write_scatter(v, i, m):
    return tf.scatter_update(v, [i], tf.expand_dims(tf.gather(v, i) * .8 + .2 * m, 0))


def write_scatter_scalar(v, i, m):
    return tf.scatter_update(v, i, tf.gather(v, i) * .8 + .2 * m)


def write_scatter_sub(v, i, m):
    return tf.scatter_sub(v, [i], tf.expand_dims((v[i] - m) * .2, 0))


def write_slice(v, i, m):
    return tf.assign(v[i], v[i] * .8 + .2 * m)


def write_slice_range(v, i, m):
    return tf.assign(v[i:i + 1], v[i:i + 1] * .8 + .2 * m)


def write_one_hot(v, i, m):
    return tf.assign_sub(v, tf.expand_dims(tf.one_hot(i, T), 1) * (v - m) * .2)


def write_scatter_nd(v, i, m):
    return tf.scatter_nd_update(v, [[i]], tf.expand_dims(tf.gather(v, i) * .8 + .2 * m, 0))


for _w in (write_scatter, write_scatter_scalar, write_scatter_sub, write_slice, write_slice_range, write_one_hot, write_scatter_nd):
    _f = rowwise(read_gather, _w)
    _f.__name__ = 'rows_' + _w.__name__
    situation(*KINDS, expect='either', commands=('freeze', 'fold'))(_f)
    if _w is not write_one_hot:
        _g = rowwise(read_gather, _w)
        _g.__name__ = 'rows_%s_resource' % _w.__name__
        situation(*KINDS, expect='either', commands=('freeze',), context=resource)(_g)
_f = rowwise(read_gather, write_scatter_scalar, known=False)
_f.__name__ = 'rows_unknown'
situation(*KINDS, expect='either', commands=('freeze',))(_f)


@situation(*KINDS, expect='either')
def domain_rows(is_training):
    """A domain id picks the row; it stays an input of inference."""
    x = image('x', (6, 6, 3))
    d = tf.placeholder(tf.int32, [], name='domain')
    c = conv(x, C, 'c')
    mm, mv = fixed('moving_mean', [T, C], 0.), fixed('moving_variance', [T, C], 1.)
    m, v = moments(c)
    ups = [write_scatter_scalar(mm, d, m), write_scatter_scalar(mv, d, v)] if is_training else []
    y = normed(c, m, v, 0) if is_training else normed(c, tf.gather(mm, d), tf.gather(mv, d), 0)
    return Net({x: (6, 6, 3), d: lambda r, n, s: np.int32(r.randint(0, T))}, tf.nn.relu(y, name='y'), updates=ups)


@situation(*KINDS, expect='either')
def domain_rows_in_order(is_training):
    """The same with a flag: the graph shows how inference reads."""
    x = image('x', (6, 6, 3))
    d = tf.placeholder(tf.int32, [], name='domain')
    t = flagged()
    c = conv(x, C, 'c')
    mm, mv = fixed('moving_mean', [T, C], 0.), fixed('moving_variance', [T, C], 1.)
    m, v = moments(c)

    def on():
        with tf.control_dependencies([write_scatter_scalar(mm, d, m), write_scatter_scalar(mv, d, v)]):
            return tf.identity(m), tf.identity(v)
    a, b = tf.cond(t, on, lambda: (tf.gather(mm, d), tf.gather(mv, d)))
    y = tf.nn.relu(normed(c, a, b, 0), name='y')
    return Net({x: (6, 6, 3), d: lambda r, n, s: np.int32(r.randint(0, T))}, y, updates=[y], feed={t: True}, golden_feed={t: False})


@situation(*KINDS, expect='either')
def recurrent_rows(is_training):
    """A while loop whose step picks the row (recurrent batch norm)."""
    x = tf.placeholder(tf.float32, [None, T, 6], name='x')
    k, u = w('k', [6, C]), w('u', [C, C])
    mm, mv = fixed('moving_mean', [T, C], 0.), fixed('moving_variance', [T, C], 1.)
    g, b = gb(0)
    xs = tf.unstack(x, axis=1)
    h0 = tf.zeros([tf.shape(x)[0], C])
    rows = [moments(tf.matmul(t, k)) for t in xs]
    ups = [tf.assign(mm, next_(mm, tf.stack([r[0] for r in rows]))), tf.assign(mv, next_(mv, tf.stack([r[1] for r in rows])))]
    xt = tf.transpose(x, [1, 0, 2])

    def step(i, h):
        z = tf.matmul(xt[i], k)
        m, v = moments(z) if is_training else (tf.gather(mm, i), tf.gather(mv, i))
        return i + 1, tf.tanh(tf.nn.batch_normalization(z, m, v, b, g, 1e-3) + tf.matmul(h, u))
    y = tf.while_loop(lambda i, h: i < T, step, [0, h0], shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, C])])[1]
    return Net({x: (T, 6)}, tf.identity(y, name='y'), updates=ups)


@situation(*KINDS, expect='either')
def stacked_statistics(is_training):
    """[2, C]: mean and variance are rows of one variable."""
    x = image('x', (6, 6, 3))
    c = conv(x, C, 'c')
    kept = tf.get_variable('stats', [2, C], initializer=tf.ones_initializer(), trainable=False)
    m, v = moments(c)
    ups = [tf.assign(kept, next_(kept, tf.stack([m, v])))]
    a, b = (m, v) if is_training else tf.unstack(kept)
    return Net({x: (6, 6, 3)}, tf.nn.relu(normed(c, a, b, 0), name='y'), updates=ups)


@situation(*KINDS, expect='either')
def concatenated_statistics(is_training):
    """The statistics of two batch norms are one long vector."""
    x = image('x', (6, 6, 3))
    c = conv(x, C, 'c')
    mm, mv = fixed('moving_mean', [2 * C], 0.), fixed('moving_variance', [2 * C], 1.)
    m1, v1 = moments(c)
    a, b = (m1, v1) if is_training else (mm[:C], mv[:C])
    d = conv(tf.nn.relu(normed(c, a, b, 0)), C, 'd')
    m2, v2 = moments(d)
    a, b = (m2, v2) if is_training else (mm[C:], mv[C:])
    y = tf.nn.relu(normed(d, a, b, 1), name='y')
    ups = [tf.assign(mm, next_(mm, tf.concat([m1, m2], 0))), tf.assign(mv, next_(mv, tf.concat([v1, v2], 0)))]
    return Net({x: (6, 6, 3)}, y, updates=ups)


@situation(*KINDS, expect='either')
def name_evidence_of_rows(is_training):
    """Updates are Python code of the user: only names remain, and the shape says that it cannot be."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    z = tf.layers.dense(x, C, name='bn/dense')
    with tf.variable_scope('bn'):
        mm, mv = fixed('moving_mean', [T, C], 0.3), fixed('moving_variance', [T, C], 1.7)
        m, v = moments(z)
        y = normed(z, m, v, 0) if is_training else normed(z, mm[1], mv[1], 0)
    return Net({x: (6,)}, tf.nn.relu(y, name='y'), updates=[y])
