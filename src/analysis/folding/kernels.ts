import { attrBool } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import type { Tensor } from '../../graph/tensor.js';
import { anyOf } from '../../ops/meaning.js';
import { isFloat } from '../values/vectors.js';
import { isTooRepeated, kernelValue } from './kernel_value.js';
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
  const { name, tensor } = constant;
  const { node, kernel: input, kernelShape: shape } = op;
  return (
    whyOutOfRange(tensor, factor) ?? {
      kind: 'scale_kernel',
      op: node.name,
      input,
      shape,
      constant: name,
      tensor,
      factor,
    }
  );
}

/** The node that holds the kernel of an op, a Const or computed from some, or why it was not found. */
export function kernelConstant(
  view: FoldView,
  { node, kernel }: LinearOp,
): { readonly name: string; readonly tensor: Tensor } | FoldReason {
  for (let ref = node.inputs[kernel]!; ; ) {
    const at = view.graph.get(ref.node);
    const { name, tensor } = at;
    if (at.op === 'Const' && tensor && isFloat(tensor.dtype)) {
      return isTooRepeated(tensor) ? { code: 'kernel_repeated', node: node.name, kernel: name } : { name, tensor };
    }
    if (isQuantised(at)) return { code: 'kernel_quantised', node: node.name, by: name };
    if (!isTransparent(view, at) || !at.inputs[0]) {
      const value = ref.port === 0 ? kernelValue(view, at) : undefined;
      if (value) return { name, tensor: value.tensor };
      return { code: 'kernel_not_constant', node: node.name, source: name, op: at.op };
    }
    ref = at.inputs[0];
  }
}

/** The uses of a kernel, through ops that keep its bytes. */
interface Uses {
  readonly users: readonly Node[];
  readonly edges: number;
  /** An output of the graph that is the kernel, or has the same bytes. */
  readonly output: string | undefined;
}

function usesOf(view: FoldView, kernel: string): Uses {
  const users: Node[] = [];
  let edges = 0;
  let output: string | undefined;
  const names = new Set([kernel]);
  for (const name of names) {
    if (view.isOutput(name)) output = name;
    for (const reader of view.readers({ node: name, port: 0 })) {
      if (isTransparent(view, reader) && reader.inputs[0]?.node === name) names.add(reader.name);
      else {
        users.push(reader);
        edges += reader.inputs.filter((input) => input.node === name).length;
      }
    }
  }
  return { users, edges, output };
}

/** Why a computed kernel cannot become a constant of its own: what computes it would remain as well. */
function whyNotComputed(view: FoldView, kernel: string): FoldReason | undefined {
  const nodes = kernelValue(view, view.graph.get(kernel))?.nodes ?? [];
  const names = new Set(nodes.map(({ name }) => name));
  for (const name of names) {
    if (name === kernel) continue;
    if (view.isOutput(name)) return { code: 'kernel_is_output', kernel: name };
    const reader = view.readers({ node: name, port: 0 }).find((each) => !names.has(each.name));
    if (reader) return { code: 'kernel_read_elsewhere', kernel: name, reader: reader.name };
  }
  return undefined;
}

/** Steps of plans that scale kernels, by the node that holds the numbers. */
export function byConstant(plans: readonly Pick<FoldPlan, 'steps'>[]): Map<string, ScaleKernel[]> {
  const groups = new Map<string, ScaleKernel[]>();
  for (const step of plans.flatMap(({ steps }) => steps)) {
    if (step.kind !== 'scale_kernel') continue;
    const group = groups.get(step.constant);
    if (group) group.push(step);
    else groups.set(step.constant, [step]);
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
  return isShared ? { code: 'kernel_shared', kernel, ops } : whyNotComputed(view, kernel);
}

/** Whether two factors scale a kernel to the same bits. */
export function sameFactor(a: Factor, b: Factor): boolean {
  const isSame = a.values.length === b.values.length && a.values.every((x, i) => Object.is(x, b.values[i]));
  return isSame && JSON.stringify(a.terms) === JSON.stringify(b.terms);
}
