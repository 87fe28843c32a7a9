"""Graphs of one op each, and what TensorFlow computes: test/formats/tfjs/ops.json.gz for test/formats/tfjs/ops.test.ts.

python scripts/formats/tfjs_ops.py        with TensorFlow 2.12
"""

import base64
import gzip
import inspect
import json
import os
import sys

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

tf1 = tf.compat.v1
R = tf.raw_ops
tf1.disable_eager_execution()
TARGET = os.path.join(os.path.dirname(__file__), '../../test/formats/tfjs/ops.json.gz')
rng = np.random.RandomState(7)
cases = []


def F(*shape, lo=-3, hi=3):
    return (rng.rand(*shape) * (hi - lo) + lo).astype(np.float32)


def I(*shape, lo=-5, hi=6):  # noqa: E743
    return rng.randint(lo, hi, size=shape).astype(np.int32)


def B(*shape):
    return rng.rand(*shape) > 0.5


def case(name, build, *inputs):
    """An op of placeholders with these values. Sizes of the first dimensions of tensors of rank 2 and above are open."""
    cases.append((name, build, inputs))


img = F(2, 6, 5, 3)
img4 = F(1, 8, 8, 4)
UNARY = """Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Erfc Exp Expm1 Floor Inv IsFinite IsInf IsNan L2Loss Log Log1p
LogSoftmax Neg OnesLike Reciprocal Relu Relu6 Rint Round Rsqrt Selu Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Square Tan Tanh
ZerosLike"""


def unary(op):
    function = getattr(R, op)
    first = list(inspect.signature(function).parameters)[0]
    return lambda x: function(**{first: x})


for op in UNARY.split():
    x = F(3, 7)
    if op in ('Acos', 'Asin', 'Atanh', 'Erfc'):
        x = F(3, 7, lo=-0.95, hi=0.95)
    if op in ('Log', 'Sqrt', 'Rsqrt', 'Log1p'):
        x = F(3, 7, lo=0.1, hi=4)
    if op == 'Acosh':
        x = F(3, 7, lo=1.1, hi=4)
    if op in ('Rint', 'Round'):
        x = np.array([[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.49]], np.float32)
    case('u_' + op, unary(op), x)
for op in ['Abs', 'Neg', 'Sign', 'Square']:
    case('ui_' + op, unary(op), I(3, 4))
BINARY = """Add AddV2 Atan2 Div DivNoNan Equal FloorDiv FloorMod Greater GreaterEqual Less LessEqual Maximum Minimum Mod Mul NotEqual
Pow RealDiv SquaredDifference Sub TruncateMod Xdivy Xlogy"""
FLOATS_ONLY = 'RealDiv DivNoNan Atan2 Xdivy Xlogy Pow'.split()


def binary(op):
    return lambda x, y: getattr(R, op)(x=x, y=y)


for op in BINARY.split():
    a = F(3, 1, 4, lo=0.1) if op == 'Pow' else F(3, 1, 4)
    case('bf_' + op, binary(op), a, F(5, 1))
for op in BINARY.split() + ['TruncateDiv']:
    if op not in FLOATS_ONLY:
        signs = rng.choice([-1, 1], (5, 1)).astype(np.int32)
        case('bi_' + op, binary(op), I(3, 1, 4, lo=-9, hi=10), I(5, 1, lo=1, hi=5) * signs)
for op in ['LogicalAnd', 'LogicalOr']:
    case('l_' + op, lambda x, y, op=op: getattr(R, op)(x=x, y=y), B(3, 4), B(3, 4))
