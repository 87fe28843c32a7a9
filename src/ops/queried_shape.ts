import type { Node } from '../graph/node.js';
import { elementCount } from '../graph/tensor.js';
import type { Shape } from './shape_rules/rule.js';
import type { ConstantValue } from './value_rules.js';

/** The largest size that an int32 holds: Shape outputs int32 unless its attr says otherwise. */
const MAX_SIZE = 2 ** 31 - 1;

/** What Shape, ShapeN, Size or Rank outputs for a tensor of a shape: NaN for an unknown size; undefined if nothing is known. */
export function queriedShape({ op }: Pick<Node, 'op'>, shape: Shape): ConstantValue | undefined {
  if (!shape || shape.some((size) => size > MAX_SIZE)) return undefined;
  const sizes = shape.map((size) => (size < 0 ? Number.NaN : size));
  if (op === 'Rank') return { shape: [], values: [shape.length] };
  if (op === 'Shape' || op === 'ShapeN') return { shape: [shape.length], values: sizes };
  const count = sizes.includes(Number.NaN) ? Number.NaN : elementCount(sizes);
  return op === 'Size' && count <= MAX_SIZE ? { shape: [], values: [count] } : undefined;
}
