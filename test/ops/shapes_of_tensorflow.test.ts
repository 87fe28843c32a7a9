import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Shapes } from '../../src/analysis/values/shapes.js';
import type { Graph } from '../../src/graph/graph.js';
import { parseGraph } from '../../src/notation/parse.js';
import type { Shape } from '../../src/ops/shape_rules/rule.js';

/** Ops, and what TensorFlow says of their shapes: scripts/ops/shapes.py. BNFIX_SHAPES names a larger file of the same kind. */
const COMMITTED = fileURLToPath(new URL('shapes_of_tensorflow.txt', import.meta.url));
const FILE = process.env.BNFIX_SHAPES ?? COMMITTED;

/** Of 50 ops of each kind, those of which bnfix knows as much as TensorFlow: all sizes, or that it refuses them. */
const KNOWN_AS_WELL: Readonly<Record<string, number>> = {
  arithmetic: 50,
  alike: 50,
  matmul: 48,
  batch_matmul: 47,
  bias: 45,
  convolution: 40,
  depthwise: 40,
  pool: 42,
  transposed: 46,
  batch_norm: 45,
  reshape: 49,
  concat: 46,
  select: 50,
  squeeze: 50,
  split: 42,
  default: 41,
  images: 42,
  transpose: 38,
  pad: 46,
  unpack: 50,
  slice: 41,
  strided_slice: 31,
  blocks: 47,
  block_batches: 33,
  others: 42,
};

/** The lines of each kind of op. */
const kinds = readFileSync(FILE, 'utf8')
  .split('# ')
  .slice(1)
  .map((part) => part.trim().split('\n') as [string, ...string[]]);

/** In the file, `<2,?>` is a tensor of that shape. */
function graphOf(op: string): Graph {
  const graph = parseGraph(
    `y = ${op.replace(/(\w*)<(.*?)>/g, (_, dtype: string, sizes: string) => {
      const attrs = [dtype, sizes === 'unknown' ? '' : `shape=[${sizes}]`].filter((attr) => attr !== '');
      return `Placeholder${attrs.length > 0 ? `[${attrs.join(', ')}]` : '()'}`;
    })}`,
  );
  // Before version 24, an empty shape was an unknown one.
  graph.setHeader({ versions: { producer: 38 } });
  return graph;
}

function textOf(shape: Shape): string {
  return shape ? `<${shape.map((size) => (size < 0 ? '?' : size))}>` : '<unknown>';
}

/** What bnfix says of an op: `refused`, or as many shapes as TensorFlow has. */
function inferred(op: string, count: number): string {
  const graph = graphOf(op);
  const shapes = new Shapes(graph);
  if (shapes.conflict(graph.get('y'))) return 'refused';
  return Array.from({ length: count }, (_, port) => textOf(shapes.of({ node: 'y', port }))).join(' ');
}

/** Whether two texts of shapes cannot be those of the same tensors. */
function contradict(ours: string, theirs: string): boolean {
  if (ours === 'refused' || theirs === 'refused') return ours === 'refused' && ours !== theirs;
  const shapesIn = (text: string) => text.split(' ').map((shape) => shape.slice(1, -1));
  const others = shapesIn(theirs);
  return shapesIn(ours).some((ownShape, port) => {
    const shape = others[port]!;
    if (ownShape === 'unknown' || shape === 'unknown') return false;
    if (ownShape === '' || shape === '') return ownShape !== shape;
    const [a, b] = [ownShape.split(','), shape.split(',')];
    return a.length !== b.length || a.some((size, axis) => size !== b[axis] && size !== '?' && b[axis] !== '?');
  });
}

describe('TensorFlow has the same shapes, and refuses what bnfix refuses', () => {
  it.each(kinds.map(([kind, ...lines]) => [kind, lines] as const))('%s', (kind, lines) => {
    const found = lines.map((line) => {
      const [op, theirs] = line.split(': ') as [string, string];
      return { op, theirs, ours: inferred(op, theirs.split(' ').length) };
    });
    const wrong = found.filter(({ ours, theirs }) => contradict(ours, theirs));
    expect(wrong.map(({ op, ours, theirs }) => `${op}: ${ours}, TensorFlow: ${theirs}`)).toEqual([]);
    const known = found.filter(({ ours, theirs }) => ours === theirs).length;
    if (FILE === COMMITTED) expect({ [kind]: known }).toEqual({ [kind]: KNOWN_AS_WELL[kind] });
  });
});
