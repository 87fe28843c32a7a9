"""Random ops that only training wants: augmentation in the graph, zoneout, sampling, random pooling, adjustments of batch norm.

Those that are expected to be WRONG have the data flow of a latent variable or of a sample that the net draws at inference as well: they
stay, and the report says so.
"""
from harness import np, tf

from builders import bn, conv, dense, fixed, flagged, net, next_, w
from cases_fused import image
from common import Net, TF2
from situations import situation

ALL = ('113', '115', '212')


def augment(versions=ALL, **opts):
    opts.setdefault('expect', 'either')
    opts.setdefault('commands', ('freeze',))
    return situation('augment', versions, **opts)


def of_images(change):
    """A batch norm behind images that are changed in training only."""
    def build(is_training):
        x = image('x', (8, 8, 3))
        h = change(x) if is_training else x
        h.set_shape([None, 8, 8, 3])
        y = tf.nn.relu(bn(conv(h, 4, 'c'), is_training))
        return Net({x: (8, 8, 3)}, tf.reduce_mean(y, [1, 2], name='y'))
    build.__name__ = change.__name__
    return build


def each(f):
    return lambda x: tf.map_fn(f, x)


@augment()
@of_images
def flipped(x):
    return tf.image.random_flip_left_right(x)


@augment()
@of_images
def flipped_each(x):
    return tf.map_fn(tf.image.random_flip_left_right, x)


@augment()
@of_images
def brighter(x):
    return tf.image.random_brightness(x, .4)


@augment()
@of_images
def contrasted(x):
    return tf.image.random_contrast(x, .4, 1.6)


@augment()
@of_images
def saturated(x):
    return tf.image.random_saturation(x, .4, 1.6)


@augment()
@of_images
def hue(x):
    return tf.image.random_hue(tf.nn.sigmoid(x), .4)


@augment()
@of_images
def quarter_turns(x):
    return tf.map_fn(lambda i: tf.image.rot90(i, tf.random_uniform([], 0, 4, tf.int32)), x)


@augment()
@of_images
def transposed(x):
    return tf.where(tf.random_uniform([tf.shape(x)[0]]) < .5, tf.transpose(x, [0, 2, 1, 3]), x)


@augment()
@of_images
def cutout(x):
    """A square of zeros at a random place."""
    at = tf.random_uniform([2], 0, 6, tf.int32)
    rows, columns = tf.meshgrid(tf.range(8), tf.range(8), indexing='ij')
    inside = (rows >= at[0]) & (rows < at[0] + 3) & (columns >= at[1]) & (columns < at[1] + 3)
    return x * (1. - tf.cast(inside, tf.float32))[None, :, :, None]


@augment()
@of_images
def random_erasing(x):
    """Noise in a square at a random place."""
    at = tf.random_uniform([], 0, 6, tf.int32)
    rows = tf.range(8)
    inside = tf.cast((rows >= at) & (rows < at + 2), tf.float32)[None, :, None, None]
    return x * (1. - inside) + tf.random_normal(tf.shape(x)) * inside


@augment()
@of_images
def cropped_and_resized(x):
    boxes = tf.random_uniform([tf.shape(x)[0], 2], 0., .3)
    return tf.image.crop_and_resize(x, tf.concat([boxes, boxes + .7], 1), tf.range(tf.shape(x)[0]), [8, 8])


@augment()
@of_images
def distorted_box(x):
    begin, size, _ = tf.image.sample_distorted_bounding_box([8, 8, 3], tf.constant([[[0., 0., 1., 1.]]]), min_object_covered=.5)
    cut = tf.map_fn(lambda i: tf.image.resize_images(tf.slice(i, begin, size), [8, 8]), x)
    return cut


@augment(('113', '115'))
@of_images
def rotated(x):
    return tf.contrib.image.rotate(x, tf.random_uniform([tf.shape(x)[0]], -.4, .4))


@augment()
@of_images
def translated(x):
    return tf.manip.roll(x, tf.random_uniform([2], -2, 2, tf.int32), [1, 2]) if not TF2 else tf.roll(x, tf.random_uniform([2], -2, 2, tf.int32), [1, 2])


@augment()
@of_images
def gamma_adjusted(x):
    return tf.pow(tf.nn.sigmoid(x), tf.random_uniform([], .7, 1.3))


@augment()
@of_images
def one_of_two(x):
    """A random choice of a blur, by a cond."""
    return tf.cond(tf.random_uniform([]) < .5, lambda: tf.nn.avg_pool(x, [1, 3, 3, 1], [1, 1, 1, 1], 'SAME'), lambda: x)


@augment()
@of_images
def random_size(x):
    s = tf.random_uniform([], 6, 12, tf.int32)
    return tf.image.resize_images(tf.image.resize_images(x, tf.stack([s, s])), [8, 8])


