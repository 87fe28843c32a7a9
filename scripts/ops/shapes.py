"""Writes ops whose inputs fit or do not fit, and what TensorFlow says of each, for test/ops/shapes_of_tensorflow.test.ts.

usage: python shapes.py OUT.txt [COUNT] [SEED]      (any TensorFlow; COUNT ops of each kind)

Each op fits at first; then some sizes, ranks, axes and attrs of most of them are changed. Some sizes are unknown. A line is an op in
the notation of docs/notation.md, with `<2,?>` for a tensor of that shape, and the shapes of its outputs, or `refused`: when it is
imported or, if all shapes are known, when it runs.
"""
import os
import random
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

tf.logging.set_verbosity(tf.logging.FATAL)


class Case:
    """One op, its placeholders and constants, as NodeDefs and as text."""

    def __init__(self, rng):
        self.rng = rng
        self.nodes, self.texts = [], {}
        self.breaks = rng.random() < 0.75

    def ints(self, count, low, high):
        return [self.rng.randint(low, high) for _ in range(count)]

    def pick(self, *choices):
        return self.rng.choice(choices)

    def number(self, value):
        """The number, or now and then another one."""
        return value + self.pick(-1, 1, 2) if self.breaks and self.rng.random() < 0.2 else value

    def add(self, node, text):
        node.name = "input_%d" % len(self.nodes)
        self.nodes.append(node)
        self.texts[node.name] = text
        return node.name

    def x(self, shape, dtype=tf.float32):
        """A placeholder of a shape, or of one that is almost the same."""
        shape = [max(0, self.number(size)) for size in shape]
        if self.breaks and self.rng.random() < 0.1:
            shape = self.pick(shape[1:], shape[:-1], shape + [2], [2] + shape)
        if self.rng.random() < 0.3:
            shape = [None if self.rng.random() < 0.4 else size for size in shape]
        if self.rng.random() < 0.05:
            shape = None
        text = (dtype.name if dtype != tf.float32 else "") + ("<%s>" % size_text(shape))
        with tf.Graph().as_default():
            return self.add(tf.placeholder(dtype, shape).op.node_def, text)

    def of(self, value, dtype=np.int32):
        """A constant, or now and then an unknown tensor of its shape."""
        value = np.array(value, dtype)
        if self.breaks and self.rng.random() < 0.15 and value.ndim == 1:
            value = self.pick(value[1:], np.append(value, value.dtype.type(1)))
        if self.rng.random() < 0.1 or value.size == 0:
            return self.x(list(value.shape), tf.as_dtype(dtype))
        with tf.Graph().as_default():
            return self.add(tf.constant(value).op.node_def, str(value.tolist()))

    def op(self, op, *inputs, **attrs):
        node = tf.NodeDef(name="y", op=op, input=list(inputs))
        for key, value in attrs.items():
            set_attr(node.attr[key], value)
        self.nodes.append(node)
        given = ["%s=%s" % (key, text_of(value)) for key, value in attrs.items() if op in UNTYPED or not isinstance(value, tf.DType)]
        text = "%s(%s)" % (op, ", ".join(self.texts[name] for name in inputs))
        self.text = text + ("[%s]" % ", ".join(given) if given else "")


# Their types do not follow from those of their inputs in the notation.
UNTYPED = ["PlaceholderWithDefault", "Range"]


def size_text(shape):
    return "unknown" if shape is None else ",".join("?" if size is None else str(size) for size in shape)


def text_of(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tf.TensorShape):
        return "?" if value.ndims is None else "[%s]" % size_text(value.as_list())
    return value.name if isinstance(value, tf.DType) else str(value)


def set_attr(attr, value):
    if isinstance(value, bool):
        attr.b = value
    elif isinstance(value, int):
        attr.i = value
    elif isinstance(value, float):
        attr.f = value
    elif isinstance(value, str):
        attr.s = value.encode()
    elif isinstance(value, tf.DType):
        attr.type = value.as_datatype_enum
    elif isinstance(value, tf.TensorShape):
        attr.shape.CopyFrom(value.as_proto())
    else:
        attr.list.i.extend(value)


F, I = tf.float32, tf.int32


