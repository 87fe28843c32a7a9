"""Writes test/proof/goldens/NAME.json: what `bnfix verify` has to say of fixtures, computed by TensorFlow and numpy.

    node scripts/verify/proofs.mjs OUT $(PYTHON scripts/verify/proofs.py --names)
    PYTHON scripts/verify/proofs.py OUT

Run it with TensorFlow 1.15 and 2.12: each writes its own fixtures. Nothing here is computed by bnfix, except that frozen and folded graphs
are run as it writes them, after a comparison of the frozen one with the golden output of the fixture. Of each fixture:

- `alone`: by how much the first example of the batch changes in the saved graph when it is alone, at each output; with the flag of a
  fixture set to true, `alone_in_training`;
- `sites`: of each batch norm, mean and variance of its input in the saved graph, in float64; the first element of its input at
  inference (by feeding the outputs of the batch norms before it), of its output in the saved graph, and of
  (x - mean) / sqrt(variance + epsilon) * gamma + beta in float64, with the values of the checkpoint;
- `changes`: by how much outputs change when a constant of the frozen graph is changed at one element, and in the saved graph the
  variable of that name, while each batch norm keeps the statistics of its batch;
- `folding`: the difference of the folded graph from the frozen one, and that of a folded graph with one number changed.
"""
import base64
import json
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import numpy as np  # noqa: E402
import tensorflow  # noqa: E402

VERSION = tensorflow.__version__
tf = tensorflow.compat.v1 if VERSION.startswith('2.') else tensorflow
tf.logging.set_verbosity(tf.logging.ERROR)
if VERSION.startswith('2.'):
    tf.disable_v2_behavior()

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(ROOT, 'test', 'fixtures')
GOLDENS = os.path.join(ROOT, 'test', 'proof', 'goldens')


def site(x, y, scope, name=None, gamma='gamma', beta='beta', mean='moving_mean', variance='moving_variance', epsilon=0.001):
    """A batch norm; `gamma` is None where it has none."""
    def of(part):
        return None if part is None else scope + '/' + part
    return {'name': name or y, 'x': x + ':0', 'y': y + ':0', 'gamma': of(gamma), 'beta': of(beta), 'mean': of(mean),
            'variance': of(variance), 'epsilon': epsilon}


def unfused(x, scope, inner='batchnorm', **rest):
    return site(x, scope + '/' + inner + '/add_1', scope, name=scope + '/' + inner + '/Rsqrt', **rest)


def case(version, sites=(), change=None, flag=None, make=None, random=False):
    """`change`: a variable that is changed, and the constant of the frozen graph with its name; `make`: makes the inputs; `random`: training draws
    random numbers, which verify removes from the saved graph."""
    return {'version': version, 'sites': sites, 'change': change, 'flag': flag, 'make': make, 'random': random}


# The numbers of the batch norm that began this project: an input, its parameters, and what it output before and after the repair.
MISSION = {'x': -0.03182551, 'beta': 0.04061257, 'epsilon': 0.001, 'before': -0.0845, 'after': -0.920738077}


def mission_batch():
    """
    A batch whose statistics make the first number that of the mission. Channel 0 of the batch norm is channel 0 of the input, and has no
    gamma: (x - mean) / sqrt(variance + epsilon) + beta = before. With a variance of 5e-4 the mean follows; of the other elements, a scale
    and a shift are solved for.
    """
    rng = np.random.RandomState(15)
    batch = rng.normal(scale=0.05, size=(2, 4, 4, 3))
    variance = 5e-4
    mean = MISSION['x'] - (MISSION['before'] - MISSION['beta']) * np.sqrt(variance + MISSION['epsilon'])
    z = batch[..., 0].ravel()[1:]
    n, z = z.size + 1, (z - z.mean()) / z.std()
    shift = (n * mean - MISSION['x']) / (n - 1)
    squares = n * (variance + mean ** 2) - MISSION['x'] ** 2
    scale = np.sqrt(squares / (n - 1) - shift ** 2)
    batch[..., 0] = np.concatenate([[MISSION['x']], shift + scale * z]).reshape(batch.shape[:-1])
    return {'input/image_input:0': batch.astype(np.float32)}


