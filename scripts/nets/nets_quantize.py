"""Quantisation-aware training, stripped defaults, obsolete ops, constants that are computed, iterators."""
from harness import np, tf

from builders import bn, conv, fixed, flagged, net, next_, resource, w
from cases_fused import get_slim, image
from common import Net, TF2, draw, rng_for
from situations import situation

TF1 = ('113', '115')
ALL = ('113', '115', '212')


def norm_args(t, **k):
    return dict({'is_training': t, 'decay': .8, 'scale': True}, **k)


def net_plain(x, t):
    slim = get_slim()
    y = slim.conv2d(x, 6, 3, scope='conv', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t))
    y = slim.conv2d(y, 4, 3, scope='conv2', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t), activation_fn=tf.nn.relu6)
    return slim.conv2d(y, 3, 1, scope='logits', activation_fn=None)


def net_mobile(x, t):
    slim = get_slim()
    y = slim.conv2d(x, 4, 3, scope='c', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t), activation_fn=tf.nn.relu6)
    y = slim.separable_conv2d(y, None, 3, depth_multiplier=1, scope='dw', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t),
                              activation_fn=tf.nn.relu6)
    y = slim.conv2d(y, 6, 1, scope='pw', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t), activation_fn=tf.nn.relu6)
    return slim.conv2d(y, 3, 1, scope='out', activation_fn=None)


def net_residual(x, t):
    slim = get_slim()
    y = slim.conv2d(x, 4, 3, scope='c', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t))
    z = slim.conv2d(y, 4, 3, scope='c2', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t), activation_fn=None)
    return slim.conv2d(tf.nn.relu(y + z), 3, 1, scope='out', activation_fn=None)


def net_dense(x, t):
    slim = get_slim()
    y = slim.conv2d(x, 4, 3, scope='c', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t))
    y = slim.fully_connected(slim.flatten(y), 5, scope='f', normalizer_fn=slim.batch_norm, normalizer_params=norm_args(t))
    return slim.fully_connected(y, 3, scope='out', activation_fn=None)


def gather(sess, graph, net):
    """Statistics and ranges: contrib.quantize takes the update ops from the graph."""
    variables = {v.op.name: v for v in graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)}
    norms = [o for o in graph.get_operations() if o.type.startswith('FusedBatchNorm') and 'Grad' not in o.type]
    if 'global_step' in variables:
        variables['global_step'].load(100, sess)
    rng = rng_for('quantize')
    for _ in range(40):
        feed = draw(net, rng, 16, 'train')
        feed.update(net.feed)
        got = sess.run([net.outputs[0]] + [(o.outputs[1], o.outputs[2]) for o in norms], feed)
        for o, (mean, variance) in zip(norms, got[1:]):
            scope = o.name.rsplit('/', 1)[0]
            for name, value in (('moving_mean', mean), ('moving_variance', variance)):
                v = variables[scope + '/' + name]
                v.load(.9 * v.eval(session=sess) + .1 * value, sess)


def quantized(body, how):
    def build(is_training):
        x = image('input', (8, 8, 3))
        y = tf.identity(tf.reduce_mean(body(x, is_training), list(range(1, 3))) if body is not net_dense else body(x, is_training), name='scores')
        q = tf.contrib.quantize
        if how == 'delay':
            tf.train.get_or_create_global_step()
            if is_training:
                q.experimental_create_training_graph(quant_delay=5, freeze_bn_delay=10 ** 6)
        elif how == 'frozen_bn':
            tf.train.get_or_create_global_step()
            if is_training:
                q.experimental_create_training_graph(quant_delay=5, freeze_bn_delay=10)
        elif how == 'symmetric' and is_training:
            q.experimental_create_training_graph(symmetric=True, weight_bits=8, activation_bits=8)
        elif is_training:
            q.create_training_graph(quant_delay=0)
        if not is_training:
            if how in ('delay', 'frozen_bn'):
                q.experimental_create_eval_graph()
            elif how == 'symmetric':
                q.experimental_create_eval_graph(symmetric=True)
            else:
                q.create_eval_graph()
        if is_training:
            loss = tf.reduce_mean(tf.square(y))
            tf.train.GradientDescentOptimizer(1e-5).minimize(loss)
        return Net({x: (8, 8, 3)}, y)
    return build


