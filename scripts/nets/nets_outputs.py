"""Training graphs whose outputs are not named: labels, losses and metrics of many kinds, and the outputs that users want.

`outputs` of a net are the right answer; `also` names tensors that are as good (an argmax of the scores, a greedy decoding).
"""
from harness import np, tf

from builders import bn, conv, fixed, flagged, w
from cases_fused import get_slim, image
from common import Net, TF2
from situations import generator, situation

K = 4  # classes


def outputs_of(**opts):
    opts.setdefault('auto', 'ask')
    opts.setdefault('commands', ())
    versions = opts.pop('versions', ('113', '115', '212'))
    return situation('outputs', versions, **opts)


def made(x, outputs, is_training, loss=None, labels=None, also=(), optimizer=None, inputs=None, feed=None, golden_feed=None, more=(),
         var_list=None):
    """A net with its training step: `loss()` makes the loss, in the training graph only."""
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    inputs = inputs or {x: tuple(x.shape.as_list()[1:])}
    ups, extra = [], []
    if is_training and loss:
        value = loss()
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(updates):
            step = (optimizer or tf.train.AdamOptimizer(1e-4)).minimize(value, global_step=tf.train.get_or_create_global_step(),
                                                                        var_list=var_list)
        ups = [step] + list(updates)
    n = Net(inputs, outputs, updates=(ups + list(more)) if is_training else [], feed=feed, golden_feed=golden_feed)
    n.labels = (labels or {}) if is_training else {}
    n.also = list(also)
    return n


def ints(high, *shape):
    return lambda r, n, s: r.randint(0, high, (n,) + shape)


def one_hot(r, n, s):
    return np.eye(K)[r.randint(0, K, n)]


def uniform(*shape):
    return lambda r, n, s: r.uniform(size=(n,) + shape)


def normal(*shape):
    return lambda r, n, s: r.normal(size=(n,) + shape)


def backbone(x, t, c=4, name='b', **k):
    with tf.variable_scope(name):
        y = tf.nn.relu(bn(conv(x, c, 'c1'), t, 'bn1', **k))
        y = tf.nn.relu(bn(conv(y, c, 'c2'), t, 'bn2', **k))
        return y


def features(x, t, name='b'):
    return tf.layers.flatten(tf.layers.max_pooling2d(backbone(x, t, name=name), 2, 2))


def summaries(loss, *more):
    tf.summary.scalar('loss', loss)
    for i, m in enumerate(more):
        tf.summary.histogram('h%d' % i, m)
        tf.summary.scalar('sparsity%d' % i, tf.nn.zero_fraction(m))
    tf.summary.merge_all()


# ------------------------------------------------------------------ classifiers

@outputs_of()
def classifier_sparse(is_training):
    """Only the loss and the accuracy read the logits."""
    x = image('images', (8, 8, 3))
    y = tf.placeholder(tf.int64, [None], name='labels')
    logits = tf.layers.dense(features(x, is_training), K, name='logits')

    def loss():
        l = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        acc = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), tf.float32), name='accuracy')
        tf.summary.scalar('acc', acc)
        summaries(l, logits)
        return l
    return made(x, logits, is_training, loss, {y: ints(K)})


@outputs_of()
def classifier_in_top_k(is_training):
    x = image('images', (8, 8, 3))
    y = tf.placeholder(tf.int32, name='labels')
    logits = tf.layers.dense(features(x, is_training), K, name='logits')

    def loss():
        l = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits, name='xent')
        tf.reduce_sum(tf.cast(tf.nn.in_top_k(logits, y, 2), tf.float32), name='right')
        return tf.reduce_mean(l)
    return made(x, logits, is_training, loss, {y: ints(K)})


@outputs_of()
def classifier_clip_log(is_training):
    """-sum(y * log(clip(p)))."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.float32, [None, K], name='y_')
    p = tf.nn.softmax(tf.layers.dense(features(x, is_training), K), name='prediction')

    def loss():
        l = -tf.reduce_sum(y * tf.log(tf.clip_by_value(p, 1e-10, 1.0)))
        tf.reduce_mean(tf.cast(tf.equal(tf.argmax(p, 1), tf.argmax(y, 1)), 'float'), name='accuracy')
        return l
    return made(x, p, is_training, loss, {y: one_hot})


@outputs_of()
def classifier_clip_log_open(is_training):
    """The same, with labels whose shape is not known."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.float32, name='y_')
    k = tf.placeholder(tf.float32, name='keep_prob')
    h = tf.nn.dropout(features(x, is_training), k)
    p = tf.nn.softmax(tf.layers.dense(h, K))

    def loss():
        l = -tf.reduce_mean(tf.reduce_sum(y * tf.log(p + 1e-8), 1))
        tf.reduce_mean(tf.cast(tf.equal(tf.argmax(p, 1), tf.argmax(y, 1)), tf.float32))
        return l
    return made(x, p, is_training, loss, {y: one_hot}, feed={k: .5}, golden_feed={k: 1.})


@outputs_of()
def classifier_keras_loss(is_training):
    """p / sum(p), clipped and logged."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.float32, [None, None], name='dense_target')
    wt = tf.placeholder(tf.float32, [None], name='sample_weights')
    p = tf.nn.softmax(tf.layers.dense(features(x, is_training), K), name='dense/Softmax')

    def loss():
        q = p / tf.reduce_sum(p, 1, keepdims=True)
        q = tf.clip_by_value(q, 1e-7, 1 - 1e-7)
        l = -tf.reduce_sum(y * tf.log(q), 1) * wt
        tf.reduce_mean(tf.cast(tf.equal(tf.argmax(y, -1), tf.argmax(p, -1)), tf.float32))
        return tf.reduce_mean(l / tf.reduce_mean(tf.cast(tf.not_equal(wt, 0), tf.float32)))
    return made(x, p, is_training, loss, {y: one_hot, wt: lambda r, n, s: np.ones(n)})


@outputs_of()
def classifier_both(is_training):
    """Logits in the loss, softmax and argmax for the user."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.float32, [None, K], name='y')
    logits = tf.layers.dense(features(x, is_training), K)
    p = tf.nn.softmax(logits, name='probabilities')
    c = tf.argmax(p, 1, name='class')

    def loss():
        l = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits))
        l += tf.add_n([tf.nn.l2_loss(v) * 1e-4 for v in tf.trainable_variables()])
        acc = tf.reduce_mean(tf.cast(tf.equal(c, tf.argmax(y, 1)), tf.float32))
        tf.summary.scalar('a', acc)
        return l
    return made(x, p, is_training, loss, {y: one_hot}, also=[c])


@outputs_of(versions=('113', '115'))
def classifier_loss_ema(is_training):
    """cifar10.py: losses in a collection, averaged by an ExponentialMovingAverage."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.int64, [None], name='y')
    logits = tf.layers.dense(features(x, is_training), K, name='softmax_linear')

    def loss():
        l = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits), name='cross_entropy')
        tf.add_to_collection('losses', l)
        for v in tf.trainable_variables():
            tf.add_to_collection('losses', tf.multiply(tf.nn.l2_loss(v), 1e-4))
        total = tf.add_n(tf.get_collection('losses'), name='total_loss')
        avg = tf.train.ExponentialMovingAverage(.9, name='avg')
        op = avg.apply(tf.get_collection('losses') + [total])
        for v in tf.get_collection('losses') + [total]:
            tf.summary.scalar(v.op.name + '_raw', v)
            tf.summary.scalar(v.op.name, avg.average(v))
        with tf.control_dependencies([op]):
            return tf.identity(total)
    return made(x, logits, is_training, loss, {y: ints(K)})


@outputs_of()
def classifier_per_example(is_training):
    """The loss stays one value per example."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.float32, [None, K], name='y')
    p = tf.nn.softmax(tf.layers.dense(features(x, is_training), K))

    def loss():
        return -tf.reduce_sum(y * tf.log(p + 1e-9) + (1 - y) * tf.log(1 - p + 1e-9), axis=1)
    return made(x, p, is_training, loss, {y: one_hot})


@outputs_of()
def multi_label(is_training):
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.float32, [None, 5], name='tags')
    logits = tf.layers.dense(features(x, is_training), 5, name='fc')

    def loss():
        l = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits)
        return tf.reduce_mean(tf.reduce_sum(l, 1))
    return made(x, logits, is_training, loss, {y: uniform(5)})


