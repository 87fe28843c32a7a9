"""TensorFlow 1 and 2: import_graph_def and a session without options, as users run frozen graphs; SavedModels; .meta files."""
import os

import tensorflow as _tf

tf = _tf.compat.v1
tf.logging.set_verbosity(tf.logging.ERROR)


def load(path, feeds, fetches):
    graph = tf.Graph()
    session = tf.Session(graph=graph, config=tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1))
    with graph.as_default():
        bring(path, session)
    known = {op.name for op in graph.get_operations()}
    feed = {name: value for name, value in feeds.items() if name.split(':')[0] in known}
    return lambda: session.run(fetches, feed), {'ops': len(known)}


def bring(path, session):
    """A model into the graph of a session, with the values of its variables."""
    if os.path.isdir(path):
        tf.saved_model.loader.load(session, ['serve'], path)
    elif path.endswith('.meta'):
        saver = tf.train.import_meta_graph(path)
        if saver:
            saver.restore(session, path[:-len('.meta')])
    else:
        graph_def = tf.GraphDef()
        with open(path, 'rb') as file:
            graph_def.ParseFromString(file.read())
        tf.import_graph_def(graph_def, name='')
