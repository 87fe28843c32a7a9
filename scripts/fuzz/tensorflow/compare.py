"""Runs the mutants that make.mjs kept in TensorFlow, and compares them with what bnfix made of them.

    python scripts/fuzz/tensorflow/compare.py OUT [NUMBER ...]

The graph of a mutant is imported as it is, with inference semantics: batch norms read the moving statistics, and flags have
the values that they have in the fixture (both as bnfix determined for the fixture itself, whose output is known). A fixture
for which that does not give its golden output is left out. Verdicts: right, DIFFERENT, refused by TensorFlow (it cannot import
the mutant, or run it), random (two runs differ), no inputs (an input's shape is not known).
"""
from __future__ import print_function

import base64
import collections
import json
import os
import subprocess
import sys
import threading

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
FIXTURES = os.path.join(ROOT, 'test', 'fixtures')
# Seconds for one mutant; loops may never end.
LIMIT = 30
FUSED = ('FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3')
VARIABLES = ('Variable', 'VariableV2', 'VarHandleOp')


class Refused(Exception):
    pass


class Skip(Exception):
    pass


def load_json(*path):
    with open(os.path.join(*path)) as f:
        return json.load(f)


def array(np, t):
    if t['dtype'] == 'string':
        return np.array([base64.b64decode(v) for v in t['data']], object).reshape(t['shape'])
    return np.frombuffer(base64.b64decode(t['data']), t['dtype']).reshape(t['shape'])


