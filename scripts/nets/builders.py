"""What the nets are built of, and the list of them."""
from harness import np, tf

import forms
from common import Net

RECIPES = []


def recipe(only='', **opts):
    """Adds a net to the list. `only`: '1' or '2', the TensorFlow that it needs; `expect`: the verdict, ok unless given."""
    def wrap(fn):
        RECIPES.append((fn.__name__, only, opts, fn))
        return fn
    return wrap


def w(name, shape, **k):
    """A trainable variable with random values."""
    return tf.get_variable(name, shape, initializer=tf.truncated_normal_initializer(stddev=0.3), **k)


def fixed(name, shape, value, **k):
    """A variable that is not trained, with one value."""
    return tf.get_variable(name, shape, initializer=tf.constant_initializer(value), trainable=False, **k)


def conv(x, c, name, k=3, s=1, bias=False):
    """A convolution of the same size, without bias."""
    return tf.layers.conv2d(x, c, k, strides=s, padding='same', use_bias=bias, name=name)


def train_ops(loss, **k):
    """One step of Adam, after the update ops."""
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        return tf.train.AdamOptimizer(1e-4, **k).minimize(loss)


def bn(x, t, name='bn', **k):
    """tf.layers.batch_normalization with momentum 0.8."""
    return tf.layers.batch_normalization(x, training=t, momentum=.8, name=name, **k)


def flagged(default=None):
    """A training flag, with a default where one is given."""
    return tf.placeholder(tf.bool, [], name='is_training') if default is None else \
        tf.placeholder_with_default(default, [], name='is_training')


def net(x, y, flag=None, up=None, more=(), **k):
    """A net of one input, fed with a flag where it has one."""
    return Net({x: tuple(x.shape.as_list()[1:])}, [y] + list(more), updates=up, feed={flag: True} if flag is not None else {},
               golden_feed={flag: False} if flag is not None else {}, **k)


def dense():
    """Features, and a dense layer of four units on them."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    return x, tf.layers.dense(x, 4, name='d')


def averaged(is_training, statistics, firsts=(0., 1.)):
    """Training: what `statistics()` makes of the batch, and the ops that average it. Inference: the averages."""
    kept = [fixed('kept_%d' % i, [4], first) for i, first in enumerate(firsts)]
    if not is_training:
        return kept, []
    batch = statistics()
    return batch, [tf.assign(v, next_(v, t)) for v, t in zip(kept, batch)]


def moving(sess):
    """Gives the moving statistics values that training would not."""
    for v in tf.global_variables():
        if 'moving' in v.op.name:
            v.load(np.linspace(.3, 1.6, v.shape.as_list()[0]).astype('f'), sess)


def next_(a, m):
    """The next value of a moving average of m, with momentum 0.8."""
    return a * .8 + m * .2


def resource():
    """Resource variables."""
    return forms.context(True, False)


def resource_v2():
    """Resource variables and cond v2."""
    return forms.context(True, True)
