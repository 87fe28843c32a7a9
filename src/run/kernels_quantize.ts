import type { Tensor } from '@tensorflow/tfjs-core';
import type { Call, Kernel } from './kernel.js';
import { boolAttr, numberAttr } from './kernel.js';
import type { Tfjs } from './tfjs.js';

/** Range of a quantised value, moved so that zero is one of its steps. */
interface Nudged {
  readonly min: number;
  readonly max: number;
  readonly scale: number;
}

/** As Nudge in tensorflow/core/kernels/fake_quant_ops_functor.h, in float32. */
function nudge(min: number, max: number, quantMin: number, quantMax: number): Nudged {
  const f = Math.fround;
  const scale = f(f(max - min) / f(quantMax - quantMin));
  const fromMin = f(quantMin - f(min / scale));
  const zero = fromMin < quantMin ? quantMin : fromMin > quantMax ? quantMax : Math.round(fromMin);
  return { min: f(f(quantMin - zero) * scale), max: f(f(quantMax - zero) * scale), scale };
}

function fakeQuant(tf: Tfjs['core'], call: Call, range: (channel: number) => [min: number, max: number]): Tensor {
  const x = call.inputs[0]!;
  const quantMin = boolAttr(call, 'narrow_range', false) ? 1 : 0;
  const quantMax = 2 ** numberAttr(call, 'num_bits', 8) - 1;
  const channels = x.shape.at(-1) ?? 1;
  const nudged = Array.from({ length: channels }, (_, c) => nudge(...range(c), quantMin, quantMax));
  const f = Math.fround;
  const y = Float32Array.from(x.dataSync(), (value, i) => {
    const { min, max, scale } = nudged[i % channels]!;
    if (scale === 0) return 0;
    const shifted = f(Math.min(max, Math.max(min, value)) - min);
    return f(f(Math.floor(f(f(shifted / scale) + 0.5)) * scale) + min);
  });
  return tf.tensor(y, x.shape, 'float32');
}

const withAttrs: Kernel = (tf, call) => {
  const range: [number, number] = [numberAttr(call, 'min', -6), numberAttr(call, 'max', 6)];
  return fakeQuant(tf, call, () => range);
};

/** min and max are scalars, or have one value per channel. */
const withVars: Kernel = (tf, call) => {
  const [min, max] = [call.inputs[1]!.dataSync(), call.inputs[2]!.dataSync()];
  return fakeQuant(tf, call, (channel) => [min[channel % min.length]!, max[channel % max.length]!]);
};

/** Kernels of fake quantisation, by op. */
export const QUANTIZE_KERNELS: Readonly<Record<string, Kernel>> = {
  FakeQuantWithMinMaxArgs: withAttrs,
  FakeQuantWithMinMaxVars: withVars,
  FakeQuantWithMinMaxVarsPerChannel: withVars,
};
