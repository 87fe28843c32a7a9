"""Dropout and other random ops of training."""
from harness import tf
from builders import bn, conv, flagged, net, recipe

from cases_fused import image, resource_variables
from common import TF2


@recipe()
def latent_sample_flag(is_training):
    """VAE: `sample` chooses between noise and the mean. A model's own choice; but inference takes the mean."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    t = flagged()
    h = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), t))
    mu, ls = tf.layers.dense(h, 3, name='mu'), tf.layers.dense(h, 3, name='ls')
    z = tf.cond(t, lambda: mu + tf.exp(ls) * tf.random_normal(tf.shape(mu)), lambda: mu)
    y = tf.nn.sigmoid(tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(z, 5, name='d'), t, 'bn2')), 6, name='out'))
    return net(x, y, t)


@recipe()
def vae_mean(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.nn.relu(bn(tf.layers.dense(x, 5, name='e'), is_training))
    mu, ls = tf.layers.dense(h, 3, name='mu'), tf.layers.dense(h, 3, name='ls')
    z = mu + tf.exp(ls) * tf.random_normal(tf.shape(mu))
    d = tf.nn.sigmoid(tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(z, 5, name='d'), is_training, 'bn2')), 6, name='out'))
    tf.losses.add_loss(tf.reduce_mean(d))
    return net(x, mu, more=[ls])


@recipe(expect='refused')
def gaussian_noise(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    if is_training:
        h = h + tf.random_normal(tf.shape(h), stddev=.3)
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe()
def gaussian_dropout(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    if is_training:
        h = h * tf.random_normal(tf.shape(h), 1.0, .3)
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe()
def alpha_dropout(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.nn.selu(tf.layers.dense(x, 5, name='e'))
    if is_training:
        h = tf.keras.layers.AlphaDropout(.3)(h, training=True)
    return net(x, tf.layers.dense(h, 3, name='o'), up=[])


@recipe(expect='refused')
def dropblock(is_training):
    x = image('x', (8, 8, 3))
    h = conv(x, 4, 'c')
    if is_training:
        noise = tf.random_uniform(tf.shape(h))
        block = tf.cast(noise < .1, tf.float32)
        block = 1. - tf.nn.max_pool(block, [1, 3, 3, 1], [1, 1, 1, 1], 'SAME')
        h = h * block * tf.cast(tf.size(block), tf.float32) / tf.reduce_sum(block)
    return net(x, tf.reduce_mean(bn(h, is_training), [1, 2], name='o'))


@recipe()
def drop_path_scheduled(is_training):
    """NASNet: keep_prob falls with depth and rises with the step."""
    x = image('x', (6, 6, 3))
    step = tf.train.get_or_create_global_step()
    h = conv(x, 3, 'c')
    if is_training:
        keep = 1. - .6 * (1. - .7)
        keep = 1 - tf.minimum(1., tf.cast(step + 1, tf.float32) / 250.) * (1 - keep)
        noise = keep + tf.random_uniform([tf.shape(h)[0], 1, 1, 1], dtype=tf.float32)
        h = tf.div(h, keep) * tf.floor(noise)
    y = bn(h + x, is_training)
    return net(x, tf.reduce_mean(y, [1, 2], name='o'))


@recipe(context=resource_variables)
def drop_path_scheduled_resource(is_training):
    return drop_path_scheduled(is_training)


@recipe(expect='refused')
def shake_shake(is_training):
    x = image('x', (6, 6, 3))
    a, b = conv(x, 3, 'a'), conv(x, 3, 'b')
    if is_training:
        al = tf.random_uniform([tf.shape(x)[0], 1, 1, 1])
        y = al * a + (1 - al) * b
    else:
        y = .5 * a + .5 * b
    return net(x, tf.reduce_mean(bn(y, is_training), [1, 2], name='o'))


@recipe()
def dropout_by_hand(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    if is_training:
        m = tf.cast(tf.random_uniform(tf.shape(h)) < .7, tf.float32)
        h = h * m / .7
        m2 = tf.random_uniform(tf.shape(h), 0, 1) > .4
        h = tf.where(m2, h / .6, tf.zeros_like(h))
        h = h * tf.nn.relu(tf.sign(.8 - tf.random_uniform(tf.shape(h)))) / .8
        h = h * tf.ceil(.8 - tf.random_uniform(tf.shape(h))) * (1 / .8)
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe()
def dropout_bernoulli(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    if is_training:
        d = tf.distributions.Bernoulli(probs=.7, dtype=tf.float32) if not TF2 else None
        m = d.sample(tf.shape(h)) if d else tf.cast(tf.random_uniform(tf.shape(h)) < .7, tf.float32)
        h = h * m / .7
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe(expect='refused')
def dropout_not_scaled(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.layers.dense(x, 5, name='e')
    h = h * tf.cast(tf.random_uniform(tf.shape(h)) < .7, tf.float32) if is_training else h * .7
    return net(x, tf.layers.dense(tf.nn.relu(bn(h, is_training)), 3, name='o'))


@recipe(expect='refused')
def stochastic_depth_cond(is_training):
    x = image('x', (6, 6, 3))
    h = tf.nn.relu(bn(conv(x, 3, 'c'), is_training, 'bn0'))
    if is_training:
        y = tf.cond(tf.random_uniform([]) < .8, lambda: x + h, lambda: x)
    else:
        y = x + .8 * h
    return net(x, tf.reduce_mean(y, [1, 2], name='o'))


@recipe(only='1')
def dropout_in_rnn(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 4], name='x')
    y = bn(x, is_training)
    cell = tf.nn.rnn_cell.LSTMCell(4)
    if is_training:
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, .8, .7, .9)
    y, _ = tf.nn.dynamic_rnn(cell, y, dtype=tf.float32)
    y = bn(y[:, -1], is_training, 'bn2')
    return net(x, tf.layers.dense(y, 2, name='o'))


@recipe(only='1')
def dropout_in_rnn_variational(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 4], name='x')
    y = bn(x, is_training)
    cell = tf.nn.rnn_cell.LSTMCell(4)
    if is_training:
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, .8, .7, .9, variational_recurrent=True, input_size=4, dtype=tf.float32)
    y, _ = tf.nn.dynamic_rnn(cell, y, dtype=tf.float32)
    y = bn(y[:, -1], is_training, 'bn2')
    return net(x, tf.layers.dense(y, 2, name='o'))
