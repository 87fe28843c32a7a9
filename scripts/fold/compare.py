"""Folds the nets of test/fold/fixtures with the tools that a TensorFlow comes with, and compares the answers.

    node scripts/fold/fold_all.mjs OUT             (what bnfix makes of them)
    python scripts/fold/compare.py OUT             (once with TensorFlow 1.15, once with 2.12, once where tensorflowjs is)
    node scripts/fold/compare.mjs OUT              (the table)

Writes OUT/compare_<version>.json: for each tool and net how far the answer is off, relative to the larger of 1 and its
largest value, and how many ops of a batch norm are left. The tools are given the frozen graph in inference mode.
"""
from __future__ import print_function

import json
import os
import signal
import sys
import types

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
# TOCO is a program beside Python.
os.environ['PATH'] = os.path.dirname(sys.executable) + os.pathsep + os.environ['PATH']

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'verify'))

import numpy as np  # noqa: E402
import verify  # noqa: E402
from verify import VERSION, tf  # noqa: E402

FIXTURES = os.path.join(verify.ROOT, 'test', 'fold', 'fixtures')
NORM = ('FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3', '_FusedBatchNormEx', 'Mul', 'Rsqrt', 'RealDiv', 'Sub')


def read_graph(path):
    graph_def = tf.GraphDef()
    with open(path, 'rb') as f:
        graph_def.ParseFromString(f.read())
    return graph_def


def names(keys):
    return [key.split(':')[0] for key in keys]


def optimize_for_inference(graph_def, golden):
    from tensorflow.python.tools import optimize_for_inference_lib
    types_ = [n.attr['dtype'].type for n in graph_def.node if n.name in names(golden['inputs'])]
    return optimize_for_inference_lib.optimize_for_inference(
        graph_def, names(golden['inputs']), names(golden['outputs']), types_)


def graph_transform_tool(graph_def, golden):
    from tensorflow.tools.graph_transforms import TransformGraph
    return TransformGraph(graph_def, names(golden['inputs']), names(golden['outputs']),
                          ['fold_constants(ignore_errors=true)', 'fold_batch_norms', 'fold_old_batch_norms'])


def stub_imports():
    """What the tfjs converter imports for other models than ours: it need not be installed."""
    for name in ('tensorflow_decision_forests', 'jax', 'jax.experimental', 'jax.experimental.jax2tf'):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules['jax.experimental'].jax2tf = sys.modules['jax.experimental.jax2tf']


def tfjs(graph_def, golden):
    from tensorflow.core.protobuf import meta_graph_pb2
    from tensorflowjs.converters import tf_saved_model_conversion_v2 as conversion
    signature = meta_graph_pb2.SignatureDef()
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name='')
        for kind in ('inputs', 'outputs'):
            for key in golden[kind]:
                getattr(signature, kind)[key].CopyFrom(
                    tf.saved_model.build_tensor_info(graph.get_tensor_by_name(key)))
        return conversion.optimize_graph(graph, signature, skip_op_check=False)


