"""SavedModels of TF 2 that were exported in training mode: Keras layers in unusual places, and batch norms of tf.Module by hand."""
import os

from harness import common, np

from common import TF2, _tf, rng_for
from situations import Trained, raw

if TF2:
    K = _tf.keras
    L = K.layers


def randomised(variables, name):
    rng = rng_for(name)
    for v in variables:
        if not v.dtype.is_floating:
            continue
        n = v.name
        low, high = (.5, 2.) if any(t in n for t in ('variance', 'var', 'std', 'gamma', 'scale', 'count')) else (-.6, .6)
        v.assign(_tf.cast(rng.uniform(low, high, v.shape), v.dtype))


def exported(make, shape, tolerance=None, expect='either', dtype='float32'):
    """make() -> (module, call(x, training)). Exported with training = True; right is training = False."""
    def build(out):
        module, call = make()
        x = rng_for('x', make.__name__).normal(size=(3,) + shape).astype(np.float32)
        call(_tf.constant(x), True)
        randomised(module.variables, make.__name__)
        serve = _tf.function(lambda image: {'out': call(image, True)}, input_signature=[_tf.TensorSpec((None,) + shape, _tf.float32, 'image')])
        golden = np.asarray(call(_tf.constant(x), False), np.float32)
        folder = os.path.join(out, 'saved')
        _tf.saved_model.save(module, folder, signatures={'serving_default': serve.get_concrete_function()})
        before = np.asarray(call(_tf.constant(x), True), np.float32)
        return Trained({'saved_model': [folder]}, None, ['serving_default_image:0'], [x], [golden], common.relative_difference(golden, before), [])
    build.__name__ = make.__name__
    return raw('keras2', ('212', '215'), expect=expect, **({'tolerance': tolerance} if tolerance else {}))(build)


def keras(shape, **opts):
    """The decorated function makes a Keras model from an input."""
    def wrap(fn):
        def make():
            x = L.Input(shape)
            model = K.Model(x, fn(x))
            return model, lambda image, training: model(image, training=training)
        make.__name__ = fn.__name__
        return exported(make, shape, **opts)
    return wrap


def module(shape, **opts):
    """The decorated class is a tf.Module that is called with (x, training)."""
    def wrap(cls):
        def make():
            m = cls()
            return m, m
        make.__name__ = cls.__name__
        return exported(make, shape, **opts)
    return wrap