@outputs_of()
def weighted_classifier(is_training):
    """Class weights by a gather on the labels, focal factors."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.int32, [None], name='y')
    logits = tf.layers.dense(features(x, is_training), K)
    p = tf.nn.softmax(logits)

    def loss():
        weights = tf.gather(tf.constant([1., 2., .5, 1.]), y)
        l = tf.losses.sparse_softmax_cross_entropy(y, logits, weights=weights)
        pt = tf.reduce_sum(tf.one_hot(y, K) * p, 1)
        return l + tf.reduce_mean(-tf.pow(1. - pt, 2.) * tf.log(pt + 1e-8))
    return made(x, p, is_training, loss, {y: ints(K)})


@outputs_of()
def five_attributes(is_training):
    x = image('x', (8, 8, 3))
    f = features(x, is_training)
    heads = [tf.layers.dense(f, n, name='attr%d' % i) for i, n in enumerate((2, 3, 2, 4, 2))]
    ys = [tf.placeholder(tf.int32, [None], name='y%d' % i) for i in range(5)]

    def loss():
        return tf.add_n([tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=h)) for y, h in zip(ys, heads)])
    return made(x, heads, is_training, loss, {y: ints(2) for y in ys})


@outputs_of()
def five_softmaxes(is_training):
    x = image('x', (8, 8, 3))
    f = features(x, is_training)
    y = tf.placeholder(tf.float32, [None, 5, 3], name='y')
    heads = [tf.nn.softmax(tf.layers.dense(f, 3, name='d%d' % i), name='digit%d' % i) for i in range(5)]

    def loss():
        accs = [tf.equal(tf.argmax(h, 1), tf.argmax(y[:, i], 1)) for i, h in enumerate(heads)]
        tf.reduce_mean(tf.cast(tf.reduce_all(tf.stack(accs), 0), tf.float32), name='all_right')
        return tf.add_n([-tf.reduce_mean(y[:, i] * tf.log(h + 1e-8)) for i, h in enumerate(heads)])
    return made(x, heads, is_training, loss, {y: uniform(5, 3)})


@outputs_of()
def distillation(is_training):
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.int32, [None], name='y')
    teacher = tf.placeholder(tf.float32, [None, K], name='teacher_logits')
    logits = tf.layers.dense(features(x, is_training), K)
    p = tf.nn.softmax(logits, name='out')

    def loss():
        soft = tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.nn.softmax(teacher / 3.), logits=logits / 3.)
        return tf.reduce_mean(soft) + tf.losses.sparse_softmax_cross_entropy(y, logits)
    return made(x, p, is_training, loss, {y: ints(K), teacher: normal(K)})


@outputs_of()
def hinge_svm(is_training):
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.float32, [None, 1], name='y')
    score = tf.layers.dense(features(x, is_training), 1, name='score')

    def loss():
        l = tf.reduce_mean(tf.maximum(0., 1. - y * score))
        tf.reduce_mean(tf.cast(tf.equal(y, tf.sign(score)), tf.float32))
        return l
    return made(x, score, is_training, loss, {y: lambda r, n, s: np.sign(r.normal(size=(n, 1)))})


# ------------------------------------------------------------------ regression, images

@outputs_of()
def regression_mse(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.placeholder(tf.float32, [None, 1], name='y')
    o = tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(x, 5), is_training)), 1, name='o')

    def loss():
        l = tf.reduce_mean(tf.square(o - y), name='mse')
        tf.sqrt(l, name='rmse')
        tf.reduce_mean(tf.abs(y - o), name='mae')
        tf.identity(1 - tf.reduce_sum(tf.square(y - o)) / tf.reduce_sum(tf.square(y - tf.reduce_mean(y))), name='r2')
        return l
    return made(x, o, is_training, loss, {y: normal(1)})


@outputs_of()
def regression_huber_open(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.placeholder(tf.float32, name='y')
    o = tf.squeeze(tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(x, 5), is_training)), 1), 1)

    def loss():
        e = tf.abs(y - o)
        return tf.reduce_mean(tf.where(e < 1., .5 * tf.square(e), e - .5))
    return made(x, o, is_training, loss, {y: normal()})


@outputs_of()
def super_resolution(is_training):
    x = tf.placeholder(tf.float32, [None, None, None, 3], name='lr')
    y = tf.placeholder(tf.float32, [None, None, None, 3], name='hr')
    f = backbone(x, is_training)
    o = tf.depth_to_space(conv(f, 12, 'up'), 2)
    o = tf.clip_by_value(o, -3., 3., name='sr')

    def loss():
        l = tf.reduce_mean(tf.abs(o - y))
        psnr = tf.image.psnr(o, y, 1.)
        tf.summary.scalar('psnr', tf.reduce_mean(psnr))
        tf.summary.image('out', o)
        tf.reduce_mean(tf.image.ssim(o, y, 1.), name='ssim') if False else None
        return l
    return made(x, o, is_training, loss, {y: uniform(12, 12, 3)}, inputs={x: (6, 6, 3)})


@outputs_of()
def segmentation_dice(is_training):
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.float32, [None, 8, 8, 1], name='mask')
    o = tf.nn.sigmoid(conv(backbone(x, is_training), 1, 'seg'), name='prob')

    def loss():
        inter = tf.reduce_sum(o * y, [1, 2, 3])
        dice = (2. * inter + 1.) / (tf.reduce_sum(o, [1, 2, 3]) + tf.reduce_sum(y, [1, 2, 3]) + 1.)
        hard = tf.cast(o > .5, tf.float32)
        tf.reduce_mean(tf.cast(tf.equal(hard, y), tf.float32), name='pixel_accuracy')
        return 1. - tf.reduce_mean(dice)
    return made(x, o, is_training, loss, {y: lambda r, n, s: r.randint(0, 2, (n, 8, 8, 1))})


@outputs_of()
def segmentation_argmax(is_training):
    """FCN: annotation is int, the logits are squeezed for the loss, argmax is the prediction."""
    x = image('input_image', (8, 8, 3))
    y = tf.placeholder(tf.int32, [None, 8, 8, 1], name='annotation')
    logits = conv(backbone(x, is_training), K, 'conv_t3')
    pred = tf.expand_dims(tf.argmax(logits, 3, name='prediction'), 3)

    def loss():
        tf.summary.image('pred', tf.cast(pred, tf.uint8))
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=tf.squeeze(y, [3]), name='entropy'))
    return made(x, pred, is_training, loss, {y: ints(K, 8, 8, 1)}, also=[logits])


@outputs_of()
def autoencoder(is_training):
    """The label is the input."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.nn.relu(bn(tf.layers.dense(x, 3, name='enc'), is_training))
    o = tf.layers.dense(h, 6, name='dec')

    def loss():
        return tf.reduce_mean(tf.pow(x - o, 2))
    return made(x, o, is_training, loss)


@outputs_of()
def autoencoder_xent(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.nn.relu(bn(tf.layers.dense(x, 3, name='enc'), is_training))
    logits = tf.layers.dense(h, 6, name='dec')
    o = tf.nn.sigmoid(logits)

    def loss():
        return tf.reduce_mean(tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.sigmoid(x), logits=logits), 1))
    return made(x, o, is_training, loss)


@outputs_of()
def denoising_target(is_training):
    x = tf.placeholder(tf.float32, name='noisy')
    y = tf.placeholder(tf.float32, name='clean')
    h = tf.reshape(x, [-1, 6])
    h = tf.nn.relu(bn(tf.layers.dense(h, 5, name='enc'), is_training))
    o = tf.layers.dense(h, 6, name='dec')

    def loss():
        return tf.reduce_mean(tf.square(o - tf.reshape(y, [-1, 6])))
    return made(x, o, is_training, loss, {y: normal(6)}, inputs={x: (6,)})


@outputs_of()
def vae(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.nn.relu(bn(tf.layers.dense(x, 5, name='enc'), is_training))
    mu, lv = tf.layers.dense(h, 2, name='mu'), tf.layers.dense(h, 2, name='logvar')
    eps = tf.placeholder_with_default(tf.zeros([1, 2]), [None, 2], name='eps')
    z = mu + tf.exp(lv / 2) * eps
    o = tf.nn.sigmoid(tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(z, 5, name='d1'), is_training, 'bn2')), 6, name='d2'), name='recon')

    def loss():
        t = tf.sigmoid(x)
        rec = -tf.reduce_sum(t * tf.log(1e-10 + o) + (1 - t) * tf.log(1e-10 + 1 - o), 1)
        kl = -.5 * tf.reduce_sum(1 + lv - tf.square(mu) - tf.exp(lv), 1)
        return tf.reduce_mean(rec + kl)
    n = made(x, o, is_training, loss)
    n.inputs = {x: (6,), eps: (2,)}
    return n


