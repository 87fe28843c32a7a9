"""What the consumers in Python share: they read jobs from standard input, a JSON object a line, and write a result for each.

A consumer is a module with `load(path, feeds, fetches)`: it converts and loads the model, and returns (call, facts). `feeds` maps
names of tensors to arrays, `fetches` is a list of names; `call()` returns their values in that order; `facts` are numbers to note.
Runs on Python 3.7 to 3.11.
"""
import base64
import importlib
import json
import os
import re
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import numpy as np  # noqa: E402


class Fails(Exception):
    """What a consumer says without an exception of its own."""


def array(t):
    if t['dtype'] == 'string':
        return np.array([base64.b64decode(v) for v in t['data']], object).reshape(t['shape'])
    return np.frombuffer(base64.b64decode(t['data']), t['dtype']).reshape(t['shape'])


def values_of(job):
    """The feeds by the names in this graph, and the true outputs."""
    with open(job['truth']) as file:
        truth = json.load(file)
    feeds = {job['inputs'].get(name, name): array(value) for name, value in truth['inputs'].items() if job['inputs'].get(name, name)}
    return feeds, [(job['outputs'].get(name, name), array(value)) for name, value in truth['outputs'].items()]


def difference(got, want):
    """The largest difference, relative to the largest value."""
    got = np.asarray(got)
    if got.shape != want.shape:
        # Some consumers drop or add sizes of 1 and have no other way to say it.
        if got.size != want.size or [n for n in got.shape if n != 1] != [n for n in want.shape if n != 1]:
            raise Fails('shape %s instead of %s' % (list(got.shape), list(want.shape)))
        got = got.reshape(want.shape)
    if want.dtype == object:
        return 0.0 if (got == want).all() else float('inf')
    if want.size == 0:
        return 0.0
    got, want = got.astype(np.float64), want.astype(np.float64)
    if not np.isfinite(got).all():
        return float('inf')
    return float(np.max(np.abs(got - want)) / (np.max(np.abs(want)) or 1.0))


def worst_difference(got, wanted):
    return max(difference(value, want) for value, (_, want) in zip(got, wanted))


def text_of(error):
    """A line that has no path and no address in it."""
    text = ' '.join(str(error).split())
    text = re.sub(r'(?<![\w.])(/[\w.+\- ]*\w)+/', '', text)
    return re.sub(r'0x[0-9a-f]+', '0x', text)[:300]


def verdict(consumer, job):
    feeds, wanted = values_of(job)
    try:
        call, facts = consumer.load(job['model'], feeds, [name for name, _ in wanted])
        off = consumer.compare(call(), wanted) if hasattr(consumer, 'compare') else worst_difference(call(), wanted)
    except Exception as error:  # Consumers raise what they like.
        return {'verdict': 'fails', 'error': type(error).__name__, 'text': text_of(error)}
    result = {'verdict': 'right' if off <= job['tolerance'] else 'wrong', 'difference': float('%.2g' % min(off, 1e30))}
    result.update(facts)
    return result


def race(consumer, job):
    """Medians of the times of several models, called in turns."""
    calls, facts = {}, {}
    for name, one in job['models'].items():
        feeds, wanted = values_of(one)
        try:
            calls[name], facts[name] = consumer.load(one['model'], feeds, [fetch for fetch, _ in wanted])
            calls[name]()
        except Exception as error:  # Its cell has said why.
            calls.pop(name, None)
            facts[name] = {'error': type(error).__name__}
    times = {name: [] for name in calls}
    start = time.time()
    while calls and time.time() - start < job['seconds'] and len(next(iter(times.values()))) < job['rounds']:
        for name, call in calls.items():
            before = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - before)
    for name, list_ in times.items():
        facts[name]['milliseconds'] = round(float(np.median(list_)) * 1000, 2)
        facts[name]['rounds'] = len(list_)
    return facts


def main():
    # Libraries print what they like: results have a stream of their own.
    results = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    consumer = importlib.import_module('consumer_' + sys.argv[1])
    for line in sys.stdin:
        job = json.loads(line)
        started = time.time()
        result = race(consumer, job) if 'models' in job else verdict(consumer, job)
        if 'models' not in job:
            result['seconds'] = round(time.time() - started, 2)
        results.write(json.dumps(result) + '\n')
        results.flush()


if __name__ == '__main__':
    main()
