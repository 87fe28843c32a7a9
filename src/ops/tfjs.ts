import { type AttrValue, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Node } from '../graph/node.js';
import { defaultAttrs } from './default_attrs.js';
import { TFJS_OPS } from './tfjs_ops.js';

let ops: ReadonlyMap<string, ReadonlySet<string>> | undefined;

function table(): ReadonlyMap<string, ReadonlySet<string>> {
  ops ??= new Map(
    TFJS_OPS.trim()
      .split('\n')
      .map((line) => {
        const [op, ...attrs] = line.split(' ');
        return [op!, new Set(attrs)] as const;
      }),
  );
  return ops;
}

/** Whether TensorFlow.js has an op. */
export function isTfjsOp(op: string): boolean {
  return table().has(op);
}

/** Attrs that do not change what an op outputs when the graph runs once in a browser: hints, names, what only training uses. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'container',
  'exponential_avg_factor',
  'frame_name',
  'grad_a',
  'grad_b',
  'grad_x',
  'grad_y',
  'is_constant',
  'is_training',
  'name',
  'parallel_iterations',
  'seed',
  'seed2',
  'shared_name',
  'swap_memory',
  'tensor_array_name',
  'use_cudnn_on_gpu',
  'use_node_name_sharing',
  'validate_indices',
]);

/**
 * The attrs of a node that TensorFlow.js ignores although they have another value than TensorFlow's default, so that it would
 * compute something else. Types and shapes are not among them.
 */
export function ignoredAttrs({ op, attr }: Pick<Node, 'op' | 'attr'>): string[] {
  const read = table().get(op);
  if (!read) return [];
  return [...defaultAttrs(op)].flatMap(([key, { value }]) => {
    const given = attr[key];
    if (given === undefined || read.has(key) || WITHOUT_EFFECT.has(key) || hasNoValue(given)) return [];
    return isSame(given, value) ? [] : [key];
  });
}

/** Whether an attr is a type, a shape or a function, or a list of them. */
function hasNoValue({ type, shape, func, list }: AttrValue): boolean {
  return (
    type != null || shape != null || func != null || !!(list?.type?.length || list?.shape?.length || list?.func?.length)
  );
}

/** Whether two attrs are equal. */
function isSame(a: AttrValue, b: AttrValue): boolean {
  return plain(a) === plain(b);
}

function plain(value: AttrValue): string {
  const { s, i, f, b, list } = value;
  return JSON.stringify([
    s ? [...s] : null,
    i == null ? null : Number(i),
    f ?? null,
    b ?? null,
    list?.i?.map(Number) ?? [],
  ]);
}

/** Whether a node takes rows of strings: TensorFlow.js takes them of numbers only. */
export function gathersStrings({ op, attr }: Node): boolean {
  return (op === 'Gather' || op === 'GatherV2') && attrType({ attr }, 'Tparams') === DataType.DT_STRING;
}