class Comparison(object):
    """Runs in a process of its own: TensorFlow ends the process for some graphs."""

    def __init__(self):
        import numpy as np
        import tensorflow
        self.np = np
        self.tf = tensorflow.compat.v1 if tensorflow.__version__.startswith('2.') else tensorflow
        self.tf.logging.set_verbosity(self.tf.logging.ERROR)
        if tensorflow.__version__.startswith('2.'):
            self.tf.disable_v2_behavior()
        self.usable = {}

    def graph_of(self, path):
        """GraphDef and SaverDef of a file."""
        tf = self.tf
        with open(path, 'rb') as f:
            data = f.read()
        if path.endswith('.meta'):
            meta = tf.MetaGraphDef()
            meta.ParseFromString(data)
            return meta.graph_def, meta.saver_def
        graph = tf.GraphDef()
        graph.ParseFromString(data)
        return graph, None

    def values_of(self, case):
        golden = load_json(FIXTURES, case, 'golden.json')
        return ({k: array(self.np, v) for k, v in golden['inputs'].items()},
                {k: array(self.np, v) for k, v in golden['outputs'].items()})

    def session(self, graph):
        tf = self.tf
        config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1,
                                operation_timeout_in_ms=10000)
        rewrite = config.graph_options.rewrite_options
        rewrite.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = -1
        return tf.Session(graph=graph, config=config)

    def run(self, graph_def, saver, prefix, outputs, feeds, sites=()):
        """The outputs, twice."""
        tf = self.tf
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name='')
            with self.session(graph) as session:
                if saver is not None and saver.restore_op_name:
                    session.run(saver.restore_op_name, {saver.filename_tensor_name: prefix})
                feed = {}
                for name, value in feeds.items():
                    try:
                        tensor = graph.get_tensor_by_name(name)
                    except (KeyError, ValueError):
                        continue
                    feed[tensor] = value
                return [session.run(outputs, feed) for _ in range(2)]

    def inference(self, graph_def, sites):
        """Makes batch norms and averaged batch statistics read their moving statistics, in place.

        sites: (node name, input index) or the name of a tensor -> the variable to read.
        """
        types = {node.name: node for node in graph_def.node}
        reads = {}
        for variable in set(sites.values()):
            node = types.get(variable)
            if node is None or node.op not in VARIABLES:
                continue
            read = graph_def.node.add(name='fuzz/' + variable, op='ReadVariableOp' if node.op == 'VarHandleOp' else 'Identity', input=[variable])
            read.attr['dtype' if node.op == 'VarHandleOp' else 'T'].type = node.attr['dtype'].type
            reads[variable] = read.name
        for node in graph_def.node:
            if node.op in FUSED:
                node.attr['is_training'].b = False
            for i, name in enumerate(node.input):
                for key in ((node.name, i), name[:-2] if name.endswith(':0') else name):
                    if reads.get(sites.get(key)):
                        node.input[i] = reads[sites[key]]

    def feeds_of(self, result, inputs, flags):
        """Values of the placeholders of our result: those of the golden run, else drawn by their shape."""
        np, tf = self.np, self.tf
        feeds = {}
        rng = np.random.RandomState(7)
        for node in result.node:
            if node.op != 'Placeholder':
                continue
            name = node.name + ':0'
            if name in inputs:
                feeds[name] = inputs[name]
                continue
            try:
                dtype = tf.as_dtype(node.attr['dtype'].type)
            except TypeError:
                raise Skip('no inputs')
            shape = node.attr['shape'].shape
            if shape.unknown_rank or dtype == tf.string or any(d.size > 64 for d in shape.dim):
                raise Skip('no inputs')
            sizes = [d.size if d.size >= 0 else 2 for d in shape.dim]
            feeds[name] = (rng.uniform(size=sizes) * (1 if dtype.is_floating else 3)).astype(dtype.as_numpy_dtype)
        feeds.update(flags)
        return feeds

    def sites_of(self, case):
        """What has to be rewritten in the training graph of a fixture: checked with its golden output."""
        if case not in self.usable:
            self.usable[case] = self.find_sites(case)
        if self.usable[case] is None:
            raise Skip('fixture without a known inference graph')
        return self.usable[case]

    def find_sites(self, case):
        folder = os.path.join(FIXTURES, case)
        one = load_json(folder, 'case.json')
        if not one['model'].endswith('.meta') or one.get('options') or not isinstance(one['expect'], str):
            return None
        prefix = os.path.join(folder, one['model'][:-len('.meta')])
        made = subprocess.run(['node', os.path.join(ROOT, 'dist', 'cli', 'main.js'), 'freeze', os.path.join(folder, one['model']),
                               '--dry-run', '--json', '--outputs', ','.join(one['outputs'])],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if made.returncode:
            return None
        report = json.loads(made.stdout.decode('utf8'))
        try:
            graph_def, saver = self.graph_of(os.path.join(folder, one['model']))
            types = {node.name: node.op for node in graph_def.node}
            sites = {}
            for norm in report['batchNorms']:
                if types.get(norm['name']) in FUSED:
                    sites[norm['name'], 3], sites[norm['name'], 4] = norm['mean'], norm['variance']
            for outcome in report['outcomes']:
                if outcome['kind'] == 'statistic':
                    node, port = outcome['tensor']['node'], outcome['tensor']['port']
                    sites[node if port == 0 else '%s:%d' % (node, port)] = outcome['by']
            flags = {flag['name'] + ':0': flag['value'] for flag in report['flags'] if types.get(flag['name'], '').startswith('Placeholder')}
            inputs, golden = self.values_of(case)
            self.inference(graph_def, sites)
            feeds = dict(inputs)
            feeds.update(flags)
            got, _ = self.run(graph_def, saver, prefix, list(golden), feeds)
            if all(self.difference(a, b) <= 1e-4 for a, b in zip(got, golden.values())):
                return sites, flags, inputs
        except Exception as e:
            if os.environ.get('FUZZ_RAISE'):
                raise
        return None

    def difference(self, got, want):
        np = self.np
        got, want = np.asarray(got), np.asarray(want)
        if got.shape != want.shape or got.dtype != want.dtype:
            return float('inf')
        if got.dtype == object:
            return 0.0 if (got == want).all() else float('inf')
        got, want = got.astype(np.float64), want.astype(np.float64)
        if got.size == 0:
            return 0.0
        if not ((np.isnan(got) == np.isnan(want)).all() and (np.isinf(got) == np.isinf(want)).all()):
            return float('inf')
        finite = np.isfinite(want)
        if not finite.any():
            return 0.0
        return float(np.max(np.abs(got - want)[finite]) / max(1.0, np.max(np.abs(want[finite]))))

    def compare(self, folder):
        what = load_json(folder, 'what.json')
        result = self.tf.GraphDef()
        with open(os.path.join(folder, 'result.pb'), 'rb') as f:
            result.ParseFromString(f.read())
        case = what['name'][:-len('.pb')] if what['frozen'] else what['name']
        sites, flags = {}, {}
        if what['frozen']:
            inputs, _ = self.values_of(case)
        else:
            if not what['model'].endswith('.meta'):
                raise Skip('fixture without a known inference graph')
            sites, flags, inputs = self.sites_of(case)
        feeds = self.feeds_of(result, inputs, flags)
        outputs = what['outputs']
        path = os.path.join(folder, 'model', what['model'])
        try:
            graph_def, saver = self.graph_of(path)
            self.inference(graph_def, sites)
            first, second = self.run(graph_def, saver, os.path.join(folder, 'model', what['model'][:-5]), outputs, feeds)
        except Exception as e:
            return 'refused by TensorFlow', ' '.join(str(e).split())[:200]
        if any(self.difference(a, b) > 1e-6 for a, b in zip(first, second)):
            return 'random', ''
        try:
            ours, again = self.run(result, None, None, outputs, feeds)
        except Exception as e:
            return 'DIFFERENT', 'our result does not run: ' + ' '.join(str(e).split())[:300]
        one = load_json(FIXTURES, case, 'case.json')
        limit = max(2e-4 if what['command'] == 'fold' else 2e-5, one.get('tolerance', 0))
        worst = max(self.difference(a, b) for a, b in zip(ours, first))
        if worst <= limit:
            return 'right', ''
        return 'DIFFERENT', 'off by %.3g' % worst


def child():
    comparison = Comparison()
    print('ready')
    sys.stdout.flush()
    for line in sys.stdin:
        try:
            verdict, why = comparison.compare(line.strip())
        except Skip as e:
            verdict, why = str(e), ''
        except Exception as e:
            verdict, why = 'fault of this script', '%s: %s' % (type(e).__name__, ' '.join(str(e).split())[:200])
        print(json.dumps([verdict, why]))
        sys.stdout.flush()


class Runner(object):
    def __init__(self):
        self.process = None

    def run(self, folder):
        if self.process is None:
            self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), '--child'], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
            self.process.stdout.readline()
        timer = threading.Timer(LIMIT, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(folder + '\n')
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except IOError:
            line = ''
        timer.cancel()
        if line:
            return json.loads(line)
        self.process.kill()
        self.process.wait()
        self.process = None
        return 'refused by TensorFlow', 'its process ended, or took longer than %d s' % LIMIT


def main():
    out, wanted = sys.argv[1], sys.argv[2:]
    folders = sorted((name for name in os.listdir(out) if name.isdigit() and (not wanted or name in wanted)), key=int)
    counts = {True: collections.Counter(), False: collections.Counter()}
    runner = Runner()
    for name in folders:
        folder = os.path.join(out, name)
        what = load_json(folder, 'what.json')
        verdict, why = runner.run(folder)
        counts[what['frozen']][verdict] += 1
        if verdict == 'DIFFERENT' or verdict.startswith('fault') or wanted:
            print(name, what['name'], what['command'], verdict, why, '|', ' + '.join(what['changes']))
            sys.stdout.flush()
    for frozen, verdicts in counts.items():
        print('mutants of frozen graphs:' if frozen else 'mutants of training graphs:', dict(verdicts))
    return 1 if any('DIFFERENT' in verdicts for verdicts in counts.values()) else 0


if __name__ == '__main__':
    sys.exit(child() if sys.argv[1:] == ['--child'] else main())
