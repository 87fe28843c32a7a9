"""Builds one net as training and as inference graph, lets bnfix freeze the first, and compares it with the second.

A build is `build(is_training) -> Net`, as in scripts/fixtures/common.py. The TensorFlow that runs this decides what is right.
"""
import collections
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, 'scripts', 'fixtures'), os.path.join(ROOT, 'scripts', 'verify')]

import common  # noqa: E402
import verify  # noqa: E402
from common import np, tf  # noqa: E402

# Another build of bnfix than dist/ may be named, so that one that changes meanwhile does not disturb a run.
CLI = os.environ.get('BNFIX', os.path.join(ROOT, 'dist', 'cli', 'main.js'))
EXIT = {2: 'usage', 3: 'input', 4: 'statistics', 5: 'unsupported', 6: 'write', 70: 'OUR BUG'}

Result = collections.namedtuple('Result', 'verdict text difference')


def answers_of(build, is_training, seed, use):
    common.fresh()
    graph = tf.Graph()
    with graph.as_default(), common.session(graph).as_default() as sess:
        common.use_keras(sess)
        tf.set_random_seed(seed)
        return use(graph, sess, build(is_training))


def trained(sess, graph, net, name, rng, steps, batch, keep=None, saver=None, training=True, poke=None, labels=None):
    """Initialises and trains a net in its session; labels(rng, n) draws what else has to be fed. Returns the saver."""
    kept = net.saver or tf.train.Saver(**(saver or {}))
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
    common.randomise(sess, name, keep)
    if net.after_init:
        net.after_init(sess)
    if training:
        updates = common.updates_of(net, graph)
        for _ in range(steps):
            feed = common.draw(net, rng, batch, 'train')
            if labels:
                feed.update(labels(rng, batch))
            feed.update(net.feed)
            sess.run(updates or list(net.outputs), feed)
    if poke:
        poke(sess, graph, net)
    return kept


def run(name, build, seed=0, options=(), steps=6, batch=8, golden_batch=3, tolerance=2e-4, train=True, poke=None,
        context=None, keep=None, name_outputs=True, saver=None, folder=None, restore=None, keeps=()):
    """What becomes of a net: ok, WRONG, refused, CRASH, or invalid when TensorFlow itself would not have it."""
    out = folder or tempfile.mkdtemp(prefix='bnfix-fuzz-')
    try:
        return verdict_on(name, build, seed, options, steps, batch, golden_batch, tolerance, train, poke, context, keep,
                          name_outputs, saver, out, restore, keeps)
    finally:
        if not folder:
            shutil.rmtree(out, ignore_errors=True)


def verdict_on(name, build, seed, options, steps, batch, golden_batch, tolerance, train, poke, context, keep, name_outputs,
               saver, out, restore, keeps):
    path = os.path.join(out, 'model')
    rng = common.rng_for(name, seed)
    wrapped = build
    if context:
        def wrapped(is_training):
            with context():
                return build(is_training)

    def training(graph, sess, net):
        kept = trained(sess, graph, net, name, rng, steps, batch, keep, saver, train, poke)
        kept.save(sess, path, write_state=False)
        golden_feed = common.draw(net, common.rng_for(name, seed, 'golden'), golden_batch, 'golden')
        before = None
        try:
            fed = dict(golden_feed)
            fed.update(net.before_feed)
            before = sess.run(list(net.outputs), fed)
        except Exception:  # NCHW has no kernel on a CPU: only its true outputs are compared.
            if train:
                raise
        return ([t.name for t in net.outputs], [t.name for t in golden_feed], list(golden_feed.values()), before)

    def truth(graph, sess, net):
        sess.run([v.initializer for v in graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)])
        (restore or (lambda s, p: tf.train.Saver().restore(s, p)))(sess, path)
        feed = dict(zip(net.inputs, values))
        feed.update(net.golden_feed)
        return sess.run(list(net.outputs), feed)

    try:
        names, inputs, values, before = answers_of(wrapped, True, seed, training)
        golden = answers_of(wrapped, False, seed, truth)
    except Exception as e:
        if os.environ.get('FUZZ_RAISE'):
            raise
        return Result('invalid', '%s: %s' % (type(e).__name__, ' '.join(str(e).split())[:300]), 0)
    if not all(np.all(np.isfinite(np.asarray(g, np.float64))) for g in golden):
        return Result('invalid', 'the truth is not finite', 0)
    differs = 0 if before is None else max(common.relative_difference(a, b) for a, b in zip(golden, before))
    return frozen(out, path, names, inputs, values, golden, differs, options, tolerance, name_outputs, keeps)


def frozen(out, path, names, inputs, values, golden, differs, options, tolerance, name_outputs, keeps):
    target = os.path.join(out, 'frozen.pb')
    command = ['node', CLI, 'freeze', path + '.meta', '-o', target, '--force']
    if name_outputs:
        command += ['--outputs', ','.join(names)]
    done = subprocess.run(command + list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = (done.stderr + done.stdout).decode('utf8', 'replace')
    with open(os.path.join(out, 'report.txt'), 'w') as f:
        f.write(said)
    if done.returncode:
        what = 'refused' if done.returncode in (2, 4, 5) else 'CRASH'
        head = ' | '.join(line.strip() for line in said.strip().split('\n')[:5])
        return Result(what, '%s: %s' % (EXIT.get(done.returncode, done.returncode), head[:500]), differs)
    graph_def = tf.GraphDef()
    with open(target, 'rb') as f:
        graph_def.ParseFromString(f.read())
    there = {n.name for n in graph_def.node}
    missing = [n for n in names if n.split(':')[0] not in there]
    if missing:
        return Result('other outputs', 'chose others than %s' % missing, differs)
    try:
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name='')
            feed = {k: v for k, v in zip(inputs, values) if k.split(':')[0] in there}
            with common.session(graph) as sess:
                got = sess.run(names, feed)
    except Exception as e:
        return Result('CRASH', 'the frozen graph does not run: %s' % ' '.join(str(e).split())[:300], differs)
    worst = 0.0
    for a, b in zip(got, golden):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            return Result('WRONG', 'shape %s, truth %s' % (a.shape, b.shape), differs)
        if a.size:
            a, b = a.astype(np.float64), b.astype(np.float64)
            worst = max(worst, float(np.max(np.abs(a - b)) / max(1.0, np.max(np.abs(b)))))
    if not worst <= tolerance:
        return Result('WRONG', 'off by %.3g' % worst, differs)
    left = list(verify.leftovers(graph_def, keeps))
    if left:
        return Result('left', 'right, but left in the graph: %s' % ', '.join(left[:4]), differs)
    return Result('ok', 'off by %.1e, training differs by %.2g' % (worst, differs), differs)
