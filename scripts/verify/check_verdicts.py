"""Compares the verdicts of `bnfix check` with what TensorFlow outputs when it runs the fixtures as they were saved.

    bnfix check test/fixtures --json > verdicts.json
    python scripts/verify/check_verdicts.py verdicts.json [-v]

A graph whose batch norms use batch statistics gives other numbers for an example when the rest of its batch is left out, one with
an active dropout gives other numbers when it runs again, and one with a flag to feed cannot run without it. Each model that this
version of TensorFlow can load is run on the golden input of its case: twice, and on the first half of the batch. What a verdict
says has to be seen, and what is seen has to be in the verdict.
"""
from __future__ import print_function

import collections
import json
import os
import sys

import numpy as np
from verify import FIXTURES, VERSION, array, read_json, tf, version_of

TOLERANCE = 1e-4


def tf1():
    return tf.compat.v1 if VERSION.startswith('2.') else tf


def load(session, folder, case, kind):
    path = os.path.join(folder, case['model'])
    if kind == 'saved_model':
        tf1().saved_model.loader.load(session, ['serve'], path)
    elif kind == 'meta_graph':
        saver = tf1().train.import_meta_graph(path, clear_devices=True)
        prefix = os.path.join(folder, case['checkpoint']) if 'checkpoint' in case else path[:-len('.meta')]
        saver.restore(session, prefix)
        # Tables and counters that the saver leaves out.
        with session.graph.as_default():
            session.run(tf1().tables_initializer())
    else:
        definition = tf1().GraphDef()
        with open(path, 'rb') as file:
            definition.ParseFromString(file.read())
        tf1().import_graph_def(definition, name='')


def feeds(graph, golden, settings, half):
    fed = {}
    for name, value in golden['inputs'].items():
        x = array(value)
        if half and np.ndim(x) > 0:
            x = x[:max(1, len(x) // 2)]
        fed[graph.get_tensor_by_name(name if ':' in name else name + ':0')] = x
    for setting in settings:
        fed[graph.get_tensor_by_name(setting['name'] + ':0')] = setting['value']
    return fed


def numbers(x):
    return np.asarray(x).astype(np.float64) if np.asarray(x).dtype.kind not in 'OSU' else np.zeros(0)


def differs(a, b):
    pairs = [(numbers(x), numbers(y)) for x, y in zip(a, b)]
    return any(np.abs(x - y).max() > TOLERANCE * max(1, np.abs(y).max()) for x, y in pairs if x.size)


def seen(folder, case, golden, model):
    """What TensorFlow shows: a set of `fed` (a flag is needed), `random`, `batch`."""
    found = set()
    with tf.Graph().as_default() as graph, tf1().Session(graph=graph) as session:
        load(session, folder, case, model['kind'])
        outputs = [graph.get_tensor_by_name(name) for name in golden['outputs']]
        settings = []

        def run(half):
            # An empty queue blocks.
            options = tf1().RunOptions(timeout_in_ms=30000)
            return session.run(outputs, feeds(graph, golden, settings, half), options=options)
        try:
            whole = run(False)
        except tf.errors.InvalidArgumentError as error:
            if 'You must feed a value' not in str(error):
                raise
            found.add('fed')
            settings = model['once']
            whole = run(False)
        if differs(whole, run(False)):
            found.add('random')
            return found
        part = run(True)
        batch = len(next(iter(golden['inputs'].values()))['shape']) and array(next(iter(golden['inputs'].values()))).shape[0]
        pairs = [(a[:len(b)], b) for a, b in zip(whole, part) if np.ndim(a) and a.shape[0] == batch]
        if not pairs:
            raise ValueError('no output has an example per row')
        if differs([a for a, _ in pairs], [b for _, b in pairs]):
            found.add('batch')
    return found


def said(model):
    """What the verdict says of it."""
    found = set()
    # What has a value in the file is no error: it shows in what the graph outputs.
    if model['verdict'] == 'ok_once':
        found.add('fed')
    for finding in model['findings']:
        if finding['rule'] in ('active-dropout', 'random-op'):
            found.add('random')
        elif finding['detail']['code'] == 'updated_range':
            found.add('random')
        elif finding['rule'] in ('training-batch-norm', 'batch-dependence'):
            found.add('batch')
    return found


def main():
    if VERSION.startswith('2.'):
        tf1().disable_v2_behavior()
    report = read_json([arg for arg in sys.argv[1:] if not arg.startswith('-')][0])
    by_path = {os.path.normpath(os.path.abspath(model['path'])): model for model in report['models']}
    counts = collections.Counter()
    for name in sorted(os.listdir(FIXTURES)):
        folder = os.path.join(FIXTURES, name)
        if not os.path.exists(os.path.join(folder, 'golden.json')):
            continue
        case = read_json(os.path.join(folder, 'case.json'))
        model = by_path.get(os.path.normpath(os.path.join(folder, case['model'])))
        if model is None or version_of(case['tensorflow']) > version_of(VERSION):
            continue
        golden = read_json(os.path.join(folder, 'golden.json'))
        if not golden.get('inputs'):
            continue
        try:
            shown = seen(folder, case, golden, model)
        except Exception as error:  # TensorFlow raises what it likes.
            counts['not run'] += 1
            if '-v' in sys.argv:
                print('%s: %s' % (name, ' '.join(str(error).split())[:100]))
            continue
        verdict = said(model)
        # A random output hides whether it depends on the batch.
        agrees = shown - {'fed'} == verdict - {'fed'} or ('random' in shown and shown - {'fed'} <= verdict)
        agrees = agrees and ('fed' in shown or 'fed' not in verdict)
        counts['agrees' if agrees else 'differs'] += 1
        if not agrees:
            print('%s: TensorFlow shows %s, the verdict is: %s' % (name, sorted(shown) or 'nothing', model['text']))
    print('TensorFlow %s: %s' % (VERSION, json.dumps(counts)))


if __name__ == '__main__':
    main()