if TF2:
    @keras((8, 6))
    def k_lstm_dropout(x):
        return L.Dense(3)(L.BatchNormalization()(L.LSTM(4, dropout=.3, recurrent_dropout=.2)(x)))

    @keras((8, 6))
    def k_gru_reset(x):
        return L.Dense(3)(L.BatchNormalization()(L.GRU(4, dropout=.3, reset_after=False)(x)))

    @keras((8, 6))
    def k_bidirectional(x):
        y = L.Bidirectional(L.LSTM(3, return_sequences=True, dropout=.2))(x)
        return L.Dense(3)(L.GlobalMaxPooling1D()(L.BatchNormalization()(y)))

    @keras((8, 6))
    def k_time_distributed(x):
        return L.TimeDistributed(L.BatchNormalization())(L.TimeDistributed(L.Dense(4))(x))

    @keras((8, 6))
    def k_attention(x):
        y = L.MultiHeadAttention(2, 3, dropout=.2)(x, x)
        return L.Dense(2)(L.BatchNormalization()(L.LayerNormalization()(y + x)))

    @keras((8, 8, 3))
    def k_norms_beside(x):
        y = L.BatchNormalization()(L.Conv2D(4, 3)(x))
        y = L.GroupNormalization(2)(y)
        return L.UnitNormalization()(L.LayerNormalization(axis=[1, 2, 3])(y))

    @keras((8, 8, 3))
    def k_spatial_dropout(x):
        return L.SpatialDropout2D(.3)(L.BatchNormalization()(L.Conv2D(4, 3)(x)))

    @keras((8, 8, 3))
    def k_gaussian(x):
        return L.GaussianDropout(.3)(L.GaussianNoise(.2)(L.BatchNormalization()(L.Conv2D(4, 3)(x))))

    @keras((8, 8, 3))
    def k_alpha(x):
        return L.AlphaDropout(.3)(L.BatchNormalization()(L.Conv2D(4, 3, activation='selu')(x)))

    @keras((8, 8, 3))
    def k_augmentation(x):
        y = L.RandomFlip('horizontal')(x)
        return L.BatchNormalization()(L.Conv2D(4, 3)(y))

    @keras((8, 8, 3))
    def k_augmentations(x):
        y = L.RandomContrast(.3)(L.RandomZoom(.2)(L.RandomRotation(.1)(L.Rescaling(1 / 2.)(x))))
        return L.BatchNormalization()(L.Conv2D(4, 3)(y))

    @keras((8, 8, 3))
    def k_sync(x):
        return L.experimental.SyncBatchNormalization()(L.Conv2D(4, 3)(x))

    @keras((8, 8, 3))
    def k_synchronized(x):
        return L.BatchNormalization(synchronized=True)(L.Conv2D(4, 3)(x))

    @keras((8, 8, 3))
    def k_frozen_layer(x):
        b = L.BatchNormalization(trainable=False)
        return L.BatchNormalization()(L.Conv2D(4, 3)(b(x)))

    @keras((8, 8, 3))
    def k_siamese(x):
        c, b = L.Conv2D(4, 3), L.BatchNormalization()
        return L.Concatenate()([b(c(x)), b(c(L.ReLU()(x)))])

    @keras((8, 8, 3))
    def k_axis_one(x):
        return L.BatchNormalization(axis=1)(L.Conv2D(4, 3)(x))

    @keras((8, 8, 3))
    def k_two_axes(x):
        return L.BatchNormalization(axis=[1, 3])(L.Conv2D(4, 3)(x))

    @keras((4, 8, 8, 2))
    def k_five_d(x):
        return L.BatchNormalization()(L.Conv3D(4, 3)(x))

    @keras((8, 8, 3))
    def k_one_channel_axis(x):
        return L.Dense(3)(L.BatchNormalization()(L.Flatten()(L.SeparableConv2D(4, 3)(x))))

    def k_mixed():
        with_policy = K.mixed_precision.global_policy()
        K.mixed_precision.set_global_policy('mixed_float16')
        try:
            x = L.Input((8, 8, 3))
            y = L.Dropout(.3)(L.BatchNormalization()(L.Conv2D(4, 3)(x)))
            y = L.Activation('linear', dtype='float32')(L.Dense(3)(L.BatchNormalization()(L.GlobalAveragePooling2D()(y))))
            m = K.Model(x, y)
        finally:
            K.mixed_precision.set_global_policy(with_policy)
        return m, lambda image, training: m(image, training=training)
    exported(k_mixed, (8, 8, 3), tolerance=5e-3)

    class Cell(L.Layer):
        """A recurrent cell with a batch norm in it, whose statistics all steps share."""

        def __init__(self, units, per_step=False):
            super().__init__()
            self.units = self.state_size = units
            self.d, self.r, self.bn = L.Dense(units), L.Dense(units), L.BatchNormalization()

        def call(self, x, states, training=None):
            h = _tf.tanh(self.bn(self.d(x), training=training) + self.r(states[0]))
            return h, [h]

    @keras((5, 6))
    def k_rnn_cell(x):
        return L.RNN(Cell(4))(x)

    @keras((5, 6))
    def k_rnn_cell_unrolled(x):
        return L.RNN(Cell(4), unroll=True)(x)

    class Base(_tf.Module):
        def __init__(self, c=4, n=6):
            super().__init__()
            self.k = _tf.Variable(_tf.ones([n, c]), name='kernel')
            self.g, self.b = _tf.Variable(_tf.ones([c]), name='gamma'), _tf.Variable(_tf.zeros([c]), name='beta')
            self.mm = _tf.Variable(_tf.zeros([c]), trainable=False, name='moving_mean')
            self.mv = _tf.Variable(_tf.ones([c]), trainable=False, name='moving_var')
            self.more()

        def more(self):
            pass

        def norm(self, c, m, v):
            return _tf.nn.relu(_tf.nn.batch_normalization(c, m, v, self.b, self.g, 1e-3))

    @module((6,))
    class m_assign_sub(Base):
        def __call__(self, x, training):
            c = _tf.matmul(x, self.k)
            if not training:
                return self.norm(c, self.mm, self.mv)
            m, v = _tf.nn.moments(c, [0])
            self.mm.assign_sub((self.mm - m) * .1)
            self.mv.assign_sub((self.mv - v) * .1)
            return self.norm(c, m, v)

    @module((6,))
    class m_assign_then_read(Base):
        """Training normalises with the averages after their update."""
        def __call__(self, x, training):
            c = _tf.matmul(x, self.k)
            if training:
                m, v = _tf.nn.moments(c, [0])
                self.mm.assign(.9 * self.mm + .1 * m)
                self.mv.assign(.9 * self.mv + .1 * v)
            return self.norm(c, self.mm, self.mv)

    @module((6,))
    class m_two_calls(Base):
        """Called twice: the second call reads what the first has updated."""
        def once(self, c, training):
            if not training:
                return self.norm(c, self.mm, self.mv)
            m, v = _tf.nn.moments(c, [0])
            self.mm.assign(.9 * self.mm + .1 * m)
            self.mv.assign(.9 * self.mv + .1 * v)
            return self.norm(c, m, v)

        def __call__(self, x, training):
            c = _tf.matmul(x, self.k)
            return _tf.concat([self.once(c, training), self.once(c * 2. + 1., training)], 1)

    @module((6,))
    class m_stacked(Base):
        def more(self):
            self.stats = _tf.Variable([[0.] * 4, [1.] * 4], trainable=False, name='stats_var')

        def __call__(self, x, training):
            c = _tf.matmul(x, self.k)
            m, v = _tf.unstack(self.stats)
            if training:
                m, v = _tf.nn.moments(c, [0])
                self.stats.assign(self.stats * .9 + _tf.stack([m, v]) * .1)
            return self.norm(c, m, _tf.abs(v))

    @module((6,))
    class m_step_flag(Base):
        """Batch statistics for the first thousand steps only: at inference, moving ones."""
        def more(self):
            self.step = _tf.Variable(5, trainable=False, name='step', dtype=_tf.int64)

        def __call__(self, x, training):
            c = _tf.matmul(x, self.k)
            if not training:
                return self.norm(c, self.mm, self.mv)
            m, v = _tf.nn.moments(c, [0])
            self.mm.assign(.9 * self.mm + .1 * m)
            self.mv.assign(.9 * self.mv + .1 * v)
            early = self.step < 1000
            m, v = _tf.cond(early, lambda: m, lambda: self.mm + 0.), _tf.cond(early, lambda: v, lambda: self.mv + 0.)
            self.step.assign_add(1)
            return self.norm(c, m, v)

    @module((6,))
    class m_moving_max(Base):
        def more(self):
            self.top = _tf.Variable(1., trainable=False, name='top_scale')

        def __call__(self, x, training):
            c = _tf.matmul(x, self.k)
            t = self.top + 0.
            if training:
                t = _tf.reduce_max(_tf.abs(c))
                self.top.assign(_tf.maximum(self.top * .99, t))
            y = c / t
            return self.norm(y, *(_tf.nn.moments(y, [0]) if False else (self.mm, self.mv)))

    @module((6,))
    class m_dropout_by_hand(Base):
        def __call__(self, x, training):
            c = _tf.matmul(x, self.k)
            if training:
                keep = _tf.cast(_tf.random.uniform(_tf.shape(c)) < .7, _tf.float32)
                m, v = _tf.nn.moments(c, [0])
                self.mm.assign(.9 * self.mm + .1 * m)
                self.mv.assign(.9 * self.mv + .1 * v)
                return self.norm(c, m, v) * keep / .7
            return self.norm(c, self.mm, self.mv)

    @module((6,))
    class m_classic_dropout(Base):
        """Not scaled in training; inference multiplies by the keep probability."""
        def __call__(self, x, training):
            c = _tf.nn.relu(_tf.matmul(x, self.k) + self.b)
            if training:
                return c * _tf.cast(_tf.random.uniform(_tf.shape(c)) < .7, _tf.float32)
            return c * .7

    @module((6,))
    class m_autograph(Base):
        """The flag is a tensor in the function."""
        def __call__(self, x, training):
            @_tf.function
            def inner(x, training):
                c = _tf.matmul(x, self.k)
                if training:
                    m, v = _tf.nn.moments(c, [0])
                    self.mm.assign(.9 * self.mm + .1 * m)
                    self.mv.assign(.9 * self.mv + .1 * v)
                else:
                    m, v = self.mm + 0., self.mv + 0.
                return self.norm(c, m, v)
            return inner(x, _tf.constant(training))

    @module((6,))
    class m_vector_quantised(Base):
        """A codebook that training replaces by moving averages of what was assigned to its entries."""
        def more(self):
            self.book = _tf.Variable(_tf.ones([5, 4]), trainable=False, name='codebook')
            self.sums = _tf.Variable(_tf.ones([5, 4]), trainable=False, name='sums')
            self.size = _tf.Variable(_tf.ones([5]), trainable=False, name='count')

        def __call__(self, x, training):
            c = _tf.matmul(x, self.k)
            d = _tf.reduce_sum(_tf.square(c[:, None] - self.book[None]), 2)
            e = _tf.one_hot(_tf.argmin(d, 1), 5)
            q = _tf.matmul(e, self.book)
            if training:
                self.size.assign(.9 * self.size + .1 * _tf.reduce_sum(e, 0))
                self.sums.assign(.9 * self.sums + .1 * _tf.matmul(e, c, transpose_a=True))
                self.book.assign(self.sums / self.size[:, None])
                q = c + _tf.stop_gradient(q - c)
            return q
