"""TensorFlow Lite: the converter for frozen graphs and SavedModels, with built-in ops only, and the interpreter of the package."""
import os

import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

tf.get_logger().setLevel('ERROR')


def short(name):
    """The converter takes names of ops for their first outputs."""
    return name[:-2] if name.endswith(':0') else name


def load(path, feeds, fetches):
    shapes = {short(name): list(value.shape) for name, value in feeds.items()}
    lite = tf.compat.v1.lite.TFLiteConverter
    names = [list(shapes), [short(name) for name in fetches]]
    if os.path.isdir(path):
        converter = lite.from_saved_model(path, input_arrays=names[0], output_arrays=names[1], input_shapes=shapes)
    else:
        converter = lite.from_frozen_graph(path, names[0], names[1], shapes)
    content = converter.convert()
    interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    inputs = interpreter.get_input_details()
    by_name = {short(name): value for name, value in feeds.items()}
    for detail in inputs:
        interpreter.set_tensor(detail['index'], by_name[short(detail['name'])])
    outputs = interpreter.get_output_details()
    # The outputs of a SavedModel are in the order of their names in its signature.
    named = {short(detail['name']): detail for detail in outputs}
    if all(name in named for name in names[1]):
        outputs = [named[name] for name in names[1]]

    def call():
        for detail in inputs:
            interpreter.set_tensor(detail['index'], by_name[short(detail['name'])])
        interpreter.invoke()
        return [interpreter.get_tensor(detail['index']) for detail in outputs]

    model = schema.Model.GetRootAsModel(content, 0)
    ops = sum(model.Subgraphs(i).OperatorsLength() for i in range(model.SubgraphsLength()))
    return call, {'ops': ops, 'bytes': len(content)}