def arithmetic(c):
    shape = c.ints(c.rng.randint(1, 4), 1, 4)
    other = [c.pick(1, size) for size in shape[c.rng.randint(0, len(shape)) :]]
    op = c.pick("AddV2", "Mul", "SquaredDifference", "Greater", "Equal", "Maximum")
    more = dict(incompatible_shape_error=c.pick(True, False)) if op == "Equal" and tf.__version__ > "1.15" else {}
    c.op(op, c.x(shape), c.x(other), T=F, **more)


def alike(c):
    shape = c.ints(c.rng.randint(0, 3), 1, 4)
    op, attrs = c.pick(("AddN", {}), ("Pack", dict(axis=c.number(0))))
    c.op(op, c.x(shape), c.x(shape), c.x(shape), T=F, N=3, **attrs)


def matmul(c):
    a, b, n = c.ints(3, 1, 5)
    ta, tb = c.pick(True, False), c.pick(True, False)
    c.op("MatMul", c.x([n, a] if ta else [a, n]), c.x([b, n] if tb else [n, b]), T=F, transpose_a=ta, transpose_b=tb)


def batch_matmul(c):
    a, b, n = c.ints(3, 1, 5)
    batch = c.ints(c.rng.randint(0, 2), 1, 3)
    op = c.pick("BatchMatMul", "BatchMatMulV2")
    other = batch if op == "BatchMatMul" else [c.pick(1, size) for size in batch[c.rng.randint(0, len(batch)) :]]
    ta, tb = c.pick(True, False), c.pick(True, False)
    c.op(op, c.x(batch + ([n, a] if ta else [a, n])), c.x(other + ([b, n] if tb else [n, b])), T=F, adj_x=ta, adj_y=tb)


def laid_out(c, layout, batch, spatial, channels):
    return [batch, channels] + spatial if layout.startswith("NC") else [batch] + spatial + [channels]


def bias(c):
    layout = c.pick("NHWC", "NCHW")
    spatial = c.ints(c.rng.randint(0 if layout == "NHWC" else 1, 3), 1, 4)
    c.op("BiasAdd", c.x(laid_out(c, layout, 2, spatial, 3)), c.x([3]), T=F, data_format=layout)


def sliding(c, rank):
    layout = c.pick("NHWC", "NCHW") if rank == 2 else c.pick("NDHWC", "NCDHW")
    spatial, window = c.ints(rank, 2, 8), c.ints(rank, 1, 3)
    # Strides and dilations of the batch and of channels must be 1.
    strides = laid_out(c, layout, 1, c.ints(rank, 1, 3), 1)
    padding = c.pick("SAME", "VALID")
    return layout, spatial, window, dict(T=F, strides=strides, padding=padding, data_format=layout)


