"""The pieces that random nets are made of: batch norms of all forms, dropouts, topologies, training machinery."""
import contextlib
import importlib.util

from harness import tf

from cases_fused import get_slim
from common import Net, TF2

NAMES = ['layers', 'slim', 'keras', 'moments', 'arithmetic', 'ema', 'fused_by_hand']
DECAY = 0.7
HAS_SLIM = not TF2 or importlib.util.find_spec('tf_slim') is not None


class Style(object):
    pass


@contextlib.contextmanager
def context(resource, cond_v2):
    """Variables by resource or by reference, tf.cond as an op or as Switch and Merge, for one build."""
    had = tf.control_flow_v2_enabled() if hasattr(tf, 'control_flow_v2_enabled') else None
    if hasattr(tf, 'enable_control_flow_v2'):
        (tf.enable_control_flow_v2 if cond_v2 else tf.disable_control_flow_v2)()
    tf.enable_resource_variables() if resource else tf.disable_resource_variables()
    try:
        yield
    finally:
        tf.disable_resource_variables()
        if had is not None:
            (tf.enable_control_flow_v2 if had else tf.disable_control_flow_v2)()


def plan_block(p, s, i):
    b = Style()
    b.kind = s.library if s.library != 'mixed' else p.pick('bn%d' % i, *NAMES)
    b.fused = p.chance('fused%d' % i, .5)
    b.gamma, b.beta = not p.chance('no_gamma%d' % i, .25), not p.chance('no_beta%d' % i, .2)
    b.keeper = p.pick('keeper%d' % i, 'assign', 'assign_sub', 'assign_add', 'ama', 'ama_zero', 'swapped')
    b.renorm = p.chance('renorm%d' % i, .1)
    b.zero_debias = p.chance('zero_debias%d' % i, .15)
    b.in_place = p.chance('in_place%d' % i, .3)
    b.form = p.pick('form%d' % i, 'bn', 'sqrt', 'rsqrt', 'pow', 'scale_shift', 'bias_add', 'eps_outside', 'inv')
    b.moments = p.pick('moments%d' % i, 'nn', 'nn', 'keep', 'reduce', 'square_diff', 'ex2', 'kept_stats')
    b.act = p.pick('act%d' % i, 'relu', 'tanh', 'leaky', None)
    b.channels = p.pick('c%d' % i, 1, 3, 4, 4, 5)
    b.eps = p.pick('eps%d' % i, 1e-3, 1e-5, .1)
    b.bias = p.chance('bias%d' % i, .4)
    b.scope = p.pick('name%d' % i, 'bn', 'BatchNorm', 'batch_normalization', 'conv/bn', 'moving_variance', 'x')
    return b


