"""Random inputs for a frozen graph, and what TensorFlow computes from them: reference.py GRAPH USAGE.json FOLDER.

USAGE.json is what `bnfix next --json` prints. Writes x.npy (x0.npy, x1.npy, ...) and y0.npy, y1.npy, ...
"""
import json
import sys

import numpy as np
import tensorflow as tf

path, usage_path, folder = sys.argv[1:]
with open(usage_path) as file:
    usage = json.load(file)
graph_def = tf.compat.v1.GraphDef()
with open(path, "rb") as file:
    graph_def.ParseFromString(file.read())

random = np.random.RandomState(0)


def value(info):
    shape = [size if size >= 0 else (1 if i == 0 else 224) for i, size in enumerate(info["shape"])]
    if info["dtype"] == "bool":
        return random.rand(*shape) < 0.5
    if info["dtype"].startswith(("int", "uint")):
        return random.randint(0, 5, shape).astype(info["dtype"])
    return np.asarray(random.randn(*shape), info["dtype"])


feeds = {}
for i, info in enumerate(usage["inputs"]):
    feeds[info["name"]] = value(info)
    name = "x" if len(usage["inputs"]) == 1 else f"x{i}"
    np.save(f"{folder}/{name}.npy", feeds[info["name"]])

with tf.Graph().as_default():
    tf.import_graph_def(graph_def, name="")
    with tf.compat.v1.Session() as session:
        outputs = session.run([info["name"] for info in usage["outputs"]], feeds)
for i, output in enumerate(outputs):
    np.save(f"{folder}/y{i}.npy", output)
