"""Which variable inference reads, and whether its values are sound."""
from harness import np, tf

from builders import bn, conv, dense, fixed, flagged, net, next_, resource, resource_v2, w
from cases_fused import image
from common import Net, TF2
from situations import situation

BOTH = ('freeze', 'fold')


def norm(x, m, v):
    return tf.nn.batch_normalization(x, m, v, w('beta', x.shape.as_list()[-1:]), w('gamma', x.shape.as_list()[-1:]), 1e-3)


def fused(x, m=None, v=None):
    c = x.shape.as_list()[-1:]
    return tf.nn.fused_batch_norm(x, w('gamma', c), w('beta', c), m, v, epsilon=1e-3, is_training=m is None)


def two(name, c=4):
    return fixed(name + '_mean', [c], 0.), fixed(name + '_var', [c], 1.)


def chain(make, use_fused=False):
    """make(batch statistics) -> (what inference reads, update ops), for both builds."""
    def build(is_training):
        x = image('x', (6, 6, 3))
        c = conv(x, 4, 'c')
        if use_fused and is_training:
            y, m, v = fused(c)
            kept, ups = make((m, v))
        else:
            m, v = tf.nn.moments(c, [0, 1, 2])
            kept, ups = make((m, v))
            y = norm(c, m, v) if is_training else (fused(c, *kept)[0] if use_fused else norm(c, *kept))
        y = tf.nn.relu(y, name='y')
        return Net({x: (6, 6, 3)}, y, updates=ups)
    return build


def last_then_average(batch):
    """A is the last batch, S averages A."""
    a, s = two('last'), two('moving')
    a_new = [tf.assign(v, t) for v, t in zip(a, batch)]
    with tf.control_dependencies(a_new):
        ups = [tf.assign(v, .8 * v + .2 * tf.identity(t)) for v, t in zip(s, a)]
    return s, ups


def last_then_average_of_assign(batch):
    """S averages the output of the Assign."""
    a, s = two('a'), two('s')
    a_new = [tf.assign(v, t) for v, t in zip(a, batch)]
    return s, [tf.assign_sub(v, (v - t) * .2) for v, t in zip(s, a_new)]


def last_then_average_steps(batch):
    """A and S are updated by two ops that a loop runs one after the other."""
    a, s = two('a'), two('s')
    first = tf.group(*[tf.assign(v, t) for v, t in zip(a, batch)])
    with tf.control_dependencies([first]):
        second = tf.group(*[tf.assign(v, v * .8 + .2 * t) for v, t in zip(s, a)])
    return s, [second]


def last_by_decay_zero(batch):
    """A <- 0*A + 1*m is the last batch as well."""
    a, s = two('a'), two('s')
    a_new = [tf.assign(v, v * 0. + t * 1.) for v, t in zip(a, batch)]
    with tf.control_dependencies(a_new):
        return s, [tf.assign_add(v, (t - v) * .2) for v, t in zip(s, a)]


def last_by_sub(batch):
    """A -= A - m."""
    a, s = two('a'), two('s')
    a_new = [tf.assign_sub(v, v - t) for v, t in zip(a, batch)]
    return s, [tf.assign_sub(v, (v - t) * .2) for v, t in zip(s, a_new)]


def last_and_average_apart(batch):
    """The last batch is kept for a log; the average reads the batch."""
    a, s = two('log'), two('s')
    return s, [tf.assign(v, t) for v, t in zip(a, batch)] + [tf.assign(v, next_(v, t)) for v, t in zip(s, batch)]


def ema_of_last(batch):
    a = two('a')
    ema = tf.train.ExponentialMovingAverage(.8)
    with tf.control_dependencies([tf.assign(v, t) for v, t in zip(a, batch)]):
        op = ema.apply(list(a))
    return [ema.average(v) for v in a], [op]


