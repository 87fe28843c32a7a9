"""Nets after well-known repositories and libraries: PointNet, tflearn, tensorlayer, tensorpack, Keras."""
from harness import tf
from builders import bn, conv, fixed, net, recipe, w

import forms
from cases_fused import image
from common import Net


def phase_bn(x, phase, scope, axes, decay=0.9, sub=True):
    with tf.variable_scope(scope):
        c = x.get_shape()[-1]
        beta = tf.Variable(tf.constant(0.0, shape=[c]), name='beta', trainable=True)
        gamma = tf.Variable(tf.constant(1.0, shape=[c]), name='gamma', trainable=True)
        batch_mean, batch_var = tf.nn.moments(x, axes, name='moments')
        ema = tf.train.ExponentialMovingAverage(decay=decay)
        apply = tf.cond(phase, lambda: ema.apply([batch_mean, batch_var]), lambda: tf.no_op())

        def with_update():
            with tf.control_dependencies([apply]):
                return tf.identity(batch_mean), tf.identity(batch_var)
        mean, var = tf.cond(phase, with_update, lambda: (ema.average(batch_mean), ema.average(batch_var)))
        return tf.nn.batch_normalization(x, mean, var, beta, gamma, 1e-3)


@recipe()
def pointnet(is_training):
    x = tf.placeholder(tf.float32, [None, 16, 3], name='pointclouds')
    phase = tf.placeholder(tf.bool, [], name='is_training_pl')
    step = tf.Variable(0, trainable=False, name='batch')
    momentum = tf.train.exponential_decay(0.5, step * 8, 100, 0.5, staircase=True)
    decay = tf.minimum(0.99, 1 - momentum)
    y = tf.expand_dims(x, -1)
    y = tf.layers.conv2d(y, 4, [1, 3], name='conv1')
    y = tf.nn.relu(phase_bn(y, phase, 'conv1/bn', [0, 1, 2], decay))
    y = tf.layers.conv2d(y, 6, [1, 1], name='conv2')
    y = tf.nn.relu(phase_bn(y, phase, 'conv2/bn', [0, 1, 2], decay))
    y = tf.reshape(tf.layers.max_pooling2d(y, [16, 1], 1), [-1, 6])
    y = tf.nn.relu(phase_bn(tf.layers.dense(y, 5, name='fc1'), phase, 'fc1/bn', [0], decay))
    y = tf.cond(phase, lambda: tf.nn.dropout(y, 0.7), lambda: y)
    y = tf.layers.dense(y, 3, name='fc3')
    up = []
    if is_training:
        up = tf.train.AdamOptimizer(1e-4).minimize(tf.reduce_mean(y ** 2), global_step=step)
    return Net({x: (16, 3)}, y, updates=up or [], feed={phase: True}, golden_feed={phase: False})


@recipe('1')
def tflearn(is_training):
    flag = tf.get_variable('is_training', [], tf.bool, trainable=False, initializer=tf.constant_initializer(True),
                           collections=['is_training', tf.GraphKeys.GLOBAL_VARIABLES])
    from tensorflow.python.training import moving_averages

    def bn(x, name, decay=0.9):
        c = x.get_shape().as_list()[-1:]
        with tf.variable_scope(name):
            beta, gamma = w('beta', c), w('gamma', c)
            axis = list(range(len(x.get_shape()) - 1))
            mm, mv = fixed('moving_mean', c, 0.), fixed('moving_variance', c, 1.)

            def update():
                mean, variance = tf.nn.moments(x, axis)
                a = moving_averages.assign_moving_average(mm, mean, decay, zero_debias=False)
                b = moving_averages.assign_moving_average(mv, variance, decay, zero_debias=False)
                with tf.control_dependencies([a, b]):
                    return tf.identity(mean), tf.identity(variance)
            mean, var = tf.cond(flag, update, lambda: (mm, mv))
            y = tf.nn.batch_normalization(x, mean, var, beta, gamma, 1e-5)
            y.set_shape(x.get_shape())
            return y
    x = image('InputData/X', (8, 8, 3))
    y = tf.nn.relu(bn(conv(x, 4, 'Conv2D'), 'BatchNormalization'))
    y = tf.layers.dense(tf.layers.flatten(y), 5, name='FC')
    y = tf.cond(flag, lambda: tf.nn.dropout(y, 0.5), lambda: y)
    y = tf.nn.softmax(tf.layers.dense(bn(y, 'BatchNormalization_1'), 3, name='FC_1'))
    up = [y]
    if is_training:
        step = tf.Variable(0., name='Global_Step', trainable=False)
        loss = tf.reduce_mean(y[:, 0])
        ema = tf.train.ExponentialMovingAverage(0.9, num_updates=step, name='moving_avg')
        up = [tf.train.AdamOptimizer(1e-4).minimize(loss), ema.apply([loss]), tf.assign_add(step, 1.)]
        tf.add_to_collection('is_training_ops', tf.assign(flag, True))
        tf.add_to_collection('is_training_ops', tf.assign(flag, False))
    return Net({x: (8, 8, 3)}, y, updates=up, golden_feed={} if is_training else {flag: False})


