"""Runs graphs that calibrated.mjs wrote in TensorFlow, against the inference graph with TensorFlow's own statistics.

    python calibrated.py FOLDER
"""
import base64
import json
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import numpy as np  # noqa: E402
import tensorflow as _tf  # noqa: E402

tf = _tf.compat.v1 if _tf.__version__.startswith('2.') else _tf
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'test', 'calibration', 'fixtures')
# TensorFlow rounds to float16 after each op; (x - 1000) / 0.01 has few digits in float32.
TOLERANCE = {'half_115': 2e-3, 'large_mean_115': 2e-2}


def decoded(tensors):
    return {k: np.frombuffer(base64.b64decode(v['data']), v['dtype']).reshape(v['shape']) for k, v in tensors.items()}


def main(folder):
    failed = 0
    for name in sorted(os.listdir(FIXTURES)):
        with open(os.path.join(FIXTURES, name, 'golden.json')) as f:
            golden = json.load(f)
        inputs, outputs = decoded(golden['inputs']), decoded(golden['outputs'])
        for end in ('', '.folded'):
            graph_def = tf.GraphDef()
            with open(os.path.join(folder, name + end + '.pb'), 'rb') as f:
                graph_def.ParseFromString(f.read())
            with tf.Graph().as_default() as g:
                try:
                    tf.import_graph_def(graph_def, name='')
                except ValueError as e:
                    print('skip %-24s %s' % (name + end, str(e).split('\n')[0]))
                    continue
                with tf.Session(graph=g) as s:
                    got = s.run(list(outputs), {k + ':0': v for k, v in inputs.items()})
            error = max(np.max(np.abs(a.astype('f8') - b.astype('f8'))) / max(1, np.abs(b).max()) for a, b in zip(got, outputs.values()))
            ok = error < TOLERANCE.get(name, 1e-5)
            failed += not ok
            print('%s %-24s %.1e' % ('ok  ' if ok else 'FAIL', name + end, error))
    return failed > 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