def three_in_a_chain(batch):
    """last -> fast average -> slow average: inference reads the last of the chain."""
    a, f, s = two('a'), two('fast'), two('slow')
    a_new = [tf.assign(v, t) for v, t in zip(a, batch)]
    f_new = [tf.assign(v, .5 * v + .5 * t) for v, t in zip(f, a_new)]
    return s, [tf.assign(v, .8 * v + .2 * t) for v, t in zip(s, f_new)]


for _m in (last_then_average, last_then_average_of_assign, last_then_average_steps, last_by_decay_zero, last_by_sub, last_and_average_apart,
           ema_of_last):
    for _fused in (False, True):
        _f = chain(_m, _fused)
        _f.__name__ = _m.__name__ + ('_fused' if _fused else '')
        situation('averages', commands=('freeze',))(_f)
        _g = chain(_m, _fused)
        _g.__name__ = _f.__name__ + '_resource'
        situation('averages', commands=('freeze',), context=resource)(_g)
_f = chain(three_in_a_chain)
_f.__name__ = 'three_in_a_chain'
situation('averages', commands=('freeze',))(_f)


def epoch(read_acc):
    """acc averages each batch; moving <- acc at the end of an epoch."""
    def build(is_training):
        x = image('x', (6, 6, 3))
        c = conv(x, 4, 'c')
        m, v = tf.nn.moments(c, [0, 1, 2])
        acc, mov = two('acc'), two('mov')
        ups = [tf.assign(a, next_(a, t)) for a, t in zip(acc, (m, v))]
        copy = tf.group(*[tf.assign(a, b) for a, b in zip(mov, acc)], name='end_of_epoch')
        y = norm(c, m, v) if is_training else norm(c, *(acc if read_acc else mov))
        n = Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)
        n.copy = copy
        return n
    return build


def copy_once(sess, graph, net):
    """The copy of the epoch before: the two differ."""
    sess.run(net.copy)
    for v in graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES):
        if v.op.name.startswith('acc'):
            v.load(np.asarray(sess.run(v)) * 1.3 + .1, sess)


for _read in (False, True):
    _f = epoch(_read)
    _f.__name__ = 'epoch_reads_%s' % ('acc' if _read else 'mov')
    situation('averages', expect='refused', poke=copy_once, commands=('freeze',), says=r'acc_mean.*mov_mean|mov_mean.*acc_mean',
              then=('--map', 'batchnorm/Rsqrt=%s_mean,%s_var' % (('acc',) * 2 if _read else ('mov',) * 2)))(_f)


@situation('averages', expect='refused', commands=('freeze',))
def sum_and_count(is_training):
    """total += mean, n += 1; inference reads total / n: no variable holds it."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m, v = tf.nn.moments(c, [0, 1, 2])
    total, n = two('total'), fixed('n', [], 0.)
    ups = [tf.assign_add(a, t) for a, t in zip(total, (m, v))] + [tf.assign_add(n, 1.)]
    y = norm(c, m, v) if is_training else norm(c, total[0] / n, (total[1] - 1.) / n)
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)


@situation('averages', expect='either', commands=('freeze',))
def sum_count_then_moving(is_training):
    """The sum of an epoch, divided at its end: moving <- total / n. Only `moving` can be read."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m, v = tf.nn.moments(c, [0, 1, 2])
    total, n, mov = two('total'), fixed('n', [], 1.), two('moving')
    ups = [tf.assign_add(a, t) for a, t in zip(total, (m, v))] + [tf.assign_add(n, 1.)]
    with tf.control_dependencies(ups):
        ups = ups + [tf.assign(a, b / n) for a, b in zip(mov, total)]
    y = norm(c, m, v) if is_training else norm(c, *mov)
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)


