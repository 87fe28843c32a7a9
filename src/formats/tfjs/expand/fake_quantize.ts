import { attrBool, attrFloat, attrInt } from '../../../graph/attrs.js';
import { DataType } from '../../../graph/dtype.js';
import type { Site } from './site.js';

/** The range that numbers are rounded in. */
interface Nudged {
  readonly min: number;
  readonly max: number;
  readonly scale: number;
}

/**
 * FakeQuantWithMinMaxArgs, ...Vars and ...VarsPerChannel (fake_quant_ops_functor.h): TensorFlow.js ignores one of them, and lacks
 * the others.
 */
export function expandFakeQuantize(site: Site): void {
  const { ranges, shape } = rangesOf(site);
  const quantMin = attrBool(site.node, 'narrow_range') ? 1 : 0;
  const quantMax = 2 ** (attrInt(site.node, 'num_bits') ?? 8) - 1;
  const nudged = ranges.map(([min, max]) => nudge(min, max, quantMin, quantMax));
  const each = (pick: (range: Nudged) => number) => site.constant(shape, nudged.map(pick), DataType.DT_FLOAT);
  const [min, scale] = [each((range) => range.min), each((range) => range.scale)];
  const clamped = site.add('Maximum', [site.add('Minimum', [site.input(0), each((range) => range.max)]), min]);
  const steps = site.add('RealDiv', [site.add('Sub', [clamped, min]), scale]);
  const whole = site.add('Floor', [site.add('AddV2', [steps, site.scalar(0.5, DataType.DT_FLOAT)])]);
  site.become('AddV2', [site.add('Mul', [whole, scale]), min]);
}

/** The ranges, and the shape of a tensor of them. */
function rangesOf(site: Site): { ranges: [min: number, max: number][]; shape: readonly number[] } {
  if (site.node.inputs.length === 1) {
    return { ranges: [[attrFloat(site.node, 'min') ?? -6, attrFloat(site.node, 'max') ?? 6]], shape: [] };
  }
  const [min, max] = [site.values[1], site.values[2]];
  if (!min || !max) throw site.refuse('its range is no constant');
  return { ranges: Array.from(min.values, (value, i) => [value, max.values[i]!]), shape: min.shape };
}

/** As Nudge in fake_quant_ops_functor.h, in float32. */
function nudge(min: number, max: number, quantMin: number, quantMax: number): Nudged {
  const f = Math.fround;
  const scale = f(f(max - min) / f(quantMax - quantMin));
  const fromMin = f(quantMin - f(min / scale));
  const zero = fromMin < quantMin ? quantMin : fromMin > quantMax ? quantMax : Math.round(fromMin);
  // An empty range makes 0 of every number.
  return { min: f(f(quantMin - zero) * scale), max: f(f(quantMax - zero) * scale), scale: scale || 1 };
}
