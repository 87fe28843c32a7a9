import type { Node, TensorRef } from '../../graph/node.js';
import { elementCount, type Tensor } from '../../graph/tensor.js';
import { addBias } from '../../passes/edits/bias.js';
import type { Plan } from './backward.js';
import { type Flow, PASSING } from './commute_forward.js';
import { claimKernel } from './kernels.js';
import { type LinearOp, linearOp } from './linear_ops.js';
import { whyNotRepresentable } from './range.js';
import { isRefusal, type Refusal, refusal } from './refusal.js';
import { type ChannelTerm, channelAt, numbersOf, visitNumbers } from './scaled_tensor.js';
import { type FoldView, typeOf } from './view.js';

const MAX_DEPTH = 24;

/** How all that read a tensor can take over what it was scaled and shifted by. Nothing is changed. */
export function planForward(view: FoldView, ref: TensorRef, flow: Flow, depth = 0): Plan | Refusal {
  if (view.isOutput(ref.node)) return refusal(`${ref.node} is an output of the graph`);
  const readers = view.readers(ref);
  if (readers.length === 0 || depth > MAX_DEPTH) return refusal('nothing follows it');
  const plans: Plan[] = [];
  for (const reader of readers) {
    const plan = planReader(view, ref, reader, flow, depth);
    if (isRefusal(plan)) return plan;
    plans.push(plan);
  }
  const parts = <K extends 'claims' | 'edits' | 'ops'>(key: K) => plans.flatMap((plan) => [...plan[key]]);
  return {
    shiftTaken: true,
    claims: parts('claims') as Plan['claims'][number][],
    edits: parts('edits') as Plan['edits'][number][],
    ops: parts('ops') as LinearOp[],
  };
}

function planReader(view: FoldView, ref: TensorRef, node: Node, flow: Flow, depth: number): Plan | Refusal {
  const edges = node.inputs.filter((input) => input.node === ref.node).length;
  if (edges !== 1) return refusal(`${node.name} reads ${ref.node} ${edges} times`);
  const op = linearOp(view, node);
  if (op) return node.inputs[op.data]!.node === ref.node ? planOp(view, op, flow) : refusal('it is a kernel');
  const rule = PASSING[node.op];
  if (!rule || node.inputs[0]!.node !== ref.node) return refusal(`it is read by ${node.name} (${node.op})`);
  const next = rule(view, node, flow);
  if (isRefusal(next)) return next;
  return planForward(view, { node: node.name, port: 0 }, { ...flow, ...next }, depth + 1);
}

function planOp(view: FoldView, op: LinearOp, flow: Flow): Plan | Refusal {
  const { node, channels } = op;
  const { shift, scale } = flow;
  const isVector = scale.length > 1;
  if (shift && op.whyShiftUneven) return refusal(op.whyShiftUneven);
  if (isVector && op.dataAxis !== flow.axis)
    return refusal(`it does not lie along the channels that ${node.name} reads`);
  const inputs = isVector ? dataTerms(op, flow) : [];
  const outputs = channels === undefined ? undefined : op.outputTerms(channels);
  if (!inputs || !outputs) return refusal(`the kernel of ${node.name} does not tell its channels apart`);
  const claim = claimKernel(view, flow.site, op, { values: scale, terms: inputs });
  if (isRefusal(claim)) return claim;
  const edits: (() => void)[] = [];
  if (shift) {
    const bias = biasOf(claim.constant.tensor!, { shift, inputs, outputs, channels: channels! });
    const problem = whyNotRepresentable(typeOf(node)!, bias);
    if (problem) return refusal(problem);
    edits.push(() => addBias(view, op, bias));
  }
  return { shiftTaken: true, claims: [claim], edits, ops: [op] };
}

interface Contraction {
  /** What is added to each channel that the kernel reads. */
  readonly shift: Float64Array;
  readonly inputs: readonly ChannelTerm[];
  readonly outputs: readonly ChannelTerm[];
  /** Number of channels that come out. */
  readonly channels: number;
}

/** What a linear op makes of a shift of its input: the sum of weight times shift, for each output channel. */
function biasOf(kernel: Tensor, { shift, inputs, outputs, channels }: Contraction): Float64Array {
  const bias = new Float64Array(channels);
  const [input, output] = [inputs[0], outputs[0]];
  // Mostly a kernel is rows of its output channels, each row for one input channel.
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

/** Which channel of the flow an element of the kernel multiplies. */
function dataTerms(op: LinearOp, { scale, stride }: Flow): readonly ChannelTerm[] | undefined {
  const size = scale.length;
  const direct = stride === 1 ? op.inputTerms(size) : undefined;
  if (direct) return direct;
  // Positions and channels in one dimension, as behind a Flatten: only matrix products read that.
  const rows = op.kernelShape.reduce((most, rows) => (op.inputTerms(rows) ? rows : most), 0);
  const [only, ...others] = op.inputTerms(rows) ?? [];
  const isMatrix = /MatMul/.test(op.node.op) && only && others.length === 0;
  if (!isMatrix || rows % (size * stride) !== 0 || elementCount(op.kernelShape) % rows !== 0) return undefined;
  return [{ stride: only.stride * stride, size, times: 1 }];
}
