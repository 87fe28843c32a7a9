"""Reinforcement learning: target networks, and normalised observations."""
from harness import tf
from builders import fixed, recipe

from cases_fused import resource_variables
from common import Net


def ddpg(is_training, soft=True, together=False):
    x = tf.placeholder(tf.float32, [None, 6], name='s')

    def actor(scope):
        with tf.variable_scope(scope):
            y = tf.layers.dense(x, 8, name='l1')
            y = tf.nn.relu(tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn1'))
            y = tf.layers.dense(y, 6, name='l2')
            y = tf.nn.relu(tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn2'))
            return tf.nn.tanh(tf.layers.dense(y, 2, name='a'))
    a, t = actor('eval_net'), actor('target_net')
    up = []
    if is_training:
        upd = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        src = [v for v in tf.global_variables() if v.op.name.startswith('eval_net')]
        dst = [v for v in tf.global_variables() if v.op.name.startswith('target_net')]
        with tf.control_dependencies(upd):
            opt = tf.train.AdamOptimizer(1e-4).minimize(tf.reduce_mean(a))
        if together:
            with tf.control_dependencies([opt] + upd):
                copy = [tf.assign(d, s * 0.3 + d * 0.7 if soft else s) for s, d in zip(src, dst)]
        else:
            copy = [tf.assign(d, s * 0.3 + d * 0.7 if soft else s) for s, d in zip(src, dst)]
        up = [opt] + (copy if together else [])
    return Net({x: (6,)}, [a, t], updates=up)


@recipe()
def ddpg_soft(is_training):
    return ddpg(is_training)


@recipe()
def ddpg_soft_together(is_training):
    return ddpg(is_training, together=True)


@recipe(context=resource_variables)
def ddpg_soft_together_resource(is_training):
    return ddpg(is_training, together=True)


@recipe(context=resource_variables)
def ddpg_hard_together_resource(is_training):
    return ddpg(is_training, soft=False, together=True)


@recipe()
def dqn_obs_normaliser(is_training):
    """Running mean and deviation of the observations, by sum and count, fed by hand; BN behind."""
    x = tf.placeholder(tf.float32, [None, 5], name='ob')
    s, sq, n = fixed('runningsum', [5], 1.), fixed('runningsumsq', [5], 9.), fixed('count', [], 3.)
    mean = s / n
    std = tf.sqrt(tf.maximum(sq / n - tf.square(mean), 1e-2))
    if is_training:
        ns = tf.placeholder(tf.float32, [5], name='newsum')
        tf.group(tf.assign_add(s, ns), tf.assign_add(sq, ns), tf.assign_add(n, 1.))
    y = tf.clip_by_value((x - mean) / std, -5., 5.)
    y = tf.layers.batch_normalization(tf.layers.dense(y, 4, name='fc'), training=is_training, momentum=.8, name='bn')
    return Net({x: (5,)}, tf.nn.tanh(y, name='pi'))


@recipe()
def obs_normaliser_in_place(is_training):
    """Running statistics of the input by assign under control dependencies; they normalise, not the batch's."""
    x = tf.placeholder(tf.float32, [None, 5], name='ob')
    rm, rv = fixed('rm', [5], 0.), fixed('rv', [5], 1.)
    if is_training:
        m, v = tf.nn.moments(x, [0])
        a = tf.assign(rm, .8 * rm + .2 * m)
        b = tf.assign(rv, .8 * rv + .2 * v)
        with tf.control_dependencies([a, b]):
            y = (x - rm) / tf.sqrt(rv + 1e-4)
    else:
        y = (x - rm) / tf.sqrt(rv + 1e-4)
    y = tf.layers.dense(y, 4, name='fc')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=.8, name='bn')
    return Net({x: (5,)}, tf.nn.tanh(y, name='pi'), updates=[y] + tf.get_collection(tf.GraphKeys.UPDATE_OPS))


@recipe(context=resource_variables)
def obs_normaliser_in_place_resource(is_training):
    return obs_normaliser_in_place(is_training)


@recipe(context=resource_variables)
def obs_normaliser_assigned_value(is_training):
    """The freshly assigned running statistics normalise the batch."""
    x = tf.placeholder(tf.float32, [None, 5], name='ob')
    rm, rv = fixed('rm', [5], 0.), fixed('rv', [5], 1.)
    a, b = rm, rv
    if is_training:
        m, v = tf.nn.moments(x, [0])
        a = tf.assign(rm, .8 * rm + .2 * m)
        b = tf.assign(rv, .8 * rv + .2 * v)
    y = (x - a) / tf.sqrt(b + 1e-4)
    y = tf.layers.dense(y, 4, name='fc')
    return Net({x: (5,)}, tf.nn.tanh(y, name='pi'), updates=[y])


@recipe()
def normalise_with_moving_in_training(is_training):
    """Normalises with the moving average even in training (assigned value, ref variables)."""
    x = tf.placeholder(tf.float32, [None, 5], name='ob')
    y = tf.layers.dense(x, 4, name='fc')
    rm, rv = fixed('rm', [4], 0.), fixed('rv', [4], 1.)
    a, b = rm, rv
    if is_training:
        m, v = tf.nn.moments(y, [0])
        a = tf.assign_sub(rm, .2 * (rm - m))
        b = tf.assign_sub(rv, .2 * (rv - v))
    y = tf.nn.batch_normalization(y, a, b, None, None, 1e-3)
    return Net({x: (5,)}, tf.nn.tanh(y, name='pi'), updates=[y])