case('l_not', lambda x: R.LogicalNot(x=x), B(3, 4))
case('l_xor', lambda x, y: tf.math.logical_xor(x, y), B(3, 4), B(3, 4))
case('addn', lambda x, y, z: R.AddN(inputs=[x, y, z]), F(2, 3), F(2, 3), F(2, 3))
case('accn', lambda x, y: R.AccumulateNV2(inputs=[x, y], shape=[2, 3]), F(2, 3), F(2, 3))
case('biasadd', lambda x: R.BiasAdd(value=x, bias=tf.constant(F(3))), img)
case('biasadd_nchw', lambda x: R.BiasAdd(value=x, bias=tf.constant(F(4)), data_format='NCHW'), F(2, 4, 4, 4))
case('biasadd1', lambda x: R.BiasAddV1(value=x, bias=tf.constant(F(3))), img)
for pad in ['SAME', 'VALID']:
    for s in [1, 2]:
        case(
            'conv_%s_%d' % (pad, s),
            lambda x, pad=pad, s=s: R.Conv2D(
                input=x, filter=tf.constant(F(3, 2, 3, 5)), strides=[1, s, s, 1], padding=pad
            ),
            img,
        )
        case(
            'dw_%s_%d' % (pad, s),
            lambda x, pad=pad, s=s: R.DepthwiseConv2dNative(
                input=x, filter=tf.constant(F(3, 2, 3, 2)), strides=[1, s, s, 1], padding=pad
            ),
            img,
        )
        case(
            'maxpool_%s_%d' % (pad, s),
            lambda x, pad=pad, s=s: R.MaxPool(input=x, ksize=[1, 2, 3, 1], strides=[1, s, s, 1], padding=pad),
            img,
        )
        case(
            'avgpool_%s_%d' % (pad, s),
            lambda x, pad=pad, s=s: R.AvgPool(value=x, ksize=[1, 2, 3, 1], strides=[1, s, s, 1], padding=pad),
            img,
        )
        case(
            'conv3d_%s_%d' % (pad, s),
            lambda x, pad=pad, s=s: R.Conv3D(
                input=x, filter=tf.constant(F(2, 3, 2, 3, 4)), strides=[1, s, s, s, 1], padding=pad
            ),
            F(1, 4, 5, 4, 3),
        )
        case(
            'max3d_%s_%d' % (pad, s),
            lambda x, pad=pad, s=s: R.MaxPool3D(input=x, ksize=[1, 2, 2, 2, 1], strides=[1, s, s, s, 1], padding=pad),
            F(1, 4, 5, 4, 3),
        )
        case(
            'avg3d_%s_%d' % (pad, s),
            lambda x, pad=pad, s=s: R.AvgPool3D(input=x, ksize=[1, 2, 2, 2, 1], strides=[1, s, s, s, 1], padding=pad),
            F(1, 4, 5, 4, 3),
        )
        case(
            'deconv_%s_%d' % (pad, s),
            lambda x, pad=pad, s=s: tf.nn.conv2d_transpose(
                x,
                tf.constant(F(3, 3, 2, 3)),
                [
                    2,
                    6 * s + (2 if pad == 'VALID' else 0) + (0 if s == 1 or pad == 'SAME' else -1),
                    5 * s + (2 if pad == 'VALID' else 0) + (0 if s == 1 or pad == 'SAME' else -1),
                    2,
                ],
                strides=[1, s, s, 1],
                padding=pad,
            ),
            img,
        )
case(
    'deconv_dyn',
    lambda x: tf.nn.conv2d_transpose(
        x,
        tf.constant(F(3, 3, 2, 3)),
        tf.stack([tf.shape(x)[0], tf.shape(x)[1] * 2, tf.shape(x)[2] * 2, 2]),
        strides=[1, 2, 2, 1],
        padding='SAME',
    ),
    img,
)
case(
    'conv_rect_stride',
    lambda x: R.Conv2D(input=x, filter=tf.constant(F(3, 2, 3, 5)), strides=[1, 2, 1, 1], padding='SAME'),
    img,
)
case(
    'conv_explicit',
    lambda x: R.Conv2D(
        input=x,
        filter=tf.constant(F(3, 2, 3, 5)),
        strides=[1, 1, 1, 1],
        padding='EXPLICIT',
        explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0],
    ),
    img,
)
case(
    'conv_dil',
    lambda x: R.Conv2D(
        input=x, filter=tf.constant(F(3, 2, 3, 5)), strides=[1, 1, 1, 1], padding='SAME', dilations=[1, 2, 2, 1]
    ),
    img,
)
case('conv_dil_v', lambda x: tf.nn.conv2d(x, tf.constant(F(2, 2, 3, 5)), 1, 'VALID', dilations=2), img)
case(
    'dw_dil',
    lambda x: R.DepthwiseConv2dNative(
        input=x, filter=tf.constant(F(3, 2, 3, 2)), strides=[1, 1, 1, 1], padding='SAME', dilations=[1, 2, 2, 1]
    ),
    img,
)
case(
    'dw_rect',
    lambda x: R.DepthwiseConv2dNative(input=x, filter=tf.constant(F(3, 3, 3, 1)), strides=[1, 2, 2, 1], padding='SAME'),
    img,
)
case(
    'sep',
    lambda x: tf.nn.separable_conv2d(x, tf.constant(F(3, 3, 3, 2)), tf.constant(F(1, 1, 6, 4)), [1, 1, 1, 1], 'SAME'),
    img,
)
case(
    'grouped',
    lambda x: R.Conv2D(input=x, filter=tf.constant(F(3, 3, 2, 6)), strides=[1, 1, 1, 1], padding='SAME'),
    img4,
)
case('conv1d', lambda x: tf.nn.conv1d(x, tf.constant(F(3, 4, 5)), 2, 'SAME'), F(2, 9, 4))
case('conv1d_t', lambda x: tf.nn.conv1d_transpose(x, tf.constant(F(3, 5, 4)), [2, 18, 5], 2, 'SAME'), F(2, 9, 4))
case('atrous', lambda x: tf.nn.atrous_conv2d(x, tf.constant(F(3, 3, 3, 2)), 2, 'SAME'), img)
case(
    's2b_b2s',
    lambda x: tf.batch_to_space(tf.space_to_batch(x, [2, 3], [[0, 0], [1, 0]]) * 2, [2, 3], [[0, 0], [1, 0]]),
    img,
)
case(
    'dilation2d',
    lambda x: R.Dilation2D(
        input=x, filter=tf.constant(F(2, 2, 3)), strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding='SAME'
    ),
    img,
)
case('lrn', lambda x: R.LRN(input=x, depth_radius=2, bias=1.5, alpha=0.3, beta=0.6), F(1, 3, 3, 9))
case('lrn_def', lambda x: R.LRN(input=x), F(1, 3, 3, 9))


