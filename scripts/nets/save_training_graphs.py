"""Saves the training graphs of nets_outputs.py, and the outputs that are right, for test/analysis/training/outputs_of_nets.test.ts.

    python scripts/nets/save_training_graphs.py      # TensorFlow 1.15

The graphs are built, not trained. Initialisers are left out, and all optimizers are gradient descent, so that the files are small.
"""
import gzip
import json
import os
import shutil

from harness import ROOT, common, tf

import forms
import nets_outputs  # noqa: F401
import situations

FOLDER = os.path.join(ROOT, 'test', 'analysis', 'training', 'outputs_of_nets')
UNNEEDED_ATTRS = ('_output_shapes', '_class', '_grappler_do_not_remove')


def is_initialiser(node):
    """Whether a node sets a variable to its initial value, or makes that value."""
    if '/Initializer/' in node.name or '/initial_value' in node.name:
        return True
    value = node.input[1].split(':')[0] if node.op.startswith('Assign') and len(node.input) > 1 else ''
    return '/Initializer/' in value or '/initial_value' in value


def small(graph_def):
    result = tf.GraphDef()
    result.versions.CopyFrom(graph_def.versions)
    result.library.CopyFrom(graph_def.library)
    gone = {node.name for node in graph_def.node if is_initialiser(node)}
    # What waits for an initialiser is one as well.
    for node in graph_def.node:
        if node.name in gone or (node.op == 'NoOp' and any(i.lstrip('^') in gone for i in node.input)):
            gone.add(node.name)
            continue
        if any(i.lstrip('^').split(':')[0] in gone for i in node.input):
            gone.add(node.name)
            continue
        kept = result.node.add()
        kept.CopyFrom(node)
        for key in UNNEEDED_ATTRS:
            kept.attr.pop(key, None)
    return result


def main():
    descent = tf.train.GradientDescentOptimizer
    for name in ('AdamOptimizer', 'RMSPropOptimizer', 'MomentumOptimizer', 'AdagradOptimizer'):
        setattr(tf.train, name, lambda rate=1e-3, *_, **__: descent(rate))
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    answers = {}
    for each in situations.SITUATIONS:
        if each.kind != 'outputs' or '115' not in each.versions or each.opts.get('raw'):
            continue

        def save(graph, sess, net):
            answers[each.name] = {
                'outputs': [t.name for t in net.outputs],
                'also': [t.name for t in getattr(net, 'also', ())],
            }
            data = small(graph.as_graph_def()).SerializeToString()
            with open(os.path.join(FOLDER, each.name + '.pb.gz'), 'wb') as f, gzip.GzipFile('', 'wb', 9, f, mtime=0) as packed:
                packed.write(data)

        context = each.opts.get('context') or (lambda: forms.context(False, False))

        def build(is_training):
            with context():
                return each.fn(is_training)
        situations.answers_of(build, True, 0, save)
    with open(os.path.join(FOLDER, 'answers.json'), 'w') as f:
        json.dump(answers, f, indent=1, sort_keys=True)
        f.write('\n')
    print('%d graphs' % len(answers))


if __name__ == '__main__':
    main()