class Build(object):
    def __init__(self, style, is_training, rng):
        self.s, self.training, self.rng = style, is_training, rng
        self.feed, self.golden_feed, self.updates = {}, {}, []
        self.mode = is_training
        self.count = 0

    # -------------------------------------------------------------- flags

    def flag(self):
        kind = self.s.flag
        if kind == 'python':
            return self.training
        if kind == 'const':
            return tf.constant(True) if self.training else False
        if kind == 'number':
            f = tf.placeholder(tf.float32, [], name='phase')
            return self.fed(f, tf.greater(f, .5), 1., 0.)
        if kind == 'default_true':
            f = tf.placeholder_with_default(True, [], name='training')
            return self.fed(f, f)
        if kind == 'default_false':
            f = tf.placeholder_with_default(False, [], name='training')
            return self.fed(f, f)
        if kind == 'variable':
            f = tf.get_variable('is_training_flag', [], tf.bool, initializer=tf.constant_initializer(True), trainable=False)
            return f if self.training else False
        f = tf.placeholder(tf.bool, [] if self.rng.randint(2) else None, name='is_training')
        if kind == 'not':
            self.feed[f], self.golden_feed[f] = False, True
            return tf.logical_not(f)
        if kind == 'and':
            g = tf.placeholder_with_default(True, [], name='update_bn')
            self.fed(f, f)
            return tf.logical_and(f, g)
        return self.fed(f, f)

    def fed(self, placeholder, flag, on=True, off=False):
        self.feed[placeholder], self.golden_feed[placeholder] = on, off
        return flag

    def is_tensor(self):
        return not isinstance(self.mode, bool)

    # -------------------------------------------------------------- batch norms

    def norm(self, x, b, scope):
        make = getattr(self, 'bn_' + b.kind)
        y = make(x, b, scope)
        y.set_shape(x.get_shape())
        return y

    def bn_layers(self, x, b, scope):
        k = dict(fused=None if b.fused else False)
        if b.renorm and not self.is_tensor():
            k.update(renorm=True, renorm_momentum=DECAY)
        return tf.layers.batch_normalization(x, momentum=DECAY, epsilon=b.eps, scale=b.gamma, center=b.beta,
                                             training=self.mode, name=scope, reuse=self.reuse, **k)

    def bn_slim(self, x, b, scope):
        if x.shape.ndims not in (2, 4) or not HAS_SLIM:
            return self.bn_layers(x, b, scope)
        slim = get_slim()
        k = dict(fused=None if b.fused else False, zero_debias_moving_mean=b.zero_debias)
        if b.in_place:
            k['updates_collections'] = None
        return slim.batch_norm(x, decay=DECAY, epsilon=b.eps, scale=b.gamma, center=b.beta, is_training=self.mode,
                               scope=scope, reuse=self.reuse, **k)

    def bn_keras(self, x, b, scope):
        if self.reuse:
            layer = self.layers[tf.get_variable_scope().name, scope]
        else:
            layer = tf.keras.layers.BatchNormalization(momentum=DECAY, epsilon=b.eps, scale=b.gamma, center=b.beta,
                                                       name=scope.replace('/', '_'),
                                                       **({} if b.fused else dict(fused=False)))
            self.layers[tf.get_variable_scope().name, scope] = layer
        y = layer(x, training=self.mode)
        if self.training:
            for u in layer.updates:
                if u not in self.updates:
                    self.updates.append(u)
        return y

    layers = None

    def variables(self, x, b, shape=None):
        c = x.shape.as_list()[-1]
        shape = shape or [c]
        g = tf.get_variable('gamma', shape, initializer=tf.ones_initializer()) if b.gamma else None
        o = tf.get_variable('beta', shape, initializer=tf.zeros_initializer()) if b.beta else None
        m = tf.get_variable('pop_mean', shape, initializer=tf.zeros_initializer(), trainable=False)
        v = tf.get_variable('pop_var', shape, initializer=tf.ones_initializer(), trainable=False)
        return g, o, m, v

    def keep(self, b, var, value):
        from tensorflow.python.training import moving_averages
        if b.keeper == 'assign':
            return tf.assign(var, var * DECAY + value * (1 - DECAY))
        if b.keeper == 'swapped':
            return tf.assign(var, (1 - DECAY) * value + DECAY * var)
        if b.keeper == 'assign_sub':
            return tf.assign_sub(var, (1 - DECAY) * (var - value))
        if b.keeper == 'assign_add':
            return tf.assign_add(var, (value - var) * (1 - DECAY))
        return moving_averages.assign_moving_average(var, value, DECAY, zero_debias=b.keeper == 'ama_zero')

    def by_flag(self, batch, moving, ops):
        """What normalises: a Python choice, or tf.cond on the flag."""
        def on():
            with tf.control_dependencies(ops()):
                return [tf.identity(t) for t in batch()]
        if self.mode is True:
            batch_values = batch()
            made = ops()
            if self.s.control == 'identity':
                with tf.control_dependencies(made):
                    return [tf.identity(t) for t in batch_values]
            self.updates += made
            return batch_values
        if self.mode is False:
            return [tf.identity(t) for t in moving()]
        return tf.cond(self.mode, on, lambda: [tf.identity(t) for t in moving()])

    def batch_moments(self, x, b, m=None):
        axes = list(range(x.shape.ndims - 1))
        if b.moments in ('keep', 'kept_stats'):
            return tf.nn.moments(x, axes, keep_dims=True)
        if b.moments == 'reduce':
            mean = tf.reduce_mean(x, axes)
            return mean, tf.reduce_mean(tf.square(x - mean), axes)
        if b.moments == 'square_diff':
            mean = tf.reduce_mean(x, axes, keepdims=True)
            return tf.reshape(mean, [-1]), tf.reduce_mean(tf.squared_difference(x, mean), axes)
        if b.moments == 'ex2':
            mean = tf.reduce_mean(x, axes)
            return mean, tf.reduce_mean(x * x, axes) - mean * mean
        return tf.nn.moments(x, axes)

    def normalise(self, x, m, v, g, o, b):
        form = b.form
        if form == 'bn':
            return tf.nn.batch_normalization(x, m, v, o, g, b.eps)
        if form == 'scale_shift':
            s = tf.rsqrt(v + b.eps)
            s = s * g if g is not None else s
            return x * s + ((o if o is not None else 0.) - m * s)
        if form == 'sqrt':
            y = (x - m) / tf.sqrt(v + b.eps)
        elif form == 'pow':
            y = (x - m) / tf.pow(v + b.eps, .5)
        elif form == 'eps_outside':
            y = (x - m) / (tf.sqrt(v) + b.eps)
        elif form == 'inv':
            y = (x - m) * tf.reciprocal(tf.sqrt(b.eps + v))
        else:
            y = (x - m) * tf.rsqrt(b.eps + v)
        if g is not None:
            y = g * y
        if o is not None:
            y = tf.nn.bias_add(y, o) if form == 'bias_add' and o.shape.ndims == 1 else y + o
        return y

    def bn_moments(self, x, b, scope):
        with tf.variable_scope(scope, reuse=self.reuse):
            c = x.shape.as_list()[-1]
            kept = b.moments == 'kept_stats'
            shape = [1] * (x.shape.ndims - 1) + [c] if kept else [c]
            g, o, m, v = self.variables(x, b, shape)
            made = []

            def batch():
                made[:] = self.batch_moments(x, b)
                return made

            def ops():
                flat = (lambda t: t) if kept or b.moments != 'keep' else (lambda t: tf.reshape(t, [c]))
                return [self.keep(b, m, flat(made[0])), self.keep(b, v, flat(made[1]))]

            def on_order(f):
                return f
            back = (lambda t: tf.reshape(t, [1] * (x.shape.ndims - 1) + [c])) if b.moments == 'keep' else (lambda t: t)
            if self.is_tensor():
                def on():
                    values = batch()
                    with tf.control_dependencies(ops()):
                        return [tf.identity(t) for t in values]
                mean, var = tf.cond(self.mode, on, lambda: [tf.identity(back(m)), tf.identity(back(v))])
            else:
                mean, var = self.by_flag(batch, lambda: (back(m), back(v)), ops)
            return self.normalise(x, mean, var, g, o, b)

    bn_arithmetic = bn_moments

    def bn_ema(self, x, b, scope):
        with tf.variable_scope(scope, reuse=False if not self.reuse else None):
            pass
        if self.reuse or self.s.topology in ('towers', 'siamese', 'gan'):
            return self.bn_moments(x, b, scope)
        with tf.variable_scope(scope):
            c = x.shape.as_list()[-1]
            g = tf.get_variable('gamma', [c], initializer=tf.ones_initializer()) if b.gamma else None
            o = tf.get_variable('beta', [c], initializer=tf.zeros_initializer()) if b.beta else None
            m, v = tf.nn.moments(x, list(range(x.shape.ndims - 1)), name='moments')
            ema = tf.train.ExponentialMovingAverage(DECAY, name='EMA_' + scope.replace('/', '_'))
            if not self.is_tensor():
                op = ema.apply([m, v])
                mean, var = self.by_flag(lambda: (m, v), lambda: (ema.average(m), ema.average(v)), lambda: [op])
            else:
                def on():
                    with tf.control_dependencies([ema.apply([m, v])]):
                        return tf.identity(m), tf.identity(v)
                mean, var = tf.cond(self.mode, on, lambda: (ema.average(m), ema.average(v)))
            return self.normalise(x, mean, var, g, o, b)

    def bn_fused_by_hand(self, x, b, scope):
        if x.shape.ndims != 4 or b.keeper == 'ama_zero':
            return self.bn_moments(x, b, scope)
        with tf.variable_scope(scope, reuse=self.reuse):
            g, o, m, v = self.variables(x, b)
            c = x.shape.as_list()[-1]
            g = g if g is not None else tf.ones([c])
            o = o if o is not None else tf.zeros([c])
            eps = max(b.eps, 1.1e-5)

            def on():
                y, bm, bv = tf.nn.fused_batch_norm(x, g, o, epsilon=eps, is_training=True)
                ops = [self.keep(b, m, bm), self.keep(b, v, bv)]
                if self.is_tensor() or self.s.control == 'identity':
                    with tf.control_dependencies(ops):
                        return tf.identity(y)
                self.updates += ops
                return y

            def off():
                return tf.nn.fused_batch_norm(x, g, o, mean=tf.identity(m), variance=tf.identity(v), epsilon=eps,
                                              is_training=False)[0]
            return tf.cond(self.mode, on, off) if self.is_tensor() else (on() if self.mode else off())

    reuse = False

    # -------------------------------------------------------------- other layers

    def linear(self, x, c, name, bias=False, stride=1):
        nd = x.shape.ndims
        k = dict(use_bias=bias, name=name, reuse=self.reuse)
        if nd == 2:
            return tf.layers.dense(x, c, **k)
        f = {3: tf.layers.conv1d, 4: tf.layers.conv2d, 5: tf.layers.conv3d}[nd]
        return f(x, c, 3 if nd < 5 else 2, padding='same', strides=stride, **k)

    def act(self, x, kind):
        return {'relu': tf.nn.relu, 'tanh': tf.nn.tanh, 'leaky': tf.nn.leaky_relu, None: lambda t: t}[kind](x)

    def dropout(self, x):
        kind = self.s.dropout
        if kind is None:
            return x
        if kind == 'layers' or (kind == 'slim' and not HAS_SLIM):
            return tf.layers.dropout(x, .3, training=self.mode)
        if kind == 'keras':
            return tf.keras.layers.Dropout(.3)(x, training=self.mode)
        if kind == 'spatial':
            noise = [None if i in (0, x.shape.ndims - 1) else 1 for i in range(x.shape.ndims)]
            noise = [tf.shape(x)[i] if n is None else n for i, n in enumerate(noise)]
            return tf.layers.dropout(x, .3, noise_shape=noise, training=self.mode)
        if kind == 'slim':
            return get_slim().dropout(x, .7, is_training=self.mode)
        if kind == 'keep_prob':
            k = tf.placeholder_with_default(1., [], name='keep_prob') if self.rng.randint(2) else \
                tf.placeholder(tf.float32, name='keep_prob')
            self.feed[k], self.golden_feed[k] = .6, 1.
            return tf.nn.dropout(x, k)

        def on():
            if kind == 'nn':
                return tf.nn.dropout(x, .7)
            mask = tf.cast(tf.less(tf.random_uniform(tf.shape(x)), .7), tf.float32)
            return x * mask / .7
        if self.is_tensor():
            return tf.cond(self.mode, on, lambda: tf.identity(x))
        return on() if self.mode else x

    def other(self, x):
        kind = self.s.other_norm
        if kind is None:
            return x
        nd = x.shape.ndims
        if kind == 'l2':
            return tf.nn.l2_normalize(x, nd - 1)
        if kind == 'minibatch_std':
            d = x - tf.reduce_mean(x, 0, keepdims=True)
            sd = tf.reduce_mean(tf.sqrt(tf.reduce_mean(tf.square(d), 0) + 1e-8))
            return tf.concat([x, tf.zeros_like(x[..., :1]) + sd], nd - 1)
        if kind == 'instance' and nd < 3:
            kind = 'layer'
        axes = {'layer': [nd - 1], 'instance': list(range(1, nd - 1)), 'group': [nd - 1]}[kind]
        with tf.name_scope('other'):
            m, v = tf.nn.moments(x, axes, keep_dims=True)
            return tf.nn.batch_normalization(x, m, v, None, None, 1e-2)

    def block(self, x, b, i, prefix='', residual=False):
        with tf.variable_scope('%sblock%d' % (prefix, i), reuse=self.reuse):
            c = x.shape.as_list()[-1] if residual else b.channels
            if self.s.topology == 'preact':
                y = self.act(self.norm(x, b, b.scope), b.act)
                return self.linear(y, c, 'linear', b.bias)
            y = self.linear(x, c, 'linear', b.bias)
            return self.act(self.norm(y, b, b.scope), b.act)


