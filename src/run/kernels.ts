import type { Kernel } from './kernel.js';
import { BATCH_NORM_KERNELS } from './kernels_batch_norm.js';
import { MATH_KERNELS } from './kernels_math.js';
import { QUANTIZE_KERNELS } from './kernels_quantize.js';
import { RANDOM_KERNELS } from './kernels_random.js';
import { SHAPE_KERNELS } from './kernels_shape.js';
import { TAP, tap } from './tap.js';
import type { Tfjs } from './tfjs.js';

/** Kernels for ops that TensorFlow.js lacks, or one of its backends computes differently from TensorFlow. */
export const OWN_KERNELS: ReadonlyMap<string, Kernel> = new Map(
  Object.entries({
    ...BATCH_NORM_KERNELS,
    ...MATH_KERNELS,
    ...QUANTIZE_KERNELS,
    ...RANDOM_KERNELS,
    ...SHAPE_KERNELS,
    [TAP]: tap,
  }),
);

/** The name under which bnfix registers a kernel: the registry is shared by the whole process. */
export function ownName(op: string): string {
  return `Bnfix${op}`;
}

/** The op that {@link ownName} made a name of; others are their own. */
export function opOfKernel(name: string): string {
  const op = name.replace(/^Bnfix/, '');
  return OWN_KERNELS.has(op) ? op : name;
}

let registered = false;

/** Registers the kernels with TensorFlow.js, once. */
export function registerKernels({ core, converter }: Tfjs): void {
  if (registered) return;
  registered = true;
  for (const [op, kernel] of OWN_KERNELS) {
    converter.registerOp(ownName(op), ({ inputs, attrs }) => core.tidy(() => kernel(core, { inputs, attrs })));
  }
}
