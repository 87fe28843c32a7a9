"""Situations that people are in: each net is saved in several ways, frozen and folded, with and without named outputs.

    python scripts/nets/situations.py [--list] [--kind KIND] [NAME ...]
    python scripts/nets/situations.py --random 50 --first 0 [--kind KIND]      # nets drawn from seeds
    python scripts/nets/situations.py --random 1 --first 17 --show             # its files are kept

A situation says what it expects: `ok`, `refused`, or `either` (right or refused, but not wrong). Every attempt that ends otherwise is
printed.
"""
from __future__ import print_function

import argparse
import collections
import fnmatch
import glob
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

from harness import CLI, EXIT, HERE, answers_of, common, np, tf, trained

import forms
from common import TF2

Situation = collections.namedtuple('Situation', 'name kind versions fn opts')
Trained = collections.namedtuple('Trained', 'models names inputs values golden differs also')
Attempt = collections.namedtuple('Attempt', 'verdict text')

SITUATIONS = []
GENERATORS = {}
MODULES = sorted(os.path.basename(p)[:-len('.py')] for p in glob.glob(os.path.join(HERE, 'nets_*.py')))
BAD = ('WRONG', 'BUG', 'CANNOT RUN', 'AUTO WRONG', 'INPUT LEFT', 'crash')


def situation(kind, versions=('113', '115', '212'), **opts):
    """Adds build(is_training) -> Net. Options: saves, commands, auto, expect, says, options, and those of `train`."""
    def wrap(fn):
        SITUATIONS.append(Situation(fn.__name__, kind, (versions,) if isinstance(versions, str) else versions, fn, opts))
        return fn
    return wrap


def raw(kind, versions, **opts):
    """Adds make(folder) -> Trained, for what is not built as a graph. Without names, bnfix has to choose the right outputs."""
    return situation(kind, versions, raw=True, **opts)


def generator(kind):
    """Adds make(rng, words) -> (build, options): nets of a kind, drawn from a seed."""
    def wrap(fn):
        GENERATORS[kind] = fn
        return fn
    return wrap


# ------------------------------------------------------------------ training and saving

def save_meta(sess, path, net, names, inputs, saver):
    saver.save(sess, path, write_state=False)
    return [path + '.meta']


def save_stripped(sess, path, net, names, inputs, saver):
    saver.save(sess, path, write_state=False, write_meta_graph=False)
    saver.export_meta_graph(path + '.meta', strip_default_attrs=True)
    return [path + '.meta']


def save_graph(sess, path, net, names, inputs, saver):
    saver.save(sess, path, write_state=False, write_meta_graph=False)
    tf.train.write_graph(sess.graph.as_graph_def(), os.path.dirname(path), 'graph.pbtxt', as_text=True)
    return [os.path.join(os.path.dirname(path), 'graph.pbtxt'), '--checkpoint', path]


def save_frozen(sess, path, net, names, inputs, saver):
    frozen = tf.graph_util.convert_variables_to_constants(sess, sess.graph.as_graph_def(), [n.split(':')[0] for n in names])
    with open(path + '.pb', 'wb') as f:
        f.write(frozen.SerializeToString())
    return [path + '.pb']


def save_frozen_stripped(sess, path, net, names, inputs, saver):
    """freeze_graph, and then remove_training_nodes as optimize_for_inference does."""
    frozen = tf.graph_util.convert_variables_to_constants(sess, sess.graph.as_graph_def(), [n.split(':')[0] for n in names])
    library = frozen.library
    frozen = tf.graph_util.remove_training_nodes(frozen, [n.split(':')[0] for n in names])
    frozen.library.CopyFrom(library)
    with open(path + '.pb', 'wb') as f:
        f.write(frozen.SerializeToString())
    return [path + '.pb']


def save_saved_model(sess, path, net, names, inputs, saver):
    folder = os.path.join(os.path.dirname(path), 'export')
    graph = sess.graph
    tf.saved_model.simple_save(sess, folder, {'x%d' % i: t for i, t in enumerate(inputs)},
                               {'y%d' % i: graph.get_tensor_by_name(n) for i, n in enumerate(names)})
    return [folder]


SAVES = {'meta': save_meta, 'stripped': save_stripped, 'graph': save_graph, 'frozen': save_frozen,
         'frozen_stripped': save_frozen_stripped, 'saved_model': save_saved_model}


def rewritten(path, rewrite):
    """Changes a .meta file after TensorFlow has written it: ops that this machine cannot run."""
    meta = tf.MetaGraphDef()
    with open(path, 'rb') as f:
        meta.ParseFromString(f.read())
    rewrite(meta)
    with open(path, 'wb') as f:
        f.write(meta.SerializeToString())


