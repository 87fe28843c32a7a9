"""What TensorFlow's own freeze_graph makes of the training graphs in test/fixtures.

    python scripts/verify/freeze_graph.py [-v]

Every .meta file with a checkpoint that bnfix has to freeze, made by this version of TensorFlow or an older one, is restored and
frozen as freeze_graph does it (convert_variables_to_constants), imported again and run on the golden input. Prints how many
answers are right (within the tolerance of the case), how many are wrong without an error, how many need a training flag to be
fed, and how many fail. Left out are graphs in NCHW, which TensorFlow 1.x cannot run on a CPU, and sharded V1 checkpoints.
"""
from __future__ import print_function

import collections
import os
import sys

import numpy as np
import verify
from verify import FIXTURES, TOLERANCES, VERSION, array, difference, read_json, tf, version_of

LEFT_OUT = ('nchw', 'checkpoint_v1_sharded')


def frozen(folder, case, outputs):
    with tf.Graph().as_default(), tf.Session() as session:
        meta = os.path.join(folder, case['model'])
        saver = tf.train.import_meta_graph(meta, clear_devices=True)
        saver.restore(session, os.path.join(folder, case['checkpoint']) if 'checkpoint' in case else meta[:-len('.meta')])
        names = [name.split(':')[0] for name in outputs]
        return tf.graph_util.convert_variables_to_constants(session, session.graph_def, names)


def verdict(folder, case):
    golden = read_json(os.path.join(folder, 'golden.json'))
    try:
        got = verify.answers(frozen(folder, case, golden['outputs']), golden)
    except Exception as e:  # TensorFlow raises what it likes.
        text = ' '.join(str(e).split())
        return ('needs a flag' if 'You must feed a value' in text else 'fails'), text[:100]
    limit = case.get('tolerance', TOLERANCES[case['tier']])
    worst = 0.0
    for value, want in zip(got, golden['outputs'].values()):
        want = array(want)
        worst = max(worst, difference(np.asarray(value), want) if np.shape(value) == want.shape else float('inf'))
    return ('right' if worst <= limit else 'wrong'), 'off by %.2g' % worst


def main():
    if VERSION.startswith('2.'):
        tf.disable_v2_behavior()
    counts = collections.Counter()
    for name in sorted(os.listdir(FIXTURES)):
        folder = os.path.join(FIXTURES, name)
        if not os.path.exists(os.path.join(folder, 'case.json')):
            continue
        case = read_json(os.path.join(folder, 'case.json'))
        if case['expect'] != 'freeze' or not case['model'].endswith('.meta') or case.get('options', {}).get('inputs'):
            continue
        if version_of(case['tensorflow']) > version_of(VERSION) or case['name'].startswith(LEFT_OUT):
            continue
        kind, text = verdict(folder, case)
        counts[kind] += 1
        if '-v' in sys.argv:
            print('%-13s %-36s %s' % (kind, name, text))
            sys.stdout.flush()
    total = sum(counts.values())
    print('TensorFlow %s, %d training graphs: %s' % (VERSION, total, ', '.join('%d %s' % (counts[k], k) for k in (
        'right', 'wrong', 'needs a flag', 'fails'))))


if __name__ == '__main__':
    main()
