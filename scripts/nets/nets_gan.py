"""GANs, and nets that use batch statistics as a feature."""
from harness import tf
from builders import bn, conv, fixed, recipe, w

from cases_fused import image
from common import Net


@recipe('1')
def dcgan(is_training):
    def bn(x, train, name):
        return tf.contrib.layers.batch_norm(x, decay=0.9, updates_collections=None, epsilon=1e-5, scale=True,
                                            is_training=train, scope=name)

    def generator(z, train, reuse=None):
        with tf.variable_scope('generator', reuse=reuse):
            h = tf.reshape(tf.layers.dense(z, 4 * 4 * 6, name='g_h0_lin'), [-1, 4, 4, 6])
            h = tf.nn.relu(bn(h, train, 'g_bn0'))
            h = tf.layers.conv2d_transpose(h, 4, 5, 2, padding='same', name='g_h1')
            h = tf.nn.relu(bn(h, train, 'g_bn1'))
            return tf.nn.tanh(tf.layers.conv2d_transpose(h, 3, 5, 2, padding='same', name='g_h2'))

    def discriminator(x, train, reuse=None):
        with tf.variable_scope('discriminator', reuse=reuse):
            h = tf.nn.leaky_relu(conv(x, 4, 'd_h0', 5, 2))
            h = tf.nn.leaky_relu(bn(conv(h, 6, 'd_h1', 5, 2), train, 'd_bn1'))
            h = tf.layers.dense(tf.layers.flatten(h), 1, name='d_h3_lin')
            return tf.nn.sigmoid(h), h
    x = image('real_images', (16, 16, 3))
    z = tf.placeholder(tf.float32, [None, 8], name='z')
    g = generator(z, is_training)
    d, logits = discriminator(x, is_training)
    if is_training:
        s = generator(z, False, True)
        d_, logits_ = discriminator(g, True, True)
        loss = tf.reduce_mean(tf.nn.softplus(-logits)) + tf.reduce_mean(tf.nn.softplus(logits_))
        t = [v for v in tf.trainable_variables() if 'd_' in v.name]
        up = [tf.train.AdamOptimizer(1e-4, beta1=.5).minimize(loss, var_list=t), d_]
        tf.summary.histogram('z', z), tf.summary.image('G', s)
    return Net({x: (16, 16, 3), z: (8,)}, [g, d], updates=up if is_training else [])


@recipe()
def dcgan_class(is_training):
    """carpedm20's first batch_norm class: EMA in __call__, assigned under control dependencies."""
    class BatchNorm(object):
        def __init__(self, name):
            self.name = name
            self.ema = tf.train.ExponentialMovingAverage(decay=0.9)

        def __call__(self, x, train=True):
            shape = x.get_shape().as_list()
            with tf.variable_scope(self.name):
                self.gamma = tf.get_variable('gamma', [shape[-1]], initializer=tf.random_normal_initializer(1., 0.02))
                self.beta = tf.get_variable('beta', [shape[-1]], initializer=tf.constant_initializer(0.))
                self.mean, self.variance = tf.nn.moments(x, list(range(len(shape) - 1)))
                apply = self.ema.apply([self.mean, self.variance])
                if train:
                    with tf.control_dependencies([apply]):
                        mean, var = tf.identity(self.mean), tf.identity(self.variance)
                else:
                    mean, var = self.ema.average(self.mean), self.ema.average(self.variance)
                return tf.nn.batch_norm_with_global_normalization(x, mean, var, self.beta, self.gamma, 1e-5,
                                                                  scale_after_normalization=True)
    x = image('x', (8, 8, 3))
    b1, b2 = BatchNorm('bn1'), BatchNorm('bn2')
    y = tf.nn.relu(b1(conv(x, 4, 'c1'), is_training))
    y = tf.nn.relu(b2(tf.layers.dense(tf.layers.flatten(y), 5, name='d'), is_training))
    return Net({x: (8, 8, 3)}, tf.layers.dense(y, 2, name='o'), updates=[])


@recipe()
def spectral_norm_gan(is_training):
    def sn(k, name):
        s = k.shape.as_list()
        flat = tf.reshape(k, [-1, s[-1]])
        u = fixed(name + '_u', [1, s[-1]], 0.5)
        v_ = tf.nn.l2_normalize(tf.matmul(u, flat, transpose_b=True))
        u_ = tf.nn.l2_normalize(tf.matmul(v_, flat))
        sigma = tf.matmul(tf.matmul(v_, flat), u_, transpose_b=True)
        if is_training:
            with tf.control_dependencies([u.assign(u_)]):
                return tf.reshape(flat / sigma, s)
        return tf.reshape(flat / sigma, s)
    x = image('x', (8, 8, 3))
    y = tf.nn.conv2d(x, sn(w('w1', [3, 3, 3, 4]), 'w1'), [1, 1, 1, 1], 'SAME')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn1')
    y = tf.nn.conv2d(tf.nn.relu(y), sn(w('w2', [3, 3, 4, 4]), 'w2'), [1, 1, 1, 1], 'SAME')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn2')
    return Net({x: (8, 8, 3)}, tf.reduce_mean(y, [1, 2], name='score'))


@recipe()
def progressive_minibatch_std(is_training):
    """ProGAN's minibatch statistics: moments over the batch that are a feature, in inference as well."""
    x = image('x', (4, 4, 3))
    y = conv(x, 4, 'c')
    y = tf.layers.batch_normalization(y, training=is_training, momentum=0.8, name='bn')
    d = y - tf.reduce_mean(y, axis=0, keepdims=True)
    sd = tf.reduce_mean(tf.sqrt(tf.reduce_mean(tf.square(d), axis=0) + 1e-8))
    y = tf.concat([y, tf.zeros_like(y[..., :1]) + sd], -1)
    return Net({x: (4, 4, 3)}, conv(y, 2, 'o'))
