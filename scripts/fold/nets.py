"""Small nets, one for each row of what `bnfix fold` can do, built with the TensorFlow that runs this.

Each function builds a net in the default graph and returns a dict: `outputs` (tensors), `expect` (what fold has to make
of each batch norm: previous, next, arithmetic or kept) and what else case.json says. `case` registers it, with the
TensorFlow that makes it: 1 (1.15), 2 (2.12) or both.
"""
from __future__ import print_function

import numpy as np
import tensorflow

VERSION = tensorflow.__version__
tf = tensorflow.compat.v1 if VERSION.startswith('2.') else tensorflow
raw = tensorflow.raw_ops
MAJOR = int(VERSION[0])

CASES = {}
random = np.random.RandomState(7)


def case(*made_by, **said):
    def register(build):
        CASES[build.__name__] = (build, made_by or (1,), said)
        return build
    return register


def numbers(*shape):
    return random.uniform(-1, 1, shape).astype('f4')


def const(value, name=None, dtype='float32'):
    return tf.constant(np.asarray(value, 'f4' if dtype == 'bfloat16' else dtype), dtype=dtype, name=name)


def weights(*shape, **options):
    return const(numbers(*shape), options.get('name'), options.get('dtype', 'float32'))


def image(size=6, channels=3, name='x', dtype='float32'):
    return tf.placeholder(dtype, [2, size, size, channels], name=name)


def statistics(n, gamma=None, beta=None, mean=None, variance=None):
    def given(value, otherwise):
        return np.broadcast_to(np.asarray(otherwise if value is None else value, 'f4'), [n])
    return [given(gamma, random.uniform(.5, 2, n) * np.sign(random.uniform(-1, 1, n))), given(beta, numbers(n)),
            given(mean, numbers(n)), given(variance, random.uniform(.1, 2, n))]


def fused(x, n, name='bn', version='V3', data_format='NHWC', epsilon=1e-3, dtype='float32', **stats):
    op = getattr(raw, 'FusedBatchNorm' + version)
    scale, offset, mean, variance = [const(s) for s in statistics(n, **stats)]
    outs = op(x=x, scale=scale, offset=offset, mean=mean, variance=variance, epsilon=epsilon, data_format=data_format,
              is_training=False, name=name)
    return outs


def bn(x, n, name='bn', **options):
    return fused(x, n, name, **options)[0]


def plain(x, n, name='bn', dtype='float32', epsilon=1e-3, **stats):
    """As tf.nn.batch_normalization writes it."""
    scale, offset, mean, variance = [const(s, dtype=dtype) for s in statistics(n, **stats)]
    with tf.name_scope(name):
        factor = raw.Rsqrt(x=variance + const(epsilon, dtype=dtype)) * scale
        return tf.add(x * factor, offset - mean * factor, name='out')


def conv(x, inputs, outputs, size=3, padding='SAME', name='conv', kernel=None, strides=(1, 1, 1, 1), dtype='float32',
         **options):
    kernel = weights(size, size, inputs, outputs, dtype=dtype) if kernel is None else kernel
    return tf.nn.conv2d(x, kernel, strides=list(strides), padding=padding, name=name, **options)


def relu(x, name='out'):
    return tf.nn.relu(x, name=name)


def done(*outputs, **expect):
    return {'outputs': list(outputs), 'expect': expect}


# ---------------------------------------------------------------- the three versions of the op, and what is around it

@case()
def conv_v1():
    return done(relu(bn(conv(image(), 3, 4), 4, version='')), bn='previous')


@case()
def conv_v2():
    return done(relu(bn(conv(image(), 3, 4), 4, version='V2')), bn='previous')


@case(1, 2)
def conv_v3():
    return done(relu(bn(conv(image(), 3, 4), 4)), bn='previous')


@case()
def conv_strides():
    return done(relu(bn(conv(image(7), 3, 5, strides=(1, 2, 2, 1), padding='VALID'), 5)), bn='previous')


@case()
def bias_add():
    return done(relu(bn(tf.nn.bias_add(conv(image(), 3, 4), weights(4)), 4)), bn='previous')


@case()
def bias_by_add():
    return done(relu(bn(raw.Add(x=conv(image(), 3, 4), y=weights(4)), 4)), bn='previous')


@case(2)
def bias_by_add_v2():
    return done(relu(bn(raw.AddV2(x=weights(1, 1, 1, 4), y=conv(image(), 3, 4)), 4)), bn='previous')


