"""Writes ops that move or count small integers, and what TensorFlow computes, for test/ops/values_of_tensorflow.test.ts.

usage: python values.py OUT.txt [COUNT] [SEED]      (TensorFlow 2; COUNT ops of each kind)

A line is an op in the notation of docs/notation.md, the shape of its last output, and its numbers. What TensorFlow refuses is left out.
"""
import os
import random
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

raw = tf.raw_ops


class Draw:
    """Arguments of an op, at random."""

    def __init__(self, rng):
        self.rng, self.pick = rng, rng.choice
        self.rank = rng.randint(1, 3)
        self.shape = self.ints(self.rank, 1, 4)
        self.x = np.arange(np.prod(self.shape), dtype=np.int32).reshape(self.shape) + 1
        self.axis = rng.randint(-self.rank, self.rank - 1)
        self.count = rng.randint(1, 3)

    def ints(self, count, low, high):
        return [self.rng.randint(low, high) for _ in range(count)]


def strided_slice(d):
    count = d.rng.randint(1, d.rank + 1)
    mask = lambda: d.pick([0, 0, d.rng.randrange(1 << count)])
    names = ["begin_mask", "end_mask", "shrink_axis_mask", "new_axis_mask"]
    masks = dict([(name, mask()) for name in names], ellipsis_mask=d.pick([0, 0, 1 << d.rng.randrange(count)]))
    inputs = dict(begin=d.ints(count, -4, 4), end=d.ints(count, -4, 5), strides=[d.pick([1, 1, 2, -1, -2]) for _ in range(count)])
    return "StridedSlice", dict(input=d.x, **inputs), masks


def slice_(d):
    begin = [d.rng.randint(0, size) for size in d.shape]
    return "Slice", dict(input=d.x, begin=begin, size=[d.pick([-1, 0, of - at]) for of, at in zip(d.shape, begin)]), {}


def split_v(d):
    size = d.shape[d.axis]
    sizes = d.pick([[size - 1, 1], [-1, 1], [size, 0], [1, -1]])
    return "SplitV", dict(value=d.x, size_splits=sizes, axis=d.axis), dict(num_split=2)


def reshape(d):
    return "Reshape", dict(tensor=d.x, shape=d.pick([[-1], [1, -1], [d.shape[0], -1], [2, -1], d.shape[::-1]])), {}


def broadcast(d):
    narrow = d.x[..., :1] if d.pick([True, False]) else d.x
    return "BroadcastTo", dict(input=narrow, shape=d.ints(1, 1, 2) + d.shape), {}


INDICES = [1, [0, 1], [[0], [1]], [0]]
KINDS = [
    strided_slice,
    strided_slice,
    strided_slice,
    slice_,
    split_v,
    reshape,
    broadcast,
    lambda d: ("GatherV2", dict(params=d.x, indices=d.pick(INDICES), axis=d.axis), {}),
    lambda d: ("Gather", dict(params=d.x, indices=d.pick(INDICES)), {}),
    lambda d: ("Split", dict(axis=d.axis, value=d.x), dict(num_split=d.count)),
    lambda d: ("Unpack", dict(value=d.x), dict(axis=d.axis, num=d.shape[d.axis])),
    lambda d: ("Pack", dict(values=[d.x, d.x + 50]), dict(axis=d.rng.randint(-d.rank - 1, d.rank))),
    lambda d: ("ConcatV2", dict(values=[d.x, d.x + 50], axis=d.axis), {}),
    lambda d: ("Concat", dict(concat_dim=d.axis % d.rank, values=[d.x, d.x + 50]), {}),
    lambda d: ("Tile", dict(input=d.x, multiples=d.ints(d.rank, 0, 2)), {}),
    lambda d: ("Transpose", dict(x=d.x, perm=d.rng.sample(range(d.rank), d.rank)), {}),
    lambda d: ("ExpandDims", dict(input=d.x, axis=d.rng.randint(-d.rank - 1, d.rank)), {}),
    lambda d: ("Squeeze", dict(input=d.x), dict(squeeze_dims=d.pick([[], [d.axis]]))),
    lambda d: ("Range", dict(start=d.ints(1, -3, 2)[0], limit=d.ints(1, 2, 9)[0], delta=d.count), {}),
    lambda d: ("Range", dict(start=d.ints(1, 2, 9)[0], limit=d.ints(1, -3, 2)[0], delta=-d.count), {}),
    lambda d: ("Fill", dict(dims=d.shape, value=7), {}),
    lambda d: ("Prod", dict(input=d.x.flatten()[:9], axis=d.pick([[0], [-1], 0])), dict(keep_dims=d.pick([True, False]))),
]
KEYS = dict(squeeze_dims="axis")


def text_of(value):
    if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
        return ", ".join(text_of(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(np.array(value).tolist())


def line(kind, rng):
    """An op and what it outputs, drawn again if TensorFlow refuses it."""
    while True:
        op, inputs, attrs = kind(Draw(rng))
        try:
            result = getattr(raw, op)(**inputs, **{KEYS.get(key, key): value for key, value in attrs.items()})
        except (tf.errors.InvalidArgumentError, ValueError):
            continue
        last = (result[-1] if isinstance(result, list) else result).numpy()
        given = ", ".join("%s=%s" % (key, text_of(value)) for key, value in attrs.items())
        text = "%s(%s)" % (op, ", ".join(text_of(value) for value in inputs.values())) + ("[%s]" % given if given else "")
        return "%s: %s %s" % (text, text_of(last.shape), text_of(last.flatten()))


def main(path, count="10", seed="1"):
    rng = random.Random(int(seed))
    with open(path, "w") as out:
        out.writelines(line(kind, rng) + "\n" for kind in KINDS for _ in range(int(count)))


main(*sys.argv[1:])