def placeholder(s):
    if s.shape == 'vector':
        return tf.placeholder(tf.float32, [None, 6], name='input'), (6,)
    if s.shape == 'sequence':
        return tf.placeholder(tf.float32, [None, 5, 3], name='input'), (5, 3)
    if s.shape == 'volume':
        return tf.placeholder(tf.float32, [None, 3, 3, 3, 2], name='input'), (3, 3, 3, 2)
    size = [None, None, None, 3] if s.open else [None, 6, 6, 3]
    return tf.placeholder(tf.float32, size, name='input'), (6, 6, 3)


def body(n, x, prefix=''):
    s = n.s
    if s.norm_on_input:
        with tf.variable_scope(prefix + 'pre'):
            x = n.norm(x, s.blocks[0], 'input_bn')
    t = s.topology
    for i, b in enumerate(s.blocks):
        if t == 'residual':
            x = x + n.block(x, b, i, prefix, True)
        elif t == 'dense':
            x = tf.concat([x, n.block(x, b, i, prefix)], x.shape.ndims - 1)
        elif t == 'inception':
            x = tf.concat([n.block(x, b, i, prefix + 'l'), n.block(x, b, i, prefix + 'r')], x.shape.ndims - 1)
        elif t == 'mobilenet' and x.shape.ndims == 4:
            with tf.variable_scope('%sdw%d' % (prefix, i)):
                k = tf.get_variable('depthwise', [3, 3, x.shape.as_list()[-1], 1], initializer=tf.ones_initializer())
                x = tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], 'SAME')
                x = tf.nn.relu6(n.norm(x, b, 'dw_bn'))
            x = n.block(x, b, i, prefix)
        elif t == 'unet' and x.shape.ndims == 4 and not s.open:
            d = tf.nn.max_pool(n.block(x, b, i, prefix + 'down'), [1, 2, 2, 1], [1, 2, 2, 1], 'SAME')
            d = n.block(d, b, i, prefix + 'mid')
            d = tf.image.resize_nearest_neighbor(d, x.shape.as_list()[1:3])
            x = n.block(tf.concat([x, d], 3), b, i, prefix + 'up')
        else:
            x = n.block(x, b, i, prefix)
        if i == 0:
            x = n.dropout(n.other(x))
    return x