@case()
def bias_by_sub():
    return done(relu(bn(raw.Sub(x=conv(image(), 3, 4), y=weights(4)), 4)), bn='previous')


@case()
def bias_minus_conv():
    return done(relu(bn(raw.Sub(x=weights(4), y=conv(image(), 3, 4)), 4)), bn='previous')


@case()
def identity_between():
    x = tf.identity(conv(image(), 3, 4))
    x = tf.stop_gradient(tf.identity(tf.nn.bias_add(x, weights(4))))
    return done(relu(bn(x, 4)), bn='previous')


@case()
def decomposed():
    return done(relu(plain(conv(image(), 3, 4), 4)), **{'bn/out': 'previous', 'only': True})


@case()
def decomposed_by_hand():
    x = conv(image(), 3, 4)
    g, b, m, v = [const(s) for s in statistics(4)]
    return done(relu((x - m) / tf.sqrt(v + 1e-5) * g + b), only=True)


@case()
def decomposed_no_gamma():
    x = tf.nn.bias_add(conv(image(), 3, 4), weights(4))
    _, b, m, v = [const(s) for s in statistics(4)]
    inv = tf.rsqrt(v + 1e-3)
    return done(relu(x * inv + (b - m * inv)), only=True)


@case()
def norm_of_norm():
    return done(relu(bn(bn(conv(image(), 3, 4), 4, 'first'), 4)), first='previous', bn='previous')


@case()
def output_is_the_norm():
    return done(bn(conv(image(), 3, 4), 4, 'out'), out='previous')


@case()
def output_is_shape():
    x = tf.placeholder('float32', [None, None, None, 3], name='x')
    y = bn(conv(x, 3, 4), 4)
    return dict(done(relu(y), tf.shape(y, name='size'), bn='previous'), feeds={'x:0': numbers(2, 6, 6, 3)})


# ---------------------------------------------------------------- ops

@case()
def depthwise():
    x = tf.nn.depthwise_conv2d(image(), weights(3, 3, 3, 1), strides=[1, 1, 1, 1], padding='SAME')
    return done(relu(bn(x, 3)), bn='previous')


@case()
def depthwise_multiplier():
    x = tf.nn.depthwise_conv2d(image(), weights(3, 3, 3, 2), strides=[1, 2, 2, 1], padding='VALID')
    return done(relu(bn(tf.nn.bias_add(x, weights(6)), 6)), bn='previous')


@case()
def separable():
    x = tf.nn.separable_conv2d(image(), weights(3, 3, 3, 2), weights(1, 1, 6, 4), strides=[1, 1, 1, 1], padding='SAME')
    return done(relu(bn(x, 4)), bn='previous')


@case()
def separable_with_two_norms():
    x = tf.nn.depthwise_conv2d(image(), weights(3, 3, 3, 1), strides=[1, 1, 1, 1], padding='SAME')
    x = relu(bn(x, 3, 'first'), 'relu')
    return done(relu(bn(conv(x, 3, 4, 1), 4)), first='previous', bn='previous')


@case(1)
def conv3d():
    x = tf.placeholder('float32', [1, 4, 5, 5, 2], name='x')
    y = tf.nn.conv3d(x, weights(2, 3, 3, 2, 4), strides=[1, 1, 1, 1, 1], padding='SAME')
    return done(relu(plain(y, 4)), **{'bn/out': 'previous', 'only': True})


@case(2)
def conv3d_fused():
    x = tf.placeholder('float32', [1, 4, 5, 5, 2], name='x')
    y = tf.nn.conv3d(x, weights(2, 3, 3, 2, 4), strides=[1, 1, 1, 1, 1], padding='SAME')
    return done(relu(bn(y, 4, data_format='NDHWC')), bn='previous')


@case(1, 2)
def transposed():
    x = image(4, 3)
    y = tf.nn.conv2d_transpose(x, weights(3, 3, 5, 3), output_shape=[2, 8, 8, 5], strides=[1, 2, 2, 1])
    return done(relu(bn(tf.nn.bias_add(y, weights(5)), 5)), bn='previous')


@case()
def transposed_square():
    """As many outputs as inputs: the wrong axis would not be noticed by its size."""
    y = tf.nn.conv2d_transpose(image(4, 3), weights(2, 2, 3, 3), output_shape=[2, 8, 8, 3], strides=[1, 2, 2, 1])
    return done(relu(bn(y, 3)), bn='previous')


