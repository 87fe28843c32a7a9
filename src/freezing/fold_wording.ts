import type { FoldReason } from '../analysis/folding/reasons.js';

/** Why a batch norm is not folded, as text that follows its name. */
export function foldReasonText(reason: FoldReason): string {
  switch (reason.code) {
    case 'kept_by_option':
      return 'kept by the option';
    case 'one_op_for_target':
      return 'it stays one op for the target';
    case 'training_mode':
      return 'it is in training mode';
    case 'statistics_used':
      return `its outputs ${reason.ports.join(', ')} are used`;
    case 'parameter_not_constant':
      return `its parameter ${reason.node} is not constant`;
    case 'parameters_do_not_fit':
      return 'its parameters differ in size';
    case 'activation_unknown':
      return `its activation ${reason.activation} is unknown`;
    case 'not_a_number':
      return 'its parameters evaluate to NaN (a root of a negative variance, or 0/0)';
    case 'out_of_range':
      return `its scale or shift does not fit into ${reason.dtype}`;
    case 'addend_out_of_range':
      return `the addend that ${reason.node} would need does not fit into ${reason.dtype}`;
    case 'weights_out_of_range':
      return `its scale times the weights is too ${reason.limit === 'largest' ? 'large' : 'small'} for ${reason.dtype}`;
    case 'computed_in_float32':
      return `it computes in float32 and stores ${reason.dtype}: Mul and Add would add rounding steps`;
    case 'large_means':
      return reason.zeroScale
        ? 'its means are so large that Mul and Add would lose digits, and a scale is 0'
        : 'its means are so large that folding would lose digits';
    case 'rank_unknown':
      return 'the rank of its input is unknown';
    case 'input_not_linear':
      return `its input comes from ${portText(reason.node, reason.port)} (${reason.op})`;
    case 'input_quantised':
      return `${reason.node} quantises its input`;
    case 'too_far':
      return `too many ops are between it and a kernel (beyond ${reason.node})`;
    case 'addend_not_constant':
      return `its input comes from ${reason.node} (${reason.op}), whose addend is not constant`;
    case 'addend_along_other_channels':
      return `the addend of ${reason.node} is along other channels`;
    case 'addend_of_higher_rank':
      return `the addend of ${reason.node} may have a higher rank than its input`;
    case 'not_along_outputs':
      return `its scale is not along the ${reason.channels} output channels of ${reason.node}`;
    case 'not_along_inputs':
      return `its scale is not along the channels that ${reason.node} reads`;
    case 'kernel_mixes_channels':
      return `the kernel of ${reason.node} mixes its channels`;
    case 'kernel_quantised':
      return `the weights of ${reason.node} use quantisation-aware training (${reason.by})`;
    case 'kernel_not_constant':
      return `the weights of ${reason.node} are not constant: ${reason.source} (${reason.op})`;
    case 'kernel_repeated':
      return `the weights of ${reason.node} repeat one value (${reason.kernel}); folded, they would take much more space`;
    case 'kernel_is_output':
      return `the kernel ${reason.kernel} is an output of the graph`;
    case 'kernel_read_elsewhere':
      return `the kernel ${reason.kernel} is also read by ${reason.reader}`;
    case 'kernel_read_several_times':
      return `the kernel ${reason.kernel} is read several times`;
    case 'kernel_shared':
      return `the kernel ${reason.kernel} is shared by ${reason.ops.join(', ')}`;
    case 'is_output':
      return `${reason.tensor} is an output of the graph`;
    case 'read_elsewhere':
      return `${reason.tensor} is also read by ${reason.reader}`;
    case 'read_several_times':
      return `${reason.reader} reads ${reason.tensor} several times`;
    case 'reader_not_linear':
      return `it is read by ${reason.node} (${reason.op})`;
    case 'read_as_kernel':
      return `${reason.node} reads it as a kernel`;
    case 'not_read':
      return 'nothing reads it';
    case 'borders_differ':
      return `${reason.node} sums fewer terms at its borders`;
    case 'matrices_differ':
      return `${reason.node} multiplies each element of its batch by a different matrix`;
    case 'channels_moved':
      return `${reason.node} (${reason.op}) moves the channels in an unknown way`;
    case 'channels_unknown':
      return `the number of channels of ${reason.node} is unknown`;
    case 'channels_padded':
      return `${reason.node} (${reason.op}) pads the channels`;
    case 'channels_averaged':
      return `${reason.node} (${reason.op}) averages over the channels`;
    case 'padded_with_another_number':
      return `${reason.node} (${reason.op}) pads with a number other than zero`;
    case 'padding_sees_shift':
      return `the zero padding of ${reason.node} (${reason.op}) would have to pad with the shift`;
    case 'negative_scale_of_maximum':
      return `a negative scale would turn the maximum of ${reason.node} into a minimum`;
  }
}

/** Whether the option `duplicateWeights` would remove a reason. */
export function isHelpedByDuplicates(reason: FoldReason): boolean {
  return 'kernel' in reason;
}

function portText(node: string, port: number): string {
  return port === 0 ? node : `output ${port} of ${node}`;
}
