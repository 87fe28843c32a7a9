"""tf2onnx, then onnxruntime."""
import logging
import os

import onnxruntime
import tensorflow as tf
import tf2onnx

logging.disable(logging.WARNING)
tf.get_logger().setLevel('ERROR')
OPSET = 17


def graph_of(path, feeds, fetches):
    """A frozen graph, or what tf2onnx makes of a SavedModel."""
    if os.path.isdir(path):
        return tf2onnx.tf_loader.from_saved_model(path, list(feeds), fetches, tag=['serve'])[0]
    graph_def = tf.compat.v1.GraphDef()
    with open(path, 'rb') as file:
        graph_def.ParseFromString(file.read())
    return graph_def


def load(path, feeds, fetches):
    graph_def = graph_of(path, feeds, fetches)
    shapes = {name: list(value.shape) for name, value in feeds.items()}
    model, _ = tf2onnx.convert.from_graph_def(graph_def, input_names=list(feeds), output_names=fetches, opset=OPSET, shape_override=shapes)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=['CPUExecutionProvider'])
    known = {node.name for node in session.get_inputs()}
    feed = {name: value for name, value in feeds.items() if name in known}
    return lambda: session.run(fetches, feed), {'ops': len(model.graph.node), 'bytes': len(content)}