@case()
def transposed_dynamic():
    x = tf.placeholder('float32', [None, None, None, 3], name='x')
    s = tf.shape(x)
    y = tf.nn.conv2d_transpose(x, weights(3, 3, 5, 3), tf.stack([s[0], s[1] * 2, s[2] * 2, 5]), strides=[1, 2, 2, 1])
    return dict(done(relu(bn(y, 5)), bn='previous'), feeds={'x:0': numbers(1, 3, 4, 3)})


@case()
def transposed_3d():
    x = tf.placeholder('float32', [1, 2, 3, 3, 3], name='x')
    y = tf.nn.conv3d_transpose(x, weights(2, 2, 2, 4, 3), output_shape=[1, 4, 6, 6, 4], strides=[1, 2, 2, 2, 1])
    return done(relu(plain(y, 4)), **{'bn/out': 'previous', 'only': True})


@case()
def mat_mul():
    x = tf.placeholder('float32', [3, 7], name='x')
    return done(relu(plain(tf.matmul(x, weights(7, 4)), 4)), **{'bn/out': 'previous', 'only': True})


@case()
def mat_mul_transposed():
    x = tf.placeholder('float32', [7, 3], name='x')
    y = tf.matmul(x, weights(4, 7), transpose_a=True, transpose_b=True)
    return done(relu(plain(tf.nn.bias_add(y, weights(4)), 4)), **{'bn/out': 'previous', 'only': True})


@case(1, 2)
def rank_2_fused():
    """As slim writes a batch norm of rows."""
    x = tf.placeholder('float32', [None, 7], name='x')
    y = tf.nn.bias_add(tf.matmul(x, weights(7, 4)), weights(4))
    z = bn(tf.reshape(y, [-1, 1, 1, 4]), 4)
    return dict(done(relu(tf.reshape(z, tf.shape(y))), bn='previous'), feeds={'x:0': numbers(3, 7)})


@case()
def rank_2_fused_no_bias():
    x = tf.placeholder('float32', [None, 7], name='x')
    y = tf.matmul(x, weights(7, 4))
    z = bn(tf.reshape(y, [-1, 1, 1, 4]), 4)
    return dict(done(relu(tf.reshape(z, tf.shape(y))), bn='previous'), feeds={'x:0': numbers(3, 7)})


@case(1, 2)
def batch_mat_mul():
    x = tf.placeholder('float32', [2, 3, 7], name='x')
    y = raw.BatchMatMulV2(x=x, y=weights(7, 4))
    return done(relu(plain(y, 4)), **{'bn/out': 'previous', 'only': True})


@case()
def batch_mat_mul_adjoint():
    x = tf.placeholder('float32', [2, 3, 7], name='x')
    y = raw.BatchMatMulV2(x=x, y=weights(2, 4, 7), adj_y=True)
    return done(relu(plain(y, 4)), **{'bn/out': 'previous', 'only': True})


@case()
def dense_of_rank_3():
    """A dense layer on sequences: rows, product, rows back."""
    x = tf.placeholder('float32', [2, 5, 7], name='x')
    y = tf.tensordot(x, weights(7, 4), [[2], [0]])
    return done(relu(plain(tf.nn.bias_add(y, weights(4)), 4)), **{'bn/out': 'previous', 'only': True})


# ---------------------------------------------------------------- through other ops

@case()
def dilated():
    """SpaceToBatchND, convolution, BatchToSpaceND."""
    y = tf.nn.convolution(image(9), weights(3, 3, 3, 4), padding='SAME', dilation_rate=[2, 2])
    return done(relu(bn(y, 4)), bn='previous')


@case()
def dilated_blocks():
    x = tf.space_to_batch_nd(image(9), [2, 2], [[2, 3], [2, 3]])
    y = tf.batch_to_space_nd(conv(x, 3, 4, padding='VALID'), [2, 2], [[0, 1], [0, 1]])
    return done(relu(bn(y, 4)), bn='previous')


@case()
def dilated_bias():
    x = tf.space_to_batch_nd(image(9), [2, 2], [[2, 3], [2, 3]])
    y = tf.nn.bias_add(conv(x, 3, 4, padding='VALID'), weights(4))
    return done(relu(bn(tf.batch_to_space_nd(y, [2, 2], [[0, 1], [0, 1]]), 4)), bn='previous')


