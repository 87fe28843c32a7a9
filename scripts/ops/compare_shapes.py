"""Compares the shapes that bnfix infers with TensorFlow's own: none may contradict.

usage: python compare_shapes.py OUT      (after: node scripts/ops/infer_shapes.mjs OUT [MODEL ...])

Prints contradictions, and by op how often bnfix knows less. Exit code 1 when a shape contradicts TensorFlow's.
"""
import collections
import glob
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow.compat.v1 as tf  # noqa: E402


def graph_def(path):
    """The graph without what only a running TensorFlow needs, and without shapes that the file claims."""
    found = tf.GraphDef()
    with open(path, "rb") as source:
        found.ParseFromString(source.read())
    for node in found.node:
        node.device = ""
        for key in ("_class", "_output_shapes"):
            if key in node.attr:
                del node.attr[key]
    return found


def sizes(tensor):
    if tensor.shape.rank is None:
        return None
    return [-1 if size is None else size for size in tensor.shape.as_list()]


def contradict(ours, theirs):
    if len(ours) != len(theirs):
        return True
    return any(a >= 0 and b >= 0 and a != b for a, b in zip(ours, theirs))


def compare(path, less):
    """Contradictions in a graph; counts in `less` the outputs of which bnfix knows less, by op."""
    with open(path) as source:
        inferred = json.load(source)
    wrong, count = [], 0
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def(path[: -len(".json")] + ".pb"), name="")
        for op in graph.get_operations():
            for port, tensor in enumerate(op.outputs[:6]):
                ours, theirs = inferred[op.name][port], sizes(tensor)
                count += 1
                if ours is not None and theirs is not None and contradict(ours, theirs):
                    wrong.append("%s %s (%s): %s, TensorFlow: %s" % (path, tensor.name, op.type, ours, theirs))
                elif theirs is not None and (ours is None or any(a < 0 <= b for a, b in zip(ours, theirs))):
                    less[op.type] += 1
    return wrong, count


def main(folder):
    less, wrong, total = collections.Counter(), [], 0
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        found, count = compare(path, less)
        wrong += found
        total += count
    print("\n".join(wrong))
    print("%d tensors, %d contradict" % (total, len(wrong)))
    print("known less of: %s" % ", ".join("%s %d" % pair for pair in less.most_common(20)))
    return 1 if wrong else 0


sys.exit(main(sys.argv[1]))