def bn(x, df='NHWC', op='FusedBatchNormV3', tr=False, c=3):
    return getattr(R, op)(
        x=x,
        scale=tf.constant(F(c)),
        offset=tf.constant(F(c)),
        mean=tf.constant(F(c) if not tr else np.zeros(0, np.float32)),
        variance=tf.constant(F(c, lo=0.1, hi=2) if not tr else np.zeros(0, np.float32)),
        epsilon=0.01,
        data_format=df,
        is_training=tr,
    ).y


case('bn', lambda x: bn(x), img)
case('bn1', lambda x: bn(x, op='FusedBatchNorm'), img)
case('bn_5d', lambda x: bn(x, 'NDHWC'), F(1, 2, 3, 4, 3))
case(
    'maxpool_am',
    lambda x: R.MaxPoolWithArgmax(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME').output,
    img,
)
case(
    'maxpool_am2',
    lambda x: R.MaxPoolWithArgmax(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='VALID').argmax,
    img,
)
case('maxpoolv2', lambda x: R.MaxPoolV2(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='VALID'), img)
case(
    'pool_explicit',
    lambda x: R.MaxPool(
        input=x,
        ksize=[1, 2, 2, 1],
        strides=[1, 2, 2, 1],
        padding='EXPLICIT',
        explicit_paddings=[0, 0, 1, 1, 1, 0, 0, 0],
    ),
    img,
)
# reductions
for op in ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'EuclideanNorm']:
    for ax, k in [([0], False), ([1, 2], True), ([-1], False), ([0, 1, 2, 3], False), ([], False)]:
        case(
            'r_%s_%s_%d' % (op, '_'.join(map(str, ax)), k),
            lambda x, op=op, ax=ax, k=k: getattr(R, op)(input=x, axis=tf.constant(ax, tf.int32), keep_dims=k),
            F(2, 3, 2, 4, lo=-1.5, hi=1.5),
        )
case('r_int_sum', lambda x: R.Sum(input=x, axis=[1]), I(3, 4))
case('r_int_prod', lambda x: R.Prod(input=x, axis=[0]), I(4))
case('r_int_max', lambda x: R.Max(input=x, axis=[1]), I(3, 4))
case('r_int_mean', lambda x: R.Mean(input=x, axis=[1]), I(3, 4))
case('r_scalar_axis', lambda x: R.Sum(input=x, axis=1), F(3, 4))
for op in ['All', 'Any']:
    case('r_' + op, lambda x, op=op: getattr(R, op)(input=x, axis=[1]), B(3, 4))
for op in ['ArgMax', 'ArgMin']:
    for ax in [0, 1, -1]:
        case('%s_%d' % (op, ax), lambda x, op=op, ax=ax: getattr(R, op)(input=x, dimension=ax), F(3, 4, 2))
for op in ['Cumsum', 'Cumprod']:
    for e in [0, 1]:
        for r in [0, 1]:
            case(
                '%s_%d%d' % (op, e, r),
                lambda x, op=op, e=e, r=r: getattr(R, op)(x=x, axis=1, exclusive=bool(e), reverse=bool(r)),
                F(3, 4, 2),
            )