for _b in (net_plain, net_mobile, net_residual, net_dense):
    for _h in ('plain', 'delay', 'frozen_bn', 'symmetric'):
        _f = quantized(_b, _h)
        _f.__name__ = 'qat_%s_%s' % (_b.__name__[4:], _h)
        situation('quantize', TF1, training=False, poke=gather, tolerance=.03, commands=('freeze', 'fold'))(_f)


@situation('quantize', ALL, commands=('freeze', 'fold'))
def fake_quant_by_hand(is_training):
    x = image('x', (6, 6, 3))
    k = tf.fake_quant_with_min_max_args(w('k', [3, 3, 3, 4]), -1.5, 1.5)
    y = bn(tf.nn.conv2d(x, k, [1, 1, 1, 1], 'SAME'), is_training)
    y = tf.fake_quant_with_min_max_args(tf.nn.relu6(y), 0., 6.)
    return net(x, tf.identity(y, name='y'))


# ------------------------------------------------------------------ stripped defaults

@situation('quantize', ALL, saves=('stripped',), commands=('freeze', 'fold'))
def stripped_net(is_training):
    """Default attrs that the writer left out: epsilon 1e-4, is_training, data_format, strides, alpha."""
    x = image('x', (8, 8, 3))
    c = conv(x, 4, 'c')
    g, b, mm, mv = w('gamma', [4]), w('beta', [4]), fixed('mm', [4], 0.), fixed('mv', [4], 1.)
    y, m, v = tf.nn.fused_batch_norm(c, g, b, epsilon=1e-4) if is_training else tf.nn.fused_batch_norm(c, g, b, mm, mv, epsilon=1e-4, is_training=False)
    y = tf.nn.leaky_relu(y)
    y = bn(conv(y, 4, 'c2', s=2), is_training)
    y = tf.nn.max_pool(tf.nn.lrn(y), [1, 2, 2, 1], [1, 2, 2, 1], 'SAME')
    y = tf.layers.conv2d_transpose(y, 3, 3, 2, padding='same', name='t')
    y = tf.image.resize_bilinear(y, [8, 8])
    ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))] + tf.get_collection(tf.GraphKeys.UPDATE_OPS) if is_training else []
    return Net({x: (8, 8, 3)}, tf.identity(y, name='y'), updates=ups)


@situation('quantize', ALL, saves=('stripped',), commands=('freeze', 'fold'))
def stripped_flag(is_training):
    x = image('x', (8, 8, 3))
    t = flagged()
    y = tf.nn.leaky_relu(bn(conv(x, 4, 'c'), t))
    y = tf.layers.dropout(bn(conv(y, 4, 'c2'), t, 'bn2', fused=False), .4, training=t)
    y = tf.reduce_max(y, [1, 2])
    return net(x, tf.matmul(y, w('m', [5, 4]), transpose_b=True, name='y'), t)


# ------------------------------------------------------------------ the obsolete op, attrs that are too new

def by_arithmetic(scale_after):
    """The truth of the obsolete op: this TensorFlow does not run it."""
    def build(is_training):
        x = image('x', (6, 6, 3))
        c = conv(x, 4, 'c')
        g, b, mm, mv = w('gamma', [4]), w('beta', [4]), fixed('mm', [4], 0.), fixed('mv', [4], 1.)
        m, v = tf.nn.moments(c, [0, 1, 2])
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))]
        y = tf.nn.batch_normalization(c, mm, mv, b, g if scale_after else None, 1e-3)
        if is_training:
            mark = tf.identity_n([c] + [tf.identity(t) for t in (mm, mv, b, g)], name='obsolete')
            with tf.control_dependencies([mark[0].op]):
                y = tf.identity(y, name='bn_out')
        return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'), updates=ups)

    def rewrite(meta):
        nodes = {n.name: n for n in meta.graph_def.node}
        node = nodes['obsolete']
        node.op = 'BatchNormWithGlobalNormalization'
        node.attr.clear()
        node.attr['T'].type = 1
        node.attr['variance_epsilon'].f = 1e-3
        node.attr['scale_after_normalization'].b = scale_after
        nodes['y'].input[0] = 'obsolete'
        meta.graph_def.versions.producer = 8
    return build, rewrite