# TensorFlow raises an epsilon of 1e-5 to 1.001e-5, the smallest that cuDNN takes.
CASES = {
    'mission_numbers': case('1.15', [
        site('conv1/separable_conv2d', 'conv1/BatchNorm/FusedBatchNorm', 'conv1/BatchNorm', gamma=None),
    ], 'conv1/BatchNorm/beta', make=mission_batch),
    'slim_fused_115': case('1.15', [
        site('resnet_v1/block1/conv%d/Conv2D' % i, 'resnet_v1/block1/conv%d/BatchNorm/FusedBatchNormV3' % i,
             'resnet_v1/block1/conv%d/BatchNorm' % i, epsilon=1.001e-5) for i in (1, 2)
    ], 'resnet_v1/block1/conv1/BatchNorm/gamma'),
    'slim_unfused_115': case('1.15', [
        unfused(scope + '/Conv2D', scope + '/BatchNorm', 'batchnorm_1', **rest)
        for scope, rest in (
            ('a', {'gamma': None}), ('b', {'epsilon': 0.01}), ('c', {'gamma': None, 'beta': None}), ('d', {'beta': None}))
    ], 'b/weights'),
    'renorm_115': case('1.15', [unfused('rc/BiasAdd', 'rbn')], 'rc/kernel'),
    'quantize_115': case('1.15', change='conv/weights'),
    'phase_train_115': case('1.15', change='conv1/weights', flag='phase_train:0'),
    'cond_layers_115': case('1.15', change='bn/beta', flag='is_training:0'),
    'rnn_115': case('1.15', [
        unfused('sequence', 'bn_in'),
        unfused('rnn/while/Exit_3', 'BatchNorm', 'batchnorm_1'),
    ], 'rnn/gru_cell/gates/kernel'),
    'while_fused_115': case('1.15', change='step/bn/gamma'),
    'saved_model_v1_115': case('1.15', [
        site('conv1/Conv2D', 'conv1/BatchNorm/FusedBatchNormV3', 'conv1/BatchNorm'),
        unfused('conv2/Conv2D', 'conv2/BatchNorm', 'batchnorm_1', gamma=None),
    ], 'conv1/BatchNorm/beta'),
    'global_normalization_op_115': case('1.15', [
        site('inception_in', 'bngn/BatchNormWithGlobalNormalization', 'bngn', mean='pop_mean', variance='pop_var'),
        site('bngn/BatchNormWithGlobalNormalization', 'bngn2/BatchNormWithGlobalNormalization', 'bngn2', gamma=None, mean='pop_mean',
             variance='pop_var'),
    ], 'bngn/beta'),
    'rank5_115': case('1.15', [unfused('down/conv/BiasAdd', 'down/bn')], 'down/conv/kernel'),
    'layers_unfused_212': case('2.12', [
        unfused('conv2d_3/BiasAdd', 'batch_normalization_3'),
        unfused('h/BiasAdd', 'h_bn'),
        unfused('q/BiasAdd', 'q_bn', gamma=None, beta=None),
    ], 'q/kernel'),
    'renorm_212': case('2.12', [unfused('rc/BiasAdd', 'rbn')], 'rc/kernel'),
    'keras_unfused_212': case('2.12', [
        unfused('res2a_branch2a/BiasAdd', 'bn2a_branch2a'),
        unfused('fc/BiasAdd', 'fc_bn', beta=None),
    ], 'res2a_branch2a/kernel'),
    'while_unfused_212': case('2.12', change='step/bn/gamma'),
    'saved_model_by_hand': case('2.12', change='w'),
    'saved_model_flag_input': case('2.12', change='beta', flag='serving_default_training:0'),
    'saved_model_keras_true_212': case('2.12', change='conv/kernel', random=True),
}


