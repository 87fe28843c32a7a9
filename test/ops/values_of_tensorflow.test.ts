import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { constantValue } from '../../src/analysis/values/constants.js';
import { attrInt } from '../../src/graph/attrs.js';
import { parseGraph } from '../../src/notation/parse.js';

/** Ops of constants, and what TensorFlow computes: scripts/ops/values.py. BNFIX_VALUES names a larger file of the same kind. */
const FILE = process.env.BNFIX_VALUES ?? fileURLToPath(new URL('values_of_tensorflow.txt', import.meta.url));

const lines = readFileSync(FILE, 'utf8').trim().split('\n');
const nameOf = (line: string) => line.split('(')[0]!;

it.each([...new Set(lines.map(nameOf))])('%s outputs what TensorFlow outputs', (name) => {
  const of = lines.filter((line) => nameOf(line) === name);
  const found = of.map((line) => {
    const [op] = line.split(': ') as [string];
    const graph = parseGraph(`y = ${op}`);
    const node = graph.get('y');
    const port = (attrInt(node, 'num_split') ?? attrInt(node, 'num') ?? 1) - 1;
    const value = constantValue(graph, { node: 'y', port });
    return `${op}: ${value ? [value.shape, value.values].map((list) => `[${list.join(', ')}]`).join(' ') : 'unknown'}`;
  });
  expect(found).toEqual(of);
});
