"""Random nets of the patterns of batch norm that people wrote, each checked by real TensorFlow.

    python scripts/nets/random_nets.py --count 100 --first 0     # seeds 0 to 99
    python scripts/nets/random_nets.py --seed 17 --show          # one seed, its recipe, and bnfix's report

A net is wrong when its frozen graph differs from the inference build of the same seed, or is refused, or crashes.
"""
from __future__ import print_function

import argparse
import os
import sys
import tempfile
import time
import traceback

from harness import common, np, run, tf

import forms
from forms import Style


class Plan(object):
    """The choices of one net: drawn once per seed, the same for both builds. Words tell them."""

    def __init__(self, seed):
        self.rng = np.random.RandomState(seed)
        self.words = []

    def pick(self, what, *options):
        choice = options[self.rng.randint(len(options))]
        self.words.append('%s=%s' % (what, getattr(choice, '__name__', choice)))
        return choice

    def chance(self, what, p):
        yes = bool(self.rng.uniform() < p)
        if yes:
            self.words.append(what)
        return yes


def plan_net(seed):
    p = Plan(seed)
    s = Style()
    s.resource = p.chance('resource', .4)
    s.cond_v2 = p.chance('cond_v2', .4) and s.resource and hasattr(tf, 'enable_control_flow_v2')
    s.flag = p.pick('flag', 'python', 'python', 'python', 'placeholder', 'default_true', 'default_false', 'variable',
                    'not', 'and', 'number', 'const')
    s.shape = p.pick('shape', 'image', 'image', 'image', 'vector', 'sequence', 'volume')
    s.open = p.chance('open_sizes', .15) and s.shape == 'image'
    s.scope = p.pick('scope', '', '', 'model', 'a/b/a/b', 'moving_mean', 'save', 'gradients', 'Adam', 'batchnorm')
    s.library = p.pick('library', 'mixed', 'mixed', *forms.NAMES)
    s.control = p.pick('updates', 'apart', 'apart', 'train_op', 'identity')
    s.optimizer = p.pick('optimizer', None, 'Adam', 'Momentum', 'RMSProp', 'Adagrad', 'SGD')
    s.extras = [e for e in ('ema', 'clip', 'regularise', 'summary', 'accumulate', 'loss_scale', 'target', 'swap', 'loss_avg')
                if p.chance(e, .2)]
    s.topology = p.pick('topology', 'plain', 'plain', 'residual', 'dense', 'inception', 'towers', 'siamese', 'heads',
                        'gan', 'mobilenet', 'unet', 'preact')
    s.blocks = [forms.plan_block(p, s, i) for i in range(p.pick('blocks', 1, 2, 3))]
    s.dropout = p.pick('dropout', None, None, 'nn', 'layers', 'keras', 'keep_prob', 'by_hand', 'slim', 'spatial')
    s.norm_on_input = p.chance('norm_on_input', .2)
    s.other_norm = p.pick('beside', None, None, 'layer', 'instance', 'group', 'l2', 'minibatch_std')
    s.output = p.pick('output', 'identity', 'relu', 'raw', 'softmax', 'two')
    s.device = p.chance('devices', .1)
    return p, s


def build_net(plan_seed):
    def build(is_training):
        plan, style = plan_net(plan_seed)
        return forms.build(style, is_training, common.rng_for('weights', plan_seed))
    return build


def kept(seed):
    return os.path.join(tempfile.gettempdir(), 'bnfix-seed-%d' % seed)


def one(seed, show=False):
    plan, style = plan_net(seed)
    started = time.time()
    options = dict(seed=seed, steps=4, batch=8, golden_batch=4, tolerance=5e-4, keeps=('ln', 'other'),
                   context=lambda: forms.context(style.resource, style.cond_v2))
    if show:
        folder = kept(seed)
        if not os.path.isdir(folder):
            os.makedirs(folder)
        options['folder'] = folder
    r = run('random', build_net(seed), **options)
    return r, ' '.join(plan.words), time.time() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--seed', type=int, action='append')
    parser.add_argument('--show', action='store_true', help='keep the model of a seed and show the report')
    parser.add_argument('-v', '--verbose', action='store_true')
    args = parser.parse_args()
    counts = {}
    for seed in args.seed or range(args.first, args.first + args.count):
        try:
            r, words, seconds = one(seed, args.show)
        except Exception:
            traceback.print_exc()
            counts['harness'] = counts.get('harness', 0) + 1
            continue
        counts[r.verdict] = counts.get(r.verdict, 0) + 1
        if r.verdict != 'ok' or args.verbose or args.show:
            print('%-8s seed %d: %s\n         %s (%.1f s)' % (r.verdict, seed, r.text, words, seconds))
            sys.stdout.flush()
        if args.show:
            print(kept(seed))
            with open(os.path.join(kept(seed), 'report.txt')) as f:
                print(f.read())
    print('TensorFlow %s: %s' % (common.VERSION, ', '.join('%d %s' % (n, v) for v, n in sorted(counts.items()))))
    return 1 if set(counts) - {'ok', 'invalid'} else 0


if __name__ == '__main__':
    sys.exit(main())