for _scale in (True, False):
    _f, _rewrite = by_arithmetic(_scale)
    _f.__name__ = 'obsolete_op_%s' % ('scaled' if _scale else 'unscaled')
    situation('quantize', ALL, rewrite=_rewrite, commands=('freeze', 'fold'))(_f)


# ------------------------------------------------------------------ computed constants, cut inputs

@situation('quantize', ALL, commands=('freeze', 'fold'))
def computed_constants(is_training):
    x = image('x', (6, 6, 3))
    n = tf.shape(tf.constant(np.zeros((2, 4), 'f')))[1]
    k = tf.reshape(tf.concat([w('k1', [3, 3, 3, 2]), w('k2', [3, 3, 3, 2])], 3), [3, 3, 3, n])
    scale = tf.exp(tf.constant([.1, .2, .3, .4])) / tf.reduce_sum(tf.constant([1., 2.]))
    y = bn(tf.nn.conv2d(x, k * scale, [1, 1, 1, 1], 'SAME'), is_training, fused=False)
    y = tf.image.resize_images(y, [tf.constant(3) * 4, 12])
    return net(x, tf.identity(y, name='y'))


@situation('quantize', ALL, commands=('freeze', 'fold'))
def normalised_weights(is_training):
    """Weight normalisation and spectral normalisation: computed from variables alone."""
    x = image('x', (6, 6, 3))
    v = w('v', [3, 3, 3, 4])
    k = w('g', [4]) * tf.nn.l2_normalize(v, [0, 1, 2])
    y = tf.nn.relu(bn(tf.nn.conv2d(x, k, [1, 1, 1, 1], 'SAME'), is_training))
    u = fixed('u', [1, 4], 1.)
    v2 = w('v2', [4, 4])
    a = tf.nn.l2_normalize(tf.matmul(u, v2, transpose_b=True))
    b = tf.nn.l2_normalize(tf.matmul(a, v2))
    sigma = tf.squeeze(tf.matmul(tf.matmul(a, v2), b, transpose_b=True))
    y = tf.matmul(tf.reduce_mean(y, [1, 2]), v2 / sigma)
    return net(x, tf.identity(y, name='y'))


def iterator(how):
    def build(is_training):
        data = np.random.RandomState(3).normal(size=(32, 8, 8, 3)).astype('f') * 1.7 + .6
        if is_training:
            ds = tf.data.Dataset.from_tensor_slices((data, np.arange(32))).repeat().batch(8)
            if how == 'one_shot':
                x, y = tf.data.make_one_shot_iterator(ds).get_next()
            elif how == 'initializable':
                it = tf.data.make_initializable_iterator(ds)
                x, y = it.get_next()
            elif how == 'dict':
                x = tf.data.make_one_shot_iterator(ds.map(lambda a, b: {'image': a, 'label': b})).get_next()['image']
            else:
                it = tf.data.Iterator.from_structure(tf.data.get_output_types(ds), tf.data.get_output_shapes(ds))
                it.make_initializer(ds)
                x, y = it.get_next()
        else:
            x = tf.placeholder(tf.float32, [None, 8, 8, 3], name='IteratorGetNext')
        y = tf.reduce_mean(tf.nn.relu(bn(conv(x, 4, 'c'), is_training)), [1, 2], name='y')
        return Net({x: (8, 8, 3)}, y)
    return build


for _how in ('one_shot', 'initializable', 'dict', 'structure'):
    _f = iterator(_how)
    _f.__name__ = 'iterator_' + _how
    situation('quantize', ALL, commands=('freeze', 'fold'), saves=('meta', 'stripped'))(_f)
