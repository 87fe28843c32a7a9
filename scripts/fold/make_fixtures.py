"""Makes the fixtures of `bnfix fold`: a frozen graph, what it is fed, and what this TensorFlow answers.

    python scripts/fold/make_fixtures.py [NAME ...]      (once with TensorFlow 1.15, once with 2.12)

Writes test/fold/fixtures/<name>_<version>/ with model.pb, golden.json and case.json.
"""
from __future__ import print_function

import base64
import json
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import numpy as np  # noqa: E402

import nets  # noqa: E402
from nets import tf  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(ROOT, 'test', 'fold', 'fixtures')


def tensor(value):
    value = np.asarray(value, order='C')
    return {'dtype': value.dtype.name, 'shape': list(value.shape),
            'data': base64.b64encode(value.tobytes()).decode('ascii')}


def make(name):
    build, _, said = nets.CASES[name]
    nets.random.seed(sum(map(ord, name)))
    with tf.Graph().as_default() as graph:
        net = build()
        outputs = [t.name for t in net['outputs']]
        feeds = dict(net.get('feeds', {}))
        for op in graph.get_operations():
            if op.type == 'Placeholder' and op.outputs[0].name not in feeds:
                shape = op.outputs[0].shape.as_list()
                feeds[op.outputs[0].name] = nets.numbers(*shape).astype(op.outputs[0].dtype.as_numpy_dtype)
        config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        # What the graph says, not what the optimizer makes of it: in 2.12 it fuses a convolution in NHWC with a batch norm
        # in NCHW, and the answer is wrong (layouts_apart).
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        with tf.Session(graph=graph, config=config) as session:
            answers = session.run(outputs, feeds)
        names = [o.split(':')[0] for o in outputs]
        graph_def = tf.graph_util.extract_sub_graph(graph.as_graph_def(), names)
    for node in graph_def.node:
        for key in ('_class', '_output_shapes'):
            node.attr.pop(key, None)
    folder = os.path.join(OUT, '%s_%s' % (name, ''.join(nets.VERSION.split('.')[:2])))
    if not os.path.isdir(folder):
        os.makedirs(folder)
    with open(os.path.join(folder, 'model.pb'), 'wb') as f:
        f.write(graph_def.SerializeToString())
    golden = {'inputs': {k: tensor(v) for k, v in feeds.items()},
              'outputs': {k: tensor(v) for k, v in zip(outputs, answers)}}
    expect = dict(net['expect'])
    case = {'name': os.path.basename(folder), 'tensorflow': nets.VERSION,
            'form': (build.__doc__ or name.replace('_', ' ')).strip().split('\n')[0],
            'model': 'model.pb', 'outputs': outputs, 'expect': 'freeze', 'tolerance': said.get('tolerance', 1e-5),
            'toleranceTfjs': said.get('tfjs'), 'only': expect.pop('only', False), 'folded': expect, 'options': said.get('options', {})}
    write(os.path.join(folder, 'golden.json'), golden)
    write(os.path.join(folder, 'case.json'), case)
    return folder


def write(path, value):
    with open(path, 'w') as f:
        json.dump(value, f, indent=1, sort_keys=True)
        f.write('\n')


def main():
    tf.disable_v2_behavior() if nets.MAJOR == 2 else None
    wanted = sys.argv[1:]
    made = 0
    for name, (_, made_by, _) in nets.CASES.items():
        if nets.MAJOR not in made_by or (wanted and name not in wanted):
            continue
        try:
            make(name)
            made += 1
        except Exception as e:  # TensorFlow raises what it likes.
            print('FAIL', name, type(e).__name__, str(e)[:300])
    print('TensorFlow %s: %d fixtures' % (nets.VERSION, made))


if __name__ == '__main__':
    main()
