import type { Tensor } from '@tensorflow/tfjs-core';
import { type Kernel, numberAttr } from './kernel.js';

/**
 * An op that hands its input over when it is computed. A tensor that is fetched in the usual way stays in memory until the end of the
 * run; this one does not.
 */
export const TAP = 'Tap';

/** Receives a tensor, which is disposed of afterwards. @param index - the attr of the op */
type Receiver = (index: number, tensor: Tensor) => void;

let receiver: Receiver | undefined;

/** Sets who receives tensors during a run: one run at a time. */
export async function receiving<T>(receive: Receiver, run: () => Promise<T>): Promise<T> {
  receiver = receive;
  try {
    return await run();
  } finally {
    receiver = undefined;
  }
}

/** The kernel of the op. */
export const tap: Kernel = (tf, call) => {
  receiver?.(numberAttr(call, 'index', 0), call.inputs[0]!);
  return tf.scalar(0);
};