def convolution(c):
    rank = c.pick(2, 2, 3)
    layout, spatial, window, attrs = sliding(c, rank)
    channels = c.pick(2, 4)
    groups = c.pick(1, 1, 2)
    # Of Conv3D, TensorFlow mixes up the dilations in its shapes.
    if rank == 2 and c.rng.random() < 0.3:
        attrs["dilations"] = laid_out(c, layout, 1, c.ints(rank, 1, 2), 1)
    if rank == 2 and c.rng.random() < 0.3:
        pads = [[c.rng.randint(0, 2), c.rng.randint(0, 2)] for _ in spatial]
        attrs.update(padding="EXPLICIT", explicit_paddings=sum(laid_out(c, layout, [0, 0], pads, [0, 0]), []))
    x = c.x(laid_out(c, layout, 2, spatial, channels))
    c.op("Conv%dD" % rank, x, c.x(window + [channels // groups, 6]), **attrs)


def depthwise(c):
    layout, spatial, window, attrs = sliding(c, 2)
    attrs["strides"] = laid_out(c, layout, 1, [2, 2], 1)
    c.op("DepthwiseConv2dNative", c.x(laid_out(c, layout, 2, spatial, 3)), c.x(window + [3, 2]), **attrs)


def pool(c):
    rank = c.pick(2, 2, 3)
    layout, spatial, window, attrs = sliding(c, rank)
    kind = c.pick("MaxPool", "AvgPool")
    x, ksize = c.x(laid_out(c, layout, 2, spatial, 3)), laid_out(c, layout, 1, window, 1)
    if kind == "MaxPool" and rank == 2 and c.rng.random() < 0.3:
        strides = attrs.pop("strides")
        return c.op("MaxPoolV2", x, c.of(ksize), c.of(strides), **attrs)
    if c.breaks and c.rng.random() < 0.1:
        ksize = c.pick(ksize[1:], ksize + [1], [2] + ksize[1:], ksize[:-1] + [2])
    c.op(kind + ("3D" if rank == 3 else ""), x, ksize=ksize, **attrs)


def transposed(c):
    rank = c.pick(2, 2, 3)
    layout, spatial, window, attrs = sliding(c, rank)
    steps = [s for i, s in enumerate(attrs["strides"]) if i > 0 and (i != 1 if layout[1] == "C" else i <= rank)]
    same = attrs["padding"] == "SAME"
    result = [(-(-n // s)) if same else max(0, -(-(n - w + 1) // s)) for n, w, s in zip(spatial, window, steps)]
    sizes = c.of([max(0, c.number(size)) for size in laid_out(c, layout, 2, spatial, 3)])
    y = c.x(laid_out(c, layout, 2, result, 4))
    c.op("Conv2DBackpropInput" if rank == 2 else "Conv3DBackpropInputV2", sizes, c.x(window + [3, 4]), y, **attrs)


def batch_norm(c):
    layout, training = c.pick("NHWC", "NCHW"), c.pick(True, False)
    x = c.x(laid_out(c, layout, 2, [4, 5], 3))
    stats = [c.x([c.pick(0, 3) if training else 3]) for _ in range(2)]
    attrs = dict(T=F, U=F, data_format=layout, is_training=training)
    version = c.pick("FusedBatchNormV2", "FusedBatchNorm", "FusedBatchNormV3" if tf.__version__ > "1.14" else "FusedBatchNormV2")
    if version == "FusedBatchNorm":
        del attrs["U"]
    c.op(version, x, c.x([3]), c.x([3]), *stats, **attrs)


def reshape(c):
    shape = c.ints(c.rng.randint(0, 3), 0 if c.rng.random() < 0.1 else 1, 4)
    target = list(shape) if c.rng.random() < 0.3 else [int(np.prod(shape[:1])), int(np.prod(shape[1:]))]
    if target and c.rng.random() < 0.4:
        target[c.rng.randrange(len(target))] = -1
    c.op("Reshape", c.x(shape), c.of([c.number(size) if size > 0 else size for size in target]), T=F, Tshape=I)


def concat(c):
    shape = c.ints(c.rng.randint(1, 3), 1, 4)
    axis = c.rng.randrange(len(shape))
    part = lambda: [c.rng.randint(1, 4) if i == axis else size for i, size in enumerate(shape)]
    at = c.number(axis - c.pick(0, len(shape)))
    if c.rng.random() < 0.3:
        return c.op("Concat", c.of(axis), c.x(part()), c.x(part()), T=F, N=2)
    c.op("ConcatV2", c.x(part()), c.x(part()), c.x(part()), c.of(at), T=F, N=3, Tidx=I)


def select(c):
    shape = c.ints(c.rng.randint(1, 3), 1, 4)
    c.op("Select", c.x(c.pick([], shape[:1], shape), tf.bool), c.x(shape), c.x(shape), T=F)


def squeeze(c):
    shape = [1, c.rng.randint(1, 3), 1]
    c.op("Squeeze", c.x(shape), T=F, squeeze_dims=c.pick([], [0], [-1], [0, 2], [-3], [c.number(2)]))


def split(c):
    shape = c.ints(c.rng.randint(1, 3), 1, 3)
    axis, n = c.rng.randrange(len(shape)), c.rng.randint(1, 4)
    shape[axis] *= n
    at = c.number(axis - c.pick(0, len(shape)))
    if c.rng.random() < 0.5:
        return c.op("Split", c.of(at), c.x(shape), T=F, num_split=n)
    sizes = [shape[axis] // n] * n
    if c.rng.random() < 0.3:
        sizes[c.rng.randrange(n)] = -1
    c.op("SplitV", c.x(shape), c.of([c.number(s) if s > 0 else s for s in sizes]), c.of(at), T=F, Tlen=I, num_split=n)


def default(c):
    shape = c.ints(c.rng.randint(0, 3), 1, 3)
    declared = [None if c.rng.random() < 0.3 else c.number(size) for size in shape]
    c.op("PlaceholderWithDefault", c.x(shape), dtype=F, shape=tf.TensorShape(None if c.rng.random() < 0.1 else [d if d is None else max(0, d) for d in declared]))


def images(c):
    c.op(c.pick("ResizeBilinear", "ResizeNearestNeighbor"), c.x([2, 4, 5, 3]), c.of([6, 7]), T=F)


def transpose(c):
    shape = c.ints(c.rng.randint(1, 4), 1, 3)
    order = list(range(len(shape)))
    c.rng.shuffle(order)
    c.op("Transpose", c.x(shape), c.of([c.number(each) for each in order]), T=F, Tperm=I)


def pad(c):
    shape = c.ints(c.rng.randint(1, 4), 1, 3)
    pads = [c.ints(2, 0, 2) for _ in range(max(0, c.number(len(shape))))] or np.zeros([0, 2])
    c.op("Pad", c.x(shape), c.of(pads), T=F, Tpaddings=I)


def unpack(c):
    shape = c.ints(c.rng.randint(1, 4), 1, 3)
    axis = c.rng.randrange(len(shape))
    c.op("Unpack", c.x(shape), T=F, num=max(0, c.number(shape[axis])), axis=c.number(axis - c.pick(0, len(shape))))


def slice_(c):
    shape = c.ints(c.rng.randint(1, 3), 1, 4)
    begin = [c.rng.randint(0, size) for size in shape]
    size = [c.pick(-1, of - at) for of, at in zip(shape, begin)]
    c.op("Slice", c.x(shape), c.of([c.number(at) for at in begin]), c.of([c.number(s) for s in size]), T=F, Index=I)


def strided_slice(c):
    rank = c.rng.randint(1, 3)
    shape, count = c.ints(rank, 1, 4), max(1, c.number(rank))
    at = [c.rng.randint(-shape[min(i, rank - 1)], shape[min(i, rank - 1)] - 1) for i in range(count)]
    mask = lambda: c.pick(0, 0, c.rng.randrange(1 << count))
    masks = dict(begin_mask=mask(), end_mask=mask(), shrink_axis_mask=mask(), new_axis_mask=mask())
    masks["ellipsis_mask"] = c.pick(0, 0, 0, 1 << c.rng.randrange(count))
    begin = c.of([c.number(each) for each in at])
    strides = [c.pick(1, 1, 1, 2, -1) for _ in at]
    c.op("StridedSlice", c.x(shape), begin, c.of([each + 1 for each in at]), c.of(strides), T=F, Index=I, **masks)


def blocks(c):
    layout, block = c.pick("NHWC", "NCHW"), c.pick(2, 3)
    op = c.pick("DepthToSpace", "SpaceToDepth")
    spatial, channels = ([2, 3], 2 * block**2) if op == "DepthToSpace" else ([2 * block, 3 * block], 3)
    c.op(op, c.x(laid_out(c, layout, 2, spatial, channels)), T=F, block_size=block, data_format=layout)


def block_batches(c):
    block, spatial = c.ints(2, 1, 3), c.ints(2, 1, 3)
    margins = [c.ints(2, 0, 1) for _ in block]
    if c.rng.random() < 0.5:
        whole = [n * b + 2 * b - sum(m) for n, b, m in zip(spatial, block, margins)]
        return c.op("SpaceToBatchND", c.x([2] + whole + [3]), c.of(block), c.of(margins), T=F, Tblock_shape=I, Tpaddings=I)
    shape = [2 * block[0] * block[1]] + [n + 2 for n in spatial] + [3]
    c.op("BatchToSpaceND", c.x(shape), c.of(block), c.of(margins), T=F, Tblock_shape=I, Tcrops=I)


def others(c):
    """Ops that are compared for their shape alone."""
    shape = c.ints(c.rng.randint(1, 3), 1, 4)
    axis = c.rng.randrange(len(shape)) - c.pick(0, len(shape))
    at = c.number(axis)
    index = lambda of: c.x(of, I)
    pick = c.rng.randrange(12)
    if pick == 0:
        start, step = c.pick(0.0, 0.5), c.pick(0.1, 0.3, 0.7)
        return c.op("Range", c.of(start, np.float32), c.of(start + step * c.rng.randint(1, 9), np.float32), c.of(step, np.float32), Tidx=F)
    if pick == 1:
        return c.op("Range", c.of(c.rng.randint(0, 9)), c.of(c.rng.randint(0, 9)), c.of(c.pick(1, 2, -1, 3)), Tidx=I)
    if pick == 2:
        return c.op("ArgMax", c.x(shape), c.of(at), T=F, Tidx=I, output_type=tf.int64)
    if pick == 3:
        return c.op("TopKV2", c.x(shape), c.of(c.rng.randint(0, shape[-1])), T=F)
    if pick == 4:
        return c.op("GatherNd", c.x(shape), index([2, c.rng.randint(0, len(shape))]), Tparams=F, Tindices=I)
    if pick == 5:
        return c.op("GatherV2", c.x(shape), index(c.pick([], [2], [2, 3])), c.of(at), Tparams=F, Tindices=I, Taxis=I)
    if pick == 6:
        return c.op("OneHot", index(shape), c.of(c.rng.randint(0, 5)), c.of(1.0, np.float32), c.of(0.0, np.float32), T=F, TI=I, axis=at)
    if pick == 7:
        return c.op("Tile", c.x(shape), c.of([c.pick(0, 1, 2) for _ in shape]), T=F, Tmultiples=I)
    if pick == 8:
        axes = c.of([at] if c.rng.random() < 0.5 else list(range(len(shape))))
        return c.op(c.pick("Mean", "Sum", "Max"), c.x(shape), axes, T=F, Tidx=I, keep_dims=c.pick(True, False))
    if pick == 9:
        return c.op("ExpandDims", c.x(shape), c.of(at), T=F, Tdim=I)
    if pick == 10:
        return c.op("Multinomial", c.x([2, 3]), c.of(4), T=F, output_dtype=tf.int64, seed=1, seed2=1)
    return c.op("BroadcastTo", c.x(shape), c.of([2] + shape), T=F, Tidx=I)


KINDS = [arithmetic, alike, matmul, batch_matmul, bias, convolution, depthwise, pool, transposed, batch_norm, reshape, concat]
KINDS += [select, squeeze, split, default, images, transpose, pad, unpack, slice_, strided_slice, blocks, block_batches, others]


# The optimizer of TensorFlow 1.15 crashes on some of these graphs.
PLAIN = tf.ConfigProto()
PLAIN.graph_options.rewrite_options.disable_meta_optimizer = True

# Kernels of these refuse more than the import does.
LATE = [transposed, batch_norm, slice_, strided_slice]


def verdict(nodes):
    """The shapes of the last node's outputs, None if TensorFlow refuses it; and whether it ran, or was refused."""
    graph_def = tf.GraphDef(node=nodes)
    graph_def.versions.producer = 38
    with tf.Graph().as_default() as graph:
        try:
            tf.import_graph_def(graph_def, name="")
        except (ValueError, TypeError):
            return None, True
        outputs = graph.get_operation_by_name("y").outputs[:5]
        inputs = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
        static = [None if t.shape.ndims is None else t.shape.as_list() for t in outputs]
        if any(not t.shape.is_fully_defined() or t.dtype != F for t in inputs):
            return static, False
        try:
            with tf.Session(config=PLAIN) as session:
                values = session.run(outputs, {t: np.zeros(t.shape.as_list(), np.float32) for t in inputs})
            return [list(np.shape(value)) for value in values], True
        except tf.errors.InvalidArgumentError as error:
            # Kernels on a CPU do not have all layouts and dilations.
            is_missing = any(word in str(error) for word in ("NHWC", "NDHWC", "data format", "dilation", "No OpKernel"))
            return (static, False) if is_missing else (None, True)
        except (tf.errors.UnimplementedError, tf.errors.NotFoundError, tf.errors.InternalError):
            return static, False


def line(kind, rng):
    """An op and what TensorFlow says of it, unless only running it would show that."""
    while True:
        case = Case(rng)
        kind(case)
        found, ran = verdict(case.nodes)
        if ran or not case.breaks or kind not in LATE:
            shapes = "refused" if found is None else " ".join("<%s>" % size_text(shape) for shape in found)
            return "%s: %s" % (case.text, shapes)


def main(path, count="40", seed="1"):
    rng = random.Random(int(seed))
    lines = []
    for kind in KINDS:
        lines.append("# " + kind.__name__.strip("_"))
        lines += [line(kind, rng) for _ in range(int(count))]
    with open(path, "w") as out:
        out.write("\n".join(lines) + "\n")
    refused = sum(each.endswith(": refused") for each in lines)
    print("%d ops, TensorFlow refuses %d" % (len(lines) - len(KINDS), refused))


main(*sys.argv[1:])
