"""Half precision: dropouts whose factor is rounded by the dtype, kernels that are casts, slices and transposes of float32 constants."""
from harness import np, tf

from builders import bn, conv, fixed, flagged, net, next_, resource, w
from cases_fused import image
from common import Net, TF2
from situations import generator, situation

ALL = ('113', '115', '212')
TOLERANCE = {'float16': 2e-2, 'bfloat16': 1e-1}


def dropped(dtype, how, rate, bn_too=True):
    def build(is_training):
        x = tf.placeholder(tf.float32, [None, 6], name='x')
        h = tf.layers.dense(x, 5, name='e')
        if bn_too:
            h = bn(h, is_training)
        h = tf.cast(tf.nn.relu(h), dtype)
        if how == 'flag':
            t = flagged()
            h = tf.layers.dropout(h, rate, training=t)
            h = tf.cast(h, tf.float32)
            return net(x, tf.layers.dense(h, 3, name='y'), t)
        if how == 'keep_prob':
            k = tf.placeholder(tf.float32, name='keep_prob')
            h = tf.nn.dropout(h, tf.cast(k, dtype))
            return Net({x: (6,)}, tf.layers.dense(tf.cast(h, tf.float32), 3, name='y'), feed={k: 1 - rate}, golden_feed={k: 1.})
        if is_training:
            if how == 'nn':
                h = tf.nn.dropout(h, rate=rate)
            elif how == 'layers':
                h = tf.layers.dropout(h, rate, training=True)
            elif how == 'keras':
                h = tf.keras.layers.Dropout(rate, dtype=dtype)(h, training=True)
            elif how == 'noise_shape':
                h = tf.nn.dropout(h, rate=rate, noise_shape=[tf.shape(h)[0], 1])
            elif how == 'by_hand':
                mask = tf.cast(tf.random_uniform(tf.shape(h)) >= rate, dtype)
                h = h * mask * tf.cast(1 / (1 - rate), dtype)
            elif how == 'by_hand_div':
                mask = tf.floor(tf.random_uniform(tf.shape(h), dtype=tf.float32) + (1 - rate))
                h = h / tf.cast(1 - rate, dtype) * tf.cast(mask, dtype)
        return net(x, tf.layers.dense(tf.cast(h, tf.float32), 3, name='y'))
    return build


for _dtype in (tf.float16, tf.bfloat16):
    for _how in ('nn', 'layers', 'keras', 'noise_shape', 'by_hand', 'by_hand_div', 'flag', 'keep_prob'):
        for _rate in (.1, .3, .5, .7):
            _f = dropped(_dtype, _how, _rate)
            _f.__name__ = 'dropout_%s_%s_%d' % (_dtype.name, _how, _rate * 10)
            situation('precision', ('212',) if _dtype == tf.bfloat16 else ALL, tolerance=TOLERANCE[_dtype.name], commands=('freeze',),
                      expect='either' if _how == 'by_hand_div' else 'ok')(_f)


# ------------------------------------------------------------------ kernels of half precision in fold

def half(kernel_of, dtype=tf.float16, fused=False):
    def build(is_training):
        x = image('x', (6, 6, 3))
        k = kernel_of(dtype)
        c = tf.nn.conv2d(tf.cast(x, dtype), k, [1, 1, 1, 1], 'SAME')
        c = tf.cast(c, tf.float32)
        if fused:
            y = bn(c, is_training)
        else:
            y = bn(c, is_training, fused=False)
        return net(x, tf.nn.relu(y, name='y'))
    return build


def half_all(kernel_of, dtype=tf.float16, fused=True):
    """Batch norm in half precision as well (fused: float32 statistics)."""
    def build(is_training):
        x = image('x', (6, 6, 3))
        c = tf.nn.conv2d(tf.cast(x, dtype), kernel_of(dtype), [1, 1, 1, 1], 'SAME')
        g, b, mm, mv = w('gamma', [4]), w('beta', [4]), fixed('mm', [4], 0.), fixed('mv', [4], 1.)
        if fused:
            if is_training:
                y, m, v = tf.nn.fused_batch_norm(c, g, b, epsilon=1e-3)
            else:
                y, m, v = tf.nn.fused_batch_norm(c, g, b, mm, mv, epsilon=1e-3, is_training=False)
        else:
            m, v = tf.nn.moments(tf.cast(c, tf.float32), [0, 1, 2])
            a, s = (m, v) if is_training else (mm, mv)
            y = tf.nn.batch_normalization(c, tf.cast(a, dtype), tf.cast(s, dtype), tf.cast(b, dtype), tf.cast(g, dtype), 1e-3)
        ups = [tf.assign(mm, next_(mm, m)), tf.assign(mv, next_(mv, v))] if is_training else []
        return Net({x: (6, 6, 3)}, tf.cast(tf.nn.relu(y), tf.float32, name='y'), updates=ups)
    return build


def k_cast(dtype):
    return tf.cast(w('kernel', [3, 3, 3, 4]), dtype)


def k_transpose(dtype):
    return tf.transpose(tf.cast(w('kernel', [4, 3, 3, 3]), dtype), [1, 2, 3, 0])


def k_transpose_first(dtype):
    return tf.cast(tf.transpose(w('kernel', [4, 3, 3, 3]), [1, 2, 3, 0]), dtype)


def k_slice(dtype):
    return tf.cast(w('kernel', [3, 3, 3, 8]), dtype)[..., :4]


def k_split(dtype):
    return tf.split(tf.cast(w('kernel', [3, 3, 3, 8]), dtype), 2, 3)[1]


def k_reshape(dtype):
    return tf.reshape(tf.cast(w('kernel', [27, 4]), dtype), [3, 3, 3, 4])


def k_scaled(dtype):
    """Equalised learning rate."""
    return tf.cast(w('kernel', [3, 3, 3, 4]) * np.float32(np.sqrt(2. / 27)), dtype)


def k_weight_norm(dtype):
    v = w('kernel', [3, 3, 3, 4])
    return tf.cast(w('g', [4]) * tf.nn.l2_normalize(v, [0, 1, 2]), dtype)


def k_twice(dtype):
    return tf.cast(tf.cast(tf.cast(w('kernel', [3, 3, 3, 4]), tf.float64), tf.float32), dtype)


for _k in (k_cast, k_transpose, k_transpose_first, k_slice, k_split, k_reshape, k_scaled, k_weight_norm, k_twice):
    for _n, _m in (('half', half(_k)), ('half_fused', half(_k, fused=True)), ('all_half', half_all(_k)), ('all_half_unfused', half_all(_k, fused=False)),
                   ('single', half(_k, tf.float32)), ('double', half(_k, tf.float64))):
        _m.__name__ = '%s_%s' % (_k.__name__, _n)
        situation('precision', ALL, tolerance=2e-4 if _n in ('single', 'double') else 2e-2, commands=('freeze', 'fold'), folds=_n in ('single', 'all_half', 'all_half_unfused'))(_m)