def pooled(x):
    return x if x.shape.ndims == 2 else tf.reduce_mean(x, list(range(1, x.shape.ndims - 1)))


def build(s, is_training, rng):
    n = Build(s, is_training, rng)
    n.layers = {}
    x, shape = placeholder(s)
    n.mode = n.flag()
    with tf.variable_scope(s.scope) if s.scope else tf.name_scope('net'):
        outputs = wire(n, x)
    updates = []
    if is_training:
        updates = train(n, outputs)
        if s.flag == 'variable':
            tf.group(tf.assign([v for v in tf.global_variables() if 'is_training_flag' in v.op.name][0], True))
    return Net({x: shape}, outputs, updates=updates, feed=n.feed, golden_feed=n.golden_feed)


def wire(n, x):
    s = n.s
    if s.topology == 'towers':
        outs = []
        for i, part in enumerate(tf.split(x, 2)):
            part.set_shape(x.get_shape())
            n.reuse = i > 0
            with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE), tf.name_scope('tower_%d' % i):
                if s.device:
                    with tf.device('/cpu:%d' % i):
                        outs.append(body(n, part))
                else:
                    outs.append(body(n, part))
        y = tf.concat(outs, 0)
    elif s.topology == 'siamese':
        with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):
            a = body(n, x)
            n.reuse = True
            b = body(n, tf.reverse(x, [1]) if x.shape.ndims > 2 else -x)
        y = tf.abs(a - b) + a
    elif s.topology == 'gan':
        with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):
            y = body(n, x)
            n.reuse = True
            if n.training and not n.is_tensor():
                mode, n.mode = n.mode, False
                tf.identity(body(n, x), name='sampler')
                n.mode = mode
    else:
        y = body(n, x)
    n.reuse = False
    f = pooled(y)
    if s.topology == 'heads':
        a, b = tf.layers.dense(f, 2, name='head_a'), n.norm(tf.layers.dense(f, 3, name='head_b'), s.blocks[0], 'head_bn')
        return [tf.identity(a, name='out_a'), tf.identity(b, name='out_b')]
    if s.output == 'raw':
        return [y]
    if s.output == 'relu':
        return [tf.nn.relu(y, name='output')]
    if s.output == 'softmax':
        return [tf.nn.softmax(tf.layers.dense(f, 3, name='logits'), name='probabilities')]
    if s.output == 'two':
        return [tf.identity(y, name='features'), tf.layers.dense(f, 2, name='logits')]
    return [tf.identity(y, name='output')]