case('matmul', lambda x, y: R.MatMul(a=x, b=y), F(3, 4), F(4, 2))
case('matmul_t', lambda x, y: R.MatMul(a=x, b=y, transpose_a=True, transpose_b=True), F(4, 3), F(2, 4))
case('bmm', lambda x, y: R.BatchMatMul(x=x, y=y, adj_y=True), F(2, 3, 4), F(2, 5, 4))
case('bmm2', lambda x, y: R.BatchMatMulV2(x=x, y=y, adj_x=True), F(3, 2, 4, 3), F(2, 4, 5))
case('einsum', lambda x, y: R.Einsum(inputs=[x, y], equation='bij,bjk->bik'), F(2, 3, 4), F(2, 4, 5))
case('matmul_i', lambda x, y: R.MatMul(a=x, b=y), I(3, 4), I(4, 2))
case('einsum2', lambda x, y: R.Einsum(inputs=[x, y], equation='bhid,bhjd->bhij'), F(2, 2, 3, 4), F(2, 2, 5, 4))
case('einsum3', lambda x: R.Einsum(inputs=[x], equation='bij->bji'), F(2, 3, 4))
case('einsum4', lambda x: R.Einsum(inputs=[x], equation='...ij->...i'), F(2, 3, 4))
case('transpose', lambda x: tf.transpose(x, [2, 0, 3, 1]), img)
case('bandpart', lambda x: R.MatrixBandPart(input=x, num_lower=1, num_upper=-1), F(4, 5))
# shape
case('cast_fi', lambda x: R.Cast(x=x, DstT=tf.int32), np.array([-2.7, -0.5, 0.5, 2.7], np.float32))
case('cast_fb', lambda x: R.Cast(x=x, DstT=tf.bool), np.array([-2.7, 0, 0.5], np.float32))
case('cast_bf', lambda x: R.Cast(x=x, DstT=tf.float32), B(4))
case('cast_u8', lambda x: R.Cast(x=x, DstT=tf.uint8), np.array([0, 1.7, 254.9], np.float32))
case('cast_f64', lambda x: R.Cast(x=x, DstT=tf.float64) * tf.constant(1 / 3, tf.float64), F(4))
case('cast_i64', lambda x: R.Cast(x=x, DstT=tf.int64) + 5, F(4))
case('cast_h', lambda x: R.Cast(x=R.Cast(x=x, DstT=tf.float16), DstT=tf.float32), F(4))
case('u8_in', lambda x: tf.cast(x, tf.float32) / 255.0, rng.randint(0, 256, (2, 3)).astype(np.uint8))
case('saturate', lambda x: tf.saturate_cast(x, tf.uint8), np.array([-5, 1.7, 300], np.float32))
case('u8_neg', lambda x: R.Cast(x=x, DstT=tf.uint8), np.array([-1, 256, 257], np.int32))
case('u8_wrap', lambda x: x + tf.constant(200, tf.uint8), np.array([100, 10], np.uint8))
case('i8_wrap', lambda x: x * tf.constant(2, tf.int8), np.array([100, 10], np.int8))
case('expand', lambda x: tf.expand_dims(x, -1), F(2, 3))
case('squeeze', lambda x: R.Squeeze(input=x, axis=[1]), F(2, 1, 3, 1))
case('squeeze_all', lambda x: R.Squeeze(input=x, axis=[]), F(2, 1, 3, 1))
case('reshape', lambda x: tf.reshape(x, [tf.shape(x)[0], -1]), img)
case('flatten_prod', lambda x: tf.reshape(x, tf.stack([-1, tf.reduce_prod(tf.shape(x)[1:])])), img)
case('pad', lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]]), img)
case('padv2', lambda x: tf.pad(x, [[1, 0], [1, 2]], constant_values=3.5), F(2, 3))
case('mirror_r', lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], 'REFLECT'), img)
case('mirror_s', lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], 'SYMMETRIC'), img)
case('concat', lambda x, y: tf.concat([x, y], -1), F(2, 3), F(2, 4))
case('concat1', lambda x, y: R.Concat(concat_dim=1, values=[x, y]), F(2, 3), F(2, 4))
case('stack', lambda x, y: tf.stack([x, y], 1), F(2, 3), F(2, 3))
case('unstack', lambda x: tf.unstack(x, axis=1)[2], F(2, 3))
case('split', lambda x: tf.split(x, 3, 1)[1], F(2, 6))
case('splitv', lambda x: tf.split(x, [1, 3, 2], 1)[1], F(2, 6))
case('tile', lambda x: tf.tile(x, [2, 3]), F(2, 3))
case('slice', lambda x: tf.slice(x, [0, 1], [-1, 2]), F(2, 6))
for i, f in enumerate(
    [
        lambda x: x[:, 1:-1:2],
        lambda x: x[..., -1],
        lambda x: x[0],
        lambda x: x[:, None, ::-1],
        lambda x: x[-1:, ...],
        lambda x: x[:, 2:100],
        lambda x: x[..., ::-2],
        lambda x: x[1, :, None],
        lambda x: x[:, :, 1:][..., 0],
    ]
):
    case('ss_%d' % i, f, F(3, 6, 4))
case('gather', lambda x, i: R.Gather(params=x, indices=i), F(5, 3), np.array([4, 0, 2], np.int32))
case('gatherv2', lambda x, i: tf.gather(x, i, axis=1), F(3, 5, 2), np.array([[4, 0], [2, 1]], np.int32))
case('gather_bd', lambda x, i: tf.gather(x, i, axis=1, batch_dims=1), F(2, 5, 2), np.array([[4, 0], [2, 1]], np.int32))
case('gathernd', lambda x, i: tf.gather_nd(x, i), F(3, 4, 2), np.array([[0, 1], [2, 3]], np.int32))
case('gathernd_bd', lambda x, i: tf.gather_nd(x, i, batch_dims=1), F(2, 4, 2), np.array([[1], [3]], np.int32))
case('scatternd', lambda i, u: tf.scatter_nd(i, u, [6, 2]), np.array([[1], [3], [1]], np.int32), F(3, 2))
case('rev', lambda x: tf.reverse(x, [0, -1]), F(3, 4, 2))
case('rev1', lambda x: R.Reverse(tensor=x, dims=[True, False]), F(3, 4))
case('s2d', lambda x: tf.nn.space_to_depth(x, 2), F(1, 4, 6, 3))
case('d2s', lambda x: tf.nn.depth_to_space(x, 2), F(1, 4, 6, 8))
case('rb', lambda x: R.ResizeBilinear(images=x, size=[9, 7]), img)
case('rb_ac', lambda x: R.ResizeBilinear(images=x, size=[9, 7], align_corners=True), img)
case('rb_hp', lambda x: R.ResizeBilinear(images=x, size=[9, 7], half_pixel_centers=True), img)
case('rb_down', lambda x: R.ResizeBilinear(images=x, size=[3, 2]), img)
case('rb_dyn', lambda x: R.ResizeBilinear(images=x, size=tf.shape(x)[1:3] * 2), img)
for n, k in [('', {}), ('_ac', {'align_corners': True}), ('_hp', {'half_pixel_centers': True})]:
    case('rn' + n, lambda x, k=k: R.ResizeNearestNeighbor(images=x, size=[9, 7], **k), img)
