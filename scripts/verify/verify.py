"""Runs the frozen graph of every fixture in real TensorFlow and compares it with what TensorFlow answered before.

    node scripts/verify/freeze_all.mjs OUT
    python scripts/verify/verify.py OUT [--tier TIER ...] [--plain] [-v] [CASE ...]

Any TensorFlow from 1.13 (Python 3.7) to 2.15 (Python 3.11) can run it. Exit code 1 when an answer is wrong, a graph is
missing, something of the training is left in it, or a model that has to be refused was not. A graph is skipped, with
the reason, that this TensorFlow cannot run: it uses newer ops, or a layout that has no kernel on a CPU.
"""
from __future__ import print_function

import argparse
import base64
import fnmatch
import json
import os
import re
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
# Its kernels know NCHW on a CPU; TensorFlow's own do not.
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import numpy as np  # noqa: E402
import tensorflow  # noqa: E402

VERSION = tensorflow.__version__
tf = tensorflow.compat.v1 if VERSION.startswith('2.') else tensorflow
tf.logging.set_verbosity(tf.logging.ERROR)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(ROOT, 'test', 'fixtures')
# Largest difference, relative to the larger of 1 and the largest value of the golden output.
TOLERANCES = {'fused': 1e-5, 'general': 2e-4}
# What TensorFlow says of a graph that is newer than itself.
TOO_NEW = ('Op type not registered', 'NodeDef mentions attr', 'No OpKernel was registered',
           'not in the list of allowed values')
# What must not be left in a frozen graph. A Switch or a Merge may be, in a loop.
LEFT = re.compile(r'(Variable|VarHandleOp|ReadVariableOp|Assign|RefSwitch|RefMerge|(Stateless)?If$|Save|Restore|'
                  r'(Stateless)?(Random|TruncatedNormal))')
# Whether graphs run in a session without any option, as users run them.
PLAIN = False
BRANCHES = {'Switch', 'Merge'}
FUSED = {'FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'}


class Skip(Exception):
    pass


class Wrong(Exception):
    pass


def array(t):
    if t['dtype'] == 'string':
        return np.array([base64.b64decode(v) for v in t['data']], object).reshape(t['shape'])
    return np.frombuffer(base64.b64decode(t['data']), t['dtype']).reshape(t['shape'])


def version_of(words):
    return tuple(int(w) for w in words.split('.')[:2])


def channels_first(graph_def):
    """Ops laid out NCHW: without oneDNN they have no kernel on a CPU, but for BiasAdd."""
    for node in graph_def.node:
        layout = node.attr['data_format'].s if 'data_format' in node.attr else b''
        if layout in (b'NCHW', b'NCDHW') and node.op != 'BiasAdd':
            yield node.op


def leftovers(graph_def, keeps):
    """What is left of the training, a line each. `keeps`: how the names of norms and random ops begin that stay as they are."""
    bodies = [('', graph_def.node)] + [(f.signature.name + '/', f.node_def) for f in graph_def.library.function]
    # Loops have branches, and so has an initialiser that runs while its table is empty.
    loops = any(node.op in ('Enter', 'RefEnter') or node.op.startswith('LookupTableSize') for node in graph_def.node)
    for scope, nodes in bodies:
        for node in nodes:
            name = scope + node.name
            kept = name.startswith(tuple(keeps))
            if (LEFT.match(node.op) and not kept) or (node.op in BRANCHES and not loops):
                yield '%s (%s)' % (name, node.op)
            training = node.op in FUSED and ('is_training' not in node.attr or node.attr['is_training'].b)
            if training and not kept:
                yield '%s (%s in training mode)' % (name, node.op)
            if '_output_shapes' in node.attr:
                yield '%s (stale _output_shapes)' % name


def answers(graph_def, golden):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name='')
        there = {op.name for op in graph.get_operations()}
        feed = {k: array(v) for k, v in golden['inputs'].items() if k.split(':')[0] in there}
        config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        # oneDNN fuses a batch norm with activations that it then cannot compute (2.12: Tanh).
        config.graph_options.rewrite_options.remapping = 2  # RewriterConfig.OFF
        with tf.Session(graph=graph, config=None if PLAIN else config) as session:
            session.run(list(golden['outputs']), feed)
            # What is initialised in the first run must not fail in the second.
            return session.run(list(golden['outputs']), feed)