def train(n, outputs):
    s = n.s
    updates = n.updates + tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    loss = tf.add_n([tf.reduce_mean(tf.square(o)) for o in outputs])
    if 'regularise' in s.extras:
        loss += 1e-4 * tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()] or [0.])
    if 'summary' in s.extras:
        for v in tf.global_variables():
            if v.dtype.base_dtype.is_floating:
                tf.summary.histogram(v.op.name, v)
        tf.summary.scalar('loss', loss)
        tf.summary.merge_all()
    ops = list(updates) + list(outputs)
    own = tf.global_variables()
    if s.optimizer:
        optimizer = {'Adam': tf.train.AdamOptimizer(1e-4), 'Momentum': tf.train.MomentumOptimizer(1e-4, .9),
                     'RMSProp': tf.train.RMSPropOptimizer(1e-4), 'Adagrad': tf.train.AdagradOptimizer(1e-4),
                     'SGD': tf.train.GradientDescentOptimizer(1e-4)}[s.optimizer]
        scale = 64. if 'loss_scale' in s.extras else 1.
        with tf.control_dependencies(updates if s.control == 'train_op' else []):
            pairs = [(g, v) for g, v in optimizer.compute_gradients(loss * scale) if g is not None]
            pairs = [(g / scale, v) for g, v in pairs]
            if 'clip' in s.extras and pairs:
                clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], 1.)
                pairs = list(zip(clipped, [v for _, v in pairs]))
            if 'accumulate' in s.extras:
                with tf.control_dependencies(None):
                    sums = [tf.Variable(tf.zeros(v.shape.as_list(), v.dtype.base_dtype), trainable=False) for _, v in pairs]
                with tf.control_dependencies([a.assign_add(g) for a, (g, _) in zip(sums, pairs)]):
                    pairs = [(a.read_value() / 2., v) for a, (_, v) in zip(sums, pairs)]
            if pairs:
                ops.append(optimizer.apply_gradients(pairs, tf.train.get_or_create_global_step()))
    floats = [v for v in own if v.dtype.base_dtype.is_floating]
    if 'loss_avg' in s.extras:
        avg = tf.get_variable('loss_avg', [], initializer=tf.zeros_initializer(), trainable=False)
        ops.append(tf.assign(avg, .9 * avg + .1 * loss))
    if 'ema' in s.extras:
        with tf.control_dependencies([o for o in ops if isinstance(o, tf.Operation)] + updates):
            ops.append(tf.train.ExponentialMovingAverage(.8, name='weights_avg').apply(floats))
    if 'target' in s.extras:
        copies = [tf.Variable(tf.zeros(v.shape.as_list()), trainable=False, name='target/' + v.op.name) for v in floats]
        if s.control == 'train_op':
            with tf.control_dependencies(updates):
                ops += [tf.assign(c, .3 * v + .7 * c) for c, v in zip(copies, floats)]
        else:
            ops += [tf.assign(c, .3 * v + .7 * c) for c, v in zip(copies, floats)]
    if 'swap' in s.extras:
        backup = [tf.Variable(tf.zeros(v.shape.as_list()), trainable=False, name='backup/' + v.op.name) for v in floats]
        tf.group(*([tf.assign(b, v) for b, v in zip(backup, floats)] + [tf.assign(v, b) for b, v in zip(backup, floats)]))
    return ops
