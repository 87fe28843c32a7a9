"""What people wrote: small nets after well-known repositories of 2016 to 2020, and unusual ones, checked like the random ones.

    python scripts/nets/recipes.py [--list] [NAME ...]
"""
from __future__ import print_function

import fnmatch
import glob
import importlib
import os
import sys
import traceback

from harness import HERE, common, run
from builders import RECIPES

import forms
from common import TF2

NETS = sorted(os.path.basename(path)[:-len('.py')] for path in glob.glob(os.path.join(HERE, 'nets_*.py')))


def main():
    for module in NETS:
        importlib.import_module(module)
    if '--list' in sys.argv:
        print('\n'.join(sorted(name for name, _, _, _ in RECIPES)))
        return
    wanted = sys.argv[1:]
    counts = {}
    for name, only, opts, fn in RECIPES:
        if wanted and not any(fnmatch.fnmatch(name, g) for g in wanted):
            continue
        if only and (only == '2') != TF2:
            continue
        opts = dict(opts)
        expect = opts.pop('expect', 'ok')
        opts.setdefault('name_outputs', 'FUZZ_AUTO' not in os.environ)
        opts.setdefault('context', lambda: forms.context(False, False))
        try:
            r = run(name, fn, **opts)
        except Exception:
            traceback.print_exc()
            continue
        good = r.verdict == expect
        counts[good] = counts.get(good, 0) + 1
        print('%s %-34s %-8s %s' % ('  ' if good else '##', name, r.verdict, r.text))
        sys.stdout.flush()
    print('TensorFlow %s: %d as expected, %d not' % (common.VERSION, counts.get(True, 0), counts.get(False, 0)))


if __name__ == '__main__':
    main()
