import type { Node, TensorRef } from '../../graph/node.js';
import { elementCount, type Tensor } from '../../graph/tensor.js';
import { isChannelProblem, type PendingScale } from '../../ops/channel_rules/rule.js';
import { anyOf, channelRuleOf } from '../../ops/meaning.js';
import { planBias } from './bias.js';
import { planKernel } from './kernels.js';
import { type LinearOp, linearOp } from './linear_ops.js';
import type { Met } from './plan_backward.js';
import { type FoldReason, isReason, MAX_CROSSED, type SearchLimit } from './reasons.js';
import { type ChannelTerm, channelAt, numbersOf, visitNumbers } from './scaled_tensor.js';
import type { FoldStep } from './steps.js';
import type { FoldView } from './view.js';

/** How all consumers of a tensor can compensate for a scale and shift removed from it. */
export function planForward(
  view: FoldView,
  ref: TensorRef,
  pending: PendingScale,
  limit: SearchLimit = { left: MAX_CROSSED },
): Met | FoldReason {
  if (view.isOutput(ref.node)) return { code: 'is_output', tensor: ref.node };
  const readers = view.readers(ref);
  if (readers.length === 0) return { code: 'not_read' };
  const all: Met[] = [];
  for (const reader of readers) {
    const met = planReader(view, ref, reader, pending, limit);
    if (isReason(met)) return met;
    all.push(met);
  }
  return {
    shiftTaken: true,
    steps: all.flatMap(({ steps }) => steps),
    ops: all.flatMap(({ ops }) => ops),
    nodes: all.flatMap(({ nodes }) => nodes),
  };
}

function planReader(
  view: FoldView,
  ref: TensorRef,
  node: Node,
  pending: PendingScale,
  limit: SearchLimit,
): Met | FoldReason {
  limit.left -= 1;
  if (limit.left < 0) return { code: 'too_far', node: node.name };
  const edges = node.inputs.filter((input) => input.node === ref.node).length;
  if (edges !== 1) return { code: 'read_several_times', tensor: ref.node, reader: node.name };
  const op = linearOp(view, node);
  if (op)
    return node.inputs[op.data]!.node === ref.node
      ? planLinear(view, op, pending)
      : { code: 'read_as_kernel', node: node.name };
  const forward = channelRuleOf(node.op)?.forward;
  if (!forward || node.inputs[0]!.node !== ref.node) return { code: 'reader_not_linear', node: node.name, op: node.op };
  const next = forward(view, node, pending);
  if (isChannelProblem(next)) return next;
  const met = planForward(view, { node: node.name, port: 0 }, next, limit);
  return isReason(met) ? met : { ...met, nodes: [node.name, ...met.nodes] };
}

function planLinear(view: FoldView, op: LinearOp, pending: PendingScale): Met | FoldReason {
  const { node, channels } = op;
  const { axis, scale, shift } = pending;
  const isVector = scale.length > 1;
  if (shift && op.whyShiftUneven) return op.whyShiftUneven;
  if (isVector && op.dataAxis !== axis) return { code: 'not_along_inputs', node: node.name };
  const inputs = isVector ? dataTerms(op, pending) : [];
  const outputs = channels === undefined ? undefined : op.outputTerms(channels);
  if (!inputs || !outputs) return { code: 'kernel_mixes_channels', node: node.name };
  const kernel = planKernel(view, op, { values: scale, terms: inputs });
  if (isReason(kernel)) return kernel;
  const steps: FoldStep[] = [kernel];
  const nodes = [node.name, kernel.constant];
  if (shift) {
    const bias = planBias(view, op, biasOf(kernel.tensor, { shift, inputs, outputs, channels: channels! }));
    if (isReason(bias)) return bias;
    steps.push(bias);
    if (bias.kind === 'set_addend') nodes.push(bias.node);
  }
  return { shiftTaken: true, steps, ops: [op], nodes };
}

interface Contraction {
  /** The shift of each channel that the kernel reads. */
  readonly shift: Float64Array;
  readonly inputs: readonly ChannelTerm[];
  readonly outputs: readonly ChannelTerm[];
  /** Number of output channels. */
  readonly channels: number;
}

/** The effect of an input shift on a linear op: the sum of weight times shift, for each output channel. */
function biasOf(kernel: Tensor, { shift, inputs, outputs, channels }: Contraction): Float64Array {
  const bias = new Float64Array(channels);
  const [input, output] = [inputs[0], outputs[0]];
  // Most kernels are rows of output channels, one row per input channel.
  const isRows =
    inputs.length === 1 &&
    outputs.length === 1 &&
    output!.stride * output!.times === 1 &&
    output!.size === channels &&
    input!.stride % channels === 0;
  if (!isRows) {
    visitNumbers(kernel, (weight, flat) => {
      bias[channelAt(outputs, flat)]! += weight * shift[channelAt(inputs, flat)]!;
    });
    return bias;
  }
  for (const { numbers, start } of numbersOf(kernel)) {
    let channel = start % channels;
    for (let i = 0; i < numbers.length; channel = 0) {
      const moved = shift[channelAt(inputs, start + i)]!;
      for (; channel < channels && i < numbers.length; channel++, i++) bias[channel]! += numbers[i]! * moved;
    }
  }
  return bias;
}

const isMatMul = anyOf('matmul');

/** The pending channel that an element of the kernel multiplies. */
function dataTerms(op: LinearOp, { scale, stride }: PendingScale): readonly ChannelTerm[] | undefined {
  const size = scale.length;
  const direct = stride === 1 ? op.inputTerms(size) : undefined;
  if (direct) return direct;
  // Positions and channels in one dimension, as after a Flatten: only matrix products read that.
  const rows = op.kernelShape.reduce((most, rows) => (op.inputTerms(rows) ? rows : most), 0);
  const [only, ...others] = op.inputTerms(rows) ?? [];
  const isMatrix = isMatMul(op.node) && only && others.length === 0;
  if (!isMatrix || rows % (size * stride) !== 0 || elementCount(op.kernelShape) % rows !== 0) return undefined;
  return [{ stride: only.stride * stride, size, times: 1 }];
}