def array(t):
    return np.frombuffer(base64.b64decode(t['data']), t['dtype']).reshape(t['shape'])


def tensor(a):
    return {'dtype': str(a.dtype), 'shape': list(a.shape), 'data': base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()}


def read_json(*path):
    with open(os.path.join(*path)) as f:
        return json.load(f)


def largest(a, b):
    return float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64))))


class Saved(object):
    """The model as it was saved, in a session."""

    def __init__(self, name, info):
        path = os.path.join(FIXTURES, name, info['model'])
        self.graph = tf.Graph()
        config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        self.session = tf.Session(graph=self.graph, config=config)
        with self.graph.as_default():
            if os.path.isdir(path):
                tf.saved_model.load(self.session, ['serve'], path)
            else:
                saver = tf.train.import_meta_graph(path, clear_devices=True)
                saver.restore(self.session, path[:-len('.meta')])

    def run(self, fetches, feeds):
        feeds = {key: value for key, value in feeds.items() if key.split(':')[0] in self.names()}
        return self.session.run(fetches, feeds)

    def names(self):
        return {op.name for op in self.graph.get_operations()}

    def variable(self, name):
        with self.graph.as_default():
            found = [v for v in tf.global_variables() if v.op.name == name]
        assert len(found) == 1, name
        return found[0]

    def value(self, name):
        return self.variable(name).eval(session=self.session)


def changed(values):
    """One element changes, so that one channel does."""
    values = np.array(values)
    values.flat[0] = values.flat[0] * 1.5 + 0.25
    return values


def frozen_runner(path):
    """A function of (fetches, feeds, constant to change) to values."""
    with open(path, 'rb') as f:
        data = f.read()

    def run(fetches, feeds, change=None):
        graph_def = tf.GraphDef.FromString(data)
        for node in graph_def.node:
            if node.name == change:
                value = changed(tf.make_ndarray(node.attr['value'].tensor))
                node.attr['value'].tensor.CopyFrom(tf.make_tensor_proto(value))
        config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name='')
            names = {op.name for op in graph.get_operations()}
            with tf.Session(graph=graph, config=config) as session:
                return session.run(fetches, {k: v for k, v in feeds.items() if k.split(':')[0] in names})

    run.nodes = list(tf.GraphDef.FromString(data).node)
    return run


def first_vector(nodes, change):
    """A constant of a folded graph to change: the first bias."""
    for node in nodes:
        if node.op == 'Const' and node.attr['dtype'].type == 1 and node.name != change:
            if len(node.attr['value'].tensor.tensor_shape.dim) == 1 and 'bias' in node.name.split('/')[-1]:
                return node.name
    return None