@outputs_of()
def vae_noise(is_training):
    """Sampled inside; almost no noise, so that the truth is one."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    h = tf.nn.relu(bn(tf.layers.dense(x, 5, name='enc'), is_training))
    mu, lv = tf.layers.dense(h, 2, name='mu'), tf.layers.dense(h, 2, name='logvar')
    z = mu + tf.exp(lv / 2) * tf.random_normal(tf.shape(mu), 0., 1e-9)
    o = tf.nn.sigmoid(tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(z, 5, name='d1'), is_training, 'bn2')), 6, name='d2'), name='recon')

    def loss():
        rec = tf.reduce_sum(tf.square(o - x), 1)
        kl = -.5 * tf.reduce_sum(1 + lv - tf.square(mu) - tf.exp(lv), 1)
        return tf.reduce_mean(rec + kl)
    return made(x, o, is_training, loss)


# ------------------------------------------------------------------ GANs

def discriminator(x, t, reuse=None):
    with tf.variable_scope('discriminator', reuse=reuse):
        y = tf.nn.leaky_relu(bn(tf.layers.dense(x, 5, name='a'), t))
        return tf.layers.dense(y, 1, name='b')


def generator_net(z, t, reuse=None):
    with tf.variable_scope('generator', reuse=reuse):
        y = tf.nn.relu(bn(tf.layers.dense(z, 5, name='a'), t))
        return tf.nn.tanh(tf.layers.dense(y, 6, name='b'))


def gan_net(z, x, outputs, is_training, d_loss, g_loss, also=(), inputs=None):
    more = []
    if is_training:
        d, g = d_loss(), g_loss()
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            more = [tf.train.AdamOptimizer(1e-4).minimize(d, var_list=tf.trainable_variables('discriminator')),
                    tf.train.AdamOptimizer(1e-4).minimize(g, var_list=tf.trainable_variables('generator'))]
    n = Net(inputs or {z: (3,)}, outputs, updates=more)
    n.labels = {x: uniform(6)} if is_training else {}
    n.also = also
    return n


@outputs_of()
def gan_log_terms(is_training):
    z = tf.placeholder(tf.float32, [None, 3], name='z')
    x = tf.placeholder(tf.float32, [None, 6], name='real')
    g = generator_net(z, is_training)
    also = []
    if is_training:
        dr, df = tf.nn.sigmoid(discriminator(x, True)), tf.nn.sigmoid(discriminator(g, True, True))
    return gan_net(z, x, [g], is_training, lambda: -tf.reduce_mean(tf.log(dr + 1e-8) + tf.log(1. - df + 1e-8)),
                   lambda: tf.reduce_mean(tf.log(1. - df + 1e-8)), also)


@outputs_of()
def gan_per_example(is_training):
    z = tf.placeholder(tf.float32, [None, 3], name='z')
    x = tf.placeholder(tf.float32, [None, 6], name='real')
    g = generator_net(z, is_training)
    if is_training:
        dr, df = tf.nn.sigmoid(discriminator(x, True)), tf.nn.sigmoid(discriminator(g, True, True))
    return gan_net(z, x, [g], is_training, lambda: -(tf.log(dr) + tf.log(1. - df)), lambda: -tf.log(df))


@outputs_of()
def gan_xent(is_training):
    z = tf.placeholder(tf.float32, [None, 3], name='z')
    x = tf.placeholder(tf.float32, [None, 6], name='real')
    g = generator_net(z, is_training)
    if is_training:
        dr, df = discriminator(x, True), discriminator(g, True, True)
    xe = tf.nn.sigmoid_cross_entropy_with_logits
    return gan_net(z, x, [g], is_training,
                   lambda: tf.reduce_mean(xe(logits=dr, labels=tf.ones_like(dr))) + tf.reduce_mean(xe(logits=df, labels=tf.zeros_like(df))),
                   lambda: tf.reduce_mean(xe(logits=df, labels=tf.ones_like(df))))


@outputs_of()
def gan_sampler(is_training):
    """DCGAN: the generator again, for inference."""
    z = tf.placeholder(tf.float32, [None, 3], name='z')
    x = tf.placeholder(tf.float32, [None, 6], name='real')
    g = generator_net(z, is_training)
    s = tf.identity(generator_net(z, False, True), name='sampler')
    if is_training:
        dr, df = discriminator(x, True), discriminator(g, True, True)
    xe = tf.nn.sigmoid_cross_entropy_with_logits
    return gan_net(z, x, [s], is_training,
                   lambda: tf.reduce_mean(xe(logits=dr, labels=tf.ones_like(dr))) + tf.reduce_mean(xe(logits=df, labels=tf.zeros_like(df))),
                   lambda: tf.reduce_mean(xe(logits=df, labels=tf.ones_like(df))), also=[g])


@outputs_of()
def gan_wasserstein(is_training):
    z = tf.placeholder(tf.float32, [None, 3], name='z')
    x = tf.placeholder(tf.float32, [None, 6], name='real')
    g = generator_net(z, is_training)

    def d_loss():
        mix = tf.random_uniform([tf.shape(x)[0], 1])
        inter = mix * x + (1 - mix) * g
        grad = tf.gradients(discriminator(inter, False, True), [inter])[0]
        slopes = tf.sqrt(tf.reduce_sum(tf.square(grad), 1) + 1e-8)
        return tf.reduce_mean(df) - tf.reduce_mean(dr) + 10 * tf.reduce_mean(tf.square(slopes - 1))
    if is_training:
        dr, df = discriminator(x, True), discriminator(g, True, True)
    return gan_net(z, x, [g], is_training, d_loss, lambda: -tf.reduce_mean(df))


@outputs_of()
def gan_conditional(is_training):
    """The label is an input here: it is concatenated to z."""
    z = tf.placeholder(tf.float32, [None, 3], name='z')
    x = tf.placeholder(tf.float32, [None, 6], name='real')
    c = tf.placeholder(tf.float32, [None, K], name='y')
    g = generator_net(tf.concat([z, c], 1), is_training)
    if is_training:
        dr, df = discriminator(tf.concat([x, c], 1), True), discriminator(tf.concat([g, c], 1), True, True)
    xe = tf.nn.sigmoid_cross_entropy_with_logits
    return gan_net(z, x, [g], is_training,
                   lambda: tf.reduce_mean(xe(logits=dr, labels=tf.ones_like(dr))) + tf.reduce_mean(xe(logits=df, labels=tf.zeros_like(df))),
                   lambda: tf.reduce_mean(xe(logits=df, labels=tf.ones_like(df))), inputs={z: (3,), c: (K,)})


@outputs_of()
def pix2pix(is_training):
    x = image('input_image', (8, 8, 3))
    y = image('target_image', (8, 8, 3))
    with tf.variable_scope('generator'):
        g = tf.nn.tanh(conv(backbone(x, is_training), 3, 'g'), name='out')
    more = []
    if is_training:
        def d(a, b, reuse):
            with tf.variable_scope('discriminator', reuse=reuse):
                return tf.nn.sigmoid(conv(tf.nn.leaky_relu(bn(conv(tf.concat([a, b], 3), 4, 'd1'), True)), 1, 'd2'))
        real, fake = d(x, y, None), d(x, g, True)
        dl = tf.reduce_mean(-(tf.log(real + 1e-12) + tf.log(1 - fake + 1e-12)))
        gl = tf.reduce_mean(-tf.log(fake + 1e-12)) + 100. * tf.reduce_mean(tf.abs(y - g))
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            more = [tf.train.AdamOptimizer(1e-4).minimize(dl, var_list=tf.trainable_variables('discriminator')),
                    tf.train.AdamOptimizer(1e-4).minimize(gl, var_list=tf.trainable_variables('generator'))]
    n = Net({x: (8, 8, 3)}, g, updates=more)
    n.labels = {y: uniform(8, 8, 3)} if is_training else {}
    return n


# ------------------------------------------------------------------ detectors

@outputs_of()
def ssd(is_training):
    x = image('image', (8, 8, 3))
    gt_loc = tf.placeholder(tf.float32, [None, 16, 4], name='gt_boxes')
    gt_cls = tf.placeholder(tf.int32, [None, 16], name='gt_labels')
    f = tf.layers.max_pooling2d(backbone(x, is_training), 2, 2)
    loc = tf.reshape(conv(f, 4, 'loc'), [-1, 16, 4], name='boxes')
    cls = tf.reshape(conv(f, K, 'cls'), [-1, 16, K], name='scores')

    def loss():
        pos = tf.cast(gt_cls > 0, tf.float32)
        xe = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=gt_cls, logits=cls)
        n_pos = tf.reduce_sum(pos)
        neg = tf.nn.softmax(cls)[:, :, 0]
        hard, _ = tf.nn.top_k(tf.reshape(-neg * (1 - pos), [-1]), k=8)
        mask = tf.cast(-neg >= hard[-1], tf.float32) * (1 - pos)
        d = loc - gt_loc
        a = tf.abs(d)
        smooth = tf.where(a < 1, .5 * d * d, a - .5)
        return tf.reduce_sum(xe * (pos + mask)) / (n_pos + 1) + tf.reduce_sum(smooth * tf.expand_dims(pos, 2)) / (n_pos + 1)
    return made(x, [loc, cls], is_training, loss, {gt_loc: normal(16, 4), gt_cls: ints(K, 16)})


@outputs_of()
def mtcnn(is_training):
    """Three heads, labels that pick examples, online hard example mining."""
    x = image('input_image', (8, 8, 3))
    label = tf.placeholder(tf.float32, [None], name='label')
    box_t, mark_t = tf.placeholder(tf.float32, [None, 4], name='bbox_target'), tf.placeholder(tf.float32, [None, 10], name='landmark_target')
    f = features(x, is_training)
    cls = tf.nn.softmax(tf.layers.dense(f, 2), name='cls_prob')
    box, mark = tf.layers.dense(f, 4, name='bbox'), tf.layers.dense(f, 10, name='landmark')

    def loss():
        zeros = tf.zeros_like(label)
        valid = tf.where(label < 0., zeros, tf.ones_like(label))
        flat = tf.reshape(cls, [-1])
        row = tf.range(tf.shape(cls)[0]) * 2 + tf.cast(tf.where(label < 0, zeros, label), tf.int32)
        prob = tf.gather(flat, row)
        l = -tf.log(prob + 1e-10) * valid
        l, _ = tf.nn.top_k(l, k=tf.cast(tf.reduce_sum(valid) * .7, tf.int32))
        vi = tf.where(tf.equal(tf.abs(label), 1.), tf.ones_like(label), zeros)
        bl = tf.reduce_sum(tf.square(box - box_t), 1) * vi
        ml = tf.reduce_sum(tf.square(mark - mark_t), 1) * vi
        pred = tf.argmax(cls, 1)
        pick = tf.squeeze(tf.where(tf.greater_equal(label, 0.)), 1)
        tf.reduce_mean(tf.cast(tf.equal(tf.gather(tf.cast(label, tf.int64), pick), tf.gather(pred, pick)), tf.float32), name='accuracy')
        return tf.reduce_mean(l) + .5 * tf.reduce_mean(bl) + .5 * tf.reduce_mean(ml)
    return made(x, [cls, box, mark], is_training, loss,
                {label: lambda r, n, s: np.arange(n) % 2, box_t: normal(4), mark_t: normal(10)})


@outputs_of()
def yolo(is_training):
    x = image('image', (8, 8, 3))
    gt = tf.placeholder(tf.float32, [None, 4, 4, 9], name='labels')
    f = tf.layers.max_pooling2d(backbone(x, is_training), 2, 2)
    raw = conv(f, 9, 'pred', bias=True)
    o = tf.identity(raw, name='output')

    def loss():
        xy, wh, conf, cls = tf.nn.sigmoid(raw[..., 0:2]), tf.exp(raw[..., 2:4]), tf.nn.sigmoid(raw[..., 4:5]), raw[..., 5:]
        txy, twh, obj = gt[..., 0:2], gt[..., 2:4], gt[..., 4:5]
        inter = tf.reduce_prod(tf.maximum(tf.minimum(xy + wh / 2, txy + twh / 2) - tf.maximum(xy - wh / 2, txy - twh / 2), 0), -1, keepdims=True)
        iou = inter / (tf.reduce_prod(wh, -1, keepdims=True) + tf.reduce_prod(twh, -1, keepdims=True) - inter + 1e-6)
        l = tf.reduce_sum(obj * tf.square(xy - txy)) + tf.reduce_sum(obj * tf.square(wh - twh))
        l += tf.reduce_sum(obj * tf.square(conf - iou)) + .5 * tf.reduce_sum((1 - obj) * tf.square(conf))
        xe = tf.nn.softmax_cross_entropy_with_logits_v2(labels=gt[..., 5:], logits=cls)
        return l + tf.reduce_sum(obj[..., 0] * xe)
    return made(x, o, is_training, loss, {gt: uniform(4, 4, 9)})


@outputs_of()
def detector_nms(is_training):
    """Boxes, scores and classes after non-maximum suppression, built beside the loss."""
    x = tf.placeholder(tf.float32, [1, 8, 8, 3], name='image')
    gt = tf.placeholder(tf.float32, [1, 16, 5], name='gt')
    f = tf.layers.max_pooling2d(backbone(x, is_training), 2, 2)
    loc = tf.reshape(conv(f, 4, 'loc'), [16, 4])
    sc = tf.nn.sigmoid(tf.reshape(conv(f, 1, 'conf'), [16]))
    keep = tf.image.non_max_suppression(loc, sc, 5, .5)
    boxes, scores = tf.gather(loc, keep, name='boxes'), tf.gather(sc, keep, name='scores')

    def loss():
        return tf.reduce_mean(tf.square(loc - gt[0, :, :4])) + tf.reduce_mean(
            tf.square(sc - gt[0, :, 4]))
    return made(x, [boxes, scores], is_training, loss, {gt: lambda r, n, s: r.uniform(size=(1, 16, 5))},
                inputs={x: lambda r, n, s: r.normal(size=(1, 8, 8, 3))})


# ------------------------------------------------------------------ reinforcement

@outputs_of()
def a2c(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='state')
    a, adv, ret = tf.placeholder(tf.int32, [None], name='action'), tf.placeholder(tf.float32, [None], name='advantage'), \
        tf.placeholder(tf.float32, [None], name='returns')
    h = tf.nn.relu(bn(tf.layers.dense(x, 5), is_training))
    pi, v = tf.nn.softmax(tf.layers.dense(h, K), name='policy'), tf.layers.dense(h, 1, name='value')

    def loss():
        lp = tf.log(tf.reduce_sum(pi * tf.one_hot(a, K), 1) + 1e-8)
        ent = -tf.reduce_sum(pi * tf.log(pi + 1e-8), 1)
        return -tf.reduce_mean(lp * adv) + .5 * tf.reduce_mean(tf.square(ret - tf.squeeze(v, 1))) - .01 * tf.reduce_mean(ent)
    return made(x, [pi, v], is_training, loss, {a: ints(K), adv: normal(), ret: normal()})


@outputs_of()
def alphazero(is_training):
    """Policy logits in the loss, softmax beside; tanh value; a flag and a regulariser."""
    x = image('board', (5, 5, 3))
    pi_t, z_t = tf.placeholder(tf.float32, [None, 25], name='target_pi'), tf.placeholder(tf.float32, [None], name='target_v')
    t = flagged()
    f = backbone(x, t)
    p = tf.layers.dense(tf.layers.flatten(tf.nn.relu(bn(conv(f, 2, 'pc', 1), t, 'pbn'))), 25, name='logits')
    pi = tf.nn.softmax(p, name='pi')
    v = tf.nn.tanh(tf.layers.dense(tf.layers.flatten(tf.nn.relu(bn(conv(f, 1, 'vc', 1), t, 'vbn'))), 1), name='v')

    def loss():
        return tf.losses.softmax_cross_entropy(pi_t, p) + tf.losses.mean_squared_error(z_t, tf.reshape(v, [-1])) + \
            1e-4 * tf.add_n([tf.nn.l2_loss(k) for k in tf.trainable_variables()])
    return made(x, [pi, v], is_training, loss, {pi_t: lambda r, n, s: r.dirichlet(np.ones(25), n), z_t: normal()}, feed={t: True},
                golden_feed={t: False})


@outputs_of()
def dqn(is_training):
    """Q of the action taken; a target network that is copied."""
    x = tf.placeholder(tf.float32, [None, 6], name='state')
    nx = tf.placeholder(tf.float32, [None, 6], name='next_state')
    a, r_, done = tf.placeholder(tf.int32, [None], name='action'), tf.placeholder(tf.float32, [None], name='reward'), \
        tf.placeholder(tf.float32, [None], name='done')

    def q_net(s, name, t):
        with tf.variable_scope(name):
            return tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(s, 5, name='a'), t)), K, name='q')
    q = q_net(x, 'eval', is_training)
    also, more = [], []
    if is_training:
        tq = q_net(nx, 'target', False)

    def loss():
        target = tf.stop_gradient(r_ + .9 * (1 - done) * tf.reduce_max(tq, 1))
        return tf.reduce_mean(tf.squared_difference(target, tf.reduce_sum(q * tf.one_hot(a, K), 1)))
    n = made(x, q, is_training, loss, {nx: normal(6), a: ints(K), r_: normal(), done: ints(2)})
    if is_training:
        n.updates = list(n.updates) + [tf.group(*[tf.assign(b, c) for b, c in zip(tf.global_variables('target'), tf.global_variables('eval'))])]
    return n


@outputs_of()
def ppo_gaussian(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='s')
    a, adv, old = tf.placeholder(tf.float32, [None, 2], name='a'), tf.placeholder(tf.float32, [None], name='adv'), \
        tf.placeholder(tf.float32, [None], name='old_logp')
    h = tf.nn.tanh(bn(tf.layers.dense(x, 5), is_training))
    mu, sd = tf.nn.tanh(tf.layers.dense(h, 2), name='mu'), tf.nn.softplus(tf.layers.dense(h, 2), name='sigma')
    v = tf.layers.dense(h, 1, name='v')
    ret = tf.placeholder(tf.float32, [None, 1], name='ret')

    def loss():
        lp = tf.reduce_sum(-.5 * tf.square((a - mu) / (sd + 1e-3)) - tf.log(sd + 1e-3), 1)
        ratio = tf.exp(lp - old)
        return -tf.reduce_mean(tf.minimum(ratio * adv, tf.clip_by_value(ratio, .8, 1.2) * adv)) + tf.reduce_mean(tf.square(v - ret))
    return made(x, [mu, sd, v], is_training, loss, {a: normal(2), adv: normal(), old: normal(), ret: normal(1)})


# ------------------------------------------------------------------ metrics of distance

@outputs_of()
def siamese_contrastive(is_training):
    a, b = tf.placeholder(tf.float32, [None, 6], name='x1'), tf.placeholder(tf.float32, [None, 6], name='x2')
    y = tf.placeholder(tf.float32, [None], name='y')

    def embed(x, reuse=None):
        with tf.variable_scope('siamese', reuse=reuse):
            return tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(x, 5, name='a'), is_training)), 3, name='e')
    ea, eb = embed(a), embed(b, True)
    also = []

    def loss():
        d2 = tf.reduce_sum(tf.square(ea - eb), 1)
        d = tf.sqrt(d2 + 1e-6)
        also.append(d)
        return tf.reduce_mean(y * d2 + (1 - y) * tf.square(tf.maximum(1. - d, 0)))
    return made(a, [ea, eb], is_training, loss, {y: ints(2)}, inputs={a: (6,), b: (6,)}, also=also)


@outputs_of()
def triplet_three(is_training):
    xs = [tf.placeholder(tf.float32, [None, 6], name=n) for n in ('anchor', 'positive', 'negative')]

    def embed(x, reuse):
        with tf.variable_scope('net', reuse=reuse):
            y = tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(x, 5, name='a'), is_training)), 3, name='e')
            return tf.nn.l2_normalize(y, 1)
    es = [embed(x, None if i == 0 else True) for i, x in enumerate(xs)]

    def loss():
        dp, dn = tf.reduce_sum(tf.square(es[0] - es[1]), 1), tf.reduce_sum(tf.square(es[0] - es[2]), 1)
        tf.reduce_mean(tf.cast(dp < dn, tf.float32), name='accuracy')
        return tf.reduce_mean(tf.maximum(0., dp - dn + .2))
    return made(xs[0], es, is_training, loss, inputs={x: (6,) for x in xs}, also=es)


@outputs_of()
def triplet_batch_hard(is_training):
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.int64, [None], name='labels')
    e = tf.nn.l2_normalize(tf.layers.dense(features(x, is_training), 5), 1, name='embeddings')

    def loss():
        d = tf.reduce_sum(tf.square(tf.expand_dims(e, 1) - tf.expand_dims(e, 0)), 2)
        same = tf.cast(tf.equal(tf.expand_dims(y, 1), tf.expand_dims(y, 0)), tf.float32)
        hp = tf.reduce_max(same * d, 1)
        hn = tf.reduce_min(d + same * 1e3, 1)
        return tf.reduce_mean(tf.maximum(hp - hn + .3, 0.))
    return made(x, e, is_training, loss, {y: ints(2)})


@outputs_of()
def center_loss(is_training):
    """An embedding with a classifier and class centres for training."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.int64, [None], name='labels')
    e = tf.layers.dense(features(x, is_training), 5, name='prelogits')
    logits = tf.layers.dense(e, K, name='Logits')
    emb = tf.nn.l2_normalize(e, 1, name='embeddings')

    def loss():
        c = fixed('centers', [K, 5], 0.)
        cb = tf.gather(c, y)
        with tf.control_dependencies([tf.scatter_sub(c, y, .1 * (cb - e))]):
            cl = tf.reduce_mean(tf.square(e - cb))
        return cl + tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    return made(x, [emb, logits], is_training, loss, {y: ints(K)}, also=[emb])