@recipe()
def tensorlayer(is_training):
    from tensorflow.python.training import moving_averages
    x = image('x', (8, 8, 3))

    def bn(x, name):
        c = x.get_shape()[-1:]
        axis = list(range(len(x.get_shape()) - 1))
        with tf.variable_scope(name):
            beta, gamma = w('beta', c), w('gamma', c)
            mm, mv = fixed('moving_mean', c, 0.), fixed('moving_variance', c, 1.)
            mean, variance = tf.nn.moments(x, axis)
            a = moving_averages.assign_moving_average(mm, mean, 0.9, zero_debias=False)
            b = moving_averages.assign_moving_average(mv, variance, 0.9, zero_debias=False)

            def with_update():
                with tf.control_dependencies([a, b]):
                    return tf.identity(mean), tf.identity(variance)
            mean, var = with_update() if is_training else (mm, mv)
            return tf.nn.relu(tf.nn.batch_normalization(x, mean, var, beta, gamma, 1e-5))
    y = bn(conv(x, 4, 'n64s1/c/1'), 'n64s1/b1/1')
    t = bn(conv(y, 4, 'n64s1/c2/1'), 'n64s1/b2/1')
    y = y + t
    y = tf.depth_to_space(conv(y, 4, 'n256s1/1'), 2)
    return Net({x: (8, 8, 3)}, tf.nn.tanh(y, name='out'), updates=None if False else [y] if is_training else [])


@recipe()
def tensorpack(is_training):
    x = tf.placeholder(tf.float32, [None, 7], name='x')
    from tensorflow.python.training.moving_averages import assign_moving_average

    def bn(x, name):
        with tf.variable_scope(name):
            rank = x.shape.ndims
            if rank == 2:
                x = tf.expand_dims(tf.expand_dims(x, 1), 1)
            c = x.shape.as_list()[-1]
            beta, gamma = w('beta', [c]), w('gamma', [c])
            mm, mv = fixed('mean/EMA', [c], 0.), fixed('variance/EMA', [c], 1.)
            if is_training:
                xn, m, v = tf.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-5, is_training=True)
                u1 = assign_moving_average(mm, m, 0.9, zero_debias=False, name='mean_ema_op')
                u2 = assign_moving_average(mv, v, 0.9, zero_debias=False, name='var_ema_op')
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, u1)
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, u2)
            else:
                xn, _, _ = tf.nn.fused_batch_norm(x, gamma, beta, mean=mm, variance=mv, epsilon=1e-5, is_training=False)
            if rank == 2:
                xn = tf.squeeze(xn, [1, 2])
            return tf.identity(xn, name='output')
    y = tf.nn.relu(bn(tf.layers.dense(x, 5, name='fc0'), 'bn0'))
    y = bn(tf.layers.dense(y, 3, name='fc1'), 'bn1')
    return Net({x: (7,)}, tf.nn.softmax(y, name='prob'))


@recipe('1', golden_batch=4)
def tensorpack_towers(is_training):
    """Two towers; only the first one has update ops."""
    x = image('x', (8, 8, 3))

    def tower(x, main):
        y = conv(x, 4, 'c0')
        for i in range(2):
            c = 4
            with tf.variable_scope('bn%d' % i):
                beta, gamma = w('beta', [c]), w('gamma', [c])
                mm, mv = fixed('mean/EMA', [c], 0.), fixed('variance/EMA', [c], 1.)
                if is_training:
                    y, m, v = tf.nn.fused_batch_norm(y, gamma, beta, epsilon=1e-5, is_training=True)
                    if main:
                        from tensorflow.python.training.moving_averages import assign_moving_average as ama
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, ama(mm, m, 0.9, zero_debias=False))
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, ama(mv, v, 0.9, zero_debias=False))
                else:
                    y, _, _ = tf.nn.fused_batch_norm(y, gamma, beta, mean=mm, variance=mv, epsilon=1e-5, is_training=False)
            y = tf.nn.relu(conv(y, 4, 'c1_%d' % i))
        return y
    halves = tf.split(x, 2, 0)
    outs = []
    for i, h in enumerate(halves):
        with tf.variable_scope(tf.get_variable_scope(), reuse=i > 0), tf.name_scope('tower%d' % i):
            outs.append(tower(h, i == 0))
    return Net({x: (8, 8, 3)}, tf.concat(outs, 0, name='both'))