def computed(saved, one, x, mean, variance):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta in float64."""
    gamma, beta = [other if one[key] is None else saved.value(one[key]).astype(np.float64) for key, other in (('gamma', 1.0), ('beta', 0.0))]
    # The graph has its epsilon in float32.
    root = np.sqrt(np.float64(variance) + np.float64(np.float32(one['epsilon'])))
    return (x.astype(np.float64) - np.float64(mean)) / root * gamma + beta


def with_batch_statistics(saved, sites, feeds, outputs, described):
    """The outputs with given batch statistics at each batch norm."""
    feeds = dict(feeds)
    for one, known in zip(sites, described):
        x = saved.run(one['x'], feeds)
        feeds[one['y']] = computed(saved, one, x, known['batch']['mean'], known['batch']['variance']).astype(x.dtype)
    return saved.run(outputs, feeds)


def described(saved, sites, feeds):
    """The batch norms, in order."""
    result = []
    inference = dict(feeds)
    for one in sites:
        x, y = saved.run([one['x'], one['y']], feeds)
        axes = tuple(range(x.ndim - 1))
        wide = x.astype(np.float64)
        at_inference = saved.run(one['x'], inference).astype(np.float64)
        formula = computed(saved, one, at_inference, saved.value(one['mean']), saved.value(one['variance']))
        inference[one['y']] = formula.astype(y.dtype)
        result.append({
            'name': one['name'],
            'batch': {'mean': wide.mean(axes).tolist(), 'variance': wide.var(axes).tolist()},
            'x': float(at_inference.flat[0]),
            'before': float(y.flat[0]),
            'formula': float(formula.flat[0]),
            'largest': float(np.max(np.abs(formula))),
        })
    return result, inference


def goldens(name, one, out):
    info = read_json(FIXTURES, name, 'case.json')
    golden = read_json(FIXTURES, name, 'golden.json')
    inputs = one['make']() if one['make'] else {k: array(v) for k, v in golden['inputs'].items()}
    outputs = info['outputs']
    saved = Saved(name, info)
    frozen, folded = [frozen_runner(os.path.join(out, name + end)) for end in ('.pb', '.folded.pb')]
    result = {'tensorflow': VERSION, 'outputs': outputs}
    if one['make']:
        result['inputs'] = {key: tensor(value) for key, value in inputs.items()}
    first = {key: value[:1] for key, value in inputs.items()}

    def alone(flag):
        feeds = {} if one['flag'] is None else {one['flag']: flag}
        within, by_itself = [saved.run(outputs, dict(each, **feeds)) for each in (inputs, first)]
        return [largest(a[:1], b) for a, b in zip(within, by_itself)]

    result['alone'] = None if one['random'] else alone(False)
    if one['flag'] is not None:
        result['alone_in_training'] = alone(True)
    flags = {} if one['flag'] is None else {one['flag']: False}
    feeds = dict(inputs, **flags)
    before = saved.run(outputs, feeds)
    result['sites'], inference = described(saved, one['sites'], feeds)
    after = frozen(outputs, inputs)
    if not one['make']:
        wanted = [array(golden['outputs'][key]) for key in outputs]
        assert max(largest(a, b) for a, b in zip(after, wanted)) < 1e-4, name
    if one['sites']:
        # The formula at all batch norms is the repaired net.
        assert max(largest(a, b) for a, b in zip(saved.run(outputs, inference), after)) < 1e-5, name
    with_change = frozen(outputs, inputs, one['change'])
    result['changes'] = {'node': one['change'], 'statistics': [largest(a, b) for a, b in zip(with_change, after)]}
    # Batch renormalisation corrects what it normalises with batch statistics.
    if one['sites'] and not name.startswith('renorm'):
        same = with_batch_statistics(saved, one['sites'], feeds, outputs, result['sites'])
        assert max(largest(a, b) for a, b in zip(same, before)) < 1e-4, name
        saved.variable(one['change']).load(changed(saved.value(one['change'])), saved.session)
        wrong = with_batch_statistics(saved, one['sites'], feeds, outputs, result['sites'])
        result['changes']['substitution'] = [largest(a, b) for a, b in zip(wrong, before)]
    as_folded = folded(outputs, inputs)
    result['folding'] = {'difference': [largest(a, b) for a, b in zip(as_folded, after)]}
    node = first_vector(folded.nodes, None)
    if node is not None:
        wrong = folded(outputs, inputs, node)
        result['folding'].update(node=node, changed=[largest(a, b) for a, b in zip(wrong, after)])
    return result


def main():
    mine = sorted(name for name, one in CASES.items() if VERSION.startswith(one['version']))
    if sys.argv[1] == '--names':
        print(' '.join(mine))
        return
    os.makedirs(GOLDENS, exist_ok=True)
    for name in mine:
        result = goldens(name, CASES[name], sys.argv[1])
        with open(os.path.join(GOLDENS, name + '.json'), 'w') as f:
            json.dump(result, f, indent=1, sort_keys=True)
            f.write('\n')
        print(name, 'alone', result['alone'], result.get('alone_in_training', ''), result['changes'], result['folding'])
        for each in result['sites']:
            print('   ', each['name'], each['x'], each['before'], each['formula'])
        sys.stdout.flush()


if __name__ == '__main__':
    main()
