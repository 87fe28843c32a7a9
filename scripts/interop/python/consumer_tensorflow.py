"""TensorFlow 1 and 2: import_graph_def and a session without options, as users run frozen graphs."""
import tensorflow as _tf

tf = _tf.compat.v1
tf.logging.set_verbosity(tf.logging.ERROR)


def load(path, feeds, fetches):
    graph_def = tf.GraphDef()
    with open(path, 'rb') as file:
        graph_def.ParseFromString(file.read())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name='')
    known = {op.name for op in graph.get_operations()}
    feed = {name: value for name, value in feeds.items() if name.split(':')[0] in known}
    session = tf.Session(graph=graph, config=tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1))
    return lambda: session.run(fetches, feed), {'ops': len(graph_def.node)}
