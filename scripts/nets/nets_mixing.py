"""Batch statistics by unusual ops, with update ops and without; variables that only look like moving statistics."""
from harness import np, tf

from builders import bn, conv, dense, fixed, flagged, net, next_, w
from cases_fused import image
from cases_unfused import drop_updates
from common import Net, TF2
from nets_by_name import stripped
from situations import situation

ALL = ('113', '115', '212')
EPS = 1e-3


def mixing(versions=ALL, **opts):
    opts.setdefault('expect', 'either')
    opts.setdefault('commands', ('freeze',))
    return situation('mixing', versions, **opts)


def updates(pairs, momentum=.2):
    for a, t in pairs:
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(a, (a - t) * momentum, name='AssignMovingAvg'))


def normalised(statistics, names=('moving_mean', 'moving_variance'), size=8):
    """A dense net of a batch of 8 whose statistics are computed by `statistics`."""
    def build(is_training):
        x = tf.placeholder(tf.float32, [size, 6] if size else [None, 6], name='x')
        h = tf.layers.dense(x, 4, name='d')
        with tf.variable_scope('bn'):
            mm, mv = fixed(names[0], [4], 0.), fixed(names[1], [4], 1.)
            m, v = (mm, mv)
            if is_training:
                m, v = statistics(h)
                updates([(mm, m), (mv, v)])
            y = (h - m) * tf.rsqrt(v + EPS)
        y = y * w('gamma', [4]) + w('beta', [4])
        return Net({x: (6,)}, tf.nn.relu(y, name='y'), updates=tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    build.__name__ = statistics.__name__
    return build


def by_matmul(h):
    ones = tf.ones([1, 8]) / 8.
    m = tf.matmul(ones, h)[0]
    return m, tf.matmul(ones, tf.square(h - m))[0]


def by_gram(h):
    """The diagonal of the covariance."""
    m = tf.reduce_mean(h, 0)
    c = h - m
    return m, tf.diag_part(tf.matmul(c, c, transpose_a=True)) / 8.


def by_einsum(h):
    m = tf.einsum('nc->c', h) / 8.
    return m, tf.einsum('nc,nc->c', h - m, h - m) / 8.


def by_tensordot(h):
    k = tf.ones([8]) / 8.
    m = tf.tensordot(k, h, 1)
    return m, tf.tensordot(k, tf.square(h - m), 1)


def by_segments(h):
    at = tf.zeros([8], tf.int32)
    m = tf.segment_mean(h, at)[0]
    return m, tf.segment_mean(tf.square(h - m), at)[0]


def by_unsorted_segments(h):
    at = tf.zeros([8], tf.int32)
    m = tf.unsorted_segment_sum(h, at, 1)[0] / 8.
    return m, tf.unsorted_segment_sum(tf.square(h - m), at, 1)[0] / 8.


def by_cumsum(h):
    m = tf.cumsum(h, 0)[-1] / 8.
    return m, tf.cumsum(tf.square(h - m), 0)[-1] / 8.


def by_pooling(h):
    """The batch as positions of one image."""
    def pooled(t):
        return tf.reshape(tf.nn.avg_pool(tf.reshape(t, [1, 8, 1, 4]), [1, 8, 1, 1], [1, 8, 1, 1], 'VALID'), [4])
    m = pooled(h)
    return m, pooled(tf.square(h - m))


def by_unstack(h):
    m = tf.add_n(tf.unstack(h)) / 8.
    return m, tf.add_n(tf.unstack(tf.square(h - m))) / 8.


def by_accumulate(h):
    m = tf.accumulate_n(tf.unstack(h)) / 8.
    return m, tf.accumulate_n(tf.unstack(tf.square(h - m))) / 8.


def by_fold(h):
    m = tf.foldl(lambda a, t: a + t, h) / 8.
    return m, tf.foldl(lambda a, t: a + t, tf.square(h - m)) / 8.


def by_median(h):
    def median(t):
        return tf.nn.top_k(tf.transpose(t), 4).values[:, 3]
    m = median(h)
    return m, tf.square(median(tf.abs(h - m)))


def by_sort(h):
    def middle(t):
        return tf.reduce_mean(tf.sort(t, 0)[2:6], 0)
    m = middle(h)
    return m, middle(tf.square(h - m))


def by_range(h):
    """Range BN: the deviation from the largest distance to the mean."""
    m = tf.reduce_mean(h, 0)
    r = (tf.reduce_max(h - m, 0) - tf.reduce_min(h - m, 0)) * .48
    return m, tf.square(r)


def by_range_alone(h):
    """Neither a mean nor a variance: the middle and half of the range."""
    top, low = tf.reduce_max(h, 0), tf.reduce_min(h, 0)
    return (top + low) / 2., tf.square(top - low) / 4.


def by_norm(h):
    m = tf.reduce_mean(h, 0)
    return m, tf.square(tf.norm(h - m, axis=0)) / 8.


def by_cross(h):
    """Differences of pairs of examples: the variance without a mean."""
    d = h[:, None] - h[None]
    return tf.reduce_mean(h, 0), tf.reduce_mean(tf.square(d), [0, 1]) / 2.


def by_scan(h):
    at = tf.scan(lambda a, t: (a[0] + t, a[1] + tf.square(t)), h, (tf.zeros([4]), tf.zeros([4])))
    m = at[0][-1] / 8.
    return m, at[1][-1] / 8. - tf.square(m)


def by_convolution(h):
    """A convolution with a kernel of one over the batch."""
    def mean(t):
        return tf.nn.conv1d(tf.transpose(t)[:, :, None], tf.ones([8, 1, 1]) / 8., 1, 'VALID')[:, 0, 0]
    m = mean(h)
    return m, mean(tf.square(h - m))


def by_half_the_batch(h):
    """Of the first half, which is real: the rest is generated."""
    return tf.nn.moments(h[:4], [0])


def by_bincount(h):
    m = tf.reduce_sum(h * tf.constant(1. / 8.), 0)
    return m, tf.reduce_sum(tf.squared_difference(h, m) * .125, 0)


WAYS = (by_matmul, by_gram, by_einsum, by_tensordot, by_segments, by_unsorted_segments, by_cumsum, by_pooling, by_unstack, by_accumulate, by_fold,
        by_median, by_sort, by_range, by_range_alone, by_norm, by_cross, by_scan, by_convolution, by_half_the_batch, by_bincount)
SIZES = dict(batch=8, golden_batch=8)
for _way in WAYS:
    _f = normalised(_way)
    _f.__name__ = _way.__name__ + '_updated'
    mixing(**SIZES)(_f)
    _f = normalised(_way)
    _f.__name__ = _way.__name__ + '_stripped'
    # Shapes within these ops are not known: nothing shows that all examples share what they output.
    _unseen = _way in (by_segments, by_unsorted_segments, by_fold, by_scan)
    mixing(rewrite=stripped, expect='WRONG' if _unseen else 'either', **SIZES)(_f)


# ------------------------------------------------------------------ update ops that are gone in part

def without(*words):
    """Leaves out the update ops whose names contain a word, and their readers."""
    def rewrite(meta):
        graph = meta.graph_def
        for node in graph.node:
            if any(t in node.name for t in words) and node.op.startswith('Assign') and 'AssignMovingAvg' in node.name:
                node.name += '_AssignMovingAvg_gone'
        names = {n.name[:-len('_AssignMovingAvg_gone')] for n in graph.node if n.name.endswith('_AssignMovingAvg_gone')}
        keep = [n for n in graph.node if not n.name.endswith('_AssignMovingAvg_gone')]
        out = type(graph)()
        out.CopyFrom(graph)
        del out.node[:]
        for n in keep:
            m = out.node.add()
            m.CopyFrom(n)
            inputs = [i for i in m.input if i.lstrip('^').split(':')[0] not in names]
            del m.input[:]
            m.input.extend(inputs)
        graph.CopyFrom(out)
        for key in ('update_ops', 'train_op'):
            if key in meta.collection_def:
                del meta.collection_def[key]
    return rewrite


def two_layers(fused, gamma=True, names=None):
    def build(is_training):
        x = image('x', (6, 6, 3))
        h = x
        for i in range(2):
            h = tf.layers.batch_normalization(conv(h, 4, 'c%d' % i), training=is_training, momentum=.8, name='bn%d' % i, fused=fused, scale=gamma)
            h = tf.nn.relu(h)
        return Net({x: (6, 6, 3)}, tf.reduce_mean(h, [1, 2], name='y'))
    return build


for _fused in (True, False):
    for _name, _words in (('mean_gone', ('bn0/AssignMovingAvg/',)), ('variance_gone', ('bn0/AssignMovingAvg_1',)), ('first_gone', ('bn0/',)),
                          ('second_gone', ('bn1/',)), ('means_gone', ('/AssignMovingAvg/',))):
        _f = two_layers(_fused)
        _f.__name__ = '%s_%s' % (_name, 'fused' if _fused else 'unfused')
        mixing(('115', '212'), rewrite=without(*_words))(_f)


# ------------------------------------------------------------------ vectors that look like statistics

def with_slots(fused, gamma, own, strip):
    """A batch norm that uses the batch on purpose, or whose statistics have other names, beside slots of a custom optimizer."""
    def build(is_training):
        x = image('x', (6, 6, 3))
        c = conv(x, 4, 'c')
        with tf.variable_scope('norm'):
            beta = w('beta', [4])
            g = w('gamma', [4]) if gamma else tf.ones([4])
            if fused:
                y = tf.nn.fused_batch_norm(c, g, beta, epsilon=1e-3, is_training=True)[0]
            else:
                m, v = tf.nn.moments(c, [0, 1, 2])
                y = tf.nn.batch_normalization(c, m, v, beta, g, 1e-3)
            for name in ('beta', 'gamma') if gamma else ('beta',):
                m, v = fixed(name + '/' + own[0], [4], 0.), fixed(name + '/' + own[1], [4], 1.)
                d = tf.gradients(tf.reduce_sum(tf.square(y - 1.)), [g if name == 'gamma' else beta])[0]
                if is_training:
                    for a, t in ((m, d), (v, tf.square(d))):
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(a, a * .9 + t * .1, name='AssignMovingAvg' if strip else None))
        return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    return build


for _own in (('adam_m', 'adam_v'), ('m', 'v'), ('mean', 'variance'), ('first', 'second')):
    for _fused in (True, False):
        for _gamma in (False, True):
            for _strip in (False, True):
                _f = with_slots(_fused, _gamma, _own, _strip)
                _f.__name__ = 'slots_%s_%s%s%s' % (_own[0], 'fused' if _fused else 'unfused', '_gamma' if _gamma else '', '_stripped' if _strip else '')
                mixing(('115',), batch=4, golden_batch=3, **({'rewrite': stripped} if _strip else {}))(_f)