def built(build, is_training, seed, context, use):
    def in_context(is_training):
        with context():
            return build(is_training)
    return answers_of(in_context, is_training, seed, use)


def label_feed(net, rng, n):
    return {t: f(rng, n, 'train') for t, f in getattr(net, 'labels', {}).items()}


def train(name, build, out, seed=0, saves=('meta',), steps=6, batch=8, golden_batch=3, training=True, poke=None, context=None, keep=None,
          saver=None, restore=None, finite=True, rewrite=None):
    """Trains and saves a net, and lets the inference build answer from the same checkpoint."""
    rng = common.rng_for(name, seed)
    context = context or (lambda: forms.context(False, False))
    truth_path = os.path.join(out, 'truth')

    def use(graph, sess, net):
        kept = trained(sess, graph, net, name, rng, steps, batch, keep, saver, training, poke, lambda rng, n: label_feed(net, rng, n))
        kept.save(sess, truth_path, write_state=False, write_meta_graph=False)
        golden_feed = common.draw(net, common.rng_for(name, seed, 'golden'), golden_batch, 'golden')
        names = [t.name for t in net.outputs]
        models = collections.OrderedDict()
        for kind in saves:
            folder = os.path.join(out, kind)
            os.makedirs(folder)
            models[kind] = SAVES[kind](sess, os.path.join(folder, 'model'), net, names, list(golden_feed), kept)
            if rewrite and models[kind][0].endswith('.meta'):
                rewritten(models[kind][0], rewrite)
        before = None
        try:
            fed = dict(golden_feed)
            fed.update(label_feed(net, rng, golden_batch))
            fed.update(net.before_feed)
            before = sess.run(list(net.outputs), fed)
        except Exception:
            pass
        return models, names, [t.name for t in golden_feed], list(golden_feed.values()), before, [t.name for t in getattr(net, 'also', ())]

    models, names, inputs, values, before, also = built(build, True, seed, context, use)

    def truth(graph, sess, net):
        sess.run([v.initializer for v in graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)] + [tf.tables_initializer(), tf.local_variables_initializer()])
        if not values:  # Only the inference build has an input: the training build is cut there.
            drawn_feed = common.draw(net, common.rng_for(name, seed, 'golden'), golden_batch, 'golden')
            inputs.extend(t.name for t in drawn_feed)
            values.extend(drawn_feed.values())
        if graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES):
            (restore or (lambda s, p: tf.train.Saver().restore(s, p)))(sess, truth_path)
        feed = dict(zip(net.inputs, values))
        feed.update(net.golden_feed)
        return sess.run(list(net.outputs), feed)

    golden = built(build, False, seed, context, truth)
    if finite and not all(np.all(np.isfinite(np.asarray(g, np.float64))) for g in golden if np.asarray(g).dtype.kind == 'f'):
        raise ValueError('the truth is not finite')
    differs = 0 if before is None else max(
        common.relative_difference(a, b) for a, b in zip(golden, before) if np.asarray(a).dtype.kind in 'fiu') if golden else 0
    return Trained(models, names, inputs, values, golden, differs, also)


# ------------------------------------------------------------------ bnfix and its result