def difference(got, want):
    if got.shape != want.shape:
        raise Wrong('shape %s, golden %s' % (list(got.shape), list(want.shape)))
    if want.dtype == object:
        return 0.0 if (got == want).all() else float('inf')
    got, want = got.astype(np.float64), want.astype(np.float64)
    if want.size == 0:
        return 0.0
    return float(np.max(np.abs(got - want)) / max(1.0, np.max(np.abs(want))))


def verify_frozen(case, folder, path):
    if not os.path.exists(path):
        said = path[:-len('.pb')] + '.error.json'
        raise Wrong('refused: ' + read_json(said)['message'] if os.path.exists(said) else 'no frozen graph')
    golden = read_json(os.path.join(folder, 'golden.json'))
    graph_def = tf.GraphDef()
    with open(path, 'rb') as f:
        graph_def.ParseFromString(f.read())
    left = list(leftovers(graph_def, case.get('keeps', ())))
    if left:
        raise Wrong('left in the graph: ' + ', '.join(left[:4]))
    first = sorted(set(channels_first(graph_def)))
    try:
        got = answers(graph_def, golden)
    except Exception as e:  # TensorFlow raises what it likes.
        text = '%s: %s' % (type(e).__name__, re.split(r' not in Op<| in binary', ' '.join(str(e).split()))[0][:160])
        if first:
            raise Skip('%s in NCHW has no kernel on a CPU' % ', '.join(first))
        if version_of(case['tensorflow']) > version_of(VERSION) and any(words in str(e) for words in TOO_NEW):
            raise Skip('made by TensorFlow %s: %s' % (case['tensorflow'], text))
        raise Wrong(text)
    limit = case.get('tolerance', TOLERANCES[case.get('tier', 'fused')])
    worst = 0.0
    for (name, want), value in zip(golden['outputs'].items(), got):
        d = difference(value, array(want))
        if not d <= limit:
            raise Wrong('%s is off by %.3g (%.0e allowed)' % (name, d, limit))
        worst = max(worst, d)
    return 'off by at most %.1e' % worst


def verify_refused(case, path):
    if os.path.exists(path):
        raise Wrong('has to be refused, was frozen')
    said = read_json(path[:-len('.pb')] + '.error.json')
    if said['exitCode'] != case['expect']['refuse']:
        raise Wrong('exit code %d, expected %d: %s' % (said['exitCode'], case['expect']['refuse'], said['message']))
    return 'refused: ' + said['message']


def read_json(path):
    with open(path) as f:
        return json.load(f)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('out', help='what freeze_all.mjs has written')
    parser.add_argument('cases', nargs='*', help='names or globs')
    parser.add_argument('--tier', choices=sorted(TOLERANCES), action='append', help='only cases of this tier')
    parser.add_argument('--plain', action='store_true', help='run in a session without any option')
    parser.add_argument('-v', '--verbose', action='store_true', help='a line for what passes, too')
    args = parser.parse_args()
    global PLAIN
    PLAIN = args.plain
    if VERSION.startswith('2.'):
        tf.disable_v2_behavior()
    counts = {'pass': 0, 'skip': 0, 'FAIL': 0}
    for name in sorted(os.listdir(FIXTURES)):
        folder = os.path.join(FIXTURES, name)
        if not os.path.exists(os.path.join(folder, 'case.json')):
            continue
        if args.cases and not any(fnmatch.fnmatch(name, glob) for glob in args.cases):
            continue
        case = read_json(os.path.join(folder, 'case.json'))
        if args.tier and case.get('tier') not in args.tier:
            continue
        path = os.path.join(args.out, name + '.pb')
        try:
            refuse = isinstance(case['expect'], dict)
            verdict, text = 'pass', verify_refused(case, path) if refuse else verify_frozen(case, folder, path)
        except Skip as e:
            verdict, text = 'skip', str(e)
        except Wrong as e:
            verdict, text = 'FAIL', str(e)
        counts[verdict] += 1
        if verdict != 'pass' or args.verbose:
            print('%s  %-36s %s' % (verdict, name, text))
            sys.stdout.flush()
    print('TensorFlow %s: %d passed, %d failed, %d skipped' % (VERSION, counts['pass'], counts['FAIL'], counts['skip']))
    if counts['pass'] + counts['FAIL'] == 0:
        print('nothing was compared')
        return 1
    return 1 if counts['FAIL'] else 0


if __name__ == '__main__':
    sys.exit(main())
