"""Graphs of which TensorFlow cannot run every result: tables, Python functions, TPU and XLA ops, loops that are cut, resources."""
from harness import np, tf

import forms
from builders import bn, conv, dense, fixed, flagged, net, next_, resource, resource_v2, w
from cases_fused import get_slim, image
from common import Net, TF2
from situations import situation

ALL = ('113', '115', '212')


def runs(**opts):
    """Right, or refused: never a file that TensorFlow cannot run."""
    opts.setdefault('expect', 'either')
    versions = opts.pop('versions', ALL)
    return situation('runtime', versions, **opts)


# ------------------------------------------------------------------ tables

def words_in(r, n, s):
    return np.array(r.choice([b'cat', b'dog', b'bird', b'none'], (n, 3)), object)


def any_table():
    from tensorflow.python.ops import lookup_ops
    make = getattr(lookup_ops, 'StaticHashTable', None) or lookup_ops.HashTable
    return make(lookup_ops.KeyValueTensorInitializer(tf.constant(['cat', 'dog', 'bird']), tf.constant([1, 2, 3], tf.int64)), 0)


@runs(saves=('meta', 'frozen', 'saved_model'))
def table_in(is_training):
    """Words to ids in front of the net."""
    s = tf.placeholder(tf.string, [None, 3], name='words')
    ids = any_table().lookup(s)
    e = tf.reshape(tf.nn.embedding_lookup(w('e', [4, 4]), ids), [-1, 12])
    y = tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(e, 5), is_training)), 3, name='y')
    return Net({s: words_in}, y)


@runs(saves=('meta', 'frozen'))
def table_out(is_training):
    """Classes to words behind the net."""
    from tensorflow.python.ops import lookup_ops
    x = image('x', (6, 6, 3))
    y = tf.layers.dense(tf.layers.flatten(tf.nn.relu(bn(conv(x, 4, 'c'), is_training))), 3, name='y')
    t = lookup_ops.index_to_string_table_from_tensor(tf.constant(['a', 'b', 'c']), 'none')
    return Net({x: (6, 6, 3)}, [tf.nn.softmax(y, name='p'), t.lookup(tf.argmax(y, 1))])


@runs()
def table_beside(is_training):
    """The table feeds another output than the one that is asked for."""
    x = image('x', (6, 6, 3))
    y = tf.layers.dense(tf.layers.flatten(tf.nn.relu(bn(conv(x, 4, 'c'), is_training))), 3, name='y')
    tf.identity(any_table().lookup(tf.constant(['cat'])), name='other')
    return Net({x: (6, 6, 3)}, y)


@runs()
def table_default(is_training):
    """Words out of the vocabulary go to buckets."""
    from tensorflow.python.ops import lookup_ops
    s = tf.placeholder(tf.string, [None, 3], name='words')
    t = lookup_ops.index_table_from_tensor(tf.constant(['cat', 'dog']), num_oov_buckets=2)
    e = tf.reshape(tf.nn.embedding_lookup(w('e', [4, 4]), t.lookup(s)), [-1, 12])
    y = tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(e, 5), is_training)), 3, name='y')
    return Net({s: words_in}, y)


@runs()
def table_of_file(is_training):
    """The vocabulary is a file."""
    import tempfile, os
    from tensorflow.python.ops import lookup_ops
    path = os.path.join(tempfile.gettempdir(), 'bnfix-vocabulary.txt')
    with open(path, 'w') as f:
        f.write('cat\ndog\nbird\n')
    s = tf.placeholder(tf.string, [None, 3], name='words')
    t = lookup_ops.index_table_from_file(path, num_oov_buckets=1)
    e = tf.reshape(tf.nn.embedding_lookup(w('e', [4, 4]), t.lookup(s)), [-1, 12])
    y = tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(e, 5), is_training)), 3, name='y')
    return Net({s: words_in}, y)


@runs(versions=('115', '212'))
def table_mutable(is_training):
    from tensorflow.python.ops import lookup_ops
    s = tf.placeholder(tf.string, [None, 3], name='words')
    t = lookup_ops.MutableHashTable(tf.string, tf.int64, 0)
    with tf.control_dependencies([t.insert(tf.constant(['cat', 'dog']), tf.constant([1, 2], tf.int64))]):
        ids = t.lookup(s)
    e = tf.reshape(tf.nn.embedding_lookup(w('e', [4, 4]), ids), [-1, 12])
    y = tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(e, 5), is_training)), 3, name='y')
    return Net({s: words_in}, y)