@augment(expect='WRONG', says='differ from run to run')
@of_images
def pca_lighting(x):
    alpha = tf.random_normal([3]) * .1
    return x + tf.reshape(tf.matmul(tf.constant(np.eye(3, dtype='f')) * .5, alpha[:, None]), [1, 1, 1, 3])


@augment()
@of_images
def salt_and_pepper(x):
    r = tf.random_uniform(tf.shape(x))
    return tf.where(r < .05, tf.zeros_like(x), tf.where(r > .95, tf.ones_like(x), x))


@augment()
@of_images
def cut_mix(x):
    other = tf.random_shuffle(x)
    keep = tf.cast(tf.range(8) < tf.random_uniform([], 2, 8, tf.int32), tf.float32)[None, :, None, None]
    return x * keep + other * (1. - keep)


@augment()
@of_images
def mix_with_reversed(x):
    """Mixup with the batch in reverse, whose weight is a Beta variable made of gammas."""
    a, b = tf.random_gamma([], .4), tf.random_gamma([], .4)
    lam = a / (a + b + 1e-6)
    return x * lam + tf.reverse(x, [0]) * (1. - lam)


@augment()
@of_images
def jpeg(x):
    """Quantised with random rounding."""
    return tf.floor(x * 8. + tf.random_uniform(tf.shape(x))) / 8.


# ------------------------------------------------------------------ in the net

def of_features(change, keep=None):
    """A dense net whose features are changed; keep(h) is what inference does."""
    def build(is_training):
        x, h = dense()
        h = tf.nn.relu(bn(h, is_training))
        h = change(h) if is_training else (keep(h) if keep else h)
        return net(x, tf.layers.dense(h, 3, name='o'))
    build.__name__ = change.__name__
    return build


def zoneout(h):
    """Keeps a part of the units of the state before; inference mixes."""
    before = tf.tanh(h)
    mask = tf.floor(tf.random_uniform(tf.shape(h)) + .7)
    return mask * h + (1. - mask) * before


augment()(of_features(zoneout, lambda h: .7 * h + .3 * tf.tanh(h)))


def zoneout_by_dropout(h):
    """As Tacotron 2 writes it."""
    before = tf.tanh(h)
    return .7 * tf.nn.dropout(h - before, .7) + before


augment()(of_features(zoneout_by_dropout, lambda h: .7 * (h - tf.tanh(h)) + tf.tanh(h)))


def scheduled_sampling(h):
    """A random part of the rows come from another branch."""
    return tf.where(tf.random_uniform([tf.shape(h)[0]]) < .3, tf.tanh(h), h)


augment()(of_features(scheduled_sampling))


def gumbel_softmax(h):
    u = tf.random_uniform(tf.shape(h), 1e-6, 1.)
    return tf.nn.softmax((h - tf.log(-tf.log(u))) / .5)


augment()(of_features(gumbel_softmax, lambda h: tf.one_hot(tf.argmax(h, 1), 4)))


def straight_through(h):
    """Stochastic binary units, with the gradient of the mean."""
    p = tf.nn.sigmoid(h)
    return p + tf.stop_gradient(tf.cast(tf.random_uniform(tf.shape(p)) < p, tf.float32) - p)


augment(expect='WRONG', says='differ from run to run')(of_features(straight_through, lambda h: tf.nn.sigmoid(h)))


def stochastic_rounding(h):
    return h + tf.stop_gradient(tf.floor(h * 4. + tf.random_uniform(tf.shape(h))) / 4. - h)


augment()(of_features(stochastic_rounding, lambda h: h + tf.stop_gradient(tf.round(h * 4.) / 4. - h)))


def randomised_relu(h):
    """RReLU: slopes between 1/8 and 1/3, their mean at inference."""
    h = h - 1.
    return tf.maximum(h, h * tf.random_uniform(tf.shape(h), .125, .375))


augment()(of_features(randomised_relu, lambda h: tf.maximum(h - 1., (h - 1.) * .25)))


def stochastic_pooling(h):
    """Draws an element by its size; inference weighs."""
    p = tf.nn.softmax(h)
    pick = tf.multinomial(tf.log(p), 1)[:, 0]
    return h * tf.one_hot(pick, 4)


augment(expect='WRONG', says='differ from run to run')(of_features(stochastic_pooling, lambda h: h * tf.nn.softmax(h)))


def word_dropout(h):
    """Whole rows, without scaling."""
    return h * tf.cast(tf.random_uniform([tf.shape(h)[0], 1]) > .2, tf.float32)


augment()(of_features(word_dropout))


def swapout(h):
    """Two masks: of the input, and of its transformation."""
    f = tf.tanh(h)
    return tf.nn.dropout(h, .6) * .6 + tf.nn.dropout(f, .8) * .8


augment()(of_features(swapout, lambda h: h * .6 + tf.tanh(h) * .8))