@outputs_of()
def arcface(is_training):
    """The logits depend on the labels: the embedding is meant."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.int64, [None], name='labels')
    e = tf.layers.dense(features(x, is_training), 5, name='emb')
    o = tf.identity(e, name='embedding')

    def loss():
        k = w('head', [5, K])
        cos = tf.matmul(tf.nn.l2_normalize(e, 1), tf.nn.l2_normalize(k, 0))
        hot = tf.one_hot(y, K)
        phi = cos * np.cos(.5) - tf.sqrt(1. - tf.square(cos) + 1e-6) * np.sin(.5)
        logits = 8. * tf.where(tf.cast(hot, tf.bool), phi, cos)
        tf.reduce_mean(tf.cast(tf.equal(tf.argmax(cos, 1), y), tf.float32))
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    return made(x, o, is_training, loss, {y: ints(K)})


# ------------------------------------------------------------------ sequences

def cell(n):
    return tf.nn.rnn_cell.LSTMCell(n, name='lstm') if hasattr(tf.nn, 'rnn_cell') and not TF2 else tf.nn.rnn_cell.BasicLSTMCell(n)


@outputs_of(versions=('113', '115', '212'), context=None)
def rnn_classifier(is_training):
    x = tf.placeholder(tf.float32, [None, 5, 4], name='x')
    y = tf.placeholder(tf.int32, [None], name='y')
    h, state = tf.nn.dynamic_rnn(cell(4), x, dtype=tf.float32)
    f = bn(h[:, -1], is_training)
    logits = tf.layers.dense(f, K, name='logits')
    return made(x, logits, is_training, lambda: tf.losses.sparse_softmax_cross_entropy(y, logits), {y: ints(K)})


@outputs_of()
def seq2seq(is_training):
    src = tf.placeholder(tf.int32, [None, 5], name='source')
    dec = tf.placeholder(tf.int32, [None, 4], name='decoder_inputs')
    tgt = tf.placeholder(tf.int32, [None, 4], name='targets')
    lens = tf.placeholder(tf.int32, [None], name='target_length')
    e = w('embedding', [7, 4])
    with tf.variable_scope('encoder'):
        enc = bn(tf.nn.embedding_lookup(e, src), is_training)
        _, state = tf.nn.dynamic_rnn(cell(4), enc, dtype=tf.float32)
    with tf.variable_scope('decoder'):
        out, final = tf.nn.dynamic_rnn(cell(4), tf.nn.embedding_lookup(e, dec), initial_state=state)
    logits = tf.layers.dense(out, 7, name='projection')

    def loss():
        xe = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tgt, logits=logits)
        mask = tf.sequence_mask(lens, 4, dtype=tf.float32)
        l = tf.reduce_sum(xe * mask) / tf.cast(tf.shape(src)[0], tf.float32)
        tf.exp(l, name='perplexity')
        return l
    return made(src, logits, is_training, loss, {tgt: ints(7, 4), lens: lambda r, n, s: r.randint(1, 5, n)},
                inputs={src: ints(7, 5), dec: ints(7, 4)})


@outputs_of()
def ctc(is_training):
    x = tf.placeholder(tf.float32, [None, 6, 4], name='inputs')
    y = tf.sparse_placeholder(tf.int32, name='targets')
    lens = tf.placeholder(tf.int32, [None], name='seq_len')
    h, _ = tf.nn.dynamic_rnn(cell(4), bn(x, is_training), dtype=tf.float32, sequence_length=lens)
    logits = tf.transpose(tf.layers.dense(h, 5, name='fc'), [1, 0, 2], name='logits')

    def loss():
        l = tf.reduce_mean(tf.nn.ctc_loss(y, logits, lens))
        d, _ = tf.nn.ctc_greedy_decoder(logits, lens)
        tf.reduce_mean(tf.edit_distance(tf.cast(d[0], tf.int32), y), name='ler')
        return l
    n = made(x, logits, is_training, loss, inputs={x: (6, 4), lens: lambda r, n, s: np.full(n, 6)})
    if is_training:
        n.feed = {y: tf.SparseTensorValue(np.array([[i, j] for i in range(8) for j in range(2)]), np.tile([1, 2], 8), [8, 2])}
        n.before_feed = {}
    return n


@outputs_of()
def language_model(is_training):
    x = tf.placeholder(tf.int32, [None, 5], name='x')
    y = tf.placeholder(tf.int32, [None, 5], name='y')
    h, _ = tf.nn.dynamic_rnn(cell(4), tf.nn.embedding_lookup(w('e', [7, 4]), x), dtype=tf.float32)
    logits = tf.layers.dense(bn(tf.reshape(h, [-1, 4]), is_training), 7)
    p = tf.nn.softmax(logits)

    def loss():
        l = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(y, [-1]), logits=logits)
        return tf.reduce_sum(l) / 8.
    return made(x, p, is_training, loss, {y: ints(7, 5)}, inputs={x: ints(7, 5)})


@outputs_of()
def text_cnn(is_training):
    x = tf.placeholder(tf.int32, [None, 8], name='input_x')
    y = tf.placeholder(tf.float32, [None, K], name='input_y')
    k = tf.placeholder(tf.float32, name='dropout_keep_prob')
    e = tf.expand_dims(tf.nn.embedding_lookup(w('W', [9, 4]), x), -1)
    pools = []
    for n in (2, 3):
        c = tf.nn.relu(bn(tf.layers.conv2d(e, 3, (n, 4), use_bias=False, name='conv%d' % n), is_training, 'bn%d' % n))
        pools.append(tf.nn.max_pool(c, [1, 9 - n, 1, 1], [1, 1, 1, 1], 'VALID'))
    h = tf.nn.dropout(tf.reshape(tf.concat(pools, 3), [-1, 6]), k)
    with tf.name_scope('output'):
        scores = tf.nn.xw_plus_b(h, w('Wo', [6, K]), w('bo', [K]), name='scores')
        pred = tf.argmax(scores, 1, name='predictions')

    def loss():
        l = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=scores, labels=y))
        tf.reduce_mean(tf.cast(tf.equal(pred, tf.argmax(y, 1)), 'float'), name='accuracy')
        return l + .1 * tf.nn.l2_loss(tf.trainable_variables()[-1])
    return made(x, pred, is_training, loss, {y: one_hot}, inputs={x: ints(9, 8)}, feed={k: .5}, golden_feed={k: 1.}, also=[scores])


# ------------------------------------------------------------------ others

@outputs_of()
def mixture_density(is_training):
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.placeholder(tf.float32, [None, 1], name='y')
    h = tf.nn.tanh(bn(tf.layers.dense(x, 5), is_training))
    pi, mu, sd = tf.nn.softmax(tf.layers.dense(h, 3), name='pi'), tf.layers.dense(h, 3, name='mu'), tf.exp(tf.layers.dense(h, 3), name='sigma')

    def loss():
        g = tf.exp(-tf.square((y - mu) / sd) / 2) / sd * .3989
        return tf.reduce_mean(-tf.log(tf.reduce_sum(g * pi, 1) + 1e-8))
    return made(x, [pi, mu, sd], is_training, loss, {y: normal(1)})


@outputs_of()
def capsule(is_training):
    """Margin loss, and a decoder that is masked by the labels."""
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.int64, [None], name='labels')
    caps = tf.reshape(tf.layers.dense(features(x, is_training), K * 3), [-1, K, 3])
    n2 = tf.reduce_sum(tf.square(caps), -1, keepdims=True)
    caps = caps * n2 / (1 + n2) / tf.sqrt(n2 + 1e-9)
    length = tf.sqrt(tf.reduce_sum(tf.square(caps), -1) + 1e-9, name='v_length')
    pred = tf.argmax(length, 1)

    def loss():
        hot = tf.one_hot(y, K)
        l = hot * tf.square(tf.maximum(0., .9 - length)) + .5 * (1 - hot) * tf.square(tf.maximum(0., length - .1))
        masked = tf.reshape(caps * tf.expand_dims(hot, -1), [-1, K * 3])
        rec = tf.layers.dense(tf.nn.relu(tf.layers.dense(masked, 6)), 192, tf.nn.sigmoid)
        return tf.reduce_mean(tf.reduce_sum(l, 1)) + .0005 * tf.reduce_mean(tf.square(rec - tf.reshape(x, [-1, 192])))
    return made(x, pred, is_training, loss, {y: ints(K)}, also=[length])


@outputs_of()
def matrix_factorisation(is_training):
    u, i = tf.placeholder(tf.int32, [None], name='user'), tf.placeholder(tf.int32, [None], name='item')
    r_ = tf.placeholder(tf.float32, [None], name='rating')
    pu, qi = tf.nn.embedding_lookup(w('pu', [7, 4]), u), tf.nn.embedding_lookup(w('qi', [9, 4]), i)
    bu, bi = tf.nn.embedding_lookup(w('bu', [7]), u), tf.nn.embedding_lookup(w('bi', [9]), i)
    pu = bn(pu, is_training)
    o = tf.add(tf.reduce_sum(pu * qi, 1), bu + bi, name='svd_inference')

    def loss():
        return tf.nn.l2_loss(o - r_) + .05 * (tf.nn.l2_loss(pu) + tf.nn.l2_loss(qi))
    return made(u, o, is_training, loss, {r_: normal()}, inputs={u: ints(7), i: ints(9)})


@outputs_of()
def pointnet(is_training):
    """A transform net with a regulariser on its matrix."""
    x = tf.placeholder(tf.float32, [None, 10, 3], name='points')
    y = tf.placeholder(tf.int32, [None], name='labels')
    t = flagged()
    h = tf.nn.relu(bn(tf.layers.conv1d(x, 6, 1, use_bias=False, name='t1'), t, 'tbn'))
    m = tf.reshape(tf.layers.dense(tf.reduce_max(h, 1), 9, name='tm'), [-1, 3, 3])
    h = tf.matmul(x, m)
    h = tf.nn.relu(bn(tf.layers.conv1d(h, 6, 1, use_bias=False, name='c1'), t, 'bn1'))
    h = tf.layers.dropout(tf.reduce_max(h, 1), .3, training=t)
    logits = tf.layers.dense(h, K, name='fc3')

    def loss():
        l = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=y))
        diff = tf.matmul(m, tf.transpose(m, [0, 2, 1])) - tf.constant(np.eye(3), tf.float32)
        tf.summary.scalar('mat', tf.nn.l2_loss(diff))
        return l + tf.nn.l2_loss(diff) * 1e-3
    return made(x, logits, is_training, loss, {y: ints(K)}, feed={t: True}, golden_feed={t: False})


@outputs_of(versions=('113', '115', '212'))
def slim_classifier(is_training):
    slim = get_slim()
    x = image('input', (8, 8, 3))
    y = tf.placeholder(tf.int64, [None], name='label')
    with slim.arg_scope([slim.conv2d], normalizer_fn=slim.batch_norm, normalizer_params={'is_training': is_training, 'decay': .8},
                        weights_regularizer=slim.l2_regularizer(1e-4)):
        h = slim.conv2d(x, 4, 3)
        h = slim.conv2d(h, 4, 3)
    logits = slim.fully_connected(slim.flatten(h), K, activation_fn=None, scope='logits')
    p = tf.nn.softmax(logits, name='Predictions')

    def loss():
        (slim.losses.sparse_softmax_cross_entropy if hasattr(slim, 'losses') and not TF2 else tf.losses.sparse_softmax_cross_entropy)(
            *((logits, y) if hasattr(slim, 'losses') and not TF2 else (y, logits)))
        total = tf.losses.get_total_loss()
        for v in slim.get_model_variables():
            tf.summary.histogram(v.op.name, v)
        acc, up = tf.metrics.accuracy(y, tf.argmax(logits, 1))
        tf.metrics.mean(total)
        return total
    return made(x, p, is_training, loss, {y: ints(K)})


@outputs_of()
def estimator_like(is_training):
    x = image('x', (8, 8, 3))
    y = tf.placeholder(tf.int64, [None], name='y')
    t = flagged(False)
    h = tf.layers.dropout(features(x, t), .4, training=t)
    logits = tf.layers.dense(h, K)
    predictions = {'classes': tf.argmax(logits, 1), 'probabilities': tf.nn.softmax(logits, name='softmax_tensor')}

    def loss():
        l = tf.losses.sparse_softmax_cross_entropy(labels=y, logits=logits)
        acc = tf.metrics.accuracy(labels=y, predictions=predictions['classes'])
        tf.identity(acc[1], name='train_accuracy')
        tf.identity(l, name='cross_entropy')
        return l
    return made(x, [predictions['classes'], predictions['probabilities']], is_training, loss, {y: ints(K)}, feed={t: True},
                golden_feed={t: False}, also=[predictions['probabilities']])


@outputs_of(golden_batch=4)
def towers(is_training):
    """Two towers of one input pipeline: the loss is an average."""
    x = tf.placeholder(tf.float32, [None, 6], name='x')
    y = tf.placeholder(tf.int32, [None], name='y')
    outs, losses = [], []
    for i, (a, b) in enumerate(zip(tf.split(x, 2), tf.split(y, 2))):
        with tf.variable_scope('net', reuse=i > 0), tf.name_scope('tower_%d' % i):
            a.set_shape([None, 6])
            logits = tf.layers.dense(tf.nn.relu(bn(tf.layers.dense(a, 5, name='a'), is_training)), K, name='b')
            outs.append(logits)
            if is_training:
                losses.append(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=b, logits=logits)))
    o = tf.concat(outs, 0, name='logits')
    return made(x, o, is_training, lambda: tf.add_n(losses) / 2, {y: ints(K)}, also=outs)


@outputs_of()
def input_dataset(is_training):
    """Images and labels of one iterator."""
    data = np.random.RandomState(3).normal(size=(32, 8, 8, 3)).astype('f') * 1.7 + .6
    ds = tf.data.Dataset.from_tensor_slices((data, np.arange(32, dtype='i') % K)).repeat().batch(8)
    if is_training:
        it = tf.data.make_one_shot_iterator(ds) if hasattr(tf.data, 'make_one_shot_iterator') else ds.make_one_shot_iterator()
        x, y = it.get_next()
    else:
        x = tf.placeholder(tf.float32, [None, 8, 8, 3], name='IteratorGetNext')
    logits = tf.layers.dense(features(x, is_training), K, name='logits')
    p = tf.nn.softmax(logits, name='p')

    def loss():
        return tf.losses.sparse_softmax_cross_entropy(y, logits)
    return made(x, p, is_training, loss, inputs={x: (8, 8, 3)})


@outputs_of(versions=('113', '115'), golden_batch=8)
def input_queue(is_training):
    """tf.train.batch: images and labels from a queue."""
    if is_training:
        img = tf.random_normal([8, 8, 3]) * 1.7 + .6
        lab = tf.cast(tf.random_uniform([], 0, 4), tf.int32)
        x, y = tf.train.batch([img, lab], 8, capacity=16)
    else:
        x = tf.placeholder(tf.float32, [None, 8, 8, 3], name='batch')
    logits = tf.layers.dense(features(x, is_training), K, name='logits')

    def loss():
        n_labels.append(y)
        tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1, output_type=tf.int32), y), tf.float32))
        return tf.losses.sparse_softmax_cross_entropy(y, logits)
    n_labels = []
    n = made(x, logits, is_training, loss, inputs={x: (8, 8, 3)})
    n.labels = {t: ints(K) for t in n_labels}
    return n


@outputs_of()
def decode_pipeline(is_training):
    """Decoding of pictures in front of the net: the net is meant, not the decoded picture."""
    s = tf.placeholder(tf.string, [None], name='jpeg_bytes')
    pics = tf.map_fn(lambda b: tf.cast(tf.reshape(tf.decode_raw(b, tf.uint8), [8, 8, 3]), tf.float32) / 64. - 1., s, tf.float32)
    pics.set_shape([None, 8, 8, 3])
    y = tf.placeholder(tf.int32, [None], name='y')
    logits = tf.layers.dense(features(pics, is_training), K, name='logits')

    def loss():
        tf.summary.image('pics', pics)
        return tf.losses.sparse_softmax_cross_entropy(y, logits)

    def bytes_of(r, n, st):
        return np.array([r.randint(0, 255, 192).astype('uint8').tobytes() for _ in range(n)], object)
    return made(s, logits, is_training, loss, {y: ints(K)}, inputs={s: bytes_of})


@outputs_of(versions=('113', '115'))
def style_transfer(is_training):
    """A transform net; a fixed loss net reads its output."""
    x = image('content', (8, 8, 3))
    style = tf.placeholder(tf.float32, [None, 4, 4], name='style_gram')
    o = tf.nn.tanh(conv(backbone(x, is_training), 3, 'o'), name='stylized')

    def loss():
        def vgg(t, reuse):
            with tf.variable_scope('vgg', reuse=reuse):
                return tf.nn.relu(tf.layers.conv2d(t, 4, 3, name='c', trainable=False))
        a, b = vgg(o, None), vgg(x, True)
        f = tf.reshape(a, [-1, 36, 4])
        gram = tf.matmul(f, f, transpose_a=True) / 36.
        tv = tf.reduce_sum(tf.image.total_variation(o))
        return tf.nn.l2_loss(a - b) + tf.nn.l2_loss(gram - style) + 1e-3 * tv
    return made(x, o, is_training, loss, {style: uniform(4, 4)})


@outputs_of()
def gan_with_classifier(is_training):
    """ACGAN / SGAN: the discriminator's class logits are an output as well as the generator."""
    x = tf.placeholder(tf.float32, [None, 6], name='real')
    y = tf.placeholder(tf.int32, [None], name='y')
    z = tf.placeholder(tf.float32, [None, 3], name='z')
    g = generator_net(z, is_training)

    def disc(t, reuse):
        with tf.variable_scope('discriminator', reuse=reuse):
            return tf.layers.dense(tf.nn.leaky_relu(bn(tf.layers.dense(t, 5, name='a'), is_training)), K + 1, name='b')
    dr = disc(x, None)
    p = tf.nn.softmax(dr, name='class_probs')
    more = []
    if is_training:
        df = disc(g, True)
        dl = tf.losses.sparse_softmax_cross_entropy(y, dr) - tf.reduce_mean(tf.log(tf.nn.softmax(df)[:, -1] + 1e-8))
        gl = tf.reduce_mean(tf.log(tf.nn.softmax(df)[:, -1] + 1e-8))
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            more = [tf.train.AdamOptimizer(1e-4).minimize(dl, var_list=tf.trainable_variables('discriminator')),
                    tf.train.AdamOptimizer(1e-4).minimize(gl, var_list=tf.trainable_variables('generator'))]
    n = Net({z: (3,), x: (6,)}, [g, p], updates=more)
    n.labels = {y: ints(K)} if is_training else {}
    return n