# ------------------------------------------------------------------ Python functions

@runs()
def py_func_in(is_training):
    x = image('x', (6, 6, 3))
    p = tf.py_func(lambda a: a * 2, [x], tf.float32)
    p.set_shape([None, 6, 6, 3])
    y = tf.nn.relu(bn(conv(p, 4, 'c'), is_training), name='y')
    return net(x, y)


@runs(expect='ok')
def py_func_beside(is_training):
    x = image('x', (6, 6, 3))
    y = tf.nn.relu(bn(conv(x, 4, 'c'), is_training), name='y')
    tf.py_func(lambda a: a, [y], tf.float32, name='log')
    return net(x, y)


@runs(expect='ok')
def py_func_control(is_training):
    """A Python function that the output only waits for."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    with tf.control_dependencies([tf.py_func(lambda a: a, [tf.reduce_mean(c)], tf.float32, name='log')] if is_training else []):
        c = tf.identity(c)
    return net(x, tf.nn.relu(bn(c, is_training), name='y'))


@runs()
def numpy_function_labels(is_training):
    """py_func makes the batch; the net reads a cut of it."""
    x = tf.placeholder(tf.float32, [None, 6, 6, 3], name='x')
    if is_training:
        p = tf.py_func(lambda a: (a + 1).astype('f'), [x], tf.float32, name='augment')
        p.set_shape([None, 6, 6, 3])
    else:
        p = x
    y = tf.nn.relu(bn(conv(p, 4, 'c'), is_training), name='y')
    return net(x, y)


# ------------------------------------------------------------------ TPU and XLA

def add_tpu(meta):
    """What tpu.rewrite and TPUReplicate leave: a metadata node, replicated inputs and outputs of one replica."""
    g = meta.graph_def
    relu = next(n for n in g.node if n.name == 'net/relu')
    first = next(n for n in g.node if n.op in ('Conv2D',))
    m = g.node.add(name='TPUReplicateMetadata', op='TPUReplicateMetadata')
    m.attr['num_replicas'].i = 1
    i = g.node.add(name='input0', op='TPUReplicatedInput', input=[first.input[0]])
    i.attr['N'].i = 1
    i.attr['T'].type = 1
    first.input[0] = 'input0'
    for n in g.node:
        if n.name.startswith('net/'):
            n.attr['_tpu_replicate'].s = b'cluster'
            if not any(k.startswith('^') for k in n.input):
                n.input.append('^TPUReplicateMetadata')
    out = g.node.add(name='output0', op='TPUReplicatedOutput', input=['net/relu'])
    out.attr['num_replicas'].i = 1
    out.attr['T'].type = 1
    y = next(n for n in g.node if n.name == 'y')
    y.input[0] = 'output0'


def add_xla(meta):
    for n in meta.graph_def.node:
        if n.name.startswith('net/'):
            n.attr['_XlaCluster'].s = b'cluster_1'
            n.attr['_xla_compile_id'].s = b'cluster_1_id'
            n.attr['_XlaCompile'].b = True


def clustered(fused=None):
    def build(is_training):
        x = image('x', (6, 6, 3))
        with tf.variable_scope('net'):
            y = bn(conv(x, 4, 'c'), is_training, fused=fused)
            y = tf.nn.relu(y, name='relu')
        return net(x, tf.identity(y, name='y'))
    return build


for _name, _rewrite in (('tpu', add_tpu), ('xla', add_xla)):
    for _fused in (None, False):
        _f = clustered(_fused)
        _f.__name__ = '%s_%s' % (_name, 'fused' if _fused is None else 'unfused')
        runs(expect='ok', rewrite=_rewrite, commands=('freeze', 'fold'))(_f)


# ------------------------------------------------------------------ loops

@runs(expect='ok', commands=('freeze', 'fold'))
def bn_in_loop(is_training):
    """A batch norm whose statistics come from outside, in a while loop."""
    x = tf.placeholder(tf.float32, [None, 4], name='x')
    k = w('k', [4, 4])
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    m, v = tf.nn.moments(tf.matmul(x, k), [0])

    def step(i, h):
        a, b = (m, v) if is_training else (mm, mv)
        return i + 1, tf.tanh(tf.nn.batch_normalization(tf.matmul(h, k), a, b, None, None, 1e-3))
    y = tf.while_loop(lambda i, h: i < 3, step, [0, x])[1]
    return Net({x: (4,)}, tf.identity(y, name='y'), updates=[tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))])


@runs(commands=('freeze', 'fold'))
def layers_in_loop(is_training):
    """Convolution and batch norm of tf.layers inside a while loop; the variables are made outside."""
    x = tf.placeholder(tf.float32, [None, 6, 6, 3], name='x')

    def block(h):
        with tf.variable_scope('block', reuse=tf.AUTO_REUSE):
            return tf.nn.relu(bn(conv(h, 3, 'c'), is_training))
    h0 = block(x)

    def step(i, h):
        h = block(h)
        h.set_shape([None, 6, 6, 3])
        return i + 1, h
    y = tf.while_loop(lambda i, h: i < 2, step, [0, h0])[1]
    ups = [u for u in tf.get_collection(tf.GraphKeys.UPDATE_OPS) if 'while' not in u.name]
    return Net({x: (6, 6, 3)}, tf.identity(y, name='y'), updates=ups)


@runs(commands=('freeze',), options=('--inputs', 'while/queue_DequeueMany'), batch=8, golden_batch=8, versions=('113', '115'))
def dequeue_in_loop(is_training):
    """A training loop in the graph: the batch is dequeued inside the body, the net is cut there."""
    k = w('k', [3, 4])
    mm, mv = fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    if not is_training:
        x = tf.placeholder(tf.float32, [8, 3], name='while/queue_DequeueMany')
        y = tf.nn.relu(tf.nn.batch_normalization(tf.matmul(x, k), mm, mv, None, None, 1e-3), name='y')
        return Net({x: (3,)}, y, updates=[])
    q = tf.FIFOQueue(1000, [tf.float32], shapes=[[3]], name='queue')
    enqueue = q.enqueue_many([np.random.RandomState(5).normal(size=(64, 3)).astype('f') * 2 + 1])

    def step(i, _):
        x = q.dequeue_many(8, name='queue_DequeueMany')
        z = tf.matmul(x, k)
        m, v = tf.nn.moments(z, [0])
        with tf.control_dependencies([tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]):
            return i + 1, tf.nn.relu(tf.nn.batch_normalization(z, m, v, None, None, 1e-3), name='y_in')
    y = tf.while_loop(lambda i, h: i < 3, step, [0, tf.zeros([8, 4])])[1]
    n = Net({}, tf.identity(y, name='y'), updates=[y])
    n.after_init = lambda s: [s.run(enqueue) for _ in range(4)]
    return n


@runs(commands=('freeze', 'fold'), saves=('meta', 'frozen'))
def map_fn_decode(is_training):
    s = tf.placeholder(tf.string, [None], name='bytes')
    pics = tf.map_fn(lambda b: tf.cast(tf.reshape(tf.decode_raw(b, tf.uint8), [6, 6, 3]), tf.float32) / 64. - 1., s, tf.float32)
    pics.set_shape([None, 6, 6, 3])
    y = tf.nn.relu(bn(conv(pics, 4, 'c'), is_training), name='y')
    return Net({s: lambda r, n, st: np.array([r.randint(0, 255, 108).astype('uint8').tobytes() for _ in range(n)], object)}, y)


@runs(commands=('freeze', 'fold'), options=('--inputs', 'map/TensorArrayStack/TensorArrayGatherV3'), expect='ok')
def map_fn_cut(is_training):
    """Cut behind a map_fn: no op of the loop may stay."""
    if is_training:
        s = tf.placeholder(tf.string, [None], name='bytes')
        pics = tf.map_fn(lambda b: tf.cast(tf.reshape(tf.decode_raw(b, tf.uint8), [6, 6, 3]), tf.float32) / 64. - 1., s, tf.float32)
        pics.set_shape([None, 6, 6, 3])
    else:
        pics = tf.placeholder(tf.float32, [None, 6, 6, 3], name='map/TensorArrayStack/TensorArrayGatherV3')
    y = tf.nn.relu(bn(conv(pics, 4, 'c'), is_training), name='y')
    return Net({pics: (6, 6, 3)}, y)


@runs(commands=('freeze', 'fold'))
def rnn_with_bn(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 4], name='x')
    h, s = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(4), bn(x, is_training), dtype=tf.float32)
    y = tf.layers.dense(bn(h[:, -1], is_training, 'bn2'), 3, name='y')
    return net(x, y)


@runs(commands=('freeze', 'fold'), versions=('115', '212'), context=resource_v2)
def while_v2(is_training):
    x = tf.placeholder(tf.float32, [None, 4], name='x')
    k = w('k', [4, 4])
    y = tf.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, k))), [0, bn(tf.layers.dense(x, 4), is_training)])[1]
    return net(x, tf.identity(bn(y, is_training, 'bn2'), name='y'))


@runs(commands=('freeze',), versions=('113', '115'))
def two_loops_share(is_training):
    """A flag is read inside a loop and outside."""
    x = tf.placeholder(tf.float32, [None, 4], name='x')
    t = flagged()
    k = w('k', [4, 4])
    y = bn(tf.layers.dense(x, 4), t)

    def step(i, h):
        h = tf.matmul(h, k)
        h = tf.layers.dropout(h, .3, training=t)
        return i + 1, h
    y = tf.while_loop(lambda i, h: i < 2, step, [0, y])[1]
    return net(x, tf.identity(y, name='y'), t)


# ------------------------------------------------------------------ resources

@runs(commands=('freeze',))
def random_seeded(is_training):
    """A stateful random op that feeds the output for good."""
    x = image('x', (6, 6, 3))
    y = tf.nn.relu(bn(conv(x, 4, 'c'), is_training))
    return net(x, tf.add(y, tf.random_uniform([], 0, 1e-9), name='y'))


@runs(commands=('freeze',), versions=('115', '212'), context=resource)
def uninitialised_local(is_training):
    """A local variable (a counter of a metric) that no checkpoint holds feeds the output."""
    x = image('x', (6, 6, 3))
    n = tf.get_variable('seen', [], initializer=tf.zeros_initializer(), collections=[tf.GraphKeys.LOCAL_VARIABLES], trainable=False)
    y = tf.nn.relu(bn(conv(x, 4, 'c'), is_training))
    return net(x, tf.add(y, n * 0., name='y'))


@runs(commands=('freeze', 'fold'))
def big_slice_of_constant(is_training):
    """What is computed from constants alone becomes one; its size stays bounded."""
    x = image('x', (6, 6, 3))
    big = tf.tile(tf.reshape(tf.range(0, 64, dtype=tf.float32) / 64., [1, 64]), [1000, 1000])
    y = tf.nn.relu(bn(conv(x, 4, 'c'), is_training)) + tf.reduce_mean(big)
    return net(x, tf.identity(y, name='y'))


@runs(commands=('freeze', 'fold'), expect='ok')
def anchors_of_constants(is_training):
    """Grid and anchors of a detector, from ranges and meshgrid."""
    x = image('x', (6, 6, 3))
    gx, gy = tf.meshgrid(tf.range(6), tf.range(6))
    grid = tf.cast(tf.stack([gx, gy], -1), tf.float32)
    anchors = tf.constant([[1., 2.], [3., 4.]])
    y = tf.reshape(bn(conv(x, 8, 'c'), is_training), [-1, 6, 6, 2, 4])
    xy = (tf.sigmoid(y[..., :2]) + tf.reshape(grid, [1, 6, 6, 1, 2])) / 6.
    wh = tf.exp(tf.clip_by_value(y[..., 2:], -3, 3)) * anchors
    return net(x, tf.concat([xy, wh], -1, name='y'))


# ------------------------------------------------------------------ training loops of the TPUEstimator

def statistics_for(sess, graph, net):
    """The loop is never run on this machine: the statistics get values by hand."""
    for v in graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES):
        low, high = (-1., 1.) if 'mean' in v.op.name else (.3, 2.)
        if 'moving' in v.op.name:
            v.load(np.linspace(low, high, v.shape.as_list()[0]).astype('f'), sess)


def infeed(by_layers, optimiser, end):
    """The body of the loop reads a batch by infeed; net, loss and training step are inside of it."""
    def net_of(x, is_training):
        if by_layers:
            y = tf.nn.relu(bn(conv(x, 4, 'c'), is_training))
            y = bn(conv(y, 4, 'c2'), is_training, 'bn2', fused=False)
            return tf.layers.dense(tf.reshape(y, [-1, 144]), 3, name='logits')
        k, mm, mv = w('k', [3, 3, 3, 4]), fixed('moving_mean', [4], 0.), fixed('moving_variance', [4], 1.)
        z = tf.nn.conv2d(x, k, [1, 1, 1, 1], 'SAME')
        m, v = tf.nn.moments(z, [0, 1, 2])
        if is_training:
            with tf.control_dependencies([tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]):
                m = tf.identity(m)
        else:
            m, v = mm, mv
        z = tf.nn.relu(tf.nn.batch_normalization(z, m, v, w('b', [4]), w('g', [4]), 1e-3))
        return tf.reshape(z, [-1, 144], name='logits')

    def build(is_training):
        if not is_training:
            x = tf.placeholder(tf.float32, [3, 6, 6, 3], name='while/InfeedDequeueTuple')
            return Net({x: (6, 6, 3)}, tf.nn.softmax(net_of(x, False)), updates=[])
        q = tf.FIFOQueue(9, [tf.float32, tf.int32], shapes=[[6, 6, 3], []])
        kept = []

        def step(i, last):
            x, y = q.dequeue_many(3, name='InfeedDequeueTuple')
            logits = net_of(x, True)
            kept.append(tf.nn.softmax(logits, name='probabilities'))
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
            ups = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
            if optimiser:
                with tf.control_dependencies(ups):
                    opt = tf.train.GradientDescentOptimizer(1e-3)
                    ups = [opt.apply_gradients([(g, v) for g, v in opt.compute_gradients(loss) if g is not None])]
            with tf.control_dependencies(ups):
                return i + 1, tf.identity(loss)
        n, last = tf.while_loop(lambda i, l: i < 10, step, [0, 0.])
        if end == 'exit':
            tf.identity(last, name='loss')
        return Net({}, kept, updates=[])
    return build


def as_infeed(meta):
    """The dequeue becomes the op of a TPU, which this TensorFlow does not run."""
    for node in meta.graph_def.node:
        if node.name == 'while/InfeedDequeueTuple':
            del node.input[:]
            node.op = 'InfeedDequeueTuple'
            node.attr.clear()
            node.attr['dtypes'].list.type.extend([1, 3])
            for size in ((3, 6, 6, 3), (3,)):
                shape = node.attr['shapes'].list.shape.add()
                for n in size:
                    shape.dim.add().size = n


for _by, _opt in ((True, True), (True, False), (False, True), (False, False)):
    _f = infeed(_by, _opt, 'exit')
    _f.__name__ = 'infeed_%s_%s' % ('layers' if _by else 'hand', 'sgd' if _opt else 'forward')
    runs(versions=('115', '212'), training=False, poke=statistics_for, rewrite=as_infeed, commands=('freeze', 'fold'))(_f)
    _g = infeed(_by, _opt, 'exit')
    _g.__name__ = _f.__name__ + '_resource'
    runs(versions=('115', '212'), training=False, poke=statistics_for, rewrite=as_infeed, commands=('freeze',), context=resource)(_g)


@runs(versions=('113', '115', '212'), training=False)
def opaque_updates(is_training):
    """The update op is a Python function: the names alone are no evidence."""
    x = image('x', (6, 6, 3))
    c = conv(x, 4, 'c')
    with tf.variable_scope('bn'):
        m, v = tf.nn.moments(c, [0, 1, 2])
        mm, mv = fixed('moving_mean', [4], .3), fixed('moving_variance', [4], 1.7)
        if is_training:
            for a, t in ((mm, m), (mv, v)):
                new = tf.py_func(lambda p, q: (.9 * p + .1 * q).astype('f'), [a, t], tf.float32)
                new.set_shape([4])
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(a, new))
        a, b = (m, v) if is_training else (mm, mv)
        y = tf.nn.batch_normalization(c, a, b, w('beta', [4]), w('gamma', [4]), 1e-3)
    return net(x, tf.nn.relu(y, name='y'))
