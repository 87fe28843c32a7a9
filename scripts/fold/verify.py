"""Runs the folded graph of every fixture in real TensorFlow and compares it with what TensorFlow answered before.

    node scripts/fold/fold_all.mjs OUT
    python scripts/fold/verify.py OUT [-v] [CASE ...]

As scripts/verify/verify.py, whose options it has, for the fixtures of freeze and those of fold.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'verify'))

import verify  # noqa: E402


def main():
    verify.TOO_NEW += ('currently does not support grouped convolutions',)
    out, rest = sys.argv[1], sys.argv[2:]
    failed = 0
    for kind, fixtures in (('freeze', 'test/fixtures'), ('fold', 'test/fold/fixtures')):
        verify.FIXTURES = os.path.join(verify.ROOT, *fixtures.split('/'))
        sys.argv[1:] = [os.path.join(out, kind)] + rest
        print(fixtures)
        failed += verify.main()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