# ------------------------------------------------------------------ random

class Draw(object):
    def __init__(self, rng, words):
        self.rng, self.words = rng, words

    def __call__(self, what, *options):
        choice = options[self.rng.randint(len(options))]
        self.words.append('%s=%s' % (what, choice))
        return choice

    def some(self, what, options, p=.3):
        chosen = [o for o in options if self.rng.uniform() < p]
        self.words.append('%s=%s' % (what, '+'.join(chosen)))
        return chosen


HEADS = ('sparse', 'softmax_log', 'softmax_beside', 'sigmoid', 'sigmoid_beside', 'mse', 'l1', 'huber', 'binary_log', 'focal', 'smoothed',
         'log_cosh', 'kl', 'mask', 'argmax_beside', 'topk', 'weighted')
METRICS = ('accuracy', 'in_top_k', 'tf_metrics', 'confusion', 'mae', 'histogram', 'zero_fraction', 'grad_norm', 'lr', 'loss_ema', 'image')


def head(kind, h, i, label_form):
    """(outputs, also, loss, labels) of one head."""
    name = 'head%d' % i
    size = {'mse': 1, 'l1': 2, 'huber': 1, 'binary_log': 1, 'log_cosh': 2, 'mask': 3}.get(kind, K)
    o = tf.layers.dense(h, size, name=name)

    def dense_label(dtype=tf.float32, n=size):
        return tf.placeholder(dtype, None if label_form == 'open' else [None, n], name='label%d' % i)

    def int_label():
        return tf.placeholder(tf.int64 if label_form != 'int32' else tf.int32, None if label_form == 'open' else [None], name='label%d' % i)
    if kind in ('sparse', 'topk', 'argmax_beside', 'weighted', 'focal', 'smoothed'):
        y = int_label()
        flat = tf.reshape(y, [-1])
        hot = tf.one_hot(flat, K)
        xe = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=flat, logits=o)
        if kind == 'weighted':
            return [o], [], tf.reduce_mean(xe * tf.gather(tf.constant([1., .5, 2., 1.]), flat)), {y: ints(K)}, flat
        if kind == 'focal':
            p = tf.nn.softmax(o)
            pt = tf.reduce_sum(p * hot, 1)
            return [p], [], tf.reduce_mean(-tf.square(1. - pt) * tf.log(tf.clip_by_value(pt, 1e-7, 1.))), {y: ints(K)}, flat
        if kind == 'smoothed':
            return [o], [], tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.stop_gradient(hot * .9 + .1 / K), logits=o)), {y: ints(K)}, flat
        if kind == 'topk':
            p = tf.nn.softmax(o)
            v, idx = tf.nn.top_k(p, 2, name='top%d' % i)
            return [v, idx], [v, idx, o, p], tf.reduce_mean(xe), {y: ints(K)}, flat
        if kind == 'argmax_beside':
            c = tf.argmax(o, 1, name='class%d' % i)
            return [c], [c, o], tf.reduce_mean(xe), {y: ints(K)}, flat
        return [o], [], tf.reduce_mean(xe), {y: ints(K)}, flat
    y = dense_label()
    pos = one_hot if size == K else uniform(size)
    t = y if label_form != 'open' else tf.reshape(y, [-1, size])
    if kind == 'softmax_log':
        p = tf.nn.softmax(o)
        return [p], [], -tf.reduce_mean(tf.reduce_sum(t * tf.log(p + 1e-10), 1)), {y: pos}, None
    if kind == 'softmax_beside':
        p = tf.nn.softmax(o, name='prob%d' % i)
        return [p], [], tf.losses.softmax_cross_entropy(t, o), {y: pos}, None
    if kind == 'sigmoid':
        return [o], [], tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=o)), {y: pos}, None
    if kind == 'sigmoid_beside':
        p = tf.nn.sigmoid(o, name='prob%d' % i)
        return [p], [], tf.losses.sigmoid_cross_entropy(t, o), {y: pos}, None
    if kind == 'binary_log':
        p = tf.nn.sigmoid(o)
        return [p], [], -tf.reduce_mean(t * tf.log(p + 1e-8) + (1. - t) * tf.log(1. - p + 1e-8)), {y: pos}, None
    if kind == 'kl':
        p = tf.nn.softmax(o)
        return [p], [], tf.reduce_mean(tf.reduce_sum(t * (tf.log(t + 1e-6) - tf.log(p + 1e-6)), 1)), {y: pos}, None
    if kind == 'mask':
        m = tf.placeholder(tf.float32, [None, size], name='mask%d' % i)
        return [o], [], tf.reduce_sum(tf.abs(o - t) * m) / (tf.reduce_sum(m) + 1.), {y: pos, m: uniform(size)}, None
    if kind == 'l1':
        return [o], [], tf.reduce_mean(tf.abs(t - o)), {y: pos}, None
    if kind == 'huber':
        return [o], [], tf.losses.huber_loss(t, o), {y: pos}, None
    if kind == 'log_cosh':
        e = o - t
        return [o], [], tf.reduce_mean(e + tf.nn.softplus(-2. * e) - .6931), {y: pos}, None
    return [o], [], tf.losses.mean_squared_error(t, o), {y: pos}, None