@situation('averages', expect='either', commands=('freeze',))
def cumulative_average(is_training):
    """mean += (m - mean) / n: a cumulative average, an average with a decay that changes."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m, v = tf.nn.moments(c, [0, 1, 2])
    mov, n = two('moving'), fixed('n', [], 1.)
    with tf.control_dependencies([tf.assign_add(n, 1.)]):
        ups = [tf.assign_add(a, (t - a) / tf.identity(n)) for a, t in zip(mov, (m, v))]
    y = norm(c, m, v) if is_training else norm(c, *mov)
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)


@situation('averages', expect='refused', commands=('freeze',))
def two_rates(is_training):
    """A fast and a slow average of the same batch; neither reads the other, so which one is meant is not in the graph."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m, v = tf.nn.moments(c, [0, 1, 2])
    slow, fast = two('slow'), two('fast')
    ups = [tf.assign(a, .9 * a + .1 * t) for a, t in zip(slow, (m, v))] + [tf.assign(a, .2 * a + .8 * t) for a, t in zip(fast, (m, v))]
    y = norm(c, m, v) if is_training else norm(c, *slow)
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)


@situation('averages', commands=('freeze',))
def polyak_of_statistics(is_training):
    """An ExponentialMovingAverage over all variables, the moving statistics, too: without --ema the statistics are read."""
    x = image('x', (6, 6, 3))
    y = bn(conv(x, 4, 'c'), is_training)
    y = tf.nn.relu(bn(conv(y, 4, 'c2'), is_training, 'bn2', fused=False), name='y')
    ups = []
    if is_training:
        up = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(up):
            ups = [tf.train.ExponentialMovingAverage(.6).apply(tf.global_variables())]
    return net(x, y, up=ups)


@situation('averages', commands=('freeze',))
def kept_as_std(is_training):
    """The deviation is averaged, not the variance."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    m, v = tf.nn.moments(c, [0, 1, 2])
    sd = tf.sqrt(v + 1e-3)
    mm, ms = two('moving')
    ups = [tf.assign(mm, next_(mm, m)), tf.assign(ms, next_(ms, sd))]
    a, b = (m, sd) if is_training else (mm, ms)
    y = (c - a) / b * w('gamma', [4]) + w('beta', [4])
    return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)


# ------------------------------------------------------------------ health

def spoil(value, which='var'):
    def poke(sess, graph, net):
        for v in graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES):
            if which in v.op.name:
                a = np.array(sess.run(v))
                a.flat[1] = value
                v.load(a, sess)
    return poke


def flag_bn(fused_, form):
    def build(is_training):
        x = image('x', (6, 6, 3))
        c = conv(x, 4, 'c')
        if form == 'python':
            return net(x, tf.nn.relu(bn(c, is_training, fused=fused_), name='y'))
        if form == 'inference':
            return net(x, tf.nn.relu(bn(c, False, fused=fused_), name='y'), up=[tf.no_op()])
        t = flagged(False if form == 'default' else None)
        if form == 'where':
            m, v = tf.nn.moments(c, [0, 1, 2])
            mm, mv = fixed('moving_mean', [4], 0.), fixed('moving_variance', [4], 1.)
            pick = tf.tile(tf.reshape(t, [1]), [4])
            y = norm(c, tf.where(pick, m, mm), tf.where(pick, v, mv))
            return net(x, tf.nn.relu(y, name='y'), t, up=[tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))])
        return net(x, tf.nn.relu(bn(c, t, fused=fused_), name='y'), t)
    return build


for _form, _expect in (('python', 'refused'), ('placeholder', 'refused'), ('default', 'either'), ('where', 'refused'), ('inference', 'ok')):
    for _fused in (None, False):
        for _what, _value, _which in (('nan', np.nan, 'variance'), ('inf', np.inf, 'mean'), ('negative', -.7, 'variance')):
            _f = flag_bn(_fused, _form)
            _f.__name__ = 'health_%s_%s_%s' % (_form, 'fused' if _fused is None else 'unfused', _what)
            situation('health', expect=_expect, finite=False, poke=spoil(_value, _which), commands=('freeze',),
                      saves=('meta', 'frozen') if _form != 'python' or TF2 else ('meta',),
                      says='(?i)NaN|infinit|negative|not.finite')(_f)