def toco(graph_def, golden):
    """Answers; what is left is counted by the next TensorFlow, whose schema can read the file."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name='')
        tensors = [[graph.get_tensor_by_name(key) for key in golden[kind]] for kind in ('inputs', 'outputs')]
        converter = tf.lite.TFLiteConverter(graph_def, *tensors)
        converter.experimental_new_converter = False
        model = converter.convert()
    interpreter = tf.lite.Interpreter(model_content=model)
    interpreter.allocate_tensors()
    for detail, key in zip(interpreter.get_input_details(), golden['inputs']):
        interpreter.set_tensor(detail['index'], verify.array(golden['inputs'][key]))
    interpreter.invoke()
    answers = [interpreter.get_tensor(detail['index']) for detail in interpreter.get_output_details()]
    return answers, model


def count_lite(model):
    """Ops of a flatbuffer that a batch norm leaves: MUL, SUB, DIV, RSQRT."""
    from tensorflow.lite.python import schema_py_generated as schema
    root = schema.Model.GetRootAsModel(model, 0)
    codes = [max(root.OperatorCodes(i).DeprecatedBuiltinCode(), root.OperatorCodes(i).BuiltinCode())
             for i in range(root.OperatorCodesLength())]
    graph = root.Subgraphs(0)
    left = {schema.BuiltinOperator.MUL, schema.BuiltinOperator.SUB, schema.BuiltinOperator.DIV,
            schema.BuiltinOperator.RSQRT}
    return sum(codes[graph.Operators(i).OpcodeIndex()] in left for i in range(graph.OperatorsLength()))


def of_its_time(graph_def):
    """FusedBatchNorm in place of V3, which computes the same in float32: the tools of 1.x know no other."""
    for node in graph_def.node if VERSION.startswith('1.') else ():
        if node.op in ('FusedBatchNormV2', 'FusedBatchNormV3') and node.attr['T'].type == tf.float32.as_datatype_enum:
            node.op = 'FusedBatchNorm'
            for key in ('U', 'exponential_avg_factor'):
                node.attr.pop(key, None)


def has(module):
    try:
        stub_imports()
        __import__(module)
        return True
    except ImportError:
        return False


def tools():
    if has('tensorflowjs.converters.fold_batch_norms'):
        return {'tfjs converter': tfjs}
    found = {'optimize_for_inference ' + VERSION: optimize_for_inference}
    if has('tensorflow.tools.graph_transforms') and VERSION.startswith('1.'):
        found['Graph Transform Tool ' + VERSION] = graph_transform_tool
        found['TOCO ' + VERSION] = toco
    return found


def answers(graph_def, golden):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name='')
        config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        # What the tool has made of the graph, not what TensorFlow makes of it then.
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        with tf.Session(graph=graph, config=config) as session:
            return session.run(list(golden['outputs']), {k: verify.array(v) for k, v in golden['inputs'].items()})


def off_by(answers, golden):
    worst = 0.0
    for got, key in zip(answers, golden['outputs']):
        worst = max(worst, verify.difference(np.asarray(got), verify.array(golden['outputs'][key])))
    return worst if np.isfinite(worst) else 'not finite'


def left_in(graph_def):
    return sum(node.op in NORM for node in graph_def.node)


def attempt(tool, graph_def, golden, path):
    try:
        made = tool(graph_def, golden)
        if isinstance(made, tuple):
            with open(path, 'wb') as f:
                f.write(made[1])
            return {'off': off_by(made[0], golden)}
        for node in made.node:
            # An op of tfjs, which TensorFlow knows by another name.
            if node.op == 'FusedDepthwiseConv2dNative':
                node.op = '_FusedDepthwiseConv2dNative'
        return {'off': off_by(answers(made, golden), golden), 'left': left_in(made)}
    except Exception as e:  # Tools raise what they like.
        return {'error': '%s: %s' % (type(e).__name__, ' '.join(str(e).split())[:200])}


def apart(tool, graph_def, golden, path):
    """In a process of its own: some tools abort the one that they run in."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        os.write(writer, json.dumps(attempt(tool, graph_def, golden, path)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as f:
        said = f.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else {'error': 'the process was aborted'}


def main():
    out = sys.argv[1]
    if VERSION.startswith('2.'):
        tf.disable_v2_behavior()
    lite = os.path.join(out, 'toco')
    if not os.path.isdir(lite):
        os.makedirs(lite)
    results = {}
    for case in sorted(os.listdir(FIXTURES)):
        if VERSION.startswith('1.') and not case.endswith('_115'):
            continue  # made by a newer one
        golden = verify.read_json(os.path.join(FIXTURES, case, 'golden.json'))
        graph_def = read_graph(os.path.join(FIXTURES, case, 'model.pb'))
        by_bnfix = read_graph(os.path.join(out, 'fold', case + '.pb'))
        tried = dict(tools())
        tried['bnfix'] = lambda *_: by_bnfix
        for name, tool in tried.items():
            copy = tf.GraphDef()
            copy.CopyFrom(graph_def)
            of_its_time(copy)
            results.setdefault(name, {})[case] = apart(tool, copy, golden, os.path.join(lite, case))
    if VERSION.startswith('2.'):
        for case in os.listdir(lite):
            with open(os.path.join(lite, case), 'rb') as f:
                results.setdefault('TOCO', {})[case] = {'left': count_lite(f.read())}
    kind = 'tfjs' if 'tfjs converter' in results else VERSION
    with open(os.path.join(out, 'compare_%s.json' % kind), 'w') as f:
        json.dump(results, f, indent=1, sort_keys=True)
    print('TensorFlow %s: %s' % (VERSION, ', '.join(sorted(results))))


if __name__ == '__main__':
    main()
