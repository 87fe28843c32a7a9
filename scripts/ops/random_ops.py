"""Writes a graph of thousands of ops that move, reduce, slice and pool tensors of random shapes, for infer_shapes.mjs.

usage: python random_ops.py OUT.pb [SEED]      (TensorFlow 2.12)

Some sizes of the placeholders are unknown. What TensorFlow refuses is left out.
"""
import os
import random
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow.compat.v1 as tf  # noqa: E402

tf.disable_v2_behavior()
raw = tf.raw_ops
KEY_COUNTER = dict(key=[1], counter=[1, 2], alg=1)


class Ops:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.made = 0

    def attempt(self, op, **inputs):
        try:
            op(**inputs)
            self.made += 1
        except (ValueError, TypeError, NotImplementedError):
            pass  # TensorFlow refuses the random arguments, or has dropped the op

    def pick(self, *choices):
        return self.random.choice(choices)

    def ints(self, count, low, high):
        return [self.random.randint(low, high) for _ in range(count)]

    def tensor(self, shape, dtype=tf.float32):
        return tf.placeholder(dtype, [None if self.random.random() < 0.3 else size for size in shape])

    def slices(self):
        rank = self.random.randint(1, 4)
        count = self.random.randint(1, rank + 1)
        mask = lambda: self.pick(0, self.random.randrange(1 << count))
        self.attempt(
            raw.StridedSlice,
            input=self.tensor(self.ints(rank, 1, 7)),
            begin=self.ints(count, -8, 8),
            end=self.ints(count, -8, 8),
            strides=[self.pick(1, 1, 2, -1, -2, 3) for _ in range(count)],
            begin_mask=mask(),
            end_mask=mask(),
            ellipsis_mask=self.pick(0, 1 << self.random.randrange(count)),
            new_axis_mask=mask(),
            shrink_axis_mask=mask(),
        )

    def movement(self):
        rank = self.random.randint(1, 4)
        shape = self.ints(rank, 1, 7)
        axis = self.random.randint(-rank, rank - 1)
        x = lambda: self.tensor(shape)
        indices = tf.zeros([2, 3], tf.int32)
        self.attempt(raw.GatherV2, params=x(), indices=indices, axis=axis)
        batched = dict(params=self.tensor([2, 4, 3]), indices=tf.zeros([2, 4], tf.int32))
        self.attempt(raw.GatherV2, axis=self.pick(1, 2, -1), batch_dims=self.pick(1, 2, -1), **batched)
        self.attempt(raw.GatherNd, params=x(), indices=tf.zeros([5, self.random.randint(1, rank)], tf.int32))
        self.attempt(raw.Slice, input=x(), begin=[0] * rank, size=[self.pick(-1, 1) for _ in shape])
        self.attempt(raw.Split, axis=axis, value=self.tensor([2 * size for size in shape]), num_split=2)
        self.attempt(raw.SplitV, value=self.tensor([3] + shape), size_splits=self.pick([1, 2], [-1, 1]), axis=0, num_split=2)
        self.attempt(raw.Unpack, value=tf.placeholder(tf.float32, shape), num=shape[axis], axis=axis)
        self.attempt(raw.Pack, values=[x(), x()], axis=self.random.randint(-rank - 1, rank))
        self.attempt(raw.ConcatV2, values=[x(), x()], axis=axis)
        self.attempt(raw.Concat, concat_dim=axis % rank, values=[x(), x()])
        self.attempt(raw.Tile, input=x(), multiples=self.ints(rank, 1, 3))
        self.attempt(raw.Pad, input=x(), paddings=[self.ints(2, 0, 2) for _ in shape])
        self.attempt(raw.Transpose, x=x(), perm=self.random.sample(range(rank), rank))
        self.attempt(raw.ExpandDims, input=x(), axis=self.random.randint(-rank - 1, rank))
        self.attempt(raw.Squeeze, input=tf.placeholder(tf.float32, [1, 5, 1]), axis=self.pick([], [0], [-1], [0, 2]))
        self.attempt(raw.Reshape, tensor=x(), shape=self.pick([-1], [1, -1], shape))
        self.attempt(raw.BroadcastTo, input=x(), shape=[2] + shape)
        self.attempt(raw.OneHot, indices=self.tensor(shape, tf.int32), depth=4, on_value=1.0, off_value=0.0, axis=axis)

    def arithmetic(self):
        rank = self.random.randint(1, 4)
        shape = self.ints(rank, 1, 7)
        x = lambda: self.tensor(shape)
        axes = self.pick([0], [-1], list(range(rank)), [])
        reduce = self.pick(raw.Mean, raw.Sum, raw.Max, raw.Prod, raw.EuclideanNorm)
        self.attempt(reduce, input=x(), axis=axes, keep_dims=self.pick(True, False))
        self.attempt(raw.ArgMax, input=x(), dimension=self.pick(0, -1))
        self.attempt(raw.TopKV2, input=x(), k=1)
        self.attempt(raw.AddN, inputs=[x(), x()])
        self.attempt(raw.AddV2, x=x(), y=self.tensor(shape[self.random.randint(0, rank) :]))
        self.attempt(raw.SelectV2, condition=self.tensor([1] * rank, tf.bool), t=x(), e=self.tensor(shape[1:]))
        self.attempt(raw.Select, condition=self.tensor(shape, tf.bool), x=x(), y=x())
        self.attempt(raw.Range, start=self.random.randint(0, 3), limit=self.random.randint(3, 12), delta=self.pick(1, 2, 3))
        self.attempt(raw.MatMul, a=self.tensor([3, 4]), b=self.tensor([5, 4]), transpose_b=True)
        self.attempt(raw.BatchMatMulV2, x=self.tensor([2, 1, 3, 4]), y=self.tensor([6, 4, 5]))

    def windows(self):
        height, width, channels = self.ints(3, 4, 9)
        size, stride, rate = self.ints(3, 1, 3)
        slides = dict(strides=[1, stride, stride, 1], padding=self.pick("SAME", "VALID"))
        x = lambda: self.tensor([2, height, width, channels])
        first = self.tensor([2, channels, height, width])
        kernel = self.tensor([size, size, channels, 5])
        self.attempt(raw.Conv2D, input=x(), filter=kernel, dilations=[1, rate, rate, 1], **slides)
        self.attempt(raw.Conv2D, input=first, filter=kernel, strides=[1, 1, stride, stride], padding="SAME", data_format="NCHW")
        explicit = dict(padding="EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0])
        self.attempt(raw.Conv2D, input=x(), filter=kernel, strides=[1, stride, stride, 1], **explicit)
        self.attempt(raw.DepthwiseConv2dNative, input=x(), filter=kernel, **slides)
        window = [1, size, size, 1]
        self.attempt(raw.MaxPool, input=x(), ksize=window, **slides)
        self.attempt(raw.MaxPoolV2, input=x(), ksize=window, **slides)
        self.attempt(raw.MaxPoolWithArgmax, input=x(), ksize=window, **slides)
        self.attempt(raw.AvgPool, value=first, ksize=[1, 1, size, size], strides=[1, 1, 1, 1], padding="VALID", data_format="NCHW")
        self.attempt(raw.MaxPool, input=self.tensor([2, 4, 4, 4]), ksize=[1, 1, 1, 2], strides=[1, 1, 1, 2], padding="VALID")
        self.attempt(raw.DepthToSpace, input=self.tensor([2, height, width, 4 * channels]), block_size=2)
        self.attempt(raw.SpaceToDepth, input=self.tensor([2, 2 * height, 2 * width, channels]), block_size=2)
        blocks = self.tensor([2, 2 * height, 3 * width, channels])
        self.attempt(raw.SpaceToBatchND, input=blocks, block_shape=[2, 3], paddings=[[1, 1], [0, 3]])
        batches = self.tensor([12, height, width, channels])
        self.attempt(raw.BatchToSpaceND, input=batches, block_shape=[2, 3], crops=[[1, 0], [0, 2]])
        self.attempt(raw.ResizeBilinear, images=x(), size=[5, 6])
        y = self.tensor([2, height, width, 5])
        sizes = [2, height * stride, width * stride, channels]
        same = dict(strides=[1, stride, stride, 1], padding="SAME")
        self.attempt(raw.Conv2DBackpropInput, input_sizes=sizes, filter=kernel, out_backprop=y, **same)

    def randoms(self):
        shape = self.ints(self.random.randint(1, 3), 1, 7)
        two = [0.5, 0.5]
        counter = {key: tf.constant(value, tf.int32 if key == "alg" else tf.uint64) for key, value in KEY_COUNTER.items()}
        self.attempt(raw.RandomGamma, shape=shape, alpha=two)
        self.attempt(raw.RandomPoissonV2, shape=shape, rate=two)
        self.attempt(raw.StatelessRandomGammaV2, shape=shape + [2], seed=[1, 2], alpha=two)
        self.attempt(raw.StatelessRandomGammaV3, shape=shape + [2], alpha=two, **counter)
        self.attempt(raw.StatelessRandomPoisson, shape=shape + [2], seed=[1, 2], lam=two, dtype=tf.float32)
        self.attempt(raw.StatelessRandomBinomial, shape=shape + [2], seed=[1, 2], counts=two, probs=two)
        self.attempt(raw.StatelessRandomUniformV2, shape=shape, **counter)
        self.attempt(raw.RandomUniformInt, shape=shape, minval=0, maxval=4)
        self.attempt(raw.Multinomial, logits=self.tensor([3, 5]), num_samples=4)
        handle = raw.VarHandleOp(dtype=tf.int64, shape=[3])
        algorithm = tf.constant(1, tf.int64)
        self.attempt(raw.StatefulUniform, resource=handle, algorithm=algorithm, shape=shape)
        self.attempt(raw.StatefulStandardNormal, resource=handle, shape=shape)
        self.attempt(raw.StatefulStandardNormalV2, resource=handle, algorithm=algorithm, shape=shape)


def main(path, seed="1"):
    ops = Ops(int(seed))
    with tf.Graph().as_default() as graph:
        for _ in range(200):
            ops.slices()
            ops.slices()
            ops.movement()
            ops.arithmetic()
            ops.windows()
        for _ in range(10):
            ops.randoms()
        with open(path, "wb") as out:
            out.write(graph.as_graph_def().SerializeToString())
    print("%d ops" % ops.made)


main(*sys.argv[1:])