@case(2)
def dilated_attr():
    return done(relu(bn(conv(image(9), 3, 4, dilations=[1, 2, 2, 1]), 4)), bn='previous')


@case()
def pad_behind():
    """The scale may cross the padding, the shift may not."""
    y = tf.nn.bias_add(conv(image(), 3, 4), weights(4))
    return done(relu(bn(tf.pad(y, [[0, 0], [1, 2], [2, 1], [0, 0]]), 4)), bn='previous')


@case()
def pad_before():
    y = conv(tf.pad(image(), [[0, 0], [1, 1], [1, 1], [0, 0]]), 3, 4, padding='VALID')
    return done(relu(bn(y, 4)), bn='previous')


@case()
def pad_with_one():
    y = tf.pad(conv(image(), 3, 4), [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=1.0)
    return done(relu(bn(y, 4)), bn='arithmetic')


@case()
def pad_mirror():
    y = tf.pad(conv(image(), 3, 4), [[0, 0], [1, 1], [1, 1], [0, 0]], mode='REFLECT')
    return done(relu(bn(y, 4)), bn='previous')


@case()
def concat():
    x = image()
    y = tf.concat([conv(x, 3, 2, 1, name='a'), tf.nn.bias_add(conv(x, 3, 3, name='b'), weights(3))], 3)
    return done(relu(bn(y, 5)), bn='previous')


@case()
def concat_padded():
    x = image()
    y = tf.concat([tf.pad(conv(x, 3, 2, padding='VALID', name='a'), [[0, 0], [1, 1], [1, 1], [0, 0]]),
                   conv(x, 3, 3, name='b')], -1)
    return done(relu(bn(y, 5)), bn='previous')


@case()
def concat_of_rows():
    y = tf.concat([conv(image(), 3, 4, name='a'), conv(image(name='z'), 3, 4, name='b')], 1)
    return done(relu(bn(y, 4)), bn='previous')


@case()
def concat_twice_the_same():
    """One tensor in two places wants two scales."""
    y = conv(image(), 3, 2)
    return done(relu(bn(tf.concat([y, y], 3), 4)), bn='arithmetic')


@case()
def concat_with_data():
    """Dense blocks: a part that others see."""
    x = image()
    y = tf.concat([x, conv(x, 3, 4)], 3)
    return done(relu(bn(y, 7)), bn='arithmetic')


@case()
def conv1d():
    x = tf.placeholder('float32', [2, 9, 3], name='x')
    y = tf.squeeze(conv(tf.expand_dims(x, 1), 3, 4, kernel=tf.expand_dims(weights(3, 3, 4), 0)), [1])
    return done(relu(plain(tf.nn.bias_add(y, weights(4)), 4)), **{'bn/out': 'previous', 'only': True})


@case()
def conv1d_fused():
    """As Keras writes it: there, back, and there again for the norm."""
    x = tf.placeholder('float32', [2, 9, 3], name='x')
    y = tf.squeeze(conv(tf.expand_dims(x, 1), 3, 4, kernel=tf.expand_dims(weights(3, 3, 4), 0)), [1])
    z = bn(tf.expand_dims(tf.nn.bias_add(y, weights(4)), 2), 4)
    return done(relu(tf.squeeze(z, [2])), bn='previous')


@case()
def sum_of_convolutions():
    x = image()
    y = conv(x, 3, 4, 1, name='a') + tf.nn.bias_add(conv(x, 3, 4, name='b'), weights(4))
    return done(relu(bn(y, 4)), bn='previous')


@case()
def sum_with_itself():
    y = conv(image(), 3, 4)
    return done(relu(bn(y + y, 4)), bn='arithmetic')


@case()
def pools():
    y = tf.nn.avg_pool(conv(image(8), 3, 4), [1, 3, 3, 1], [1, 2, 2, 1], 'SAME')
    y = relu(bn(y, 4), 'relu')
    y = tf.nn.max_pool(conv(y, 4, 3, name='second'), [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')
    return done(relu(bn(y, 3, 'last', gamma=[.5, 2, 0])), bn='previous', last='previous')


@case()
def max_pool_of_a_negative_scale():
    y = tf.nn.max_pool(conv(image(), 3, 3), [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')
    return done(relu(bn(y, 3, gamma=[.5, -2, 1])), bn='arithmetic')


@case()
def resized():
    y = tf.image.resize_nearest_neighbor(conv(image(4), 3, 4), [8, 8])
    y = relu(bn(y, 4), 'relu')
    y = tf.image.resize_bilinear(conv(y, 4, 3, name='second'), [5, 7])
    return done(relu(bn(y, 3, 'last')), bn='previous', last='previous')


@case()
def pixel_shuffle():
    y = tf.nn.depth_to_space(conv(image(4), 3, 8), 2)
    return done(relu(bn(y, 2)), bn='previous')


@case(2)
def transpose_between():
    y = tf.transpose(conv(image(), 3, 4), [0, 3, 1, 2])
    return done(relu(bn(y, 4, data_format='NCHW')), bn='previous')


# ---------------------------------------------------------------- layouts, groups, paddings

@case(2)
def nchw():
    x = tf.placeholder('float32', [2, 3, 6, 6], name='x')
    y = tf.nn.bias_add(conv(x, 3, 4, data_format='NCHW'), weights(4), data_format='NCHW')
    return done(relu(bn(y, 4, data_format='NCHW')), bn='previous')


@case(2)
def nchw_square():
    """As many channels as rows: the wrong axis would not be noticed by its size."""
    x = tf.placeholder('float32', [2, 6, 6, 6], name='x')
    return done(relu(bn(conv(x, 6, 6, data_format='NCHW'), 6, data_format='NCHW')), bn='previous')


@case(2)
def nchw_transposed():
    x = tf.placeholder('float32', [2, 3, 4, 4], name='x')
    y = tf.nn.conv2d_transpose(x, weights(3, 3, 5, 3), output_shape=[2, 5, 8, 8], strides=[1, 1, 2, 2],
                               data_format='NCHW')
    return done(relu(bn(y, 5, data_format='NCHW')), bn='previous')


@case(2)
def nchw_decomposed():
    x = tf.placeholder('float32', [2, 3, 6, 6], name='x')
    g, b, m, v = [const(s.reshape(1, 4, 1, 1)) for s in statistics(4)]
    factor = g * tf.rsqrt(v + 1e-3)
    return done(relu(conv(x, 3, 4, data_format='NCHW') * factor + (b - m * factor)), only=True)


@case(2)
def nchw_arithmetic():
    x = tf.placeholder('float32', [2, 3, 6, 6], name='x')
    return done(relu(bn(x, 3, data_format='NCHW')), bn='arithmetic')


@case(2)
def layouts_apart():
    """A convolution in NHWC under a batch norm of NCHW: dimension 1 of the same tensor."""
    x = tf.placeholder('float32', [2, 4, 4, 3], name='x')
    return done(relu(bn(conv(x, 3, 4), 4, data_format='NCHW')), bn='arithmetic')


@case(2)
def groups():
    x = image(6, 4)
    return done(relu(bn(conv(x, 2, 6, kernel=weights(3, 3, 2, 6)), 6)), bn='previous')


@case(2)
def groups_behind():
    x = image(6, 4)
    y = conv(bn(x, 4), 2, 6, padding='VALID', kernel=weights(3, 3, 2, 6))
    return done(relu(y), bn='next')


@case(1, 2)
def explicit_padding():
    y = conv(image(), 3, 4, padding=[[0, 0], [1, 0], [0, 2], [0, 0]])
    return done(relu(bn(y, 4)), bn='previous')


# ---------------------------------------------------------------- into what comes after

@case()
def next_valid():
    return done(relu(conv(bn(image(), 3), 3, 4, padding='VALID')), bn='next')


@case()
def next_valid_bias():
    y = tf.nn.bias_add(conv(bn(relu(image(), 'relu'), 3), 3, 4, padding='VALID'), weights(4))
    return done(relu(y), bn='next')


@case()
def next_pointwise():
    """A window of one pads nothing, whatever it says."""
    return done(relu(conv(bn(image(), 3), 3, 4, 1, 'SAME', strides=(1, 2, 2, 1))), bn='next')


@case()
def next_same():
    return done(relu(conv(bn(image(), 3), 3, 4)), bn='arithmetic')


@case()
def next_same_without_shift():
    return done(relu(conv(bn(image(), 3, beta=0, mean=0), 3, 4)), bn='next')


@case()
def next_padded():
    y = tf.pad(bn(image(), 3), [[0, 0], [1, 1], [1, 1], [0, 0]])
    return done(relu(conv(y, 3, 4, padding='VALID')), bn='arithmetic')


@case()
def next_explicit():
    return done(relu(conv(bn(image(), 3), 3, 4, padding=[[0, 0], [1, 0], [0, 2], [0, 0]])), bn='arithmetic')


@case()
def next_depthwise():
    x = bn(image(), 3)
    y = tf.nn.depthwise_conv2d(x, weights(3, 3, 3, 2), strides=[1, 1, 1, 1], padding='VALID')
    return done(relu(y), bn='next')


@case()
def next_transposed():
    x = bn(image(4), 3)
    y = tf.nn.conv2d_transpose(x, weights(3, 3, 5, 3), output_shape=[2, 8, 8, 5], strides=[1, 2, 2, 1])
    return done(relu(y), bn='arithmetic')


@case()
def next_dense():
    x = tf.placeholder('float32', [3, 4], name='x')
    return done(relu(tf.nn.bias_add(tf.matmul(plain(x, 4), weights(4, 5)), weights(5))),
                **{'bn/out': 'next', 'only': True})


@case()
def next_global_pool():
    x = tf.reduce_mean(bn(relu(image(), 'relu'), 3), [1, 2])
    return done(relu(tf.nn.bias_add(tf.matmul(x, weights(3, 5)), weights(5))), bn='next')


@case()
def next_global_pool_kept_dims():
    x = tf.reduce_mean(bn(relu(image(), 'relu'), 3), [1, 2], True)
    return done(relu(conv(x, 3, 5, 1)), bn='next')


@case()
def next_flatten():
    x = tf.reshape(bn(image(4), 3), [-1, 48])
    return done(relu(tf.matmul(x, weights(48, 5))), bn='next')


@case(2)
def next_flatten_nchw():
    x = tf.placeholder('float32', [2, 3, 4, 4], name='x')
    y = tf.reshape(bn(x, 3, data_format='NCHW'), [-1, 48])
    return done(relu(tf.matmul(y, weights(5, 48), transpose_b=True)), bn='next')


@case()
def next_two():
    x = bn(image(), 3)
    return done(relu(conv(x, 3, 4, padding='VALID', name='a')), relu(conv(x, 3, 2, 1, name='b'), 'other'), bn='next')


@case()
def next_one_of_two():
    x = bn(image(), 3)
    return done(relu(conv(x, 3, 4, padding='VALID', name='a')), relu(conv(x, 3, 2, name='b'), 'other'), bn='arithmetic')


@case()
def next_is_output():
    return done(conv(bn(image(), 3), 3, 4, padding='VALID', name='out'), bn='next')


@case()
def both_sides():
    x = relu(bn(image(), 3, 'first'), 'relu')
    x = bn(x, 3, 'second')
    return done(relu(bn(conv(x, 3, 4, padding='VALID'), 4)), first='arithmetic', second='next', bn='previous')


@case(1, tfjs=1e-4)
def next_with_large_mean():
    """Folded, the product and the sum would be a thousand times as large as their difference."""
    x = image()
    y = bn(x, 3, mean=1000, variance=1, beta=.5, gamma=1)
    return dict(done(relu(conv(y, 3, 4, padding='VALID')), bn='arithmetic'),
                feeds={'x:0': (1000 + numbers(2, 6, 6, 3)).round(2)})


# ---------------------------------------------------------------- one Mul and one Add

@case(1, 2)
def arithmetic():
    return done(relu(bn(image(), 3)), bn='arithmetic')


@case()
def arithmetic_merged():
    x = (image() * const([1, 2, 3]) + const([.5, 0, -1])) * const(3.0) - const([[[[1, 2, 3]]]])
    return done(relu(bn(relu(x, 'relu'), 3)), bn='arithmetic', only=True)


@case()
def arithmetic_of_neighbours():
    y = bn(image(), 3) * const([1.5, .5, 2]) + const([.5, 0, -1])
    return done(relu(y), bn='arithmetic', only=True)


@case()
def scaled_residual():
    """No batch norm: a factor behind a convolution, as Inception-ResNet has it."""
    x = image(6, 4)
    y = tf.nn.bias_add(conv(x, 4, 4), weights(4)) * const(.17)
    return done(relu(x + y), only=True)


# ---------------------------------------------------------------- numbers

@case(1, tolerance=2e-3)
def float16():
    x = image(dtype='float16')
    y = bn(conv(x, 3, 4, dtype='float16'), 4)
    return done(tf.cast(relu(y, 'relu'), 'float32', name='out'), bn='previous')


@case(1, 2, tolerance=2e-3)
def float16_decomposed():
    x = image(dtype='float16')
    y = plain(conv(x, 3, 4, dtype='float16'), 4, dtype='float16')
    return done(tf.cast(relu(y, 'relu'), 'float32', name='out'), only=True)


@case(1, 2, tolerance=2e-2)
def bfloat16():
    x = tf.cast(image(), 'bfloat16')
    y = bn(conv(x, 3, 4, dtype='bfloat16'), 4)
    return done(tf.cast(relu(y, 'relu'), 'float32', name='out'), bn='previous')


@case(1, tolerance=2e-3)
def float16_arithmetic():
    x = image(dtype='float16')
    return done(tf.cast(relu(bn(x, 3), 'relu'), 'float32', name='out'), bn='kept')


@case(1)
def float64():
    x = image(dtype='float64')
    y = plain(conv(x, 3, 4, dtype='float64'), 4, dtype='float64')
    return done(relu(y), only=True)


@case()
def variance_near_zero():
    y = conv(image(), 3, 4)
    return done(relu(bn(y, 4, variance=[0, 1e-30, 1e-12, 1], epsilon=1e-5)), bn='previous')


@case()
def dead_channels():
    return done(relu(bn(conv(image(), 3, 4), 4, gamma=[0, 1, 0, -1], variance=[0, 1, 1e-20, 1])), bn='previous')


@case()
def huge_gamma():
    return done(relu(bn(conv(image(), 3, 4), 4, gamma=[1e8, 1e-8, 1, 1e12])), bn='previous')


@case()
def gamma_too_large():
    """Within float32, but not times the weights."""
    w = numbers(3, 3, 3, 4)
    w[..., 0] *= 1e20
    y = conv(image() * const(1e-20), 3, 4, kernel=const(w))
    return done(relu(bn(y, 4, gamma=[1e25, 1, 1, 1], mean=0)), bn='kept')


# ---------------------------------------------------------------- safe

@case()
def second_consumer():
    x = conv(image(), 3, 4)
    return done(relu(bn(x, 4)), tf.nn.sigmoid(x, name='other'), bn='arithmetic')


@case()
def second_consumer_of_bias():
    x = tf.nn.bias_add(conv(image(), 3, 4), weights(4))
    return done(relu(bn(x, 4)), tf.nn.sigmoid(x, name='other'), bn='arithmetic')


@case()
def two_norms():
    x = conv(image(), 3, 4)
    return done(relu(bn(x, 4)), relu(bn(x, 4, 'bn2'), 'other'), bn='arithmetic', bn2='arithmetic')


@case()
def convolution_is_output():
    x = conv(image(), 3, 4, name='features')
    return done(relu(bn(x, 4)), x, bn='arithmetic')


@case()
def shared_kernel():
    w = weights(3, 3, 3, 4, name='w')
    a, b = conv(image(), 3, 4, kernel=w, name='a'), conv(image(name='z'), 3, 4, kernel=w, name='b')
    return done(relu(bn(a, 4)), relu(bn(b, 4, 'bn2'), 'other'), bn='arithmetic', bn2='arithmetic')


@case(1, options={'duplicateWeights': True})
def shared_kernel_duplicated():
    w = weights(3, 3, 3, 4, name='w')
    a, b = conv(image(), 3, 4, kernel=w, name='a'), conv(image(name='z'), 3, 4, kernel=w, name='b')
    return done(relu(bn(a, 4)), relu(bn(b, 4, 'bn2'), 'other'), bn='previous', bn2='previous')


@case()
def shared_kernel_one_norm():
    w = weights(3, 3, 3, 4, name='w')
    a, b = conv(image(), 3, 4, kernel=w, name='a'), conv(image(name='z'), 3, 4, kernel=w, name='b')
    return done(relu(bn(a, 4)), relu(b, 'other'), bn='arithmetic')


@case()
def shared_kernel_and_norm():
    """Two towers of one net: what scales the one scales the other."""
    w = weights(3, 3, 3, 4, name='w')
    parameters = [const(s) for s in statistics(4)]
    towers = []
    for name in 'ab':
        y = conv(image(name='x' + name), 3, 4, kernel=w, name='conv_' + name)
        g, b, m, v = parameters
        norm = raw.FusedBatchNormV3(x=y, scale=g, offset=b, mean=m, variance=v, is_training=False, name='bn_' + name)
        towers.append(relu(norm[0], 'out_' + name))
    return done(*towers, bn_a='previous', bn_b='previous')


@case()
def kernel_is_output():
    w = weights(3, 3, 3, 4, name='w')
    return done(relu(bn(conv(image(), 3, 4, kernel=w), 4)), w, bn='arithmetic')


@case()
def kernel_read_elsewhere():
    w = weights(3, 3, 3, 4, name='w')
    return done(relu(bn(conv(image(), 3, 4, kernel=w), 4)), tf.nn.l2_loss(w, name='loss'), bn='arithmetic')


@case()
def statistics_in_use():
    outs = fused(conv(image(), 3, 4), 4)
    return done(relu(outs[0]), raw.Shape(input=outs[1], name='size'), bn='kept')


@case()
def weights_of_the_data():
    z = tf.placeholder('float32', [3, 3, 3, 4], name='z')
    return done(relu(bn(conv(image(), 3, 4, kernel=z), 4)), bn='arithmetic')


@case()
def parameters_of_the_data():
    g = tf.placeholder('float32', [4], name='g')
    _, b, m, v = [const(s) for s in statistics(4)]
    y = raw.FusedBatchNormV3(x=conv(image(), 3, 4), scale=g, offset=b, mean=m, variance=v, is_training=False, name='bn')
    return done(relu(y[0]), bn='kept')


@case()
def quantised_weights():
    w = raw.FakeQuantWithMinMaxArgs(inputs=weights(3, 3, 3, 4), min=-1, max=1)
    return done(relu(bn(conv(image(), 3, 4, kernel=w), 4)), bn='kept')


@case()
def quantised_activation():
    y = raw.FakeQuantWithMinMaxArgs(inputs=conv(image(), 3, 4), min=-8, max=8)
    return done(relu(bn(y, 4)), bn='kept')


@case()
def loop():
    """The kernel and the parameters come in through Enter."""
    w = weights(3, 3, 3, 3, name='w')
    parameters = [const(s) for s in statistics(3)]

    def body(i, x):
        y = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding='SAME', name='conv')
        g, b, m, v = parameters
        y = raw.FusedBatchNormV3(x=y, scale=g, offset=b, mean=m, variance=v, is_training=False, name='bn')[0]
        return i + 1, tf.nn.tanh(y)
    _, y = tf.while_loop(lambda i, x: i < 3, body, [tf.constant(0), image()])
    return done(relu(y), **{'while/bn': 'previous'})


@case()
def loop_shared():
    """The kernel of a loop is used outside of it, too."""
    w = weights(3, 3, 3, 3, name='w')
    parameters = [const(s) for s in statistics(3)]

    def body(i, x):
        y = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding='SAME', name='conv')
        g, b, m, v = parameters
        y = raw.FusedBatchNormV3(x=y, scale=g, offset=b, mean=m, variance=v, is_training=False, name='bn')[0]
        return i + 1, tf.nn.tanh(y)
    _, y = tf.while_loop(lambda i, x: i < 3, body, [tf.constant(0), image()])
    return done(relu(conv(y, 3, 3, kernel=w)), **{'while/bn': 'arithmetic'})


@case()
def fused_activation():
    """What TensorFlow's own optimizer makes of batch norm, sum and Relu."""
    from tensorflow.core.framework import graph_pb2
    x = image()
    y, side = conv(x, 3, 4), conv(x, 3, 4, 1, name='side')
    parameters = [const(s) for s in statistics(4)]
    graph_def = graph_pb2.GraphDef()
    node = graph_def.node.add(name='bn', op='_FusedBatchNormEx')
    node.input.extend(['y', 'g', 'b', 'm', 'v', 'side'])
    node.attr['T'].type = node.attr['U'].type = 1
    node.attr['num_side_inputs'].i = 1
    node.attr['activation_mode'].s = b'Relu'
    node.attr['is_training'].b = False
    inputs = dict(zip(('y:0', 'g:0', 'b:0', 'm:0', 'v:0', 'side:0'), [y] + parameters + [side]))
    out, = tf.import_graph_def(graph_def, inputs, ['bn:0'], name='')
    return done(tf.identity(out, name='out'), **{'bn/batch_norm': 'previous'})