def multi_sample(h):
    """Multi-sample dropout: a mean of several."""
    return tf.add_n([tf.nn.dropout(h, .7) for _ in range(4)]) / 4.


augment()(of_features(multi_sample))


def concrete_dropout(h):
    """A smooth mask of a learnt rate."""
    p = tf.nn.sigmoid(w('p_logit', []))
    u = tf.random_uniform(tf.shape(h))
    z = tf.nn.sigmoid((tf.log(p + 1e-7) - tf.log(1. - p + 1e-7) + tf.log(u + 1e-7) - tf.log(1. - u + 1e-7)) / .1)
    return h * (1. - z) / (1. - p)


@augment()
def concrete(is_training):
    x, h = dense()
    h = tf.nn.relu(bn(h, is_training))
    p = w('p_logit', [])
    if is_training:
        with tf.variable_scope('', reuse=True):
            h = concrete_dropout(h)
    else:
        h = h + 0. * p
    return net(x, tf.layers.dense(h, 3, name='o'))


def variational_dropout(h):
    """Gaussian noise in proportion to a learnt deviation."""
    s = tf.exp(w('log_alpha', [4]))
    return h + tf.sqrt(s * tf.square(h)) * tf.random_normal(tf.shape(h))


@augment(expect='WRONG', says='differ from run to run')
def variational(is_training):
    x, h = dense()
    h = tf.nn.relu(bn(h, is_training))
    if is_training:
        h = variational_dropout(h)
    else:
        w('log_alpha', [4])
    return net(x, tf.layers.dense(h, 3, name='o'))


@augment()
def noisy_dense(is_training):
    """Noisy nets of reinforcement learning: factorised noise on weights."""
    x, h = dense()
    h = tf.nn.relu(bn(h, is_training))
    mu, sigma = w('mu', [4, 3]), w('sigma', [4, 3])
    f = lambda t: tf.sign(t) * tf.sqrt(tf.abs(t))
    k = mu
    if is_training:
        k = mu + sigma * f(tf.random_normal([4, 1])) * f(tf.random_normal([1, 3]))
    return net(x, tf.matmul(h, k, name='y'))


@augment(expect='WRONG', says='differ from run to run')
def local_reparametrisation(is_training):
    """Noise of activations whose deviation is a product with squared weights."""
    x, h = dense()
    h = tf.nn.relu(bn(h, is_training))
    mu, sigma = w('mu', [4, 3]), w('sigma', [4, 3])
    y = tf.matmul(h, mu)
    if is_training:
        y += tf.sqrt(tf.matmul(tf.square(h), tf.square(sigma)) + 1e-6) * tf.random_normal(tf.shape(y))
    return net(x, tf.identity(y, 'y'))


def adjusted(fused):
    @augment()
    def build(is_training):
        """`adjustment` of tf.layers.batch_normalization: random scale and shift in training."""
        x = image('x', (6, 6, 3))
        layer = lambda shape: (tf.random_uniform([1, 1, 1, 4], .7, 1.3), tf.random_uniform([1, 1, 1, 4], -.2, .2))
        y = tf.layers.batch_normalization(conv(x, 4, 'c'), training=is_training, momentum=.8, name='bn', adjustment=layer, fused=False)
        return Net({x: (6, 6, 3)}, tf.nn.relu(y, name='y'))
    return build


adjusted(False)


@augment()
def adjusted_by_flag(is_training):
    """The same with a placeholder."""
    x = image('x', (6, 6, 3))
    t = flagged()
    layer = lambda shape: (tf.random_uniform([1, 1, 1, 4], .7, 1.3), tf.random_uniform([1, 1, 1, 4], -.2, .2))
    y = tf.layers.batch_normalization(conv(x, 4, 'c'), training=t, momentum=.8, name='bn', adjustment=layer, fused=False)
    return net(x, tf.nn.relu(y, name='y'), t)


@augment()
def input_noise_by_flag(is_training):
    """Noise whose size is a placeholder with a default."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    sigma = tf.placeholder_with_default(.3, [], name='noise_sigma')
    h = bn(tf.layers.dense(x + sigma * tf.random_normal(tf.shape(x)), 4, name='d'), is_training)
    return Net({x: (6,)}, tf.layers.dense(tf.nn.relu(h), 3, name='o'), feed={sigma: .3}, golden_feed={sigma: 0.})


@augment()
def denoising_autoencoder(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    corrupt = tf.placeholder(tf.float32, [], name='corrupt')
    noisy = x * corrupt * tf.cast(tf.random_uniform(tf.shape(x), 0, 2, tf.int32), tf.float32) + x * (1. - corrupt)
    h = bn(tf.layers.dense(noisy, 4, name='d'), is_training)
    return Net({x: (6,)}, tf.layers.dense(tf.nn.relu(h), 6, name='o'), feed={corrupt: 1.}, golden_feed={corrupt: 0.})
