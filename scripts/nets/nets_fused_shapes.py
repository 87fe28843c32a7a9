"""Fused batch norms whose statistics are kept in variables of other shapes, and by other arithmetic."""
from harness import tf

from builders import conv, fixed, next_, w
from cases_fused import image
from common import Net
from situations import situation

ALL = ('113', '115', '212')


def kept_as(shape, to, back):
    def build(is_training):
        x = image('x', (4, 4, 3))
        c = conv(x, 4, 'c')
        mm, mv = fixed('mm', shape, 0.), fixed('mv', shape, 1.)
        g, b = w('g', [4]), w('b', [4])
        if not is_training:
            return Net({x: (4, 4, 3)}, tf.nn.relu(tf.nn.fused_batch_norm(c, g, b, back(mm), back(mv), is_training=False)[0], name='y'), updates=[])
        y, m, v = tf.nn.fused_batch_norm(c, g, b)
        return Net({x: (4, 4, 3)}, tf.nn.relu(y, name='y'), updates=[tf.assign(mm, next_(mm, to(m))), tf.assign(mv, next_(mv, to(v)))])
    return build


FORMS = {
    'kept_1114': ([1, 1, 1, 4], lambda t: tf.reshape(t, [1, 1, 1, 4]), lambda t: tf.reshape(t, [4])),
    'kept_1411': ([1, 4, 1, 1], lambda t: tf.reshape(t, [1, 4, 1, 1]), lambda t: tf.reshape(t, [4])),
    'kept_14': ([1, 4], lambda t: t[None], lambda t: t[0]),
    'kept_14_broadcast': ([1, 4], lambda t: t, lambda t: t[0]),
    'kept_22': ([2, 2], lambda t: tf.reshape(t, [2, 2]), lambda t: tf.reshape(t, [4])),
    'kept_reversed': ([4], lambda t: tf.reverse(t, [0]), lambda t: tf.reverse(t, [0])),
    'kept_gathered': ([4], lambda t: tf.gather(t, [2, 0, 3, 1]), lambda t: tf.gather(t, [1, 3, 0, 2])),
    'kept_doubled': ([4], lambda t: 2. * t, lambda t: t / 2.),
    'kept_mean_of_channels': ([1], lambda t: tf.reduce_mean(t, keepdims=True), lambda t: tf.tile(t, [4])),
    'kept_in_double': ([4], lambda t: tf.cast(tf.cast(t, tf.float64), tf.float32), lambda t: t),
    'kept_longer': ([6], lambda t: tf.pad(t, [[0, 2]]), lambda t: t[:4]),
}
for _name, (_shape, _to, _back) in FORMS.items():
    _f = kept_as(_shape, _to, _back)
    _f.__name__ = 'fused_' + _name
    situation('fused_shapes', ALL, expect='either', commands=('freeze', 'fold'))(_f)