case('rn_d' + n, lambda x, k=k: R.ResizeNearestNeighbor(images=x, size=[4, 3], **k), img)
case('rbc', lambda x: R.ResizeBicubic(images=x, size=[9, 7]), img)
case('rarea', lambda x: R.ResizeArea(images=x, size=[3, 3]), img)
case(
    'crop',
    lambda x: R.CropAndResize(
        image=x,
        boxes=[[0.1, 0.2, 0.9, 0.8], [-0.2, 0, 1.3, 1]],
        box_ind=[0, 1],
        crop_size=[4, 4],
        extrapolation_value=0.5,
    ),
    img,
)
case(
    'crop_n',
    lambda x: R.CropAndResize(image=x, boxes=[[0.1, 0.2, 0.9, 0.8]], box_ind=[0], crop_size=[4, 4], method='nearest'),
    img,
)
case('onehot', lambda i: tf.one_hot(i, 5, 2.5, -1.0), np.array([1, 4, 7, -1], np.int32))
case('onehot_ax', lambda i: tf.one_hot(i, 5, axis=0), np.array([[1, 4], [0, 2]], np.int32))
case('onehot_ax1', lambda i: tf.one_hot(i, 5, axis=1), np.array([[1, 4, 2], [0, 2, 3]], np.int32))
case('onehot_i', lambda i: tf.one_hot(i, 5, 7, 1, dtype=tf.int32), np.array([1, 4], np.int32))
case('fill', lambda x: tf.fill(tf.shape(x), 2.5) + x, F(2, 3))
case('range', lambda x: tf.range(0, tf.shape(x)[0] * 2, 2), F(4))
case('rangef', lambda x: tf.range(0.0, 1.0, 0.25) + x, F(4))
case('linspace', lambda x: tf.linspace(0.0, 1.0, 5) + x, F(5))
case('broadcast', lambda x: tf.broadcast_to(x, [3, 2, 4]), F(2, 1))
case('size', lambda x: tf.size(x), F(2, 3))
case('rank', lambda x: tf.rank(x), F(2, 3))
case('shapen', lambda x, y: tf.shape_n([x, y])[1] * 2, F(2, 3), F(4, 5))
case('zerosf', lambda x: tf.zeros_like(x) + 1, F(2, 3))
case('select', lambda c, x, y: R.Select(condition=c, x=x, y=y), B(3, 4), F(3, 4), F(3, 4))
case('select_rows', lambda c, x, y: R.Select(condition=c, x=x, y=y), B(4), F(4, 4), F(4, 4))
case('select_scalar', lambda c, x, y: R.Select(condition=c, x=x, y=y), np.array(True), F(3, 4), F(3, 4))
case('selectv2', lambda c, x, y: R.SelectV2(condition=c, t=x, e=y), B(4), F(3, 4), F(4))
case('where', lambda c: tf.where(c), B(3, 4))
case('clip', lambda x: R.ClipByValue(t=x, clip_value_min=-1.0, clip_value_max=0.5), F(3, 4))
case('clip2', lambda x: tf.clip_by_value(x, -1, 0.5), F(3, 4))
case('topk', lambda x: tf.nn.top_k(x, 2).values, F(3, 6))
case('topk_i', lambda x: tf.nn.top_k(x, 2).indices, F(3, 6))
case('unique', lambda x: tf.unique(x).y, I(9))
case('unique_i', lambda x: tf.unique(x).idx, I(9))
case('intopk', lambda x: tf.cast(tf.nn.in_top_k([1, 2, 0], x, 2), tf.float32), F(3, 6))
bx = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 2, 1, 3], [0.1, 0.1, 0.9, 0.9]], np.float32)
case('nms', lambda b: tf.image.non_max_suppression(b, [0.9, 0.8, 0.7, 0.3], 3, 0.5), bx)
case(
    'nms2',
    lambda b: R.NonMaxSuppression(boxes=b, scores=[0.9, 0.8, 0.7, 0.3], max_output_size=3, iou_threshold=0.5),
    bx,
)
case('nms_s', lambda b: tf.image.non_max_suppression(b, [0.9, 0.8, 0.7, 0.3], 3, 0.5, 0.5), bx)
case(
    'nms_v4',
    lambda b: R.NonMaxSuppressionV4(
        boxes=b,
        scores=tf.constant([0.9, 0.8, 0.7, 0.3]),
        max_output_size=3,
        iou_threshold=0.5,
        score_threshold=0.1,
        pad_to_max_output_size=True,
    ).selected_indices,
    bx,
)
case('leaky', lambda x: tf.nn.leaky_relu(x, 0.3), F(3, 4))
case('prelu', lambda x: tf.maximum(x, 0) + 0.25 * tf.minimum(x, 0), F(3, 4))
case('swish', lambda x: x * tf.sigmoid(x), F(3, 4))
case('gelu', lambda x: tf.nn.gelu(x), F(3, 4))
case('softmax4', lambda x: tf.nn.softmax(x), img)
case('softmax_ax', lambda x: tf.nn.softmax(x, axis=1), img)
case('l2n', lambda x: tf.nn.l2_normalize(x, -1), img)
case('moments', lambda x: tf.nn.moments(x, [1, 2])[1], img)
case('invperm', lambda p: tf.math.invert_permutation(p) * 1, np.array([2, 0, 3, 1], np.int32))
case('listdiff', lambda x: tf.compat.v1.setdiff1d(x, [1, 3]).out, np.array([0, 1, 2, 3, 5], np.int32))
case('fq_args', lambda x: tf.quantization.fake_quant_with_min_max_args(x, -1.3, 2.1), F(3, 4))
case(
    'fq_vars',
    lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -1.3, 2.1, num_bits=4, narrow_range=True),
    F(3, 4),
)
case(
    'fq_pc',
    lambda x: tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [-1.0, -0.5, 0.0], [1.0, 2.0, 3.0]),
    img,
)
case('fq_pos', lambda x: tf.quantization.fake_quant_with_min_max_args(x, 0.5, 2.1), F(3, 4))
case('dpart', lambda x, i: tf.dynamic_partition(x, i, 2)[1], F(5, 2), np.array([0, 1, 1, 0, 1], np.int32))
case('dstitch', lambda x, y: tf.dynamic_stitch([[0, 2], [1, 3]], [x, y]), F(2, 3), F(2, 3))
case('segsum', lambda x: tf.math.segment_sum(x, [0, 0, 1]), F(3, 2))
case('usegsum', lambda x: tf.math.unsorted_segment_sum(x, [1, 0, 1], 2), F(3, 2))
case('sparse2dense', lambda v: tf.compat.v1.sparse_to_dense([[0, 1], [2, 3]], [3, 4], v), F(2))
case('diag', lambda x: tf.linalg.diag(x), F(3))
case('matinv', lambda x: tf.linalg.inv(x), F(3, 3))
case('extract', lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], 'VALID'), img)
case('cross', lambda x, y: tf.linalg.cross(x, y), F(2, 3), F(2, 3))
case('bincount', lambda x: tf.math.bincount(x, minlength=6, maxlength=6), I(9, lo=0, hi=6))
case('lgamma', lambda x: tf.math.lgamma(x), F(3, lo=0.5, hi=4))
case('digamma', lambda x: tf.math.digamma(x), F(3, lo=0.5, hi=4))
case('complex', lambda x, y: tf.abs(tf.complex(x, y)), F(3), F(3))
case('fft', lambda x: tf.math.real(tf.signal.fft(tf.complex(x, x * 0))), F(2, 8))
case('rfft', lambda x: tf.abs(tf.signal.rfft(x)), F(2, 8))
case('rfft_len', lambda x: tf.abs(tf.signal.rfft(x, [16])), F(2, 8))
case('irfft', lambda x: tf.signal.irfft(tf.signal.rfft(x)), F(2, 8))
case('stft', lambda x: tf.abs(tf.signal.stft(x, 8, 4)), F(2, 32))
case('depthwise_mult', lambda x: tf.nn.depthwise_conv2d(x, tf.constant(F(2, 2, 3, 2)), [1, 1, 1, 1], 'VALID'), img)
case('identn', lambda x, y: tf.identity_n([x, y])[1] * 2, F(2), F(2))
case('stopg', lambda x: tf.stop_gradient(x) * 2, F(2))
case('ensure', lambda x: tf.ensure_shape(x, [None, 3]) * 2, F(2, 3))
case('checkn', lambda x: tf.debugging.check_numerics(x, 'm') * 2, F(2))
case('prevent', lambda x: R.PreventGradient(input=x) * 2, F(2))
case('str_eq', lambda x: tf.cast(tf.equal(x, 2), tf.float32), np.array([1, 2], np.int32))
case('bitand', lambda x: tf.bitwise.bitwise_and(x, 6), I(5, lo=0, hi=9))
case('searchs', lambda x: tf.searchsorted([1.0, 3.0, 5.0], x), F(4))
case('popcnt', lambda x: tf.bitwise.bitwise_or(x, 6), I(5, lo=0, hi=9))
case('tscatter', lambda x, u: tf.tensor_scatter_nd_update(x, [[1], [3]], u), F(5), F(2))
case('roll', lambda x: tf.roll(x, 1, 0), F(5))
case('meshg', lambda x: tf.meshgrid(x, x)[0], F(3))
case('cumsum_m', lambda x: tf.cumsum(x, axis=-1), F(3, 4))
case('relu_n1', lambda x: tf.maximum(tf.minimum(x, 1.0), -1.0), F(3, 4))
case('hswish', lambda x: x * tf.nn.relu6(x + 3) / 6, F(3, 4))
case('crelu', lambda x: tf.nn.crelu(x), F(3, 4))
case('logsumexp', lambda x: tf.reduce_logsumexp(x, 1), F(3, 4))
case('norm', lambda x: tf.norm(x, axis=1), F(3, 4))
case('std', lambda x: tf.math.reduce_std(x, 1), F(3, 4))
case('i64arg', lambda x: tf.cast(tf.argmax(x, 1), tf.float32) * 2, F(3, 4))
case('eq_i64', lambda x: tf.equal(tf.argmax(x, 1), tf.constant([1, 2, 3], tf.int64)), F(3, 4))
case('pow_int', lambda x: x**2, F(3, 4))
case('pow_neg', lambda x: tf.pow(x, 3.0), F(3, 4))
case('floordiv_f', lambda x: x // 0.7, F(3, 4))
case('mod_f', lambda x: x % 0.7, F(3, 4))
case('div_i', lambda x: x / 3, I(4))
case('truediv_i', lambda x: tf.truediv(x, 4), I(4))
case('adjust', lambda x: tf.image.adjust_contrast(x, 2.0), F(1, 4, 4, 3, lo=0, hi=1))
case('rgb2gray', lambda x: tf.image.rgb_to_grayscale(x), F(1, 4, 4, 3, lo=0, hi=1))
case('resize_v2', lambda x: tf.image.resize(x, [8, 9]), img)
case('resize_area', lambda x: tf.image.resize(x, [3, 2], 'area'), img)
case('per_img', lambda x: tf.image.per_image_standardization(x), F(4, 4, 3))
case('crop_pad', lambda x: tf.image.resize_with_crop_or_pad(x, 4, 8), img)
case('total_var', lambda x: tf.image.total_variation(x), img)
case('ctc', lambda x: tf.cast(tf.nn.ctc_greedy_decoder(x, [3, 3])[0][0].values, tf.float32), F(3, 2, 4))
case('n_gather', lambda x, i: tf.gather(x, i, axis=-1), F(3, 5, 4), np.array([3, 0], np.int32))
case('n_stack', lambda x, y: tf.stack([x, y], -1), F(2, 3), F(2, 3))
case('n_unstack', lambda x: tf.unstack(x, axis=-1)[1], F(2, 3))
case('n_split', lambda x: tf.split(x, 2, -1)[1], F(2, 6))
case('n_splitv', lambda x: tf.split(x, [2, 4], -1)[1], F(2, 6))
case('n_expand', lambda x: tf.expand_dims(x, -2), F(2, 6))
case('n_squeeze', lambda x: tf.squeeze(x, [-1]), F(2, 6, 1))
case('n_mean', lambda x: tf.reduce_mean(x, [-2, -3], keepdims=True), img)
case('n_rev', lambda x: tf.reverse(x, [-2]), img)
case('n_cumprod', lambda x: tf.math.cumprod(x, -2, reverse=True), F(2, 3, 4))
case(
    'group3',
    lambda x: R.Conv2D(input=x, filter=tf.constant(F(3, 3, 2, 6)), strides=[1, 2, 2, 1], padding='SAME'),
    F(1, 8, 8, 6),
)
case('bp2', lambda x: R.MatrixBandPart(input=x, num_lower=-1, num_upper=0), F(4, 5))
case('bp3', lambda x: R.MatrixBandPart(input=x, num_lower=2, num_upper=1), F(2, 4, 5))
case('mean_i2', lambda x: tf.reduce_mean(x, [0, 1]), I(4, 3))
case('onehot3', lambda i: tf.one_hot(i, 4, axis=2), np.array([[[1, 3], [0, 2]]], np.int32))
case('oh_bool', lambda i: tf.one_hot(i, 4, True, False), np.array([1, 3], np.int32))
case('boolcast_i', lambda x: tf.cast(x, tf.bool), I(4, lo=0, hi=2))
case('bmask', lambda x: tf.boolean_mask(x, x > 0), F(3, 4))
case('bmm5', lambda x, y: x @ y, F(2, 1, 3, 4), F(1, 2, 4, 5))
case('mm_vec', lambda x: tf.linalg.matvec(tf.constant(F(3, 4)), x), F(4))
case('topk_r1', lambda x: tf.nn.top_k(x, 3).values, F(7))
case('sort', lambda x: tf.sort(x), F(3, 5))
case('argsort', lambda x: tf.argsort(x, direction='DESCENDING'), F(3, 5))
case('i64slice', lambda x: tf.slice(x, tf.constant([0, 1], tf.int64), tf.constant([-1, 2], tf.int64)), F(2, 6))
case('reduce_any_all', lambda x: tf.reduce_any(x > 0, [0, 1]), F(3, 4))
case('sum_bool', lambda x: tf.reduce_sum(tf.cast(x > 0, tf.int32)), F(3, 4))
case('where3', lambda x: tf.where(x > 0, x, 0.0), F(3, 4))
case('where_nd', lambda x: tf.gather_nd(x, tf.where(x > 0)), F(3, 4))
case('clipint', lambda x: tf.clip_by_value(x, 0, 3), I(5))
case('mul_i', lambda x, y: x * y, I(3, 4), I(4))
case('sub_i', lambda x: x - 3, I(4))
case('max_i', lambda x: tf.maximum(x, 0), I(4))
case('neg_i', lambda x: -x, I(4))
case('abs_i', lambda x: tf.abs(x), I(4))
case('sq_i', lambda x: tf.square(x), I(4))
case('sqd_i', lambda x, y: tf.math.squared_difference(x, y), I(4), I(4))
case('pad_i', lambda x: tf.pad(x, [[1, 1]]), I(4))
case('tile_i', lambda x: tf.tile(x, [2]), I(4))
case('concat_i', lambda x: tf.concat([x, x], 0), I(4))
case('gather_i', lambda x: tf.gather(x, [1, 0]), I(4))
case('transpose_i', lambda x: tf.transpose(x), I(3, 4))
case('sum_i2', lambda x: tf.reduce_sum(x), I(3, 4))
case('argmax_i', lambda x: tf.argmax(x, 1), I(3, 4))
case('sel_i', lambda c, x: tf.where(c, x, -x), B(4), I(4))
case('sel_b', lambda c, x: tf.where(c, x, tf.logical_not(x)), B(4), B(4))
case('eq_b', lambda c, x: tf.equal(c, x), B(4), B(4))
case('range_i64', lambda x: tf.range(tf.cast(tf.shape(x)[0], tf.int64)) * 2 + tf.cast(x[0] * 0, tf.int64), F(4))
case('fill_i', lambda x: tf.fill(tf.shape(x), 3) + tf.cast(x * 0, tf.int32), F(2, 3))
case('h_swish2', lambda x: tf.nn.swish(x), F(3))
case('mish', lambda x: x * tf.tanh(tf.nn.softplus(x)), F(3, lo=-20, hi=30))
case('softplus_big', lambda x: tf.nn.softplus(x), np.array([-90, -30, -12, 0, 12, 40, 90], np.float32))
case('sig_big', lambda x: tf.sigmoid(x), np.array([-90, -30, 0, 40, 90], np.float32))
case('exp_big', lambda x: tf.exp(x), np.array([-90, -30, 0, 40, 80], np.float32))
case('erf_t', lambda x: tf.math.erf(x), F(20))
case('round_t', lambda x: tf.round(x), np.array([0.5, 1.5, 2.5, -0.5, -1.5], np.float32))
case('leaky_def', lambda x: R.LeakyRelu(features=x), F(4))
case('elu_t', lambda x: tf.nn.elu(x), F(9))
case('sm_xent', lambda x: tf.nn.log_softmax(x), F(3, 5, lo=-50, hi=50))
case('depth_s2b_pad', lambda x: tf.space_to_batch(x, [2, 2], [[1, 1], [0, 1]]), img)
case('crelu2', lambda x: tf.concat([tf.nn.relu(x), tf.nn.relu(-x)], 3), img)
case('gap', lambda x: tf.reduce_mean(x, [1, 2]), img)
case('up2', lambda x: tf.keras.backend.repeat_elements(x, 2, 1), img)
case('resize_nn_dyn', lambda x: tf.compat.v1.image.resize_nearest_neighbor(x, tf.shape(x)[1:3] * 2), img)
case(
    'rb_half_dyn',
    lambda x: tf.compat.v1.image.resize_bilinear(
        x, tf.cast(tf.cast(tf.shape(x)[1:3], tf.float32) * 1.5, tf.int32), align_corners=True
    ),
    img,
)
case(
    'instnorm',
    lambda x: (lambda m, v: (x - m) * tf.math.rsqrt(v + 1e-5))(*tf.nn.moments(x, [1, 2], keepdims=True)),
    img,
)
case(
    'groupnorm',
    lambda x: tf.reshape(
        (lambda r: (lambda m, v: (r - m) * tf.math.rsqrt(v + 1e-5))(*tf.nn.moments(r, [1, 2, 4], keepdims=True)))(
            tf.reshape(x, [-1, 8, 8, 2, 2])
        ),
        [-1, 8, 8, 4],
    ),
    img4,
)
case(
    'shuffle_ch',
    lambda x: tf.reshape(tf.transpose(tf.reshape(x, [-1, 8, 8, 2, 2]), [0, 1, 2, 4, 3]), [-1, 8, 8, 4]),
    img4,
)
case(
    'rank6',
    lambda x: tf.reshape(tf.transpose(tf.reshape(x, [-1, 4, 2, 4, 2, 4]), [0, 1, 3, 2, 4, 5]), [-1, 4, 4, 16]),
    img4,
)


def encoded(array):
    array = np.asarray(array)
    return {'dtype': str(array.dtype), 'shape': list(array.shape), 'data': base64.b64encode(array.tobytes()).decode()}


def computed(build, inputs):
    with tf.Graph().as_default() as graph, tf1.Session() as session:
        feeds = {}
        for i, value in enumerate(inputs):
            shape = [None] + list(value.shape[1:]) if value.ndim > 1 else list(value.shape)
            feeds[tf1.placeholder(value.dtype, shape, name='in%d' % i)] = value
        out = tf.identity(build(*feeds), 'out')
        return graph.as_graph_def(), session.run(out, feeds)


def main():
    written = []
    for name, build, inputs in cases:
        graph, value = computed(build, inputs)
        written.append(
            {
                'name': name,
                'graph': base64.b64encode(graph.SerializeToString(deterministic=True)).decode(),
                'inputs': {'in%d' % i: encoded(each) for i, each in enumerate(inputs)},
                'output': encoded(value),
            }
        )
    with gzip.GzipFile(TARGET, 'wb', mtime=0) as file:
        file.write(json.dumps(written).encode())
    print(len(written), 'cases')


sys.exit(main())