@recipe('1', golden_batch=4)
def tower_stats_odd_names_first_only(is_training):
    """The same with unfused norms and variables of odd names: only sharing gamma tells the second tower's."""
    x = image('x', (6, 6, 3))

    def tower(x, main):
        y = conv(x, 4, 'c0')
        for i in range(2):
            with tf.variable_scope('norm%d' % i):
                b, g = w('b', [4]), w('g', [4])
                mm, mv = fixed('avg', [4], 0.), fixed('dev', [4], 1.)
                m, v = mm, mv
                if is_training:
                    m, v = tf.nn.moments(y, [0, 1, 2])
                    if main:
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(mm, .1 * (mm - m)))
                        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(mv, .1 * (mv - v)))
                y = tf.nn.relu(tf.nn.batch_normalization(y, m, v, b, g, 1e-3))
        return y
    outs = []
    for i, h in enumerate(tf.split(x, 2, 0)):
        with tf.variable_scope(tf.get_variable_scope(), reuse=i > 0), tf.name_scope('tower%d' % i):
            outs.append(tower(h, i == 0))
    return Net({x: (6, 6, 3)}, tf.concat(outs, 0, name='both'))


@recipe()
def r2rt_wrapper(is_training):
    x = tf.placeholder(tf.float32, [None, 9], name='x')

    def wrapper(inputs, decay=0.9):
        scale = tf.Variable(tf.ones([inputs.get_shape()[-1]]), name='scale')
        beta = tf.Variable(tf.zeros([inputs.get_shape()[-1]]), name='beta')
        pop_mean = tf.Variable(tf.zeros([inputs.get_shape()[-1]]), trainable=False)
        pop_var = tf.Variable(tf.ones([inputs.get_shape()[-1]]), trainable=False)
        if is_training:
            batch_mean, batch_var = tf.nn.moments(inputs, [0])
            a = tf.assign(pop_mean, pop_mean * decay + batch_mean * (1 - decay))
            b = tf.assign(pop_var, pop_var * decay + batch_var * (1 - decay))
            with tf.control_dependencies([a, b]):
                return tf.nn.batch_normalization(inputs, batch_mean, batch_var, beta, scale, 1e-3)
        return tf.nn.batch_normalization(inputs, pop_mean, pop_var, beta, scale, 1e-3)
    y = tf.nn.sigmoid(wrapper(tf.matmul(x, tf.Variable(tf.random_normal([9, 5])))))
    y = tf.nn.sigmoid(wrapper(tf.matmul(y, tf.Variable(tf.random_normal([5, 4])))))
    y = tf.nn.softmax(tf.matmul(y, tf.Variable(tf.random_normal([4, 3]))))
    return Net({x: (9,)}, y, updates=[y] if is_training else [])


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
def keras_functional(is_training):
    k = tf.keras
    k.backend.set_learning_phase(1 if is_training else 0)
    i = k.layers.Input((6, 6, 3), name='input_1')

    def block(x, c, n):
        y = k.layers.Conv2D(c, 3, padding='same', use_bias=False, name='conv%d' % n)(x)
        y = k.layers.BatchNormalization(momentum=.8, name='bn%d' % n)(y)
        return k.layers.Activation('relu')(y)
    y = block(i, 4, 1)
    y = k.layers.add([block(y, 4, 2), y])
    y = k.layers.DepthwiseConv2D(3, padding='same')(y)
    y = k.layers.BatchNormalization(momentum=.8, name='dw_bn', scale=False)(y)
    y = k.layers.Dropout(.3)(k.layers.GlobalAveragePooling2D()(k.layers.ReLU(6.)(y)))
    m = k.Model(i, k.layers.Dense(3, activation='softmax', name='probs')(y))
    up = list(m.updates) if is_training else []
    if is_training and not up:
        for layer in m.layers:
            up += list(layer.updates)
    k.backend.set_learning_phase(1 if is_training else 0)
    return Net({m.inputs[0]: (6, 6, 3)}, m.outputs, updates=up)


@recipe()
def keras_sequential_called_twice(is_training):
    k = tf.keras.layers
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    b = k.BatchNormalization(momentum=.8)
    d = k.Dense(4)
    f = lambda t: tf.nn.relu(b(d(t), training=is_training))
    y = tf.concat([f(x), f(-x)], 1)
    up = list(b.updates) if is_training else []
    return net(x, tf.identity(y, name='o'), up=up)


@recipe('1', context=lambda: forms.context(False, False))
def partitioned_everything(is_training):
    x = image('x', (5, 5, 3))
    with tf.variable_scope('p', partitioner=tf.fixed_size_partitioner(2)):
        y = bn(conv(x, 4, 'c'), is_training, 'a', fused=False)
        y = tf.layers.dense(tf.layers.flatten(tf.nn.relu(y)), 4, name='d')
    return net(x, bn(y, is_training, 'b'))