@generator('outputs')
def outputs_random(rng, words):
    d = Draw(rng, words)
    shape = d('input', 'image', 'image', 'vector', 'tokens', 'open_image')
    flag = d('flag', 'python', 'python', 'placeholder', 'default_false')
    kinds = [d('head', *HEADS) for _ in range(d('heads', 1, 1, 1, 2, 3))]
    form = d('labels', 'shape', 'open', 'int32')
    metrics = d.some('metrics', METRICS)
    extra = d.some('extra', ('l2', 'keep_prob', 'identity_end', 'print_end', 'clip', 'ema_weights', 'assert'), .2)
    optimiser = d('optimiser', 'Adam', 'SGD', 'Momentum', 'RMSProp')
    neck = d('neck', 'dense', 'pool', 'lstm', 'residual')
    pretty = d('loss', 'sum', 'losses', 'per_example', 'mean')

    def build(is_training):
        t = is_training if flag == 'python' else flagged(None if flag == 'placeholder' else False)
        if shape == 'vector':
            x, example = tf.placeholder(tf.float32, [None, 6], name='x'), (6,)
            h = tf.nn.relu(bn(tf.layers.dense(x, 6, name='in'), t))
        elif shape == 'tokens':
            x, example = tf.placeholder(tf.int32, [None, 5], name='ids'), ints(7, 5)
            h = tf.reshape(bn(tf.nn.embedding_lookup(w('emb', [7, 4]), x), t), [-1, 20])
        else:
            x = tf.placeholder(tf.float32, [None, None, None, 3] if shape == 'open_image' else [None, 8, 8, 3], name='x')
            example = (8, 8, 3)
            y = backbone(x, t)
            if neck == 'residual':
                y = tf.nn.relu(y + bn(conv(y, 4, 'res'), t, 'resbn'))
            h = tf.reduce_mean(y, [1, 2]) if shape == 'open_image' or neck == 'pool' else tf.layers.flatten(tf.layers.max_pooling2d(y, 2, 2))
        if neck == 'lstm' and shape != 'open_image':
            h = tf.nn.dynamic_rnn(cell(4), tf.reshape(tf.layers.dense(h, 12, name='to_rnn'), [-1, 3, 4]), dtype=tf.float32)[0][:, -1]
        feed, golden = ({t: True}, {t: False}) if flag != 'python' else ({}, {})
        if 'keep_prob' in extra:
            k = tf.placeholder(tf.float32, name='keep_prob')
            h = tf.nn.dropout(h, k)
            feed[k], golden[k] = .6, 1.
        outs, also, losses, labels, ys = [], [], [], {}, []
        for i, kind in enumerate(kinds):
            o, a, l, y, ints_ = head(kind, h, i, form)
            outs, also, losses = outs + o, also + a, losses + [l]
            labels.update(y)
            ys.append((o[0], ints_))
        if len(kinds) > 1 and also:
            also = also + outs
        ends = outs
        if 'identity_end' in extra:
            ends = [tf.identity(o, name='out%d' % i) for i, o in enumerate(outs)]
            also = also and also + ends
        elif 'print_end' in extra and hasattr(tf, 'Print'):
            ends = [tf.Print(o, [tf.shape(o)], 'p', first_n=0) if o.dtype == tf.float32 else o for o in outs]
            also = also and also + ends
        if not is_training:
            n = Net({x: example}, ends, updates=[], feed=feed, golden_feed=golden)
            n.labels, n.also = {}, also
            return n
        if pretty == 'losses':
            for l in losses:
                tf.losses.add_loss(tf.reduce_mean(l))
            total = tf.add_n(tf.get_collection(tf.GraphKeys.LOSSES))
        else:
            total = tf.add_n([tf.reduce_mean(l) for l in losses])
        if 'l2' in extra:
            total += 1e-4 * tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()])
        if 'assert' in extra:
            tf.Assert(tf.reduce_all(tf.is_finite(total)), [total], name='check')
        for o, y in ys:
            if 'accuracy' in metrics and y is not None and o.shape.ndims == 2:
                tf.reduce_mean(tf.cast(tf.equal(tf.argmax(o, 1), tf.cast(y, tf.int64)), tf.float32))
            if 'in_top_k' in metrics and y is not None and o.dtype == tf.float32 and o.shape.as_list()[-1] == K:
                tf.reduce_sum(tf.cast(tf.nn.in_top_k(o, y, 1), tf.int32))
            if 'confusion' in metrics and y is not None and o.shape.ndims == 2:
                tf.confusion_matrix(y, tf.argmax(o, 1), K)
            if 'tf_metrics' in metrics and y is not None and o.shape.ndims == 2:
                tf.metrics.accuracy(y, tf.argmax(o, 1))
            if 'histogram' in metrics:
                tf.summary.histogram('o', o)
            if 'zero_fraction' in metrics and o.dtype == tf.float32:
                tf.summary.scalar('sparsity', tf.nn.zero_fraction(o))
        if 'image' in metrics and 'image' in shape:
            tf.summary.image('x', x)
        if 'loss_ema' in metrics:
            avg = tf.train.ExponentialMovingAverage(.9)
            op = avg.apply([total])
            tf.summary.scalar('loss_avg', avg.average(total))
            with tf.control_dependencies([op]):
                total = tf.identity(total)
        step = tf.train.get_or_create_global_step()
        rate = tf.train.exponential_decay(1e-4, step, 10, .9) if 'lr' in metrics else 1e-4
        opt = {'Adam': tf.train.AdamOptimizer, 'SGD': tf.train.GradientDescentOptimizer, 'RMSProp': tf.train.RMSPropOptimizer,
               'Momentum': lambda r: tf.train.MomentumOptimizer(r, .9)}[optimiser](rate)
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(updates):
            grads = [(g, v) for g, v in opt.compute_gradients(total) if g is not None]
            if 'clip' in extra or 'grad_norm' in metrics:
                gs, norm = tf.clip_by_global_norm([g for g, _ in grads], 5.)
                tf.summary.scalar('norm', norm)
                grads = list(zip(gs, [v for _, v in grads]))
            train_op = opt.apply_gradients(grads, step)
        ups = [train_op] + updates
        if 'ema_weights' in extra:
            with tf.control_dependencies([train_op]):
                ups.append(tf.train.ExponentialMovingAverage(.9, step).apply(tf.trainable_variables()))
        tf.summary.scalar('loss', total)
        tf.summary.merge_all()
        n = Net({x: example}, ends, updates=ups, feed=feed, golden_feed=golden)
        n.labels, n.also = labels, also
        return n
    return build, dict(auto='ask', commands=('freeze',) if rng.randint(4) == 0 else (), steps=3)