def attempt(case, model, command, named, options=(), tolerance=2e-4, keeps=(), out='', says=None, folds=False):
    """One command on one saved form, and what real TensorFlow says of its result."""
    target = os.path.join(out, 'result.pb')
    if os.path.exists(target):
        os.remove(target)
    line = ['node', CLI, command] + list(model) + ['-o', target, '--force', '--json']
    if named:
        line += ['--outputs', ','.join(case.names)]
    done = subprocess.run(line + list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    err, said = done.stderr.decode('utf8', 'replace'), done.stdout.decode('utf8', 'replace')
    with open(os.path.join(out, 'report.txt'), 'w') as f:
        f.write(' '.join(line + list(options)) + '\n' + err + said)
    try:
        report = json.loads(said)
    except ValueError:
        report = {}
    if says and not re.search(says, err + said, re.S):
        silent = '; does not say /%s/' % says
    else:
        silent = ''
    if done.returncode:
        error = report.get('error', {})
        text = '%s: %s | %s | %s' % (EXIT.get(done.returncode, done.returncode), error.get('message'), error.get('why'), error.get('fix'))
        text = ' '.join(text.split())[:700] + silent
        if done.returncode == 2 and not named and 'output' in (error.get('message') or ''):
            return Attempt('asks', text), error
        return Attempt('refused' if done.returncode in (2, 4, 5) else 'BUG' if done.returncode == 70 else 'crash', text), error
    graph_def = tf.GraphDef()
    with open(target, 'rb') as f:
        graph_def.ParseFromString(f.read())
    there = {n.name for n in graph_def.node}
    chosen = [o['name'] for o in report.get('outputs', [])] if not named else case.names
    missing = [n for n in chosen if n.split(':')[0] not in there]
    if missing:
        return Attempt('WRONG', 'the result lacks %s' % missing), report
    try:
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name='')
            feed = {k: v for k, v in zip(case.inputs, case.values) if k.split(':')[0] in there}
            # The initialisers of tables are a part of the graph, which the user has to run, as in a graph that TensorFlow froze.
            tables = [o for o in graph.get_operations() if o.type.startswith(('InitializeTable', 'LookupTableImport'))]
            with common.session(graph) as sess:
                sess.run(tables)
                got = sess.run(chosen, feed)
    except Exception as e:
        text = ' '.join(str(e).split())
        names = [i['name'] for i in report.get('inputs', []) if i['name'] not in case.inputs]
        if names and 'feed a value' in text:
            return Attempt('INPUT LEFT' if named else 'AUTO WRONG', 'inputs %s, outputs %s: %s' % (names, chosen, text[:200])), report
        return Attempt('CANNOT RUN', text[:400]), report
    if not named:
        return auto_verdict(case, chosen, got, tolerance, report), report
    worst = 0.0
    for name, a, b in zip(chosen, got, case.golden):
        d = difference(a, b)
        if not d <= tolerance:
            return Attempt('WRONG', '%s off by %.3g' % (name, d)), report
        worst = max(worst, d)
    names = [i['name'] for i in report.get('inputs', []) if i['name'] not in case.inputs]
    if names:
        return Attempt('INPUT LEFT', 'right, but %s is still an input' % names), report
    if folds and command == 'fold':
        left = ['%s (%s)' % (n.name, n.op) for n in graph_def.node if n.op.startswith('FusedBatchNorm') or n.op in ('Rsqrt', 'Sqrt')]
        if left:
            return Attempt('UNFOLDED', 'right, but not folded: %s' % left[:3]), report
    if silent:
        return Attempt('silent', 'right%s' % silent), report
    return Attempt('ok', 'off by %.1e, training differs by %.2g' % (worst, case.differs)), report


