import { attrBool } from '../../graph/attrs.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { isFloat } from '../values/vectors.js';
import type { LinearOp } from './linear_ops.js';
import { whyOutOfRange } from './range.js';
import { type FoldReason, isReason } from './reasons.js';
import type { Factor } from './scaled_tensor.js';
import type { FoldPlan, ScaleKernel } from './steps.js';
import type { FoldView } from './view.js';

/** Ops between a Const and its use that keep the order of its bytes. */
const keepsBytes = anyOf('identity', 'reshape');
const isEnter = anyOf('enter');
const isTranspose = anyOf('transpose');
const isQuantised = anyOf('fake_quantize');

function isTransparent(view: FoldView, node: Node): boolean {
  if (isTranspose(node)) return view.ints(node.inputs[1])?.every((axis, i) => axis === i) ?? false;
  return isEnter(node) ? attrBool(node, 'is_constant') === true : keepsBytes(node);
}

/** The step that scales the kernel of an op, if it is a constant and its dtype can represent the result. */
export function planKernel(view: FoldView, op: LinearOp, factor: Factor): ScaleKernel | FoldReason {
  const constant = kernelConstant(view, op);
  if (isReason(constant)) return constant;
  return (
    whyOutOfRange(constant.tensor!, factor) ?? {
      kind: 'scale_kernel',
      op: op.node.name,
      input: op.kernel,
      shape: op.kernelShape,
      constant: constant.name,
      factor,
    }
  );
}

/** The Const that holds the kernel of an op, or why it was not found. */
export function kernelConstant(view: FoldView, { node, kernel }: LinearOp): Node | FoldReason {
  for (let ref = node.inputs[kernel]!; ; ) {
    const at = view.graph.get(ref.node);
    if (at.op === 'Const' && at.tensor && isFloat(at.tensor.dtype)) return at;
    if (isQuantised(at)) return { code: 'kernel_quantised', node: node.name, by: at.name };
    const next = isTransparent(view, at) ? at.inputs[0] : undefined;
    if (!next) return { code: 'kernel_not_constant', node: node.name, source: at.name, op: at.op };
    ref = next;
  }
}

/** The uses of a Const, through ops that keep its bytes. */
interface Uses {
  readonly users: readonly Node[];
  readonly edges: number;
  /** An output of the graph that is the Const, or has the same bytes. */
  readonly output: string | undefined;
}

function usesOf(view: FoldView, constant: string): Uses {
  const users: Node[] = [];
  let edges = 0;
  let output: string | undefined;
  const visit = (name: string) => {
    if (view.isOutput(name)) output = name;
    const ref: TensorRef = { node: name, port: 0 };
    for (const reader of view.readers(ref)) {
      if (isTransparent(view, reader) && reader.inputs[0]?.node === name) visit(reader.name);
      else {
        users.push(reader);
        edges += reader.inputs.filter((input) => input.node === name).length;
      }
    }
  };
  visit(constant);
  return { users, edges, output };
}

/** Steps of plans that scale kernels, by the Const that holds the numbers. */
export function byConstant(plans: readonly Pick<FoldPlan, 'steps'>[]): Map<string, ScaleKernel[]> {
  const groups = new Map<string, ScaleKernel[]>();
  for (const step of plans.flatMap(({ steps }) => steps)) {
    if (step.kind !== 'scale_kernel') continue;
    groups.set(step.constant, [...(groups.get(step.constant) ?? []), step]);
  }
  return groups;
}

/** Why a kernel cannot be scaled in place; undefined if all its consumers need the same factor. */
export function whyNotInPlace(view: FoldView, kernel: string, group: readonly ScaleKernel[]): FoldReason | undefined {
  const { users, edges, output } = usesOf(view, kernel);
  if (output !== undefined) return { code: 'kernel_is_output', kernel: output };
  const ops = [...new Set(group.map(({ op }) => op))];
  const stranger = users.find(({ name }) => !ops.includes(name));
  if (stranger) return { code: 'kernel_read_elsewhere', kernel, reader: stranger.name };
  if (edges !== group.length) return { code: 'kernel_read_several_times', kernel };
  const isShared = group.some(({ factor }) => !sameFactor(factor, group[0]!.factor));
  return isShared ? { code: 'kernel_shared', kernel, ops } : undefined;
}

/** Whether two factors scale a kernel to the same bits. */
export function sameFactor(a: Factor, b: Factor): boolean {
  const isSame = a.values.length === b.values.length && a.values.every((x, i) => Object.is(x, b.values[i]));
  return isSame && JSON.stringify(a.terms) === JSON.stringify(b.terms);
}
