"""Loads the .meta files and SavedModels of all fixtures in real TensorFlow and compares their outputs with the golden ones.

    node scripts/formats/convert_all.mjs OUT
    python scripts/formats/verify_variables.py OUT [-v] [CASE ...]

Each is loaded as users load it: import_meta_graph and Saver.restore, after all variables were initialised; saved_model.loader; in
TensorFlow 2 also tf.saved_model.load, whose signature serving_default is called and whose variables are counted. Any TensorFlow from
1.13 to 2.16 can run it. Exit code 1 when an output is wrong or a model is not loaded. A graph that this TensorFlow cannot run, since
it is newer, or in a layout without a kernel for CPUs, is skipped.
"""
from __future__ import print_function

import argparse
import fnmatch
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'verify'))

from verify import FIXTURES, TOLERANCES, TOO_NEW, VERSION, Skip, Wrong, array, channels_first, difference  # noqa: E402
from verify import read_json, tensorflow, tf, version_of  # noqa: E402

IS_V2 = VERSION.startswith('2.')
MAKERS = ('freeze', 'fold')


def config():
    made = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    made.graph_options.rewrite_options.remapping = 2  # RewriterConfig.OFF: see verify.py.
    return made


def run(session, graph, golden):
    there = {op.name for op in graph.get_operations()}
    feed = {k: array(v) for k, v in golden['inputs'].items() if k.split(':')[0] in there}
    session.run(list(golden['outputs']), feed)
    return session.run(list(golden['outputs']), feed)


def by_meta(folder, golden):
    prefix = os.path.join(folder, 'model')
    with tf.Graph().as_default() as graph:
        saver = tf.train.import_meta_graph(prefix + '.meta')
        with tf.Session(graph=graph, config=config()) as session:
            if saver is None:
                if os.path.exists(prefix + '.index'):
                    raise Wrong('no saver')
            else:
                # What users run before they restore; with a Saver of their own as well.
                session.run(tf.global_variables_initializer())
                tf.train.Saver().restore(session, prefix)
                saver.restore(session, prefix)
                check_saved_again(session, saver, prefix)
            return run(session, graph, golden)


def check_saved_again(session, saver, prefix):
    """TensorFlow writes the checkpoint as bnfix has written it."""
    again = saver.save(session, prefix + '_again', write_meta_graph=False, write_state=False)
    for end in ('.index', '.data-00000-of-00001'):
        with open(prefix + end, 'rb') as a, open(again + end, 'rb') as b:
            if a.read() != b.read():
                raise Wrong('TensorFlow saves another %s' % end)
        os.remove(again + end)


def by_loader(folder, golden):
    with tf.Graph().as_default() as graph:
        with tf.Session(graph=graph, config=config()) as session:
            tf.saved_model.loader.load(session, ['serve'], os.path.join(folder, 'saved_model'))
            return run(session, graph, golden)


def by_load(folder, golden):
    path = os.path.join(folder, 'saved_model')
    # As in config(), for functions.
    tensorflow.config.optimizer.set_experimental_options({'remapping': False})
    model = tensorflow.saved_model.load(path)
    reader = tensorflow.train.load_checkpoint(os.path.join(folder, 'model'))
    wanted = sorted(reader.get_variable_to_shape_map())
    found = sorted(v.name[:-len(':0')] for v in model.variables)
    if wanted != found:
        raise Wrong('variables %s, of %s in the checkpoint' % (found[:3], wanted[:3]))
    for v in model.variables:
        if not (v.numpy() == reader.get_tensor(v.name[:-len(':0')])).all() and not is_nan(v.numpy()):
            raise Wrong('%s has another value' % v.name)
    call = model.signatures['serving_default']
    infos = saved_signature(path)
    inputs = {}
    for key, info in infos.inputs.items():
        if info.name not in golden['inputs']:
            raise Skip('the golden file has no value for %s' % info.name)
        inputs[key] = tensorflow.constant(array(golden['inputs'][info.name]), tensorflow.as_dtype(info.dtype))
    got = call(**inputs)
    by_name = {info.name: got[key].numpy() for key, info in infos.outputs.items()}
    return [by_name[name if ':' in name else name + ':0'] for name in golden['outputs']]


def is_nan(value):
    return value.dtype.kind == 'f' and (value != value).any()


def saved_signature(path):
    from tensorflow.python.saved_model import loader_impl
    return loader_impl.parse_saved_model(path).meta_graphs[0].signature_def['serving_default']


def graph_def_of(folder):
    meta = tf.MetaGraphDef()
    with open(os.path.join(folder, 'model.meta'), 'rb') as f:
        meta.ParseFromString(f.read())
    return meta.graph_def


def verify(case, golden, folder, way):
    try:
        got = way(folder, golden)
    except (Skip, Wrong):
        raise
    except Exception as e:  # TensorFlow raises what it likes.
        text = '%s: %s' % (type(e).__name__, ' '.join(str(e).split())[:200])
        first = sorted(set(channels_first(graph_def_of(folder))))
        if first:
            raise Skip('%s in NCHW has no kernel on a CPU' % ', '.join(first))
        if version_of(case['tensorflow']) > version_of(VERSION) and any(words in str(e) for words in TOO_NEW):
            raise Skip('made by TensorFlow %s: %s' % (case['tensorflow'], text))
        raise Wrong(text)
    limit = case.get('tolerance', TOLERANCES[case.get('tier', 'fused')])
    for (name, want), value in zip(golden['outputs'].items(), got):
        d = difference(value, array(want))
        if not d <= limit:
            raise Wrong('%s is off by %.3g (%.0e allowed)' % (name, d, limit))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('out', help='what convert_all.mjs has written')
    parser.add_argument('cases', nargs='*', help='names or globs')
    parser.add_argument('-v', '--verbose', action='store_true', help='a line for what passes, too')
    args = parser.parse_args()
    ways = [('meta', by_meta), ('loader', by_loader)] + ([('load', by_load)] if IS_V2 else [])
    counts = {name: {'pass': 0, 'skip': 0, 'FAIL': 0} for name, _ in ways}
    for name in sorted(os.listdir(FIXTURES)):
        path = os.path.join(FIXTURES, name)
        if args.cases and not any(fnmatch.fnmatch(name, glob) for glob in args.cases):
            continue
        if not os.path.isdir(os.path.join(args.out, name)):
            continue
        case = read_json(os.path.join(path, 'case.json'))
        golden = read_json(os.path.join(path, 'golden.json'))
        for maker in MAKERS:
            for way_name, way in ways:
                try:
                    verify(case, golden, os.path.join(args.out, name, maker), way)
                    verdict, text = 'pass', ''
                except Skip as e:
                    verdict, text = 'skip', str(e)
                except Wrong as e:
                    verdict, text = 'FAIL', str(e)
                counts[way_name][verdict] += 1
                if verdict == 'FAIL' or args.verbose:
                    print('%s  %-36s %-6s %-6s %s' % (verdict, name, maker, way_name, text))
                    sys.stdout.flush()
    for way_name, _ in ways:
        count = counts[way_name]
        print('TensorFlow %s, %s: %d passed, %d failed, %d skipped' % (
            VERSION, way_name, count['pass'], count['FAIL'], count['skip']))
    failed = sum(count['FAIL'] for count in counts.values())
    passed = sum(count['pass'] for count in counts.values())
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