def difference(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return float('inf')
    if a.dtype.kind not in 'fiub':
        return 0. if (a == b).all() else float('inf')
    a, b = a.astype(np.float64), b.astype(np.float64)
    if not a.size:
        return 0.
    if not (np.isfinite(b) == np.isfinite(a)).all():
        return float('inf')
    keep = np.isfinite(b)
    return float(np.max(np.abs(a - b)[keep]) / max(1., np.max(np.abs(b[keep])))) if keep.any() else 0.


def auto_verdict(case, chosen, got, tolerance, report):
    rest = list(zip(chosen, got))
    missing = []
    for name, value in zip(case.names or [None] * len(case.golden), case.golden):
        hit = next((r for r in rest if r[0] == name), None) or next((r for r in rest if difference(r[1], value) <= tolerance), None)
        if hit is None:
            missing.append(name)
        else:
            if not difference(hit[1], value) <= tolerance:
                return Attempt('WRONG', 'automatic output %s off by %.3g' % (hit[0], difference(hit[1], value)))
            rest.remove(hit)
    instead = [name for name in chosen if name in case.also]
    rest = [r for r in rest if r[0] not in case.also]
    if rest or (missing and not instead):
        return Attempt('AUTO WRONG', 'chose %s, missing %s, extra %s' % (chosen, missing, [r[0] for r in rest]))
    return Attempt('auto ok', '%s, training differs by %.2g' % (', '.join(chosen), case.differs))


def asked_well(case, error):
    """Whether the wanted outputs are the first of the list."""
    candidates = []
    for p in (error.get('data') or {}).get('problems', []):
        for c in p.get('candidates', []):
            ref = c.get('ref', c)
            candidates.append('%s:%d' % (ref.get('node'), ref.get('port', 0)) if 'node' in ref else ref.get('name', '?'))
    candidates_of_kind = [c for c in candidates if c not in case.also]
    first = set(candidates_of_kind[:len(case.names)])
    return set(case.names) <= first or (bool(candidates) and candidates[0] in case.also), candidates


def tried(name, build, seed=0, saves=('meta',), commands=('freeze', 'fold'), auto=None, expect='ok', says=None, options=(), tolerance=2e-4,
          keeps=(), then=None, folder=None, folds=False, raw=False, **opts):
    """Every attempt on a net: (words, good, Attempt)."""
    out = folder or tempfile.mkdtemp(prefix='bnfix-situation-')
    try:
        try:
            case = build(out) if raw else train(name, build, out, seed, saves, **opts)
        except Exception as e:
            if os.environ.get('FUZZ_RAISE'):
                raise
            yield 'training', True, Attempt('invalid', '%s: %s' % (type(e).__name__, ' '.join(str(e).split())[:300]))
            return
        for save, model in case.models.items():
            wanted = expect.get(save, 'ok') if isinstance(expect, dict) else expect
            for command in commands:
                words = '%s %s' % (save, command)
                a, report = attempt(case, model, command, case.names is not None, options, tolerance, keeps, out, says, folds)
                good = a.verdict == wanted or (wanted == 'either' and a.verdict in ('ok', 'refused')) or (
                    a.verdict == 'auto ok' and case.names is None)
                yield words, good, a
                if a.verdict == 'refused' and then:
                    b, _ = attempt(case, model, command, True, list(options) + list(then), tolerance, keeps, out)
                    yield words + ' ' + ' '.join(then), b.verdict == 'ok', b
            if auto and wanted == 'ok':
                a, report = attempt(case, model, 'freeze', False, options, tolerance, keeps, out)
                good = a.verdict == 'auto ok'
                if a.verdict == 'asks':
                    well, candidates = asked_well(case, report)
                    a = Attempt('asks' if well else 'ASKS BADLY', 'wanted %s, candidates %s' % (case.names, candidates[:8]))
                    good = well and auto == 'ask'
                yield save + ' auto', good, a
    finally:
        if not folder:
            shutil.rmtree(out, ignore_errors=True)


# ------------------------------------------------------------------ the command line

def drawn(kind, seed):
    rng = np.random.RandomState(seed)
    words = []
    build, opts = GENERATORS[kind](rng, words)
    return build, opts, ' '.join(words)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('names', nargs='*')
    parser.add_argument('--kind', action='append')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--random', type=int, default=0)
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--show', action='store_true', help='keep the files')
    parser.add_argument('--minutes', type=float, default=0, help='random nets until this time is over')
    parser.add_argument('-v', '--verbose', action='store_true')
    args = parser.parse_args()
    for module in MODULES:
        importlib.import_module(module)
    if args.list:
        print('\n'.join('%-14s %s' % (s.kind, s.name) for s in SITUATIONS) + '\n' + '\n'.join('%-14s (random)' % k for k in sorted(GENERATORS)))
        return 0
    jobs = []
    if args.random or args.minutes:
        kinds = args.kind or sorted(GENERATORS)
        count = args.random or 1000000
        jobs = ((kinds[i % len(kinds)], args.first + i) for i in range(count))
    else:
        for s in SITUATIONS:
            if (args.names and not any(fnmatch.fnmatch(s.name, g) for g in args.names)) or (args.kind and s.kind not in args.kind):
                continue
            if common.SHORT in s.versions:
                jobs.append(s)
    counts, table, until = collections.Counter(), collections.defaultdict(collections.Counter), time.time() + args.minutes * 60
    for job in jobs:
        if args.minutes and time.time() > until:
            break
        started = time.time()
        try:
            if isinstance(job, Situation):
                kind, label, build, opts, words = job.kind, job.name, job.fn, dict(job.opts), ''
            else:
                kind, label = job[0], '%s seed %d' % job
                build, opts, words = drawn(*job)
                opts['seed'] = job[1]
            if args.show:
                opts['folder'] = os.path.join(tempfile.gettempdir(), 'bnfix-' + label.replace(' ', '-'))
                shutil.rmtree(opts['folder'], ignore_errors=True)
                os.makedirs(opts['folder'])
            said = collections.OrderedDict()
            for what, good, a in tried(label, build, **opts):
                counts[a.verdict, good] += 1
                table[kind][a.verdict if good else a.verdict + '!'] += 1
                if not good or args.verbose or a.verdict == 'invalid':
                    text = a.text if args.verbose or args.show else a.text[:230]
                    said.setdefault((good, a.verdict, text), []).append(what)
            for (good, verdict, text), whats in said.items():
                print('%s %-10s %s [%s]: %s' % ('  ' if good else '##', verdict, label, ', '.join(whats), text))
            if said and words:
                print('              ' + words)
            sys.stdout.flush()
        except Exception:
            traceback.print_exc()
        if args.show:
            print(opts.get('folder'), '%.1f s' % (time.time() - started))
    for kind in sorted(table):
        print('%-12s %s' % (kind, ', '.join('%d %s' % (n, v) for v, n in sorted(table[kind].items()))))
    good = sum(n for (_, g), n in counts.items() if g)
    print('TensorFlow %s: %d as expected, %d not' % (common.VERSION, good, sum(counts.values()) - good))
    return 1 if any(not g for _, g in counts) else 0


if __name__ == '__main__':
    # The nets import this module by its name.
    import situations
    sys.exit(situations.main())
